"""The contact model on backbones that are not rnass's own: codons for tokens, RNABERT's padding."""

import pytest
import torch

from rnass.backbone.vocabulary import vocabulary
from rnass.config import EncoderConfig, HeadConfig, ModelConfig
from rnass.network.contact_model import ContactModel, collate
from rnass.prediction.predictor import Predictor
from rnass.rna import Rna

HEAD = HeadConfig(channels=4, blocks=1, dilations=(1,), outer_rank=3, parameter_sets=())
SIZE = {"layers": 2, "width": 16, "heads": 2, "ffn_width": 24, "positions": "learned"}
CODONS = EncoderConfig(
    **SIZE, vocabulary="mrna-fm", vocabulary_size=73, position_rows=30, position_first=2
)
RNABERT = EncoderConfig(
    **SIZE,
    vocabulary="rnabert",
    vocabulary_size=7,
    norm_place="post",
    final_norm=False,
    position_rows=40,
    position_skips_padding=False,
    token_types=2,
    attend_padding=True,
    pad_to=40,
)


def build(encoder, shaken):
    torch.manual_seed(2)
    return shaken(ContactModel(ModelConfig(encoder=encoder, head=HEAD)))


@pytest.mark.parametrize("encoder", [CODONS, RNABERT], ids=lambda encoder: encoder.vocabulary)
def test_many_give_what_each_gives_alone(encoder, shaken):
    model, table = build(encoder, shaken), vocabulary(encoder.vocabulary)
    rnas = ["AUGGCUUAGNNC", "AUGGCU", "GGG"]
    with torch.no_grad():
        together = model(collate(rnas, None, table))
        for k, rna in enumerate(rnas):
            alone = model(collate([rna], None, table))[0]
            assert alone.shape == (len(rna), len(rna))
            torch.testing.assert_close(together[k, : len(rna), : len(rna)], alone, atol=1e-5, rtol=1e-5)


def test_what_a_codon_model_cannot_read_is_refused_by_name(shaken):
    predictor = Predictor(build(CODONS, shaken))
    rnas = {"whole": "AUGGCU", "odd": "AUGG", "two": "GGG&CCC"}
    outcomes = predictor.predict([Rna.from_text(bases, name) for name, bases in rnas.items()])
    said = {one.number: one.error and str(one.error) for one in outcomes}
    assert said == {
        0: None,
        1: "odd: 4 bases; expected whole codons, a multiple of 3",
        2: "two: two strands; expected one",
    }


def test_a_codon_speaks_for_its_three_bases(shaken):
    """With bases, distance and convolutions out of the way, pairs of two codons are all alike."""
    model = build(CODONS, shaken)
    for table in (model.pair_features.bases, model.pair_features.distance):
        table.weight.data[:] = 0
    model.head.blocks = torch.nn.ModuleList()
    with torch.no_grad():
        logits = model(collate(["AUGGCUUAG"], None, vocabulary("mrna-fm")))[0]
    blocks = logits.unflatten(0, (3, 3)).unflatten(2, (3, 3))  # codon, base, codon, base
    torch.testing.assert_close(blocks, blocks[:, :1, :, :1].expand_as(blocks))
    assert blocks[:, 0, :, 0].std() > 0.01
