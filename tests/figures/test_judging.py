import numpy as np
import pytest

from rnass.errors import InputError
from rnass.figures import judgement_figure

F1 = {
    "rnass": {"1-50": (0.6, 0.5, 0.7), "51-100": (0.7, 0.65, 0.75)},
    "ViennaRNA MFE": {"1-50": (0.5, 0.4, 0.6), "51-100": (0.6, 0.55, 0.65)},
}


def test_f1_by_length_and_reliability():
    bins = np.zeros((10, 3))
    bins[0], bins[9] = (100, 2, 3), (10, 9.5, 8)
    figure = judgement_figure(F1, {"rnass": bins, "ViennaRNA": bins})
    lengths, reliability = figure.axes
    assert [text.get_text() for text in lengths.get_xticklabels()] == ["1-50", "51-100"]
    drawn = lengths.get_lines()[0].get_ydata()
    assert list(drawn) == [0.6, 0.7]
    diagonal, first, _ = reliability.get_lines()
    assert list(diagonal.get_xdata()) == [0, 1]
    # only the bins that hold pairs: mean probability, share that is known
    assert first.get_xdata() == pytest.approx([0.02, 0.95])
    assert first.get_ydata() == pytest.approx([0.03, 0.8])


def test_lines_differ_in_grey_too():
    figure = judgement_figure({f"method {k}": F1["rnass"] for k in range(14)})
    lines = [container[0] for container in figure.axes[0].containers]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 14


def test_without_probabilities_there_is_one_panel():
    assert len(judgement_figure(F1).axes) == 1
    with pytest.raises(InputError, match="no lines; expected at least one"):
        judgement_figure({})
