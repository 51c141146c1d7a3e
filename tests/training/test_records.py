"""Records, batches and kept base-pair probabilities; ViennaRNA itself is the oracle of the latter."""

import dataclasses
import itertools
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from rnass.backbone.vocabulary import RNASS
from rnass.errors import ConfigError, InputError
from rnass.thermodynamics import probability_cache
from rnass.thermodynamics.folding import base_pair_probabilities
from rnass.training import records as dataset
from rnass.training.config import DataConfig
from rnass.training.records import (
    Example,
    Loader,
    batches,
    mutated,
    read_examples,
    training_examples,
)

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


def test_batches_keep_within_their_pixels_unless_one_rna_alone_is_larger():
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


def test_no_examples_are_refused():
    with pytest.raises(ConfigError, match="no records of 16 to 512 bases"):
        next(batches([], DataConfig(), 0))


def test_records_are_read_with_their_source_family_and_pairs(hairpins):
    paths = [hairpins(3, name="a.tsv", family="RF1"), hairpins(2, seed=1, name="b.tsv", family="")]
    examples = read_examples(paths)
    assert [e.source for e in examples] == [0, 0, 0, 1, 1]
    assert [e.family for e in examples] == ["RF1"] * 3 + [""] * 2
    for example in examples:
        contacts = example.contacts()
        np.testing.assert_array_equal(contacts, contacts.T)
        assert contacts.sum() == 2 * len(example.pairs) > 0
        assert contacts[tuple(example.pairs.T)].all()


def test_rnas_outside_the_lengths_are_left_out_and_counted_by_file(hairpins, caplog):
    path, short = hairpins(30), hairpins(3, name="short.tsv")
    lengths = sorted(len(e.bases) for e in read_examples([path]))
    assert caplog.messages == []
    low, high = lengths[5], lengths[20]
    kept = [len(e.bases) for e in read_examples([path], low, high)]
    assert sorted(kept) == [n for n in lengths if low <= n <= high]
    message = f"of 30 records left out, not of {low} to {high} bases"
    assert caplog.messages == [f"{path}: {30 - len(kept)} {message}"]
    read_examples([path, short], 1, 1)
    assert [text.split(" left")[0] for text in caplog.messages[1:]] == [
        f"{path}: 30 of 30 records",
        f"{short}: 3 of 3 records",
    ]


def test_two_strands_are_left_out_and_counted(tmp_path, caplog):
    path = tmp_path / "mixed.dbn"
    path.write_text(">one\nGGGAAACCC\n(((...)))\n>two\nGGG&CCC\n(((&)))\n")
    (example,) = read_examples([str(path)])
    assert example.id == "one"
    assert caplog.messages == [f"{path}: 1 of 2 records left out, of two strands"]


def test_a_missing_file_is_named():
    with pytest.raises(InputError, match=r"nowhere\.tsv"):
        read_examples(["nowhere.tsv"])


def test_a_loader_gives_each_rna_its_maps_and_contacts(tmp_path, hairpins):
    paths = [hairpins(3, name="a.tsv"), hairpins(2, seed=1, name="b.tsv")]
    examples = read_examples(paths)
    sets = ("turner2004", "andronescu2007")
    load = Loader(RNASS, sets, tmp_path / "cache")
    load.annotate(paths, examples)
    batch = load(examples)
    longest = max(len(e.bases) for e in examples)
    assert batch.rnas.bpp.shape == (5, 2, longest, longest)
    for k, example in enumerate(examples):
        size = len(example.bases)
        maps = batch.rnas.bpp[k].numpy()
        np.testing.assert_array_equal(
            maps[0, :size, :size], base_pair_probabilities(example.bases).dense()
        )
        assert np.abs(maps[1] - maps[0]).max() > 0
        np.testing.assert_array_equal(batch.contacts[k, :size, :size], example.contacts())
        assert batch.contacts[k].sum() == 2 * len(example.pairs)
        assert not maps[:, size:].any()


def test_a_loader_without_parameter_sets_folds_nothing(hairpins, monkeypatch):
    monkeypatch.setattr(probability_cache, "base_pair_probabilities_of_many", None)
    path = hairpins(2)
    examples = read_examples([path])
    load = Loader(RNASS)
    load.annotate([path], examples)
    assert load(examples).rnas.bpp is None


def test_a_folder_of_any_structure_files(tmp_path, hairpins):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "b.dbn").write_text(">two\nGGGAAACCC\n(((...)))\n>three\nGAAAAC\n(....)\n")
    (folder / "a.ct").write_text("2 one\n1 G 0 2 2 1\n2 C 1 0 1 2\n")
    (folder / "c.bpseq").write_text("1 A 0\n2 A 0\n")
    (folder / "notes.txt").write_text("no structure")
    (folder / "deeper").mkdir()
    examples = read_examples([hairpins(1), str(folder)])
    assert [(e.id, e.source) for e in examples[1:]] == [("one", 1), ("two", 1), ("three", 1), ("c", 1)]
    assert examples[1].pairs.tolist() == [[0, 1]]


