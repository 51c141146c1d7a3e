"""Conversions: every format to every other, byte-exact where it can be; nothing lost without a word."""

import numpy as np
import pytest

from rnass.errors import ConfigError, InputError, OutputError, RnassError
from rnass.io import LabelledRecord, read_dot_bracket, read_structures
from rnass.jobs.convert import TARGETS, convert_file, read_records, write_records
from rnass.rna import Rna
from rnass.structure import Structure

KNOTS = ">one\nGGCCAAAGGAAGGCCAAACC\n((((...[[...))))..]]\n>two\nGAAAC\n(...)\n"
HEADED = ">one of two words\nGGCCAAAGGAAGGCCAAACC\n((((...[[...))))..]]\n"


@pytest.fixture
def knots(tmp_path):
    path = tmp_path / "knots.dbn"
    path.write_text(KNOTS)
    return path


@pytest.mark.parametrize("suffix", [".ct", ".dbn", ".sto", ".stk", ".tsv", ".db", ".dot"])
def test_there_and_back_is_byte_exact(tmp_path, knots, suffix):
    there, back, again = tmp_path / f"x{suffix}", tmp_path / "back.dbn", tmp_path / f"again{suffix}"
    said = convert_file(knots, there)
    assert said == f"{there}: 2 records, 7 pairs"
    convert_file(there, back)
    convert_file(back, again)
    assert back.read_text() == KNOTS
    assert again.read_bytes() == there.read_bytes()


@pytest.mark.parametrize("formats", ["none", "parquet", "ct,dbn,bpseq"])
def test_a_results_folder_gives_each_record_once(tmp_path, predict, formats):
    if formats == "parquet":
        pytest.importorskip("pyarrow")
    (tmp_path / "x.fa").write_text(">one first\nGGGGAAAACCCC\n>one second\nGGGC&GCCC\n")
    assert predict("x.fa", "--out", "out", "--format", formats)[0] == 0
    expected = (tmp_path / "out" / "predictions.dbn").read_text()
    convert_file(tmp_path / "out", tmp_path / "all.dbn")
    assert (tmp_path / "all.dbn").read_text() == expected
    for table in (tmp_path / "out").glob("*.parquet"):
        convert_file(table, tmp_path / "table.dbn")
        assert (tmp_path / "table.dbn").read_text() == expected


@pytest.mark.parametrize("suffix", [".bpseq", ".ct", ".dbn"])
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
    target = tmp_path / "x.dbn"
    target.write_text("mine")
    with pytest.raises(OutputError, match="is there already; expected another name, or --overwrite"):
        convert_file(knots, target)
    assert target.read_text() == "mine"
    convert_file(knots, target, overwrite=True)
    assert target.read_text() == KNOTS


def test_what_is_read_stays_under_any_name(tmp_path, knots):
    (tmp_path / "link.dbn").symlink_to(knots)
    folder = tmp_path / "many"
    convert_file(knots, folder, split="dbn")
    before = {path: path.read_text() for path in (knots, *folder.iterdir())}
    for source, target in ((knots, knots), (knots, tmp_path / "link.dbn"), (folder, folder / "one.dbn")):
        with pytest.raises(OutputError, match=r"\.dbn: is read; expected another name"):
            convert_file(source, target, overwrite=True)
    with pytest.raises(OutputError, match=r"one\.dbn: is read; expected another name"):
        convert_file(folder, folder, split="dbn", overwrite=True)
    assert {path: path.read_text() for path in before} == before


def test_the_target_is_checked_before_anything_is_read(tmp_path):
    (tmp_path / "x.dbn").mkdir()
    with pytest.raises(OutputError, match=r"x\.dbn: is a folder; expected the name of a file"):
        convert_file(tmp_path / "none.ct", tmp_path / "x.dbn", overwrite=True)


@pytest.mark.parametrize("name", ["x.npy", "x.txt", "x"])
def test_other_targets_are_refused(tmp_path, knots, name):
    with pytest.raises(OutputError, match=r"no format '.*'; expected \.bpseq, \.ct"):
        convert_file(knots, tmp_path / name)
    assert set(TARGETS) >= {".ct", ".bpseq", ".dbn", ".sto"}


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
        (np.zeros((6, 6)), r"shape \(6, 6\), float64; expected 7 x 7 numbers"),
        (np.zeros(7), "expected 7 x 7 numbers"),
        (np.full((7, 7), "a"), "expected 7 x 7 numbers"),
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
    with pytest.raises(InputError, match=r"--threshold 0.9: .* expected it for a \.npy map only"):
        read_records(knots, threshold=0.9)
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
    knot = LabelledRecord(Rna("x", bases), Structure(62, np.array(pairs) - 1))
    write_records(tmp_path / "x.ct", [knot])
    for suffix in ("dbn", "sto", "tsv"):
        with pytest.raises(RnassError, match="pseudoknot order 30"):
            convert_file(tmp_path / "x.ct", tmp_path / f"x.{suffix}")
        assert not (tmp_path / f"x.{suffix}").exists()
    convert_file(tmp_path / "x.ct", tmp_path / "x.bpseq")
    assert read_records(tmp_path / "x.bpseq")[0].structure == knot.structure


