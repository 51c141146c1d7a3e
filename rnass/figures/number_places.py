"""Where the numbers of a drawing stand: beside their bases, and on nothing else."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rnass.figures.style import text_width

__all__ = ["Number", "placed_numbers"]

_ANGLES = 24
_REACHES = (0.13, 0.22, 0.34, 0.5)  # inches from the edge of a base to the middle of its number


@dataclass(frozen=True)
class Number:
    """A number or sign beside a base, in points of *size*."""

    base: int
    text: str
    size: float


def placed_numbers(
    numbers: Iterable[Number],
    places: NDArray[np.float64],
    obstacles: NDArray[np.float64],
    radius: float,
    limits: tuple[float, float],
) -> Iterator[tuple[Number, NDArray[np.float64]]]:
    """The middle of each number for which there is room, in the order given; the others are left out.

    Args:
        numbers: the more important ones first.
        places: shape (L, 2), of the bases, in inches.
        obstacles: shape (n, 2), middles of discs that nothing may cover.
        radius: of those discs.
        limits: width and height of the page.
    """
    angles = np.linspace(0, 2 * np.pi, _ANGLES, endpoint=False)
    around = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    taken = np.zeros((0, 2, 2))  # boxes: lower left, upper right
    for number in numbers:
        half = np.array([text_width(number.text, number.size) / 2, 0.75 * number.size / 144]) + 0.02
        for reach in _REACHES:
            spots = places[number.base] + around * (radius + reach + half[0] / 2)  # (angles, 2)
            room = _room(spots, half, obstacles) - radius
            free = room > 0
            apart = (spots[:, None] - half >= taken[:, 1]) | (spots[:, None] + half <= taken[:, 0])
            free &= apart.any(2).all(1)
            free &= ((spots - half >= 0) & (spots + half <= limits)).all(1)
            if free.any():
                best = spots[int(np.where(free, room, -1).argmax())]
                taken = np.concatenate([taken, [[best - half, best + half]]])
                yield number, best
                break


def _room(
    spots: NDArray[np.float64], half: NDArray[np.float64], obstacles: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance from a box around each spot to the nearest obstacle's middle, shape (n,)."""
    gaps = np.maximum(np.abs(spots[:, None] - obstacles) - half, 0)  # (spots, obstacles, 2)
    return np.asarray(np.hypot(gaps[..., 0], gaps[..., 1]).min(1))
