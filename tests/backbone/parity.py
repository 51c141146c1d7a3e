"""Compare a checkpoint on disk, read by rnass, with what a reference said of it."""

import torch
from reading import read_language_model

TOLERANCE = 1e-5


def assert_agrees(folder, expected, masked):
    """Tokens, every hidden state, every attention map and the scores, outside padding."""
    encoder, head = read_language_model(folder)
    table = encoder.vocabulary
    tokens = torch.full_like(expected.tokens, table.pad)
    for k, rna in enumerate(expected.rnas):
        rows = table.encode(rna)
        tokens[k, : len(rows)] = torch.tensor(rows)
    tokens[masked] = table.mask
    torch.testing.assert_close(tokens, expected.tokens, rtol=0, atol=0)

    with torch.no_grad():
        _, states, maps = zip(*encoder.each_layer(tokens, maps=True), strict=True)
        last = encoder(tokens)
        logits = head(states[-1])
    present = tokens != table.pad
    pairs = present[:, None, :, None] & present[:, None, None, :]
    assert len(states) == len(expected.states)
    assert len(maps) == 1 + len(expected.attentions)
    for k, state in enumerate(expected.states):
        difference = (states[k] - state).abs()[present].max()
        assert difference <= TOLERANCE, f"hidden state {k} differs by {difference:.1e}"
    for k, attention in enumerate(expected.attentions):
        difference = ((maps[k + 1] - attention).abs() * pairs).max()
        assert difference <= TOLERANCE, f"attention map {k} differs by {difference:.1e}"
    difference = (logits[..., : expected.logits.shape[-1]] - expected.logits).abs()[present].max()
    assert difference <= TOLERANCE, f"scores differ by {difference:.1e}"
    torch.testing.assert_close(last, states[-1])  # attends without forming the maps
