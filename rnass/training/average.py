"""The moving average of weights that is validated and saved in place of the weights themselves."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["MovingAverage"]


class MovingAverage:
    """An exponential moving average of parameters.

    Args:
        parameters: by name.
        decay: of the average; 0 for none, with which the parameters stay as they are.

    Attributes:
        tensors: the averages by name.
    """

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        self._parameters, self.decay = parameters, decay
        self.tensors: dict[str, Tensor] = {name: p.detach().clone() for name, p in parameters.items()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the parameters after a step, counted from 0; early on the average follows faster."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for name, parameter in self._parameters.items():
            self.tensors[name].lerp_(parameter, 1 - decay)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """A context in which the parameters are their averages."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, average in self.tensors.items() if self.decay else ():
            weight = self._parameters[name].data
            kept = weight.clone()
            weight.copy_(average)
            average.copy_(kept)
