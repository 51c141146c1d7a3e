"""Embeddings of many RNAs and of long ones; the oracle is the encoder asked about one window."""

from itertools import pairwise

import pytest
import torch

from rnass.backbone.embeddings import embed, layer_number, windows
from rnass.backbone.encoder import Encoder
from rnass.config import EncoderConfig
from rnass.errors import ConfigError, SequenceError

SIZE = {"layers": 2, "width": 16, "heads": 2, "ffn_width": 24}
CODONS = {"vocabulary": "mrna-fm", "vocabulary_size": 73}


@pytest.fixture
def encoder(shaken):
    return shaken(Encoder(EncoderConfig(**SIZE)))


def states(encoder, bases, layer=2):
    """What the encoder says of one RNA after some layers, special tokens included."""
    with torch.no_grad():
        outputs = list(encoder.each_layer(torch.tensor([encoder.vocabulary.encode(bases)])))
    return outputs[layer].states[0]


@pytest.mark.parametrize(("layer", "done"), [(-1, 2), (0, 0), (1, 1), (-3, 0)])
def test_many_give_what_each_gives_alone_at_every_layer(encoder, rnas, layer, done):
    got = list(embed(encoder, rnas, layer))
    assert sorted(one.number for one in got) == list(range(len(rnas)))
    for one in got:
        wanted = states(encoder, rnas[one.number], done)
        torch.testing.assert_close(one.tokens, wanted[1:-1], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(one.cls, wanted[0], atol=1e-5, rtol=1e-5)
        assert one.windows == 1


def test_the_batches_are_bounded_and_change_nothing(encoder, rnas, monkeypatch):
    together = {one.number: one.tokens for one in embed(encoder, rnas)}
    monkeypatch.setattr("rnass.backbone.embeddings._BATCH_TOKENS", 1)
    monkeypatch.setattr("rnass.backbone.embeddings._POOL", 2)
    for one in embed(encoder, rnas):
        torch.testing.assert_close(one.tokens, together[one.number], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("length", [*range(1, 40), 100])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 10])
def test_windows_cover_everything_and_overlap(length, size):
    starts = windows(length, size)
    covered = {k for first in starts for k in range(first, min(first + size, length))}
    assert covered == set(range(length))
    assert starts == sorted(set(starts))
    assert all(b - a <= max(1, size - size // 4) for a, b in pairwise(starts))
    assert starts[-1] == max(0, length - size)


def test_a_long_rna_is_the_mean_of_its_windows(shaken, rnas):
    encoder = shaken(Encoder(EncoderConfig(**SIZE, max_tokens=10)))  # 8 bases and two special tokens
    long = rnas[0]
    one = next(one for one in embed(encoder, ["GGC", long]) if one.number == 1)
    sums, read, cls = torch.zeros(23, 16), torch.zeros(23, 1), torch.zeros(16)
    starts = [0, 6, 12, 15]
    for first in starts:
        window = states(encoder, long[first : first + 8])
        sums[first : first + 8] += window[1:-1]
        read[first : first + 8] += 1
        cls += window[0]
    assert one.windows == 4
    torch.testing.assert_close(one.tokens, sums / read, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(one.cls, cls / 4, atol=1e-5, rtol=1e-5)


def test_codons_get_a_row_each_and_their_own_windows(shaken):
    encoder = shaken(Encoder(EncoderConfig(**SIZE, **CODONS, max_tokens=4)))
    (one,) = embed(encoder, ["AUGGCUUAG"])
    assert one.tokens.shape == (3, 16)
    assert one.windows == 2
    torch.testing.assert_close(one.tokens[0], states(encoder, "AUGGCU")[1], atol=1e-5, rtol=1e-5)
    with pytest.raises(SequenceError, match="whole codons"):
        list(embed(encoder, ["AUGG"]))


def test_a_table_without_a_first_token_has_no_cls(shaken):
    table = {"vocabulary": "rnabert", "vocabulary_size": 7}
    (one,) = embed(shaken(Encoder(EncoderConfig(**SIZE, **table))), ["GGC"])
    assert one.cls is None
    assert one.tokens.shape == (3, 16)


def test_layers_are_counted_from_both_ends(encoder):
    assert [layer_number(encoder, k) for k in (0, 2, -1, -3)] == [0, 2, 2, 0]
    for layer in (3, -4):
        with pytest.raises(ConfigError, match=f"layer {layer}: this backbone has 2; expected -3 to 2"):
            layer_number(encoder, layer)


def test_letters_are_read_as_those_of_an_rna(encoder):
    (one,), (other,) = (list(embed(encoder, [bases])) for bases in ("ggt", "GGU"))
    assert torch.equal(one.tokens, other.tokens)
    for bases, message in (("ACGX", "RNA 2: letter 'X' at base 4"), ("", "RNA 2: no bases")):
        with pytest.raises(SequenceError, match=message):
            list(embed(encoder, ["GGC", bases]))
