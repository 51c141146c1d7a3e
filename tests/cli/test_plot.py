"""`rnass plot` from the command line."""

import pytest

KNOWN = ">a\nGGGAAACCCAAGGGAAACCC\n(((...)))..(((...)))\n>b\nGGGAAACCC\n(((...)))\n"


@pytest.fixture
def known(tmp_path):
    (tmp_path / "known.dbn").write_text(KNOWN)
    return "known.dbn"


@pytest.mark.parametrize("kind", ["arcs", "drawing", "map"])
@pytest.mark.parametrize("format_", ["svg", "png", "pdf"])
def test_every_kind_in_every_format(kind, format_, rna, known, tmp_path):
    status, printed, _ = rna("plot", known, "--kind", kind, "--format", format_, "-o", "figures")
    assert status == 0
    assert printed.split() == [f"figures/a.{format_}", f"figures/b.{format_}"]
    assert all((tmp_path / file).stat().st_size > 500 for file in printed.split())


def test_the_size_of_the_page_is_the_one_asked_for(rna, known, tmp_path):
    options = ("--record", "a", "--size", "180x90mm", "--region", "3-12", "--highlight", "4-6")
    assert rna("plot", known, *options, "-o", "a.svg")[0] == 0
    text = (tmp_path / "a.svg").read_text()
    width, height = (float(text.split(f'{name}="')[1].split("pt")[0]) for name in ("width", "height"))
    assert (width, height) == pytest.approx((180 / 25.4 * 72, 90 / 25.4 * 72))


def test_the_same_command_writes_the_same_bytes(rna, known, tmp_path):
    for name in ("a.svg", "b.svg"):
        assert rna("plot", known, "--record", "a", "--kind", "drawing", "-o", name)[0] == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--size", "180"), "expected 180mm, 180x120mm, 18cm or 7in"),
        (("--region", "80-10"), "expected a first and a last base"),
        (("--highlight", "x"), "expected a first and a last base"),
        (("--region", "1-99"), "known.dbn (a): arc diagram: region 1-99: base 99; expected 1 to 20"),
        (("--highlight", "5-40"), "highlight 5-40: base 40; expected 1 to 20"),
        (("--size", "5mm"), "--size 5mm: width: 0.20 inches; expected 1 to 200"),
        (("--color", "reactivity"), "no reactivities"),
        (("--kind", "pie"), "'pie' is not one of"),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message, rna, known, tmp_path):
    status, _, error = rna("plot", known, *options)
    assert status == 2
    assert message in " ".join(error.replace("│", " ").split())
    assert not list(tmp_path.glob("figures/*.svg"))


@pytest.mark.parametrize("name", ["x.jpg", "sub/x.EPS", "x.ct"])
def test_a_suffix_of_no_figure_is_refused(name, rna, known, tmp_path):
    status, _, error = rna("plot", known, "--record", "a", "--out", name)
    assert status == 2
    suffix = name[name.index(".") :]
    assert f"{name}: no figure is written as '{suffix}'; expected .svg, .png or .pdf" in error
    assert [path.name for path in tmp_path.iterdir()] == [known]


@pytest.mark.parametrize("name", ["v1.2", "there.old"])
def test_a_folder_may_have_a_dot_in_its_name(name, rna, known, tmp_path):
    (tmp_path / "there.old").mkdir()
    assert rna("plot", known, "--record", "a", "--out", name)[0] == 0
    assert (tmp_path / name / "a.svg").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("plot", "LONG"),
        ("plot", "known.dbn", "--against", "LONG"),
        ("predict", "--alignment", "LONG"),
        ("report", "LONG"),
        ("evaluate", "--data", "known.dbn", "--no-rnass", "--out", "LONG"),
    ],
    ids=" ".join,
)
def test_a_name_too_long_for_the_system_is_refused_like_any_other(command, rna, known):
    status, _, err = rna(*(part.replace("LONG", "a" * 300) for part in command))
    assert status == 2
    assert "a" * 300 in err
