"""How well several predictors do by length, and how far their probabilities can be believed."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import ArrayLike, NDArray

from rnass.errors import InputError
from rnass.figures.style import FAINT, plain_text, styled

__all__ = ["judgement_figure"]

# Okabe and Ito's palette, the strongest hue first, and a marker for each, since hues merge in grey
# print; more lines than hues begin again dashed.
_HUES = ("#0072b2", "#d55e00", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#999999")
_MARKERS = "osD^vPX"


@styled
def judgement_figure(
    f1: Mapping[str, Mapping[str, tuple[float, float, float]]],
    bins: Mapping[str, ArrayLike] | None = None,
) -> Figure:
    """Draw F1 by length on the left and, where there are probabilities, a reliability diagram.

    Args:
        f1: line -> bin of length -> mean F1 and its interval, low and high; the same bins for all.
        bins: map -> shape (n, 3) as from `rnass.metrics.calibration_bins`, summed over records.

    Raises:
        InputError: no lines.
    """
    if not f1:
        raise InputError("judgement figure: no lines; expected at least one")
    columns = 2 if bins else 1
    layout = ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1)
    figure = Figure(figsize=(6.2 * columns, 4.6), layout=layout)
    _draw_lengths(figure.add_subplot(1, columns, 1), f1)
    if bins:
        drawn = {name: np.asarray(values, dtype=np.float64) for name, values in bins.items()}
        _draw_reliability(figure.add_subplot(1, 2, 2), drawn, [name.split()[0] for name in f1])
    return figure


def _draw_lengths(axes: Axes, f1: Mapping[str, Mapping[str, tuple[float, float, float]]]) -> None:
    names = list(next(iter(f1.values())))
    for k, (line, parts) in enumerate(f1.items()):
        x = np.arange(len(names)) + 0.07 * (k - (len(f1) - 1) / 2)
        mean, low, high = np.array([parts[name] for name in names]).T
        axes.errorbar(
            x,
            mean,
            yerr=np.clip([mean - low, high - mean], 0, None),
            color=_HUES[k % len(_HUES)],
            marker=_MARKERS[k % len(_MARKERS)],
            markersize=5,
            linestyle=("-", "--")[k // len(_HUES) % 2],
            linewidth=1.8 if k == 0 else 1,
            elinewidth=0.8,
            label=plain_text(line, 40),
        )
    axes.set_xticks(np.arange(len(names)), names)
    axes.set(xlabel="length, bases", ylabel="F1, strict, mean per RNA, 95 % interval", ylim=(0, 1))
    _finish(axes, 2 if len(f1) > 3 else 1)


def _draw_reliability(axes: Axes, bins: Mapping[str, NDArray[np.float64]], order: list[str]) -> None:
    """Share of pairs that are known against their mean probability, per bin that holds any."""
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8, linestyle=":")
    for name, values in bins.items():
        count, probability, known = values[values[:, 0] > 0].T
        k = order.index(name) % len(_HUES) if name in order else -1
        colour, marker = (FAINT, "o") if k < 0 else (_HUES[k], _MARKERS[k])
        axes.plot(
            probability / count, known / count, color=colour, marker=marker, markersize=5, label=name
        )
    axes.set(
        xlabel="pairing probability", ylabel="share of pairs that are known", xlim=(0, 1), ylim=(0, 1)
    )
    axes.set_aspect("equal")
    _finish(axes)


def _finish(axes: Axes, columns: int = 1) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8, loc="best", ncols=columns)
