"""Hard constraints on a structure, in ViennaRNA's notation or as sets of bases."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from rnass.errors import ConstraintError, counted

__all__ = ["CONSTRAINT_SYMBOLS", "Constraints"]

CONSTRAINT_SYMBOLS = ".x|<>()[]{}"
"""The symbols of a line of constraints."""

_BRACKETS = ("()", "[]", "{}")


@dataclass(frozen=True)
class Constraints:
    """Hard constraints on one structure; bases are 0-based.

    Attributes:
        unpaired: bases that must not pair.
        paired: bases that must pair, with any partner.
        upstream: bases that must pair with a base before them (a smaller index).
        downstream: bases that must pair with a base after them (a larger index).
        pairs: pairs (i, j), i < j, that must be formed.
        forbidden: pairs (i, j), i < j, that must not.
        apart: two sets of bases each, of which no base of the one pairs with one of the other.
        where: place named in messages, such as file and line.
        length: bases of the RNA, if they are known.
    """

    unpaired: frozenset[int] = frozenset()
    paired: frozenset[int] = frozenset()
    upstream: frozenset[int] = frozenset()
    downstream: frozenset[int] = frozenset()
    pairs: frozenset[tuple[int, int]] = frozenset()
    forbidden: frozenset[tuple[int, int]] = frozenset()
    apart: tuple[tuple[frozenset[int], frozenset[int]], ...] = ()
    where: str = field(default="constraints", compare=False)
    length: int | None = field(default=None, compare=False)

    @classmethod
    def from_line(cls, text: str, where: str = "constraints") -> "Constraints":
        """Read the line that ViennaRNA takes under a sequence.

        `.` nothing, `x` unpaired, `|` paired, `<` paired with a base after it, `>` paired with a
        base before it, `( )` this pair. `<` and `>` have the direction of ViennaRNA's code: they open
        and close like brackets. Beyond ViennaRNA's notation, `[ ]` and `{ }` are pairs that may cross
        the others.

        >>> sorted(Constraints.from_line("(x.|..)").pairs)
        [(0, 6)]

        Raises:
            ConstraintError: another symbol or an unmatched bracket; names *where* and the base.
        """
        for k, symbol in enumerate(text):
            if symbol not in CONSTRAINT_SYMBOLS:
                raise ConstraintError(
                    f"{where}: symbol {symbol!r} at base {k + 1}; "
                    f"expected one of {' '.join(CONSTRAINT_SYMBOLS)}"
                )
        bases = {symbol: frozenset(k for k, s in enumerate(text) if s == symbol) for symbol in "x|<>"}
        return cls(
            unpaired=bases["x"],
            paired=bases["|"],
            upstream=bases[">"],
            downstream=bases["<"],
            pairs=frozenset().union(*(_bracketed(text, kind, where) for kind in _BRACKETS)),
            where=where,
            length=len(text),
        )

    def must(self, length: int) -> NDArray[np.bool_]:
        """Whether each base must pair, shape (L,)."""
        mask = np.zeros(length, dtype=bool)
        mask[list(self.paired | self.upstream | self.downstream | self._forced)] = True
        return mask

    def permits(self, ends: NDArray[np.int64], length: int) -> NDArray[np.bool_]:
        """Whether each pair of *ends*, shape (m, 2), i < j, satisfies every constraint; shape (m,)."""
        i, j = ends.T
        opens, closes = np.ones((2, length), dtype=bool)
        opens[list(self.unpaired | self.upstream)] = False
        closes[list(self.unpaired | self.downstream)] = False
        partner = np.full(length, -1, dtype=np.int64)
        for a, b in self.pairs:
            partner[a], partner[b] = b, a
        forced = (partner[i] == j) | ((partner[i] < 0) & (partner[j] < 0))
        banned = np.array([a * length + b for a, b in self.forbidden], dtype=np.int64)
        permitted = opens[i] & closes[j] & forced & ~np.isin(i * length + j, banned)
        for sets in self.apart:
            one, other = np.zeros((2, length), dtype=bool)
            one[list(sets[0])] = other[list(sets[1])] = True
            permitted &= ~(one[i] & other[j] | other[i] & one[j])
        return np.asarray(permitted)

    def check(self, length: int) -> None:
        """Check that the constraints fit the length and can hold together.

        Raises:
            ConstraintError: a line of another length, a base out of range or under two constraints that
                exclude each other, a pair both forced and forbidden.
        """
        if self.length not in (None, length):
            found = counted(self.length or 0, "symbol")
            raise ConstraintError(f"{self.where}: {found}; expected {length}, one for each base")
        self._check_range(length)
        for first, second in (
            ("unpaired", "paired"),
            ("unpaired", "upstream"),
            ("unpaired", "downstream"),
            ("upstream", "downstream"),
        ):
            for base in sorted(getattr(self, first) & getattr(self, second))[:1]:
                self._conflict(base, f"{_MEANING[first]} and {_MEANING[second]}")
        self._check_pairs()

    @property
    def _forced(self) -> frozenset[int]:
        return frozenset(base for pair in self.pairs for base in pair)

    def _check_range(self, length: int) -> None:
        named = self.unpaired | self.paired | self.upstream | self.downstream | self._forced
        named |= {base for pair in self.forbidden for base in pair}
        for base in sorted(named):
            if not 0 <= base < length:
                raise ConstraintError(
                    f"{self.where}: base {base + 1} is out of range; expected 1 to {length}"
                )
        for i, j in sorted(self.pairs | self.forbidden):
            if i >= j:
                raise ConstraintError(
                    f"{self.where}: pair ({i + 1}, {j + 1}); expected two bases, the smaller first"
                )

    def _check_pairs(self) -> None:
        seen: set[int] = set()
        for i, j in sorted(self.pairs):
            for base in (i, j):
                if base in seen:
                    self._conflict(base, "stand in two forced pairs")
            seen |= {i, j}
            for base, other in ((i, "upstream"), (j, "downstream"), (i, "unpaired"), (j, "unpaired")):
                if base in getattr(self, other):
                    self._conflict(base, f"form the pair ({i + 1}, {j + 1}) and {_MEANING[other]}")
            if (i, j) in self.forbidden or any(
                (i in one and j in other) or (j in one and i in other) for one, other in self.apart
            ):
                self._conflict(i, f"both form and not form the pair ({i + 1}, {j + 1})")

    def _conflict(self, base: int, demands: str) -> None:
        raise ConstraintError(
            f"{self.where}: base {base + 1} must {demands}; expected constraints that can hold together"
        )


_MEANING = {
    "unpaired": "be unpaired",
    "paired": "pair",
    "upstream": "pair with a base before it",
    "downstream": "pair with a base after it",
}


def _bracketed(text: str, brackets: str, where: str) -> frozenset[tuple[int, int]]:
    """The pairs in brackets of one kind, such as `()`."""
    left, right = brackets[0], brackets[1]
    stack: list[int] = []
    pairs = set()
    for k, symbol in enumerate(text):
        if symbol == left:
            stack.append(k)
        elif symbol == right:
            if not stack:
                raise ConstraintError(
                    f"{where}: {right!r} at base {k + 1} closes nothing; expected a {left!r} before it"
                )
            pairs.add((stack.pop(), k))
    if stack:
        raise ConstraintError(
            f"{where}: {left!r} at base {stack[-1] + 1} is never closed; expected a {right!r} after it"
        )
    return frozenset(pairs)
