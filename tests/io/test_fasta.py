import cProfile
import gzip
import io
import pstats
from types import SimpleNamespace

import pytest

from rnass.errors import InputError, SequenceError
from rnass.io import read_fasta
from rnass.rna import Rna

GOOD = b">tRNA-Phe yeast\nGCGGAUUU\nAGCU\n>x\nACGU\n"


def read(tmp_path, content, name="seqs.fa"):
    path = tmp_path / name
    path.write_bytes(content)
    sequences, problems = read_fasta(path)
    return sequences, [str(problem).replace(str(path), name) for problem in problems]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD, id="plain"),
        pytest.param(GOOD.rstrip(), id="no line end at the end of the file"),
        pytest.param(GOOD.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(GOOD.replace(b"\n", b"\r"), id="CR"),
        pytest.param(b"\xef\xbb\xbf" + GOOD, id="byte-order mark"),
        pytest.param(GOOD.replace(b">x", b"\xef\xbb\xbf>x"), id="files with byte-order marks, joined"),
        pytest.param(b"\n \n" + GOOD.replace(b"\n", b"\n\n"), id="blank lines"),
        pytest.param(b"; about\n" + GOOD.replace(b"AGCU", b";no bases: 1-2\nAGCU"), id="comments"),
        pytest.param(GOOD.replace(b"AGCU", b"AGCU*").replace(b"ACGU", b"ACGU\n*"), id="trailing *"),
        pytest.param(GOOD.replace(b"AGCU", b" AG CU\t"), id="white space between letters"),
        pytest.param(GOOD.replace(b"AGCU", b"agct"), id="lower case and T"),
        pytest.param(gzip.compress(GOOD), id="gzip, whatever the name"),
        pytest.param(gzip.compress(GOOD[:20]) + gzip.compress(GOOD[20:]), id="gzip of two members"),
        pytest.param(gzip.compress(GOOD) + bytes(3 * 2**20), id="gzip with zeros behind it"),
    ],
)
def test_what_is_tolerated(tmp_path, content):
    sequences, problems = read(tmp_path, content)
    assert problems == []
    assert sequences == [
        Rna("tRNA-Phe", "GCGGAUUUAGCU", "tRNA-Phe yeast"),
        Rna("x", "ACGU", "x"),
    ]


LETTERS = "expected A, C, G, U, T or an IUPAC code"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b">x\nACG\nAC-U\n", f"s.fa:3 (x): letter '-' at base 6; {LETTERS}", id="gap -"),
        pytest.param(b">x\nACG\nAC.U\n", f"s.fa:3 (x): letter '.' at base 6; {LETTERS}", id="gap ."),
        pytest.param(b">x\n1 ACGU\n", f"s.fa:2 (x): letter '1' at base 1; {LETTERS}", id="digit"),
        pytest.param(b">x y\nACGX\n", f"s.fa:2 (x): letter 'X' at base 4; {LETTERS}", id="letter"),
        pytest.param(b">x\nMKLV\n", f"s.fa:2 (x): letter 'L' at base 3; {LETTERS}", id="protein"),
        pytest.param(b">x\nAC*GU\n", f"s.fa:2 (x): letter '*' at base 3; {LETTERS}", id="inner *"),
        pytest.param(
            b">x\nAC&GU&A\n",
            "s.fa:1 (x): strands of 2, 2, 1 bases; expected at most one '&', between two strands",
            id="three strands",
        ),
        pytest.param(
            b">x\nACGU&\n",
            "s.fa:1 (x): strands of 4, 0 bases; expected at most one '&', between two strands",
            id="an empty strand",
        ),
        pytest.param(b">x\nAC&XU\n", f"s.fa:2 (x): letter 'X' at base 3; {LETTERS}", id="in strand 2"),
        pytest.param(b">x\nAC\xce\xa8\n", f"s.fa:2 (x): letter '\u03a8' at base 3; {LETTERS}", id="Psi"),
        pytest.param(
            b">x\n\n>y\nA\n", "s.fa:1 (x): no bases; expected at least one of A, C, G, U, T", id="empty"
        ),
        pytest.param(
            b">x\nA\n>y",
            "s.fa:3 (y): no bases; expected at least one of A, C, G, U, T",
            id="empty, last",
        ),
        pytest.param(
            b">x\n*\n", "s.fa:1 (x): no bases; expected at least one of A, C, G, U, T", id="only *"
        ),
        pytest.param(
            b">\nACX\n", f"s.fa:2 (no name): letter 'X' at base 3; {LETTERS}", id="record without a name"
        ),
        pytest.param(
            b"\nACGU\nAC\n>y\nA\n",
            "s.fa:2: 'ACGU' before any header; expected a line that begins with '>', such as '>my_rna'",
            id="missing header",
        ),
        pytest.param(
            b">x\nGGAAACC\n((...))\n",
            "s.fa:3 (x): a line of constraints or of a structure; expected bases, or "
            "--constraints with this file",
            id="constraints among the bases",
        ),
        pytest.param(
            b"", "s.fa: no records; expected FASTA, a line '>name' and then bases", id="empty file"
        ),
        pytest.param(
            b";only\n\n",
            "s.fa: no records; expected FASTA, a line '>name' and then bases",
            id="comments",
        ),
        pytest.param(b"\x89PNG\r\n\0\0", "s.fa: a binary file; expected text", id="binary"),
        pytest.param(">x\nACGU\n".encode("utf-16"), "s.fa: UTF-16 text; expected UTF-8", id="UTF-16"),
        pytest.param(
            b">x\r\nAC\r\n>y \xe9\r\nGU",
            "s.fa:3 (y): byte 0xe9 is not UTF-8; expected UTF-8 text",
            id="Latin-1",
        ),
        pytest.param(
            b"\xef\xbb\xbf>x\nAC\n\xe9",
            "s.fa:3 (x): byte 0xe9 is not UTF-8; expected UTF-8 text",
            id="Latin-1 behind a byte-order mark",
        ),
        pytest.param(
            gzip.compress(GOOD)[:-12],
            "s.fa: damaged gzip (Compressed file ended before the end-of-stream marker was reached); "
            "expected a whole file",
            id="truncated gzip",
        ),
    ],
)
def test_malformed_input(tmp_path, content, message):
    assert read(tmp_path, content, "s.fa")[1] == [message]


