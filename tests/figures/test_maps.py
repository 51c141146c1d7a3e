"""Cells, scales and rings, read back from the figure's own artists."""

import numpy as np
import pytest
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.text import Text
from scipy.sparse import csr_array

from rnass import figures
from rnass.errors import InputError
from rnass.figures import Look, heat_maps
from rnass.figures.maps import _coarser
from rnass.structure import Structure


def probability_map(*arguments, **options):
    return figures.probability_map(*arguments, **options).figure


def symmetric(length, seed=0):
    values = np.random.default_rng(seed).random((length, length))
    return (values + values.T) / 2


def cells(figure):
    return np.asarray(figure.axes[0].get_images()[0].get_array())


def words(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


def test_one_map_above_the_diagonal_and_another_below():
    above, below = symmetric(20, 1), symmetric(20, 2)
    shown = cells(probability_map("ACGU" * 5, above, below))
    upper, lower = np.triu_indices(20, 1), np.tril_indices(20, -1)
    assert np.array_equal(shown[upper], above[upper])
    assert np.array_equal(shown[lower], below[lower])


def test_a_structure_below_counts_one():
    figure = probability_map("G" * 12, np.zeros((12, 12)), Structure(12, [(1, 10), (2, 9)]))
    assert sorted(map(tuple, np.argwhere(cells(figure)))) == [(9, 2), (10, 1)]


@pytest.mark.parametrize("width", [3.5, 7.0])
def test_names_and_title_take_the_room_there_is_and_do_not_meet(width):
    figure = probability_map(
        "G" * 40,
        symmetric(40),
        Structure(40),
        labels=("rnass", "rnass, structure"),
        title="a title that is too long for a single column of a journal, and for two as well",
        look=Look(width=width),
    )
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert axes.get_xlabel() == "◣ rnass, structure"
    right = next(text for text in figure.findobj(Text) if text.get_text() == "rnass ◥")
    title = next(text for text in figure.findobj(Text) if text.get_gid() == "title")
    gap = right.get_window_extent().x0 - title.get_window_extent().x1
    assert 0 < gap < 0.8 * figure.dpi


def test_one_map_alone_is_symmetric_and_unlabelled():
    values = symmetric(12)
    figure = probability_map("G" * 12, values)
    assert np.array_equal(cells(figure), cells(figure).T)
    assert not [word for word in words(figure) if "ViennaRNA" in word]


def test_scale_runs_from_0_to_1_and_positions_from_1():
    figure = probability_map("G" * 12, np.full((12, 12), 0.3), symmetric(12), labels=("here", "there"))
    image = figure.axes[0].get_images()[0]
    assert image.get_clim() == (0, 1)
    assert tuple(image.get_extent()) == (0.5, 12.5, 12.5, 0.5)
    assert {"here ◥", "◣ there", "pairing probability"} <= set(words(figure))


def test_a_long_map_keeps_its_rare_pairs():
    values = np.zeros((1000, 1000))
    values[17, 803] = 0.9
    small = _coarser(values, 300)
    assert small.shape == (250, 250)
    assert np.argwhere(small).tolist() == [[4, 200]]
    assert small.max() == 0.9


@pytest.mark.parametrize("look", [Look(), Look(region=(300, 700))])
def test_a_sparse_map_is_drawn_as_the_same_dense_one(look):
    values = np.triu(symmetric(1000), 1) ** 40
    values = np.where(values + values.T < 0.01, 0, values + values.T)
    structure = Structure(1000, [(17, 803), (320, 600)])
    dense, sparse = (
        cells(probability_map("A" * 1000, above, structure, look=look))
        for above in (values, csr_array(values))
    )
    assert np.array_equal(dense, sparse)


def test_coarsening_pads_the_last_block():
    values = np.zeros((7, 7))
    values[6, 6] = 1
    assert np.argwhere(_coarser(values, 3)).tolist() == [[2, 2]]


def test_heat_maps_share_a_scale_and_ring_the_pairs():
    maps = {f"head {k}": symmetric(30, k) * (k + 1) for k in range(5)}
    figure = heat_maps(maps, structure=Structure(30, [(0, 29), (3, 20)]), title="attention")
    panels = [axes for axes in figure.axes if axes.get_images()]
    assert [axes.get_title() for axes in panels] == list(maps)
    assert len({axes.get_images()[0].get_clim() for axes in panels}) == 1
    assert panels[0].collections[0].get_offsets().tolist() == [[1, 30], [4, 21]]


def test_negative_values_make_the_scale_symmetric_about_zero():
    image = heat_maps({"apc": symmetric(10) - 0.5}).axes[0].get_images()[0]
    low, high = image.get_clim()
    assert low == -high < 0


def test_a_map_of_zeros_is_drawn():
    assert isinstance(heat_maps({"nothing": np.zeros((4, 4))}).axes[0].get_images()[0].norm, Normalize)


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_sequences(length):
    probability_map("A" * length, np.zeros((length, length)), title="short").canvas.draw()


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: probability_map("ACGU", np.zeros((3, 3))), r"above: shape \(3, 3\); expected \(4, 4\)"),
        (lambda: probability_map("ACGU", np.zeros((4, 4)), np.zeros((4, 3))), "below: shape"),
        (lambda: probability_map("ACGU", np.zeros((4, 4)), Structure(5)), "below: 5 bases; expected 4"),
        (lambda: heat_maps({}), "no maps"),
        (lambda: heat_maps({"a": np.zeros((2, 2)), "b": np.zeros((3, 3))}), "heat map b"),
        (lambda: heat_maps({"a": np.zeros((2, 2))}, structure=Structure(3)), "structure: 3 bases"),
    ],
)
def test_what_does_not_fit_is_refused(draw, message):
    with pytest.raises(InputError, match=message):
        draw()


