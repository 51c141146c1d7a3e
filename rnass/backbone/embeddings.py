"""Embeddings of whole RNAs, also of those that are longer than a backbone's context.

A longer RNA is read in windows that overlap by a quarter, the last one flush with its end; a token
that several windows read gets the mean of their states.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from jaxtyping import Float
from torch import Tensor

from rnass.backbone.encoder import Encoder
from rnass.errors import ConfigError
from rnass.rna import clean_bases

__all__ = ["Embedding", "embed", "layer_number", "windows"]

LONGEST_WINDOW = 4000
"""Tokens read at once where the context has no bound: attention takes memory with their square."""

_BATCH_TOKENS = 8192  # read together, padding included
_POOL = 256  # RNAs that are sorted by length together


@dataclass(frozen=True, eq=False)
class Embedding:
    """The embedding of one RNA.

    Attributes:
        number: its place among the RNAs given.
        tokens: (T, D) one row per token: per base, or per codon.
        cls: (D,) of the token put before the first one, the mean over windows; None without one.
        windows: in how many the RNA was read.
    """

    number: int
    tokens: Float[Tensor, "T D"]
    cls: Float[Tensor, " D"] | None
    windows: int


def layer_number(encoder: Encoder, layer: int) -> int:
    """How many layers are done where *layer* is read, -1 for the last; raises ConfigError."""
    depth = encoder.config.layers
    if not -depth - 1 <= layer <= depth:
        raise ConfigError(f"layer {layer}: this backbone has {depth}; expected {-depth - 1} to {depth}")
    return layer % (depth + 1)


def windows(length: int, size: int) -> list[int]:
    """First tokens of the windows of *size* that cover *length* tokens, a quarter or more shared.

    >>> windows(10, 4)
    [0, 3, 6]
    """
    step = max(1, size - size // 4)
    last = max(0, length - size)
    return [*range(0, last, step), last]


def embed(encoder: Encoder, rnas: Sequence[str], layer: int = -1) -> Iterator[Embedding]:
    """The embedding of each RNA (whole codons where tokens are codons), in any order.

    What is read together never changes an answer by more than rounding.

    Raises:
        ConfigError: no such layer.
        SequenceError: a letter that is no base, or none at all; bases that are not whole codons.
    """
    wanted = layer_number(encoder, layer)
    rnas = [clean_bases(bases, f"RNA {number}") for number, bases in enumerate(rnas, start=1)]
    by_length = sorted(range(len(rnas)), key=lambda k: len(rnas[k]))
    for start in range(0, len(by_length), _POOL):
        yield from _pool(encoder, rnas, by_length[start : start + _POOL], wanted)


def _pool(encoder: Encoder, rnas: Sequence[str], numbers: list[int], layer: int) -> Iterator[Embedding]:
    """Embed some RNAs, sorted by length; each leaves when its last window is read."""
    special = len(encoder.vocabulary.framed([]))
    size = (encoder.config.max_tokens or LONGEST_WINDOW + special) - special
    bodies = {number: encoder.vocabulary.body(rnas[number]) for number in numbers}
    pieces = [(n, first) for n in numbers for first in windows(len(bodies[n]), size)]
    sums: dict[int, _Sum] = {}
    for batch in _batches(pieces, {n: min(size, len(bodies[n])) for n in numbers}):
        rows = [encoder.vocabulary.framed(bodies[n][first : first + size]) for n, first in batch]
        for (number, first), row, states in zip(batch, rows, _read(encoder, rows, layer), strict=True):
            total = sums.setdefault(number, _Sum(encoder, len(bodies[number])))
            total.add(first, states[: len(row)])
            if first + size >= len(bodies[number]):
                yield sums.pop(number).mean(number)


def _batches(pieces: list[tuple[int, int]], sizes: dict[int, int]) -> Iterator[list[tuple[int, int]]]:
    """Cut windows, of growing size, so that the padded tokens of a batch stay within bounds."""
    batch: list[tuple[int, int]] = []
    for piece in pieces:
        if batch and (len(batch) + 1) * sizes[piece[0]] > _BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(piece)
    yield batch


@torch.no_grad()
def _read(encoder: Encoder, rows: list[list[int]], layer: int) -> Float[Tensor, "B T D"]:
    """States after *layer* layers of some rows of tokens."""
    tokens = torch.full((len(rows), max(map(len, rows))), encoder.vocabulary.pad)
    for k, row in enumerate(rows):
        tokens[k, : len(row)] = torch.tensor(row)
    outputs = encoder.each_layer(tokens.to(encoder.tokens.weight.device))
    wanted = next(islice(outputs, layer, None))
    return wanted.states.float().cpu()


class _Sum:
    """States of one RNA, added up over its windows."""

    def __init__(self, encoder: Encoder, length: int) -> None:
        self.before = encoder.vocabulary.special_before()
        self.after = len(encoder.vocabulary.framed([])) - self.before
        self.tokens = torch.zeros(length, encoder.config.width)
        self.read = torch.zeros(length, 1)
        self.cls = torch.zeros(encoder.config.width)
        self.windows = 0

    def add(self, first: int, states: Float[Tensor, "T D"]) -> None:
        """Add a window's states, special tokens included, whose first token is *first*."""
        inside = states[self.before : len(states) - self.after]
        self.tokens[first : first + len(inside)] += inside
        self.read[first : first + len(inside)] += 1
        self.cls += states[0]
        self.windows += 1

    def mean(self, number: int) -> Embedding:
        """The sum, divided by how often each token was read."""
        cls = self.cls / self.windows if self.before else None
        return Embedding(number, self.tokens / self.read, cls, self.windows)
