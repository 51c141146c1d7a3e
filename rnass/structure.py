"""A secondary structure: which bases pair, pseudoknots included.

Pairs are an (n, 2) array, 0-based, i < j, sorted by i; no pairs is an array of shape (0, 2).

The pseudoknot order of a pair, counted from 0, is the kind of bracket that dot-bracket writes it in:
`()`, `[]`, `{}`, `<>`, `Aa` ... `Zz`. Order 0 is a largest nested subset of the pairs, order 1 a largest
nested subset of the rest, and so on. A file that writes crossing pairs in different brackets has decided
which of them is the pseudoknot: a structure read from it keeps that decision.
"""

import operator
from collections.abc import Iterable
from contextlib import suppress
from functools import cached_property
from typing import Any

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
        levels: shape (n,), the kind of bracket of each pair in the file that was read, lower ones less
            of a pseudoknot; None where there is no such file. They decide `orders`, and nothing else:
            structures of equal pairs are equal.

    Raises:
        StructureError: a base out of range, paired with itself or with two others; a number that is not
            whole, an array of another shape.

    >>> Structure(8, [(0, 7), (1, 6)]).dot_bracket
    '((....))'
    """

    def __init__(
        self,
        length: int,
        pairs: ArrayLike | Iterable[tuple[int, int]] = (),
        *,
        levels: ArrayLike | None = None,
    ) -> None:
        self.length = _length(length)
        array, order = _sorted(pairs)
        _check(self.length, array)
        array.flags.writeable = False
        self.pairs: NDArray[np.int64] = array
        self.levels: NDArray[np.int64] | None = None
        if levels is not None:
            self.levels = _whole(levels, "levels", (len(array),))[order]

    @classmethod
    def from_dot_bracket(cls, text: str, where: str = "structure") -> "Structure":
        """Read dot-bracket of any number of levels; the inverse of `dot_bracket`.

        Of two pairs that cross, the one whose bracket comes later in `BRACKETS` is the pseudoknot.

        >>> Structure.from_dot_bracket("((..[[.))..]]").pairs.tolist()
        [[0, 8], [1, 7], [4, 12], [5, 11]]

        Raises:
            StructureError: an unknown symbol or an unmatched bracket; names *where* and the base.
        """
        stacks: list[list[int]] = [[] for _ in BRACKETS]
        pairs, levels = [], []
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
                levels.append(_CLOSING[symbol])
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
        return cls(len(text), pairs, levels=levels)

    @classmethod
    def from_partners(cls, partners: ArrayLike) -> "Structure":
        """Build from the partner of every base, -1 where unpaired; the inverse of `partners`.

        Raises:
            StructureError: the partner of a base's partner is not that base; a number out of range or
                not whole, an array of another shape.
        """
        partner = _whole(partners, "partners", (-1,))
        bases = np.flatnonzero(partner >= 0)
        outside = (partner < -1) | (partner >= len(partner))
        if outside.any():
            k = int(np.argmax(outside))
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

    def holds(self, pairs: ArrayLike) -> NDArray[np.bool_]:
        """Whether the structure has each of some pairs, 0-based, shape (n, 2); shape (n,).

        Raises:
            StructureError: a number that is not whole, an array of another shape.
        """
        pairs = _whole(pairs, "pairs", (-1, 2))
        return np.asarray(self.partners[pairs[:, 0]] == pairs[:, 1])

    @cached_property
    def orders(self) -> NDArray[np.int64]:
        """The pseudoknot order of every pair, shape (n,): as the file has it, else by size."""
        order = np.zeros(len(self.pairs), dtype=np.int64)
        for group in self._groups:
            if len(group) > 1:
                inside = self.pairs[group]
                order[group] = (
                    _orders_by_size(inside)
                    if self.levels is None
                    else _orders_by_level(inside, self.levels[group])
                )
        return order

    @cached_property
    def crossing(self) -> NDArray[np.bool_]:
        """Whether each pair crosses any other pair, shape (n,)."""
        mask = np.zeros(len(self.pairs), dtype=bool)
        for group in self._groups:
            mask[group] = len(group) > 1
        return mask

    @cached_property
    def _groups(self) -> list[NDArray[np.int64]]:
        """The pairs, by index, in groups: pairs that cross are in one group, others are not."""
        return _crossing_groups(self.partners, self.pairs)

    @property
    def pseudoknot_order(self) -> int:
        """The highest order of any pair; 0 for a nested structure."""
        return int(self.orders.max(initial=0))

    def up_to_order(self, order: int) -> "Structure":
        """The pairs of at most that pseudoknot order; `up_to_order(0)` is nested."""
        kept = self.orders <= order
        levels = None if self.levels is None else self.levels[kept]
        return Structure(self.length, self.pairs[kept], levels=levels)

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


def _length(length: int) -> int:
    with suppress(TypeError):
        if (number := operator.index(length)) >= 0:
            return number
    raise StructureError(f"length {length!r}; expected a whole number of bases, at least 0")


def _whole(values: ArrayLike, name: str, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Whole numbers as an array of that shape, -1 for any size; raises StructureError."""
    known = ", ".join("n" if size < 0 else str(size) for size in shape)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise StructureError(f"{name}: rows of unequal lengths; expected shape ({known})") from error
    if not array.size and -1 in shape:
        return np.zeros(0, dtype=np.int64).reshape(shape)
    sizes = zip(shape, array.shape, strict=False)
    if array.ndim != len(shape) or any(size not in (-1, found) for size, found in sizes):
        raise StructureError(f"{name}: shape {array.shape}; expected ({known})")
    if array.dtype.kind not in "iuf":
        raise StructureError(f"{name}: {array.flat[0]!r}; expected whole numbers")
    if array.dtype.kind == "f":
        for bad in array[~np.isfinite(array) | (array != np.floor(array))][:1]:
            raise StructureError(f"{name}: {bad}; expected whole numbers")
    return array.astype(np.int64)


