"""Sampling of training records: how often each is sampled, batches of like length, mutated copies."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rnass.errors import ConfigError
from rnass.training.config import DataConfig
from rnass.training.mutation import mutate
from rnass.training.records import Example

__all__ = ["batches", "mutated"]

_POOL = 2048  # examples that are sorted by length together


def mutated(chosen: Sequence[Example], data: DataConfig, seed: int, draw: int) -> list[Example]:
    """Some of the examples with other bases under the same pairs; see `rnass.training.mutation.mutate`.

    The same seed and number of the draw give the same mutations, whatever was sampled before.
    """
    if not data.mutation_rate:
        return list(chosen)
    rng = np.random.default_rng([seed, draw, 1])  # apart from the streams [seed, epoch] of `batches`
    return [
        replace(e, bases=mutate(e.bases, e.pairs, rng, data.mutation_rate * rng.random()), altered=True)
        if e.evidence is None and rng.random() < data.mutated_share
        else e
        for e in chosen
    ]


def batches(
    examples: Sequence[Example], data: DataConfig, seed: int, per_step: int = 1
) -> Iterator[list[int]]:
    """Endless batches of example numbers, of like length, their padded L * L within `padded_pairs`.

    An epoch samples as many examples as there are, each as often as its weight (rounded up or down at
    random), so equal weights sample each once. The same seed gives the same stream.

    The batches of one step, *per_step* of them, are of like length too, so that processes that divide
    them wait little for one another; of every 2048 examples, the batches that fill no step are left out.

    Raises:
        ConfigError: no examples, or none of a positive weight.
    """
    if not examples:
        wanted = f"expected some of {data.min_length} to {data.max_length} bases"
        wanted += ", of no excluded family" if data.excluded_families else ""
        wanted += ", near no held-out one" if data.held_out else ""
        raise ConfigError(f"data: no training record is left; {wanted}")
    weights = _weights(examples, data)
    if not weights.any():
        raise ConfigError("data: no record of positive weight; expected some to sample")
    epoch = 0
    while True:
        rng = np.random.default_rng([seed, epoch])
        order = rng.permutation(len(examples))
        edges = np.cumsum(weights[order])
        points = (np.arange(len(examples)) + rng.random()) / len(examples) * edges[-1]
        places = np.searchsorted(edges, points, side="right")
        sampled = order[np.minimum(places, len(order) - 1)]
        rng.shuffle(sampled)
        for start in range(0, len(sampled), _POOL):
            pool = sampled[start : start + _POOL]
            yield from _bucketed(pool, examples, data.padded_pairs, per_step, rng)
        epoch += 1


def _weights(examples: Sequence[Example], data: DataConfig) -> NDArray[np.float64]:
    """How often each example is sampled, relative to the others."""
    own = dict(enumerate(data.weights))
    weights = np.array([own.get(e.source, 1.0) for e in examples])
    if data.family_power:
        size = Counter(e.family for e in examples)
        weights *= [size[e.family] ** -data.family_power if e.family else 1.0 for e in examples]
    if data.pseudoknot_weight != 1:
        weights *= [data.pseudoknot_weight if e.pseudoknotted else 1.0 for e in examples]
    if data.profiles:
        profile = np.array([e.evidence is not None for e in examples])
        for part, share in ((profile, data.profile_share), (~profile, 1 - data.profile_share)):
            weights[part] *= share / max(weights[part].sum(), 1e-9)
    return weights


def _bucketed(
    numbers: NDArray[np.int64],
    examples: Sequence[Example],
    padded_pairs: int,
    per_step: int,
    rng: np.random.Generator,
) -> Iterator[list[int]]:
    """Cut a pool into batches of like length, like ones next to each other, steps in random order."""
    lengths = np.array([len(examples[n].bases) for n in numbers])
    cut: list[list[int]] = []
    for n in numbers[np.argsort(lengths, kind="stable")]:
        longest = len(examples[n].bases)
        if not cut or (len(cut[-1]) + 1) * longest**2 > padded_pairs:
            cut.append([])
        cut[-1].append(int(n))
    if len(cut) > per_step and (spare := len(cut) % per_step):
        for k in sorted(rng.choice(len(cut), spare, replace=False), reverse=True):
            del cut[k]
    for first in per_step * rng.permutation(-(-len(cut) // per_step)):
        yield from cut[first : first + per_step]
