"""What is drawn, read back from the figure's own artists."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from rnass import figures
from rnass.errors import ConfigError, InputError
from rnass.figures import Look, Track, by_confidence, by_element, by_reactivity
from rnass.figures.pair_colours import CORRECT, MISSED, WRONG
from rnass.figures.style import KNOTTED, NESTED
from rnass.structure import Structure

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
CLOVERLEAF = "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
KNOT = Structure.from_dot_bracket("(((..[[..))).]]")
KNOT_BASES = "GGGAACCAACCCAGG"
EMPTY = Structure(15)


def arc_diagram(*arguments, **options):
    return figures.arc_diagram(*arguments, **options).figure


def compare_arcs(*arguments, **options):
    return figures.compare_arcs(*arguments, **options).figure


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


def cross_in_the_picture(first, second):
    """Whether two half ellipses, as (left, right, height), cross above the line."""
    x = np.linspace(max(first[0], second[0]), min(first[1], second[1]), 4001)[1:-1]
    if not x.size or x[0] >= x[-1]:
        return False
    a, b = (
        height * np.sqrt(np.clip(1 - ((2 * x - left - right) / (right - left)) ** 2, 0, None))
        for left, right, height in (first, second)
    )
    return bool((a > b).any() and (a < b).any())


@pytest.mark.parametrize("length", [40, 150, 400, 2000, 5000])
def test_arcs_cross_exactly_where_pairs_do(length):
    rng = np.random.default_rng(length)
    ends = rng.choice(length, 24, replace=False).reshape(-1, 2)
    hairpin = Structure(length, [*map(tuple, ends)])
    (arcs,) = by_id(arc_diagram("A" * length, Track("x", hairpin)), "above")
    drawn = [(*path.vertices[[0, -1], 0], np.ptp(path.vertices[:, 1])) for path in arcs.get_paths()]
    order = [int(np.argsort([d[0] for d in drawn])[k]) for k in range(len(drawn))]
    pairs = hairpin.pairs.tolist()
    for m in range(len(pairs)):
        for n in range(m):
            (i, j), (k, end) = pairs[n], pairs[m]
            crossing = i < k < j < end
            assert cross_in_the_picture(drawn[order[n]], drawn[order[m]]) == crossing


@pytest.mark.parametrize("length", [120, 400, 1500, 5000])
def test_hairpins_can_be_seen_beside_the_widest_arc(length):
    structure = Structure(length, [(0, length - 1), (50, 60)])
    (arcs,) = by_id(arc_diagram("A" * length, Track("x", structure)), "above")
    peaks = sorted(np.ptp(path.vertices[:, 1]) for path in arcs.get_paths())
    assert peaks[0] > 0.1  # inches
    assert peaks[1] < 3.3


def test_short_rnas_have_arcs_of_one_shape():
    figure = arc_diagram("A" * 30, Track("x", Structure(30, [(0, 12), (3, 9), (14, 29)])))
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
    assert words(figure, "legend") == ["pairing probability", "pairing probability, pseudoknotted"]
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
        (Track("nested", KNOT.up_to_order(0), np.zeros((15, 15))), ["pairing probability"]),
        (Track("knot", KNOT), ["nested", "pseudoknotted"]),
    ],
    ids=["no pairs", "no pairs, map", "nested", "nested, map", "knot"],
)
def test_legend_says_what_is_needed(track, legend):
    assert words(arc_diagram(KNOT_BASES, track), "legend") == legend


def test_reference_mode_colours_correct_wrong_and_missed():
    predicted = Structure(15, [(0, 11), (1, 10), (3, 8)])
    figure = arc_diagram(KNOT_BASES, Track("rnass", predicted), Track("truth", KNOT), reference=True)
    above, below = colours_of(figure, "above"), colours_of(figure, "below")
    correct, wrong, missed = (to_rgba(entry.colour) for entry in (CORRECT, WRONG, MISSED))
    assert above == {(0, 11): correct, (1, 10): correct, (3, 8): wrong}
    assert below == {
        (0, 11): correct,
        (1, 10): correct,
        (2, 9): missed,
        (5, 14): missed,
        (6, 13): missed,
    }
    assert {"2 correct, 1 wrong", "2 correct, 3 missed"} <= set(words(figure))
    assert words(figure, "legend") == ["correct", "wrong", "missed", "pseudoknotted"]
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
    correct, wrong, missed = (to_rgba(entry.colour) for entry in (CORRECT, WRONG, MISSED))
    assert colours == {
        (0, 11): correct,
        (3, 8): wrong,
        (1, 10): missed,
        (2, 9): missed,
        (5, 14): missed,
        (6, 13): missed,
    }
    assert "1 correct, 1 wrong, 4 missed" in words(figure)
    assert words(figure, "legend") == ["correct", "wrong", "missed", "pseudoknotted"]


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

    def test_pairs_between_the_strands_that_are_alone_are_not_dashed(self):
        alone = Structure(13, [(0, 12), (1, 11)])
        figure = arc_diagram(self.BASES, Track("a", alone))
        assert [style[1] for style in by_id(figure, "above")[0].get_linestyles()] == [None, None]
        assert "2 pairs, 2 between the strands" in words(figure)
        assert "between the strands" not in words(figure, "legend")
        both = arc_diagram(self.BASES, Track("a", alone), Track("b", self.PAIRS))
        assert all(style[1] for style in by_id(both, "above")[0].get_linestyles())

    def test_one_strand_has_no_such_thing(self):
        figure = compare_arcs(self.BASES.replace("&", ""), [Track("rnass", self.PAIRS)])
        assert "between the strands" not in " ".join(words(figure))

    def test_long_strands_are_two_lines(self):
        bases = "A" * 300 + "&" + "A" * 300
        figure = compare_arcs(bases, [Track("rnass", Structure(600))])
        assert len(figure.axes[0].lines) == 2

    def test_the_second_strand_is_numbered_anew(self):
        figure = arc_diagram("A" * 25 + "&" + "A" * 25, Track("x", Structure(50)))
        numbers = [(text.get_position()[0], text.get_text()) for text in by_id(figure, "position")]
        assert [word for _, word in sorted(numbers)] == ["1", "10", "20", "1", "10", "20"]


class TestLook:
    def test_a_region_keeps_its_numbers_and_marks_pairs_that_leave_it(self):
        structure = Structure.from_dot_bracket(CLOVERLEAF)
        look = Look(region=(9, 46))
        figure = arc_diagram(TRNA_PHE, Track("rnass", structure), look=look)
        assert "".join(words(figure, "base")) == TRNA_PHE[9:46]
        assert words(figure, "position")[0] == "10"
        inside = [(i - 9, j - 9) for i, j in structure.pairs.tolist() if i >= 9 and j < 46]
        assert sorted(drawn_pairs(figure, "above")[0]) == inside
        assert "9 of 21 pairs shown" in words(figure)
        assert not by_id(figure, "leaving")[0].get_segments()
        assert "pair that leaves the region" not in words(figure, "legend")
        cut = arc_diagram(TRNA_PHE, Track("rnass", structure), look=Look(region=(0, 20)))
        lines = by_id(cut, "leaving")[0].get_segments()
        assert len(lines) == sum(1 for i, j in structure.pairs if i < 20 <= j)
        assert all(end[0] > start[0] for start, end in lines)
        assert "pair that leaves the region" in words(cut, "legend")

    def test_a_pseudoknot_stays_one_in_a_region_that_hides_what_it_crosses(self):
        whole = colours_of(arc_diagram(KNOT_BASES, Track("x", KNOT)), "above")
        part = arc_diagram(KNOT_BASES, Track("x", KNOT), look=Look(region=(4, 15)))
        assert colours_of(part, "above") == {(1, 10): whole[5, 14], (2, 9): whole[6, 13]}
        assert words(part, "legend") == ["pseudoknotted", "pair that leaves the region"]

    @pytest.mark.parametrize("width", [3.3, 7.09, 20])
    def test_the_size_asked_for_is_kept_and_no_letter_is_under_5_points(self, width):
        track = Track("rnass", Structure.from_dot_bracket(CLOVERLEAF), np.eye(76), "rnass")
        figure = arc_diagram(TRNA_PHE, track, title="yeast tRNA-Phe", look=Look(width=width))
        assert figure.get_size_inches()[0] == pytest.approx(width)
        texts = figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_text())
        assert min(text.get_size() for text in texts) >= 5
        assert bool(by_id(figure, "base")) == (width > 5)
        assert not overlaps(figure, ["position"])

    def test_the_height_asked_for_is_filled(self):
        track = Track("rnass", Structure.from_dot_bracket(CLOVERLEAF))
        figure = arc_diagram(TRNA_PHE, track, track, look=Look(width=7, height=4))
        assert figure.get_size_inches().tolist() == [7, 4]
        figure.canvas.draw()
        for text in figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_text()):
            box = text.get_window_extent()
            assert figure.bbox.y0 <= box.y0
            assert box.y1 <= figure.bbox.y1

    def test_highlights_lie_behind_their_bases(self):
        figure = arc_diagram(KNOT_BASES, Track("x", KNOT), look=Look(highlight=((4, 8),)))
        (box,) = by_id(figure, "highlight")[0].get_paths()
        places = [text.get_position()[0] for text in by_id(figure, "base")]
        inside = [box.vertices[:, 0].min() < x < box.vertices[:, 0].max() for x in places]
        assert np.flatnonzero(inside).tolist() == [4, 5, 6, 7]

    @pytest.mark.parametrize(
        ("look", "error", "message"),
        [
            (lambda: Look(region=(10, 99)), InputError, "base 99; expected 1 to 15"),
            (lambda: Look(highlight=((10, 99),)), InputError, "base 99; expected 1 to 15"),
            (lambda: Look(region=(5, 5)), ConfigError, "bases 6-5: none"),
            (lambda: Look(width=0.1), ConfigError, "width: 0.10 inches; expected 1 to 200"),
            (lambda: Look(font="No Such Font"), ConfigError, "'No Such Font' is not installed"),
        ],
    )
    def test_what_cannot_be_is_refused(self, look, error, message):
        with pytest.raises(error, match=message):
            arc_diagram(KNOT_BASES, Track("x", KNOT), look=look())


def test_axes_that_are_given_are_drawn_on_and_returned():
    figure = Figure(figsize=(8, 6))
    left, right = figure.subplots(1, 2)
    assert figures.arc_diagram(KNOT_BASES, Track("x", KNOT), axes=right) is right
    assert len(figure.axes) == 2
    assert not left.collections
    box = right.get_window_extent().transformed(figure.dpi_scale_trans.inverted())
    assert (right.get_xlim()[1], right.get_ylim()[1]) == pytest.approx((box.width, box.height))


def test_the_legend_says_whose_probability_it_is():
    one, other = np.full((15, 15), 0.5), np.full((15, 15), 0.2)
    tracks = Track("rnass", KNOT, one, "rnass"), Track("MFE", KNOT.up_to_order(0), other, "ViennaRNA")
    assert words(arc_diagram(KNOT_BASES, *tracks), "legend") == [
        "pairing probability (rnass; ViennaRNA)",
        "pairing probability, pseudoknotted (rnass)",
    ]


def luminance(colour):
    """Relative luminance, WCAG 2."""
    channels = np.array(to_rgba(colour)[:3])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("scale", [NESTED, KNOTTED])
def test_improbable_arcs_show_on_paper_and_probable_ones_are_darker_in_grey(scale):
    light = [luminance(scale(p)) for p in np.linspace(0, 1, 11)]
    assert (np.diff(light) < 0).all()
    assert 1.05 / (light[0] + 0.05) >= 1.9


def test_correct_wrong_and_missed_differ_in_grey():
    lightness = sorted(
        116 * luminance(entry.colour) ** (1 / 3) - 16 for entry in (CORRECT, WRONG, MISSED)
    )
    assert min(np.diff([*lightness, 100])) > 15  # CIE L*


@pytest.mark.parametrize("width", [2.5, 3.5, 7.0])
def test_a_legend_that_is_too_wide_goes_on_in_a_further_line(width):
    values = np.full((15, 15), 0.5)
    tracks = [Track(name, KNOT, values, name) for name in ("rnass", "ViennaRNA, Turner 2004")]
    figure = arc_diagram(KNOT_BASES, *tracks, look=Look(width=width))
    figure.draw_without_rendering()
    texts = by_id(figure, "legend")
    assert "pseudoknotted (rnass; ViennaRNA, Turner 2004)" in " ".join(words(figure, "legend"))
    assert all(text.get_window_extent().x1 < figure.bbox.x1 for text in texts)
    assert len(figure.axes[0].collections) == 6 + 2  # halves with highlights and stubs; two scales


def test_tracks_of_bases_stand_below_the_letters():
    values = np.linspace(0, 2, 15)
    values[3] = np.nan
    tracks = [by_confidence(np.full(15, 0.5), "rnass"), by_element("s" * 15), by_reactivity(values)]
    figure = arc_diagram(KNOT_BASES, Track("x", KNOT), tracks=tracks)
    bars = [path.vertices for path in by_id(figure, "reactivity")[0].get_paths()]
    low, high = np.array([(bar[:, 1].min(), bar[:, 1].max()) for bar in bars]).T
    line, top = low.max(), np.nanquantile(values, 0.95)
    expected = np.nan_to_num(np.clip(values / top, 0, 1))
    assert np.allclose((high - line) / (high - line).max(), expected)
    assert np.flatnonzero(low < line - 0.03).tolist() == [3]  # not measured: a mark below the line
    assert {"confidence (rnass)", "stem", "reactivity", "not measured"} <= set(words(figure, "legend"))
    letters = by_id(figure, "base")[0].get_position()[1]
    assert all(bar[:, 1].max() < letters for bar in bars)
    with pytest.raises(InputError, match="confidence: 3 bases; expected 15"):
        arc_diagram(KNOT_BASES, Track("x", KNOT), tracks=[by_confidence(np.ones(3))])
