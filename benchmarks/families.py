"""What a family adds: strict mean F1 with `--families` and without, of RNAs that a model matches.

    python benchmarks/families.py RECORDS MODELS [--seeds SEEDS] [--longest 200] [--evidence 2 4 6]

RECORDS are labelled RNAs, MODELS a file of covariance models. With --seeds, a Stockholm file of
families, MODELS is made first, unless it is there: of those to which nhmmscan (HMMER) assigns a record,
without rows within 80 % of one, roughly calibrated (cmcalibrate -L 0.02, up to a minute for each).
--evidence tries amounts of log-odds for a pair of the family. "forced" is the family's pairs with none
of rnass's in their way, "misplaced" the F1 with the pairs that a family has in another RNA, where they
are canonical here.

Families of Rfam were in the training of rnass's weights, so without a family it is not the score on an
unknown one that is seen here. The last columns count the pairs in pseudoknots.
"""

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from homologs import families_of

from rnass.decoding import add_pair_log_odds, decode
from rnass.io.stockholm import Alignment, project, read_stockholm
from rnass.metrics import score
from rnass.prediction.families import check_seeds, read_families, search_families, supported
from rnass.prediction.predictor import load_predictor
from rnass.prediction.restraints import FAMILY_LOG_ODDS
from rnass.preparation.covariance import build
from rnass.preparation.infernal import run_infernal
from rnass.preparation.leakage import near
from rnass.rna import CANONICAL_PAIRS, Rna
from rnass.structure import Structure
from rnass.training.records import Example, read_examples

NEAR = 0.8
"""Identity from which a row is left out."""
E_VALUE = 1e-3
"""Up to which nhmmscan assigns a record to a family."""


def related_families(seeds: Sequence[Alignment], examples: Sequence[Example]) -> list[Alignment]:
    """The families of the records, without the rows near any of these; of two rows or more."""
    with TemporaryDirectory() as folder:
        found = families_of(examples, seeds, E_VALUE, Path(folder))
    accessions = {family for _, family in found}
    chosen = [one for one in seeds if one.accession in accessions]
    rows = [
        (k, name, project(text, one.consensus)[0])
        for k, one in enumerate(chosen)
        for name, text in one.rows.items()
    ]
    hits = near([bases for *_, bases in rows], [one.bases for one in examples], identity=NEAR)
    out = {rows[hit.query][:2] for hit in hits}
    left = []
    for k, one in enumerate(chosen):
        kept = {name: text for name, text in one.rows.items() if (k, name) not in out}
        if len(kept) > 1:
            left.append(Alignment(one.accession, one.name, kept, {"SS_cons": one.columns["SS_cons"]}))
    return left


def make_models(seeds: Sequence[Alignment], target: Path) -> None:
    """The calibrated models of some families."""
    texts = []
    for seed in seeds:
        with TemporaryDirectory() as folder:
            path = build(seed, Path(folder)).path
            run_infernal(["cmcalibrate", "-L", "0.02", "--seed", "1", path.name], path.parent, "a model")
            texts.append(path.read_text())
    target.write_text("".join(texts))


def forced(length: int, own: Structure, pairs: frozenset[tuple[int, int]]) -> Structure:
    """The pairs of the family, and those of a structure that have no base in common with them."""
    taken = {base for pair in pairs for base in pair}
    kept = [(i, j) for i, j in own.pairs.tolist() if not {i, j} & taken]
    return Structure(length, [*kept, *pairs])


def misplaced(
    bases: str, others: Sequence[frozenset[tuple[int, int]]], draw: random.Random
) -> frozenset[tuple[int, int]]:
    """The pairs of another RNA's family that can form here; of the first of some that has any."""
    for pairs in draw.sample(others, len(others)):
        formed = frozenset(
            (i, j) for i, j in pairs if j < len(bases) and bases[i] + bases[j] in CANONICAL_PAIRS
        )
        if formed:
            return formed
    return frozenset()


def main() -> None:
    """Print a line for each amount of evidence."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("records")
    parser.add_argument("models", type=Path)
    parser.add_argument("--seeds")
    parser.add_argument("--longest", type=int, default=200, help="columns of an alignment that is used")
    parser.add_argument("--evidence", type=float, nargs="+", default=[FAMILY_LOG_ODDS])
    parser.add_argument("--weights")
    given = parser.parse_args()
    examples = read_examples([given.records])
    rnas = [Rna(str(k), one.bases) for k, one in enumerate(examples)]
    seeds = []
    if given.seeds:
        short = [one for one in read_stockholm(given.seeds) if len(one.consensus) <= given.longest]
        seeds = related_families(short, examples)
        print(f"{len(seeds)} families of {len(short)}", flush=True)
        if not given.models.exists():
            make_models(seeds, given.models)
    models = read_families(given.models)
    hits = search_families(rnas, given.models, models, seeds=check_seeds(models, seeds))
    evidence = [frozenset[tuple[int, int]]().union(*supported(found).values()) for found in hits]
    chosen = [k for k, pairs in enumerate(evidence) if pairs]
    total = sum(len(evidence[k]) for k in chosen)
    print(f"{len(chosen)} of {len(rnas)} RNAs with {total} pairs of a family")
    predictor = load_predictor(given.weights)
    rows: dict[str, list[tuple[float, int, int, float]]] = {}
    draw = random.Random(0)
    for row in predictor.predict([rnas[k] for k in chosen]):
        if row.prediction is None:
            raise SystemExit(str(row.error))
        k = chosen[row.number]
        truth, own = Structure(len(rnas[k]), examples[k].pairs), row.prediction.structure
        others = [evidence[n] for n in chosen if n != k]
        wrong = misplaced(rnas[k].bases, others, draw)
        found: dict[str, tuple[Structure, ...]] = {"without": (own, own)}
        found["forced"] = tuple(forced(len(own), own, pairs) for pairs in (evidence[k], wrong))
        for amount in given.evidence:
            maps = (
                add_pair_log_odds(row.prediction.probabilities, pairs, amount)
                for pairs in (evidence[k], wrong)
            )
            decoded = (decode(one, rnas[k].bases, predictor.decoding) for one in maps)
            found[f"{amount:g}"] = tuple(decoded)
        for name, (right, moved) in found.items():
            known = {tuple(p) for p in truth.pairs[truth.orders > 0].tolist()}
            shared = known & {tuple(p) for p in right.pairs.tolist()}
            scores = score(truth, right).f1, score(truth, moved).f1
            rows.setdefault(name, []).append((scores[0], len(shared), len(known), scores[1]))
    print("| evidence | F1 | worse | knotted pairs | of | misplaced |\n|---|---|---|---|---|---|")
    for name, values in rows.items():
        f1, shared, known, moved = np.array(values).T
        worse = np.mean(f1 < np.array(rows["without"])[:, 0] - 1e-9)
        counts = f"{int(shared.sum())} | {int(known.sum())}"
        print(f"| {name} | {f1.mean():.3f} | {worse:.2f} | {counts} | {moved.mean():.3f} |")


if __name__ == "__main__":
    main()
