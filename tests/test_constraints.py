"""Hard constraints: each kind holds in every decoder, or the error says which cannot."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from oracles import brute_force, fits, holds, random_case, required, weight_of

from rnass.config import DecodingConfig
from rnass.decoding import Constraints, decode
from rnass.errors import ConstraintError
from rnass.rna import Rna

DECODERS = ["matching", "nested", "threshknot", "greedy"]
BASES = "GGGGAAAACCCCAAUUCCCCAAAAGGGG"
# Free, the map folds 1-4 with 9-12 and 17-20 with 25-28.
FREE = "((((....))))....((((....))))"


@pytest.fixture
def probabilities():
    p = np.full((28, 28), 0.01)
    for k in range(4):
        p[k, 11 - k] = p[16 + k, 27 - k] = 0.9
    return p


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize(
    "constraints",
    [
        pytest.param(Constraints(unpaired=frozenset({0})), id="unpaired"),
        pytest.param(Constraints(paired=frozenset({4, 5})), id="paired"),
        pytest.param(Constraints(upstream=frozenset({16})), id="upstream"),
        pytest.param(Constraints(downstream=frozenset({8})), id="downstream"),
        pytest.param(Constraints(pairs=frozenset({(0, 19)})), id="pair"),
        pytest.param(Constraints(forbidden=frozenset({(0, 11)})), id="forbidden"),
        pytest.param(Constraints.from_line("x...||..........>..........|"), id="all together"),
    ],
)
def test_each_kind_holds_and_would_fail_if_ignored(probabilities, decoder, constraints):
    options = DecodingConfig(decoder=decoder)
    free = decode(probabilities, BASES, options)
    assert free.dot_bracket == FREE
    assert not holds(free, constraints)
    assert holds(decode(probabilities, BASES, options, constraints=constraints), constraints)


def test_a_line_is_read_symbol_by_symbol():
    found = Constraints.from_line("x|<>(.)..x")
    assert found.unpaired == {0, 9}
    assert found.paired == {1}
    assert found.downstream == {2}
    assert found.upstream == {3}
    assert found.pairs == {(4, 6)}


def test_further_brackets_are_pairs_that_may_cross():
    assert Constraints.from_line("(.[.{.).].}").pairs == {(0, 6), (2, 8), (4, 10)}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("..y.", r"symbol 'y' at base 3; expected one of"),
        ("..[.", r"'\[' at base 3 is never closed; expected a '\]' after it"),
        ("..)(", r"'\)' at base 3 closes nothing"),
        ("(...", r"'\(' at base 1 is never closed"),
    ],
)
def test_a_malformed_line_names_its_place(line, message):
    with pytest.raises(ConstraintError, match=f"rna1: {message}"):
        Constraints.from_line(line, "rna1")


@pytest.mark.parametrize(
    ("constraints", "message"),
    [
        (Constraints.from_line("(......)"), r"bases 1 and 8 \(G-A\) must pair but their letters"),
        (Constraints.from_line("(..)...."), r"bases 1 and 4 \(G-C\) .* lie 2 bases apart; .* 3"),
        (Constraints.from_line("....|..."), r"base 5 \(N\) must pair but no base may be its partner"),
        (Constraints.from_line(">......."), r"base 1 \(G\) must pair but no base"),
        (Constraints.from_line("..|.xxxx"), r"base 3 \(G\) must pair but no base"),
        (
            Constraints(unpaired=frozenset({0}), paired=frozenset({0})),
            "base 1 must be unpaired and pair",
        ),
        (
            Constraints(upstream=frozenset({6}), downstream=frozenset({6})),
            "base 7 must .* before .* after",
        ),
        (Constraints(pairs=frozenset({(0, 5), (0, 6)})), "base 1 must stand in two forced pairs"),
        (Constraints(pairs=frozenset({(0, 6)}), unpaired=frozenset({6})), "base 7 must form the pair"),
        (Constraints(pairs=frozenset({(0, 6)}), upstream=frozenset({0})), "base 1 must form .* before"),
        (Constraints(pairs=frozenset({(0, 6)}), forbidden=frozenset({(0, 6)})), "both form and not"),
        (
            Constraints(pairs=frozenset({(6, 0)})),
            r"pair \(7, 1\); expected two bases, the smaller first",
        ),
        (Constraints(paired=frozenset({8})), "base 9 is out of range; expected 1 to 8"),
        (Constraints(paired=frozenset({0, 2})), "base [13] must pair but cannot beside the other"),
    ],
)
def test_what_cannot_hold_is_named(constraints, message):
    with pytest.raises(ConstraintError, match=message):
        decode(np.zeros((8, 8)), "GAGCNACA", constraints=constraints)


@pytest.mark.parametrize("decoder", ["matching", "nested"])
def test_forced_pairs_that_cross_exceed_order_zero(decoder):
    constraints = Constraints(pairs=frozenset({(0, 11), (8, 27)}))
    options = DecodingConfig(decoder=decoder, max_order=0)
    with pytest.raises(ConstraintError, match="pseudoknot order 1; expected at most 0"):
        decode(np.zeros((28, 28)), BASES, options, constraints=constraints)


def test_bases_that_cannot_pair_within_the_order_are_named():
    """1 and 2 can only pair with 9 and 10, crosswise: impossible without a pseudoknot."""
    constraints = Constraints.from_line("||......||")
    options = DecodingConfig(max_order=0)
    assert decode(np.zeros((10, 10)), "GAAAAAAACU", constraints=constraints).pseudoknot_order == 1
    with pytest.raises(ConstraintError, match="must pair but cannot beside"):
        decode(np.zeros((10, 10)), "GAAAAAAACU", options, constraints=constraints)


@pytest.mark.parametrize("decoder", ["matching", "threshknot"])
def test_a_bounded_order_holds_beside_bases_that_must_pair(decoder):
    """Three mutually crossing pairs, the weakest of them forced: order 1 drops another one."""
    p = np.zeros((18, 18))
    p[0, 9], p[4, 13], p[8, 17] = 0.9, 0.8, 0.7
    options = DecodingConfig(decoder=decoder, max_order=1)
    constraints = Constraints(pairs=frozenset({(8, 17)}))
    found = decode(p, "GAAAGAAAGCAAACAAAC", options, constraints=constraints)
    assert found.pairs.tolist() == [[0, 9], [8, 17]]


@pytest.mark.parametrize("options", [{}, {"exact": True}, {"decoder": "nested"}])
def test_forced_pairs_are_exempt_from_the_minimum_helix(options):
    """A forced lone pair, and a lone pair that stacks on nothing and has to go."""
    p = np.zeros((28, 28))
    p[1, 10] = p[2, 20] = 0.9
    p[3, 19] = 0.8
    config = DecodingConfig(min_helix=2, canonical=False, **options)
    constraints = Constraints(pairs=frozenset({(15, 26)}))
    assert len(decode(p, BASES, config).pairs) == 2
    found = decode(p, BASES, config, constraints=constraints).pairs.tolist()
    assert [15, 26] in found
    assert [1, 10] not in found
    lone = Constraints(pairs=frozenset({(2, 20), (1, 10)}))
    found = decode(p, BASES, replace(config, decoder="matching"), constraints=lone)
    assert found.pairs.tolist() == [[1, 10], [2, 20], [3, 19]]


def test_exact_search_exempts_forced_pairs():
    """The forced pair stacks on a lone pair that the optimum drops: it stays alone, and may."""
    p = np.zeros((40, 40))
    for i, j, value in ((0, 20, 0.7), (10, 32, 0.7), (0, 12, 0.8)):
        for k in range(3):
            p[i + k, j - k] = value
    p[20, 35] = p[32, 38] = 0.99
    constraints = Constraints(pairs=frozenset({(21, 34)}))
    options = DecodingConfig(min_helix=3, canonical=False, exact=True)
    found = decode(p, "A" * 40, options, constraints=constraints)
    assert found.pairs[:, 0].tolist() == [0, 1, 2, 10, 11, 12, 21]


# Mostly free, so that about half of the lines can hold.
LINES = st.lists(st.sampled_from(".........x|<>"), min_size=8, max_size=8).map("".join)


@settings(max_examples=150, deadline=None)
@given(
    line=LINES,
    seed=st.integers(0, 2**32 - 1),
    pair=st.just(None) | st.tuples(st.integers(0, 3), st.integers(4, 7)),
    options=st.sampled_from(
        [
            DecodingConfig(min_hairpin=0, steric=False),
            DecodingConfig(min_hairpin=0, steric=False, objective="accuracy"),
            DecodingConfig(min_hairpin=0, steric=False, canonical=False),
            DecodingConfig(min_hairpin=0, steric=False, decoder="nested"),
            DecodingConfig(min_hairpin=0, steric=False, decoder="nested", min_helix=2),
            DecodingConfig(min_hairpin=0, steric=False, min_helix=2, exact=True),
            DecodingConfig(min_hairpin=0, steric=False, max_order=1, exact=True),
        ]
    ),
)
def test_constrained_optimum_equals_brute_force(line, seed, pair, options):
    bases, p = random_case(np.random.default_rng(seed), 8)
    constraints = Constraints.from_line(line)
    if pair:
        constraints = replace(constraints, pairs=frozenset({pair}))
    expected = brute_force(p, bases, options, constraints)
    if expected is None:
        with pytest.raises(ConstraintError):
            decode(p, bases, options, constraints=constraints)
        return
    found = decode(p, bases, options, constraints=constraints)
    assert holds(found, constraints)
    assert fits(found, options, required(constraints))
    assert weight_of(found, p, options) == pytest.approx(expected, abs=1e-4)


@settings(max_examples=80, deadline=None)
@given(line=LINES, seed=st.integers(0, 2**32 - 1), decoder=st.sampled_from(["threshknot", "greedy"]))
def test_heuristics_hold_to_whatever_can_hold(line, seed, decoder):
    bases, p = random_case(np.random.default_rng(seed), 8)
    constraints, options = (
        Constraints.from_line(line),
        DecodingConfig(min_hairpin=0, steric=False, decoder=decoder),
    )
    assume(brute_force(p, bases, options, constraints) is not None)
    assert holds(decode(p, bases, options, constraints=constraints), constraints)


def test_a_line_of_another_length_is_refused():
    line = Constraints.from_line("((((....))))", "file:2")
    with pytest.raises(ConstraintError, match="file:2: 12 symbols; expected 20, one for each base"):
        Rna("x", "GACCGGAAGGUCCGCCUUCC", constraints=line)
