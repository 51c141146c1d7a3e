"""Where methods agree: a case worked by hand, then the whole command's files read back."""

import csv
import re

import numpy as np
import pytest
from one_fold import fold

from rnass.errors import OutputError
from rnass.evaluation import VIENNA_METHODS, MethodOptions, Predicted
from rnass.io import read_fasta
from rnass.jobs.compare import CompareOptions, agreement, compare_files
from rnass.metrics import score
from rnass.network.models import save_model
from rnass.rna import Rna
from rnass.structure import Structure

FASTA = ">one first of all\nGGGCAAAAGCCCAAGCGCAAAAGCGC\n>two\nGGGGAAAACCCC\n"


@pytest.fixture
def fasta(tmp_path):
    path = tmp_path / "x.fa"
    path.write_text(FASTA)
    return str(path)


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_agreement_worked_by_hand():
    structures = {
        "a": Structure(12, [(0, 11), (1, 10)]),
        "b": Structure(12, [(0, 11), (1, 10), (2, 9)]),
        "c": Structure(12, [(0, 11), (3, 8)]),
        "d": None,
    }
    found = agreement(Predicted(0, Rna("x", "A" * 12), structures))
    assert found.methods == ["a", "b", "c"]
    assert found.pairs.tolist() == [[0, 11], [1, 10], [2, 9], [3, 8]]
    assert found.held.tolist() == [[1, 1, 1], [1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert found.kinds == ["all", "some", "only b", "only c"]


def test_agreement_without_any_pair_or_method():
    nothing = agreement(Predicted(0, Rna("x", "AAAA"), {"a": None}))
    assert (nothing.methods, nothing.pairs.shape, nothing.kinds) == ([], (0, 2), [])
    empty = agreement(Predicted(0, Rna("x", "AAAA"), {"a": Structure(4), "b": Structure(4)}))
    assert (empty.held.shape, empty.kinds) == ((0, 2), [])


def test_all_methods_beside_each_other(tmp_path, fasta, model):
    save_model(tmp_path / "tiny.safetensors", model, {})
    other = tmp_path / "other.dbn"
    other.write_text(">two\nGGGGAAAACCCC\n((........))\n")
    options = MethodOptions(weights=str(tmp_path / "tiny.safetensors"), predictions={"other": other})
    options = CompareOptions(methods=options, plot="svg")
    text, status = compare_files([fasta], tmp_path / "out", options)
    assert status == 1  # other predicts nothing of "one"
    names = ["rnass", *VIENNA_METHODS, "other"]
    lines, pairs = read(tmp_path / "out" / "methods.tsv"), read(tmp_path / "out" / "pairs.tsv")
    assert [(row["id"], row["method"]) for row in lines] == [
        (i, n) for i in ("one", "two") for n in names
    ]
    assert [row["status"] for row in lines if row["method"] == "other"] == ["no prediction", "ok"]
    for sequence in read_fasta(fasta)[0]:
        folded = fold(sequence.bases, baseline=True)
        own = [row for row in pairs if row["id"] == sequence.id]
        mfe = [[int(row["i"]) - 1, int(row["j"]) - 1] for row in own if row["ViennaRNA MFE"] == "1"]
        assert mfe == folded.mfe_structure.pairs.tolist()
        for row in own:
            i, j = int(row["i"]) - 1, int(row["j"]) - 1
            p = folded.bpp[0].dense()[i, j]
            assert float(row["p_vienna"]) == pytest.approx(p, abs=1e-4)
            assert row["bases"] == f"{sequence.bases[i]}-{sequence.bases[j]}"
            votes = sum(row[name] == "1" for name in names)
            present = sum(row[name] != "" for name in names)
            kind = "all" if votes == present else "some" if votes > 1 else "only"
            assert row["predicted_by"].startswith(kind)
        (row,) = (r for r in lines if (r["id"], r["method"]) == (sequence.id, "ViennaRNA MFE"))
        f1 = score(folded.centroid, folded.mfe_structure).f1
        assert float(row["F1 against ViennaRNA centroid"]) == pytest.approx(f1, abs=1e-4)
        assert int(row["in_all"]) + int(row["in_some"]) + int(row["only_here"]) == len(mfe)
    drawn = (tmp_path / "out" / "one.svg").read_text()
    assert re.search(r"pairing probability(, pseudoknotted)? \([^)]*ViennaRNA\)", drawn)
    assert "2 RNAs" in text


def test_two_records_of_one_id_are_told_apart_by_file(tmp_path):
    (tmp_path / "same.fa").write_text(">x\nGGGGAAAACCCC\n>x\nGGGCAAAAGCCC\n")
    options = CompareOptions(methods=MethodOptions(rnass=False))
    assert compare_files([str(tmp_path / "same.fa")], tmp_path / "out", options)[1] == 0
    files = [row["file"] for row in read(tmp_path / "out" / "summary.tsv")]
    assert len(set(files)) == 2
    for name in ("methods.tsv", "pairs.tsv"):
        found = read(tmp_path / "out" / name)
        assert list(dict.fromkeys((row["id"], row["file"]) for row in found)) == [
            ("x", f) for f in files
        ]


def test_no_figure_no_vienna_and_no_second_run_unasked(tmp_path, fasta, model):
    save_model(tmp_path / "tiny.safetensors", model, {})
    options = MethodOptions(weights=str(tmp_path / "tiny.safetensors"), vienna=False)
    options = CompareOptions(methods=options)
    _, status = compare_files([fasta], tmp_path / "out", options)
    assert status == 0
    names = {path.name for path in (tmp_path / "out").iterdir() if path.name[0] != "."}
    assert names == {"methods.tsv", "pairs.tsv", "summary.tsv", "run.json"}
    with pytest.raises(OutputError, match="holds earlier results"):
        compare_files([fasta], tmp_path / "out", options)


def test_bad_records_are_said_and_the_others_compared(tmp_path):
    (tmp_path / "x.fa").write_text(">bad\nGG-C\n>good\nGGGGAAAACCCC\n")
    options = CompareOptions(methods=MethodOptions(rnass=False))
    _, status = compare_files([str(tmp_path / "x.fa")], tmp_path / "out", options)
    assert status == 1
    assert {row["id"] for row in read(tmp_path / "out" / "methods.tsv")} == {"good"}
    assert compare_files([str(tmp_path / "none.fa")], tmp_path / "out2", options) == ("", 2)
    assert not (tmp_path / "out2").exists()


def test_confidence_is_that_of_the_map_that_a_method_decodes():
    probabilities = np.zeros((12, 12), dtype=np.float32)
    probabilities[0, 11] = probabilities[11, 0] = 0.5
    structures = {"rnass": Structure(12, [(0, 11)]), "rnass of old": Structure(12, [(0, 11)])}
    predicted = Predicted(
        0, Rna("x", "A" * 12), structures, {"rnass": probabilities}, decoded_from={"rnass": "rnass"}
    )
    assert predicted.confidence("rnass") == pytest.approx(2 * 0.5 / 1.5)
    assert predicted.confidence("rnass of old") is None
