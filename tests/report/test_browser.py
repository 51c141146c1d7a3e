"""The page in a browser, from disk: nothing is asked of any network, and every control does its work."""

import io

import numpy as np
import pytest
from report_folders import DIMER, HAIRPIN, KNOT, write_results
from scipy.sparse import csr_array

from rnass.io import write_map
from rnass.report import write_report

expect = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed").expect

HOSTILE = "<img/src=x/onerror=document.title='broken'>"


@pytest.fixture
def folder(tmp_path):
    records = [("one", *HAIRPIN), ("knot", *KNOT), ("two", *DIMER), (HOSTILE, *HAIRPIN)]
    return write_results(
        tmp_path / "res", records, failed=[("bad", "x.fa:3 (bad): letter <X>")], vienna=True
    )


@pytest.fixture
def report(folder, page):
    """The page, opened from disk."""
    page.goto(write_report(folder).as_uri())
    page.wait_for_selector("body[data-ready]")
    yield page
    assert page.problems == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert len([url for url in page.requests if url.startswith("file:")]) == 1


def ids(page):
    return page.locator(".tabulator-row [tabulator-field=id]").all_inner_texts()


def expect_first(page, name):
    """Wait until the first row is that of *name*."""
    expect(page.locator(".tabulator-row [tabulator-field=id]").first).to_have_text(name)


def open_record(page, name):
    page.get_by_role("button", name=f"open {name}", exact=True).click()
    page.wait_for_selector("#panel-drawing svg circle")


def wait_until(page, script):
    """Wait until a script gives true; Playwright's own way would eval it, which the page forbids."""
    for _ in range(600):
        if page.evaluate(script):
            return
        page.wait_for_timeout(50)
    raise AssertionError(script)


def test_the_table_sorts_by_click_and_by_key(report):
    assert ids(report) == ["one", "knot", "two", HOSTILE, "bad"]
    title = report.locator(".tabulator-col[tabulator-field=length] .tabulator-col-content")
    title.locator(".tabulator-col-title").click()
    expect_first(report, "two")
    assert ids(report) == ["two", "one", HOSTILE, "knot", "bad"]
    title.focus()
    report.keyboard.press("Enter")
    expect_first(report, "knot")


@pytest.mark.parametrize(
    ("field", "asked", "left"),
    [
        ("id", "kno", ["knot"]),
        ("length", "> 12", ["knot"]),
        ("length", "<=12", ["one", "two", HOSTILE]),
        ("length", "8", ["two"]),
        ("length", "\u2265 12", ["one", "knot", HOSTILE]),
        ("length", ">", ["one", "knot", "two", HOSTILE, "bad"]),
        ("confidence", "> .", ["one", "knot", "two", HOSTILE, "bad"]),
        ("confidence", ">=.63", ["one"]),
        ("id", " KNO ", ["knot"]),
        ("status", "failed", ["bad"]),
    ],
)
def test_the_table_filters(report, field, asked, left):
    report.locator(f".tabulator-col[tabulator-field={field}] input").press_sequentially(asked)
    expect(report.locator("#shown")).to_have_text(f"{len(left)} of 5 records")
    assert ids(report) == left


def test_ids_stay_in_sight_when_the_table_is_scrolled(report):
    report.set_viewport_size({"width": 500, "height": 800})
    report.evaluate("document.querySelector('.tabulator-tableholder').scrollLeft = 300")
    report.wait_for_timeout(100)
    name = report.get_by_role("button", name="open knot", exact=True).bounding_box()
    assert 0 <= name["x"] < 100


def test_an_opened_record_shows_its_bases_pairs_and_text(report):
    open_record(report, "knot")
    assert report.locator("#opened").inner_text() == "knot the header"
    assert report.locator("#panel-drawing circle[data-base]").count() == 15
    assert report.locator("#panel-drawing text:not(.number)").all_text_contents() == list(KNOT[0])
    assert report.locator("#panel-drawing path.knot").get_attribute("d").count("Q") == 2
    assert report.locator("#text-structure").input_value() == KNOT[1]
    report.click("#tab-arcs")
    sides = [report.locator(f"#panel-arcs path[data-side='{side}']").count() for side in (1, -1)]
    assert sides == [5, 3]
    report.click("#tab-confidence")
    assert report.locator("#panel-confidence svg").count() == 1
    report.click("#tab-map")
    assert report.evaluate("document.querySelector('#panel-map canvas').width") > 100


