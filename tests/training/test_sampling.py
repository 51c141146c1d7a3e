"""Sampling: how often each record is drawn, batches of like length, mutated copies."""

import itertools
from collections import Counter

import numpy as np
import pytest

from rnass.errors import ConfigError
from rnass.training.config import DataConfig
from rnass.training.records import Example, read_examples
from rnass.training.sampling import batches, mutated

CANONICAL = {"AU", "UA", "GC", "CG", "GU", "UG"}


def examples_of(lengths, families=None, sources=None):
    families, sources = families or [""] * len(lengths), sources or [0] * len(lengths)
    return [
        Example(f"rna{k}", family, "A" * length, np.zeros((0, 2), dtype=np.int64), source)
        for k, (length, family, source) in enumerate(zip(lengths, families, sources, strict=True))
    ]


def epochs(examples, data, count, seed=0):
    """The example numbers of each of the first epochs."""
    numbers = itertools.chain.from_iterable(batches(examples, data, seed))
    return [list(itertools.islice(numbers, len(examples))) for _ in range(count)]


RAGGED = examples_of([10 + (k * 37) % 90 for k in range(120)])


def test_the_same_seed_gives_the_same_stream():
    data = DataConfig(padded_pairs=20_000)
    first, again, other = (list(itertools.islice(batches(RAGGED, data, seed), 60)) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_an_epoch_draws_every_example_once_in_an_order_of_its_own():
    drawn = epochs(RAGGED, DataConfig(padded_pairs=20_000), 3)
    assert [sorted(epoch) for epoch in drawn] == [list(range(len(RAGGED)))] * 3
    assert drawn[0] != drawn[1] != drawn[2]


def test_batches_keep_within_their_size_unless_one_rna_alone_is_larger():
    data = DataConfig(padded_pairs=5_000)  # 70 bases squared
    sizes = []
    for numbers in itertools.islice(batches(RAGGED, data, 0), 200):
        longest = max(len(RAGGED[n].bases) for n in numbers)
        assert len(numbers) == 1 or len(numbers) * longest**2 <= data.padded_pairs
        sizes.append(len(numbers))
    assert max(sizes) > 10
    assert any(len(RAGGED[n].bases) ** 2 > data.padded_pairs for n in range(len(RAGGED)))


def test_a_batch_holds_rnas_of_like_length():
    spread = []
    for numbers in itertools.islice(batches(RAGGED, DataConfig(padded_pairs=20_000), 0), 50):
        lengths = [len(RAGGED[n].bases) for n in numbers]
        spread.append(max(lengths) - min(lengths))
    assert np.mean(spread) < 20  # of 90


def test_the_batches_of_a_step_are_of_like_length_and_fill_it():
    def lengths(numbers):
        return [len(RAGGED[n].bases) for n in numbers]

    stream = batches(RAGGED, DataConfig(padded_pairs=20_000), 0, per_step=3)
    steps = [list(itertools.chain.from_iterable(next(stream) for _ in range(3))) for _ in range(20)]
    assert np.mean([np.ptp(lengths(step)) for step in steps]) < np.ptp(lengths(range(120))) / 2
    assert {n for step in steps for n in step} == set(range(120))  # each time others fill no step
    few = list(itertools.islice(batches(RAGGED[:3], DataConfig(), 0, per_step=3), 6))
    assert sorted(itertools.chain.from_iterable(few)) == sorted([0, 1, 2] * 6)


def test_every_epoch_draws_each_example_as_often_as_its_weight_says():
    sources = [0] * 30 + [1] * 30
    examples = examples_of([20] * 60, sources=sources)
    data = DataConfig(train=("a", "b"), weights=(3.0, 1.0))
    expected = np.array([1.5] * 30 + [0.5] * 30)  # 60 draws, three of four from the first file
    total = np.zeros(60)
    for epoch in epochs(examples, data, 200):
        counts = np.bincount(epoch, minlength=60)
        assert (np.floor(expected) <= counts).all()
        assert (counts <= np.ceil(expected)).all()
        total += counts
    np.testing.assert_allclose(total / 200, expected, atol=0.2)


def test_family_power_evens_out_families_but_not_rnas_without_one():
    families = ["large"] * 16 + ["small"] * 4 + [""] * 4
    data = DataConfig(family_power=0.5)
    drawn = Counter(itertools.chain.from_iterable(epochs(examples_of([20] * 24, families), data, 300)))
    share = [sum(drawn[n] for n in part) for part in (range(16), range(16, 20), range(20, 24))]
    weights = np.array([16 * 16**-0.5, 4 * 4**-0.5, 4])
    np.testing.assert_allclose(np.array(share) / sum(share), weights / weights.sum(), atol=0.02)


def test_pseudoknots_are_drawn_as_often_as_their_weight_says():
    crossing, nested = [[0, 10], [5, 15]], [[0, 15], [5, 10]]
    examples = [
        Example(f"rna{k}", "", "A" * 20, np.array(pairs), 0)
        for k, pairs in enumerate([crossing] * 6 + [nested] * 18)
    ]
    data = DataConfig(pseudoknot_weight=3.0)
    for epoch in epochs(examples, data, 20):  # as many of either, each crossing one twice
        assert [epoch.count(n) for n in range(6)] == [2] * 6


def test_records_of_weight_0_alone_are_refused():
    data = DataConfig(train=("a", "b"), weights=(0, 1))
    for settings in (data, DataConfig(profiles=("p",), profile_share=1.0)):
        with pytest.raises(ConfigError, match="data: no record of positive weight; expected some"):
            next(batches(examples_of([20] * 3), settings, 0))


def test_no_examples_are_refused():
    left = "data: no training record is left; expected some of 16 to 512 bases"
    with pytest.raises(ConfigError, match=f"^{left}$"):
        next(batches([], DataConfig(), 0))
    with pytest.raises(ConfigError, match=f"^{left}, of no excluded family, near no held-out one$"):
        next(batches([], DataConfig(excluded_families="f.txt", held_out=("h.tsv",)), 0))


class TestMutated:
    def test_off_by_default(self, hairpins):
        examples = read_examples([hairpins(5)])
        assert mutated(examples, DataConfig(), 1, 0) == examples

    def test_a_share_is_altered_with_its_pairs_kept(self, hairpins):
        examples = read_examples([hairpins(200)])
        new = mutated(examples, DataConfig(mutation_rate=0.8, mutated_share=0.4), 1, 0)
        altered = [e.altered for e in new]
        assert np.mean(altered) == pytest.approx(0.4, abs=0.1)
        for before, after in zip(examples, new, strict=True):
            assert (after is before) != after.altered
            assert after.pairs is before.pairs
            assert after.altered or after.bases == before.bases
            assert {after.bases[i] + after.bases[j] for i, j in after.pairs} <= CANONICAL

    def test_the_rate_is_drawn_up_to_the_one_given(self, hairpins):
        examples = read_examples([hairpins(300)])
        new = mutated(examples, DataConfig(mutation_rate=0.8, mutated_share=1.0), 1, 0)
        kept = [
            np.mean([before.bases[i] == after.bases[i] for i in before.pairs[:, 0]])
            for before, after in zip(examples, new, strict=True)
        ]
        assert np.mean(kept) == pytest.approx(0.6, abs=0.1)
        assert np.std(kept) > 0.2

    def test_seed_and_draw_decide_whatever_came_before(self, hairpins):
        examples = read_examples([hairpins(20)])
        data = DataConfig(mutation_rate=0.5, mutated_share=0.5)

        def bases(seed, draw):
            return [e.bases for e in mutated(examples, data, seed, draw)]

        assert bases(1, 7) == bases(1, 7)
        assert bases(1, 7) != bases(1, 8)
        assert bases(1, 7) != bases(2, 7)