def _sorted(
    pairs: ArrayLike | Iterable[tuple[int, int]],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs as an (n, 2) array, i < j, sorted by i, and the permutation (n,) that sorts them."""
    listed: Any = pairs if isinstance(pairs, np.ndarray) else list(pairs)  # type: ignore[arg-type]
    array = np.sort(_whole(listed, "pairs", (-1, 2)), axis=1)
    order = np.argsort(array[:, 0], kind="stable")
    return array[order], order


def _check(length: int, pairs: NDArray[np.int64]) -> None:
    """Raise StructureError for a base out of range or in two places."""
    if pairs.size and (pairs.min() < 0 or pairs.max() >= length):
        bad = pairs[(pairs[:, 0] < 0) | (pairs[:, 1] >= length)][0]
        raise StructureError(
            f"pair ({bad[0] + 1}, {bad[1] + 1}) is out of range; expected bases 1 to {length}"
        )
    bases, uses = np.unique(pairs, return_counts=True)
    for base, count in zip(bases[uses > 1][:1], uses[uses > 1][:1], strict=True):
        raise StructureError(
            f"base {base + 1} stands in {count} places of the pairs; "
            "expected one partner, which is another base"
        )


def _crossing_groups(partners: NDArray[np.int64], pairs: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Connected groups of pairs that cross, each an array of indices into *pairs*, in n log n.

    One walk over the paired bases. A stack holds the groups that have pairs still open. When a pair
    closes, every group that began inside it has an open pair that ends outside: they cross, and merge.
    """
    index = np.empty(len(partners), dtype=np.int64)
    index[pairs[:, 0]] = index[pairs[:, 1]] = np.arange(len(pairs))
    stack: list[tuple[int, list[int], int]] = []  # first base, indices of the pairs, how many are open
    groups = []
    for base in np.flatnonzero(partners >= 0).tolist():
        if base < partners[base]:
            stack.append((base, [int(index[base])], 1))
            continue
        first, members, open_ = stack.pop()
        while first > partners[base]:
            first, others, more = stack.pop()
            members, others = sorted((members, others), key=len, reverse=True)
            members += others  # the shorter list is copied
            open_ += more
        if open_ > 1:
            stack.append((first, members, open_ - 1))
        else:
            groups.append(np.sort(np.array(members, dtype=np.int64)))
    return groups


def _orders_by_size(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Order 0 for a largest nested subset of *pairs*, 1 for one of the rest, and so on; shape (n,)."""
    order = np.zeros(len(pairs), dtype=np.int64)
    rest = np.arange(len(pairs))
    level = 0
    while rest.size:
        kept = _largest_nested(pairs[rest])
        order[rest[kept]] = level
        rest = rest[~kept]
        level += 1
    return order


def _orders_by_level(pairs: NDArray[np.int64], levels: NDArray[np.int64]) -> NDArray[np.int64]:
    """One more than the highest order of the pairs of lower levels that a pair crosses; shape (n,).

    Pairs of one level must not cross: brackets of one kind cannot.
    """
    order = np.zeros(len(pairs), dtype=np.int64)
    i, j = pairs.T
    for k in np.argsort(levels, kind="stable"):
        over = (i < i[k]) & (i[k] < j) & (j < j[k])
        under = (i[k] < i) & (i < j[k]) & (j[k] < j)
        below = order[(over | under) & (levels < levels[k])]
        order[k] = below.max(initial=-1) + 1
    return order


def _stems(pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Runs of pairs with no other paired base between them, which cross the same pairs.

    Returns:
        The outermost pair of each run as ranks among the bases, shape (m, 2), and the number of the run
        of each pair, shape (n,).
    """
    ends = np.argsort(pairs, axis=None)  # the 2n paired bases in order, as flat indices
    rank = np.argsort(ends).reshape(-1, 2)  # (n, 2), sorted by the first column as pairs are
    step = np.diff(rank, axis=0)
    first = np.concatenate([[True], (step[:, 0] != 1) | (step[:, 1] != -1)])
    return rank[first], np.cumsum(first) - 1


def _largest_nested(pairs: NDArray[np.int64]) -> NDArray[np.bool_]:
    """A mask, shape (n,), of a largest subset of *pairs* in which no two cross.

    Each base has one partner, so the interval recursion W(i, j) = max(W(i+1, j),
    w + W(i+1, k) + W(k+1, j)) has one k per i: m rows of vector operations over the 2m ends of stems,
    w being the pairs of the stem.
    """
    stems, stem_of = _stems(pairs)
    weight = np.bincount(stem_of)
    ends = np.argsort(stems, axis=None)  # the 2m ends in order, as flat indices
    at = ends // 2  # (2m,) the stem of each end
    closes = np.argsort(ends).reshape(-1, 2)[at].max(1)  # (2m,) rank of the 3' end of each end's stem
    size = ends.size
    best = np.zeros((size + 2, size + 1), dtype=np.int32)  # best[i, j]: ranks i <= r < j
    for i in range(size - 1, -1, -1):
        best[i] = best[i + 1]
        if (k := closes[i]) > i:
            inside = weight[at[i]] + best[i + 1, k]
            np.maximum(best[i + 1, k + 1 :], inside + best[k + 1, k + 1 :], out=best[i, k + 1 :])
    kept = np.zeros(len(stems), dtype=bool)
    intervals = [(0, size)]
    while intervals:
        i, j = intervals.pop()
        while i < j and best[i, j] == best[i + 1, j]:
            i += 1
        if i < j:
            k = closes[i]
            kept[at[i]] = True
            intervals += [(i + 1, k), (k + 1, j)]
    return kept[stem_of]
