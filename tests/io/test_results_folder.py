"""A folder written with the writers of the formats and read back."""

import json

import numpy as np
import pytest

from rnass.errors import InputError
from rnass.files import write_npy, write_text
from rnass.io import read_map, read_results, write_dot_bracket
from rnass.jobs.summary import write_summary
from rnass.rna import Rna
from rnass.structure import Structure

HAIRPIN = (Rna("a b", "GGGAAACCC", "a b"), Structure.from_dot_bracket("(((...)))"))


@pytest.fixture
def folder(tmp_path):
    rows = [
        {"id": "a", "file": "a_b", "length": 9, "status": "ok"},
        {"id": "bad", "status": "failed", "message": "x.fa:3: letter 'X'\tat\\base"},
    ]
    write_summary(tmp_path / "summary.tsv", ("id", "file", "length", "status", "message"), rows)
    write_dot_bracket(tmp_path / "predictions.dbn", [HAIRPIN])
    write_npy(tmp_path / "a_b.npy", np.eye(9))
    write_text(tmp_path / "run.json", json.dumps({"seed": 3}))
    return tmp_path


def test_records_rows_and_run_are_read(folder):
    results = read_results(folder)
    (record,) = results.records
    assert (record.name, record.rna.bases, record.structure) == ("a_b", "GGGAAACCC", HAIRPIN[1])
    assert np.array_equal(record.decoded_map(), np.eye(9))
    assert record.mfe_structure() is None
    assert [row["status"] for row in results.rows] == ["ok", "failed"]
    assert results.rows[1]["message"] == "x.fa:3: letter 'X'\tat\\base"
    assert results.run == {"seed": 3}


def test_vienna_is_read_where_it_was_written_and_a_map_may_be_missing(folder):
    write_dot_bracket(folder / "a_b.vienna.dbn", [(HAIRPIN[0], Structure(9))])
    (folder / "a_b.npy").unlink()
    (folder / "run.json").unlink()
    results = read_results(folder)
    assert results.records[0].mfe_structure() == Structure(9)
    assert results.records[0].decoded_map() is None
    assert results.run == {}


def test_a_folder_of_other_things_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"no results; expected summary\.tsv and predictions\.dbn"):
        read_results(tmp_path)


def test_files_that_do_not_belong_together_are_refused(folder):
    write_dot_bracket(folder / "predictions.dbn", [HAIRPIN, HAIRPIN])
    with pytest.raises(InputError, match=r"2 records; expected 1, as in summary\.tsv"):
        read_results(folder)


@pytest.mark.parametrize(
    ("array", "length", "message"),
    [
        (np.zeros((3, 4)), None, r"shape \(3, 4\), float64; expected L x L numbers"),
        (np.zeros((3, 3)), 4, r"shape \(3, 3\), float64; expected 4 x 4 numbers"),
        (np.array([["a"]]), None, "expected L x L numbers"),
        (np.zeros((0, 0)), None, r"x.npy: shape \(0, 0\), float64; expected L x L numbers"),
        (np.full((3, 3), 7), None, r"x.npy: 7 in the map; expected probabilities, 0 to 1"),
        (np.full((3, 3), -0.5), None, "-0.5 in the map"),
        (np.full((3, 3), np.nan), None, "nan in the map"),
        (np.full((3, 3), 1e300), None, "inf in the map"),
    ],
)
def test_an_array_that_is_no_map_is_refused(array, length, message, tmp_path):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match=message):
        read_map(tmp_path / "x.npy", length)


def test_a_file_that_is_no_array_is_refused(tmp_path):
    (tmp_path / "x.npy").write_text("GGG")
    with pytest.raises(InputError, match="not an array; expected NumPy's format"):
        read_map(tmp_path / "x.npy")
    with pytest.raises(InputError, match="no such file"):
        read_map(tmp_path / "y.npy")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("ok\t../x", r"summary\.tsv:2: file '\.\./x'; expected a name without folders"),
        ("ok", r"summary\.tsv:2: 1 column; expected 3"),
    ],
)
def test_a_summary_of_another_program_is_refused(folder, line, message):
    (folder / "summary.tsv").write_text(
        f"status\tfile\tid\n{line}" + ("\tx\n" if "\t" in line else "\n")
    )
    with pytest.raises(InputError, match=message):
        read_results(folder)


def test_a_run_file_that_is_deep_is_refused(folder):
    (folder / "run.json").write_text("[" * 100_000)
    with pytest.raises(InputError, match=r"run\.json: .*; expected JSON"):
        read_results(folder)


def test_a_cell_of_a_summary_may_be_as_long_as_an_rna(folder):
    elements = "s" * 200_000
    (folder / "summary.tsv").write_text(f"id\tfile\tstatus\telements\nx\tx\tfailed\t{elements}\n")
    (row,) = read_results(folder).rows
    assert row["elements"] == elements
