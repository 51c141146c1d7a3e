"""deploy/ and CITATION.cff: they agree with the package, and each is run where its tool is at hand."""

import csv
import re
import shutil
import subprocess

import pytest
import yaml
from readers import ROOT, run, run_line

import rnass
from rnass.cli.cite import AUTHORS, TITLE, citation

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

DEPLOY = ROOT / "deploy"
MODULE = DEPLOY / "nf-core" / "rnass" / "predict"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base"}


def has_builder():
    docker = shutil.which("docker")
    return (
        bool(docker)
        and not subprocess.run([docker, "info"], capture_output=True, check=False).returncode
    )


def dockerfile():
    """The instructions of the Dockerfile, as (word, rest)."""
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def recipe():
    """The conda recipe, the values of its context filled in."""
    text = (DEPLOY / "conda" / "recipe.yaml").read_text()
    for name, value in yaml.safe_load(text)["context"].items():
        text = text.replace(f"${{{{ {name} }}}}", value)
    return yaml.safe_load(text)


def test_citation_file_and_option_agree(rna):
    file = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert (file["title"], file["version"], file["license"]) == (TITLE, rnass.__version__, "MIT")
    assert file["authors"] == [{"name": AUTHORS}]
    status, printed, _ = rna("--cite")
    assert (status, printed) == (0, citation())
    assert TITLE in printed
    assert rnass.__version__ in printed


def test_image_is_made_from_files_that_are_sent_to_the_builder():
    ignored, *kept = (ROOT / ".dockerignore").read_text().split()
    assert ignored == "*"
    copied = [
        rest.split()[:-1] for word, rest in dockerfile() if word == "COPY" and "--from" not in rest
    ]
    sources = [source for part in copied for source in part]
    assert sources
    assert [
        source for source in sources if not (ROOT / source).exists() or f"!{source}" not in kept
    ] == []
    built = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"][
        "wheel"
    ]
    assert {*built["packages"], *built["force-include"], PROJECT["readme"]} <= set(sources)


def test_image_runs_as_an_unprivileged_user():
    words = [word for word, _ in dockerfile()]
    assert ("USER", "1000") in dockerfile()
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert max(k for k, word in enumerate(words) if word == "RUN") < words.index("USER")


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_dockerfile_is_lint_free():
    run(["hadolint", "deploy/Dockerfile"], ROOT)


@pytest.mark.skipif(not has_builder(), reason="no Docker daemon at hand")
def test_image_is_built_and_predicts(tmp_path):
    run(["docker", "build", "--file", "deploy/Dockerfile", "--tag", "rnass:test", "."], ROOT)
    predict = ["predict", "--sequence", "GGGGAAAACCCC", "--out", "/tmp/results"]
    run(["docker", "run", "--rm", "--network", "none", "rnass:test", *predict], tmp_path)


def test_recipe_needs_what_the_package_needs():
    named = [re.match(r"([\w-]+)(>=[\d.]+)?", text).groups("") for text in PROJECT["dependencies"]]
    wanted = {(CONDA_NAMES.get(name, name).lower(), bound) for name, bound in named}
    found = {tuple((*line.split(), "")[:2]) for line in recipe()["requirements"]["run"]}
    assert found == wanted | {("python", PROJECT["requires-python"])}


def test_recipe_describes_this_version():
    filled = recipe()
    assert filled["package"] == {"name": "rnass", "version": rnass.__version__}
    assert filled["build"]["python"]["entry_points"] == [f"rnass = {PROJECT['scripts']['rnass']}"]
    assert (DEPLOY / "conda" / filled["source"]["path"]).resolve() == ROOT
    assert (ROOT / filled["about"]["license_file"]).is_file()


def test_recipe_is_valid():
    """The recipe's own tool parses it strictly and renders the one package."""
    rattler_build = pytest.importorskip("rattler_build", reason="py-rattler-build is not installed")
    parsed = rattler_build.Stage0Recipe.from_file(str(DEPLOY / "conda" / "recipe.yaml"))
    (rendered,) = parsed.render()
    assert rendered.recipe.to_dict()["package"] == {"name": "rnass", "version": rnass.__version__}


def test_commands_that_the_recipe_tests_run(tmp_path):
    (script,) = [test["script"] for test in recipe()["tests"] if "script" in test]
    for command in script:
        run_line(command, tmp_path)


def test_nextflow_module_describes_its_inputs_and_outputs():
    text = (MODULE / "main.nf").read_text()
    described = yaml.safe_load((MODULE / "meta.yml").read_text())
    emitted = re.findall(r"emit: (\w+)", text)
    assert emitted == [name for channel in described["output"] for name in channel]
    assert list(described["tools"][0]) == ["rnass"]
    needed = yaml.safe_load((MODULE / "environment.yml").read_text())["dependencies"]
    assert needed == [f"rnass={rnass.__version__}"]
    assert f'container "rnass:{rnass.__version__}"' in text


@pytest.mark.skipif(shutil.which("nextflow") is None, reason="Nextflow is not installed")
def test_nextflow_module_runs(tmp_path):
    (tmp_path / "main.nf").write_text(
        f"include {{ RNASS_PREDICT }} from '{MODULE}/main.nf'\n"
        f"workflow {{ RNASS_PREDICT([[id: 'test'], file('{ROOT}/examples/restraints.fa')]) }}\n"
    )
    run(["nextflow", "run", "main.nf", "--outdir", "out"], tmp_path)


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="Snakemake is not installed")
def test_snakemake_workflow_without_input_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    snakefile = str(DEPLOY / "snakemake" / "Snakefile")
    command = ["snakemake", "--snakefile", snakefile, "--cores", "1", "--config", "input=in", "out=out"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "in: no .fa files; expected a folder with some" in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(shutil.which("snakemake") is None, reason="Snakemake is not installed")
def test_snakemake_workflow_predicts_and_joins(tmp_path, weights):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.fa").write_text(">a\nGGGGAAAACCCC\n>b\nGGGAXACCC\n")
    (tmp_path / "in" / "two.fa").write_text(">c\nGGGAAACCC\n")
    settings = ["input=in", "out=out", "threads=1", f"options=--weights {weights}"]
    snakefile = str(DEPLOY / "snakemake" / "Snakefile")
    run(["snakemake", "--snakefile", snakefile, "--cores", "2", "--config", *settings], tmp_path)
    with (tmp_path / "out" / "summary.tsv").open(newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    assert [(row["input"], row["id"], row["status"]) for row in rows] == [
        ("one", "a", "ok"),
        ("one", "b", "failed"),
        ("two", "c", "ok"),
    ]
    assert "GGGAXACCC" not in (tmp_path / "out" / "one" / "predictions.dbn").read_text()
