"""The oracle is scikit-learn."""

import warnings

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn import metrics

from rnass.training.probe_metrics import classification_scores, regression_scores


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("seed", [0, 1])
def test_classification(classes, seed):
    draw = np.random.default_rng(seed)
    labels = draw.integers(classes, size=60)
    shares = (
        draw.dirichlet(np.ones(classes), 60).round(1 if classes == 2 else 12)
        + np.eye(classes)[labels] / 4
    )
    shares = shares / shares.sum(1, keepdims=True)
    said = shares.argmax(1)
    got = classification_scores(shares, labels)
    assert got["accuracy"] == pytest.approx(metrics.accuracy_score(labels, said))
    assert got["macro_f1"] == pytest.approx(metrics.f1_score(labels, said, average="macro"))
    assert got["mcc"] == pytest.approx(metrics.matthews_corrcoef(labels, said))
    scores = shares[:, 1] if classes == 2 else shares
    wanted = metrics.roc_auc_score(labels, scores, multi_class="ovr")
    assert got["auroc"] == pytest.approx(wanted)


def test_one_class_alone():
    got = classification_scores(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 0]))
    assert (got["accuracy"], got["macro_f1"], got["mcc"]) == (1, 1, 0)
    assert np.isnan(got["auroc"])


def test_regression():
    draw = np.random.default_rng(2)
    wanted = draw.normal(size=40)
    values = wanted + draw.normal(size=40)
    got = regression_scores(values, wanted)
    assert got["r2"] == pytest.approx(metrics.r2_score(wanted, values))
    assert got["spearman"] == pytest.approx(spearmanr(wanted, values).statistic)


def test_a_constant_off_the_mean_is_worse_than_the_mean():
    values, wanted = np.full(4, 10.0), np.arange(1.0, 5.0)
    got = regression_scores(values, wanted)
    assert got["r2"] == pytest.approx(-45)
    assert got["r2"] == pytest.approx(metrics.r2_score(wanted, values))
    assert np.isnan(got["spearman"])


def test_constants_are_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert regression_scores(np.ones(3), np.arange(3.0))["r2"] == 0
        assert np.isnan(regression_scores(np.arange(3.0), np.ones(3))["r2"])
