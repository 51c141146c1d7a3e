"""What `rnass plot` makes of files: which figure, of which record, with what beside it."""

from dataclasses import replace

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from scipy.sparse import csr_array

from rnass.errors import ConfigError, InputError, OutputError
from rnass.figures import Look
from rnass.files import write_npy, write_text
from rnass.io import write_ct, write_dot_bracket, write_map
from rnass.jobs.drawable import counterpart, reactivities_of, read_drawables
from rnass.jobs.plot import PlotOptions, draw, plot_files
from rnass.jobs.summary import write_summary
from rnass.rna import Rna
from rnass.structure import Structure

ONE = (Rna("one", "GGGAAACCC", "one of two"), Structure.from_dot_bracket("(((...)))"))
TWO = (Rna("two", "GGGGAAAACCCC", "two"), Structure.from_dot_bracket("((((....))))"))
MAP = np.full((9, 9), 0.25, dtype=np.float32)


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "results"
    folder.mkdir()
    rows = [{"id": rna.id, "file": rna.id, "status": "ok"} for rna, _ in (ONE, TWO)]
    write_summary(folder / "summary.tsv", ("id", "file", "status"), rows)
    write_dot_bracket(folder / "predictions.dbn", [ONE, TWO])
    write_npy(folder / "one.npy", MAP)
    write_ct(folder / "one.ct", *ONE)
    return folder


def words(axes, gid=None):
    texts = axes.figure.findobj(lambda artist: hasattr(artist, "get_text") and artist.get_text())
    return [text.get_text() for text in texts if gid is None or text.get_gid() == gid]


def arc_colours(axes):
    return [arcs.get_edgecolor().tolist() for arcs in axes.findobj(PathCollection)]


def test_a_results_folder_is_drawn_whole_a_file_for_each_record(results, tmp_path):
    files, status = plot_files([str(results)], tmp_path / "figures", PlotOptions())
    assert status == 0
    assert [file.name for file in files] == ["one.svg", "two.svg"]
    assert all(file.read_bytes().startswith(b"<?xml") for file in files)


@pytest.mark.parametrize("name", ["one.ct", "one.npy", "."])
def test_structure_and_map_of_one_name_belong_together(results, name):
    one = read_drawables([results / name])[0]
    assert (one.rna.bases, one.structure, one.source) == ("GGGAAACCC", ONE[1], "rnass")
    assert np.array_equal(one.load(), MAP)


def test_an_rna_in_windows_is_drawn_as_any_other(results):
    one = read_drawables([results])[0]
    shades = arc_colours(draw(one, PlotOptions()))
    cells = draw(one, PlotOptions(kind="map")).get_images()[0].get_array()
    assert sum(map(len, shades)) == 3
    (results / "one.npy").unlink()
    write_map(results / "one.npz", csr_array(MAP))
    assert arc_colours(draw(one, PlotOptions())) == shades
    assert "confidence (rnass)" in words(draw(one, PlotOptions(kind="drawing")))
    assert np.array_equal(
        draw(one, PlotOptions(kind="map")).get_images()[0].get_array(),
        cells,
    )


def test_a_map_alone_is_drawn_as_one_and_as_nothing_else(tmp_path):
    write_npy(tmp_path / "m.npy", MAP)
    (one,) = read_drawables([tmp_path / "m.npy"])
    axes = draw(one, PlotOptions(kind="map"))
    assert len(axes.get_images()) == 1
    with pytest.raises(ConfigError, match=r"m\.npy \(m\): a map without a structure"):
        draw(one, PlotOptions(kind="arcs"))


def test_a_folder_of_structures_is_read_in_order_of_names(tmp_path):
    write_dot_bracket(tmp_path / "b.dbn", [ONE])
    write_ct(tmp_path / "a.ct", *TWO)
    write_text(tmp_path / "notes.txt", "no structure")
    assert [one.rna.id for one in read_drawables([tmp_path])] == ["two", "one"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="empty: no file to read in this folder"):
        read_drawables([tmp_path / "empty"])


def test_arcs_are_shaded_unless_colour_is_none(results):
    one, two = read_drawables([results])
    assert words(draw(one, PlotOptions()), "legend") == ["pairing probability (rnass)"]
    assert words(draw(one, PlotOptions(colour="none")), "legend") == []
    assert words(draw(two, PlotOptions()), "legend") == []


@pytest.mark.parametrize("kind", ["arcs", "drawing"])
def test_against_another_structure_pairs_are_judged(results, kind, tmp_path):
    known = (ONE[0], Structure(9, [(0, 8), (1, 6)]))
    write_dot_bracket(tmp_path / "known.dbn", [TWO, known])
    one = read_drawables([results])[0]
    other = counterpart(one, read_drawables([tmp_path / "known.dbn"]), "known.dbn")
    legend = set(words(draw(one, PlotOptions(kind=kind), other=other), "legend"))
    assert {"correct", "wrong", "missed"} <= legend
    assert "confidence (rnass)" not in legend  # its dark blue would hide the pairs
    chosen = words(draw(one, PlotOptions(kind=kind, colour="confidence"), other=other), "legend")
    assert "confidence (rnass)" in chosen


