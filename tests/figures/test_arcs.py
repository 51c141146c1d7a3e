"""What is drawn, read back from the figure's own artists."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from rnass.errors import InputError
from rnass.figures import Track, arc_diagram, compare_arcs
from rnass.figures.pair_colours import FALSE, MISSED, TRUE
from rnass.figures.style import KNOTTED, NESTED
from rnass.structure import Structure

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
CLOVERLEAF = "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
KNOT = Structure.from_dot_bracket("(((..[[..))).]]")
KNOT_BASES = "GGGAACCAACCCAGG"
EMPTY = Structure(15)


def by_id(figure, gid):
    """The artists of that name, in drawing order."""
    return figure.findobj(lambda artist: artist.get_gid() == gid)


def words(figure, gid=None):
    texts = figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_text())
    return [text.get_text() for text in texts if gid is None or text.get_gid() == gid]


def drawn_pairs(figure, gid):
    """Pairs (i, j) from where the arcs begin and end, by the places of the letters; and their peaks."""
    places = [text.get_position()[0] for text in by_id(figure, "base")]
    pairs, peaks = [], []
    for collection in by_id(figure, gid):
        for path in collection.get_paths():
            ends = path.vertices[[0, -1], 0]
            pairs.append(tuple(int(np.argmin(np.abs(np.array(places) - x))) for x in ends))
            assert np.allclose([places[k] for k in pairs[-1]], ends)
            peaks.append(path.vertices[3, 1] - path.vertices[0, 1])
    return pairs, np.array(peaks)


def colours_of(figure, gid):
    """Pair -> colour."""
    pairs, _ = drawn_pairs(figure, gid)
    edges = np.concatenate([artist.get_edgecolors() for artist in by_id(figure, gid)])
    return dict(zip(pairs, map(tuple, edges), strict=True))


def overlaps(figure, kinds):
    """Pairs of texts whose boxes overlap on the page."""
    figure.canvas.draw()
    texts = [artist for kind in kinds for artist in by_id(figure, kind)]
    boxes = [text.get_window_extent() for text in texts]
    return [
        (texts[a].get_text(), texts[b].get_text())
        for a in range(len(boxes))
        for b in range(a)
        if boxes[a].overlaps(boxes[b])
    ]


def test_arcs_are_the_pairs_above_and_below():
    above, below = Structure.from_dot_bracket(CLOVERLEAF), Structure(76, [(0, 71), (10, 60)])
    figure = arc_diagram(TRNA_PHE, Track("rnass", above), Track("MFE", below))
    upward, up = drawn_pairs(figure, "above")
    downward, down = drawn_pairs(figure, "below")
    assert sorted(upward) == [tuple(pair) for pair in above.pairs]
    assert sorted(downward) == [(0, 71), (10, 60)]
    assert (up > 0).all()
    assert (down < 0).all()
    assert "".join(words(figure, "base")) == TRNA_PHE
    assert {"rnass", "MFE", "21 pairs", "2 pairs"} <= set(words(figure))


def test_all_arcs_have_one_shape_so_nested_pairs_never_cross():
    figure = arc_diagram(TRNA_PHE, Track("rnass", Structure.from_dot_bracket(CLOVERLEAF)))
    pairs, peaks = drawn_pairs(figure, "above")
    spans = np.array([j - i for i, j in pairs])
    assert np.allclose(peaks / spans, peaks[0] / spans[0])


def test_probability_shades_and_order_colours():
    probabilities = np.zeros((15, 15))
    for p, (i, j) in zip((0.2, 0.5, 0.9, 0.3, 1.4), KNOT.pairs, strict=True):
        probabilities[i, j] = probabilities[j, i] = p
    figure = arc_diagram(KNOT_BASES, Track("rnass", KNOT, probabilities))
    colours = colours_of(figure, "above")
    assert colours[0, 11] == pytest.approx(NESTED(0.2))
    assert colours[2, 9] == pytest.approx(NESTED(0.9))
    assert colours[5, 14] == pytest.approx(KNOTTED(0.3))
    assert colours[6, 13] == pytest.approx(KNOTTED(1.0))  # clipped
    darkness = [sum(colours[pair][:3]) for pair in ((0, 11), (1, 10), (2, 9))]
    assert darkness == sorted(darkness, reverse=True)
    assert words(figure, "legend") == ["probability", "probability, pseudoknotted"]
    assert "5 pairs, 2 pseudoknotted" in words(figure)


def test_pseudoknots_are_told_apart_without_probabilities():
    colours = colours_of(arc_diagram(KNOT_BASES, Track("x", KNOT)), "above")
    assert len({colours[pair] for pair in ((0, 11), (1, 10), (2, 9))}) == 1
    assert colours[0, 11] != colours[5, 14] == colours[6, 13]


@pytest.mark.parametrize(
    ("track", "legend"),
    [
        (Track("empty", EMPTY), []),
        (Track("empty", EMPTY, np.zeros((15, 15))), []),
        (Track("nested", KNOT.up_to_order(0)), []),
        (Track("nested", KNOT.up_to_order(0), np.zeros((15, 15))), ["probability"]),
        (Track("knot", KNOT), ["nested", "pseudoknotted"]),
    ],
    ids=["no pairs", "no pairs, map", "nested", "nested, map", "knot"],
)
def test_legend_says_what_is_needed(track, legend):
    assert words(arc_diagram(KNOT_BASES, track), "legend") == legend


def test_reference_mode_colours_true_false_and_missed():
    predicted = Structure(15, [(0, 11), (1, 10), (3, 8)])
    figure = arc_diagram(KNOT_BASES, Track("rnass", predicted), Track("truth", KNOT), reference=True)
    above, below = colours_of(figure, "above"), colours_of(figure, "below")
    true, false, missed = (to_rgba(entry.colour) for entry in (TRUE, FALSE, MISSED))
    assert above == {(0, 11): true, (1, 10): true, (3, 8): false}
    assert below == {(0, 11): true, (1, 10): true, (2, 9): missed, (5, 14): missed, (6, 13): missed}
    assert {"2 true, 1 false", "2 true, 3 missed"} <= set(words(figure))
    assert words(figure, "legend") == ["true", "false", "missed", "pseudoknotted"]
    dashes = [pattern is not None for _, pattern in by_id(figure, "below")[0].get_linestyle()]
    assert dashes == [False, False, False, True, True]


def test_comparison_stacks_tracks_in_order():
    tracks = [Track("one", KNOT), Track("two", KNOT.up_to_order(0)), Track("three", EMPTY)]
    figure = compare_arcs(KNOT_BASES, tracks)
    assert [len(artist.get_paths()) for artist in by_id(figure, "above")] == [5, 3, 0]
    heights = [
        text.get_position()[1]
        for name in ("one", "two", "three")
        for text in figure.findobj()
        if named(text, name)
    ]
    assert heights == sorted(heights, reverse=True)


def named(artist, name):
    return hasattr(artist, "get_text") and artist.get_text() == name


def test_comparison_with_a_reference_shows_what_is_missed():
    figure = compare_arcs(KNOT_BASES, [Track("two", Structure(15, [(0, 11), (3, 8)]))], reference=KNOT)
    colours = colours_of(figure, "above")
    true, false, missed = (to_rgba(entry.colour) for entry in (TRUE, FALSE, MISSED))
    assert colours == {
        (0, 11): true,
        (3, 8): false,
        (1, 10): missed,
        (2, 9): missed,
        (5, 14): missed,
        (6, 13): missed,
    }
    assert "1 true, 1 false, 4 missed" in words(figure)
    assert words(figure, "legend") == ["true", "false", "missed", "pseudoknotted"]


@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_shortest_sequences_and_no_pairs(length):
    empty = Track("rnass", Structure(length), np.zeros((length, length)))
    figure = arc_diagram("A" * length, empty, empty, title="short")
    figure.canvas.draw()
    assert words(figure).count("no pairs") == 2


@pytest.mark.parametrize("length", [30, 120, 170])
def test_letters_and_numbers_do_not_overlap(length):
    figure = arc_diagram("G" * length, Track("a", Structure(length, [(0, length - 1)])))
    assert len(by_id(figure, "base")) == length
    assert not overlaps(figure, ["position"])
    letters = [text.get_window_extent() for text in by_id(figure, "base")]
    assert all(a.x1 < b.x0 for a, b in pairwise(letters))


@pytest.mark.parametrize("length", [500, 2000, 12345])
def test_long_sequences_have_a_ruler_instead_of_letters(length):
    figure = arc_diagram("G" * length, Track("a", Structure(length, [(0, length - 1)])))
    assert not by_id(figure, "base")
    assert words(figure, "position")[0] == "1"
    assert not overlaps(figure, ["position"])


def test_long_words_are_cut_and_odd_ones_kept():
    track = Track("ViennaRNA " * 40, KNOT)
    figure = arc_diagram(KNOT_BASES, track, title="price $5 and $6\n\x00" + "x" * 300)
    page = figure.bbox
    figure.canvas.draw()
    for text in figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_text()):
        assert page.x0 <= text.get_window_extent().x0
        assert text.get_window_extent().x1 <= page.x1
    (title,) = words(figure, "title")
    assert title.startswith("price $5 and $6 xxx")
    assert title.endswith("…")


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: arc_diagram("ACGU", Track("rnass", Structure(5))), "rnass: 5 bases; expected 4"),
        (
            lambda: arc_diagram("ACGU", Track("x", Structure(4), np.zeros((4, 5)))),
            r"x: probabilities of shape \(4, 5\); expected \(4, 4\)",
        ),
        (lambda: arc_diagram("ACGU", Track("x", Structure(4)), reference=True), "nothing below"),
        (lambda: compare_arcs("ACGU", []), "no structures"),
        (
            lambda: compare_arcs("ACGU", [Track("x", Structure(4))], reference=Structure(3)),
            "reference: 3 bases; expected 4",
        ),
    ],
)
def test_what_does_not_fit_is_refused(draw, message):
    with pytest.raises(InputError, match=message):
        draw()


class TestTwoStrands:
    PAIRS = Structure.from_dot_bracket("((...))((()))")
    BASES = "GGAAACCGGG&CCC"

    def test_a_gap_stands_at_the_nick(self):
        figure = arc_diagram(self.BASES, Track("rnass", self.PAIRS))
        places = np.array([text.get_position()[0] for text in by_id(figure, "base")])
        steps = np.diff(places)
        assert np.allclose(np.delete(steps, 9), steps[0])
        assert steps[9] == pytest.approx(4 * steps[0])
        assert "&" in words(figure)
        pairs, _ = drawn_pairs(figure, "above")
        assert sorted(pairs) == [tuple(pair) for pair in self.PAIRS.pairs.tolist()]

    def test_pairs_between_the_strands_are_dashed(self):
        figure = arc_diagram(self.BASES, Track("a", self.PAIRS), Track("b", self.PAIRS))
        for side in ("above", "below"):
            (arcs,) = by_id(figure, side)
            dashed = [style[1] is not None for style in arcs.get_linestyles()]
            pairs, _ = drawn_pairs(figure, side)
            assert dashed == [i < 10 <= j for i, j in pairs]
        assert "between the strands" in words(figure)
        assert "5 pairs, 3 between the strands" in words(figure)

    def test_one_strand_has_no_such_thing(self):
        figure = compare_arcs(self.BASES.replace("&", ""), [Track("rnass", self.PAIRS)])
        assert "between the strands" not in " ".join(words(figure))

    def test_long_strands_are_two_lines(self):
        bases = "A" * 300 + "&" + "A" * 300
        figure = compare_arcs(bases, [Track("rnass", Structure(600))])
        assert len(figure.axes[0].lines) == 2
