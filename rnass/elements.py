"""The elements of a structure: stems, hairpins, bulges, interior loops, multiloops, pseudoknots.

The decomposition is that of forgi (Thiel et al. 2019, doi:10.12688/f1000research.18458.2), in linear
time and with two strands. The nested part of a structure, the pairs of order 0, has the loops; helices
of order 1 and higher are laid over it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rnass.errors import InputError, visible
from rnass.files import format_row
from rnass.io import LabelledRecord, read_labelled
from rnass.io.entries import collected, some_good
from rnass.structure import Structure

__all__ = ["Elements", "elements", "elements_table"]


@dataclass(frozen=True)
class Elements:
    """The elements of a structure.

    Attributes:
        string: one letter per base: `s` stem, `h` hairpin, `i` bulge or interior loop, `m` multiloop,
            `p` base of a pseudoknotted helix. Bases of the exterior loop are `f` before the first paired
            base of a strand, `t` after the last one, and `m` between.
        stems: runs of stacked pairs of order 0.
        hairpins: loops that one stem closes, of one base or more.
        bulges: loops between two stems with unpaired bases on one side.
        interior_loops: loops between two stems with unpaired bases on both sides.
        multiloops: loops that three stems or more close. The exterior loop is none.
        pseudoknotted_helices: runs of stacked pairs of one order, 1 or higher.

    Loops are those of the nested part: the bases of a pseudoknotted helix count as unpaired in them. A
    loop that holds the nick between two strands belongs to the exterior loop.
    """

    string: str
    stems: int
    hairpins: int
    bulges: int
    interior_loops: int
    multiloops: int
    pseudoknotted_helices: int


def elements(structure: Structure, nick: int | None = None) -> Elements:
    """Decompose *structure*.

    Args:
        structure: of one strand or two.
        nick: 0-based first base of the second strand; None for one strand.

    >>> found = elements(Structure.from_dot_bracket("((..((...))))."))
    >>> found.string, found.stems, found.hairpins, found.bulges
    ('ssiisshhhsssst', 2, 1, 1)
    """
    nested = structure.up_to_order(0)
    letters = _exterior(structure, nick)
    counts = dict.fromkeys(("stems", "hairpins", "bulges", "interior_loops", "multiloops"), 0)
    stacked = 0
    for i, j, inside in _loops(nested):
        if nick is not None and _holds(nick, i, j, inside):
            continue
        sides = _unpaired(i, j, inside)
        kind = _kind(sides)
        if kind is None:
            stacked += len(inside)
            continue
        counts[kind] += 1
        for start, end in sides:
            letters[start:end] = _LETTERS[kind]
    counts["stems"] = len(nested.pairs) - stacked
    letters[nested.pairs.ravel()] = "s"
    letters[structure.pairs[structure.orders > 0].ravel()] = "p"
    knotted = _pseudoknotted_helices(structure, nick)
    return Elements("".join(letters.tolist()), **counts, pseudoknotted_helices=knotted)


def elements_table(paths: Iterable[str | Path], problems: list[InputError] | None = None) -> str:
    """The elements of every structure in some files, as tab-separated text with a head line.

    Args:
        paths: structure files, `.gz` or not, or folders of them.
        problems: what is wrong with a record goes here, if given, and costs the others nothing.

    Raises:
        InputError: a file, or every record of it, that cannot be read; names file and line.
    """
    names = [field.name for field in fields(Elements) if field.name != "string"]
    text = format_row(["id", "length", *names, "elements"])
    records: list[LabelledRecord] = []
    for path in paths:
        with collected(problems):
            records += read_labelled(path, problems)
    for record in some_good(records, problems):
        rna = record.sequence
        found = asdict(elements(record.structure, rna.nick))
        identifier = visible(" ".join(rna.id.split()))
        string = rna.mark(found["string"])
        counts = (found[name] for name in names)
        text += format_row([identifier, len(rna), *counts, string])
    return text


_LETTERS = {"hairpins": "h", "bulges": "i", "interior_loops": "i", "multiloops": "m"}

_Pair = tuple[int, int]


def _loops(nested: Structure) -> list[tuple[int, int, list[_Pair]]]:
    """Every pair and, from 5' to 3', the pairs that close the same loop from inside."""
    loops: list[tuple[int, int, list[_Pair]]] = []
    open_: list[int] = []  # indices in loops of the pairs around the present base
    for i, j in nested.pairs.tolist():
        while open_ and loops[open_[-1]][1] < i:
            open_.pop()
        if open_:
            loops[open_[-1]][2].append((i, j))
        open_.append(len(loops))
        loops.append((i, j, []))
    return loops


def _unpaired(i: int, j: int, inside: list[_Pair]) -> list[_Pair]:
    """The stretches of unpaired bases in a loop, first base and end, one more than the pairs inside."""
    starts = [i + 1, *(last + 1 for _, last in inside)]
    ends = [*(first for first, _ in inside), j]
    return list(zip(starts, ends, strict=True))


def _kind(sides: list[_Pair]) -> str | None:
    """The kind of a loop with these stretches, as `Elements` names it; None for two stacked pairs."""
    sizes = [end - start for start, end in sides]
    if len(sides) == 1:
        return "hairpins" if sizes[0] else None
    if len(sides) > 2:
        return "multiloops"
    return None if not any(sizes) else "interior_loops" if all(sizes) else "bulges"


def _holds(nick: int, i: int, j: int, inside: list[_Pair]) -> bool:
    """Whether the second strand begins within the loop rather than within a pair inside."""
    return i < nick <= j and not any(first < nick <= last for first, last in inside)


def _exterior(structure: Structure, nick: int | None) -> NDArray[np.str_]:
    """The letters as if all unpaired bases were of the exterior loop, shape (L,)."""
    letters = np.full(len(structure), "f")
    bounds = [0, *([] if nick is None else [nick]), len(structure)]
    for start, end in pairwise(bounds):
        paired = start + np.flatnonzero(structure.partners[start:end] >= 0)
        if paired.size:
            letters[paired[0] : paired[-1]] = "m"
            letters[paired[-1] : end] = "t"
    return letters


def _pseudoknotted_helices(structure: Structure, nick: int | None) -> int:
    """Pairs of order 1 and higher that are stacked on none of their own order outside."""
    order_of = {
        (i, j): order
        for (i, j), order in zip(structure.pairs.tolist(), structure.orders.tolist(), strict=True)
    }
    return sum(
        order > 0 and (order_of.get((i - 1, j + 1)) != order or nick in (i, j + 1))
        for (i, j), order in order_of.items()
    )
