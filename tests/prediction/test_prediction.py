"""A prediction as people meet it: in a list, in a notebook, as a row of a table."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest

import rnass
from rnass.errors import OutputError, SequenceError
from rnass.io import read_fasta
from rnass.jobs.predict import PredictOptions, predict_files
from rnass.rna import Rna

HAIRPIN = "GGGGAAAACCCC"


@pytest.fixture(scope="module")
def predictions(weights):
    return rnass.predict([Rna("x<y>", HAIRPIN), "GCAAAAGC", "GGGAAACCC&GG"], weights=weights)


def test_several_keep_their_order_and_are_as_each_alone(predictions, weights):
    assert [len(one.rna) for one in predictions] == [12, 8, 11]
    assert [one.rna.id for one in predictions] == ["x<y>", "sequence-2", "sequence-3"]
    alone = rnass.predict(HAIRPIN, weights=weights)
    np.testing.assert_allclose(predictions[0].probabilities, alone.probabilities, atol=1e-5)
    assert rnass.predict(iter([]), weights=weights) == []


def test_a_bad_one_of_several_is_named(weights):
    with pytest.raises(SequenceError, match="sequence 2: letter 'X' at base 4"):
        rnass.predict([HAIRPIN, "GGGXCCC"], weights=weights)


def test_unpaired_is_what_the_partners_leave(predictions):
    one = predictions[0]
    np.testing.assert_allclose(one.unpaired, 1 - one.decoded_map.sum(1), atol=1e-6)
    assert one.unpaired.min() >= 0
    assert one.unpaired.max() <= 1


def test_repr_is_short(predictions):
    text = repr(predictions[0])
    assert text.startswith("Prediction('x<y>': 12 bases, ")
    assert len(text) < 80


def test_a_dictionary_is_json(predictions):
    for one in predictions:
        row = json.loads(json.dumps(one.to_dict()))
        assert (row["id"], row["sequence"]) == (one.rna.id, one.rna.text)
        assert row["structure"] == one.dot_bracket
        assert [pair[:2] for pair in row["pairs"]] == one.structure.pairs.tolist()
        assert len(row["unpaired"]) == len(one.rna)
        assert (row["temperature_celsius"], row["salt_molar"]) == (37, 1.021)


def test_a_notebook_shows_the_drawing_and_the_structure(predictions):
    page = predictions[0]._repr_html_()
    drawing, text = page.split("</svg>")
    ElementTree.fromstring(f"{drawing}</svg>")
    assert f"{HAIRPIN}\n{predictions[0].dot_bracket}\n" in text
    assert "x&lt;y&gt;" in text
    assert "x<y>" not in text


def test_saved_files_are_those_of_rnass_predict(tmp_path, weights):
    fasta = tmp_path / "one.fa"
    fasta.write_text(f">x/y one hairpin\n{HAIRPIN}\n")
    predict_files([str(fasta)], tmp_path / "out", PredictOptions(weights=str(weights)))
    ((rna,), _) = read_fasta(fasta)
    one = rnass.predict(rna, weights=weights)
    paths = one.save(tmp_path / "new" / "saved")
    assert [path.name for path in paths] == ["x_y.ct", "x_y.dbn", "x_y.bpseq", "x_y.npy"]
    for path in paths:
        assert path.read_bytes() == (tmp_path / "out" / path.name).read_bytes()
    with pytest.raises(OutputError, match=r"one\.fa: .*; expected a folder"):
        one.save(fasta)
