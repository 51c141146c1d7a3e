"""`rnass report` from the command line."""

from report_folders import HAIRPIN, write_results


def test_the_page_is_written_into_the_folder(rna, tmp_path):
    write_results(tmp_path / "res", [("one", *HAIRPIN)])
    assert rna("report", "res")[:2] == (0, "res/report.html\n")
    assert (tmp_path / "res" / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_another_folder_is_refused_in_one_line(rna, tmp_path):
    status, _, error = rna("report", tmp_path)
    assert status == 2
    assert error.endswith("no results; expected summary.tsv and predictions.dbn of rnass predict\n")
