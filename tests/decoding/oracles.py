"""Random maps, and answers by brute force and by networkx."""

import networkx as nx
import numpy as np

from rnass.decoding import Constraints, allowed_pairs
from rnass.structure import Structure


def random_case(rng, length, letters="ACGU"):
    """Bases and a map of which about half is above 0.5."""
    bases = "".join(rng.choice(list(letters), length))
    return bases, np.triu(rng.random((length, length)), 1)


def rules(options):
    names = ("canonical", "pair_unknown", "min_hairpin", "max_span")
    return {name: getattr(options, name) for name in names}


def weigh(probabilities, options):
    """Weight of every pair, written out once more."""
    if options.objective == "unpaired_odds":
        whole = np.triu(probabilities, 1) + np.triu(probabilities, 1).T
        alone = np.clip(1 - whole.sum(1), 1e-7, 1)
        probabilities = whole / (whole + np.outer(alone, alone))
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    if options.objective == "accuracy":
        return probabilities - options.threshold
    t = options.threshold
    return np.log(p / (1 - p)) - np.log(t / (1 - t))


def weight_of(structure, probabilities, options):
    return float(weigh(probabilities, options)[tuple(structure.pairs.T)].sum())


def brute_force(probabilities, bases, options, constraints=None, nick=None):
    """The largest weight of any structure that the options and constraints allow; None if there is none.

    Pairs above the threshold, and any allowed pair of a base that must pair.
    """
    constraints = constraints or Constraints()
    weights = weigh(probabilities, options)
    allowed = allowed_pairs(bases, **rules(options), nick=nick)
    must = required(constraints)
    pairs = [(int(i), int(j)) for i, j in np.argwhere(allowed) if weights[i, j] > 0 or {i, j} & must]
    best = None
    for chosen in disjoint(pairs):
        structure = Structure(len(bases), list(chosen))
        if holds(structure, constraints) and fits(structure, options, must):
            total = sum(weights[pair] for pair in chosen)
            best = total if best is None else max(best, total)
    return best


def required(constraints):
    forced = {base for pair in constraints.pairs for base in pair}
    return set(constraints.paired | constraints.upstream | constraints.downstream | forced)


def disjoint(pairs):
    """Every set of pairs in which no base stands twice."""
    if not pairs:
        yield ()
        return
    (i, j), rest = pairs[0], pairs[1:]
    yield from disjoint(rest)
    for chosen in disjoint([pair for pair in rest if not {i, j} & set(pair)]):
        yield ((i, j), *chosen)


def holds(structure, constraints):
    """Whether a structure satisfies every constraint, checked one by one."""
    partner = structure.partners
    pairs = {tuple(pair) for pair in structure.pairs.tolist()}
    return (
        all(partner[k] < 0 for k in constraints.unpaired)
        and all(partner[k] >= 0 for k in constraints.paired)
        and all(0 <= partner[k] < k for k in constraints.upstream)
        and all(partner[k] > k for k in constraints.downstream)
        and constraints.pairs <= pairs
        and not constraints.forbidden & pairs
    )


def fits(structure, options, must=frozenset()):
    """Whether the minimum helix and the order hold, by definition rather than by `helix_lengths`."""
    pairs = {tuple(pair) for pair in structure.pairs.tolist()}
    for i, j in pairs:
        run = 1
        for step in (1, -1):
            a, b = i + step, j - step
            while (a, b) in pairs:
                run, a, b = run + 1, a + step, b - step
        if run < options.min_helix and not {i, j} & must:
            return False
    order = 0 if options.decoder == "nested" else options.max_order
    return order is None or structure.pseudoknot_order <= order


def networkx_weight(probabilities, bases, options):
    """Weight of a maximum-weight matching by networkx."""
    weights = weigh(probabilities, options)
    graph = nx.Graph()
    for i, j in np.argwhere(allowed_pairs(bases, **rules(options)) & (weights > 0)).tolist():
        graph.add_edge(i, j, weight=weights[i, j])
    return sum(weights[min(e), max(e)] for e in nx.max_weight_matching(graph))
