"""The page of a comparison or an evaluation."""

import json
import re

import pytest

from rnass.errors import InputError
from rnass.report import has_tables, tables_page, write_report

PAIRS = (
    "id\ti\tj\tmethods\tprobability\na\t1\t9\trnass\t0.9\na\t2\t8\tViennaRNA MFE\t\n"
    "b\t3\t7\trnass\t0.25\n"
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><rect width="10" height="10"/></svg>'
)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pairs.tsv").write_text(PAIRS)
    (tmp_path / "methods.tsv").write_text("id\t<h1>method</h1>\n<img src=x>\trnass\n")
    (tmp_path / "a.svg").write_text(SVG)
    return tmp_path


def data_of(page):
    return json.loads(
        re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.S)[1]
    )


def test_tables_and_figures_are_in_the_page(folder):
    data = data_of(tables_page(folder))
    methods, pairs = data["tables"]
    assert (methods["name"], pairs["name"]) == ("methods.tsv", "pairs.tsv")
    assert pairs["columns"][1] == ["c1", "i", True]
    assert pairs["columns"][3] == ["c3", "methods", False]
    assert [row["c4"] for row in pairs["rows"]] == [0.9, None, 0.25]
    assert [name for name, _ in data["figures"]] == ["a"]


def test_a_comparison_tells_how_it_was_made_and_what_failed(folder):
    summary = "id\tfile\tlength\tstatus\tmessage\na\ta\t9\tok\t\nb\tb\t7\tfailed\tb: too long\n"
    (folder / "summary.tsv").write_text(summary)
    (folder / "run.json").write_text('{"inputs": ["x.fa"], "exit_status": 130}')
    data = data_of(tables_page(folder))
    assert data["facts"][:2] == [["records", "1 record of 2"], ["inputs", "x.fa"]]
    assert data["notes"] == [
        "the run was interrupted: the records not reached are missing",
        "b: too long",
    ]


def test_an_evaluation_has_its_facts_in_the_text(folder):
    data = data_of(tables_page(folder))
    assert (data["facts"], data["notes"]) == ([], [])


def test_a_torn_table_is_refused(folder):
    (folder / "pairs.tsv").write_text("id\ti\na\n")
    with pytest.raises(InputError, match="rows of unequal length"):
        tables_page(folder)


def test_only_such_folders_have_tables(folder, tmp_path_factory):
    assert has_tables(folder)
    assert not has_tables(tmp_path_factory.mktemp("none"))


def test_the_page_in_a_browser(folder, page):
    expect = pytest.importorskip("playwright.sync_api").expect
    page.goto(write_report(folder).as_uri())
    page.wait_for_selector("body[data-ready]")
    table = page.locator(".table[data-table='pairs.tsv']")
    cells = table.locator(".tabulator-row [tabulator-field=c4]").all_inner_texts()
    assert [cell.strip() for cell in cells] == ["0.90", "", "0.25"]
    table.locator("[tabulator-field=c4] input").press_sequentially("> 0.5")
    expect(table.locator("+ p")).to_have_text("1 of 3 rows")
    assert page.locator("details img").count() == 1
    assert not page.locator("#run").is_visible()
    assert page.locator(".table[data-table='methods.tsv'] :is(img, h1)").count() == 0
    assert page.problems == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:"))] == []
