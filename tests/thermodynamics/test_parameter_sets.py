"""Energy parameters. The oracle is ViennaRNA itself, and files damaged on purpose."""

import json

import pytest
import RNA

from rnass.errors import CheckpointError, ConfigError
from rnass.manifest import manifest_entry
from rnass.rna import KT
from rnass.thermodynamics import parameter_sets
from rnass.thermodynamics.ensemble import Ensemble
from rnass.thermodynamics.parameter_sets import (
    OWN_ENERGIES,
    PARAMETER_SETS,
    fingerprint,
    parameter_text,
    version,
)

TRNA_PHE = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"  # 1EHZ
CLOVERLEAF = "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
HAIRPIN = "GGGGAAAACCCC"


def test_known_energies_of_trna_phe():
    energies = [round(Ensemble(TRNA_PHE, name).mfe, 2) for name in PARAMETER_SETS]
    # RNAfold 2.7.2, --paramFile for all but the first
    assert energies == [-22.4, -21.65, -24.7, -22.49]
    assert Ensemble(TRNA_PHE).mfe_structure.dot_bracket == CLOVERLEAF


def test_a_parameter_set_takes_effect_after_another_was_used():
    for name, mfe in 2 * [("langdon2018", -24.7), ("turner2004", -22.4), ("andronescu2007", -21.65)]:
        assert RNA.fold(TRNA_PHE)[1] == pytest.approx(-22.4)
        parameter_sets.scaled.cache_clear()
        assert Ensemble(TRNA_PHE, name).mfe == pytest.approx(mfe)


def test_an_unknown_parameter_set_is_refused():
    with pytest.raises(ConfigError, match="'turner1999' is unknown; expected one of turner2004"):
        Ensemble(HAIRPIN, "turner1999")


def test_version_is_viennarnas():
    assert version() == RNA.__version__


@pytest.fixture
def own_file(tmp_path, monkeypatch):
    """Puts something else where the file of rnass's own energies is, with or without its manifest."""

    def place(text, *, manifest):
        path = tmp_path / OWN_ENERGIES.name
        path.write_text(text)
        if manifest:
            entries = {path.name: manifest_entry(OWN_ENERGIES)}
            (tmp_path / "manifest.json").write_text(json.dumps(entries))
        monkeypatch.setattr(parameter_sets, "OWN_ENERGIES", path)
        forget()

    def forget():
        parameter_sets.parameter_text.cache_clear()
        parameter_sets.scaled.cache_clear()

    yield place
    monkeypatch.undo()
    forget()


OWN = OWN_ENERGIES.read_text()
DAMAGED = {
    "emptied": "",
    "cut off in a table": OWN[: len(OWN) // 2],
    "cut off in the first lines": OWN[:200],
    "one number more": OWN.replace("# stack\n", "# stack\n-240 ", 1),
    "garbled": OWN.replace("# stack\n", "# stack\n%$ ", 1),
    "not a number": OWN.replace(OWN.split("# stack\n")[1].split()[0], "nan", 1),
    "of something else": "GCGC\n" * 100,
}


@pytest.mark.parametrize("manifest", [True, False])
@pytest.mark.parametrize("damage", DAMAGED)
def test_a_damaged_file_of_energies_is_refused(own_file, damage, manifest):
    own_file(DAMAGED[damage], manifest=manifest)
    with pytest.raises(CheckpointError, match=r"rnass2026\.par: .*; expected"):
        Ensemble(HAIRPIN, "rnass2026")
    assert RNA.fold(TRNA_PHE)[1] == pytest.approx(-22.4)


def test_a_changed_number_is_noticed_by_the_manifest(own_file):
    changed = OWN.replace("-2", "-3", 1)
    own_file(changed, manifest=True)
    with pytest.raises(CheckpointError, match=r"altered or damaged, .*; expected \w{64} as in"):
        Ensemble(HAIRPIN, "rnass2026")


def test_a_file_without_a_manifest_is_used_and_told_of(own_file, caplog):
    expected = Ensemble(TRNA_PHE, "rnass2026").mfe
    own_file(OWN, manifest=False)
    assert Ensemble(TRNA_PHE, "rnass2026").mfe == expected
    (message,) = caplog.messages
    assert message.endswith(
        "rnass2026.par: not checked, as no manifest.json beside it has an entry for it"
    )


def test_a_missing_file_is_named(own_file, tmp_path):
    own_file(OWN, manifest=False)
    (tmp_path / OWN_ENERGIES.name).unlink()
    with pytest.raises(CheckpointError, match=r"rnass2026\.par.*; expected rnass's energies"):
        parameter_text("rnass2026")


def test_the_fingerprint_is_that_of_the_content(own_file):
    before = {name: fingerprint(name) for name in PARAMETER_SETS}
    assert len(set(before.values())) == len(PARAMETER_SETS)
    own_file(OWN.replace("-2", "-3", 1), manifest=False)
    assert fingerprint("rnass2026") != before["rnass2026"]
    assert fingerprint("turner2004") == before["turner2004"]


def test_thermal_energy_is_that_of_37_degrees():
    assert pytest.approx(RNA.exp_param(RNA.md()).kT / 1000, rel=1e-12) == KT
