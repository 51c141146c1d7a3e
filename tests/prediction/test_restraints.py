"""Restraints from files to their records; which constraints reach ViennaRNA, and as what."""

import math
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from rnass.constraints import Constraints
from rnass.errors import ConstraintError, InputError
from rnass.io import ConSections
from rnass.jobs.journal import record_key
from rnass.prediction.restraints import (
    RestraintOptions,
    build_constraints,
    forbidden_canonical,
    normalise_reactivities,
    restrained_map,
    vienna_constraint,
)
from rnass.rna import Rna

HAIRPIN = Rna("hp", "GGGGAAAACCCC")
DIMER = Rna.from_text("GGGG&CCCC", "two")


def restrain(rnas, bad=(), **options):
    return RestraintOptions(**options).restrain(rnas, bad)


def of(tmp_path, text, *sequences, name="c.txt", option="constraints", **options):
    (tmp_path / name).write_text(text)
    return restrain(sequences or [HAIRPIN], **{option: tmp_path / name}, **options)


def test_a_line_for_each_record(tmp_path):
    other = Rna("other", "GGGGAAAACCCC")
    found, nothing = of(tmp_path, ">hp\nx...........\n", HAIRPIN, other)
    assert found.constraints.unpaired == {0}
    assert nothing is other


def test_a_file_without_header_is_for_the_only_record_or_the_one_of_its_name(tmp_path):
    assert of(tmp_path, "x...........\n")[0].constraints.unpaired == {0}
    other = Rna("other", "GGGG")
    assert of(tmp_path, "x...\n", HAIRPIN, other, name="other.txt")[1].constraints.unpaired == {0}
    with pytest.raises(InputError, match=r"c\.txt:1: no record is called 'c'"):
        of(tmp_path, "x...\n", HAIRPIN, other)


def test_records_of_one_id_take_the_blocks_in_their_order(tmp_path):
    first, second = of(tmp_path, ">hp\nx...........\n>hp\n.x..........\n", HAIRPIN, HAIRPIN)
    assert (first.constraints.unpaired, second.constraints.unpaired) == ({0}, {1})


def test_what_is_for_no_record_is_refused_unless_the_record_was_bad(tmp_path):
    (tmp_path / "c.txt").write_text(">lost\nx...\n")
    with pytest.raises(InputError, match="no record is called 'lost'; expected the id of one"):
        restrain([HAIRPIN], constraints=tmp_path / "c.txt")
    assert restrain([HAIRPIN], constraints=tmp_path / "c.txt", bad=["lost"]) == [HAIRPIN]
    (tmp_path / "hp.con").write_text("SS:\n1\n-1\n")
    (tmp_path / "c.txt").write_text(">hp\nx...........\n")
    with pytest.raises(InputError, match=r"a second restraint on record 'hp', after .*c\.txt"):
        restrain([HAIRPIN], constraints=tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x..\n", "c.txt:1: 3 symbols; expected 12"),
        ("GGGGAAAACCCG\nx...........\n", "c.txt:2: the RNA above the line is not that"),
        ("(...........\n", "c.txt:1: '(' at base 1 is never closed"),
        ("x...y.......\n", "c.txt:1: symbol 'y' at base 5; expected one of . x | < > ( ) [ ] { }"),
        ("DS:\n13\n-1\n", "c.txt (hp): base 13 is out of range; expected 1 to 12"),
        ("DS:\n1\n-1\nSS:\n1\n-1\n", "c.txt (hp): base 1 must be unpaired and pair"),
        ("Pairs:\n1 12\n1 11\n-1 -1\n", "c.txt (hp): base 1 must stand in two forced pairs"),
        ("Mod:\n5\n-1\n", "c.txt (hp): 1 base under Mod, a section that cannot be enforced"),
        ("FMN:\n5\n-1\n", "c.txt (hp): base 5 (A) under FMN; expected a U"),
    ],
)
def test_constraints_that_do_not_fit_spoil_their_record_alone(tmp_path, text, message):
    (problem,) = of(tmp_path, text)
    assert isinstance(problem, ConstraintError)
    assert message in str(problem)
    assert problem.record == "hp"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("13 0.5\n", "s.shape: base 13 is out of range; expected 1 to 12"),
        (
            "RDAT_VERSION 0.34\nNAME x\nSEQUENCE GG\nSEQPOS 1 2\nREACTIVITY:1 0 0\n",
            "s.shape:2 (x): 2 bases, another RNA was probed; expected 12, as in hp",
        ),
    ],
)
def test_reactivities_that_do_not_fit(tmp_path, text, message):
    (problem,) = of(tmp_path, text, name="s.shape", option="shape")
    assert isinstance(problem, InputError)
    assert message in str(problem)


