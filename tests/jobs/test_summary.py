from rnass.jobs.summary import write_summary


def read(tmp_path, *rows, columns=("id", "pairs", "confidence", "message")):
    write_summary(tmp_path / "summary.tsv", columns, rows)
    lines = (tmp_path / "summary.tsv").read_text().split("\n")
    assert lines.pop() == ""
    return [line.split("\t") for line in lines]


def test_cells_stand_in_their_columns(tmp_path):
    row = {"confidence": 0.91234567, "id": "tRNA", "pairs": 20, "further": 1}
    header, first, second = read(tmp_path, row, {"id": "b", "pairs": None})
    assert header == ["id", "pairs", "confidence", "message"]
    assert first == ["tRNA", "20", "0.9123", ""]
    assert second == ["b", "", "", ""]


def test_no_cell_breaks_the_table(tmp_path):
    rows = read(tmp_path, {"id": "a\tb", "message": "tab\there, line\nand\r\\n"})
    assert len(rows) == 2
    assert rows[1][0] == r"a\tb"
    assert rows[1][-1] == r"tab\there, line\nand\r\\n"


def test_no_rows(tmp_path):
    assert len(read(tmp_path)) == 1
