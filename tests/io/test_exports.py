"""Exports: what Boltz's documentation asks of its input, read back by an independent YAML reader."""

import pytest
import yaml

from rnass.errors import OutputError, StructureError
from rnass.io import check_program, format_boltz
from rnass.rna import Rna
from rnass.structure import Structure


def conform(text):
    """Check a file by the schema in Boltz's docs/prediction.md; gives its chains and contacts."""
    file = yaml.safe_load(text)
    assert set(file) <= {"version", "sequences", "constraints"}
    assert file["version"] == 1
    chains = {}
    for entry in file["sequences"]:
        assert set(entry) == {"rna"}
        assert set(entry["rna"]) == {"id", "sequence"}
        chains[entry["rna"]["id"]] = entry["rna"]["sequence"]
    assert len(chains) == len(file["sequences"])
    contacts = []
    for constraint in file.get("constraints", []):
        assert set(constraint) == {"contact"}
        assert set(constraint["contact"]) == {"token1", "token2"}
        contacts.append((constraint["contact"]["token1"], constraint["contact"]["token2"]))
    for chain, residue in (token for pair in contacts for token in pair):
        assert 1 <= residue <= len(chains[chain])
    return chains, contacts


def test_each_pair_is_a_contact_of_residues_from_1():
    rna = Rna.from_text("GGCCAAAGGAAGGCCAAACC", "knot of two helices: a, [b]")
    structure = Structure.from_dot_bracket("((((...[[...))))..]]")
    chains, contacts = conform(format_boltz(rna, structure))
    assert chains == {"A": rna.bases}
    assert contacts == [(["A", i + 1], ["A", j + 1]) for i, j in structure.pairs.tolist()]


def test_strands_are_chains_numbered_by_themselves():
    chains, contacts = conform(format_boltz(Rna.from_text("GGCA&UGCC"), Structure(8, [(0, 7), (3, 4)])))
    assert chains == {"A": "GGCA", "B": "UGCC"}
    assert contacts == [(["A", 1], ["B", 4]), (["A", 4], ["B", 1])]


def test_no_pairs_are_no_constraints():
    text = format_boltz(Rna.from_text("NACGU"), Structure(5))
    assert conform(text) == ({"A": "NACGU"}, [])
    assert "constraints" not in text


def test_another_length_is_an_error():
    with pytest.raises(StructureError, match="structure of 4 bases; expected 5"):
        format_boltz(Rna.from_text("ACGUA"), Structure(4))


@pytest.mark.parametrize(
    ("program", "reason"),
    [("chai", "between chains"), ("af3", "bondedAtomPairs"), ("rosetta", "expected one of boltz")],
)
def test_programs_without_contacts_are_refused_with_the_reason(program, reason):
    check_program("boltz")
    with pytest.raises(OutputError, match=reason):
        check_program(program)