class TestLook:
    def test_a_region_keeps_its_numbers(self):
        values = symmetric(60)
        figure = probability_map("ACGU" * 15, values, look=Look(region=(19, 40)))
        assert np.array_equal(np.triu(cells(figure), 1), np.triu(values[19:40, 19:40], 1))
        assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["20", "30", "40"]

    @pytest.mark.parametrize(("width", "lettered"), [(3.5, False), (7.0, True)])
    def test_letters_have_5_points_or_are_left_out(self, width, lettered):
        figure = probability_map("ACGU" * 15, symmetric(60), look=Look(width=width))
        letters = figure.findobj(lambda artist: artist.get_gid() == "base")
        assert bool(letters) == lettered
        assert all(letter.get_size() >= 5 for letter in letters)

    def test_two_strands_are_numbered_each_and_parted(self):
        figure = probability_map("A" * 25 + "&" + "A" * 25, symmetric(50))
        ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
        assert ticks == ["1", "10", "20", "1", "10", "20"]
        assert len(figure.findobj(lambda artist: artist.get_gid() == "nick")) == 2

    def test_highlights_are_bands_both_ways(self):
        figure = probability_map("ACGU" * 5, symmetric(20), look=Look(highlight=((2, 5),)))
        bands = figure.findobj(lambda artist: artist.get_gid() == "highlight")
        across, down = (
            band.get_extents().transformed(figure.axes[0].transData.inverted()) for band in bands
        )
        assert (across.x0, across.x1) == pytest.approx((2.5, 5.5))
        assert sorted((down.y0, down.y1)) == pytest.approx([2.5, 5.5])


def test_axes_that_are_given_are_drawn_on_and_returned():
    axes = Figure().add_subplot()
    assert figures.probability_map("ACGU" * 5, symmetric(20), axes=axes) is axes
    assert len(axes.get_images()) == 1


def test_the_scale_says_whose_probability_it_is():
    figure = probability_map("ACGU" * 5, symmetric(20), labels=("rnass", ""))
    assert "pairing probability (rnass)" in words(figure)
