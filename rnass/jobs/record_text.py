"""A prediction as text in each format, for a file of its own or a stream of many; bases from 1."""

import json
from collections.abc import Callable
from typing import Any

from rnass.files import format_row
from rnass.io import format_ct, format_dot_bracket
from rnass.prediction.prediction import Prediction

__all__ = ["BASE_COLUMNS", "STREAMED", "TEXTS", "format_bases", "row_of"]

BASE_COLUMNS = ("id", "index", "base", "partner", "pair_probability", "unpaired_probability")
"""Columns of the table of bases."""


def row_of(name: str | None, prediction: Prediction) -> dict[str, Any]:
    """A row of the table of all predictions, and the content of NAME.json.

    As `Prediction.to_dict`, with the name of its files, if there are any, and the whole header, and
    bases from 1.
    """
    rna = prediction.rna
    row = {"id": rna.id, "file": name, "description": rna.description, **prediction.to_dict()}
    return {**row, "pairs": [[i + 1, j + 1, p] for i, j, p in row["pairs"]]}


def format_bases(prediction: Prediction) -> str:
    """A table with a line for each base: `BASE_COLUMNS`.

    The partner of an unpaired base is 0, and its pair has no probability.
    """
    partners = prediction.structure.partners.tolist()
    unpaired = prediction.unpaired
    text = format_row(BASE_COLUMNS)
    for k, (base, partner) in enumerate(zip(prediction.rna.bases, partners, strict=True)):
        paired = f"{prediction.decoded_map[k, partner]:.4f}" if partner >= 0 else ""
        cells = (k + 1, base, partner + 1, paired, f"{unpaired[k]:.4f}")
        text += format_row((prediction.rna.id, *cells))
    return text


TEXTS: dict[str, Callable[[str, Prediction], str]] = {
    "ct": lambda _, one: format_ct(one.rna, one.structure),
    "dbn": lambda _, one: format_dot_bracket(one.rna, one.structure),
    "tsv": lambda _, one: format_bases(one),
    "json": lambda name, one: f"{json.dumps(row_of(name, one), ensure_ascii=False)}\n",
}
"""The text of a file, from the name of the record's files and its prediction."""

STREAMED = tuple(TEXTS)
"""Formats of which one file can hold several records."""
