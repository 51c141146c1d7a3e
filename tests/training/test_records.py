"""Records and loading with base-pair probabilities; ViennaRNA itself is the oracle of the latter."""

import dataclasses
import gzip
from pathlib import Path

import numpy as np
import pytest
import torch

from rnass.backbone.vocabulary import RNASS
from rnass.errors import InputError
from rnass.thermodynamics import probability_cache
from rnass.thermodynamics.folding import base_pair_probabilities
from rnass.training import records as dataset
from rnass.training.config import DataConfig
from rnass.training.records import Example, Loader, read_examples, spread, training_examples


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
    text = "\ufeffRF00001\nRF00003 # not RF000011\n#RF000011\n\nRF9\n"
    (tmp_path / "families.txt").write_bytes(gzip.compress(text.encode()))
    data = DataConfig(
        train=(str(tmp_path / "train.tsv"),), excluded_families=str(tmp_path / "families.txt")
    )
    assert [e.id for e in training_examples(data)] == ["d", "e"]
    assert caplog.messages == [
        f"{tmp_path / 'families.txt'}: 1 of 3 names of no training record: RF9",
        "3 of 5 training records left out, of excluded families",
    ]
    missing = dataclasses.replace(data, excluded_families=str(tmp_path / "none.txt"))
    with pytest.raises(InputError, match=r"none\.txt: no such file.*; expected a file to read"):
        training_examples(missing)
    (tmp_path / "families.txt").write_text("# none\n")
    with pytest.raises(InputError, match=r"families\.txt: no family; expected names, one a line"):
        training_examples(data)


def test_validation_is_spread_over_the_files():
    examples = [Example(str(k), "", "A", np.zeros((0, 2), dtype=np.int64)) for k in range(10)]
    assert [e.id for e in spread(examples, 3)] == ["0", "3", "6"]
    assert spread(examples, 20) == examples


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

    @pytest.mark.parametrize("text", ['{"hits": [[1,', "{}", '{"hits": [[1]]}'])
    def test_a_damaged_result_is_computed_again(self, data, text):
        data = dataclasses.replace(data, drop_near=True)
        kept = [example.id for example in training_examples(data)]
        (file,) = Path(data.cache).glob("near.*.json")
        whole = file.read_text()
        file.write_text(text)
        assert [example.id for example in training_examples(data)] == kept
        assert file.read_text() == whole

    def test_without_held_out_nothing_is_searched(self, data, monkeypatch):
        monkeypatch.setattr(dataset, "near", None)
        assert len(training_examples(dataclasses.replace(data, held_out=()))) == 5


def test_base_pair_probabilities_of_a_mutated_record_are_those_of_its_new_bases(hairpins, tmp_path):
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


def test_masks_mark_where_a_base_may_be_masked(tmp_path):
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
