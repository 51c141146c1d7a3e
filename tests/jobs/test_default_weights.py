"""Every option of the main job with the default weights, whose maps are decoded in a way of their own.

The oracle is yeast tRNA-Phe (PDB 1EHZ), which each option must leave as it is, and decoding the map that
was written again.
"""

import random
from dataclasses import replace

import numpy as np
import pytest
from tiny_families import member, needs_infernal, save_family

from rnass.decoding import decode
from rnass.io import read_results, read_structures
from rnass.jobs.predict import PredictOptions, predict_files
from rnass.metrics import score
from rnass.prediction.predictor import load_predictor
from rnass.structure import Structure

PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"
KNOWN = Structure.from_dot_bracket(
    "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
)
DRAW = random.Random(4)
LONG = "".join(DRAW.choices("ACGU", k=90)) + PHE + "".join(DRAW.choices("ACGU", k=90))
FAMILY = member(random.Random(7)) + "A" * 12 + PHE
RECORDS = {
    "phe": PHE,
    "hammerhead": "CCUGUCACCGGAUGUGCUUUCCGGUCUGAUGAGUCCGUGAGGACGAAACAGG",
    "unknown": "GGGGNNNNAAACCCCUUUGGCCAAANNNGGCC",
    "dimer": "GGAGCAGG&CCUGCUCC",
    "random": "".join(DRAW.choices("ACGU", k=80)),
    "long": LONG,
    "family": FAMILY,
}
PROFILE = [0.05 if k >= 0 else 1.0 for k in KNOWN.partners]
WINDOWS = {"longest_whole": 120, "window": 100}
CASES = {
    "nothing": {},
    "alternatives": {"alternatives": 4},
    "windows": {**WINDOWS, "alternatives": 2},
    "ViennaRNA mixed in": {"mix": 0.5},
    "without ViennaRNA": {"thermodynamics": False},
    "nested": {"decoding": {"decoder": "nested"}, "alternatives": 2},
    "exact": {"decoding": {"exact": True, "min_helix": 3, "max_order": 1}},
    "other pairs": {"decoding": {"canonical": False, "pair_unknown": True}, "alternatives": 2},
    "narrow": {"decoding": {"max_span": 80}, "alternatives": 2},
    "warm": {"temperature": 50.0, "salt": 0.15},
    "everything beside": {"baseline": True, "elements": True, "plot": "svg", "plot_kind": "drawing"},
    "reactivities": {"shape": "profile", "alternatives": 2},
    "reactivities in windows": {"shape": "profile", **WINDOWS},
    "constraints": {"constraints": "marks", "alternatives": 2},
    "regions": {"regions": "regions.bed"},
    "families": {"families": "family.cm", "family_seeds": "family.sto", "alternatives": 2},
    "families in windows": {"families": "family.cm", **WINDOWS},
}


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A folder with the records, and with the files that the options name."""
    folder = tmp_path_factory.mktemp("given")
    (folder / "rnas.fa").write_text("".join(f">{name}\n{bases}\n" for name, bases in RECORDS.items()))
    values = "".join(f"{k + 1} {value}\n" for k, value in enumerate(PROFILE))
    (folder / "profile").write_text(f">phe\n{values}")
    (folder / "marks").write_text(f">phe\n({'.' * 70}){'.' * 4}\n")
    (folder / "regions.bed").write_text("phe\t0\t20\ta\nlong\t10\t200\tb\n")
    return folder


@pytest.fixture(scope="module")
def decoding():
    """The settings that were chosen with the weights."""
    return load_predictor().decoding


@pytest.mark.parametrize(
    "case", [pytest.param(one, marks=needs_infernal if "families" in one else ()) for one in CASES]
)
def test_every_record_is_predicted(case, given, decoding, tmp_path):
    options = dict(CASES[case])
    if "families" in options:
        save_family(given)
    for name in {"shape", "constraints", "regions", "families", "family_seeds"} & options.keys():
        options[name] = str(given / options[name])
    chosen = PredictOptions(device="cpu", threads=1, **options)
    assert predict_files([str(given / "rnas.fa")], tmp_path / "out", chosen) == 0
    records = read_results(tmp_path / "out").records
    assert [record.rna.id for record in records] == list(RECORDS)
    found = {record.rna.id: record.structure for record in records}
    assert score(KNOWN, found["phe"]).f1 > 0.85
    for record in records:
        long = len(record.rna) > options.get("longest_whole", 1000)
        span = {"max_span": options["window"]} if long else {}
        settings = replace(decoding, **{**options.get("decoding", {}), **span})
        values = record.decoded_map()
        np.testing.assert_array_equal(values, values.T)
        assert values.sum(1).max() < 1.01
        if "constraints" not in options:
            again = decode(values, record.rna.bases, settings, nick=record.rna.nick)
            assert again == record.structure
        if "alternatives" in options:
            first, *others = read_structures(record.folder / f"{record.name}.alternatives.dbn")
            assert first[1] == record.structure
            assert all(other != record.structure for _, other in others)
        if record.rna.id in {"family", "long"} and case not in {"warm", "without ViennaRNA"}:
            first = record.rna.bases.index(PHE)
            inside = [(i - first, j - first) for i, j in record.structure.pairs if i >= first]
            part = Structure(len(PHE), [(i, j) for i, j in inside if j < len(PHE)])
            assert score(KNOWN, part).f1 > 0.7