def test_one_is_no_plural(tmp_path, page):
    page.goto(write_report(write_results(tmp_path / "res", [("one", "G", ".")])).as_uri())
    open_record(page, "one")
    assert page.locator("#detail .about").inner_text().startswith("1 base, 0 pairs")


def test_views_are_drawn_when_they_are_looked_at(report):
    open_record(report, "one")
    assert report.locator("#panel-arcs svg").count() == 0
    report.locator("#tab-drawing").focus()
    report.keyboard.press("ArrowRight")
    assert report.locator("#panel-arcs svg").count() == 1
    assert report.locator("#tab-arcs").get_attribute("aria-selected") == "true"


def test_hovering_and_keys_tell_base_partner_and_probability(report, folder):
    probability = np.load(folder / "r1.npy")[0, 11]
    expected = f"base 1 G, pairs with 12 C, probability {probability:.3f}"
    open_record(report, "knot")
    report.locator("#panel-drawing circle[data-base='0']").hover()
    assert report.locator("#panel-drawing .tip").inner_text().startswith(expected)
    report.locator("#panel-drawing svg").focus()
    report.keyboard.press("ArrowRight")
    assert report.locator("#panel-drawing [role=status]").inner_text().startswith(expected)
    report.keyboard.press("End")
    assert (
        report.locator("#panel-drawing [role=status]")
        .inner_text()
        .startswith("base 15 G, pairs with 6 C")
    )


def test_the_second_strand_is_numbered_anew(report):
    open_record(report, "two")
    report.locator("#panel-drawing svg").focus()
    report.keyboard.press("End")
    assert (
        report.locator("#panel-drawing [role=status]")
        .inner_text()
        .startswith("strand 2, base 4 C, pairs with 1 G")
    )


@pytest.mark.parametrize("act", ["wheel", "button", "key"])
def test_the_drawing_zooms(report, act):
    open_record(report, "one")
    picture = report.locator("#panel-drawing svg")
    width = lambda: float(picture.get_attribute("viewBox").split()[2])  # noqa: E731
    before = width()
    if act == "wheel":
        picture.hover()
        report.mouse.wheel(0, -100)
    elif act == "button":
        report.locator("#panel-drawing").get_by_role("button", name="zoom in").click()
    else:
        picture.focus()
        report.keyboard.press("+")
    report.wait_for_timeout(100)  # a wheel is handled after the call
    assert width() < before
    report.locator("#panel-drawing").get_by_role("button", name="show all").click()
    assert width() == pytest.approx(before)


def test_dragging_moves_the_drawing(report):
    open_record(report, "one")
    box = report.locator("#panel-drawing svg").bounding_box()
    left = "document.querySelector('#panel-drawing svg').viewBox.baseVal.x"
    before = report.evaluate(left)
    report.mouse.move(box["x"] + 60, box["y"] + 60)
    report.mouse.down()
    report.mouse.move(box["x"] + 160, box["y"] + 60)
    report.mouse.up()
    report.wait_for_timeout(100)  # it moves with the next frame
    assert report.evaluate(left) < before


def test_sequence_and_structure_are_copied(report):
    report.context.grant_permissions(["clipboard-read", "clipboard-write"])
    open_record(report, "two")
    for name, text in zip(("sequence", "structure"), DIMER, strict=True):
        report.click(f"#copy-{name}")
        expect(report.locator(f"#copy-{name} + [role=status]")).to_have_text("copied")
        assert report.evaluate("navigator.clipboard.readText()") == text


@pytest.mark.parametrize(("record", "file"), [("one", "r0"), ("knot", "r1"), ("two", "r2")])
def test_downloads_are_the_files_of_the_run(report, folder, record, file):
    open_record(report, record)
    for suffix in ("ct", "dbn", "bpseq", "npy"):
        with report.expect_download() as download:
            report.get_by_role("button", name=f"download {file}.{suffix}").click()
        assert download.value.suggested_filename == f"{file}.{suffix}"
        content = download.value.path().read_bytes()
        if suffix == "npy":
            values = np.load(io.BytesIO(content))
            assert values.dtype == np.float32
            assert np.allclose(values, np.load(folder / f"{file}.npy"), atol=5e-4)
        else:
            assert content == (folder / f"{file}.{suffix}").read_bytes()


