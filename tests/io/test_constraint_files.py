"""Constraint files: what is read, and one row for each kind of malformed file with its place."""

import pytest

from rnass.errors import ConstraintError, InputError, SequenceError
from rnass.io import ConSections, read_constraints, read_fasta

CON = (
    "DS:\n15\n3\n-1\nSS:\n1\n-1\nMod:\n2\n-1\nPairs:\n16 4\n-1 -1\nFMN:\n5\n-1\nForbids:\n6 12\n-1 -1\n"
)
BLOCKS = ">a one\nGGGGAAAACCCC\n(x........x)\n>b\nGGGGAAAACCCC\n>>..|...<<xx\n>c\n..||..\n"


def test_blocks_with_and_without_bases(tmp_path):
    (tmp_path / "c.txt").write_text(BLOCKS)
    a, b, c = read_constraints(tmp_path / "c.txt")
    assert [(one.name, one.line, one.named) for one in (a, b, c)] == [
        ("a", "(x........x)", True),
        ("b", ">>..|...<<xx", True),  # a line that begins as a header does
        ("c", "..||..", True),
    ]
    assert (a.sequence.bases, c.sequence) == ("GGGGAAAACCCC", None)
    assert a.where == f"{tmp_path / 'c.txt'}:3 (a)"


def test_a_file_without_header_is_called_after_itself(tmp_path):
    (tmp_path / "hp.txt").write_text("# mine\r\nGGGGAAAACCCC\r\n\r\nx...........\r\n")
    (one,) = read_constraints(tmp_path / "hp.txt")
    assert (one.name, one.line, one.named) == ("hp", "x...........", False)


def test_con_sections_are_counted_from_0(tmp_path):
    (tmp_path / "hp.con").write_text(CON)
    (one,) = read_constraints(tmp_path / "hp.con")
    assert one == ConSections(
        "hp",
        str(tmp_path / "hp.con"),
        paired=frozenset({14, 2}),
        unpaired=frozenset({0}),
        modified=frozenset({1}),
        cleaved=frozenset({4}),
        pairs=frozenset({(3, 15)}),
        forbidden=frozenset({(5, 11)}),
    )


def test_a_folder_names_records_by_its_files(tmp_path):
    (tmp_path / "b.con").write_text("SS:\n2\n-1\n")
    (tmp_path / "a.txt").write_text("x...\n")
    (tmp_path / "notes.md").write_text("nothing\n")
    assert [(one.name, one.named) for one in read_constraints(tmp_path)] == [("a", True), ("b", True)]


def test_fasta_passes_over_constraint_lines_only_when_told(tmp_path):
    (tmp_path / "s.fa").write_text(BLOCKS.split(">c", maxsplit=1)[0])
    good, bad = read_fasta(tmp_path / "s.fa", constraint_lines=True)
    assert ([s.bases for s in good], bad) == (["GGGGAAAACCCC"] * 2, [])
    _, bad = read_fasta(tmp_path / "s.fa")
    assert "a line of constraints" in str(bad[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "c.txt: no constraints; expected a line"),
        (">a\nGGGG\n", "c.txt: no constraints; expected a line"),
        (">a\n>b\n....\n", "c.txt:1 (a): nothing here"),
        (">a\n....\nx...\n", "c.txt:3 (a): a second constraint"),
        (">a\n....\nGGGG\n", "c.txt:3 (a): letters under the constraint"),
        (">a\nGGZG\n....\n", "c.txt:2 (a): letter 'Z' at base 3"),
        ("DS:\n1\n", "c.txt:1: the section is never ended"),
        ("DS:\n1\n-1\nDS:\n2\n-1\n", "c.txt:4: section DS: stands twice"),
        ("DS:\n1\n-1\nSHAPE:\n", "c.txt:4: 'SHAPE:'; expected a section"),
        ("DS:\n0\n-1\n", "c.txt:2: base '0'; expected a number from 1"),
        ("DS:\nG4\n-1\n", "c.txt:2: base 'G4'"),
        ("DS:\n1 2\n-1\n", "c.txt:2: 2 columns; expected 1"),
        ("Pairs:\n1\n-1 -1\n", "c.txt:2: 1 column; expected 2"),
        ("Pairs:\n4 4\n-1 -1\n", "c.txt:2: base 4 with itself"),
        ("Pairs:\n1 9\n-1 3\n", "c.txt:3: '-1 3'; expected -1 to end"),
    ],
)
def test_malformed_files(tmp_path, text, message):
    (tmp_path / "c.txt").write_text(text)
    with pytest.raises((ConstraintError, SequenceError)) as error:
        read_constraints(tmp_path / "c.txt")
    assert message in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_constraints(tmp_path / "none.con")
    with pytest.raises(InputError, match=r"no file to read in this folder; expected \.con"):
        read_constraints(tmp_path)


def test_the_last_section_of_a_file_that_rnastructure_writes(tmp_path):
    text = "DS:\n3\n-1\nForbids:\n-1 -1\nMicroarray Constraints:\n"
    (tmp_path / "c.con").write_text(f"{text}0\n")
    (found,) = read_constraints(tmp_path / "c.con")
    assert found.paired == {2}
    (tmp_path / "c.con").write_text(f"{text}1\n3 9 2\n")
    with pytest.raises(ConstraintError, match=r"c\.con:7: '1' microarray constraints, .*; expected 0"):
        read_constraints(tmp_path / "c.con")


def test_a_line_typed_in_place_of_a_file_is_recognised():
    with pytest.raises(ConstraintError, match="no such file; expected a file with this line under '>'"):
        read_constraints("((((....))))")
