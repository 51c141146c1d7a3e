"""The contact head: a pre-activation 2-D residual network from pair features to logits.

Shapes: B batch, L bases, C channels. Inside, tensors are (B, C, L, L) in channels-last memory.
"""

from itertools import cycle, islice

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from rnass.config import HeadConfig

__all__ = ["ContactHead", "contact_loss"]

_RARE = -5.0  # first bias of the logits: about one pair of bases in 150 pairs


class ContactHead(nn.Module):
    """Residual blocks of two 3 x 3 convolutions, then one logit per pair of bases."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        dilations = islice(cycle(config.dilations), config.blocks)
        self.blocks = nn.ModuleList(
            Block(config.channels, dilation, config.dropout) for dilation in dilations
        )
        self.norm = nn.LayerNorm(config.channels)
        self.logit = nn.Linear(config.channels, 1)
        nn.init.constant_(self.logit.bias, _RARE)

    def forward(
        self, features: Float[Tensor, "B L L C"], mask: Float[Tensor, "B L"]
    ) -> Float[Tensor, "B L L"]:
        """Symmetric logits; what *mask* leaves out (0) never reaches what it keeps (1).

        Without gradients, *features* are overwritten.
        """
        present = None if bool(mask.all()) else (mask[:, :, None] * mask[:, None, :])[..., None]
        fast = torch.is_autocast_enabled(features.device.type)
        x = features.to(torch.get_autocast_dtype(features.device.type)) if fast else features
        for block in self.blocks:
            x = block(x, present)
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
        return x + y if torch.is_grad_enabled() else x.add_(y)  # in place: half the memory of a map


def _masked(x: Tensor, present: Tensor | None) -> Tensor:
    return x if present is None else x * present.to(x.dtype)