def test_an_rna_with_a_sparse_map_has_every_view_and_its_map_to_fetch(tmp_path, page):
    folder = write_results(tmp_path / "res", [("long", *HAIRPIN)])
    write_map(folder / "r0.npz", csr_array(np.load(folder / "r0.npy")))
    (folder / "r0.npy").unlink()
    page.goto(write_report(folder).as_uri())
    page.wait_for_selector("body[data-ready]")
    open_record(page, "long")
    page.click("#tab-arcs")
    assert page.locator("#panel-arcs path[data-side='1']").count() == 4
    page.click("#tab-map")
    assert page.locator("#panel-map canvas").count() == 1
    page.click("#tab-confidence")
    assert page.locator("#panel-confidence svg").count() == 1
    assert page.get_by_role("button", name="download r0.ct").count() == 1
    assert page.get_by_role("button", name="download r0.npy").count() == 0
    assert "sparse: r0.npz, in the results folder" in page.locator("#detail").inner_text()


def test_a_map_that_evidence_changed_is_saved_under_its_own_name(tmp_path, page):
    folder = write_results(tmp_path / "res", [("one", *HAIRPIN)])
    decoded = np.load(folder / "r0.npy") / 2
    np.save(folder / "r0.decoded.npy", decoded)
    page.goto(write_report(folder).as_uri())
    page.wait_for_selector("body[data-ready]")
    open_record(page, "one")
    assert "The r0.decoded.npy made here" in page.locator("#detail").inner_text()
    assert page.get_by_role("button", name="download r0.npy").count() == 0
    with page.expect_download() as download:
        page.get_by_role("button", name="download r0.decoded.npy").click()
    assert download.value.suggested_filename == "r0.decoded.npy"
    assert np.allclose(np.load(download.value.path()), decoded, atol=5e-4)


@pytest.mark.parametrize("view", ["drawing", "arcs"])
def test_a_picture_is_saved_whole_however_it_is_zoomed(report, view):
    open_record(report, "knot")
    report.click(f"#tab-{view}")
    panel = report.locator(f"#panel-{view}")
    saved = []
    for _ in range(2):
        with report.expect_download() as download:
            panel.get_by_role("button", name="save as SVG").click()
        saved.append(download.value.path().read_text())
        for _ in range(6):
            panel.get_by_role("button", name="zoom in").click()
    assert saved[0].startswith("<svg")
    assert saved[0].count(">G</text>") == KNOT[0].count("G")
    assert saved[0] == saved[1]


def test_keys_move_to_a_base_that_is_out_of_sight(report):
    open_record(report, "knot")
    panel = report.locator("#panel-drawing")
    for _ in range(6):
        panel.get_by_role("button", name="zoom in").click()
    panel.locator("svg").focus()
    frame = panel.locator("svg").bounding_box()
    for key in ("Home", "End"):
        report.keyboard.press(key)
        box = panel.locator("circle.here").bounding_box()
        for place, size in (("x", "width"), ("y", "height")):
            middle = box[place] + box[size] / 2 - frame[place]
            assert 0.05 * frame[size] < middle < 0.95 * frame[size]


def test_the_map_is_square_and_confidence_has_numbers(report):
    open_record(report, "knot")
    report.click("#tab-map")
    box = report.locator("#panel-map .view").bounding_box()
    assert box["width"] == pytest.approx(box["height"], abs=3)
    report.click("#tab-confidence")
    assert report.locator("#panel-confidence .numbers").inner_text().split() == [
        str(k) for k in range(1, 16)
    ]


def test_a_hostile_name_is_text(report):
    open_record(report, HOSTILE)
    assert report.title() == "rnass: res"
    assert report.locator("#detail img, #table img").count() == 0
    assert HOSTILE in report.locator("#opened").inner_text()


