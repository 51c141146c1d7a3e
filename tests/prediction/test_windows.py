"""Long RNAs in windows, here of some dozens of bases; the oracle is the same RNA predicted whole."""

import logging
import re
from dataclasses import replace

import numpy as np
import pytest
from tiny_weights import tiny_model

from rnass.constraints import Constraints
from rnass.errors import ConfigError, ConstraintError, InputError, SequenceError
from rnass.prediction import limits
from rnass.prediction import predictor as module
from rnass.prediction.pipeline import Cores
from rnass.prediction.predictor import Predictor
from rnass.prediction.restraints import PROBED_MIX
from rnass.prediction.windows import Windows, _duration
from rnass.rna import Rna

HAIRPIN = "GGGGAAAACCCC"
TWO = f"AA{HAIRPIN}{'A' * 60}{HAIRPIN}AA"
FOUND = f"..((((....)))){'.' * 60}((((....)))).."


@pytest.fixture(scope="module")
def predictor():
    return Predictor(tiny_model(), windows=Windows(40, 30))


@pytest.fixture(scope="module")
def whole(predictor):
    """`TWO` predicted whole."""
    return Predictor(predictor.model, baseline=True)(TWO)


@pytest.fixture
def sparse(monkeypatch):
    """Maps of more than 60 bases are sparse."""
    monkeypatch.setattr(limits, "MAX_LENGTH", 60)


def test_starts_of_the_windows():
    windows = Windows(40, 30)
    assert windows.starts(88) == [0, 15, 30, 45, 58]
    assert windows.starts(60) == [0, 15, 30]
    assert windows.starts(41) == [0, 11]


@pytest.mark.parametrize("sizes", [(40, 19), (30, 31), (limits.MAX_LENGTH + 1, 30)])
def test_windows_that_make_no_sense(sizes):
    with pytest.raises(
        ConfigError, match=f"--window {sizes[1]} with --longest-whole {sizes[0]}: expected"
    ):
        Windows(*sizes)


def test_two_far_hairpins_are_found(predictor, whole, sparse, caplog):
    with caplog.at_level(logging.INFO, "rnass"):
        got = predictor(TWO)
    assert got.dot_bracket == FOUND
    assert got.windows == 5
    assert got.probabilities.shape == (88, 88)
    assert got.decoded_map is got.probabilities
    assert (got.probabilities != got.probabilities.T).nnz == 0
    assert whole.dot_bracket == FOUND
    assert got.confidence == pytest.approx(whole.confidence, abs=0.1)
    assert got.sparse
    assert np.isnan(got.thermodynamics.mfe)
    assert got.to_dict()["mfe_kcal_mol"] is None
    assert got.to_dict()["pairs"][0][:2] == [2, 13]
    assert "88 bases in 5 windows of 30" in caplog.text
    assert "5 of 5 windows" in caplog.text


def test_up_to_a_length_everything_is_there_of_a_whole_rna_too(predictor, whole, monkeypatch, sparse):
    options = {"windows": Windows(40, 30), "baseline": True}
    gone = Predictor(predictor.model, **options)(TWO)
    monkeypatch.setattr(limits, "MAX_LENGTH", 88)
    got = Predictor(predictor.model, **options)(TWO)
    assert got.windows == 5
    assert isinstance(got.probabilities, np.ndarray)
    assert np.array_equal(got.probabilities, gone.probabilities.toarray())
    assert got.decoded_map is got.probabilities
    assert got.dot_bracket == gone.dot_bracket == FOUND
    assert list(got.maps) == [".npy"]
    for name in ("mfe_structure", "mea", "centroid"):
        ours, theirs = (getattr(one.thermodynamics, name) for one in (got, whole))
        assert ours.dot_bracket == theirs.dot_bracket
    assert got.to_dict()["mfe_kcal_mol"] == whole.thermodynamics.mfe
    assert got.alternatives(3)[0].structure.dot_bracket == FOUND
    assert gone.to_dict()["mfe_kcal_mol"] is None


def test_the_mfe_is_that_under_the_restraints(predictor):
    given = Constraints(unpaired=frozenset({2}))
    got = predictor(Rna("x", TWO, constraints=given, reactivities=(0.5,) * 88))
    whole = Predictor(predictor.model)(got.rna)
    assert got.windows == 5
    assert got.decoded_map is not got.probabilities
    assert isinstance(got.decoded_map, np.ndarray)
    assert got.thermodynamics.mfe == whole.thermodynamics.mfe
    assert got.thermodynamics.mfe_structure.partners[2] == -1


