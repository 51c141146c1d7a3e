"""What stands in the page, without a browser."""

import base64
import json
import re
import zlib

import numpy as np
import pytest
from report_folders import DIMER, HAIRPIN, KNOT, write_results
from scipy.sparse import csr_array

from rnass.errors import InputError
from rnass.io import read_results, write_map
from rnass.report import report_page, write_report
from rnass.report.records import LEAST, record_data

HOSTILE = "</script><img/src=x/onerror=alert(1)>"


def embedded(page, name):
    """The JSON of the script element of that id."""
    return json.loads(
        re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)[1]
    )


@pytest.fixture
def folder(tmp_path):
    records = [("one", *HAIRPIN), ("knot", *KNOT), ("two", *DIMER)]
    return write_results(
        tmp_path / "res", records, failed=[("bad", "x.fa:3 (bad): letter <X>")], vienna=True
    )


def test_table_and_facts_are_those_of_the_run(folder):
    page = report_page(read_results(folder))
    data = embedded(page, "data")
    assert data["title"] == "res"
    assert ["records", "3 records predicted of 4"] in data["facts"]
    assert ["time", "3 s"] in data["facts"]
    assert data["warnings"] == ["x.fa:3 (bad): letter <X>"]
    assert [row["record"] for row in data["rows"]] == [0, 1, 2, None]
    assert [row["length"] for row in data["rows"]] == [12, 15, 8, None]
    assert {"file", "seconds"}.isdisjoint(row for row, *_ in data["columns"])
    assert [name for name, *_ in data["columns"]][:3] == ["id", "status", "length"]


def test_the_status_is_not_in_front_where_no_record_failed(tmp_path):
    folder = write_results(tmp_path / "res", [("one", *HAIRPIN)])
    names = [name for name, *_ in embedded(report_page(read_results(folder)), "data")["columns"]]
    assert names[:2] == ["id", "length"]
    assert "status" in names


def test_evidence_conditions_and_alternatives_are_among_the_facts(tmp_path):
    run = {
        "restraints": {
            "constraints": "a.con",
            "shape": "a.shape",
            "modifier": "DMS",
            "shape_method": "D",
        },
        "families": {"file": "Rfam.cm", "sha256": "0"},
        "conditions": "30 C, 1.021 M NaCl: by turner2004",
        "options": {"alternatives": 3},
    }
    folder = write_results(tmp_path / "res", [("one", *HAIRPIN)], run=run)
    assert embedded(report_page(read_results(folder)), "data")["facts"][1:-1] == [
        ["restraints", "constraints a.con, shape a.shape, DMS, D"],
        ["families", "Rfam.cm"],
        ["conditions", "30 C, 1.021 M NaCl: by turner2004"],
        ["alternatives", "3"],
    ]


def test_what_was_not_asked_for_is_no_fact(tmp_path):
    run = {"restraints": {"constraints": None, "shape": None, "shape_method": "D"}, "options": {}}
    folder = write_results(tmp_path / "res", [("one", *HAIRPIN)], run=run)
    facts = embedded(report_page(read_results(folder)), "data")["facts"]
    assert [name for name, _ in facts] == ["records", "page"]


def test_records_are_packed_whole(folder):
    packed = embedded(report_page(read_results(folder)), "packed")
    knot = json.loads(zlib.decompress(base64.b64decode(packed[1])))
    assert (knot["bases"], knot["dot_bracket"]) == KNOT
    assert knot["mfe"] == "(((......)))..."
    assert len(knot["xy"]) == 30
    values = np.load(folder / "r1.npy")
    i, j, thousandths = knot["map"]
    assert {(a, b) for a, b in zip(i, j, strict=True)} == set(
        zip(*np.nonzero(np.triu(values)), strict=True)
    )
    assert np.allclose(np.array(thousandths) / 1000, values[i, j], atol=5e-4)
    two = json.loads(zlib.decompress(base64.b64decode(packed[2])))
    assert (two["nick"], two["note"]) == (4, " (two strands: 1-4 and 5-8)")


def test_small_probabilities_are_left_out_but_not_those_of_the_structure(folder):
    values = np.full((12, 12), LEAST / 2, dtype=np.float32)
    values[1, 2] = values[2, 1] = 0.3
    np.save(folder / "r0.npy", values)
    i, j, _ = record_data(read_results(folder).records[0])["map"]
    assert list(zip(i, j, strict=True)) == [(0, 11), (1, 2), (1, 10), (2, 9), (3, 8)]


def test_a_record_without_a_map_has_none(folder):
    (folder / "r0.npy").unlink()
    data = record_data(read_results(folder).records[0])
    assert {"map", "confidence"}.isdisjoint(data)


def test_a_map_of_windows_is_packed_as_any_other(folder):
    record = read_results(folder).records[1]
    whole = record_data(record)
    write_map(folder / "r1.npz", csr_array(np.load(folder / "r1.npy")))
    (folder / "r1.npy").unlink()
    found = record_data(record)
    assert (whole.pop("sparse"), found.pop("sparse")) == (False, True)
    assert (whole.pop("map_file"), found.pop("map_file")) == ("r1.npy", "r1.npz")
    assert found == whole
    assert len(found["confidence"]) == len(found["bases"])


def test_names_cannot_break_out_of_the_page(tmp_path):
    folder = write_results(tmp_path / "x", [(HOSTILE, *HAIRPIN)], failed=[(HOSTILE, HOSTILE)])
    page = report_page(read_results(folder))
    assert HOSTILE not in page
    assert embedded(page, "data")["rows"][0]["id"] == HOSTILE


def test_the_page_names_no_other_place_and_carries_the_licence_of_the_table(folder):
    page = write_report(folder).read_text(encoding="utf-8")
    assert "sourceMappingURL" not in page
    assert re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="(?!data:)[^"]*"', page) == []
    assert "Copyright (c) 2015-2026 Oli Folkerd" in page


def test_an_interrupted_run_is_told(folder):
    (folder / "run.json").unlink()
    assert "run.json is missing" in embedded(report_page(read_results(folder)), "data")["warnings"][0]


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(InputError, match="no results"):
        write_report(tmp_path)


def test_a_thousand_records_of_120_bases_stay_under_15_megabytes(tmp_path):
    rng = np.random.default_rng(1)
    stem = "(" * 20 + "." * 10 + ")" * 20
    records = [
        (f"r{k}", "".join(rng.choice(list("ACGU"), 120)), f"..{stem}....{stem}".ljust(120, "."))
        for k in range(1000)
    ]
    folder = write_results(tmp_path / "big", records, formats=False)
    for k in range(0, 1000, 100):  # as full as a map can be
        np.save(folder / f"r{k}.npy", np.full((120, 120), 1 / 120, dtype=np.float32))
    assert write_report(folder).stat().st_size < 15_000_000
