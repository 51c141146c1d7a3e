import gzip
import io
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnass.errors import InputError
from rnass.io import STRUCTURE_SUFFIXES, read_dot_bracket, read_structures

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["trna_phe", "bwyv"])
@pytest.mark.parametrize("suffix", ["ct", "bpseq", "dbn"])
def test_all_formats_hold_the_same_pairs(name, suffix):
    ((_, expected),) = read_dot_bracket(GOLDEN / f"{name}.dbn")
    ((sequence, structure),) = read_structures(GOLDEN / f"{name}.{suffix}")
    assert structure == expected
    assert len(sequence) == len(structure)


@pytest.mark.parametrize("suffix", [".db", ".dot", ".DBN"])
def test_other_suffixes_of_dot_bracket(tmp_path, suffix):
    shutil.copy(GOLDEN / "bwyv.dbn", tmp_path / f"x{suffix}")
    assert read_structures(tmp_path / f"x{suffix}") == read_structures(GOLDEN / "bwyv.dbn")


def test_gzip(tmp_path):
    (tmp_path / "x.1.ct.gz").write_bytes(gzip.compress((GOLDEN / "bwyv.ct").read_bytes()))
    assert read_structures(tmp_path / "x.1.ct.gz") == read_structures(GOLDEN / "bwyv.ct")


def test_table(tmp_path):
    (tmp_path / "x.tsv").write_text("id\tsequence\tdot_bracket\na\tGAAC\t(..)\n")
    ((sequence, structure),) = read_structures(tmp_path / "x.tsv")
    assert (sequence.id, structure.dot_bracket) == ("a", "(..)")


def test_a_record_without_a_name_is_called_after_its_file(tmp_path):
    (tmp_path / "NR_1.4.ct").write_text("1\n1 A 0 0 0 1\n")
    (tmp_path / "b.bpseq.gz").write_bytes(gzip.compress(b"1 A 0\n"))
    assert read_structures(tmp_path / "NR_1.4.ct")[0][0].id == "NR_1.4"
    assert read_structures(tmp_path / "b.bpseq.gz")[0][0].id == "b"


@pytest.mark.parametrize("name", ["bwyv.ct", "bwyv.bpseq", "bwyv.dbn", "table.tsv", "rows.sto"])
@pytest.mark.parametrize(
    "other", ["x", "x.txt", "x.ct", "x.bpseq", "x.dbn", "x.sto", "x.tsv", "x.fa.gz"]
)
def test_the_content_decides_and_not_the_name(tmp_path, name, other):
    (tmp_path / "table.tsv").write_text("id\tsequence\tdot_bracket\na\tGAAC\t(..)\n")
    (tmp_path / "rows.sto").write_text("# STOCKHOLM 1.0\na GAAC\n#=GC SS_cons <..>\n//\n")
    source = GOLDEN / name if (GOLDEN / name).exists() else tmp_path / name
    shutil.copy(source, tmp_path / other)
    assert read_structures(tmp_path / other) == read_structures(source)


def test_standard_input(monkeypatch):
    content = (GOLDEN / "bwyv.ct").read_bytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    assert read_structures("-") == read_structures(GOLDEN / "bwyv.ct")


@pytest.mark.parametrize("suffix", [".txt", *STRUCTURE_SUFFIXES])
@pytest.mark.parametrize("text", ["", "\n \n"])
def test_an_empty_file_is_called_empty(tmp_path, suffix, text):
    (tmp_path / f"x{suffix}").write_text(text)
    with pytest.raises(InputError, match=rf"x\{suffix}: empty; expected CT"):
        read_structures(tmp_path / f"x{suffix}")


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("x.dbn", ">a\nGAAAC\n(...)\n>b\nGAAAC\n(....\n>c\nGAAAC\n(...)\nxyz\n>d\nGAAAC\n.....\n", 6),
        ("x.tsv", "id\tsequence\tdot_bracket\na\tGAAAC\t(...)\nb\tGAAAC\t(..\nd\tGAAAC\t.....\n", 3),
        ("x.sto", "# STOCKHOLM 1.0\na GAAAC\nb G!AAC\nd GAAAC\n#=GC SS_cons (...)\n//\n", 3),
    ],
)
def test_a_malformed_record_costs_the_others_nothing_where_problems_are_kept(
    tmp_path, name, text, place
):
    (tmp_path / name).write_text(text)
    problems = []
    assert [rna.id for rna, _ in read_structures(tmp_path / name, problems)] == ["a", "d"]
    assert sorted(str(one) for one in problems)[-1].startswith(f"{tmp_path / name}:{place} (b)")
    assert len(problems) == 1 + (name == "x.dbn")
    with pytest.raises(InputError):
        read_structures(tmp_path / name)


@pytest.mark.parametrize("text", ["hello world\n", "1 2\n", "{}\n", "a,b\n"])
def test_what_is_no_structure_file(tmp_path, text):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(InputError, match="neither a structure file nor a suffix of one; expected CT"):
        read_structures(tmp_path / "x.txt")


@pytest.mark.parametrize("suffix", STRUCTURE_SUFFIXES)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\1\2", "a binary file; expected text"),
        (b"\n\xff", ":2: byte 0xff is not UTF-8"),
        (gzip.compress(b"ACGU" * 100, mtime=0)[:-9], "damaged gzip"),
    ],
)
def test_files_that_are_no_text(tmp_path, suffix, content, message):
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_structures(path)


@pytest.mark.parametrize("suffix", STRUCTURE_SUFFIXES)
def test_missing_file(tmp_path, suffix):
    with pytest.raises(InputError, match="no such file"):
        read_structures(tmp_path / f"x{suffix}")