def test_a_hostile_column_is_text(tmp_path, page):
    folder = write_results(tmp_path / "res", [("one", *HAIRPIN)])
    heading, row = (folder / "summary.tsv").read_text().splitlines()
    (folder / "summary.tsv").write_text(f"{heading}\t{HOSTILE}\ta.b\n{row}\t5\t7\n")
    page.goto(write_report(folder).as_uri())
    page.wait_for_selector("body[data-ready]")
    assert page.title() == "rnass: res"
    assert page.locator("#table img").count() == 0
    assert page.locator(".tabulator-col-title").all_inner_texts()[-2:] == [HOSTILE, "a.b"]
    assert page.locator(".tabulator-row .tabulator-cell").all_inner_texts()[-2:] == ["5", "7"]
    assert page.problems == []


def test_a_script_that_is_not_of_the_page_does_not_run(folder, page):
    path = write_report(folder)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<header>", "<header><script>document.foreign = 1</script>"))
    page.goto(path.as_uri())
    page.wait_for_selector("body[data-ready]")
    assert page.evaluate("document.foreign") is None


def test_a_long_id_leaves_room_for_the_other_columns(tmp_path, page):
    name = "x" * 3000
    page.goto(write_report(write_results(tmp_path / "res", [(name, *HAIRPIN)])).as_uri())
    page.wait_for_selector("body[data-ready]")
    cell = page.locator(".tabulator-row [tabulator-field=id]")
    assert cell.bounding_box()["width"] <= 300
    assert cell.get_attribute("title") == name
    open_record(page, name)
    assert page.locator("#opened").bounding_box()["width"] < 1200
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_map_tells_the_pair_that_is_pointed_at_after_the_window_has_changed(report, folder):
    open_record(report, "knot")
    report.click("#tab-map")
    canvas = report.locator("#panel-map canvas")
    report.set_viewport_size({"width": 500, "height": 900})
    area = "document.querySelector('#panel-map canvas')"
    wait_until(report, f"{area}.width === Math.floor({area}.getBoundingClientRect().width)")
    box = canvas.bounding_box()
    side = box["width"] - 44 - 18
    at = [44 + (k + 0.5) / 15 * side for k in (11, 0)]
    report.mouse.move(box["x"] + at[0], box["y"] + at[1])
    probability = np.load(folder / "r1.npy")[0, 11]
    expect(report.locator("#panel-map [role=status]")).to_have_text(
        f"1 G \u2013 12 C: {probability:.3f}"
    )
    # the likely pair is drawn there
    red = f"{area}.getContext('2d').getImageData({at[0]}, {at[1]}, 1, 1).data[0]"
    assert report.evaluate(red) < 150


@pytest.mark.parametrize("view", ["drawing", "arcs"])
def test_a_view_fits_again_when_the_window_has_changed(report, view):
    open_record(report, "knot")
    report.click(f"#tab-{view}")
    report.set_viewport_size({"width": 500, "height": 900})
    shape = f"""(() => {{ const node = document.querySelector('#panel-{view} svg');
        const {{ width, height }} = node.viewBox.baseVal, area = node.getBoundingClientRect();
        return Math.abs(width / height - area.width / area.height) < 0.01; }})()"""
    wait_until(report, shape)


def test_a_sideways_wheel_does_not_zoom(report):
    open_record(report, "one")
    picture = report.locator("#panel-drawing svg")
    before = picture.get_attribute("viewBox")
    picture.hover()
    report.mouse.wheel(100, 0)
    report.wait_for_timeout(100)
    assert picture.get_attribute("viewBox") == before


def test_warnings_are_told_at_the_top(report):
    assert report.locator("#warnings li").all_inner_texts() == ["x.fa:3 (bad): letter <X>"]


def test_controls_have_names_for_screen_readers(report):
    open_record(report, "one")
    unnamed = report.evaluate(
        """[...document.querySelectorAll('button, input, select, textarea, [role=application]')]
           .filter(node => !(node.getAttribute('aria-label') || node.textContent.trim()
             || node.labels?.length || node.title || node.closest('label')))
           .map(node => node.outerHTML)"""
    )
    assert unnamed == []