def test_the_mfe_of_a_long_rna_needs_no_partition_function(predictor, monkeypatch):
    """Also where ViennaRNA's probabilities, of each window, are mixed in."""
    folded = []
    real = module.fold_many

    def note(inputs, **options):
        inputs = list(inputs)
        folded.extend((len(one.bases), one.mfe_bpp, options["parameter_sets"]) for one in inputs)
        return real(inputs, **options)

    monkeypatch.setattr(module, "fold_many", note)
    mixed = Predictor(predictor.model, windows=Windows(40, 30), thermodynamics=False, mix=0.5)
    assert mixed(TWO).windows == 5
    assert folded == [(30, True, ())] * 5 + [(88, False, ())]


def test_of_windows_nothing_is_folded_that_only_whole_rnas_have(predictor):
    both = Predictor(predictor.model, baseline=True)
    both.mfe_probabilities = True
    (part,) = both.fold_windows([Rna("x", HAIRPIN)])
    (one,) = both.fold([Rna("x", HAIRPIN)])
    assert part.mea is None
    assert one.mea is not None
    assert [a.dense().tolist() for a in part.bpp] == [a.dense().tolist() for a in one.bpp]


def test_the_time_of_a_window_is_measured_in_the_first_rna(caplog):
    predictor = Predictor(tiny_model(), windows=Windows(40, 30))
    caplog.set_level(logging.INFO, "rnass")
    predictor(Rna("a", TWO))
    assert "a: 88 bases in 5 windows of 30, some 1.5 GiB of memory, time is known after" in caplog.text
    assert re.search(r"a: 1 of 5 windows, at most \d+ s left", caplog.text)
    predictor._pace = 30.0  # as if each took so long
    predictor(Rna("b", TWO))
    assert "b: 88 bases in 5 windows of 30, some 1.5 GiB of memory, some 2 min" in caplog.text
    assert predictor._pace < 30


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (99, "99 s"), (100, "2 min"), (5000, "83 min"), (9000, "2.5 h")]
)
def test_durations_are_for_people(seconds, text):
    assert _duration(seconds) == text


def test_the_work_of_several_long_rnas_is_summed():
    windows = Windows(40, 30)
    assert windows.outlook([Rna("a", TWO), Rna("b", HAIRPIN)]) == ""
    assert windows.outlook([Rna("a", TWO), Rna("b", "A" * 41), Rna("c", HAIRPIN)]) == (
        "2 RNAs of more than 40 bases: 7 windows of 30 in all, 1.5 GiB of memory or more for the longest"
    )


def test_windows_side_by_side_take_more_memory():
    one, sixteen = Cores(), Cores(16, 16)
    assert one.pairs_at_once(1000) == 1_000_000
    assert Cores(2, 2).pairs_at_once(1000) == 1_000_000
    assert sixteen.pairs_at_once(1000) == 6_000_000  # some 17 batches of 400,000
    assert sixteen.pairs_at_once(300) == 16 * 400_000
    alone = limits.memory_of_windows(10_000, 1000, one.pairs_at_once(1000))
    assert limits.memory_of_windows(10_000, 1000, sixteen.pairs_at_once(1000)) == alone + 5
    assert limits.memory_of_windows(10_000, 1000) == alone


def test_a_notebook_shows_no_drawing_of_a_sparse_map(predictor, sparse):
    shown = predictor(TWO)._repr_html_()
    assert FOUND in shown
    assert "<svg" not in shown


def test_long_and_short_ones_keep_their_numbers(predictor):
    bases = [HAIRPIN, TWO, "GGC", HAIRPIN, TWO, TWO, "A" * 20]
    rows = sorted(predictor.predict(Rna(str(k), b) for k, b in enumerate(bases)), key=lambda r: r.number)
    assert [row.rna.bases for row in rows] == bases
    assert [row.number for row in rows] == list(range(7))
    assert [row.prediction.windows for row in rows] == [1, 5, 1, 1, 5, 5, 1]
    assert [row.prediction.rna.id for row in rows] == list("0123456")


