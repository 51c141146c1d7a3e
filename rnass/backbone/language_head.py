"""The language-model head: which token stands in a masked place."""

import re
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from rnass.backbone.encoder import Encoder, make_norm
from rnass.config import EncoderConfig
from rnass.errors import SequenceError
from rnass.rna import clean_bases

__all__ = ["MASK", "LanguageHead", "fill_masks"]

MASK = "<mask>"
"""How a masked token is written in a sequence."""


class LanguageHead(nn.Module):
    """dense - GELU - norm - one score per row of the token table.

    Where the authors tied the last matrix to the token embedding, it is that very parameter.
    """

    def __init__(self, config: EncoderConfig, rows: int, *, gelu: bool = True) -> None:
        super().__init__()
        self.gelu = gelu
        self.dense = nn.Linear(config.width, config.width)
        self.norm = make_norm(config)
        self.weight = nn.Parameter(torch.zeros(rows, config.width))
        self.bias = nn.Parameter(torch.zeros(rows))

    def forward(self, embeddings: Float[Tensor, "... D"]) -> Float[Tensor, "... V"]:
        """Scores (logits) over the token table."""
        x = self.dense(embeddings)
        x = self.norm(functional.gelu(x) if self.gelu else x)
        return functional.linear(x, self.weight, self.bias)

    def tie(self, tokens: nn.Embedding) -> None:
        """Make the last matrix that of the token embeddings."""
        self.weight = tokens.weight  # type: ignore[assignment]  # torch calls it a Tensor


@torch.no_grad()
def fill_masks(
    encoder: Encoder, head: LanguageHead, text: str, top: int = 5
) -> list[list[tuple[str, float]]]:
    """The likeliest bases (or codons) of every <mask> in *text*, with their probabilities, best first.

    A mask may be upper or lower case, as bases may.

    Other tokens (special ones, N, gaps) are left out: the probabilities of all bases sum to 1.

    Raises:
        SequenceError: no <mask>, a letter that is no base, bases that are not whole codons.
    """
    table = encoder.vocabulary
    pieces = re.split(re.escape(MASK), text, flags=re.IGNORECASE)
    if len(pieces) < 2:
        raise SequenceError(f"sequence: no {MASK}; expected one at least")
    rows = _rows(encoder, pieces)
    tokens = torch.tensor([table.framed(rows)], device=head.bias.device)
    scores = head(encoder(tokens))[0]  # (T, V)
    places = [table.special_before() + k for k, row in enumerate(rows) if row == table.mask]
    guesses = [
        row
        for row, symbol in enumerate(table.symbols)
        if len(symbol) == table.bases_per_token and set(symbol) <= {*"ACGU"}
    ]
    best = scores[places][:, guesses].softmax(-1).topk(min(top, len(guesses)))
    return [
        [(table.symbols[guesses[k]], p) for k, p in zip(chosen, shares, strict=True)]
        for chosen, shares in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    ]


def _rows(encoder: Encoder, pieces: Sequence[str]) -> list[int]:
    """Token rows of the pieces, a mask between each two."""
    table = encoder.vocabulary
    masked = "N" * table.bases_per_token
    clean_bases(masked.join(pieces))  # a wrong letter is named with its place among all bases
    rows: list[int] = []
    for number, piece in enumerate(pieces):
        rows += [table.mask] if number else []
        rows += table.body(clean_bases(piece)) if piece else []
    return rows
