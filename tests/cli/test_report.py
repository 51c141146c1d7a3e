"""`rnass report` from the command line."""

import pytest
from report_folders import HAIRPIN, write_results


def test_the_page_is_written_into_the_folder(rna, tmp_path):
    write_results(tmp_path / "res", [("one", *HAIRPIN)])
    assert rna("report", "res")[:2] == (0, "res/report.html\n")
    assert (tmp_path / "res" / "report.html").read_text().startswith("<!DOCTYPE html>")


def test_another_folder_is_refused_in_one_line(rna, tmp_path):
    status, _, error = rna("report", tmp_path)
    assert status == 2
    assert error.endswith("no results; expected summary.tsv and predictions.dbn of rnass predict\n")


@pytest.mark.parametrize(
    ("kind", "words"),
    [("map", "◣ ViennaRNA"), ("drawing", "confidence (rnass)"), ("arcs", "ViennaRNA MFE")],
)
def test_predict_draws_the_kind_that_is_chosen_and_writes_the_page(kind, words, predict, tmp_path):
    options = (
        "--sequence",
        HAIRPIN[0],
        "--out",
        "res",
        "--plot",
        "svg",
        "--plot-kind",
        kind,
        "--report",
    )
    assert predict(*options)[0] == 0
    assert words in (tmp_path / "res" / "sequence.svg").read_text(encoding="utf-8")
    assert '"id": "sequence"' in (tmp_path / "res" / "report.html").read_text(encoding="utf-8")


def test_a_page_of_an_earlier_run_does_not_outlive_it(predict, tmp_path):
    options = ("--sequence", HAIRPIN[0], "--out", "res")
    assert predict(*options, "--report")[0] == 0
    assert predict(*options, "--overwrite")[0] == 0
    assert not (tmp_path / "res" / "report.html").exists()


def test_compare_writes_the_page_of_its_tables(rna, weights, tmp_path):
    options = (
        "--sequence",
        HAIRPIN[0],
        "--weights",
        weights,
        "--threads",
        "1",
        "--out",
        "res",
        "--report",
    )
    assert rna("compare", *options)[0] == 0
    page = (tmp_path / "res" / "report.html").read_text(encoding="utf-8")
    assert '"name": "pairs.tsv"' in page


def test_evaluate_without_a_folder_has_no_place_for_a_page(rna, tmp_path):
    (tmp_path / "known.dbn").write_text(f">a\n{HAIRPIN[0]}\n{HAIRPIN[1]}\n")
    status, _, error = rna("evaluate", "--data", "known.dbn", "--report")
    assert status == 2
    assert "--report without --out" in " ".join(error.replace("│", " ").split())
