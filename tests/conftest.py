"""Small models and data that many tests share; shapes of tensors are checked in the network column."""

import os
import random
import shutil
import sys

import pytest
import torch
from jaxtyping import install_import_hook

for _name in ("FORCE_COLOR", "GITHUB_ACTIONS", "PY_COLORS"):  # by which rich and typer colour a pipe
    os.environ.pop(_name, None)

NETWORK = ["backbone", "network", "training"]

# before any of these is imported: their jaxtyping annotations become assertions, in tests only
install_import_hook([f"rnass.{name}" for name in NETWORK], "beartype.beartype")

import readers  # noqa: E402 - after the hook
from tiny_weights import save_tiny_weights  # noqa: E402 - after the hook

from rnass import cli  # noqa: E402 - after the hook
from rnass.config import EncoderConfig, HeadConfig, ModelConfig  # noqa: E402 - after the hook
from rnass.network.contact_model import ContactModel  # noqa: E402 - after the hook

torch.set_num_threads(1)


@pytest.fixture
def encoder_config():
    return EncoderConfig(layers=2, width=16, heads=2, ffn_width=24, ffn="swiglu")


@pytest.fixture
def head_config():
    return HeadConfig(channels=4, blocks=2, dilations=(1, 2), outer_rank=3)


@pytest.fixture
def model_config(encoder_config, head_config):
    return ModelConfig(encoder=encoder_config, head=head_config)


@pytest.fixture(autouse=True)
def _same_start():
    """Weights left to chance are the same for every test; the threads that one sets are put back."""
    torch.manual_seed(0)
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def own_process():
    """What a command sets for its whole process is put back: log handlers and levels."""
    with readers.own_process():
        yield


@pytest.fixture
def rna(monkeypatch, capsys, tmp_path, own_process):
    """Runs `rnass ...` in this process and in tmp_path; gives exit status, standard output and error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["rnass", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        captured = capsys.readouterr()
        return left.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """A file of weights, too small to be of use."""
    return str(save_tiny_weights(tmp_path_factory.mktemp("weights") / "tiny.safetensors"))


@pytest.fixture
def predict(rna, weights):
    """As `rna`, of `rnass predict ...` with the small weights."""
    return lambda *arguments: rna("predict", "--weights", weights, "--threads", 1, *arguments)


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium, driven by Playwright; skips where one of them is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("no Chromium: apt-get install chromium")
    playwright.expect.set_options(timeout=120_000)  # of a busy machine
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])  # root has none
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    """An empty page; its `problems` are what it complained of, its `requests` what it asked for."""
    context = browser.new_context(viewport={"width": 1200, "height": 900}, accept_downloads=True)
    context.set_default_timeout(120_000)  # of a busy machine
    page = context.new_page()
    page.problems, page.requests = [], []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    context.close()


@pytest.fixture
def shaken():
    """Moves every weight of a module, by enough that each part of it shows in what comes out."""

    def shake(module, seed=5):
        generator = torch.Generator().manual_seed(seed)
        for parameter in module.parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape, generator=generator)
        return module.eval()

    return shake


@pytest.fixture
def model(model_config, shaken):
    """A small contact model whose weights are all at work."""
    torch.manual_seed(5)
    return shaken(ContactModel(model_config))


@pytest.fixture
def rnas():
    """Bases of RNAs of ragged lengths, the shortest of one base, N among the letters."""
    letters = random.Random(3)
    return ["".join(letters.choices("ACGUN", k=length)) for length in (23, 1, 2, 3, 12)]


@pytest.fixture
def hairpins(tmp_path):
    """Writes a table of random hairpins with their structures, and gives its path."""

    def write(count, seed=0, name="hairpins.tsv", family="RF00001"):
        draw = random.Random(seed)
        lines = ["id\tsequence\tdot_bracket\tfamily"]
        for k in range(count):
            stem = "".join(draw.choices("GC", k=draw.randint(5, 8)))
            loop, before, after = ("".join(draw.choices("A", k=draw.randint(4, 7))) for _ in range(3))
            closing = stem[::-1].translate(str.maketrans("GC", "CG"))
            bases = before + stem + loop + closing + after
            dots = "." * len(before) + "(" * len(stem) + "." * len(loop) + ")" * len(stem)
            lines.append(f"hp{k}\t{bases}\t{dots + '.' * len(after)}\t{family}")
        path = tmp_path / name
        path.write_text("\n".join(lines) + "\n")
        return str(path)

    return write
