"""What a family adds: strict mean F1 with `--families` and without, of RNAs that a model matches.

    python benchmarks/families.py RECORDS MODELS [--seeds SEEDS] [--longest 200] [--evidence 2 4 6]

RECORDS are labelled RNAs, MODELS a file of covariance models. With --seeds, a Stockholm file of
families, MODELS is made first: of those with a row within 60 % of a record, without rows within 80 %,
roughly calibrated (cmcalibrate -L 0.02, up to a minute for each). --evidence tries amounts of
log-odds for a pair of the family. "forced" is the family's pairs with none of rnass's in their way.

Families of Rfam were in the training of rnass's weights, so without a family it is not the score on an
unknown one that is seen here. The last columns count the pairs in pseudoknots.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from rnass.decoding import add_pair_log_odds, decode
from rnass.io.stockholm import Alignment, project, read_stockholm
from rnass.metrics import score
from rnass.prediction.families import check_seeds, read_families, search_families, supported
from rnass.prediction.predictor import load_predictor
from rnass.prediction.restraints import FAMILY_LOG_ODDS
from rnass.preparation.covariance import build
from rnass.preparation.infernal import run_infernal
from rnass.preparation.leakage import near
from rnass.rna import Rna
from rnass.structure import Structure
from rnass.training.records import Example, read_examples

NEAR, RELATED = 0.8, 0.6
"""Identity from which a row is left out, and from which a record may belong to its family."""


def related_families(seeds: Sequence[Alignment], examples: Sequence[Example]) -> list[Alignment]:
    """The families with a row related to a record, without the rows near one; of two rows or more."""
    rows = [
        (k, name, project(text, one.consensus)[0])
        for k, one in enumerate(seeds)
        for name, text in one.rows.items()
    ]
    hits = near([bases for *_, bases in rows], [one.bases for one in examples], identity=RELATED)
    out = {rows[hit.query][:2] for hit in hits if hit.identity >= NEAR}
    left = []
    for k in sorted({rows[hit.query][0] for hit in hits}):
        one = seeds[k]
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
        make_models(seeds, given.models)
    models = read_families(given.models)
    hits = search_families(rnas, given.models, models, seeds=check_seeds(models, seeds))
    evidence = [frozenset[tuple[int, int]]().union(*supported(found).values()) for found in hits]
    chosen = [k for k, pairs in enumerate(evidence) if pairs]
    total = sum(len(evidence[k]) for k in chosen)
    print(f"{len(chosen)} of {len(rnas)} RNAs with {total} pairs of a family")
    predictor = load_predictor(given.weights)
    rows: dict[str, list[tuple[float, int, int]]] = {}
    for row in predictor.predict([rnas[k] for k in chosen]):
        if row.prediction is None:
            raise SystemExit(str(row.error))
        k = chosen[row.number]
        truth, own = Structure(len(rnas[k]), examples[k].pairs), row.prediction.structure
        found = {"without": own, "forced": forced(len(rnas[k]), own, evidence[k])}
        for amount in given.evidence:
            shifted = add_pair_log_odds(row.prediction.probabilities, evidence[k], amount)
            found[f"{amount:g}"] = decode(shifted, rnas[k].bases, predictor.decoding)
        for name, structure in found.items():
            known = {tuple(p) for p in truth.pairs[truth.orders > 0].tolist()}
            shared = known & {tuple(p) for p in structure.pairs.tolist()}
            rows.setdefault(name, []).append((score(structure, truth).f1, len(shared), len(known)))
    print(f"{'evidence':10} {'F1':>6} {'worse':>6} {'knotted':>8} {'known':>6}")
    for name, values in rows.items():
        f1, shared, known = np.array(values).T
        worse = np.mean(f1 < np.array(rows["without"])[:, 0] - 1e-9)
        print(f"{name:10} {f1.mean():6.3f} {worse:6.2f} {int(shared.sum()):8} {int(known.sum()):6}")


if __name__ == "__main__":
    main()
