"""What a structure is made of: stems, hairpins, bulges, interior loops, multiloops, pseudoknots.

The decomposition is forgi's (Thiel et al. 2019, doi:10.12688/f1000research.18458.2), and this module is
its only importer. forgi is given the nested part of a structure, the pairs of order 0; it does not take
every pseudoknot. Helices of order 1 and higher are laid over its answer.
"""

import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import ModuleType

import numpy as np

from rnass.io import read_structures
from rnass.structure import Structure

__all__ = ["Elements", "elements", "elements_table"]


@dataclass(frozen=True)
class Elements:
    """The elements of a structure.

    Attributes:
        string: one letter per base, forgi's: `f` and `t` before the first and after the last stem, `s`
            stem, `h` hairpin, `i` bulge or interior loop, `m` multiloop, or between two stems of the
            exterior loop; and `p` for a base of a pseudoknotted helix.
        stems: runs of stacked pairs of order 0.
        hairpins: loops that one stem closes, of one base or more.
        bulges: loops between two stems with unpaired bases on one side.
        interior_loops: loops between two stems with unpaired bases on both sides.
        multiloops: loops that three stems or more close. The exterior loop is none.
        pseudoknotted_helices: runs of stacked pairs of one order, 1 or higher.

    Loops are those of the nested part: the bases of a pseudoknotted helix count as unpaired in them.
    """

    string: str
    stems: int
    hairpins: int
    bulges: int
    interior_loops: int
    multiloops: int
    pseudoknotted_helices: int


def elements(structure: Structure) -> Elements:
    """Decompose *structure*.

    >>> found = elements(Structure.from_dot_bracket("((..((...))))."))
    >>> found.string, found.stems, found.hairpins, found.bulges
    ('ssiisshhhsssst', 2, 1, 1)
    """
    nested = structure.up_to_order(0)
    knotted = structure.pairs[structure.orders > 0]
    if not nested.pairs.size:  # forgi refuses a structure of no bases
        return Elements("f" * len(structure), 0, 0, 0, 0, 0, 0)
    graph = _bulge_graph().BulgeGraph.from_dotbracket(nested.dot_bracket)
    string = np.array(list(graph.to_element_string()))
    string[knotted.ravel()] = "p"
    sides = [graph.get_node_dimensions(loop) for loop in graph.iloop_iterator()]
    bulges = sum(0 in unpaired for unpaired in sides)
    return Elements(
        string="".join(string),
        stems=sum(1 for _ in graph.stem_iterator()),
        hairpins=sum(1 for _ in graph.hloop_iterator()),
        bulges=bulges,
        interior_loops=len(sides) - bulges,
        multiloops=sum(
            "regular_multiloop" in graph.describe_multiloop(loop) for loop in graph.junctions
        ),
        pseudoknotted_helices=_pseudoknotted_helices(structure),
    )


def elements_table(paths: Iterable[str | Path]) -> str:
    """The elements of every structure in some files, as tab-separated text with a head line.

    Args:
        paths: .ct, .bpseq, .dbn, .sto, .tsv; `.gz` or not.

    Raises:
        InputError: a file that cannot be read; names file and line.
    """
    names = [field.name for field in fields(Elements) if field.name != "string"]
    lines = ["\t".join(["id", "length", *names, "elements"])]
    for path in paths:
        for sequence, structure in read_structures(path):
            found = asdict(elements(structure))
            identifier = " ".join(sequence.id.split())
            cells = [identifier, len(structure), *(found[name] for name in names), found["string"]]
            lines.append("\t".join(map(str, cells)))
    return "".join(f"{line}\n" for line in lines)


def _pseudoknotted_helices(structure: Structure) -> int:
    """Pairs of order 1 and higher that are stacked on none of their own order outside."""
    order_of = {
        (i, j): order
        for (i, j), order in zip(structure.pairs.tolist(), structure.orders.tolist(), strict=True)
    }
    return sum(order > 0 and order_of.get((i - 1, j + 1)) != order for (i, j), order in order_of.items())


def _bulge_graph() -> ModuleType:
    """Import forgi's graph module, without its compiled 3-D part.

    That part was built for NumPy 1: NumPy 2 prints a page of warnings at its import. forgi goes on
    without it where it is missing, and nothing here needs it, so it is made to look missing meanwhile.
    """
    compiled = "forgi.threedee.utilities.cytvec"
    hidden = compiled not in sys.modules
    if hidden:
        sys.modules[compiled] = None  # type: ignore[assignment]  # the documented way to block an import
    try:
        import forgi.graph.bulge_graph as module
    finally:
        if hidden:
            del sys.modules[compiled]
    return module  # type: ignore[no-any-return]
