"""The encoder in rnass's own configuration, against a plain numpy transformer written here."""

import dataclasses

import numpy as np
import pytest
import torch

from rnass.backbone.encoder import Encoder
from rnass.backbone.vocabulary import RNASS


@pytest.fixture
def encoder(encoder_config, shaken):
    return shaken(Encoder(encoder_config))


def read(encoder, *rnas):
    """Embeddings and attention maps of a batch."""
    rows = [RNASS.encode(rna) for rna in rnas]
    longest = max(map(len, rows))
    tokens = torch.tensor([row + [RNASS.pad] * (longest - len(row)) for row in rows])
    with torch.no_grad():
        embedded, *layers = encoder.each_layer(tokens, maps=True)
        unwatched = encoder(tokens)
    assert embedded.maps is None
    return layers[-1].states, [layer.maps for layer in layers], unwatched


def by_hand(encoder, rna):
    """Embeddings (T, D) and attention maps of one RNA: pre-norm, rotary, softmax, SwiGLU or GELU."""
    w = {key: value.detach().double().numpy() for key, value in encoder.named_parameters()}
    heads = encoder.config.heads

    def norm(x, name):
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + encoder.config.norm_eps)
        return x * w[f"{name}.weight"] + w[f"{name}.bias"]

    def linear(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def turn(x):  # (T, d): each pair (x[k], x[k + d/2]) is a complex number turned by t * base^(-2k/d)
        half = x.shape[1] // 2
        angle = np.arange(len(x))[:, None] * encoder.config.rope_base ** (-np.arange(half) / half)
        z = (x[:, :half] + 1j * x[:, half:]) * np.exp(1j * angle)
        return np.concatenate([z.real, z.imag], 1)

    def feed_forward(y, at):
        inner = linear(y, f"{at}.inner")
        if encoder.config.ffn == "gelu":
            error = torch.erf(torch.from_numpy(inner / np.sqrt(2))).numpy()
            return linear(0.5 * inner * (1 + error), f"{at}.outer")
        gate = linear(y, f"{at}.gate")
        return linear(gate / (1 + np.exp(-gate)) * inner, f"{at}.outer")

    x = w["tokens.weight"][RNASS.encode(rna)]
    maps = []
    for number in range(encoder.config.layers):
        at = f"layers.{number}"
        y = norm(x, f"{at}.attention_norm")
        parts = [np.split(linear(y, f"{at}.attention.{n}"), heads, 1) for n in ("query", "key", "value")]
        mixed = []
        for query, key, value in zip(*parts, strict=True):
            scores = np.exp(turn(query) @ turn(key).T / np.sqrt(query.shape[1]))
            maps.append(scores / scores.sum(1, keepdims=True))
            mixed.append(maps[-1] @ value)
        x = x + linear(np.concatenate(mixed, 1), f"{at}.attention.out")
        x = x + feed_forward(norm(x, f"{at}.feed_forward_norm"), f"{at}.feed_forward")
    return norm(x, "final_norm"), np.stack(maps)


@pytest.mark.parametrize("ffn", ["swiglu", "gelu"])
def test_embeddings_and_maps_are_those_of_a_plain_transformer(encoder_config, shaken, ffn):
    encoder = shaken(Encoder(dataclasses.replace(encoder_config, ffn=ffn)))
    embeddings, maps, _ = read(encoder, "GGCAAANUGCC")
    expected, expected_maps = by_hand(encoder, "GGCAAANUGCC")
    np.testing.assert_allclose(embeddings[0], expected, atol=2e-5)
    np.testing.assert_allclose(torch.cat([m[0] for m in maps]), expected_maps, atol=1e-5)


def test_layers_hand_out_their_maps_in_order_and_watching_changes_nothing(encoder):
    embeddings, maps, unwatched = read(encoder, "GGCAAAGCC", "ACGU")
    assert len(maps) == encoder.config.layers
    assert all(m.shape == (2, encoder.config.heads, 11, 11) for m in maps)
    real = [slice(0, 11), slice(0, 6)]
    for k, rows in enumerate(real):
        torch.testing.assert_close(embeddings[k, rows], unwatched[k, rows], atol=2e-5, rtol=0)


def test_padding_is_never_attended_to_and_never_changes_an_answer(encoder, rnas):
    together, maps, unwatched = read(encoder, *rnas)
    for k, rna in enumerate(rnas):
        alone, lone_maps, _ = read(encoder, rna)
        size = len(rna) + 2
        torch.testing.assert_close(together[k, :size], alone[0], atol=1e-5, rtol=0)
        torch.testing.assert_close(unwatched[k, :size], alone[0], atol=1e-5, rtol=0)
        for many, one in zip(maps, lone_maps, strict=True):
            torch.testing.assert_close(many[k, :, :size, :size], one[0], atol=1e-5, rtol=0)
            assert not many[k, :, :size, size:].any()


def test_every_row_of_a_map_sums_to_one(encoder):
    _, maps, _ = read(encoder, "GGCAAAGCC", "ACGU")
    for m in maps:
        torch.testing.assert_close(m.sum(-1), torch.ones(m.shape[:-1]))


def test_the_order_of_the_bases_matters(encoder):
    forward, _, _ = read(encoder, "GACU")
    backward, _, _ = read(encoder, "UCAG")
    assert not torch.allclose(forward[0, 1], backward[0, 4], atol=1e-3)


def test_the_same_seed_gives_the_same_weights(encoder_config):
    states = []
    for _ in range(2):
        torch.manual_seed(11)
        states.append(Encoder(encoder_config).state_dict())
    assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])


def test_token_rows_stand_between_their_special_tokens():
    assert RNASS.encode("ACGUN") == [1, 5, 6, 7, 8, 9, 2]
    assert RNASS.special_before() == 1
    assert RNASS.symbols[RNASS.row("N")] == "N"
