"""The public names of the package, and that they cost nothing until they are used."""

import subprocess
import sys

import pytest

import rnass


def imported_by(code):
    """Names of the top-level modules that a fresh process has after *code*."""
    code += "; import sys; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import rnass, rnass.io",
        "import rnass; rnass.Rna, rnass.Structure, rnass.RnassError, dir(rnass)",
        "from rnass import cli",
    ],
)
def test_torch_is_not_imported_until_it_is_needed(code):
    assert not imported_by(code) & {"torch", "RNA", "matplotlib", "forgi"}


def test_public_names_are_exact_and_sorted():
    # upper case first, then classes, then the rest: as ruff sorts them
    kinds = [(not name[0].isupper(), name) for name in rnass.__all__]
    assert kinds == sorted(kinds)
    assert set(rnass.__all__) == {*rnass._HOMES, "__version__"}
    assert set(rnass.__all__) <= set(dir(rnass))
    for name in rnass._HOMES:
        assert getattr(rnass, name).__name__ == name


def test_predict_is_the_function_whatever_was_imported_before():
    code = "import rnass.jobs.predict, rnass; from rnass import predict; assert predict is rnass.predict"
    assert "torch" in imported_by(code + "; assert predict.__module__ == 'rnass.prediction.predictor'")


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="module 'rnass' has no attribute 'fold'"):
        _ = rnass.fold


def test_loading_weights_does_not_import_the_compiler_of_torch():
    """It takes longer than everything else that a prediction of one RNA needs."""
    code = "from rnass import load_predictor; load_predictor('small', device='cpu')"
    code += "; import sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torch.nn" in done.stdout.split()
    assert "torch._dynamo" not in done.stdout.split()
