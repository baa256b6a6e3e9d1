"""One fit for all who ask with equal data, and the same bits as without a cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from ensemblekit.ensembles import AveragingEnsembleClassifier, VotingEnsembleClassifier, WeightedEnsembleClassifier
from ensemblekit.ensembles.fitting import fit_member
from ensemblekit.ensembles.members import default_classifiers

FITS: list[str] = []


class Counting(GaussianNB):
    """Notes each fit, and draws its seed itself if it is given none."""

    def __init__(self, random_state: int | None = 0) -> None:
        super().__init__()
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Counting:
        FITS.append("fit")
        return super().fit(X, y, sample_weight)


def fits_of(call: Any) -> int:
    FITS.clear()
    call()
    return len(FITS)


def test_ensembles_share_fits(tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True)
    members = [("a", Counting(1)), ("b", Counting(2))]
    memory = str(tmp_path)
    weighted = WeightedEnsembleClassifier(members, cv=3, random_state=0, memory=memory)
    assert fits_of(lambda: AveragingEnsembleClassifier(members, memory=memory).fit(X, y)) == 2
    assert fits_of(lambda: VotingEnsembleClassifier(members, memory=joblib.Memory(memory, verbose=0)).fit(X, y)) == 0
    assert fits_of(lambda: weighted.fit(X, y)) == 2 * 3
    assert fits_of(lambda: weighted.fit(X, y)) == 0
    assert fits_of(lambda: fit_member(Counting(1), X, y, memory=memory)) == 0
    assert fits_of(lambda: fit_member(Counting(3), X, y, memory=memory)) == 1
    assert fits_of(lambda: fit_member(Counting(1), X[:100], y[:100], memory=memory)) == 1
    assert fits_of(lambda: fit_member(Counting(1), X, y, fit_params={"sample_weight": y + 1.0}, memory=memory)) == 1


def test_members_without_seed_are_never_shared(tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True)
    members = [("a", Counting(None)), ("b", Counting(None))]
    assert fits_of(lambda: AveragingEnsembleClassifier(members, memory=str(tmp_path)).fit(X, y)) == 2
    assert fits_of(lambda: WeightedEnsembleClassifier(members, cv=2, memory=str(tmp_path)).fit(X, y)) == 6


@pytest.mark.parametrize("fresh", [True, False])
def test_memory_changes_no_bit(tmp_path: Path, fresh: bool) -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    members = [(name, member.set_params(n_estimators=10)) for name, member in default_classifiers(random_state=0)]
    without = WeightedEnsembleClassifier(members, cv=2, random_state=0).fit(X, y)
    with_memory = WeightedEnsembleClassifier(members, cv=2, random_state=0, memory=str(tmp_path))
    if not fresh:
        with_memory.fit(X, y)
    with_memory.fit(X, y)
    np.testing.assert_array_equal(without.weights_, with_memory.weights_)
    np.testing.assert_array_equal(without.transform(X), with_memory.transform(X))


def test_error_without_name_has_the_class() -> None:
    with pytest.raises(ValueError, match=r"^Member LogisticRegression failed to fit: "):
        fit_member(LogisticRegression(C=-1), [[0.0], [1.0]], [0, 1])


def test_error_has_its_cause() -> None:
    with pytest.raises(ValueError, match="failed") as caught:
        AveragingEnsembleClassifier([("a", LogisticRegression(C=-1))]).fit([[0.0], [1.0]], [0, 1])
    assert "C" in str(caught.value.__cause__)