@pytest.mark.parametrize("suffix", ["ct", "bpseq", "dbn", "tsv"])
def test_two_strands_stay_two(tmp_path, suffix):
    text = ">d of two\nGGCGAAGG&UUCGCC\n((((((..&))))))\n"
    (tmp_path / "a.dbn").write_text(text)
    convert_file(tmp_path / "a.dbn", tmp_path / f"x.{suffix}")
    ((read, structure),) = read_structures(tmp_path / f"x.{suffix}")
    assert (read.nick, len(structure.pairs)) == (8, 6)
    convert_file(tmp_path / f"x.{suffix}", tmp_path / "back.dbn")
    expected = text.replace(" of two", "") if suffix == "tsv" else text
    assert (tmp_path / "back.dbn").read_text() == expected


def test_the_brackets_of_a_file_tell_which_helix_is_the_pseudoknot(tmp_path):
    (tmp_path / "x.sto").write_text(
        "# STOCKHOLM 1.0\na   GGGGAACCCCAACCCCAAGGGG\n#=GC SS_cons <<<<..AAAA..>>>>..aaaa\n//\n"
    )
    convert_file(tmp_path / "x.sto", tmp_path / "x.dbn")
    assert (tmp_path / "x.dbn").read_text().splitlines()[2] == "((((..[[[[..))))..]]]]"
    convert_file(tmp_path / "x.sto", tmp_path / "nested.dbn", pseudoknots=False)
    assert (tmp_path / "nested.dbn").read_text().splitlines()[2] == "((((........))))......"


@pytest.mark.parametrize("half", [np.triu, np.tril, lambda p: p])
def test_one_triangle_of_a_map_is_as_good_as_both(tmp_path, half):
    p = np.zeros((7, 7))
    p[0, 6] = p[6, 0] = 0.9
    np.save(tmp_path / "y.npy", half(p))
    (record,) = read_records(tmp_path / "y.npy", sequence=fasta(tmp_path))
    assert record.structure == Structure(7, [(0, 6)])


def test_a_map_whose_triangles_differ_is_refused(tmp_path):
    p = np.zeros((7, 7))
    p[0, 6], p[6, 0] = 0.9, 0.2
    np.save(tmp_path / "y.npy", p)
    with pytest.raises(InputError, match=r"0\.9 for bases 1 and 7, 0\.2 for 7 and 1; expected a symm"):
        read_records(tmp_path / "y.npy", sequence=fasta(tmp_path))


def test_a_map_of_two_strands_is_decoded_with_its_nick(tmp_path):
    """No hairpin lies across the nick: the two bases beside it may pair."""
    p = np.zeros((4, 4))
    p[1, 2] = p[2, 1] = 0.9
    np.save(tmp_path / "d.npy", p)
    (record,) = read_records(tmp_path / "d.npy", sequence=fasta(tmp_path, ">d\nAG&CA\n"))
    assert record.structure == Structure(4, [(1, 2)])


def test_a_header_that_claims_more_than_memory_holds_is_refused(tmp_path):
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }"
    content = header + b" " * (117 - len(header)) + b"\n"
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + b"\x76\x00" + content)
    with pytest.raises(InputError, match="not an array; expected NumPy's format"):
        read_records(tmp_path / "x.npy", sequence=fasta(tmp_path))


@pytest.mark.parametrize("name", ["x" * 300 + ".dbn", "x\0.dbn", "\ud800.dbn"])
def test_names_that_no_file_can_have(tmp_path, knots, name):
    with pytest.raises(OutputError, match="expected a place that can be written"):
        convert_file(knots, tmp_path / name)
    with pytest.raises(InputError, match="expected a file to read"):
        convert_file(tmp_path / name, tmp_path / "y.dbn")


def test_the_input_of_boltz_is_one_file_or_a_folder(tmp_path, knots):
    convert_file(knots, tmp_path / "inputs", program="boltz")
    assert sorted(path.name for path in (tmp_path / "inputs").iterdir()) == ["one.yaml", "two.yaml"]
    (tmp_path / "two.dbn").write_text(">two\nGAAAC\n(...)\n")
    convert_file(tmp_path / "two.dbn", tmp_path / "x.yaml", program="boltz")
    assert (tmp_path / "x.yaml").read_bytes() == (tmp_path / "inputs" / "two.yaml").read_bytes()
    with pytest.raises(OutputError, match="2 records; expected one, or --split yaml"):
        convert_file(knots, tmp_path / "y.yaml", program="boltz")
    with pytest.raises(OutputError, match="AlphaFold 3"):
        convert_file(knots, tmp_path / "z", program="af3")


def test_a_malformed_record_costs_the_others_nothing(tmp_path):
    path, out = tmp_path / "x.dbn", tmp_path / "x.ct"
    path.write_text(">a\nGAAAC\n(...)\n>b\nGAAAC\n(....\n>c\nGAAAC\n.....\n")
    problems = []
    assert convert_file(path, out, problems=problems) == f"{out}: 2 records, 1 pair"
    assert [rna.id for rna, _ in read_structures(out)] == ["a", "c"]
    assert "x.dbn:6" in str(problems[0])
    path.write_text(">b\nGAAAC\n(....\n")
    with pytest.raises(RnassError, match=r"x\.dbn:3"):
        convert_file(path, out, overwrite=True, problems=[])


def test_the_bad_files_of_a_folder_cost_the_others_nothing(tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "a.dbn").write_text(">a\nGAAAC\n(...)\n")
    (folder / "b.ct").write_text("5 b\n1 G 0 2 5 1\n")
    (folder / "c.bpseq").write_text("1 G 0\n2 X 0\n")
    problems = []
    records = read_records(folder, problems=problems)
    assert [one.sequence.id for one in records] == ["a"]
    assert [str(one).split(":")[0].rpartition("/")[2] for one in problems] == ["b.ct", "c.bpseq"]
