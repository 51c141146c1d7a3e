"""How well a classifier or a regression does; definitions as scikit-learn has them."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, spearmanr

__all__ = ["classification_scores", "regression_scores"]


def classification_scores(
    probabilities: NDArray[np.floating], labels: NDArray[np.integer]
) -> dict[str, float]:
    """Accuracy, macro F1, MCC and AUROC.

    Args:
        probabilities: (n, C), the probability of each class.
        labels: (n,), the true class, numbered from 0.

    Macro F1 is the mean over the classes that are true or predicted somewhere; MCC is that of several
    classes (Gorodkin 2004, doi:10.1016/j.compbiolchem.2004.09.006), 0 where it is undefined; AUROC the
    mean over the classes, each against the rest, nan where a class is always or never true.
    """
    classes = probabilities.shape[1]
    counts = np.zeros((classes, classes))
    np.add.at(counts, (labels, probabilities.argmax(1)), 1)
    right, true, predicted = counts.diagonal(), counts.sum(1), counts.sum(0)
    present = true + predicted > 0
    f1 = 2 * right[present] / (true + predicted)[present]
    n = counts.sum()
    spread = np.sqrt((n**2 - (predicted**2).sum()) * (n**2 - (true**2).sum()))
    columns = [1] if classes == 2 else range(classes)
    return {
        "accuracy": float(right.sum() / n),
        "macro_f1": float(f1.mean()),
        "mcc": float((right.sum() * n - true @ predicted) / spread) if spread else 0.0,
        "auroc": float(np.mean([_auroc(probabilities[:, k], labels == k) for k in columns])),
    }


def _auroc(scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """The chance that a true one scores above another, ties counting half."""
    positive, negative = int(true.sum()), int((~true).sum())
    if not positive or not negative:
        return float("nan")
    ranks = rankdata(scores)
    return float((ranks[true].sum() - positive * (positive + 1) / 2) / (positive * negative))


def regression_scores(values: NDArray[np.floating], wanted: NDArray[np.floating]) -> dict[str, float]:
    """R2 (1 less the squared errors over the variance) and Spearman's rank correlation.

    Both are nan where the wanted values are constant, the correlation where either are.
    """
    spread = float(((wanted - wanted.mean()) ** 2).sum())
    if not spread:
        return {"r2": float("nan"), "spearman": float("nan")}
    defined = bool(np.ptp(values))
    return {
        "r2": 1 - float(((wanted - values) ** 2).sum()) / spread,
        "spearman": float(spearmanr(values, wanted).statistic) if defined else float("nan"),
    }
