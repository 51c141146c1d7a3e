"""Alignments predicted together. The family below has one helix of seven pairs, of which five covary."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest

from rnass.errors import DependencyError, InputError
from rnass.io import read_dot_bracket
from rnass.io.stockholm import read_stockholm
from rnass.jobs import alignment as job
from rnass.jobs.alignment import AlignmentOptions, predict_alignments, predict_relatives

ROWS = {
    "one": "GGGAUCC-AAAAGGAUCCCAAA",
    "two": "GGCAUGC-AAAAGCAUGCCAAA",
    "three": "GGGUUCCAAAAAGGAACCC-AA",
    "four": "GCGAACCAAAAAGGUUCGCAAA",
}
EXAMPLES = Path(__file__).parents[2] / "examples"
HELIX = "(((((((.....)))))))..."
ALTOGETHER = {
    "consensus.sto",
    "covariation.tsv",
    "rows.tsv",
    "predictions.dbn",
    "summary.tsv",
    "run.json",
}


def fasta(rows):
    return "".join(f">{name}\n{text}\n" for name, text in rows.items())


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "family.afa"
    file.write_text(fasta(ROWS))
    return str(file)


@pytest.fixture
def predict(tmp_path, weights):
    """Predicts the rows of an alignment into a folder of tmp_path; gives the exit status."""

    def run(path, work=predict_alignments, out="out", **options):
        chosen = {"weights": weights, "device": "cpu", "threads": 1, "formats": ("dbn", "npy")}
        return work(path, tmp_path / out, AlignmentOptions(**chosen | options))

    return run


def table(file):
    with file.open(newline="") as text:
        return list(csv.DictReader(text, delimiter="\t"))


def test_every_row_and_the_consensus(predict, path, tmp_path):
    assert predict(path) == 0
    out = tmp_path / "out"
    own = {f"{name}.{suffix}" for name in ROWS for suffix in ("dbn", "npy")}
    assert {file.name for file in out.iterdir() if file.name[0] != "."} == ALTOGETHER | own
    (alignment,) = read_stockholm(out / "consensus.sto")
    assert alignment.rows == ROWS
    assert alignment.columns["SS_cons"] == HELIX.translate(str.maketrans("()", "<>"))
    for name, row in ROWS.items():
        ((rna, structure),) = read_dot_bracket(out / f"{name}.dbn")
        assert rna.bases == row.replace("-", "")
        held = "".join(s for s, letter in zip(HELIX, row, strict=True) if letter != "-")
        assert structure.dot_bracket == held
        matrix = np.load(out / f"{name}.npy")
        assert matrix.shape == (len(held),) * 2
        assert matrix[0, held.rindex(")")] > 0.5


def test_the_table_of_covariation(predict, path, tmp_path):
    predict(path)
    rows = table(tmp_path / "out" / "covariation.tsv")
    assert [(row["i"], row["j"]) for row in rows] == [(str(k), str(20 - k)) for k in range(1, 8)]
    assert [row["compensatory"] for row in rows] == ["0", "1", "1", "1", "1", "1", "0"]
    assert [row["covaries"] for row in rows] == ["no", "yes", "yes", "yes", "yes", "yes", "no"]
    assert {row["contradicting"] for row in rows} == {"0"}
    summary = {row["id"]: row for row in table(tmp_path / "out" / "rows.tsv")}
    assert set(summary) == set(ROWS)
    assert {row["consensus_pairs_formed"] for row in summary.values()} == {"1.000"}


def test_a_target_alone_has_files(predict, path, tmp_path):
    assert predict(path, target="three") == 0
    names = {file.name for file in (tmp_path / "out").iterdir() if file.name[0] != "."}
    assert names == ALTOGETHER | {"three.dbn", "three.npy"}
    assert predict(path, out="all") == 0
    one, other = (np.load(tmp_path / out / "three.npy") for out in ("out", "all"))
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_target_that_is_no_row_is_refused(predict, path, tmp_path):
    with pytest.raises(InputError, match=r"family\.afa: no row 'five'; expected a target of its rows"):
        predict(path, target="five")
    assert not (tmp_path / "out").exists()


def test_alignments_of_a_folder_without_the_target_cost_the_others_nothing(predict, tmp_path, caplog):
    folder = tmp_path / "families"
    folder.mkdir()
    (folder / "a.fa").write_text(fasta({name: row for name, row in ROWS.items() if name != "three"}))
    (folder / "b.fa").write_text(fasta(ROWS))
    with pytest.raises(InputError, match=r"a\.fa: no row 'three'"):
        predict(str(folder), target="three", strict=True)
    assert not (tmp_path / "out").exists()
    assert predict(str(folder), target="three") == 1
    assert "a.fa: no row 'three'; expected a target of its rows" in caplog.text
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b"]


def test_a_target_that_is_no_relative_is_refused(predict, tmp_path):
    (tmp_path / "one.fa").write_text(">one\nGGGGAAAACCCC\n")
    with pytest.raises(InputError, match=r"one\.fa: no row 'nope'; expected a target of its rows"):
        predict(str(tmp_path / "one.fa"), predict_relatives, target="nope")


def test_a_folder_of_alignments(predict, tmp_path):
    folder = tmp_path / "families"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.fa").write_text(fasta(ROWS))
    assert predict(str(folder)) == 0
    for name in ("a", "b"):
        assert (tmp_path / "out" / name / "consensus.sto").exists()


def test_a_bad_file_of_a_folder_costs_the_others_nothing(predict, tmp_path, caplog):
    folder = tmp_path / "families"
    folder.mkdir()
    for name in ("a.afa", "a.fa"):
        (folder / name).write_text(fasta(ROWS))
    (folder / "uneven.fa").write_text(">x\nGGGG\n>y\nGGG\n")
    with pytest.raises(InputError, match=r"a\.fa: a second alignment 'a' beside a\.afa"):
        predict(str(folder), strict=True)
    assert not (tmp_path / "out").exists()
    assert predict(str(folder)) == 1
    assert "a.fa: a second alignment 'a' beside a.afa; expected distinct names" in caplog.text
    assert "uneven.fa: row y has 3 places, row x 4; expected rows of one length" in caplog.text
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]
    assert (tmp_path / "out/a/consensus.sto").exists()


def test_a_resumed_run_keeps_what_is_whole_and_an_altered_alignment_is_done_again(
    predict, path, tmp_path, caplog
):
    predict(path)
    out = tmp_path / "out"
    before = {name: (out / name).read_bytes() for name in ("consensus.sto", "covariation.tsv")}
    (out / "two.dbn").unlink()
    caplog.set_level("INFO", "rnass")
    assert predict(path, resume=True) == 0
    assert "3 of 4 records finished already" in caplog.text
    assert (out / "two.dbn").exists()
    assert {name: (out / name).read_bytes() for name in before} == before
    caplog.clear()
    (tmp_path / "family.afa").write_text(fasta(ROWS | {"five": "GGGAACC-AAAAGGUUCCCAAA"}))
    assert predict(path, resume=True) == 0
    assert "finished already" not in caplog.text
    assert "five" in (out / "consensus.sto").read_text()


def test_a_row_that_does_not_fit_and_a_depth_of_one_are_reported(predict, tmp_path, caplog):
    path = tmp_path / "odd.afa"
    path.write_text(fasta(ROWS | {"odd": "A" * 22}))
    assert predict(str(path)) == 0
    assert "odd: forms 0 % of the consensus pairs; it may be misaligned" in caplog.text
    path.write_text(fasta({"one": ROWS["one"], "copy": ROWS["one"]}))
    assert predict(str(path), out="copies") == 0
    assert "alignment: 2 rows, worth one" in caplog.text


def test_one_bad_row_costs_the_others_nothing(predict, path, tmp_path, monkeypatch):
    monkeypatch.setattr("rnass.prediction.limits.MAX_LENGTH", 21)
    assert predict(path) == 1
    rows = {row["id"]: row["status"] for row in table(tmp_path / "out" / "summary.tsv")}
    assert rows == {"one": "ok", "two": "ok", "three": "ok", "four": "failed"}


def test_rows_that_are_folded_ahead_give_the_same_files(predict, tmp_path, monkeypatch):
    family = tmp_path / "long.afa"
    family.write_text(fasta({name: 5 * text for name, text in ROWS.items()}))
    assert predict(str(family), out="here") == 0
    monkeypatch.setattr("rnass.prediction.relatives.fold_alignment", lambda _: pytest.fail("folded"))
    assert predict(str(family), out="ahead", threads=2) == 0
    for name in ("consensus.sto", "covariation.tsv", "rows.tsv", "predictions.dbn"):
        assert (tmp_path / "ahead" / name).read_text() == (tmp_path / "here" / name).read_text(), name


def test_with_the_shipped_weights_a_family_of_trnas_folds_to_cloverleaves(predict, tmp_path):
    """The weights' own way of decoding counts each base's partners, so no more than one may be there."""
    assert predict(str(EXAMPLES / "trnas.sto"), weights="base") == 0
    for file in sorted((tmp_path / "out").glob("*.npy")):
        probabilities = np.load(file)
        assert probabilities.sum(1).max() <= 1 + 1e-4, file
        assert not probabilities.diagonal().any()
    cloverleaf = (
        "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."  # of 1EHZ
    )
    found = (tmp_path / "out" / "yeast-Phe.dbn").read_text().splitlines()[2]
    assert found.split()[0] == cloverleaf
    for row in table(tmp_path / "out" / "summary.tsv"):
        assert float(row["confidence"]) > 0.7, row
        assert int(row["pseudoknot_order"]) == 0, row


def test_relatives_of_two_strands_are_refused(predict, tmp_path):
    fasta = tmp_path / "two.fa"
    fasta.write_text(">a\nGGGGAAAACCCC\n>b\nGGGC&GCCC\n")
    with pytest.raises(InputError, match=r"two.fa \(b\): two strands; expected one of each relative"):
        predict(str(fasta), work=predict_relatives)


def program(folder, name, script):
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def test_relatives_are_aligned_by_mafft(predict, tmp_path, monkeypatch):
    given = tmp_path / "relatives.fa"
    given.write_text(fasta({name: row.replace("-", "") for name, row in ROWS.items()}))
    aligned = tmp_path / "aligned.fa"
    aligned.write_text(fasta({f"r{k}": row.lower() for k, row in enumerate(ROWS.values())}))
    program(tmp_path, "mafft", f"cat {aligned}")
    monkeypatch.setattr(job, "which", lambda name: name if name == "mafft" else None)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert predict(str(given), work=predict_relatives) == 0
    (alignment,) = read_stockholm(tmp_path / "out" / "consensus.sto")
    assert alignment.rows == ROWS
    program(tmp_path, "mafft", "echo no room >&2; exit 3")
    with pytest.raises(DependencyError, match="mafft: no room; expected an alignment"):
        predict(str(given), work=predict_relatives, out="other")


def test_without_an_aligner_the_error_names_what_to_install(predict, tmp_path, monkeypatch):
    given = tmp_path / "relatives.fa"
    given.write_text(">a\nGGGAAACCC\n>b\nGCGAAACGC\n")
    monkeypatch.setattr(job, "which", lambda _: None)
    with pytest.raises(DependencyError, match=r"expected MAFFT \(Debian: apt-get install mafft\)"):
        predict(str(given), work=predict_relatives)


def test_relatives_of_one_name_are_refused(predict, tmp_path):
    given = tmp_path / "relatives.fa"
    given.write_text(">a\nGGGAAACCC\n>a\nGCGAAACGC\n")
    with pytest.raises(InputError, match=r"relatives\.fa: a second record 'a'"):
        predict(str(given), work=predict_relatives)
