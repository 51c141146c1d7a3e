"""The data of each record, packed into the page; the browser unpacks what is opened."""

import base64
import json
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from rnass.decoding import base_confidence
from rnass.decoding.maps import upper_triangle, values_at
from rnass.io import PredictedRecord
from rnass.io.names import strands_note, title_of
from rnass.structure import Structure
from rnass.thermodynamics.layout import layout

__all__ = ["LEAST", "pack", "record_data"]

LEAST = 0.005
"""Pairing probabilities below this are not in the page."""

_STEP = 0.25  # of coordinates; neighbouring bases are 15 apart


def pack(values: Any) -> str:
    """JSON, deflated, in base64; the inverse of `unpack` in report.js."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def record_data(record: PredictedRecord) -> dict[str, Any]:
    """The data that the page draws. Bases are counted from 0.

    Returns:
        name, title, bases, nick, dot_bracket, and the `message` of the summary; `xy`, the layout's x and
        y by turns, in quarters of its unit; and where they are known `confidence`, in hundredths, `map`,
        the lists i, j and p in thousandths of pairs of at least `LEAST`, `sparse`, whether that is the
        map of a long RNA, `map_file`, the name of its file, and `mfe`, ViennaRNA's dot-bracket, with
        `mfe_energy`.

    Raises:
        InputError: a file of the record cannot be read.
    """
    rna, structure = record.rna, record.structure
    data: dict[str, Any] = {
        "name": record.name,
        "id": rna.id,
        "title": title_of(rna),
        "note": strands_note(rna),
        "bases": rna.bases,
        "nick": rna.nick,
        "dot_bracket": structure.dot_bracket,
        "message": record.row.get("message", ""),
        "xy": _quarters(layout(structure)),
    }
    path, probabilities = record.map_path(), record.decoded_map()
    if path is not None and probabilities is not None:
        data["map_file"] = path.name
        data["sparse"] = issparse(probabilities)
        confidence = base_confidence(probabilities, structure)
        data["confidence"] = np.rint(100 * confidence).astype(int).tolist()
        data["map"] = _sparse(probabilities, structure)
    mfe = record.mfe_structure()
    if mfe is not None:
        data["mfe"] = mfe.dot_bracket
        data["mfe_energy"] = record.row.get("mfe_kcal_mol", "")
    return data


def _quarters(coordinates: NDArray[np.float64]) -> list[int]:
    moved = coordinates - coordinates.min(0)
    return np.rint(moved / _STEP).astype(int).ravel().tolist()  # type: ignore[no-any-return]


def _sparse(probabilities: NDArray[np.float32] | csr_array, structure: Structure) -> list[list[int]]:
    """i, j and thousandths of the pairs worth keeping; those of the structure always are."""
    length = len(structure)
    i, j = (upper_triangle(probabilities) >= LEAST).nonzero()
    first, last = structure.pairs.T
    places = np.union1d(i.astype(np.int64) * length + j, first * length + last)
    pairs = np.stack(np.divmod(places, length), axis=1)
    thousandths = np.rint(1000 * values_at(probabilities, pairs)).astype(int)
    return [*pairs.T.tolist(), thousandths.tolist()]
