"""A prediction as a figure: which structure and whose probabilities it shows."""

import numpy as np
import pytest
from matplotlib.figure import Figure

import rnass
from rnass.errors import ConfigError
from rnass.figures import Look, save_figure

HAIRPIN = "GGGGAAAACCCC"


@pytest.fixture(scope="module")
def prediction(weights):
    return rnass.predict(HAIRPIN, weights=weights)


def words(axes):
    texts = axes.figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_text())
    return {text.get_text() for text in texts}


@pytest.mark.parametrize(
    ("kind", "shown"),
    [("arcs", "rnass"), ("drawing", "confidence (rnass)"), ("map", "pairing probability")],
)
def test_every_kind_is_drawn_and_saved(kind, shown, prediction, tmp_path):
    axes = prediction.draw(kind, look=Look(width=5))
    assert shown in words(axes)
    assert axes.figure.get_size_inches()[0] == pytest.approx(5)
    save_figure(axes, tmp_path / "x.svg")


def test_it_is_drawn_on_the_axes_that_are_given(prediction):
    axes = Figure().add_subplot()
    assert prediction.draw("map", axes=axes) is axes
    cells = np.asarray(axes.get_images()[0].get_array())
    assert np.allclose(np.triu(cells, 1), np.triu(prediction.decoded_map, 1))


def test_another_kind_is_refused(prediction):
    with pytest.raises(ConfigError, match="kind 'foo'; expected arcs, drawing, map"):
        prediction.draw("foo")