RDAT = "NAME {}\nSEQUENCE GGGGAAAACCCC\nSEQPOS 1 2\nREACTIVITY:1 0 {}\n"


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("shape", ">hp\n1 0.5\n2 high\n>two\n1 0.5\n", "f:3 (hp): reactivity 'high'"),
        ("shape", ">hp\n>two\n1 0.5\n", "f (hp): no reactivities"),
        ("shape", f"RDAT_VERSION 1\n{RDAT.format('hp', '?')}{RDAT.format('two', 0)}", "f:5: reactivity"),
        (
            "constraints",
            ">hp\nx...........\n....\n>two\nx...........\n",
            "f:3 (hp): a second constraint",
        ),
        ("constraints", ">hp\nGGZG\nx...\n>two\nx...........\n", "f:2 (hp): letter 'Z'"),
    ],
)
def test_an_entry_that_cannot_be_read_spoils_its_record_alone(tmp_path, option, text, message):
    two = replace(HAIRPIN, id="two")
    problem, found = of(tmp_path, text, HAIRPIN, two, name="f", option=option)
    assert isinstance(problem, InputError)
    assert (message in str(problem), problem.record) == (True, "hp")
    assert found.id == "two"
    assert found != two
    with pytest.raises(InputError) as error:  # whose it is nobody knows
        of(tmp_path, text, two, name="f", option=option)
    assert message in str(error.value)
    assert isinstance(restrain([two], ["hp"], **{option: tmp_path / "f"})[0], Rna)


@pytest.mark.parametrize(
    ("option", "bad", "good"), [("shape", b"1 ?", "1 0.5"), ("constraints", b"\xff\xfe", "x...........")]
)
def test_a_bad_file_of_a_folder_spoils_its_record_alone(tmp_path, option, bad, good):
    (tmp_path / "hp.txt").write_bytes(bad)
    (tmp_path / "two.txt").write_text(good)
    two = replace(HAIRPIN, id="two")
    problem, found = restrain([HAIRPIN, two], **{option: tmp_path})
    assert isinstance(problem, InputError)
    assert "hp.txt" in str(problem)
    assert found != two
    with pytest.raises(InputError, match=r"hp\.txt"):
        restrain([HAIRPIN], **{option: tmp_path / "hp.txt"})


def test_reactivities_that_are_left_out_are_missing(tmp_path):
    (tmp_path / "s.shape").write_text("2 0.5\n3 -0.2\n4 -999\n")
    (found,) = restrain([HAIRPIN], shape=tmp_path / "s.shape", shape_method="deigan")
    assert found.reactivities[1:3] == (0.5, 0.0)
    assert all(math.isnan(value) for value in found.reactivities[:1] + found.reactivities[3:])


def test_of_dms_only_a_and_c_are_read(tmp_path):
    (tmp_path / "x.shape").write_text("".join(f"{base} 0.5\n" for base in range(1, 6)))
    sequence = Rna("x", "ACGUN")
    probed = {"shape": tmp_path / "x.shape", "shape_method": "deigan"}
    (found,) = restrain([sequence], modifier="DMS", **probed)
    assert found.reactivities[:2] == (0.5, 0.5)
    assert all(math.isnan(value) for value in found.reactivities[2:])


def test_fmn_is_a_u_in_a_gu_pair():
    sequence = Rna("x", "GAAAAUA")
    found = build_constraints(ConSections("x", "x.con", cleaved=frozenset({5})), sequence)
    assert found.paired == {5}
    every = np.argwhere(np.triu(np.ones((7, 7)), 1))
    barred = every[~found.permits(every, 7)]
    assert barred.tolist() == [[1, 5], [2, 5], [3, 5], [4, 5], [5, 6]]
    assert forbidden_canonical(found, sequence.bases) == {(1, 5), (2, 5), (3, 5), (4, 5), (5, 6)}


def test_fmn_and_a_pair_with_another_base_contradict_each_other():
    found = build_constraints(
        ConSections("x", "x.con", cleaved=frozenset({5}), pairs=frozenset({(1, 5)})), Rna("x", "GAAAAUA")
    )
    with pytest.raises(ConstraintError, match=r"both form and not form the pair \(2, 6\)"):
        found.check(7)
    kept = build_constraints(
        ConSections("x", "x.con", cleaved=frozenset({5}), pairs=frozenset({(0, 5)})), Rna("x", "GAAAAUA")
    )
    kept.check(7)


def test_fmn_at_two_thousand_bases_takes_memory_by_bases_and_not_by_pairs():
    bases = "U" * 2000
    tracemalloc.start()
    found = build_constraints(ConSections("x", "x.con", cleaved=frozenset(range(2000))), Rna("x", bases))
    assert record_key(Rna("x", bases, constraints=found))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
    assert forbidden_canonical(found, bases) == frozenset()


@pytest.mark.parametrize(
    ("line", "sequence", "expected"),
    [
        ("............", HAIRPIN, None),
        ("x|..<.>.(..)", Rna("y", "GGGGAAAAGAAAAC"[:8] + "GAAC"), "x|..<.>.x..x"),  # too tight
        ("(x........x)", HAIRPIN, "(x........x)"),
        ("....(......)", HAIRPIN, "....x......x"),  # A-C is no pair in ViennaRNA's model
        ("...(&)...", DIMER, "...()..."),  # no hairpin across the nick
    ],
)
def test_what_vienna_is_told(line, sequence, expected):
    restrained = replace(sequence, constraints=Constraints.from_line(line.replace("&", "")))
    assert vienna_constraint(restrained) == expected


