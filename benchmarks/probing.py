"""Likelihood ratios of reactivities, fitted to chemical-mapping profiles; methods compared on others.

    python benchmarks/probing.py FILE ... [--number 350] [--hidden 90]

FILE: tables with the columns of `rnass.training.profiles.read_profiles`. Of each file and modifier
--number profiles of a signal-to-noise ratio of 3 or more are folded by rnass2026. Expectation
maximisation, with these probabilities as prior, gives the histograms of reactivity of paired and of
unpaired bases; the logarithms of their ratio, made to fall with the reactivity, are the constants of
`rnass.decoding.probing`. Then a random half of each of --hidden other profiles, none of them within 80 %
of one that was fitted to, is given to rnass by each method, and the other half scored: the mean of
log P(r) - log P0(r) per base, P by the predicted probability of being unpaired and P0 by one half; and
the rank correlation of the two within an RNA; with several shares of ViennaRNA's log-odds. With
--hidden 0 nothing is compared.
"""

import argparse
import itertools

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression
from scipy.stats import spearmanr

from rnass.decoding.probing import KNOTS, log_likelihood_ratios, pseudo_reactivities
from rnass.prediction.predictor import Predictor, load_predictor
from rnass.preparation.leakage import near
from rnass.rna import Rna
from rnass.thermodynamics.folding import base_pair_probabilities_of_many
from rnass.training.profiles import Profile, read_profiles

SIGNAL = 3.0
EDGES = (np.array(KNOTS[1:]) + np.array(KNOTS[:-1])) / 2
ROUNDS = 50
MOST = 3.0  # that a base's ratio counts as in the score


def main() -> None:
    """Print the constants, then the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+")
    parser.add_argument("--number", type=int, default=350, help="profiles of a file and modifier")
    parser.add_argument("--hidden", type=int, default=90, help="profiles of a modifier to compare on")
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    fitted: dict[str, list[Profile]] = {}
    others: dict[str, list[Profile]] = {}
    for path in arguments.files:
        profiles = read_profiles(path, SIGNAL)
        for modifier in sorted({profile.modifier for profile in profiles}):
            own = [profile for profile in profiles if profile.modifier == modifier]
            order = [own[k] for k in rng.permutation(len(own))]
            fitted.setdefault(modifier, []).extend(order[: arguments.number])
            others.setdefault(modifier, []).extend(order[arguments.number :][: 4 * arguments.hidden])
    for modifier, profiles in sorted(fitted.items()):
        print(f'    "{modifier}": {{  # {len(profiles)} profiles')
        for base, ratios in fit(profiles).items():
            print(f'        "{base}": ({", ".join(f"{ratio:.2f}" for ratio in ratios)}),')
        print("    },", flush=True)
    if arguments.hidden:
        print(
            "\n| modifier (profiles) | method | mix | log-likelihood per base | rank correlation |\n"
            + "|---" * 5
            + "|"
        )
        predictor = load_predictor()
        for modifier, profiles in sorted(others.items()):
            known = near([p.bases for p in profiles], [p.bases for p in fitted[modifier]])
            close = {hit.query for hit in known}
            far = [profile for k, profile in enumerate(profiles) if k not in close]
            compare(predictor, modifier, far[: arguments.hidden])


def fit(profiles: list[Profile]) -> dict[str, NDArray[np.float64]]:
    """By base, the log-likelihood ratio of paired over unpaired at each of `KNOTS`."""
    folded = base_pair_probabilities_of_many((one.bases for one in profiles), "rnass2026")
    unpaired = np.concatenate([1 - pairs.dense().sum(1) for pairs in folded])
    letters = np.array(list("".join(one.bases for one in profiles)))
    values = np.concatenate([one.reactivities for one in profiles])
    found = {}
    for base in "ACGU":
        there = (letters == base) & ~np.isnan(values)
        if there.any():
            found[base] = _ratios(np.searchsorted(EDGES, values[there]), unpaired[there])
    return found


def _ratios(bins: NDArray[np.int64], unpaired: NDArray[np.floating]) -> NDArray[np.float64]:
    prior = np.clip(unpaired, 0.02, 0.98)
    posterior = prior
    for _ in range(ROUNDS):
        free, bound = (_density(bins, weight) for weight in (posterior, 1 - posterior))
        weight = prior * free[bins]
        posterior = weight / (weight + (1 - prior) * bound[bins])
    ratios = np.log(bound) - np.log(free)
    return np.asarray(
        isotonic_regression(
            ratios, weights=np.bincount(bins, minlength=len(KNOTS)) + 1, increasing=False
        ).x
    )


def _density(bins: NDArray[np.int64], weight: NDArray[np.floating]) -> NDArray[np.float64]:
    counts = np.bincount(bins, weight, len(KNOTS)) + 1
    return np.asarray(counts / counts.sum())


def compare(predictor: Predictor, modifier: str, profiles: list[Profile]) -> None:
    """Print a row for each method and mix: how well half of a profile predicts the other half."""
    for method, mix in ((None, 0.0), *itertools.product(("deigan", "likelihood"), (0.0, 0.2, 0.4))):
        predictor.mix = mix
        rng = np.random.default_rng(2)
        likelihood, correlation = [], []
        for profile in profiles:
            given = np.where(rng.random(len(profile.bases)) < 0.5, profile.reactivities, np.nan)
            shown = given if method else np.full(len(given), np.nan)
            evidence = pseudo_reactivities(
                shown, profile.bases, modifier=modifier, method=method or "deigan"
            )
            rna = Rna(profile.id, profile.bases, reactivities=tuple(evidence.tolist()))
            unpaired = 1 - predictor(rna).decoded_map.sum(1)
            ratios = log_likelihood_ratios(profile.reactivities, profile.bases, modifier)
            hidden = np.isnan(given) & ~np.isnan(ratios)
            u, ratio = np.clip(unpaired[hidden], 0, 1), np.exp(np.clip(ratios[hidden], -MOST, MOST))
            likelihood.append(np.log((1 - u) * ratio + u).mean() - np.log((ratio + 1) / 2).mean())
            correlation.append(spearmanr(u, profile.reactivities[hidden])[0])
        row = f"{np.mean(likelihood):.4f} | {np.nanmean(correlation):.3f}"
        print(f"| {modifier} ({len(profiles)}) | {method or 'none given'} | {mix} | {row} |", flush=True)


if __name__ == "__main__":
    main()
