"""Layouts, inputs and refusals; the oracles are golden files (SOURCE.md) and plain code."""

import json
import pickle
from pathlib import Path

import pytest
import torch
from golden_files import GOLDEN, lay_out, read_golden
from parity import TOLERANCE, assert_agrees
from plain_references import aido_rna, rnabert, shaped
from reading import read_checkpoint, read_language_model
from safetensors.torch import save_file

from rnass.backbone.checkpoints import base_row_norms, u_advice
from rnass.config import EncoderConfig
from rnass.errors import CheckpointError, SequenceError
from rnass.rna import clean_bases

NAMES = [path.stem for path in GOLDEN]


def golden(name):
    return read_golden(Path(__file__).parent / "golden" / f"{name}.safetensors")


def states(encoder, *rnas):
    """Last hidden states of some RNAs read as one batch, special tokens and padding cut off."""
    table = encoder.vocabulary
    rows = [table.encode(clean_bases(rna)) for rna in rnas]
    tokens = torch.full((len(rows), max(map(len, rows))), table.pad)
    for k, row in enumerate(rows):
        tokens[k, : len(row)] = torch.tensor(row)
    with torch.no_grad():
        return [x[: len(row)] for x, row in zip(encoder(tokens), rows, strict=True)]


# --- layouts -----------------------------------------------------------------------------------------


def renamed(weights, old, new):
    return {key.replace(old, new, 1): tensor for key, tensor in weights.items()}


def old_multimolecule(weights, words):
    """As multimolecule up to 0.0.7 wrote it: another prefix, 26 symbols, another name for embed_norm."""
    config = words["config"]
    config["emb_layer_norm_before"] = config.pop("embed_norm")
    config |= {"vocab_size": 26, "codon": True}  # it says so on the Hub, and it is not so
    table, bias = "model.embeddings.word_embeddings.weight", "lm_head.bias"
    weights[table], weights[bias] = weights[table][:26].clone(), weights[bias][:26].clone()
    words["vocabulary"] = []
    return renamed(weights, "model.", "rnafm.")


def test_multimolecule_as_it_was_before(tmp_path):
    weights, words, expected = golden("rna-fm-multimolecule")
    lay_out(old_multimolecule(weights, words), words, tmp_path)
    expected.logits = expected.logits[..., :26]
    assert_agrees(tmp_path, expected, tuple(words["masked"]))
    assert read_checkpoint(tmp_path).vocabulary.name == "multimolecule-26"


def test_a_vocabulary_of_its_own_is_read_from_vocab_txt(tmp_path):
    weights, words, _ = golden("rna-fm-multimolecule")
    words["vocabulary"][6:8] = ["C", "A"]
    lay_out(weights, words, tmp_path)
    encoder = read_checkpoint(tmp_path)
    assert encoder.vocabulary.encode("AC") == [1, 7, 6, 2]
    assert encoder.config.vocabulary.split() == words["vocabulary"]


def sharded(weights, folder, suffix):
    """Two files and their index."""
    keys = sorted(weights)
    parts = {f"model-{k}-of-2.{suffix}": keys[k::2] for k in range(2)}
    for name, part in parts.items():
        some = {key: weights[key].clone() for key in part}
        save_file(some, folder / name) if suffix == "safetensors" else torch.save(some, folder / name)
    where = {key: name for name, part in parts.items() for key in part}
    return folder / f"model.{suffix}.index.json", {"weight_map": where}


@pytest.mark.parametrize("suffix", ["safetensors", "bin"])
@pytest.mark.parametrize("index", [True, False])
def test_shards(tmp_path, suffix, index):
    weights, words, expected = golden("aido-rna-official")
    file = lay_out(weights, words, tmp_path)
    file.unlink()
    path, listing = sharded(weights, tmp_path, suffix)
    if index:
        path.write_text(json.dumps(listing))
    assert_agrees(tmp_path, expected, tuple(words["masked"]))
    if index:
        next(tmp_path.glob("model-1*")).unlink()
        with pytest.raises(CheckpointError, match=r"shard model-1-of-2.* is not beside it"):
            read_checkpoint(tmp_path)


