"""The commands about backbones as a stranger types them."""

import numpy as np
import pytest
import torch
from plain_references import HEAD, head_shapes, shaped
from reading import read_language_model
from tiny_backbones import published_checkpoint
from tiny_weights import save_tiny_weights

from rnass.backbone.language_head import fill_masks
from rnass.backbone.published import PUBLISHED
from rnass.config import DecodingConfig
from rnass.decoding import one_partner
from rnass.io import read_structures
from rnass.network.rnafm_structure import THRESHOLDS, read_rnafm_structure


@pytest.fixture
def rna_fm(tmp_path):
    return published_checkpoint("rna-fm-official", tmp_path / "rna-fm")


def test_backbones_are_listed_with_licence_and_source(rna):
    status, out, _ = rna("backbones")
    assert status == 0
    lines = out.splitlines()
    assert lines[0].split() == [
        "name",
        "family",
        "parameters",
        "context",
        "licence",
        "source",
        "citation",
    ]
    assert len(lines) == 1 + len(PUBLISHED)
    for line, one in zip(lines[1:], PUBLISHED, strict=True):
        assert line.startswith(one.name)
        for said in (
            one.family,
            f"{one.parameters:g} M",
            one.context,
            one.licence,
            one.source,
            one.citation,
        ):
            assert said in line


def test_fill_mask_prints_what_the_model_says(rna, rna_fm):
    text = "GG<mask>UAN<mask>C"
    status, out, err = rna("fill-mask", text, "--backbone", rna_fm, "--top", 3)
    assert (status, err) == (0, "")
    lines = [line.split("\t") for line in out.splitlines()]
    assert lines[0] == ["mask", "token", "probability"]
    wanted = fill_masks(*read_language_model(rna_fm), text, 3)
    assert lines[1:] == [
        [str(number), symbol, f"{probability:.4f}"]
        for number, tokens in enumerate(wanted, start=1)
        for symbol, probability in tokens
    ]


def test_fill_mask_needs_a_language_head_and_a_mask(rna, rna_fm, tmp_path):
    weights = save_tiny_weights(tmp_path / "tiny.safetensors")
    status, _, err = rna("fill-mask", "GG<mask>", "--backbone", weights)
    assert status == 2
    assert "tiny.safetensors: holds no language-model head; expected" in err
    status, _, err = rna("fill-mask", "GGC", "--backbone", rna_fm)
    assert (status, err) == (2, "rnass: sequence: no <mask>; expected one at least\n")


def test_embed(rna, rna_fm, tmp_path):
    (tmp_path / "seqs.fa").write_text(">a\nGGCUA\n")
    options = [
        "--backbone",
        rna_fm,
        "--family",
        "rna-fm",
        "--quiet",
        "--threads",
        torch.get_num_threads(),
    ]
    assert rna("embed", "seqs.fa", "--out", "out", *options) == (0, "", "")
    assert np.load(tmp_path / "out" / "a.npy").shape == (5, 8)
    arguments = ["--sequence", "GGCUA", "--out", "one", "--pool", "cls", "--layer", 1]
    assert rna("embed", *arguments, *options)[0] == 0
    assert np.load(tmp_path / "one" / "sequence.npy").shape == (8,)
    status, _, err = rna("embed")
    assert status == 2
    assert "no input" in err


@pytest.mark.parametrize("u_as", ["T", "U"])
def test_u_read_as_t_or_u(rna, tmp_path, u_as):
    """The row of the other letter is never read: it may hold anything."""
    folder = published_checkpoint("aido-rna-official", tmp_path / "aido")
    options = ["--backbone", folder, "--u-as", u_as]
    assert rna("embed", "--sequence", "GGCUA", "--out", "before", "--quiet", *options)[0] == 0
    weights = torch.load(folder / "pytorch_model.bin")
    weights["bert.embeddings.word_embeddings.weight"]["UT".index(u_as) + 8] = 3e38
    torch.save(weights, folder / "pytorch_model.bin")
    assert rna("embed", "--sequence", "GGCUA", "--out", "e", "--quiet", *options)[0] == 0
    before, after = (np.load(tmp_path / part / "sequence.npy") for part in ("before", "e"))
    np.testing.assert_array_equal(before, after)
    (tmp_path / "seqs.fa").write_text(">a\nGGGUAAAACCC\n")
    (tmp_path / "known.dbn").write_text(">a\nGGGUAAAACCC\n(((.....)))\n")
    arguments = ["seqs.fa", "--structure", "known.dbn", "--out", "a", "--plot", "none", "--quiet"]
    assert rna("attention", *arguments, *options)[0] == 0
    assert np.isfinite(np.load(tmp_path / "a" / "a.npz")["attention"]).all()
    status, out, _ = rna("info", *options)
    assert status == 0
    assert f"U read as    {u_as} (embedding lengths: A " in out
    (tmp_path / "t.tsv").write_text("id\tsequence\tlabel\nx\tGU\tx\ny\tGA\ty\n")
    (tmp_path / "t.toml").write_text('train = ["t.tsv"]\nsteps = 2\n')
    assert rna("train", "t.toml", "--task", "sequence", "--out", "t", *options)[0] == 0
    label = ["label", "seqs.fa", "--probe", "t", "--backbone", folder, "--quiet"]
    assert "nan" not in rna(*label)[1]
    status, _, err = rna("fill-mask", "GG<mask>", "--backbone", folder, "--u-as", "X")
    assert (status, err) == (2, f"rnass: {folder}: U read as 'X'; expected T or U\n")


