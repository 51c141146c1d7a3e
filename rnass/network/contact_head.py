"""The contact head: a pre-activation 2-D residual network from pair features to logits.

Shapes: B batch, L bases, C channels. Inside, tensors are (B, C, L, L) in channels-last memory.
"""

from collections.abc import Sequence
from itertools import cycle, islice

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from rnass.config import HeadConfig

__all__ = ["ContactHead", "contact_loss"]

_RARE = -5.0  # first bias of the logits: about one pair of bases in 150 pairs


class Stage(nn.Module):
    """Residual blocks at one resolution, after a coarser stage, if any, has looked at patches of 2 x 2.

    Args:
        levels: channels and blocks of this stage, then of each coarser one.
        config: kind of the coarser stages' blocks, dilations and dropout of all of them.
        separable: the kind of this stage's blocks.
    """

    def __init__(
        self, levels: Sequence[tuple[int, int]], config: HeadConfig, separable: bool = False
    ) -> None:
        super().__init__()
        (channels, blocks), *coarser = levels
        self.blocks = nn.ModuleList(
            SeparableBlock(channels, config.dropout)
            if separable
            else Block(channels, dilation, config.dropout)
            for dilation in islice(cycle(config.dilations), blocks)
        )
        self.coarser = Stage(coarser, config, config.separable) if coarser else None
        if coarser:
            self.down = nn.Conv2d(channels, coarser[0][0], 2, stride=2)
            self.coarse_norm = nn.LayerNorm(coarser[0][0])
            self.up = nn.ConvTranspose2d(coarser[0][0], channels, 2, stride=2)

    def forward(
        self, x: Float[Tensor, "B L L C"], mask: Float[Tensor, "B L"]
    ) -> Float[Tensor, "B L L C"]:
        """Features to features; padding is 0 before a convolution, as the border of a lone RNA is."""
        present = None if bool(mask.all()) else (mask[:, :, None] * mask[:, None, :])[..., None]
        if self.coarser is not None:
            x = _added(x, self._coarse(self.coarser, _masked(x, present), mask))
        for block in self.blocks:
            x = block(x, present)
        return x

    def _coarse(
        self, stage: "Stage", x: Float[Tensor, "B L L C"], mask: Float[Tensor, "B L"]
    ) -> Float[Tensor, "B L L C"]:
        """The coarser stage's contribution; a patch with any base in it counts as present."""
        length = x.shape[1]
        odd = length % 2
        patches = functional.pad(x, (0, 0, 0, odd, 0, odd)).permute(0, 3, 1, 2)  # (B, C, L, L)
        some = functional.max_pool1d(functional.pad(mask, (0, odd))[:, None], 2)[:, 0]  # (B, L / 2)
        y = stage(self.down(patches).permute(0, 2, 3, 1), some)
        y = functional.relu(self.coarse_norm(y), inplace=True).permute(0, 3, 1, 2)
        return self.up(y).permute(0, 2, 3, 1)[:, :length, :length]  # type: ignore[no-any-return]


class ContactHead(Stage):
    """The finest stage, one place per pair of bases, with a logit for each."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__(((config.channels, config.blocks), *config.coarser), config)
        self.norm = nn.LayerNorm(config.channels)
        self.logit = nn.Linear(config.channels, 1)
        nn.init.constant_(self.logit.bias, _RARE)

    def forward(
        self, features: Float[Tensor, "B L L C"], mask: Float[Tensor, "B L"]
    ) -> Float[Tensor, "B L L"]:
        """Symmetric logits; what *mask* leaves out (0) never reaches what it keeps (1).

        Without gradients, *features* are overwritten.
        """
        fast = torch.is_autocast_enabled(features.device.type)
        x = features.to(torch.get_autocast_dtype(features.device.type)) if fast else features
        x = super().forward(x, mask)
        logits: Tensor = (
            self.logit(functional.relu(self.norm(x), inplace=True)).squeeze(-1).float()
        )  # (B, L, L)
        return (logits + logits.transpose(1, 2)) / 2


def contact_loss(
    logits: Float[Tensor, "B L L"], contacts: Float[Tensor, "B L L"], mask: Float[Tensor, "B L"]
) -> Float[Tensor, ""]:
    """Binary cross-entropy over the pairs i < j, per base, averaged over the RNAs."""
    each = functional.binary_cross_entropy_with_logits(logits.float(), contacts, reduction="none")
    pairs = (mask[:, :, None] * mask[:, None, :]).triu(1)
    return ((each * pairs).sum((1, 2)) / mask.sum(1)).mean()


class Block(nn.Module):
    """norm - ReLU - convolution - ReLU - dilated convolution, added to its input."""

    def __init__(self, channels: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.first = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.dropout = nn.Dropout2d(dropout)
        self.second = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        nn.init.normal_(self.second.weight, std=0.5 * (9 * channels) ** -0.5)

    def forward(
        self, x: Float[Tensor, "B L L C"], present: Float[Tensor, "B L L 1"] | None
    ) -> Float[Tensor, "B L L C"]:
        """Padding is set to zero before each convolution, as the border of a lone sequence is."""
        y = functional.relu(self.norm(x), inplace=True)
        y = self.first(_masked(y, present).permute(0, 3, 1, 2))  # (B, C, L, L)
        y = self.dropout(functional.relu(y, inplace=True)).permute(0, 2, 3, 1)
        y = self.second(_masked(y, present).permute(0, 3, 1, 2))
        y = y.permute(0, 2, 3, 1)
        return _added(x, y)


def _masked(x: Tensor, present: Tensor | None) -> Tensor:
    return x if present is None else x * present.to(x.dtype)


def _added(x: Tensor, y: Tensor) -> Tensor:
    """Their sum; in place where no gradient needs x: half the memory of a map."""
    return x + y if torch.is_grad_enabled() else x.add_(y)


class SeparableBlock(nn.Module):
    """Depthwise 3 x 3 convolution - norm - two products per place, added to its input (ConvNeXt)."""

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.neighbours = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm = nn.LayerNorm(channels)
        self.wide = nn.Linear(channels, 2 * channels)
        self.narrow = nn.Linear(2 * channels, channels)
        self.dropout = nn.Dropout2d(dropout)
        nn.init.normal_(self.narrow.weight, std=0.5 * (2 * channels) ** -0.5)
        nn.init.zeros_(self.narrow.bias)

    def forward(
        self, x: Float[Tensor, "B L L C"], present: Float[Tensor, "B L L 1"] | None
    ) -> Float[Tensor, "B L L C"]:
        """Padding is set to zero before the convolution, as the border of a lone sequence is."""
        y = self.neighbours(_masked(x, present).permute(0, 3, 1, 2))
        y = self.dropout(y).permute(0, 2, 3, 1)
        y = functional.relu(_everywhere(self.wide, self.norm(y)), inplace=True)
        return _added(x, _everywhere(self.narrow, y))


def _everywhere(linear: nn.Linear, x: Float[Tensor, "B L L C"]) -> Float[Tensor, "B L L D"]:
    """A linear map of each place, as a 1 x 1 convolution of each row.

    A matrix product on CPU first copies the bias to every place, which costs as much as the product;
    and a convolution is slow there on a single thread, unless it is one of many small maps.
    """
    rows = x.flatten(0, 1)[:, None].permute(0, 3, 1, 2)  # (B * L, C, 1, L)
    y = functional.conv2d(rows, linear.weight[:, :, None, None], linear.bias)
    return y.permute(0, 2, 3, 1).view(*x.shape[:-1], -1)