def test_pickled_multimolecule_holds_the_tied_decoder_too(tmp_path):
    weights, words, expected = golden("rna-fm-multimolecule")
    words["file"] = "pytorch_model.bin"
    weights["lm_head.decoder.weight"] = weights["model.embeddings.word_embeddings.weight"]
    weights["lm_head.decoder.bias"] = weights["lm_head.bias"]
    lay_out(weights, words, tmp_path)
    assert_agrees(tmp_path, expected, tuple(words["masked"]))
    weights["lm_head.decoder.bias"] = weights["lm_head.bias"] + 1
    lay_out(weights, words, tmp_path)
    with pytest.raises(CheckpointError, match=r"lm_head\.decoder\.bias differs|lm_head\.bias differs"):
        read_checkpoint(tmp_path)


def test_esm_with_a_stored_position_table_and_rotary_tables(tmp_path):
    """As transformers 4 wrote rotary models; and the spelling of norms the two versions have."""
    weights, words, expected = golden("plantrna-fm-rotary")
    weights = {key: tensor for key, tensor in weights.items() if "inv_freq" not in key}
    weights = {key.replace("gamma", "weight").replace("beta", "bias"): t for key, t in weights.items()}
    weights["esm.embeddings.position_embeddings.weight"] = torch.randn(20, 8)
    weights["esm.embeddings.position_ids"] = torch.arange(20)
    for k in range(2):
        weights[f"esm.encoder.layer.{k}.attention.self.rotary_embeddings.inv_freq"] = torch.ones(2)
    lay_out(weights, words, tmp_path)
    assert_agrees(tmp_path, expected, tuple(words["masked"]))


def test_an_encoder_alone(tmp_path):
    weights, words, expected = golden("plantrna-fm-rotary")
    weights = {key: t for key, t in weights.items() if not key.startswith("lm_head")}
    lay_out(renamed(weights, "esm.", ""), words, tmp_path)
    got = states(read_checkpoint(tmp_path), expected.rnas[1])[0]
    assert got.shape == (11, 8)
    assert read_language_model(tmp_path)[1] is None


# --- RNABERT and AIDO.RNA against plain code ---------------------------------------------------------


def official_rnabert(folder, width=20, layers=2, rows=440):
    e, p = "module.bert.embeddings.", "module.bert.encoder.layer.{}."
    shapes = {e + "word_embeddings.weight": (6, width), e + "position_embeddings.weight": (rows, width)}
    shapes |= {e + "token_type_embeddings.weight": (2, width)}
    norms, maps = [e + "LayerNorm"], {"module.bert.pooler.dense": (width, width)}
    for start in (p.format(k) for k in range(layers)):
        norms += [start + "attention.output.LayerNorm", start + "output.LayerNorm"]
        maps |= {f"{start}attention.selfattn.{n}": (width, width) for n in ("query", "key", "value")}
        maps |= {start + "attention.output.dense": (width, width)}
        maps |= {start + "intermediate.dense": (12, width), start + "output.dense": (width, 12)}
    for head, size in (("predictions", 6), ("predictions_ss", 8)):
        norms.append(f"module.cls.{head}.transform.LayerNorm")
        maps[f"module.cls.{head}.transform.dense"] = (width, width)
        shapes |= {
            f"module.cls.{head}.bias": (size,),
            f"module.cls.{head}.decoder.weight": (size, width),
        }
    maps["module.cls.seq_relationship"] = (2, width)
    shapes |= {f"{n}.{leaf}": (width,) for n in norms for leaf in ("gamma", "beta")}
    shapes |= {f"{n}.weight": size for n, size in maps.items()}
    shapes |= {f"{n}.bias": size[:1] for n, size in maps.items()}
    weights = shaped(shapes)
    torch.save(weights, folder / "bert_mul_2.pth")
    config = {"num_attention_heads": 2, "num_hidden_layers": layers, "multiple": 10}
    (folder / "RNA_bert_config.json").write_text(json.dumps(config))
    return weights


