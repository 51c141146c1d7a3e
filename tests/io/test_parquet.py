"""The table of predictions: what is written comes back, other programs read it, damage is named."""

import random
import sys

import pytest

from rnass.errors import DependencyError, InputError, StructureError
from rnass.io import LabelledRecord, read_labelled, read_structures
from rnass.io.parquet import read_predictions, write_predictions
from rnass.rna import Rna
from rnass.structure import Structure

pyarrow = pytest.importorskip("pyarrow")
reader = pytest.importorskip("pyarrow.parquet")


def row(number=0, **changed):
    return {
        "id": f"r{number}",
        "file": f"r{number}",
        "description": f"r{number} of two words",
        "sequence": "GGCCAAAGGA&AGGCCAAACC",
        "structure": "((((...[[.&..))))..]]",
        "pairs": [[1, 17, 0.9], [8, 20, 0.25]],
        "unpaired": [0.1] * 20,
        "confidence": 0.8,
        "energy_kcal_mol": None,
        "mfe_kcal_mol": -1.5,
        "mfe_structure": "...",
        "temperature_celsius": 25.0,
        "salt_molar": 0.15,
        **changed,
    }


@pytest.fixture
def table(tmp_path):
    return tmp_path / "results.parquet"


def test_what_is_written_comes_back(table):
    write_predictions(table, (row(k) for k in range(2500)))  # more than one block
    found = read_predictions(table)
    assert len(found) == 2500
    rna = Rna("r7", "GGCCAAAGGAAGGCCAAACC", "r7 of two words", nick=10)
    assert found[7] == LabelledRecord(rna, Structure(20, [(0, 16), (7, 19)]))
    assert read_labelled(table) == found
    assert read_structures(table)[0][0].id == "r0"


def test_a_program_without_rnass_reads_the_columns(table):
    write_predictions(table, [row(), row(1, structure=None, pairs=[])])
    first, second = reader.read_table(table).to_pylist()
    assert first["pairs"][1] == {"i": 8, "j": 20, "probability": 0.25}
    assert first["unpaired"] == pytest.approx([0.1] * 20)
    assert (first["confidence"], first["mfe_kcal_mol"]) == (0.8, -1.5)
    assert first["energy_kcal_mol"] is None
    assert (first["temperature_celsius"], first["salt_molar"]) == (25, 0.15)
    assert (second["structure"], second["pairs"]) == (None, [])


def test_no_prediction_is_a_table_without_rows(table):
    write_predictions(table, [])
    assert read_predictions(table) == []


def test_a_table_of_another_program_needs_three_columns(table):
    pairs = [[{"i": 1, "j": 5}]]
    reader.write_table(pyarrow.table({"id": ["x"], "sequence": ["GAAAC"], "pairs": pairs}), table)
    assert read_predictions(table) == [LabelledRecord(Rna("x", "GAAAC", "x"), Structure(5, [(0, 4)]))]


@pytest.mark.parametrize(
    ("changed", "error", "match"),
    [
        ({"pairs": [[1, 21, 0.5]]}, StructureError, r"row 2 \(r1\).*expected pairs i, j from 1 to 20"),
        ({"pairs": [[0, 5, 0.5]]}, StructureError, r"row 2 \(r1\)"),
        ({"pairs": [[1, 5, 0.5], [5, 9, 0.5]]}, StructureError, r"row 2 \(r1\)"),
        ({"sequence": "GG-"}, InputError, r"row 2 \(r1\): letter '-' at base 3"),
        ({"sequence": None}, InputError, "row 2: id or sequence is no text"),
    ],
)
def test_a_row_that_is_no_structure_is_named(table, changed, error, match):
    write_predictions(table, [row(), row(1, **changed)])
    with pytest.raises(error, match=match):
        read_predictions(table)


def test_a_file_that_is_no_table_of_predictions_is_named(table, monkeypatch):
    with pytest.raises(InputError, match=r"results\.parquet: .*expected a Parquet file"):
        read_predictions(table)
    reader.write_table(pyarrow.table({"id": ["x"]}), table)
    with pytest.raises(InputError, match="no column sequence, pairs; expected a table of rnass predict"):
        read_predictions(table)
    write_predictions(table, [row()])
    monkeypatch.setenv("RNASS_MAX_INPUT", "100")
    with pytest.raises(InputError, match="more than 100 bytes"):
        read_predictions(table)
    monkeypatch.delenv("RNASS_MAX_INPUT")
    whole = table.read_bytes()
    for end in random.Random(1).sample(range(len(whole)), 20):
        table.write_bytes(whole[:end])
        with pytest.raises(InputError, match="expected a Parquet file"):
            read_predictions(table)


def test_without_pyarrow_the_extra_is_named(table, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DependencyError, match=r"pyarrow is not installed; expected it .* extra parquet"):
        read_predictions(table)
