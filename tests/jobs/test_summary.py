from dataclasses import fields

from rnass.jobs.summary import SummaryRow, write_summary


def read(tmp_path, rows):
    write_summary(tmp_path / "summary.tsv", rows)
    lines = (tmp_path / "summary.tsv").read_text().split("\n")
    assert lines.pop() == ""
    return [line.split("\t") for line in lines]


def test_columns_without_a_baseline(tmp_path):
    header, row = read(
        tmp_path,
        [
            SummaryRow(
                id="tRNA",
                file="tRNA",
                length=76,
                pairs=20,
                pseudoknot_order=0,
                confidence=0.91234567,
                mfe_kcal_mol=-21.6,
                f1_mfe=1.0,
                seconds=0.25,
            )
        ],
    )
    assert header == [
        "id",
        "file",
        "length",
        "pairs",
        "pseudoknot_order",
        "confidence",
        "mfe_kcal_mol",
        "f1_mfe",
        "seconds",
        "status",
        "message",
    ]
    assert row == ["tRNA", "tRNA", "76", "20", "0", "0.9123", "-21.6", "1.0", "0.25", "ok", ""]


def test_the_baseline_adds_its_columns_for_all_rows(tmp_path):
    header, first, second = read(tmp_path, [SummaryRow(id="a"), SummaryRow(id="b", f1_mea=0.5)])
    assert header[8:11] == ["f1_mea", "seconds", "status"]
    assert (first[8], second[8]) == ("", "0.5")
    (header, _) = read(
        tmp_path,
        [SummaryRow(id="a", mea_kcal_mol=-1.0, f1_mea=1.0, centroid_kcal_mol=0.0, f1_centroid=0.0)],
    )
    of_elements = {"elements", "stems", "hairpins", "bulges", "interior_loops", "multiloops"}
    of_elements |= {"pseudoknotted_helices"}
    assert header == [field.name for field in fields(SummaryRow) if field.name not in of_elements]


def test_no_cell_breaks_the_table(tmp_path):
    message = "tab\there, line\nand\r\\n"
    rows = read(tmp_path, [SummaryRow(id="a\tb", status="failed", message=message)])
    assert len(rows) == 2
    assert rows[1][0] == r"a\tb"
    assert rows[1][-1] == r"tab\there, line\nand\r\\n"


def test_no_rows(tmp_path):
    assert len(read(tmp_path, [])) == 1


def test_elements_are_columns_only_where_a_row_has_them(tmp_path):
    rows = [SummaryRow(id="a", elements="shhhs", stems=1, hairpins=1, bulges=0), SummaryRow(id="b")]
    header, first, second = read(tmp_path, rows)
    assert header.index("elements") < header.index("stems") < header.index("seconds")
    assert dict(zip(header, first, strict=True))["bulges"] == "0"
    assert dict(zip(header, second, strict=True))["elements"] == ""
    assert "multiloops" not in header