def test_official_rnabert_attends_to_padding_as_its_authors_do(tmp_path):
    weights = official_rnabert(tmp_path)
    encoder, head = read_language_model(tmp_path)
    assert encoder.config.attend_padding
    assert encoder.config.pad_to == 440
    tokens = torch.tensor([[2, 3, 4, 5, 1, 5, 5, 2], [4, 4, 3, 2, 0, 0, 0, 0]])
    padded = torch.nn.functional.pad(tokens, (0, 432))
    with torch.no_grad():
        wanted, wanted_maps, scores = rnabert(weights, padded, 2, 2)
        _, got, maps = zip(*encoder.each_layer(tokens, maps=True), strict=True)
        last = encoder(tokens)
        assert (head(last) - scores[:, :8]).abs().max() < TOLERANCE
    for k in range(3):
        assert (got[k] - wanted[k][:, :8]).abs().max() < TOLERANCE
    for k in range(2):
        assert (maps[k + 1] - wanted_maps[k][:, :, :8, :8]).abs().max() < TOLERANCE


def test_n_of_rnabert_is_the_mean_of_the_bases(tmp_path):
    weights = official_rnabert(tmp_path)
    encoder = read_checkpoint(tmp_path)
    row = encoder.tokens.weight[encoder.vocabulary.row("N")]
    torch.testing.assert_close(row, weights["module.bert.embeddings.word_embeddings.weight"][2:].mean(0))


def test_an_rna_longer_than_the_learned_positions_is_refused(tmp_path):
    official_rnabert(tmp_path)
    with pytest.raises(SequenceError, match="441 tokens; expected at most 440"):
        states(read_checkpoint(tmp_path), "A" * 441)


def test_aido_rna_agrees_with_plain_code(tmp_path):
    weights, words, _ = golden("aido-rna-official")
    lay_out(weights, words, tmp_path)
    wanted = aido_rna(weights, torch.tensor([[2, 6, 6, 7, 8, 5, 10, 3]]), 2, 2)[0]
    assert (states(read_checkpoint(tmp_path), "GGCUAN")[0] - wanted).abs().max() < TOLERANCE


def test_u_as_t_or_u(tmp_path):
    weights, words, _ = golden("aido-rna-official")
    lay_out(weights, words, tmp_path)
    assert u_advice(read_checkpoint(tmp_path), "T").endswith("they do not tell T from U")
    weights["bert.embeddings.word_embeddings.weight"][9] *= 0.01
    lay_out(weights, words, tmp_path)
    as_t, as_u = read_checkpoint(tmp_path), read_checkpoint(tmp_path, u_as="U")
    assert as_t.vocabulary.encode("U") == [2, 8, 3]
    assert as_u.vocabulary.encode("U") == [2, 9, 3]
    norms = base_row_norms(as_u, "U")
    assert base_row_norms(as_t, "T") == norms
    assert norms["U"] < 0.05 < norms["T"]
    assert u_advice(as_u, "U").endswith("read U as T")


def test_u_as_t_needs_a_t(tmp_path):
    weights, words, _ = golden("aido-rna-multimolecule")
    lay_out(weights, words, tmp_path)
    with pytest.raises(CheckpointError, match="the token table has no T"):
        read_checkpoint(tmp_path, u_as="T")
    assert "no choice" in u_advice(read_checkpoint(tmp_path), "U")


# --- inputs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_padding_and_company_change_nothing(name, tmp_path):
    weights, words, _ = golden(name)
    lay_out(weights, words, tmp_path)
    encoder = read_checkpoint(tmp_path)
    rnas = ["ACGUUACGUNGC", "GGC", "AUGGCU"]
    for together, rna in zip(states(encoder, *rnas), rnas, strict=True):
        assert (together - states(encoder, rna)[0]).abs().max() < TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_t_is_u_and_case_does_not_matter(name, tmp_path):
    weights, words, _ = golden(name)
    lay_out(weights, words, tmp_path)
    encoder = read_checkpoint(tmp_path)
    torch.testing.assert_close(
        states(encoder, "augTTTnnR"), states(encoder, "AUGUUUNNN"), rtol=0, atol=0
    )