def test_no_pair_spans_more_than_a_window(predictor):
    rna = f"GGGGGGGG{'A' * 40}CCCCCCCC"
    assert Predictor(predictor.model)(rna).structure.pairs.size
    assert not predictor(rna).structure.pairs.size


def test_constraints_hold_in_windows_and_between_them(predictor):
    """The pair of bases 14 and 41 spans 28, and lies in no window: 15 to 44 begins after its first."""
    bases = f"{'A' * 13}{'G'}{'A' * 26}{'C'}{'A' * 10}{HAIRPIN}{'A' * 9}"
    given = Constraints(pairs=frozenset({(13, 40)}), unpaired=frozenset({51}))
    got = predictor(Rna("x", bases, constraints=given))
    assert got.structure.partners[13] == 40
    assert got.structure.partners[51] == -1
    assert got.structure.partners[53] >= 58
    must = predictor(Rna("x", bases, constraints=Constraints(paired=frozenset({13}))))
    assert must.structure.partners[13] >= 0


def test_a_constraint_line_holds_in_windows(predictor):
    line = "x" * 20 + "." * (len(TWO) - 20)
    constrained = Rna("x", TWO, constraints=Constraints.from_line(line))
    assert (predictor(constrained).structure.partners[:20] < 0).all()


def test_constraints_are_folded_with_the_window(predictor, monkeypatch):
    seen = []
    real = module.fold_input

    def note(rna, **options):
        seen.append((rna.bases, rna.constraints, rna.reactivities))
        return real(rna, **options)

    monkeypatch.setattr(module, "fold_input", note)
    given = Constraints(
        pairs=frozenset({(2, 13), (74, 85)}), forbidden=frozenset({(17, 26)}), unpaired=frozenset({31})
    )
    values = tuple(np.linspace(0, 1, 88).tolist())
    got = predictor(Rna("x", TWO, constraints=given, reactivities=values))
    assert got.decoded_map is not got.probabilities
    firsts = [0, 15, 30, 45, 58]
    assert [bases for bases, _, _ in seen[:5]] == [TWO[first : first + 30] for first in firsts]
    assert [known for _, _, known in seen[:5]] == [values[first : first + 30] for first in firsts]
    assert seen[5:] == [(TWO, given, values)]  # for the MFE
    assert seen[0][1].pairs == {(2, 13)}
    assert seen[1][1].forbidden == {(2, 11)}
    assert seen[1][1].unpaired == {16}
    assert seen[3][1].unpaired == {29}  # base 75 is to pair with 86, which is outside
    assert seen[4][1].pairs == {(16, 27)}


def test_reactivities_shift_the_map(predictor):
    open_ = predictor(Rna("x", TWO, reactivities=(3.0,) * 44 + (0.0,) * 44))
    assert not open_.structure.pairs[:, 0].min() < 44
    assert open_.decoded_map[2, 13] < open_.decoded_map[74, 85]


def test_evidence_in_one_window_leaves_the_others_as_they_are(predictor):
    plain = predictor(TWO)
    one = predictor(Rna("x", TWO, supported=frozenset({(2, 13)})))
    assert one.decoded_map is not one.probabilities
    np.testing.assert_array_equal(one.probabilities, plain.probabilities)
    np.testing.assert_allclose(one.decoded_map[30:, 30:], plain.probabilities[30:, 30:], atol=1e-6)
    assert one.decoded_map[2, 13] > plain.probabilities[2, 13]
    last = predictor(Rna("x", TWO, supported=frozenset({(74, 85)})))
    np.testing.assert_allclose(last.decoded_map[:58, :58], plain.probabilities[:58, :58], atol=1e-6)


def test_windows_without_reactivities_have_the_mix_of_their_rna(predictor, monkeypatch):
    seen = []
    real = module.restrained_map
    monkeypatch.setattr(module, "restrained_map", lambda *rest: seen.append(rest[3]) or real(*rest))
    predictor(Rna("x", TWO, reactivities=(3.0,) * 10 + (np.nan,) * 78))
    assert seen == [PROBED_MIX] * 5


