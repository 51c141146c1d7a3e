"""Conversions: every format to every other, byte-exact where it can be; nothing lost unsaid."""

import numpy as np
import pytest

from rnass.errors import ConfigError, InputError, OutputError, RnassError
from rnass.io import read_dot_bracket
from rnass.jobs.convert import TARGETS, convert_file, read_records
from rnass.structure import Structure

KNOTS = ">one\nGGCCAAAGGAAGGCCAAACC\n((((...[[...))))..]]\n>two\nGAAAC\n(...)\n"
HEADED = ">one of two words\nGGCCAAAGGAAGGCCAAACC\n((((...[[...))))..]]\n"


@pytest.fixture
def knots(tmp_path):
    path = tmp_path / "knots.dbn"
    path.write_text(KNOTS)
    return path


@pytest.mark.parametrize("suffix", [".ct", ".dbn", ".json", ".sto", ".stk", ".tsv", ".db", ".dot"])
def test_there_and_back_is_byte_exact(tmp_path, knots, suffix):
    there, back, again = tmp_path / f"x{suffix}", tmp_path / "back.dbn", tmp_path / f"again{suffix}"
    said = convert_file(knots, there)
    assert said == f"{there}: 2 records, 7 pairs"
    convert_file(there, back)
    convert_file(back, again)
    assert back.read_text() == KNOTS
    assert again.read_bytes() == there.read_bytes()


@pytest.mark.parametrize("suffix", [".bpseq", ".ct", ".dbn", ".json"])
def test_the_whole_header_is_kept_where_a_format_has_room(tmp_path, suffix):
    (tmp_path / "a.dbn").write_text(HEADED)
    convert_file(tmp_path / "a.dbn", tmp_path / f"x{suffix}")
    convert_file(tmp_path / f"x{suffix}", tmp_path / "back.dbn")
    assert (tmp_path / "back.dbn").read_text() == HEADED


def test_a_file_for_each_record(tmp_path, knots):
    convert_file(knots, tmp_path / "many", split="bpseq")
    assert sorted(path.name for path in (tmp_path / "many").iterdir()) == ["one.bpseq", "two.bpseq"]
    ((_, structure),) = (
        (r.sequence, r.structure) for r in read_records(tmp_path / "many" / "one.bpseq")
    )
    assert structure == read_dot_bracket(knots)[0][1]
    with pytest.raises(OutputError, match="2 records; expected one, or --split bpseq"):
        convert_file(knots, tmp_path / "x.bpseq")


def test_pseudoknots_go_only_when_told_and_are_counted(tmp_path, knots):
    said = convert_file(knots, tmp_path / "x.dbn", pseudoknots=False)
    assert said.endswith("2 records, 5 pairs; left out: 2 pairs of pseudoknots")
    assert "[" not in (tmp_path / "x.dbn").read_text()


def test_what_is_there_stays_unless_told(tmp_path, knots):
    with pytest.raises(OutputError, match="is there already; expected another name, or --overwrite"):
        convert_file(knots, knots)
    convert_file(knots, knots, overwrite=True)
    assert knots.read_text() == KNOTS


@pytest.mark.parametrize("name", ["x.npy", "x.txt", "x"])
def test_other_targets_are_refused(tmp_path, knots, name):
    with pytest.raises(OutputError, match=r"no format '.*'; expected \.bpseq, \.ct"):
        convert_file(knots, tmp_path / name)
    assert set(TARGETS) >= {".ct", ".bpseq", ".dbn", ".json", ".sto"}


def fasta(tmp_path, text=">x\nGAAAAC\n>y\nGGAAACC\n"):
    path = tmp_path / "x.fa"
    path.write_text(text)
    return path


def test_a_map_is_decoded_at_the_threshold(tmp_path):
    p = np.zeros((7, 7), dtype=np.float32)
    p[0, 6] = p[6, 0] = 0.9
    p[1, 5] = p[5, 1] = 0.4
    np.save(tmp_path / "y.npy", p)
    found = [
        read_records(tmp_path / "y.npy", sequence=fasta(tmp_path), threshold=threshold)[0].structure
        for threshold in (0.5, 0.3)
    ]
    assert found == [Structure(7, [(0, 6)]), Structure(7, [(0, 6), (1, 5)])]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((6, 6)), "not 7 by 7 numbers; expected those, as y has 7 bases"),
        (np.zeros(7), "not 7 by 7 numbers"),
        (np.full((7, 7), "a"), "not 7 by 7 numbers"),
        (np.full((7, 7), 1.5), "y.npy: "),
        (np.full((7, 7), np.nan), "y.npy: "),
        (np.array([[None] * 7] * 7), "not an array; expected NumPy's format, without pickle"),
    ],
)
def test_malformed_map(tmp_path, array, message):
    np.save(tmp_path / "y.npy", array, allow_pickle=True)
    with pytest.raises(InputError, match=message):
        read_records(tmp_path / "y.npy", sequence=fasta(tmp_path))


def test_a_map_needs_its_bases(tmp_path, knots):
    np.save(tmp_path / "z.npy", np.zeros((7, 7)))
    with pytest.raises(InputError, match="a map without bases; expected --sequence FASTA"):
        read_records(tmp_path / "z.npy")
    with pytest.raises(InputError, match="no record 'z'; expected one called as"):
        read_records(tmp_path / "z.npy", sequence=fasta(tmp_path))
    with pytest.raises(InputError, match="letter '-'"):
        read_records(tmp_path / "z.npy", sequence=fasta(tmp_path, ">z\nGG-\n"))
    with pytest.raises(InputError, match=r"expected them for a \.npy map only"):
        read_records(knots, sequence=fasta(tmp_path))
    with pytest.raises(ConfigError, match="threshold: Input should be less than 1"):
        read_records(tmp_path / "z.npy", sequence=fasta(tmp_path, ">z\nGGAAACC\n"), threshold=2)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "z.npy").read_bytes()[:40])
    with pytest.raises(InputError, match="not an array"):
        read_records(tmp_path / "cut.npy", sequence=fasta(tmp_path, ">z\nGGAAACC\n"))
    with pytest.raises(InputError, match="no such file"):
        read_records(tmp_path / "none.npy", sequence=fasta(tmp_path, ">z\nGGAAACC\n"))


def test_a_structure_that_a_format_cannot_hold_is_an_error(tmp_path):
    """Thirty-one orders: one more than dot-bracket has brackets for."""
    bases, pairs = "A" * 62, [[k + 1, k + 32] for k in range(31)]
    (tmp_path / "x.json").write_text(
        '{"format": "rnass structures", "version": 1, "records": [{"id": "x", "sequence": "'
        + bases
        + f'", "pairs": {pairs}}}]}}'
    )
    for suffix in ("dbn", "sto", "tsv"):
        with pytest.raises(RnassError, match="pseudoknot order 30"):
            convert_file(tmp_path / "x.json", tmp_path / f"x.{suffix}")
        assert not (tmp_path / f"x.{suffix}").exists()
    convert_file(tmp_path / "x.json", tmp_path / "x.ct")
    assert len(read_records(tmp_path / "x.ct")[0].structure.pairs) == 31