def test_the_context_in_bases(tmp_path):
    """18 positions make 18 tokens: 16 bases or codons, and all of RNABERT's 440 are bases."""
    for name, bases in (("rna-fm-official", 16), ("mrna-fm-official", 48), ("plantrna-fm-rotary", 510)):
        weights, words, _ = golden(name)
        (tmp_path / name).mkdir()
        lay_out(weights, words, tmp_path / name)
        assert read_checkpoint(tmp_path / name).max_bases == bases
    official_rnabert(tmp_path)
    encoder = read_checkpoint(tmp_path / "bert_mul_2.pth")
    assert encoder.max_bases == 440
    assert states(encoder, "A" * 440)[0].shape == (440, 20)


@pytest.mark.parametrize("name", ["mrna-fm-official", "mrna-fm-multimolecule"])
def test_left_over_bases_of_a_codon_model(name, tmp_path):
    weights, words, _ = golden(name)
    lay_out(weights, words, tmp_path)
    encoder = read_checkpoint(tmp_path)
    assert states(encoder, "AUGGCU")[0].shape == (4, 8)
    with pytest.raises(SequenceError, match="expected whole codons"):
        states(encoder, "AUGGC")


def test_token_dropout_matters(tmp_path):
    """What it computes is in the golden files; here that the two are told apart at all."""
    of = {}
    for name in ("rna-fm-official", "rna-fm-official-token-dropout"):
        weights, words, _ = golden(name)
        (tmp_path / name).mkdir()
        lay_out(weights, words, tmp_path / name)
        encoder = read_checkpoint(tmp_path / name)
        of[encoder.config.token_dropout] = states(encoder, "ACGU")[0]
    assert (of[True] - of[False]).abs().max() > 0.01


# --- refusals ----------------------------------------------------------------------------------------


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", ["pth", "bin"])
@pytest.mark.parametrize("legacy", [True, False])
def test_a_malicious_pickle_is_refused_and_does_nothing(tmp_path, suffix, legacy):
    trace = tmp_path / "trace"
    data = {"args": Malicious(trace), "model": {"embed_tokens.weight": torch.ones(2, 2)}}
    file = tmp_path / f"model.{suffix}"
    if legacy:
        file.write_bytes(pickle.dumps(data))
    else:
        torch.save(data, file)
    why = "it is cut short, damaged or of another kind" if legacy else r"it needs \S+"
    with pytest.raises(CheckpointError, match=rf"model\..*refused: {why}; expected whole weights"):
        read_checkpoint(file)
    assert not trace.exists()


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
@pytest.mark.parametrize(
    ("start", "what"), [("\n<!DOCTYPE html>", "a web page"), ("version https://git-lfs.git", "pointer")]
)
def test_what_a_failed_download_leaves_is_called_by_its_name(tmp_path, suffix, start, what):
    (tmp_path / f"model.{suffix}").write_text(start + "\n" * 99)
    with pytest.raises(CheckpointError, match=rf"model\.{suffix}: .*{what}.*; expected the weights"):
        read_checkpoint(tmp_path / f"model.{suffix}")


