"""A secondary structure: which bases pair, pseudoknots included.

Pairs are an (n, 2) array, 0-based, i < j, sorted by i; no pairs is an array of shape (0, 2). In
dot-bracket, `()` holds a largest nested subset of the pairs, `[]` a largest nested subset of the
rest, and so on through `{}`, `<>`, `Aa` ... `Zz`; the level of a pair, counted from 0, is its
pseudoknot order.
"""

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rnass.errors import StructureError

__all__ = ["BRACKETS", "MAX_ORDER", "Structure"]

BRACKETS = ["()", "[]", "{}", "<>"] + [a + a.lower() for a in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
"""Opening and closing symbol of each level."""

MAX_ORDER = len(BRACKETS) - 1
"""The highest pseudoknot order that dot-bracket can write."""

_OPENING = {pair[0]: level for level, pair in enumerate(BRACKETS)}
_CLOSING = {pair[1]: level for level, pair in enumerate(BRACKETS)}


class Structure:
    """The base pairs of an RNA of *length* bases.

    Args:
        length: number of bases.
        pairs: shape (n, 2), 0-based; either order within a pair, any order of pairs.

    Raises:
        StructureError: a base out of range, paired with itself or with two others.

    >>> Structure(8, [(0, 7), (1, 6)]).dot_bracket
    '((....))'
    """

    def __init__(self, length: int, pairs: ArrayLike | Iterable[tuple[int, int]] = ()) -> None:
        self.length = int(length)
        self.pairs: NDArray[np.int64] = _checked(self.length, pairs)

    @classmethod
    def from_dot_bracket(cls, text: str, where: str = "structure") -> "Structure":
        """Read dot-bracket of any number of levels; the inverse of `dot_bracket`.

        >>> Structure.from_dot_bracket("((..[[.))..]]").pairs.tolist()
        [[0, 8], [1, 7], [4, 12], [5, 11]]

        Raises:
            StructureError: an unknown symbol or an unmatched bracket; names *where* and the base.
        """
        stacks: list[list[int]] = [[] for _ in BRACKETS]
        pairs = []
        for k, symbol in enumerate(text):
            if symbol in _OPENING:
                stacks[_OPENING[symbol]].append(k)
            elif symbol in _CLOSING:
                stack = stacks[_CLOSING[symbol]]
                if not stack:
                    raise StructureError(
                        f"{where}: {symbol!r} at base {k + 1} closes nothing; "
                        f"expected a {BRACKETS[_CLOSING[symbol]][0]!r} before it"
                    )
                pairs.append((stack.pop(), k))
            elif symbol != ".":
                raise StructureError(
                    f"{where}: symbol {symbol!r} at base {k + 1}; expected '.' or a bracket"
                )
        for level, stack in enumerate(stacks):
            if stack:
                raise StructureError(
                    f"{where}: {BRACKETS[level][0]!r} at base {stack[-1] + 1} is never closed; "
                    f"expected a {BRACKETS[level][1]!r} after it"
                )
        return cls(len(text), pairs)

    @classmethod
    def from_partners(cls, partners: ArrayLike) -> "Structure":
        """Build from the partner of every base, -1 where unpaired; the inverse of `partners`.

        Raises:
            StructureError: the partner of a base's partner is not that base.
        """
        partner = np.asarray(partners, dtype=np.int64).reshape(-1)
        bases = np.flatnonzero(partner >= 0)
        if bases.size and partner.max() >= len(partner):
            k = int(np.argmax(partner))
            raise StructureError(
                f"base {k + 1}: partner {int(partner[k]) + 1} is out of range; "
                f"expected 1 to {len(partner)}"
            )
        for k in bases[partner[partner[bases]] != bases][:1]:
            raise StructureError(
                f"base {k + 1}: its partner {partner[k] + 1} does not name it back; "
                "expected pairs to be mutual"
            )
        return cls(len(partner), [(k, partner[k]) for k in bases if k <= partner[k]])

    def __len__(self) -> int:
        return self.length

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Structure)
            and self.length == other.length
            and np.array_equal(self.pairs, other.pairs)
        )

    def __hash__(self) -> int:
        return hash((self.length, self.pairs.tobytes()))

    def __repr__(self) -> str:
        return f"Structure({self.length}, {self.pairs.tolist()})"

    @cached_property
    def partners(self) -> NDArray[np.int64]:
        """The partner of every base, shape (L,), 0-based; -1 where unpaired."""
        partner = np.full(self.length, -1, dtype=np.int64)
        partner[self.pairs[:, 0]] = self.pairs[:, 1]
        partner[self.pairs[:, 1]] = self.pairs[:, 0]
        return partner

    @cached_property
    def orders(self) -> NDArray[np.int64]:
        """The pseudoknot order of every pair, shape (n,); 0 is the largest nested subset."""
        order = np.zeros(len(self.pairs), dtype=np.int64)
        rest = np.flatnonzero(self.crossing)
        level = 0
        while rest.size:
            kept = _largest_nested(self.pairs[rest])
            order[rest[kept]] = level
            rest = rest[~kept]
            level += 1
        return order

    @cached_property
    def crossing(self) -> NDArray[np.bool_]:
        """Whether each pair crosses any other pair, shape (n,)."""
        i, j = self.pairs[:, 0], self.pairs[:, 1]
        over = (i[:, None] < i) & (i < j[:, None]) & (j[:, None] < j)
        return np.asarray(over.any(0) | over.any(1))

    @property
    def pseudoknot_order(self) -> int:
        """The highest order of any pair; 0 for a nested structure."""
        return int(self.orders.max(initial=0))

    def up_to_order(self, order: int) -> "Structure":
        """The pairs of at most that pseudoknot order; `up_to_order(0)` is nested."""
        return Structure(self.length, self.pairs[self.orders <= order])

    @cached_property
    def dot_bracket(self) -> str:
        """The structure in dot-bracket; the inverse of `from_dot_bracket`.

        Raises:
            StructureError: more levels than there are brackets (`MAX_ORDER`).
        """
        if self.pseudoknot_order > MAX_ORDER:
            raise StructureError(
                f"pseudoknot order {self.pseudoknot_order}; dot-bracket expresses at most {MAX_ORDER}"
            )
        symbols = ["."] * self.length
        for (i, j), order in zip(self.pairs, self.orders, strict=True):
            symbols[i], symbols[j] = BRACKETS[order]
        return "".join(symbols)