def test_gzip_with_a_flipped_byte(tmp_path):
    content = bytearray(gzip.compress(GOOD))
    content[-6] ^= 0xFF  # in the checksum
    sequences, problems = read(tmp_path, bytes(content))
    assert sequences == []
    assert "damaged gzip" in problems[0]


def test_missing_file_and_folder(tmp_path):
    for path, why in ((tmp_path / "no.fa", "no such file"), (tmp_path, "directory")):
        sequences, (problem,) = read_fasta(path)
        assert sequences == []
        assert type(problem) is InputError
        assert str(problem).startswith(f"{path}: ")
        assert why in str(problem)


def test_every_record_is_checked_and_good_ones_are_kept(tmp_path):
    sequences, problems = read(tmp_path, b"AC\n>a\nAX\n>b\nACGU\n>c\n>d\nA C\n>e\nA9\n", "s.fa")
    assert [sequence.id for sequence in sequences] == ["b", "d"]
    assert [problem.split(":")[1].split(";")[0] for problem in problems] == [
        "1",
        "3 (a)",
        "6 (c)",
        "10 (e)",
    ]


def test_a_byte_that_is_not_utf8_costs_its_record_alone(tmp_path):
    rnas, problems = read(
        tmp_path, b">a\nACGU\n>b caf\xe9\nACGU\n>c\nAC\xb5U\n>d \xce\xb2\nAC\n", "s.fa"
    )
    assert [rna.description for rna in rnas] == ["a", "d β"]
    assert problems == [
        "s.fa:3 (b): byte 0xe9 is not UTF-8; expected UTF-8 text",
        "s.fa:6 (c): byte 0xb5 is not UTF-8; expected UTF-8 text",
    ]


def test_a_peptide_of_iupac_letters_is_warned_of(tmp_path, caplog):
    rnas, problems = read(tmp_path, b">p\nMKVAGSTHRDNCWYB\n>half\nRYACNN\n>n\nNNNNA\n", "s.fa")
    assert len(rnas) == 3
    assert problems == []
    (message,) = caplog.messages
    assert message.endswith("s.fa:1 (p): 10 of 15 letters are read as N; expected an RNA, not a protein")


def test_problems_of_records_are_sequence_errors(tmp_path):
    (tmp_path / "s.fa").write_bytes(b"A\n>x\n-\n")
    assert [type(problem) for problem in read_fasta(tmp_path / "s.fa")[1]] == [SequenceError] * 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input(monkeypatch, pack):
    content = pack(GOOD + b">bad\n?\n")
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    sequences, (problem,) = read_fasta("-")
    assert [sequence.id for sequence in sequences] == ["tRNA-Phe", "x"]
    assert str(problem).startswith("standard input:7 (bad): letter '?' at base 1")


def test_iupac_codes_become_n(tmp_path):
    assert read(tmp_path, b">x\nARYACN\n")[0][0].bases == "ANNACN"


def test_constraint_lines_are_looked_at_once_each(tmp_path):
    """Steps of Python, counted: twice the lines, about twice the steps."""

    def calls(lines):
        (tmp_path / "s.fa").write_text(">x\n" + "ACGU\n" * lines + ".x..\n" * lines)
        profile = cProfile.Profile()
        profile.runcall(read_fasta, tmp_path / "s.fa", constraint_lines=True)
        return pstats.Stats(profile).total_calls

    assert calls(400) < 2.5 * calls(200)