def test_a_bad_file_of_a_folder_is_named_with_its_line(tmp_path):
    (tmp_path / "a.dbn").write_text(">x\nGAAAAC\n(....\n")
    with pytest.raises(InputError, match=r"a\.dbn:3"):
        read_examples([str(tmp_path)])


def test_a_folder_without_structures_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"no file to read in this folder; expected \.bpseq, \.ct"):
        read_examples([str(tmp_path)])


def test_records_of_excluded_families_are_left_out(tmp_path, caplog):
    families = {"a": "RF00001", "b": "RF00002,RF00003", "c": "RF00004;RF00001", "d": "", "e": "RF000011"}
    lines = ["id\tfamily\tsequence\tdot_bracket"]
    lines += [
        f"{name}\t{family}\tGGGGGGAAAACCCCCC\t((((((....))))))" for name, family in families.items()
    ]
    (tmp_path / "train.tsv").write_text("\n".join(lines) + "\n")
    (tmp_path / "families.txt").write_text("RF00001\nRF00003\n")
    data = DataConfig(
        train=(str(tmp_path / "train.tsv"),), excluded_families=str(tmp_path / "families.txt")
    )
    assert [e.id for e in training_examples(data)] == ["d", "e"]
    assert caplog.messages == ["3 of 5 training records left out, of excluded families"]
    missing = dataclasses.replace(data, excluded_families=str(tmp_path / "none.txt"))
    with pytest.raises(InputError, match=r"none\.txt.*expected a text file of family names"):
        training_examples(missing)


class TestHeldOut:
    @pytest.fixture
    def data(self, hairpins, tmp_path, monkeypatch):
        monkeypatch.setattr(dataset, "best_tool", lambda: "kmers")  # the same wherever this runs
        train = hairpins(5)
        lines = Path(train).read_text().splitlines()
        (tmp_path / "test.tsv").write_text("\n".join([lines[0], lines[3]]) + "\n")
        return DataConfig(
            train=(train,), held_out=(str(tmp_path / "test.tsv"),), cache=str(tmp_path / "cache")
        )

    def test_a_near_record_is_an_error_that_names_it(self, data):
        with pytest.raises(InputError, match="hp2 to hp2 with 100% the same; expected none, or drop"):
            training_examples(data)

    def test_or_is_dropped_the_second_time_without_a_search(self, data, monkeypatch, caplog):
        data = dataclasses.replace(data, drop_near=True)
        kept = training_examples(data)
        assert caplog.messages == [f"{5 - len(kept)} of 5 training records left out, near held-out ones"]
        assert "hp2" not in {e.id for e in kept}
        assert kept
        monkeypatch.setattr(dataset, "near", None)
        assert [e.id for e in training_examples(data)] == [e.id for e in kept]

    def test_without_held_out_nothing_is_searched(self, data, monkeypatch):
        monkeypatch.setattr(dataset, "near", None)
        assert len(training_examples(dataclasses.replace(data, held_out=()))) == 5


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

    def test_base_pair_probabilities_are_those_of_the_new_bases(self, hairpins, tmp_path):
        path = hairpins(2)
        first, second = read_examples([path])
        load = Loader(RNASS, ("turner2004", "langdon2018"), tmp_path / "cache")
        load.annotate([path], [first, second])
        altered = dataclasses.replace(first, bases="GC" + first.bases[2:], altered=True)
        maps = load([altered, second]).rnas.bpp
        for k, example in enumerate((altered, second)):
            for s, name in enumerate(load.sets):
                expected = base_pair_probabilities(example.bases, name).dense()
                size = len(example.bases)
                assert np.array_equal(maps[k, s, :size, :size], expected)


def test_masks_say_where_a_base_may_be_asked_for(tmp_path):
    (tmp_path / "a.tsv").write_text(
        "id\tsequence\tdot_bracket\tmask\na\tGAAAC\t(...)\t01010\nb\tGAC\t...\t\n"
    )
    batch = Loader(RNASS)(read_examples([str(tmp_path / "a.tsv")]))
    assert batch.maskable.tolist() == [[0, 1, 0, 1, 0], [1] * 5]
    assert batch.to(torch.device("cpu")).maskable is not None


@pytest.mark.parametrize("mask", ["010", "0101x"])
def test_a_bad_mask_is_refused(tmp_path, mask):
    (tmp_path / "a.tsv").write_text(f"id\tsequence\tdot_bracket\tmask\na\tGAAAC\t(...)\t{mask}\n")
    with pytest.raises(InputError, match=r"a\.tsv \(a\): a bad mask"):
        read_examples([str(tmp_path / "a.tsv")])
