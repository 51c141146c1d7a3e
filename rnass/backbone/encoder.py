"""One transformer encoder whose configuration spans every published RNA language model.

Shapes: B batch, T tokens, D width, H heads.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from rnass.backbone.vocabulary import vocabulary
from rnass.config import EncoderConfig
from rnass.errors import SequenceError

__all__ = ["Encoder", "LayerOutput", "make_norm"]

_TOKEN_DROPOUT_TRAINED = 0.15 * 0.8  # share of mask tokens the ESM rescaling assumes (Rives et al. 2021)


class LayerOutput(NamedTuple):
    """The output of one layer.

    Attributes:
        number: of the layer from 1; 0 for the embedding of the tokens, which has no maps.
        states: (B, T, D), of the last layer after the final norm; rows of padding are meaningless.
        maps: (B, H, T, T), the layer's attention maps; None where they are not wanted.
    """

    number: int
    states: Tensor
    maps: Tensor | None


class Encoder(nn.Module):
    """Tokens to embeddings; states and attention maps are yielded layer by layer.

    A padding token never changes the output, but for `config.attend_padding`.
    """

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.config = config
        self.vocabulary = vocabulary(config.vocabulary)
        width = config.width
        self.tokens = nn.Embedding(config.vocabulary_size, width)
        learned = config.positions == "learned"
        self.positions = nn.Embedding(config.position_rows, width) if learned else None
        self.types = nn.Embedding(config.token_types, width) if config.token_types else None
        self.embed_norm = make_norm(config) if config.embed_norm else nn.Identity()
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.final_norm = make_norm(config) if config.final_norm else nn.Identity()
        for module in self.modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                nn.init.normal_(module.weight, std=0.02)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    @property
    def max_bases(self) -> int | None:
        """The longest RNA that fits the context, in bases; None where there is no limit."""
        if self.config.max_tokens is None:
            return None
        special = len(self.vocabulary.framed([]))
        return (self.config.max_tokens - special) * self.vocabulary.bases_per_token

    def forward(self, tokens: Int[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Embeddings of the last layer; raises as `each_layer` does."""
        return deque(self.each_layer(tokens), maxlen=1).pop().states

    def each_layer(self, tokens: Int[Tensor, "B T"], *, maps: bool = False) -> Iterator[LayerOutput]:
        """The embedding of the tokens (without maps), then the output of each layer in turn.

        A layer is computed when its output is taken. Its maps take most of the memory: drop them
        before going on to the next one.

        Args:
            tokens: rows of the vocabulary, special tokens included.
            maps: give the attention maps too.

        Raises:
            SequenceError: more tokens than the table of learned positions has rows for.
        """
        length = tokens.shape[1]
        tokens = self._filled_up(tokens)
        present = tokens != self.vocabulary.pad  # (B, T)
        x: Tensor = self.embed(tokens, present)
        attended = torch.ones_like(present) if self.config.attend_padding else present
        rotation = self._rotation(tokens.shape[1], x) if self.positions is None else None
        layers = len(self.layers)
        yield LayerOutput(0, (x if layers else self.final_norm(x))[:, :length], None)
        for number, layer in enumerate(self.layers, start=1):
            x, seen = layer(x, attended, rotation, maps)
            x = x if number < layers else self.final_norm(x)
            seen = None if seen is None else seen[..., :length, :length]
            output = LayerOutput(number, x[:, :length], seen)
            del seen
            yield output
            del output

    def embed(self, tokens: Int[Tensor, "B T"], present: Bool[Tensor, "B T"]) -> Float[Tensor, "B T D"]:
        """Token, position and type embeddings, summed and normed as configured."""
        x: Tensor = self.tokens(tokens)
        if self.config.token_dropout:
            masked = tokens == self.vocabulary.mask
            x = x.masked_fill(masked[..., None], 0.0)
            share = masked.sum(1) / present.sum(1).clamp(min=1)  # (B,)
            x = x * ((1 - _TOKEN_DROPOUT_TRAINED) / (1 - share))[:, None, None]
        if self.positions is not None:
            x = x + self.positions(self._position_rows(present))
        if self.types is not None:
            x = x + self.types.weight[0]
        x = self.embed_norm(x)
        return x if self.config.attend_padding else x * present[..., None]

    def _filled_up(self, tokens: Int[Tensor, "B T"]) -> Int[Tensor, "B P"]:
        """Tokens padded to `config.pad_to`, where that is set."""
        lacking = (self.config.pad_to or 0) - tokens.shape[1]
        return functional.pad(tokens, (0, lacking), value=self.vocabulary.pad) if lacking > 0 else tokens

    def _position_rows(self, present: Bool[Tensor, "B T"]) -> Int[Tensor, "B T"]:
        first = self.config.position_first
        if present.shape[1] > (room := self.config.position_rows - first):
            raise SequenceError(f"sequence: {present.shape[1]} tokens; expected at most {room}")
        if not self.config.position_skips_padding:
            return torch.arange(present.shape[1], device=present.device).expand(present.shape) + first
        count = present.long().cumsum(1) * present  # 1 at the first real token, 0 at padding
        return (count + first - 1).clamp(min=0)

    def _rotation(self, length: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosine and sine of the rotary angles, each (T, D / H)."""
        half = self.config.width // self.config.heads // 2
        steps = torch.arange(half, device=like.device, dtype=torch.float32) / half
        frequencies = self.config.rope_base**-steps
        angles = torch.arange(length, device=like.device, dtype=torch.float32)[:, None] * frequencies
        angles = torch.cat([angles, angles], -1)  # (T, D / H)
        return angles.cos(), angles.sin()


class Layer(nn.Module):
    """Self-attention and a feed-forward part, each with its norm and a residual."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.pre = config.norm_place == "pre"
        self.attention = Attention(config)
        self.attention_norm = make_norm(config)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = make_norm(config)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        attended: Bool[Tensor, "B T"],
        rotation: tuple[Tensor, Tensor] | None,
        watched: bool,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T T"] | None]:
        """One layer, and its attention maps if they are *watched*."""
        attended_to, maps = self.attention(
            self.attention_norm(x) if self.pre else x, attended, rotation, watched
        )
        if self.pre:
            x = x + attended_to
            return x + self.feed_forward(self.feed_forward_norm(x)), maps
        x = self.attention_norm(x + attended_to)
        return self.feed_forward_norm(x + self.feed_forward(x)), maps


class Attention(nn.Module):
    """Multi-head self-attention over the attended tokens."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.query = nn.Linear(config.width, config.width, bias=config.bias)
        self.key = nn.Linear(config.width, config.width, bias=config.bias)
        self.value = nn.Linear(config.width, config.width, bias=config.bias)
        self.out = nn.Linear(config.width, config.width, bias=config.bias)

    def forward(
        self,
        x: Float[Tensor, "B T D"],
        attended: Bool[Tensor, "B T"],
        rotation: tuple[Tensor, Tensor] | None,
        watched: bool,
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B H T T"] | None]:
        """The mixed values; the maps (B, H, T, T) are formed only if they are *watched*."""
        query, key, value = (self._split(part(x)) for part in (self.query, self.key, self.value))
        if rotation is not None:
            query, key = _rotate(query, *rotation), _rotate(key, *rotation)
        keys = attended[:, None, None, :]  # (B, 1, 1, T)
        maps = None
        if not watched:
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=keys)
        else:
            scores = query @ key.transpose(-1, -2)
            scores *= query.shape[-1] ** -0.5
            maps = scores.masked_fill_(~keys, float("-inf")).softmax(-1)  # (B, H, T, T)
            mixed = maps.to(value.dtype) @ value
        return self.out(mixed.transpose(1, 2).flatten(2)), maps

    def _split(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B H T d"]:
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """Linear-GELU-Linear, or SwiGLU: out(silu(gate x) * inner x)."""

    def __init__(self, config: EncoderConfig) -> None:
        super().__init__()
        self.inner = nn.Linear(config.width, config.ffn_width, bias=config.bias)
        gated = config.ffn == "swiglu"
        self.gate = nn.Linear(config.width, config.ffn_width, bias=config.bias) if gated else None
        self.outer = nn.Linear(config.ffn_width, config.width, bias=config.bias)

    def forward(self, x: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Apply to every token alone."""
        if self.gate is None:
            return self.outer(functional.gelu(self.inner(x)))  # type: ignore[no-any-return]
        return self.outer(functional.silu(self.gate(x)) * self.inner(x))  # type: ignore[no-any-return]


def make_norm(config: EncoderConfig) -> nn.Module:
    """A norm over the width, of the kind the configuration names."""
    kind = nn.LayerNorm if config.norm == "layer" else nn.RMSNorm
    return kind(config.width, eps=config.norm_eps)


def _rotate(x: Float[Tensor, "B H T d"], cosine: Tensor, sine: Tensor) -> Float[Tensor, "B H T d"]:
    """Rotary positions on split halves (Su et al. 2021, arXiv:2104.09864)."""
    first, second = x.chunk(2, -1)
    return (x * cosine + torch.cat([-second, first], -1) * sine).to(x.dtype)