def test_a_map_is_held_against_a_structure_or_a_map(results, tmp_path):
    write_dot_bracket(tmp_path / "known.dbn", [(ONE[0], Structure(9, [(0, 6)]))])
    one = read_drawables([results])[0]
    other = counterpart(one, read_drawables([tmp_path / "known.dbn"]), "known.dbn")
    axes = draw(one, PlotOptions(kind="map"), other=other)
    cells = np.asarray(axes.get_images()[0].get_array())
    assert np.argwhere(np.tril(cells)).tolist() == [[6, 0]]
    assert "◣ known.dbn" in words(axes)
    alone = np.asarray(draw(one, PlotOptions(kind="map")).get_images()[0].get_array())
    assert sorted(map(tuple, np.argwhere(np.tril(alone)))) == [(6, 2), (7, 1), (8, 0)]


def test_reactivities_are_a_track_of_arcs_and_the_colours_of_drawings(results, tmp_path):
    write_text(tmp_path / "x.shape", ">one\n1 0.1\n3 0.9\n")
    drawables = read_drawables([results])
    first, second = reactivities_of(tmp_path / "x.shape", drawables)
    assert first[[0, 2]].tolist() == [0.1, 0.9]
    assert np.isnan(first[[1, 3]]).all()
    assert second is None
    for kind in ("arcs", "drawing"):
        axes = draw(drawables[0], PlotOptions(kind=kind), reactivities=first)
        assert "reactivity" in words(axes, "legend")


def test_a_bad_entry_of_reactivities_costs_the_other_records_nothing(results, tmp_path, caplog):
    write_text(tmp_path / "x.shape", ">one\n1 x\n>two\n3 0.9\n")
    options = PlotOptions(reactivities=str(tmp_path / "x.shape"))
    files, status = plot_files([str(results)], tmp_path / "figures", options)
    assert ([file.name for file in files], status) == (["two.svg"], 1)
    assert f"{tmp_path / 'x.shape'}:2 (one): reactivity 'x'; expected a number" in caplog.text
    with pytest.raises(InputError, match=r"x\.shape:2 \(one\): reactivity 'x'"):
        plot_files([str(results)], tmp_path / "other", replace(options, record="one"))


def test_a_region_that_one_record_has_not_costs_the_others_nothing(results, tmp_path, caplog):
    options = PlotOptions(look=Look(region=(4, 12)))  # one has 9 bases, two 12
    files, status = plot_files([str(results)], tmp_path / "figures", options)
    assert ([file.name for file in files], status) == (["two.svg"], 1)
    assert f"{results} (one): arc diagram: region 5-12: base 12; expected 1 to 9" in caplog.text


def test_elements_colour_bases(results):
    axes = draw(read_drawables([results])[0], PlotOptions(kind="drawing", colour="elements"))
    assert {"stem", "hairpin"} <= set(words(axes, "legend"))


@pytest.mark.parametrize(
    ("colour", "message"),
    [("reactivity", "no reactivities; expected --reactivities"), ("confidence", "no probabilities")],
)
def test_a_colour_of_something_that_is_not_there_is_refused(colour, message, results):
    with pytest.raises(ConfigError, match=message):
        draw(read_drawables([results])[1], PlotOptions(kind="drawing", colour=colour))


def test_one_file_is_for_one_record(results, tmp_path):
    out = tmp_path / "x.png"
    with pytest.raises(OutputError, match=r"one file for 2 records; .* --record with one of one, two"):
        plot_files([str(results)], out, PlotOptions())
    plot_files([str(results)], out, PlotOptions(record="two"))
    assert out.read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OutputError, match="is there already"):
        plot_files([str(results)], out, PlotOptions(record="two"))
    plot_files([str(results)], out, PlotOptions(record="two", overwrite=True, look=Look(width=3)))
    with pytest.raises(InputError, match="--record three: no such record"):
        plot_files([str(results)], out, PlotOptions(record="three"))


def test_what_does_not_go_together_is_refused(results, tmp_path):
    one, two = read_drawables([results])
    with pytest.raises(InputError, match=r"x \(two\): 12 bases; expected 9, as in one"):
        counterpart(one, [two], "x")
    with pytest.raises(InputError, match="x: no record two"):
        counterpart(two, [one, one], "x")
    write_text(tmp_path / "long.shape", ">one\n10 0.1\n")
    (error,) = reactivities_of(tmp_path / "long.shape", [one])
    assert "10 values; expected at most 9" in str(error)
    write_text(tmp_path / "other.shape", ">other\n1 0.1\n")
    with pytest.raises(InputError, match="reactivities of none of the records"):
        reactivities_of(tmp_path / "other.shape", [one])
