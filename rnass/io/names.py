"""Names in and of files: titles inside them, safe, distinct file names for any ids."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

from rnass.errors import StructureError
from rnass.files import record_name
from rnass.rna import Rna

__all__ = [
    "file_names",
    "header_of",
    "named_in_comment",
    "split_strands_note",
    "strands_note",
    "title_of",
]

_LONGEST = 100  # leaves room for suffixes within the 255 bytes that most file systems allow
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{port}{k}" for port in ("com", "lpt") for k in range(1, 10)}
_TAKEN = {"predictions", "summary", "run", "regions", "rows", "covariation"}  # files of all records
_UNSAFE = re.compile(r"(?:[^A-Za-z0-9_.-]|\.(?![0-9]))+")

_ENERGIES = re.compile(
    r"(?:(?:ENERGY|dG|dH|dS|Tm)\s*=\s*\S+\s*(?:kcal/mol\s*)?(?:\[[^\]]*\]\s*)?)+", re.IGNORECASE
)
_COMMENTED_FILE = re.compile(r"#\s*File:?\s+(\S+\.\w+)\s*$", re.IGNORECASE)  # RNA STRAND
_COMMENTED_NAME = re.compile(r"#\s*Name:\s*(\S.*)$", re.IGNORECASE)  # bpRNA
_STRANDS = re.compile(r" ?\(two strands: 1-(\d{1,9}) and (\d{1,9})-(\d{1,9})\)$")


def file_names(ids: Iterable[str]) -> list[str]:
    """A safe, distinct file name for each id, without suffix; the same for the same list.

    Letters, digits, `-` and `_` stay, accents are dropped, anything else becomes one `_`; at most 100
    characters and a number that distinguishes copies; distinct where the file system ignores case;
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


def title_of(rna: Rna) -> str:
    """The header of *rna* on one line, for titles inside files."""
    return " ".join((rna.description or rna.id).splitlines())


def header_of(title: str) -> str:
    """The header in a title that other programs wrote: energies at its beginning are left out.

    >>> header_of("dG = -4.20   [initially -5.10] tRNA-Phe of yeast")
    'tRNA-Phe of yeast'
    """
    energies = _ENERGIES.match(title)
    return title[energies.end() :].strip() if energies else title.strip()


def named_in_comment(line: str) -> str:
    """The name of a record in a comment such as `#Name: x` or `# File x.ct`; empty if there is none."""
    if match := _COMMENTED_FILE.match(line):
        return record_name(match[1])
    match = _COMMENTED_NAME.match(line)
    return match[1].strip() if match else ""


def strands_note(rna: Rna) -> str:
    """The end of a title where the format has no sign for the nick between two strands."""
    if rna.nick is None:
        return ""
    return f" (two strands: 1-{rna.nick} and {rna.nick + 1}-{len(rna)})"


def split_strands_note(title: str, length: int, where: str) -> tuple[str, int | None]:
    """The title without the note of two strands, and the 0-based first base of the second of them.

    Raises:
        StructureError: strands that do not make up *length* bases.
    """
    match = _STRANDS.search(title)
    if match is None:
        return title, None
    first, second, last = map(int, match.groups())
    if not (0 < first < last and second == first + 1 and last == length):
        raise StructureError(
            f"{where}: two strands 1-{first} and {second}-{last}; expected them to make up 1-{length}"
        )
    return title[: match.start()], first
