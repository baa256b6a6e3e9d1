"""What a notebook shows: gate and experts side by side, by name, and what fitting found; whatever was given is shown."""

from __future__ import annotations

import re

import pytest
from sklearn.datasets import load_iris
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from ensemblekit.mixture import BoostedExperts, HierarchicalGate, MixtureOfExpertsClassifier, MixtureOfExpertsRegressor

X, y = load_iris(return_X_y=True)


def shown(estimator):
    page = estimator._repr_html_()
    page = page[page.index('<div class="sk-container"') :]
    page = re.sub(r"<table.*?</table>|<script.*?</script>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fitted_mixture_shows_who_has_which_rows():
    mixture = MixtureOfExpertsClassifier(2, experts=[DecisionTreeClassifier(max_depth=1), GaussianNB()], random_state=0, n_init=1).fit(X, y)
    text = shown(mixture)
    for expert, (load, fitted) in enumerate(zip(mixture.load_, mixture.experts_.estimators_, strict=True)):
        assert f"expert {expert}: {100 * load:.0f} % of the rows {type(fitted).__name__}" in text
    assert "gate" in text
    assert f"onverged after {mixture.n_iter_} iteration" in text
    assert "lower_bound_" in mixture._repr_html_()


def test_after_new_parameters_the_fitted_experts_are_shown():
    mixture = MixtureOfExpertsClassifier(2, random_state=0, n_init=1).fit(X, y).set_params(n_experts=5)
    assert len(re.findall(r"expert \d: ", shown(mixture))) == 2


@pytest.mark.parametrize(
    ("mixture", "n_blocks"),
    [
        (MixtureOfExpertsClassifier(3), 3),
        (MixtureOfExpertsRegressor(2, experts="boosted", gate="gaussian"), 2),
        (MixtureOfExpertsClassifier(4, gate=HierarchicalGate((2, 2)), experts=BoostedExperts()), 4),
        (MixtureOfExpertsClassifier(12, experts=DecisionTreeClassifier(), gate=GaussianNB()), 8),
        (MixtureOfExpertsClassifier("many", gate=None, experts=None), 1),
        (MixtureOfExpertsClassifier(-1), 0),
    ],
)
def test_whatever_was_given_is_shown(mixture, n_blocks):
    text = shown(mixture)
    assert len(re.findall(r"expert \d+ ", text)) == n_blocks
    assert ("4 like these" in text) == (mixture.n_experts == 12)


def test_names_do_nothing():
    assert "<b>soft" not in MixtureOfExpertsClassifier(gate="<b>soft")._repr_html_()
