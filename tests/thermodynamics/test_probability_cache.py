"""Base-pair probabilities on disk. The oracle is ViennaRNA itself."""

import multiprocessing
import random

import numpy as np
import pytest
import RNA

from rnass.rna import BPP_CUTOFF
from rnass.thermodynamics import parameter_sets, probability_cache
from rnass.thermodynamics.folding import base_pair_probabilities
from rnass.thermodynamics.probability_cache import ProbabilityCache, cached_probabilities

RNAS = ["GGGGAAAACCCC", "A", "GCGCUUCGGCGCAAAGGCUUCGGCC", "AAAA"]


def by_viennarna(bases):
    """Base-pair probabilities from ViennaRNA itself, as they are kept: float16, from the cutoff on."""
    compound = RNA.fold_compound(bases)
    compound.exp_params_rescale(compound.mfe()[1])
    compound.pf()
    upper = np.array(compound.bpp())[1:, 1:]
    upper[upper < BPP_CUTOFF] = 0
    return (upper + upper.T).astype(np.float16)


@pytest.fixture
def folded(monkeypatch):
    """The RNAs that were folded, in their order."""
    found = []
    really = probability_cache.base_pair_probabilities_of_many
    monkeypatch.setattr(
        probability_cache,
        "base_pair_probabilities_of_many",
        lambda rnas, *rest, **more: really(found.extend(rnas) or rnas, *rest, **more),
    )
    return found


def test_probabilities_are_those_of_viennarna_before_and_after_a_file(tmp_path):
    computed = ProbabilityCache.compute(RNAS, "turner2004")
    computed.save(tmp_path / "new" / "kept.npz")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["kept.npz"]
    loaded = ProbabilityCache.load(tmp_path / "new" / "kept.npz")
    for bases in RNAS:
        for kept in (computed, loaded):
            np.testing.assert_array_equal(kept.dense(bases), by_viennarna(bases))


def test_each_rna_is_folded_once_by_each_set(tmp_path, folded):
    computed = cached_probabilities(RNAS, "turner2004", tmp_path, "x")
    kept = cached_probabilities(RNAS[::-1] * 2, "turner2004", tmp_path, "x")
    for bases in RNAS:
        np.testing.assert_array_equal(kept.dense(bases), computed.dense(bases))
    assert sorted(folded) == sorted(RNAS)
    cached_probabilities(RNAS, "andronescu2007", tmp_path, "x")
    assert sorted(folded) == sorted(RNAS * 2)


def fill(rnas, folder):
    cached_probabilities(rnas, "turner2004", folder, "x")


def test_several_processes_lose_nothing(tmp_path, folded):
    draw = random.Random(1)
    rnas = ["".join(draw.choices("ACGU", k=60)) for _ in range(40)]
    context = multiprocessing.get_context("forkserver")
    parts = [rnas[k : k + 20] for k in (0, 10, 20)]
    processes = [context.Process(target=fill, args=(part, tmp_path)) for part in parts]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    cached_probabilities(rnas, "turner2004", tmp_path, "x")
    assert folded == []


def test_the_cache_grows_by_what_it_lacks(tmp_path, folded):
    cached_probabilities([RNAS[0], RNAS[3]], "turner2004", tmp_path, "x")
    folded.clear()
    kept = cached_probabilities(RNAS, "turner2004", tmp_path, "x")
    assert sorted(folded) == sorted(RNAS[1:3])
    for bases in RNAS:
        np.testing.assert_array_equal(kept.dense(bases), by_viennarna(bases))


@pytest.mark.parametrize("left", [0, 3, 200, -40])
def test_a_damaged_file_is_made_again(tmp_path, folded, left):
    cached_probabilities(RNAS, "turner2004", tmp_path, "x")
    (kept,) = tmp_path.glob("*.npz")
    kept.write_bytes(kept.read_bytes()[:left])
    folded.clear()
    again = cached_probabilities(RNAS, "turner2004", tmp_path, "x")
    assert sorted(folded) == sorted(RNAS)
    np.testing.assert_array_equal(again.dense(RNAS[0]), by_viennarna(RNAS[0]))
    folded.clear()
    cached_probabilities(RNAS, "turner2004", tmp_path, "x")
    assert folded == []


def test_a_set_of_the_same_name_with_other_energies_is_folded_again(tmp_path, folded, monkeypatch):
    hairpin = RNAS[0]
    before = cached_probabilities([hairpin], "rnass2026", tmp_path, "x").dense(hairpin)
    monkeypatch.setitem(
        parameter_sets.PARAMETER_SETS, "rnass2026", parameter_sets.PARAMETER_SETS["andronescu2007"]
    )
    parameter_sets.parameter_text.cache_clear()
    parameter_sets.scaled.cache_clear()
    after = cached_probabilities([hairpin], "rnass2026", tmp_path, "x").dense(hairpin)
    assert folded == [hairpin, hairpin]
    np.testing.assert_array_equal(after, base_pair_probabilities(hairpin, "andronescu2007").dense())
    assert np.abs(after - before).max() > 0.01
    monkeypatch.undo()
    parameter_sets.parameter_text.cache_clear()
    parameter_sets.scaled.cache_clear()


def test_a_second_fold_is_kept_apart(tmp_path):
    bases = "GGGGAAAACCCCAAAGGCUUCGGCC"
    for name in ("turner2004", "turner2004+second"):
        kept = cached_probabilities([bases], name, tmp_path, "x").dense(bases)
        np.testing.assert_array_equal(kept, base_pair_probabilities(bases, name).dense())
