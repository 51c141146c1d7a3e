"""Folds that begin before the network is loaded are taken by the prediction, and change nothing."""

import random
import sys
from subprocess import run

import pytest

from rnass.jobs import early_folds as module
from rnass.jobs.early_folds import early_folds
from rnass.thermodynamics import folding
from rnass.thermodynamics.folding import FoldInput, fold, fold_many, folding_early

LONG = "".join(random.Random(3).choices("ACGU", k=320))
OPTIONS = {"threads": 0, "thermodynamics": True, "weights": None, "plot": None}


@pytest.fixture
def begun(monkeypatch):
    """What was begun early: inputs and sets; no process starts."""
    found = []

    class Recorded:
        def __enter__(self):
            return None

        def __exit__(self, *_):
            return None

    monkeypatch.setattr(module, "folding_early", lambda *given: (found.append(given), Recorded())[1])
    return found


def test_folds_begun_early_are_those_that_are_wanted(monkeypatch):
    sets = ("turner2004", "rnass2026", "rnass2026+second")
    expected = fold(LONG, parameter_sets=sets)
    with folding_early([FoldInput(LONG)], sets, processes=1):
        assert len(folding._EARLY) == 2  # one fold of each energies, second folds with the first
        for task in folding._EARLY.values():
            task.result()
        computed = []
        monkeypatch.setattr(folding, "_fold_by_one_set", lambda *given, **_: computed.append(given))
        (found,) = fold_many([LONG], parameter_sets=sets)
    assert not computed
    assert not folding._EARLY
    assert (found.mfe, found.mfe_structure) == (expected.mfe, expected.mfe_structure)
    for one, other in zip(found.bpp, expected.bpp, strict=True):
        assert (one.dense() == other.dense()).all()


def test_other_rnas_and_sets_are_folded_as_ever():
    with folding_early([FoldInput(LONG)], ("turner2004",), processes=1):
        (found,) = fold_many(["GGGAAAUCCC"], parameter_sets=("turner2004",))
        assert found.mfe_structure == fold("GGGAAAUCCC").mfe_structure
        (other,) = fold_many([LONG], parameter_sets=("rnass2026",))
        assert other.names == ("rnass2026",)


def test_few_long_rnas_without_restraints_begin_early(begun, tmp_path):
    fasta = tmp_path / "a.fa"
    fasta.write_text(f">long\n{LONG}\n>short\nGGGAAAUCCC\n")
    with early_folds([str(fasta)], None, OPTIONS | {"plot": "svg"}):
        pass
    ((inputs, sets),) = begun
    assert inputs == [FoldInput(LONG, mfe_bpp=True)]
    assert sets == ("rnass2026", "rnass2026+second")  # as base reads them


@pytest.mark.parametrize(
    "changed",
    [
        {"threads": 1},
        {"thermodynamics": False},
        {"constraints": "c.txt"},
        {"shape": "r.shape"},
        {"resume": True},
        {"weights": "elsewhere.safetensors"},
    ],
    ids=str,
)
def test_nothing_begins_early_where_other_folds_are_wanted(begun, changed):
    with early_folds([], LONG, OPTIONS | changed):
        pass
    assert not begun


@pytest.mark.parametrize("paths", [["absent.fa"], ["-"], []], ids=str)
def test_nothing_begins_early_without_a_small_file(begun, paths):
    with early_folds(paths, None, OPTIONS):
        pass
    assert not begun


def test_torch_is_imported_after_the_first_fold_began():
    code = "import sys, rnass.jobs.early_folds; sys.exit('torch' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