@pytest.mark.parametrize("act", ["button", "key"])
def test_closing_a_record_gives_the_focus_back(report, act):
    opener = report.get_by_role("button", name="open two", exact=True)
    opener.focus()
    report.keyboard.press("Enter")
    expect(report.locator("#opened")).to_be_focused()
    if act == "button":
        report.locator("#detail").get_by_role("button", name="close").click()
    else:
        report.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert not report.locator("#detail").is_visible()


@pytest.mark.parametrize("view", ["drawing", "arcs", "map", "confidence"])
def test_every_view_takes_keys_and_tells_of_bases(report, view):
    open_record(report, "knot")
    report.click(f"#tab-{view}")
    report.locator(f"#panel-{view} [role=application]").focus()
    report.keyboard.press("End")
    told = report.locator(f"#panel-{view} [role=status]").inner_text()
    assert told.startswith("base 15 G, pairs with 6 C, probability")


def test_dark_mode_and_print_have_their_own_colours(report):
    paper = "getComputedStyle(document.body).backgroundColor"
    assert report.evaluate(paper) == "rgb(255, 255, 255)"
    report.emulate_media(color_scheme="dark")
    assert report.evaluate(paper) == "rgb(20, 24, 28)"
    report.emulate_media(media="print", color_scheme="dark")
    assert report.evaluate(paper) == "rgb(255, 255, 255)"


def test_print_has_legends_names_and_whole_lines_but_no_buttons(report):
    open_record(report, "knot")
    report.emulate_media(media="print")
    for part in (".legend", "label[for=text-sequence]", ".about"):
        assert report.locator(f"#detail {part}:visible").count() == 1
    title = report.locator(".tabulator-col[tabulator-field=id] .tabulator-col-title").bounding_box()
    row = report.locator(".tabulator-row").first.bounding_box()
    assert title["y"] + title["height"] <= row["y"]
    assert report.locator("#detail button:visible, #detail select:visible").count() == 0
    assert report.get_by_role("button", name="open one", exact=True).is_visible()
    title = "getComputedStyle(document.querySelector('#panel-drawing'), '::before').content"
    assert report.evaluate(title) == '"Drawing"'
    assert report.evaluate(
        "[...document.querySelectorAll('textarea')].every(area => area.scrollWidth <= area.clientWidth)"
    )
    report.pdf()
    assert report.locator("#run").get_attribute("open") is not None


def test_all_rows_that_pass_the_filters_are_printed(tmp_path, page):
    records = [(f"r{k}", *(HAIRPIN if k % 2 else KNOT)) for k in range(200)]
    page.goto(write_report(write_results(tmp_path / "res", records, formats=False)).as_uri())
    page.wait_for_selector("body[data-ready]")
    page.locator(".tabulator-col[tabulator-field=length] input").press_sequentially("> 12")
    expect(page.locator("#shown")).to_have_text("100 of 200 records")
    page.get_by_role("button", name="Next Page").click()
    expect_first(page, "r50")
    sizes = page.locator(".tabulator-page-size option")
    assert sizes.all_text_contents() == ["10", "25", "100", "All"]
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert ids(page) == [f"r{k}" for k in range(0, 200, 2)]
    boxes = [page.locator(".tabulator-row").nth(k).bounding_box() for k in (0, 99)]
    assert boxes[1]["y"] > boxes[0]["y"] + 90 * boxes[0]["height"]  # none lies in a part that scrolls
    holder = "document.querySelector('.tabulator-tableholder')"
    assert page.evaluate(f"{holder}.scrollHeight <= {holder}.clientHeight + 1")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    expect_first(page, "r50")
    assert len(ids(page)) == 25
    assert sizes.all_text_contents() == ["10", "25", "100", "All"]
    assert page.locator(".tabulator-page-size").input_value() == "25"
    assert page.problems == []


def test_every_column_is_on_printed_paper(tmp_path, page):
    folder = write_results(tmp_path / "res", [("one", *HAIRPIN)])
    heading, row = (folder / "summary.tsv").read_text().splitlines()
    more = [f"column_{k}" for k in range(12)]
    text = "\n".join(["\t".join([heading, *more]), "\t".join([row, *more])]) + "\n"
    (folder / "summary.tsv").write_text(text)
    page.goto(write_report(folder).as_uri())
    page.wait_for_selector("body[data-ready]")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.set_viewport_size({"width": 680, "height": 960})  # A4 within 15 mm
    page.emulate_media(media="print")
    for name in ("id", more[-1]):
        box = page.locator(f".tabulator-col[tabulator-field={name}]").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 680


