import json

import pytest

from rnass.errors import StructureError
from rnass.io import read_json_structures, write_json_structures
from rnass.rna import Rna
from rnass.structure import MAX_ORDER, Structure

RECORD = {"id": "x", "sequence": "GAAAC", "dot_bracket": "(...)", "pairs": [[1, 5]]}


def write(tmp_path, **changes):
    """A file of one record with some values changed; None removes one."""
    record = {key: value for key, value in (RECORD | changes).items() if value is not ...}
    values = {"format": "rnass structures", "version": 1, "records": [record]}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(values))
    return path


def test_round_trip_is_exact_also_above_what_brackets_express(tmp_path):
    length = 3 * (MAX_ORDER + 2)
    every_crossing = [(k, length // 2 + k) for k in range(MAX_ORDER + 2)]
    records = [
        (Rna("ä/1", "GAAAC", 'ä/1 of "y"'), Structure(5, [(0, 4)])),
        (Rna("two words", "A" * length, "two words"), Structure(length, every_crossing)),
        (Rna("none", "N", "none"), Structure(1)),
    ]
    assert records[1][1].pseudoknot_order > MAX_ORDER
    path = tmp_path / "x.json"
    write_json_structures(path, records)
    assert read_json_structures(path) == records
    before = path.read_bytes()
    write_json_structures(path, read_json_structures(path))
    assert path.read_bytes() == before
    assert json.loads(before)["records"][1]["dot_bracket"] is None


def test_either_pairs_or_brackets_are_enough_and_t_is_u(tmp_path):
    expected = [(Rna("x", "GAAAC", "x"), Structure(5, [(0, 4)]))]
    assert read_json_structures(write(tmp_path, pairs=...)) == expected
    assert read_json_structures(write(tmp_path, dot_bracket=...)) == expected
    ((sequence, _),) = read_json_structures(write(tmp_path, sequence="gaaat"))
    assert sequence.bases == "GAAAU"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1: Expecting value; expected JSON"),
        ('{"a": 1,\n"b"}', ":2: Expecting ':' delimiter; expected JSON"),
        ("[]", ":1: another kind of JSON; expected an object"),
        ('{"format": "rnass structures", "version": 2}', ":1: another kind of JSON"),
        ('{"format": "rnass structures", "version": 1}', ':1: no "records"; expected a list'),
        (
            '{"format": "rnass structures", "version": 1, "records": [3]}',
            ": record 1: 3; expected an object",
        ),
    ],
)
def test_malformed_file(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(StructureError, match=f"x.json{message}"):
        read_json_structures(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": ...}, "id is None; expected text"),
        ({"id": 3}, "id is 3; expected text"),
        ({"sequence": ...}, "sequence is None; expected text"),
        ({"sequence": ""}, "no bases; expected"),
        ({"sequence": "GA-AC"}, "letter '-' at base 3; expected"),
        ({"description": 1}, "description is 1; expected text"),
        ({"pairs": ..., "dot_bracket": ...}, "neither pairs nor dot_bracket; expected one"),
        ({"pairs": [[1, 4]]}, "pairs and dot_bracket differ; expected the same"),
        ({"pairs": [[0, 4]]}, r"pair \(0, 4\) is out of range; expected"),
        ({"pairs": [[1, 6]]}, r"pair \(1, 6\) is out of range; expected"),
        ({"pairs": [[1, 5], [2, 5]]}, "base 5 stands in 2 places"),
        ({"pairs": [[1]]}, r"pairs are \[\[1\]\]; expected a list like"),
        ({"pairs": [[1, 5.0]]}, "expected a list like"),
        ({"pairs": {"1": 5}}, "expected a list like"),
        ({"dot_bracket": "(..)"}, "expected 5 symbols"),
        ({"dot_bracket": "((..)"}, "'\\(' at base 1 is never closed; expected"),
    ],
)
def test_malformed_record(tmp_path, changes, message):
    with pytest.raises(
        StructureError, match=f"x.json: record 1: {message}|x.json: record 1: .*{message}"
    ):
        read_json_structures(write(tmp_path, **changes))


def test_two_strands_come_back(tmp_path):
    record = (Rna.from_text("GGC&GCC", "d"), Structure.from_dot_bracket("((()))"))
    write_json_structures(tmp_path / "d.json", [record])
    assert read_json_structures(tmp_path / "d.json") == [record]