def _checked(length: int, pairs: ArrayLike | Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Pairs as a read-only (n, 2) array, i < j, sorted; raises StructureError."""
    array = np.asarray(
        pairs if isinstance(pairs, np.ndarray) else list(pairs),  # type: ignore[arg-type]
        dtype=np.int64,
    ).reshape(-1, 2)
    array = np.sort(array, axis=1)
    array = array[np.argsort(array[:, 0], kind="stable")]
    if array.size and (array.min() < 0 or array.max() >= length):
        bad = array[(array[:, 0] < 0) | (array[:, 1] >= length)][0]
        raise StructureError(
            f"pair ({bad[0] + 1}, {bad[1] + 1}) is out of range; expected bases 1 to {length}"
        )
    for base, uses in zip(*np.unique(array, return_counts=True), strict=True):
        if uses > 1:
            raise StructureError(
                f"base {base + 1} stands in {uses} places of the pairs; "
                "expected one partner, which is another base"
            )
    array.flags.writeable = False
    return array


def _largest_nested(pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A mask, shape (n,), of a largest subset of *pairs* in which no two cross.

    Each base has one partner, so the interval recursion W(i, j) = max(W(i+1, j),
    1 + W(i+1, k) + W(k+1, j)) has one k per i: n rows of vector operations over the 2n paired bases.
    """
    ends = np.argsort(pairs, axis=None)  # the 2n paired bases in order, as flat indices
    rank = np.empty(ends.size, dtype=np.int64)
    rank[ends] = np.arange(ends.size)
    pair_of = ends // 2
    closes = rank.reshape(-1, 2)[pair_of].max(1)  # (2n,) rank of the 3' end of each base's pair
    size = ends.size
    best = np.zeros((size + 2, size + 1), dtype=np.int32)  # best[i, j]: ranks i <= r < j
    for i in range(size - 1, -1, -1):
        best[i] = best[i + 1]
        if (k := closes[i]) > i:
            np.maximum(
                best[i + 1, k + 1 :], 1 + best[i + 1, k] + best[k + 1, k + 1 :], out=best[i, k + 1 :]
            )
    kept = np.zeros(len(pairs), dtype=bool)
    intervals = [(0, size)]
    while intervals:
        i, j = intervals.pop()
        while i < j and best[i, j] == best[i + 1, j]:
            i += 1
        if i < j:
            k = closes[i]
            kept[pair_of[i]] = True
            intervals += [(i + 1, k), (k + 1, j)]
    return kept