def test_of_crossing_forced_pairs_vienna_is_told_a_nested_set():
    sequence = Rna("k", "GGAAGGAACCAACC")
    crossing = frozenset({(0, 9), (1, 8), (4, 13)})
    restrained = replace(sequence, constraints=Constraints(pairs=crossing))
    assert vienna_constraint(restrained) == "((..x...))...x"


def test_mixing_and_reactivities_move_the_map():
    p = np.full((12, 12), 0.03, dtype=np.float32)
    q = np.full((12, 12), 0.08, dtype=np.float32)
    assert restrained_map(p, None) is p
    mixed = restrained_map(p, None, bpp=q, mix=0.5)
    assert np.all((mixed > p) & (mixed < q))
    np.testing.assert_allclose(restrained_map(p, None, bpp=q, mix=1.0), q, atol=1e-5)
    values = (3.0, *[math.nan] * 11)
    found = restrained_map(p, values)
    assert found[0, 5] < 0.01
    assert found[0, 5] < found[1, 4] < 0.03  # stacked on it
    np.testing.assert_allclose(found[3:, 3:], p[3:, 3:], rtol=0.15)


def test_ten_thousand_records_of_one_id_are_told_apart_in_linear_time():
    """Each id is counted once: of n records the ids are read a small number of times, not n."""

    class Counted(str):
        looks = 0

        def __eq__(self, other):
            Counted.looks += 1
            return str.__eq__(self, other)

        __hash__ = str.__hash__

    rnas = [Rna(Counted("x"), "GGGG") for _ in range(2000)]
    assert restrain(rnas) == rnas
    assert Counted.looks < 50 * len(rnas)


def test_normalisation_is_the_two_to_eight_percent_rule():
    """By hand: of 100 values 1 ... 100 two are outliers, and the mean of the next eight is 94.5."""
    values = np.arange(1.0, 101.0)
    np.testing.assert_allclose(normalise_reactivities(values), values / 94.5)
    scattered = np.random.default_rng(0).permutation(np.append(values, [math.nan] * 30))
    np.testing.assert_allclose(normalise_reactivities(scattered), scattered / 94.5)
    few = np.array([0.0, 10.0, 20.0])
    np.testing.assert_allclose(normalise_reactivities(few), few / 10)
    for nothing in (np.zeros(5), np.full(5, math.nan)):
        np.testing.assert_array_equal(normalise_reactivities(nothing), nothing)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("value", [0.0, -0.5])
def test_reactivities_that_show_nothing_are_refused(tmp_path, value, normalise):
    """Else every base would count as evidence for its pair."""
    text = "".join(f"{k} {value}\n" for k in range(1, 41))
    options = {"name": "x.shape", "option": "shape", "normalize_reactivities": normalise}
    (problem,) = of(tmp_path, text, Rna("x", "ACGU" * 10), **options)
    assert "no reactivity above 0; expected those of reactive bases near 1" in str(problem)


@pytest.mark.parametrize("scale", [20, 800, 0.01])
def test_reactivities_of_another_scale_are_refused_unless_normalised(tmp_path, scale):
    rng = np.random.default_rng(1)
    rna = Rna("x", "ACGU" * 10)
    raw = rng.exponential(0.3, 40)
    text = "".join(f"{k} {value * scale:.6f}\n" for k, value in enumerate(raw, start=1))
    (problem,) = of(tmp_path, text, rna, name="x.shape", option="shape")
    assert isinstance(problem, InputError)
    assert "the 90th percentile of the reactivities is" in str(problem)
    assert "--normalize-reactivities makes them so" in str(problem)
    assert problem.record == "x"
    probed = {"shape": tmp_path / "x.shape", "shape_method": "deigan"}
    (found,) = restrain([rna], normalize_reactivities=True, **probed)
    np.testing.assert_allclose(found.reactivities, normalise_reactivities(raw), atol=1e-3)
    (normalised,) = of(
        tmp_path,
        "".join(f"{k} {value:.6f}\n" for k, value in enumerate(found.reactivities, start=1)),
        rna,
        name="x.shape",
        option="shape",
    )
    assert isinstance(normalised, Rna)


@pytest.mark.parametrize(
    ("text", "fits"), [("1 G 0.5\n2 G 0.5\n", True), ("1 G 0.5\n2 A 0.5\n", False), ("5 A 1\n", True)]
)
def test_letters_beside_reactivities_are_those_of_the_record(tmp_path, text, fits):
    (known,) = of(tmp_path, text, name="s.shape", option="shape")
    assert isinstance(known, Rna) == fits
    if not fits:
        assert "A at base 2, another RNA was probed; expected G, as in hp" in str(known)
