"""Curation for pre-training; ViennaRNA is the oracle of the structures."""

import pytest
import RNA

from rnass.errors import ConfigError, InputError
from rnass.io.regions import Region
from rnass.preparation.curate import Curation, curate, label, read_names, read_table
from rnass.rna import Rna

LONG = "ACGUGCAUCG" * 10


def rna(bases, header="x"):
    return Rna.from_text(bases, header)


def kept(sequences, excluded=(), **settings):
    parts, dropped = curate(sequences, Curation(**settings), excluded)
    return [(part.sequence.id, part.sequence.bases) for part in parts], dropped


@pytest.mark.parametrize(
    ("long", "overlap", "expected"),
    [
        ("cut", 0, ["x/1-40"]),
        ("window", 0, ["x/1-40", "x/41-80", "x/81-100"]),
        ("window", 20, ["x/1-40", "x/21-60", "x/41-80", "x/61-100"]),
    ],
)
def test_long_sequences_become_parts(long, overlap, expected):
    bases = "".join("ACGU"[k * k % 7 % 4] + "ACGU"[k % 4] for k in range(50))
    parts, dropped = kept([rna(bases)], min_length=5, max_length=40, long=long, overlap=overlap)
    assert [name for name, _ in parts] == expected
    assert dropped == {}
    for name, part in parts:
        first, last = map(int, name.removeprefix("x/").split("-"))
        assert part == bases[first - 1 : last]


def test_each_reason_is_counted():
    sequences = [
        rna("ACGU", "short"),
        rna(LONG, "long"),
        rna("ACGUN" * 6, "unknown"),
        rna("ACGUA" * 6, "good"),
        rna("acgta" * 6, "again"),
        rna("GGGGG" * 6, "secret"),
        rna("GGCGG" * 6, "secret header"),
    ]
    parts, dropped = kept(
        sequences, {"secret header"}, min_length=10, max_length=50, long="drop", max_unknown=0.1
    )
    assert [name for name, _ in parts] == ["good", "secret"]
    assert dropped == {"short": 1, "long": 1, "unknown bases": 1, "duplicate": 1, "excluded": 1}


def test_two_strands_are_dropped_and_counted():
    two = [Rna.from_text("GGGGGG&CCCCCC", "two"), Rna.from_text(f"{LONG}&ACGU", "long")]
    parts, dropped = kept([*two, rna("ACGUA" * 6, "one")], long="window", min_length=5)
    assert ([name for name, _ in parts], dropped) == (["one"], {"two strands": 2})


def test_excluded_by_id_and_every_window_of_it():
    parts, dropped = kept([rna(LONG, "a|1 some words")], {"a|1"}, max_length=40, long="window")
    assert (parts, dropped) == ([], {"excluded": 1})


@pytest.mark.parametrize(
    "settings",
    [{"min_length": 0}, {"min_length": 30, "max_length": 20}, {"max_length": 50, "overlap": 50}],
)
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ConfigError, match="expected"):
        Curation(**settings)


def mfe(bases, max_span):
    model = RNA.md()
    model.max_bp_span = max_span
    return RNA.fold_compound(bases, model).mfe()[0]


BASES = "GGGGGCCCAAAAGGGAAAACCCAAAAAAAAAAAAAAAAGGGCCCCC"  # a long helix round a short one


@pytest.mark.parametrize("max_span", [None, 30, 15])
def test_structures_are_those_of_viennarna_within_the_span(max_span):
    parts, _ = curate([rna(BASES, "s|1")], Curation())
    (record,) = label(parts, max_span=max_span)
    assert record.structure.dot_bracket == mfe(BASES, max_span or -1)
    assert (record.source, record.id, record.extra) == ("s", "s|1", {})
    if max_span:
        assert (record.structure.pairs @ [-1, 1] < max_span).all()
        assert len(record.structure.pairs)


def test_without_folding_there_are_no_pairs():
    parts, _ = curate([rna(BASES)], Curation())
    (record,) = label(parts, fold=False)
    assert len(record.structure.pairs) == 0
    assert record.source == ""


def test_regions_become_masks_of_each_part():
    parts, _ = curate(
        [rna(LONG[:7] + "U" * 40), rna("ACGUU" * 8, "y")],
        Curation(max_length=40, min_length=5, long="window", max_unknown=1),
    )
    regions = [Region("x", start, end, "", "") for start, end in ((2, 5), (38, 44), (46, 99))]
    marks = [r.extra["mask"] for r in label(parts, fold=False, regions=regions)]
    assert marks == ["00111" + "0" * 33 + "11", "1111" + "00" + "1", "0" * 40]


class TestFiles:
    def test_names(self, tmp_path):
        (tmp_path / "n").write_text(">a|1 x\n\nb\n a|2\n")
        assert read_names(tmp_path / "n") == {"a|1 x", "b", "a|2"}

    def test_table(self, tmp_path):
        (tmp_path / "t").write_text("a|1 x\tRF00001\nb\tRF00002\n")
        assert read_table(tmp_path / "t") == {"a|1 x": "RF00001", "b": "RF00002"}

    @pytest.mark.parametrize("line", ["a", "a\tb\tc", ""])
    def test_bad_table(self, tmp_path, line):
        (tmp_path / "t").write_text(f"a\tb\n{line}\n")
        with pytest.raises(InputError, match="t:2: not two columns"):
            read_table(tmp_path / "t")