@pytest.fixture
def rnafm_structure(rna_fm, tmp_path):
    """RNA-FM's own structure model, tiny, as its authors store it."""
    stored = torch.load(rna_fm, weights_only=False)["model"]
    backbone = {f"backbone.{key.split('sentence_encoder.')[1]}": one for key, one in stored.items()}
    head = {HEAD + key: one for key, one in shaped(head_shapes(), scale=0.03).items()}
    head |= {HEAD + f"proj.resnet.{k}.bn1.num_batches_tracked": torch.tensor(7) for k in range(32)}
    path = tmp_path / "RNA-FM-ResNet_bpRNA.pth"
    torch.save(backbone | head, path)
    return path


def test_predict_by_rna_fm_s_own_structure_model(rna, rnafm_structure, tmp_path):
    (tmp_path / "seqs.fa").write_text(">a\nGGGAAACCC\n>b\nGGGCAAAAGCCC\n>c\nGGGAAACCCGGGAAACCCGGGAAA\n")
    arguments = ["seqs.fa", "--weights", rnafm_structure, "--out", "out", "--quiet"]
    status, _, err = rna("predict", *arguments)
    assert status == 1
    assert "c: 24 bases; expected at most 16, all that the backbone reads at once" in err
    model = read_rnafm_structure(rnafm_structure)
    for name, bases in (("a", "GGGAAACCC"), ("b", "GGGCAAAAGCCC")):
        decoding = DecodingConfig(threshold=THRESHOLDS["bpRNA"])
        wanted = one_partner(model.probabilities(bases).numpy(), bases, decoding)
        np.testing.assert_allclose(np.load(tmp_path / "out" / f"{name}.npy"), wanted, atol=1e-5)
    run = (tmp_path / "out" / "run.json").read_text()
    assert str(THRESHOLDS["bpRNA"]) in run
    assert [
        len(structure) for _, structure in read_structures(tmp_path / "out" / "predictions.dbn")
    ] == [9, 12]


def test_predict_with_a_head_needs_its_backbone(rna, rna_fm, tmp_path, hairpins):
    lines = [
        "id\tsequence\tdot_bracket",
        *(f"x{k}\t{b}GCAAAAGC\t.((....))" for k, b in enumerate("ACGU")),
    ]
    (tmp_path / "short.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "train.toml").write_text(
        """
        backbone = "nowhere"
        head = {channels = 4, blocks = 1, outer_rank = 2}
        optimiser = {steps = 2}
        [data]
        train = ["short.tsv"]
        valid = ["short.tsv"]
        min_length = 1
        max_length = 14
        cache = "kept"
        """
    )
    assert rna("train", "train.toml", "--out", "run", "--backbone", rna_fm)[0] == 0
    arguments = ["--sequence", "GGCAAAAGCC", "--weights", "run/model.safetensors", "--quiet"]
    status, _, err = rna("predict", *arguments, "--out", "out")
    assert status == 2
    assert "expected its backbone beside it: RNA-FM_pretrained.pth" in err
    assert rna("predict", *arguments, "--out", "out", "--backbone", rna_fm)[0] == 0
    data = ["--data", "short.tsv", "--weights", "run/model.safetensors", "--quiet"]
    assert rna("evaluate", *data, "--backbone", rna_fm)[0] == 0
    assert rna("evaluate", *data)[0] == 2


def test_train_a_head_for_a_label_per_sequence_and_per_base(rna, rna_fm, tmp_path):
    rows = [f"x{k}\t{base}GCAAAAGC\t{base}\t.((....))" for k, base in enumerate("AACCGGUU")]
    (tmp_path / "t.tsv").write_text("\n".join(["id\tsequence\tlabel\tdot_bracket", *rows]) + "\n")
    (tmp_path / "t.toml").write_text('train = ["t.tsv"]\nsteps = 20\n')
    (tmp_path / "p.toml").write_text('train = ["t.tsv"]\nsteps = 20\nlabel = "paired"\n')
    for task, config, count in (("sequence", "t", 8), ("token", "p", 72)):
        status, out, _ = rna(
            "train", f"{config}.toml", "--task", task, "--out", task, "--backbone", rna_fm
        )
        assert status == 0
        assert out.splitlines()[1].split("\t")[-1] == str(count)
        (tmp_path / "seqs.fa").write_text(">a\nGGCUA\n>b\nGGX\n")
        status, out, err = rna("label", "seqs.fa", "--probe", task, "--backbone", rna_fm, "--quiet")
        assert status == 1
        assert "letter 'X' at base 3" in err
        assert len(out.splitlines()) == 1 + (5 if task == "token" else 1)


def test_attention(rna, rna_fm, tmp_path):
    (tmp_path / "seqs.fa").write_text(">a\nGGGGAAAACCCC\n")
    (tmp_path / "known.dbn").write_text(">a\nGGGGAAAACCCC\n((((....))))\n")
    options = ["--structure", "known.dbn", "--backbone", rna_fm, "--quiet"]
    assert rna("attention", "seqs.fa", "--out", "out", *options) == (0, "", "")
    names = {path.name for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")}
    assert names == {"a.npz", "a.heads.tsv", "a.png", "heads.tsv", "summary.tsv", "run.json"}
