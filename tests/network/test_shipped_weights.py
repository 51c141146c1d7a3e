"""The weights in weights/: they are what the manifest says, and they fold RNAs that everybody knows."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import rnass
from rnass.files import sha256
from rnass.io import read_dot_bracket
from rnass.manifest import manifest_entry
from rnass.metrics import score
from rnass.network.backbones import open_backbone
from rnass.network.weights import find_weights, parameter_sets_of
from rnass.thermodynamics.energies import Energies
from rnass.thermodynamics.parameter_sets import OWN_ENERGIES, TURNER_2004

ROOT = Path(__file__).parents[2]
KNOWN = {s.id: (s, known) for s, known in read_dot_bracket(ROOT / "examples" / "known.dbn")}


@pytest.fixture(scope="module")
def predictor():
    return rnass.load_predictor()


def test_mismatches_in_a_helix_pair_if_noncanonical_pairs_may():
    small = rnass.load_predictor("small")
    decoding = replace(small.model.config.decoding, canonical=False)
    free = rnass.load_predictor("small", decoding=decoding)
    bases = "GGGCGAGCUUCGGCGAGCCC"  # G5-A16 and A6-G15
    assert small(bases).dot_bracket == "((((..((....))..))))"
    assert free(bases).dot_bracket == "((((((((....))))))))"


FILES = sorted([*(ROOT / "weights").glob("*.safetensors"), *(ROOT / "weights").glob("*.par")])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_is_the_one_of_the_manifest(path):
    entry = manifest_entry(path)
    assert entry["sha256"] == sha256(path)
    assert entry["bytes"] == path.stat().st_size < 60e6
    assert entry["licence"].startswith("MIT" if path.suffix == ".safetensors" else "ViennaRNA's")


def test_the_manifest_names_no_file_that_is_not_there():
    manifest = json.loads((ROOT / "weights" / "manifest.json").read_text(encoding="utf-8"))
    assert sorted(manifest) == sorted(path.name for path in FILES)


def test_the_energies_differ_from_turners_by_what_a_fit_may_move():
    own, turner = (Energies.from_text(text) for text in (OWN_ENERGIES.read_text(), TURNER_2004))
    moved = (own.values - turner.values)[turner.values < 1e6] / 100  # kcal/mol
    assert 0 < abs(moved).mean() < 1
    assert abs(moved).max() < 5
    assert own.hairpins == turner.hairpins


def test_the_default_weights_are_found():
    assert find_weights().name == "rnass-base.safetensors"
    assert parameter_sets_of(find_weights()) == rnass.load_predictor().parameter_sets
    assert parameter_sets_of(find_weights("small")) == rnass.load_predictor("small").parameter_sets
    assert open_backbone().path.name == "rnass-small-backbone.safetensors"


@pytest.mark.parametrize(
    ("name", "sensitivity", "ppv"),
    [
        ("tRNA-Phe", 1.0, 1.0),
        ("hammerhead", 1.0, 1.0),
        ("add-riboswitch", 0.75, 0.8),
        ("MMTV-frameshift", 0.9, 0.9),
        ("telomerase-pseudoknot", 1.0, 1.0),
        ("5S-rRNA", 0.95, 0.95),
    ],
)
def test_known_pairs_are_found(predictor, name, sensitivity, ppv):
    sequence, known = KNOWN[name]
    found = score(known, predictor(sequence).structure)
    assert found.sensitivity >= sensitivity
    assert found.ppv >= ppv


@pytest.mark.parametrize("name", ["MMTV-frameshift", "telomerase-pseudoknot"])
def test_pseudoknots_come_out_as_pseudoknots(predictor, name):
    assert predictor(KNOWN[name][0]).structure.pseudoknot_order >= 1


@pytest.mark.parametrize("name", ["tRNA-Phe", "5S-rRNA"])
def test_without_thermodynamics_known_families_are_found(name):
    alone = rnass.load_predictor(thermodynamics=False)
    sequence, known = KNOWN[name]
    assert score(known, alone(sequence).structure).f1 > 0.9