@pytest.mark.parametrize("name", ["rna-fm-official", "rna-fm-multimolecule", "aido-rna-official"])
@pytest.mark.parametrize("kept", [0, 100, 0.5, -1])
def test_a_truncated_file_is_refused(name, kept, tmp_path):
    weights, words, _ = golden(name)
    file = lay_out(weights, words, tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * kept) if kept == 0.5 else kept])
    with pytest.raises(CheckpointError, match=file.name):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_tensor_is_named(name, tmp_path):
    weights, words, _ = golden(name)
    unneeded = ("contact_head", "ss_head", "sa_head", "pooler", "inv_freq", "decoder", "lm_head.weight")
    unneeded += ("cls.predictions.bias",)  # AIDO.RNA stores it a second time as decoder.bias
    for key in [key for key in weights if not any(part in key for part in unneeded)]:
        lay_out({one: tensor for one, tensor in weights.items() if one != key}, words, tmp_path)
        named = key.split(".", 1)[1].removeprefix("sentence_encoder.") if "." in key else key
        named = named.replace("gamma", "weight").replace("beta", "bias")
        with pytest.raises(CheckpointError) as caught:
            read_checkpoint(tmp_path)
        assert named in str(caught.value), key


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_tensor_is_named(name, tmp_path):
    weights, words, _ = golden(name)
    for key in ("extra.weight", "bert.encoder.layer.0.adapter.weight", "layers.0.fc3.bias"):
        lay_out({**weights, key: torch.ones(2)}, words, tmp_path)
        with pytest.raises(CheckpointError, match=f"tensor {key} is unknown"):
            read_checkpoint(tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_a_layer_more_or_less_than_the_configuration_says_is_refused(name, tmp_path):
    weights, words, _ = golden(name)
    where = words["arguments"] or words["config"]
    key = "encoder_layers" if words["arguments"] else "num_hidden_layers"
    for layers, found in ((1, "is unknown"), (3, "is missing")):
        where[key] = layers
        lay_out(weights, words, tmp_path)
        with pytest.raises(CheckpointError, match=found):
            read_checkpoint(tmp_path)


def test_a_tensor_of_another_shape_is_named(tmp_path):
    weights, words, _ = golden("aido-rna-official")
    weights["bert.encoder.layer.1.mlp.down_proj.bias"] = torch.ones(9)
    lay_out(weights, words, tmp_path)
    with pytest.raises(
        CheckpointError, match=r"layer\.1\.mlp\.down_proj\.bias is \(9,\); expected \(8,\)"
    ):
        read_checkpoint(tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("family", ["rna-fm", "mrna-fm", "rnabert", "aido-rna", "plantrna-fm"])
def test_family_given(name, family, tmp_path):
    weights, words, _ = golden(name)
    lay_out(weights, words, tmp_path)
    if name.startswith(family):
        assert read_checkpoint(tmp_path, family).config == read_checkpoint(tmp_path).config
    else:
        with pytest.raises(CheckpointError, match="expected"):
            read_checkpoint(tmp_path, family)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "ernierna"}, "model_type 'ernierna'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type is 'relative_key'"),
        ({"num_hidden_layers": None}, r"no config\.json gives layers"),
        ({"num_hidden_layers": "two"}, "layers"),
        ({"num_attention_heads": 3}, "not a multiple of heads"),
    ],
)
def test_a_configuration_of_something_else_is_refused(change, message, tmp_path):
    weights, words, _ = golden("aido-rna-multimolecule")
    words["config"] |= change
    lay_out(weights, words, tmp_path)
    with pytest.raises(CheckpointError, match=message):
        read_checkpoint(tmp_path)


def test_no_configuration(tmp_path):
    weights, words, _ = golden("plantrna-fm-rotary")
    lay_out(weights, words | {"config": {}}, tmp_path)
    with pytest.raises(CheckpointError, match=r"no config\.json gives heads and layers"):
        read_checkpoint(tmp_path)


def test_nothing_there(tmp_path):
    with pytest.raises(CheckpointError, match="no weights; expected"):
        read_checkpoint(tmp_path)
    with pytest.raises(CheckpointError, match="no such file or folder"):
        read_checkpoint(tmp_path / "model.pth")


def test_files_that_are_no_checkpoints(tmp_path):
    for name, content in (("a.txt", b"ACGU"), ("b.safetensors", b"{}"), ("c.pth", b"hello")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CheckpointError, match=name):
            read_checkpoint(tmp_path / name)
    torch.save([1, 2], tmp_path / "d.pt")
    with pytest.raises(CheckpointError, match="holds a list; expected a dictionary of tensors"):
        read_checkpoint(tmp_path / "d.pt")
    save_file({"weight": torch.ones(2)}, tmp_path / "e.safetensors")
    with pytest.raises(CheckpointError, match="of no known family"):
        read_checkpoint(tmp_path / "e.safetensors")


def test_several_pickles_in_a_folder_need_a_name(tmp_path):
    weights, words, _ = golden("rna-fm-official")
    file = lay_out(weights, words, tmp_path)
    (tmp_path / "another.pth").write_bytes(file.read_bytes())
    with pytest.raises(CheckpointError, match=r"RNA-FM_pretrained\.pth, another\.pth"):
        read_checkpoint(tmp_path)
    assert isinstance(read_checkpoint(file).config, EncoderConfig)
