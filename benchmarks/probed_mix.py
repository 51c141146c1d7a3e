"""How much of ViennaRNA's log-odds suits an RNA with reactivities: F1 for several weights.

    python benchmarks/probed_mix.py --profiles TABLE ... --records FILE ... [--number 60]

Each known structure gets reactivities drawn for each base from those of the profiles: of bases that
rnass2026 has as paired, or as unpaired, with a probability above 0.95. Every RNA is also read
backwards: its helices stay, and it is of a family that no network was trained on. Prints Markdown tables
of strict mean F1, by reagent; the last columns count pairs that cross others, in all records.
"""

import argparse
from collections import defaultdict

import numpy as np
from backwards import backwards
from numpy.typing import NDArray

from rnass.decoding import decode, pseudo_reactivities
from rnass.metrics import Confusion, confusion, crossing_pairs, pooled, score
from rnass.prediction.predictor import load_predictor
from rnass.prediction.restraints import restrained_map
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.thermodynamics.folding import base_pair_probabilities_of_many
from rnass.training.profiles import read_profiles
from rnass.training.records import Example, read_examples

MIXES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6)
SURE = 0.95  # probability of a base's state from which its reactivity is an example of that state
SIGNAL = 5.0  # least ratio of signal to noise
PROFILES = 150  # profiles of a table and reagent
LENGTHS = 30, 300

Pools = dict[tuple[str, bool], list[float]]


def main() -> None:
    """Print a table for each reagent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profiles", nargs="+", required=True)
    parser.add_argument("--records", nargs="+", required=True)
    parser.add_argument("--number", type=int, default=60, help="records of a file, evenly spread")
    parser.add_argument("--weights")
    arguments = parser.parse_args()
    sets: dict[str, list[Example]] = {}
    for path in arguments.records:
        known = [one for one in read_examples([path], *LENGTHS) if "N" not in one.bases]
        sets[path] = known[:: max(1, len(known) // arguments.number)]
        sets[f"{path}, backwards"] = [backwards(one) for one in sets[path]]
    for reagent, pools in sorted(reactivities_of_states(arguments.profiles).items()):
        print(f"\n| {reagent} | {' | '.join(sets)} | crossing F1 |\n|---|{'---|' * (len(sets) + 1)}")
        rows = judge(reagent, pools, list(sets.values()), arguments.weights)
        for mix, (means, crossing) in zip(MIXES, rows, strict=True):
            cells = " | ".join(f"{mean:.3f}" for mean in means)
            print(f"| {mix} | {cells} | {crossing:.3f} |", flush=True)


def reactivities_of_states(paths: list[str]) -> dict[str, Pools]:
    """By reagent, the reactivities of each base where it is paired and where it is not."""
    pools: dict[str, Pools] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        profiles = read_profiles(path, SIGNAL)
        for reagent in sorted({one.modifier for one in profiles}):
            own = [one for one in profiles if one.modifier == reagent]
            own = own[:: max(1, len(own) // PROFILES)]
            folded = base_pair_probabilities_of_many([one.bases for one in own], "rnass2026")
            for profile, pairs in zip(own, folded, strict=True):
                paired = pairs.dense().sum(1)
                for base, value, p in zip(profile.bases, profile.reactivities, paired, strict=True):
                    if not np.isnan(value) and max(p, 1 - p) > SURE:
                        pools[reagent][base, bool(p > SURE)].append(float(value))
    return pools


def judge(
    reagent: str, pools: Pools, sets: list[list[Example]], weights: str | None
) -> list[tuple[list[float], float]]:
    """For each of `MIXES` the mean F1 of each set, and the F1 of the crossing pairs of all."""
    predictor = load_predictor(weights)
    f1 = np.zeros((len(MIXES), len(sets)))
    crossing: list[list[Confusion]] = [[] for _ in MIXES]
    for number, examples in enumerate(sets):
        for seed, example in enumerate(examples):
            truth = Structure(len(example.bases), example.pairs)
            drawn = draw(pools, example.bases, truth, seed)
            evidence = pseudo_reactivities(drawn, example.bases, modifier=reagent)  # type: ignore[arg-type]
            rna = Rna(example.id, example.bases, reactivities=tuple(evidence.tolist()))
            found = predictor(rna)
            bpp = found.thermodynamics.mixed_bpp()
            for k, mix in enumerate(MIXES):
                mixed = restrained_map(found.probabilities, rna.reactivities, bpp, mix)
                structure = decode(mixed, example.bases, predictor.decoding)
                f1[k, number] += score(truth, structure).f1 / len(examples)
                crossing[k].append(confusion(crossing_pairs(truth), crossing_pairs(structure)))
    return [(means.tolist(), pooled(counts).f1) for means, counts in zip(f1, crossing, strict=True)]


def draw(pools: Pools, bases: str, truth: Structure, seed: int) -> NDArray[np.float64]:
    """Reactivities for a structure, NaN of bases that the reagent does not report."""
    rng = np.random.default_rng(seed)
    states = [(base, bool(partner >= 0)) for base, partner in zip(bases, truth.partners, strict=True)]
    return np.array([rng.choice(pools[one]) if one in pools else np.nan for one in states])


if __name__ == "__main__":
    main()
