"""The decoders: exact against brute force and networkx, and the invariants that hold for all of them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import brute_force, fits, networkx_weight, random_case, weight_of
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from rnass.config import DecodingConfig, from_mapping
from rnass.decoding import Constraints, allowed_pairs, decode, helices, helix_lengths
from rnass.decoding.candidates import candidate_graph
from rnass.decoding.matching import maximum_weight_matching
from rnass.decoding.partners import partner_probabilities
from rnass.decoding.steric import impossible_crossings
from rnass.errors import ConfigError, InputError, SequenceError
from rnass.structure import Structure

LOOSE = DecodingConfig(min_hairpin=0, threshold=0.3, steric=False)


def each_small_case(letters="ACGU", count=25, lengths=(5, 6, 7, 8, 9)):
    rng = np.random.default_rng(7)
    for k in range(count):
        yield random_case(rng, lengths[k % len(lengths)], letters)


def assert_optimal(probabilities, bases, options, nick=None):
    found = decode(probabilities, bases, options, nick=nick)
    expected = brute_force(probabilities, bases, options, nick=nick)
    assert fits(found, options)
    assert weight_of(found, probabilities, options) == pytest.approx(expected, abs=1e-5)


def test_allowed_pairs_are_the_six_canonical_ones():
    bases = "ACGUN"
    found = {bases[i] + bases[j] for i, j in np.argwhere(allowed_pairs(bases, min_hairpin=0))}
    assert found == {"AU", "CG", "GU"}


def test_allowed_pairs_noncanonical_leave_out_unknown_bases():
    allowed = allowed_pairs("ACGUN", canonical=False, min_hairpin=0)
    assert allowed[:4, :4].sum() == 6
    assert not allowed[:, 4].any()


def test_allowed_pairs_let_unknown_bases_pair_when_asked():
    assert allowed_pairs("NAAAAN", pair_unknown=True)[0].tolist() == [False] * 4 + [True, True]


@pytest.mark.parametrize("min_hairpin", [0, 1, 3, 5])
def test_allowed_pairs_enclose_the_minimum_hairpin(min_hairpin):
    i, j = np.nonzero(allowed_pairs("GC" * 8, min_hairpin=min_hairpin))
    assert (j - i).min() == min_hairpin + 1 + min_hairpin % 2  # G-C lie at odd distances


def test_allowed_pairs_span_counts_both_ends():
    for span in (7, 8):
        i, j = np.nonzero(allowed_pairs("GC" * 8, canonical=False, max_span=span))
        assert (j - i + 1).max() == span


def test_allowed_pairs_ignore_hairpin_and_span_across_the_nick():
    allowed = allowed_pairs("GGCC", nick=2, max_span=1)
    assert allowed[1, 2]
    assert allowed[0, 3]
    assert not allowed_pairs("GGCC").any()


def test_allowed_pairs_refuse_other_letters():
    with pytest.raises(SequenceError, match="letter 'X' at base 2"):
        allowed_pairs("AXG")


@pytest.mark.parametrize("objective", ["log_odds", "accuracy"])
def test_matching_equals_brute_force_with_canonical_pairs(objective):
    for bases, p in each_small_case():
        assert_optimal(p, bases, replace(LOOSE, objective=objective))


def test_matching_equals_brute_force_against_unpaired_bases():
    options = replace(LOOSE, objective="unpaired_odds", threshold=0.2)
    for bases, p in each_small_case():
        allowed = allowed_pairs(bases, min_hairpin=options.min_hairpin)
        assert_optimal(p / len(bases) * (allowed | allowed.T), bases, options)


def test_pairs_that_cannot_form_leave_their_bases_to_others_or_unpaired():
    """Beside a pair of .9 that is forbidden, one of .02 is .2 given its absence, and not formed."""
    bases = "GGAAAACCAACC"
    p = np.zeros((12, 12))
    p[0, 11] = p[1, 10] = 0.9
    p[0, 7] = p[1, 6] = 0.02
    options = DecodingConfig(objective="unpaired_odds", threshold=0.35)
    absent = Constraints(forbidden=frozenset({(0, 11), (1, 10)}))
    assert not len(decode(p, bases, options, constraints=absent).pairs)
    assert not len(decode(p, bases, replace(options, max_span=9)).pairs)
    assert not len(decode(csr_array(p), bases, replace(options, max_span=9)).pairs)
    p[0, 7] = p[1, 6] = 0.08
    for likely in (p, csr_array(p)):
        found = decode(likely, bases, replace(options, max_span=9))
        assert found.pairs.tolist() == [[0, 7], [1, 6]]


def test_against_unpaired_bases_the_structure_is_that_of_the_log_odds():
    """The normalisation of log-odds changes probabilities, not which set of pairs is the likeliest."""
    rng = np.random.default_rng(7)
    for _ in range(5):
        bases = "".join(rng.choice(list("ACGU"), 30))
        log_odds = np.triu(rng.normal(-1, 2, (30, 30)), 1)
        log_odds[~allowed_pairs(bases)] = -np.inf
        p = partner_probabilities(np.maximum(log_odds, log_odds.T))
        options = DecodingConfig(threshold=0.4)
        expected = decode(1 / (1 + np.exp(-log_odds)), bases, options)
        assert len(expected)
        assert decode(p, bases, replace(options, objective="unpaired_odds")) == expected


def test_matching_equals_brute_force_with_noncanonical_pairs():
    for bases, p in each_small_case(lengths=(5, 6, 7, 8)):
        assert_optimal(p, bases, replace(LOOSE, canonical=False))


def test_matching_equals_brute_force_with_unknown_bases():
    for bases, p in each_small_case("ACGUN", lengths=(5, 6, 7, 8)):
        assert_optimal(p, bases, replace(LOOSE, pair_unknown=True))


def test_matching_equals_brute_force_across_a_nick():
    for bases, p in each_small_case(lengths=(6, 7, 8)):
        assert_optimal(p, bases, replace(LOOSE, min_hairpin=3), nick=3)


@pytest.mark.parametrize("min_helix", [1, 2, 3])
def test_nested_equals_brute_force(min_helix):
    for bases, p in each_small_case("GC", lengths=(7, 8, 9)):
        assert_optimal(p, bases, replace(LOOSE, decoder="nested", min_helix=min_helix))


def test_matching_of_order_zero_is_nested():
    for bases, p in each_small_case(count=10):
        zero = decode(p, bases, replace(LOOSE, max_order=0))
        assert zero == decode(p, bases, replace(LOOSE, decoder="nested"))


@pytest.mark.parametrize("min_helix", [2, 3])
def test_exact_minimum_helix_equals_brute_force(min_helix):
    for bases, p in each_small_case("GC", lengths=(7, 8, 9)):
        assert_optimal(p, bases, replace(LOOSE, min_helix=min_helix, exact=True))


def test_exact_order_equals_brute_force():
    for bases, p in each_small_case("GC", lengths=(6, 7, 8, 9)):
        assert_optimal(p, bases, replace(LOOSE, max_order=1, exact=True))


def test_exact_order_and_minimum_helix_together_equal_brute_force():
    for bases, p in each_small_case("GC", lengths=(8, 9)):
        assert_optimal(p, bases, replace(LOOSE, max_order=1, min_helix=2, exact=True))


def test_exact_order_bites_where_every_pair_crosses():
    length = 8
    p = np.zeros((length, length))
    for k in range(4):
        p[k, k + 4] = 0.9 - 0.01 * k  # four pairs, all crossing: order 3
    options = replace(LOOSE, canonical=False, exact=True)
    assert decode(p, "GGGGCCCC", options).pseudoknot_order == 3
    for order in (0, 1, 2):
        kept = decode(p, "GGGGCCCC", replace(options, max_order=order))
        assert kept.pairs[:, 0].tolist() == list(range(order + 1))  # the heaviest stay


def test_exact_order_is_the_order_that_structure_counts():
    """Six pairs on two crossing-free levels, of which the largest nested subset leaves two that cross.

    Two levels suffice, but peeling off largest nested subsets takes three: one pair must go.
    """
    p = np.zeros((25, 25))
    pairs = [(0, 4), (1, 3), (2, 12), (7, 22), (20, 24), (21, 23)]
    p[tuple(np.transpose(pairs))] = 0.9
    options = replace(LOOSE, canonical=False, exact=True)
    assert decode(p, "A" * 25, options).pseudoknot_order == 2
    found = decode(p, "A" * 25, replace(options, max_order=1))
    assert len(found.pairs) == 5
    assert found.pseudoknot_order == 1


@pytest.mark.parametrize("canonical", [True, False])
def test_matching_equals_networkx_up_to_60_bases(canonical):
    rng = np.random.default_rng(3)
    for length in (20, 40, 60):
        bases, p = random_case(rng, length)
        options = DecodingConfig(canonical=canonical, threshold=0.6, steric=False)
        found = decode(p, bases, options)
        assert weight_of(found, p, options) == pytest.approx(
            networkx_weight(p, bases, options), abs=1e-4
        )


def test_nested_equals_an_integer_program_at_60_bases():
    rng = np.random.default_rng(5)
    bases, p = random_case(rng, 60)
    options = DecodingConfig(decoder="nested", threshold=0.9)
    graph = candidate_graph(p, bases, options)
    i, j = graph.ends.T
    rows = [((i == b) | (j == b)).astype(float) for b in range(60)]
    over = (i[:, None] < i) & (i < j[:, None]) & (j[:, None] < j)
    rows += [np.bincount(couple, minlength=len(i)).astype(float) for couple in np.argwhere(over)]
    result = milp(
        -graph.weights,
        integrality=np.ones(len(i)),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(np.array(rows), -np.inf, 1),
    )
    found = decode(p, bases, options)
    assert weight_of(found, p, options) == pytest.approx(-result.fun, abs=1e-6)


def test_both_backends_give_the_same_weight():
    rng = np.random.default_rng(11)
    for _ in range(5):
        bases, p = random_case(rng, 40)
        graph = candidate_graph(p, bases, DecodingConfig(threshold=0.7))
        unknown = replace(graph, codes=np.full(40, 4))  # every base N: not bipartite
        one, other = maximum_weight_matching(graph), maximum_weight_matching(unknown)
        assert graph.weights[one].sum() == pytest.approx(graph.weights[other].sum(), abs=1e-4)


def test_certain_and_impossible_pairs_are_safe():
    p = np.zeros((9, 9))
    p[0, 8] = p[1, 7] = 1.0
    for objective in ("log_odds", "accuracy"):
        options = DecodingConfig(objective=objective)
        assert decode(p, "GGAAAAACC", options).dot_bracket == "((.....))"
        assert np.isfinite(candidate_graph(p, "GGAAAAACC", options).weights).all()


def test_lower_triangle_is_not_read():
    p = np.zeros((6, 6))
    p[5, 0] = 0.9
    assert not len(decode(p, "GAAAAC").pairs)


def stacks(*runs, length=30, value=0.9):
    """A map with runs of stacked pairs (i, j, n) or (i, j, n, value)."""
    p = np.zeros((length, length))
    for i, j, n, *own in runs:
        for k in range(n):
            p[i + k, j - k] = own[0] if own else value
    return p


ANY = DecodingConfig(canonical=False, steric=False)


def test_minimum_helix_removes_short_ones():
    p = stacks((0, 29, 3), (5, 20, 2), (8, 15, 1))
    kept = [len(decode(p, "A" * 30, replace(ANY, min_helix=n)).pairs) for n in (1, 2, 3, 4)]
    assert kept == [6, 5, 3, 0]


def test_without_exact_a_short_helix_does_not_displace_a_long_one():
    """A strong lone pair takes a base from a helix; removing the lone pair alone would leave nothing."""
    p = stacks((0, 20, 3, 0.7), (2, 29, 1, 0.99))
    found = decode(p, "A" * 30, replace(ANY, min_helix=3))
    assert found.pairs.tolist() == [[0, 20], [1, 19], [2, 18]]


def test_exact_minimum_helix_beats_the_quick_answers():
    """Two crossing helices outweigh the one that excludes both; lone pairs hide that from a matching."""
    p = stacks(
        (0, 20, 3, 0.7),
        (10, 32, 3, 0.7),
        (0, 12, 3, 0.8),
        (20, 35, 1, 0.99),
        (32, 38, 1, 0.99),
        length=40,
    )
    quick = decode(p, "A" * 40, replace(ANY, min_helix=3))
    exact = decode(p, "A" * 40, replace(ANY, min_helix=3, exact=True))
    assert quick.pairs.tolist() == [[0, 12], [1, 11], [2, 10]]
    assert exact.pairs[:, 0].tolist() == [0, 1, 2, 10, 11, 12]
    assert weight_of(exact, p, ANY) > weight_of(quick, p, ANY)


def test_bounded_order_without_exact_keeps_the_largest_nested_subset():
    p = stacks((0, 14, 4), (6, 25, 3))
    assert decode(p, "A" * 30, ANY).pseudoknot_order == 1
    found = decode(p, "A" * 30, replace(ANY, decoder="greedy", max_order=0))
    assert found.pairs[:, 0].tolist() == [0, 1, 2, 3]


def test_an_exact_search_out_of_time_gives_what_the_options_allow():
    rng = np.random.default_rng(0)
    p = np.triu(rng.random((60, 60)), 1)
    for bounds in ({"min_helix": 3}, {"max_order": 1}, {"min_helix": 2, "max_order": 1}):
        options = replace(ANY, threshold=0.3, exact=True, time_limit=0.01, **bounds)
        found = decode(p, "A" * 60, options)
        assert fits(found, options)
        assert weight_of(found, p, options) > 0


def test_threshknot_takes_mutual_favourites_only():
    p = stacks((0, 29, 1, 0.6), (0, 20, 1, 0.8), (5, 20, 1, 0.9), (10, 17, 1, 0.7))
    found = decode(p, "A" * 30, replace(ANY, decoder="threshknot"))
    assert found.pairs.tolist() == [[5, 20], [10, 17]]


def test_greedy_goes_on_where_threshknot_stops():
    p = stacks((0, 29, 1, 0.6), (0, 20, 1, 0.8), (5, 20, 1, 0.9))
    found = decode(p, "A" * 30, replace(ANY, decoder="greedy"))
    assert found.pairs.tolist() == [[0, 29], [5, 20]]


def test_greedy_is_not_the_matching():
    p = stacks((0, 29, 1, 0.8), (0, 20, 1, 0.85), (5, 20, 1, 0.8))
    assert decode(p, "A" * 30, replace(ANY, decoder="greedy")).pairs.tolist() == [[0, 20]]
    assert decode(p, "A" * 30, ANY).pairs.tolist() == [[0, 29], [5, 20]]


def test_helices_are_runs_of_stacked_pairs():
    structure = Structure.from_dot_bracket("((.((...))..))(...)")
    assert [len(helix) for helix in helices(structure)] == [2, 2, 1]
    assert helix_lengths(structure).tolist() == [2, 2, 2, 2, 1]
    assert helices(Structure(5)) == []
    assert helix_lengths(Structure(5)).tolist() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": 0.0},
        {"threshold": 1.0},
        {"min_hairpin": -1},
        {"min_helix": 0},
        {"max_order": -1},
        {"max_span": 0},
        {"time_limit": 0.0},
        {"decoder": "blossom"},
        {"objective": "energy"},
    ],
)
def test_options_out_of_range_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"options: .*{next(iter(wrong))}"):
        from_mapping(DecodingConfig, wrong, "options")


@pytest.mark.parametrize(
    ("p", "message"),
    [
        (np.zeros((3, 4)), r"shape \(3, 4\); expected \(4, 4\)"),
        (np.full((4, 4), 1.5), "1.5 for bases 1 and 1; expected 0 to 1"),
        (np.where(np.eye(4, k=2) > 0, np.nan, 0.0), "nan for bases 1 and 3"),
    ],
)
def test_a_wrong_map_is_refused(p, message):
    with pytest.raises(InputError, match=message):
        decode(p, "ACGU")


# --- invariants ------------------------------------------------------------------------------------

OPTIONS = st.builds(
    DecodingConfig,
    decoder=st.sampled_from(["matching", "nested", "threshknot", "greedy"]),
    objective=st.sampled_from(["log_odds", "accuracy"]),
    threshold=st.floats(0.05, 0.95),
    canonical=st.booleans(),
    pair_unknown=st.booleans(),
    min_hairpin=st.integers(0, 5),
    max_span=st.none() | st.integers(4, 30),
    min_helix=st.integers(1, 3),
    max_order=st.none() | st.integers(0, 2),
    steric=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(
    bases=st.text("ACGUN", min_size=1, max_size=30),
    options=OPTIONS,
    seed=st.integers(0, 2**32 - 1),
    sharp=st.sampled_from([1, 4, 30]),
)
def test_every_decoder_gives_a_structure_that_the_options_allow(bases, options, seed, sharp):
    p = np.random.default_rng(seed).random((len(bases),) * 2) ** (1 / sharp)
    structure = decode(p, bases, options)  # Structure itself refuses a second partner
    i, j = structure.pairs.T
    names = ("canonical", "pair_unknown", "min_hairpin", "max_span")
    allowed = allowed_pairs(bases, **{name: getattr(options, name) for name in names})
    assert allowed[i, j].all()
    assert (p[i, j] > options.threshold).all()
    assert fits(structure, options)
    assert not (options.steric and impossible_crossings(structure))
    assert Structure.from_dot_bracket(structure.dot_bracket) == structure
    assert decode(p, bases, options) == structure


@pytest.mark.parametrize("sparse", [False, True])
def test_partners_that_add_up_to_more_than_one_are_refused_where_the_unpaired_count(sparse):
    """As log-odds against being unpaired any small probability would win."""
    p = np.zeros((12, 12))
    p[1, [7, 9, 11]] = 0.4
    p += p.T
    bases, options = "AGAAAAACACAC", DecodingConfig(objective="unpaired_odds", threshold=0.3)
    with pytest.raises(InputError, match=r"1\.2 over all partners of base 2; expected 1 at most"):
        decode(csr_array(p) if sparse else p, bases, options)
    assert len(decode(p / 1.2, bases, options)) == 12