def test_every_kind_of_figure_is_drawn_of_a_sparse_map(predictor, sparse):
    got = predictor(TWO)
    assert all(got.draw(kind) for kind in ("arcs", "drawing"))
    cells = np.asarray(got.draw("map").get_images()[0].get_array())
    assert np.array_equal(np.triu(cells, 1), np.triu(got.decoded_map.toarray(), 1).astype(np.float32))
    assert np.argwhere(np.tril(cells)).tolist() == sorted(got.structure.pairs[:, ::-1].tolist())


def test_what_cannot_be_done_in_windows_is_refused(predictor, monkeypatch, sparse):
    far = Rna("x", TWO, constraints=Constraints(pairs=frozenset({(2, 85)}), where="file:3"))
    with pytest.raises(ConstraintError, match=r"file:3: bases 3 and 86 must pair; .* at most 30"):
        predictor(far)
    with pytest.raises(SequenceError, match=r"two strands of 88 bases together; .* at most 60"):
        predictor(Rna("x", TWO, nick=30))
    got = predictor(TWO)
    with pytest.raises(InputError, match="suboptimal structures of 88 bases; expected at most 60"):
        got.alternatives(2)
    monkeypatch.setattr(type(predictor.model.backbone), "max_bases", 29)
    with pytest.raises(SequenceError, match="reads no windows of 30 bases"):
        predictor(TWO)


def test_a_forced_pair_over_the_allowed_span_is_refused_before_anything_is_folded(
    predictor, monkeypatch
):
    narrow = Predictor(
        predictor.model, windows=Windows(40, 30), decoding=replace(predictor.decoding, max_span=12)
    )
    monkeypatch.setattr(module, "fold_input", None)
    for bases in (TWO, TWO[:18]):  # in windows, whole
        far = Rna("x", bases, constraints=Constraints(pairs=frozenset({(2, 14)}), where="file:3"))
        with pytest.raises(ConstraintError, match=r"file:3: bases 3 and 15 must pair; .* at most 12"):
            narrow(far)


def test_what_windows_cannot_hold_is_predicted_whole_up_to_a_length(predictor, monkeypatch):
    far = Rna("far", TWO, constraints=Constraints(pairs=frozenset({(2, 85)})))
    duplex = Rna("duplex", TWO, nick=44)
    rows = list(predictor.predict([far, Rna("x", TWO), duplex]))
    assert [row.prediction.windows for row in rows] == [1, 5, 1]
    assert rows[0].prediction.structure.partners[2] == 85
    far_whole, duplex_whole = predictor.windows.exceptions(
        [far, Rna("x", TWO), duplex], predictor.model.backbone
    )
    assert far_whole.startswith("far: predicted whole, not in windows (")
    assert "bases 3 and 86 must pair" in far_whole
    assert "duplex: two strands" in duplex_whole
    monkeypatch.setattr(type(predictor.model.backbone), "max_bases", 29)
    with pytest.raises(SequenceError, match="88 bases; expected at most 29, all that the backbone"):
        predictor(TWO)


def test_an_rna_that_takes_more_memory_than_there_is_is_refused(predictor, monkeypatch):
    monkeypatch.setattr(limits, "_memory_there", lambda: 1.55)
    with pytest.raises(SequenceError, match=r"50000000 bases take some .* GiB .* at most 1\.6, all"):
        predictor(Rna("x", "A" * 50_000_000))
    whole = Predictor(predictor.model)
    with pytest.raises(SequenceError, match=r"400 bases take some 1\.6 GiB"):
        whole(Rna("x", "A" * 400))


def test_windows_are_off_or_limited_on_demand(predictor, monkeypatch):
    monkeypatch.setattr(limits, "MAX_LENGTH", 50)
    for windows in (None, Windows(40, 30, most=50)):
        one = Predictor(predictor.model, windows=windows)
        assert one(TWO[:50]).windows == (3 if windows else 1)
        with pytest.raises(SequenceError, match="88 bases; expected at most 50"):
            one(TWO)


def test_a_window_that_fails_is_the_records_error_alone(predictor, monkeypatch):
    real = predictor.read

    def refuse(rnas, folded):
        if any("GGGGAAAACCCCAA" in rna.bases for rna in rnas):
            raise SequenceError("sequence: no")
        return real(rnas, folded)

    monkeypatch.setattr(predictor, "read", refuse)
    rows = list(predictor.predict([Rna("a", TWO), Rna("b", "A" * 50)]))
    assert [row.error is None for row in rows] == [False, True]
    assert "no" in str(rows[0].error)