def test_numbers_are_within_the_drawing_on_a_phone(tmp_path, page):
    bases = "CGCUUCAUAUAAUCCUAAUGAUAUGGUUUGGGAGUUUCUACCAAGAGCCUUAAACUCUUGAUUAUGAAGUG"
    brackets = "(((((((((...(((...........[[[[)))........((((((...]]]]))))))..)))))))))"
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(write_report(write_results(tmp_path / "res", [("add", bases, brackets)])).as_uri())
    open_record(page, "add")
    view = page.locator("#panel-drawing .view").bounding_box()
    numbers = [number.bounding_box() for number in page.locator("#panel-drawing text.number").all()]
    assert len(numbers) >= 2
    for box in numbers:
        assert view["x"] <= box["x"]
        assert box["x"] + box["width"] <= view["x"] + view["width"]


def test_a_thousand_records_page_and_filter(tmp_path, page):
    records = [(f"r{k}", *(HAIRPIN if k % 2 else KNOT)) for k in range(1000)]
    page.goto(write_report(write_results(tmp_path / "big", records, formats=False)).as_uri())
    page.wait_for_selector("body[data-ready]")
    assert len(ids(page)) == 25
    page.get_by_role("button", name="Next Page").click()
    expect_first(page, "r25")
    page.locator(".tabulator-col[tabulator-field=length] input").press_sequentially("> 12")
    expect(page.locator("#shown")).to_have_text("500 of 1000 records")
    page.locator(".tabulator-col[tabulator-field=id] input").press_sequentially("r998")
    expect(page.locator("#shown")).to_have_text("1 of 1000 records")
    open_record(page, "r998")
    assert page.problems == []


def expect_readable_numbers(page, view):
    """Numbers of a view are some 12 pixels high and overlap none."""
    boxes = page.evaluate(
        f"""[...document.querySelectorAll('#panel-{view} text.number')].map(text => {{
            const box = text.getBoundingClientRect();
            return [box.left, box.top, box.right, box.bottom]; }})"""
    )
    left, top, right, bottom = np.array(boxes).T
    assert len(left) > 5
    assert ((bottom - top > 11) & (bottom - top < 18)).all()
    apart = (left[:, None] > right - 1) | (top[:, None] > bottom - 3)  # the boxes of letters have edges
    assert (apart | apart.T)[~np.eye(len(left), dtype=bool)].all()


def test_a_record_of_4000_bases_opens_with_every_view(tmp_path, page):
    hairpin = "(((((....)))))......"
    records = [("long", "GGGGGAAAACCCCCAAAAAA" * 200, hairpin * 200)]
    page.goto(write_report(write_results(tmp_path / "long", records, formats=False)).as_uri())
    page.wait_for_selector("body[data-ready]")
    open_record(page, "long")
    assert page.locator("#panel-drawing circle[data-base]").count() == 4000
    assert page.locator("#panel-drawing text:not(.number)").count() == 0  # letters would be too small
    expect_readable_numbers(page, "drawing")
    for view in ("arcs", "map", "confidence"):
        page.click(f"#tab-{view}")
        page.wait_for_selector(f"#panel-{view} .view")
    assert page.locator("#panel-arcs path[data-side]").count() == 1000
    page.click("#tab-arcs")
    expect_readable_numbers(page, "arcs")
    for _ in range(9):
        page.locator("#panel-arcs").get_by_role("button", name="zoom in").click()
    expect_readable_numbers(page, "arcs")
    assert page.locator("#panel-arcs text:not(.number)").count() > 20  # the letters that are seen
    thickness = page.evaluate(
        """(() => { const picture = document.querySelector('#panel-arcs svg');
           const width = picture.querySelector('g').getAttribute('stroke-width');
           return width * picture.getScreenCTM().a; })()"""
    )
    assert thickness == pytest.approx(1.6, abs=0.2)  # pixels
    assert page.problems == []
