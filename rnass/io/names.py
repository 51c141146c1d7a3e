"""Names in and of files: titles inside them, safe, distinct file names for any ids."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from rnass.rna import Rna

__all__ = ["file_names", "strands_note", "title_of"]

_LONGEST = 100  # leaves room for suffixes within the 255 bytes that most file systems allow
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{k}" for port in ("com", "lpt") for k in range(1, 10)}
_TAKEN = {"predictions", "summary", "run"}
_UNSAFE = re.compile(r"(?:[^A-Za-z0-9_.-]|\.(?![0-9]))+")


def file_names(ids: Iterable[str]) -> list[str]:
    """A safe, distinct file name for each id, without suffix; the same for the same list.

    Letters, digits, `-` and `_` stay, accents are dropped, anything else becomes one `_`; at most 100
    characters and a number that tells copies apart; distinct where the file system ignores case;
    never a device of Windows. A dot stays only before a digit, so a suffix such as `.ct` or
    `.vienna.dbn` never makes a file of one record a file of another.

    >>> file_names(["tRNA/Phe 1", "NR_003286.4", "x", "X", ""])
    ['tRNA_Phe_1', 'NR_003286.4', 'x', 'X-2', 'record-5']
    """
    names = []
    used = set(_TAKEN)
    copies: Counter[str] = Counter()
    for number, identifier in enumerate(ids, start=1):
        stem = name = _safe(identifier) or f"record-{number}"
        while name.lower() in used:
            copies[stem.lower()] += 1
            name = f"{stem}-{copies[stem.lower()] + 1}"
        used.add(name.lower())
        names.append(name)
    return names


def _safe(identifier: str) -> str:
    """The id in safe characters; empty if none is left."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", identifier) if not unicodedata.combining(c))
    name = _UNSAFE.sub("_", plain).lstrip("._-")[:_LONGEST].rstrip("._-")
    return f"id-{name}" if name.split(".")[0].lower() in _DEVICES else name


def title_of(sequence: Rna) -> str:
    """The header of *sequence* on one line, for titles inside files."""
    return " ".join((sequence.description or sequence.id).splitlines())


def strands_note(sequence: Rna) -> str:
    """What a title adds where the format has no sign for the nick between two strands."""
    if sequence.nick is None:
        return ""
    return f" (two strands: 1-{sequence.nick} and {sequence.nick + 1}-{len(sequence)})"
