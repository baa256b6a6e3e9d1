"""A mixture on a new table that starts from another's experts: python examples/transfer.py.

A large table has three regimes. A new one is small and has the same three, though elsewhere, so that its gate is another one. It is fitted
from nothing; with the old experts as they are, so that only a gate has to be learnt; and on from there, with the experts free again.

The old experts know more than a small table can say, so frozen ones are best. Once they are free, they forget: the climb ends in the
optimum of the small table, where random starts end too. It saves the search for it, and it is the way to go where rules may have changed.
"""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import expit
from sklearn.metrics import log_loss

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit.mixture import frozen_experts

#: Coefficients of the logit in every regime, on the last three columns.
RULES = np.array([[6.0, 0.0, 3.0], [-6.0, 3.0, 0.0], [0.0, -6.0, -3.0]])
SIZES = (100, 200, 400, 800)


def draw(rng: np.random.Generator, n_rows: int, *, turn: float) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows and answers; the sector of the first two columns, which are turned, says which rule holds."""
    X = rng.normal(size=(n_rows, 5))
    sector = (((np.arctan2(X[:, 1], X[:, 0]) + turn) % (2 * np.pi)) // (2 * np.pi / 3)).astype(int)
    return X, rng.random(n_rows) < expit(np.sum(X[:, 2:] * RULES[sector], axis=1))


def fits(source: MixtureOfExpertsClassifier, X: np.ndarray, y: np.ndarray) -> dict[str, MixtureOfExpertsClassifier]:
    """Fit a small table from nothing, with frozen experts, and on from these."""
    nothing = MixtureOfExpertsClassifier(3, random_state=0).fit(X, y)
    frozen = MixtureOfExpertsClassifier(3, experts=frozen_experts(source), random_state=0).fit(X, y)
    freed = MixtureOfExpertsClassifier(3, experts=frozen_experts(source), random_state=0).fit(X, y)
    freed.set_params(experts="logistic", warm_start=True).fit(X, y)
    return {"from nothing": nothing, "frozen experts": frozen, "freed experts": freed}


def main() -> dict[int, dict[str, float]]:
    """Return the log-loss on new rows, in nats, for every size of the small table, averaged over five tables."""
    rng = np.random.default_rng(0)
    source = MixtureOfExpertsClassifier(3, random_state=0).fit(*draw(rng, 5000, turn=0.0))
    X_test, y_test = draw(rng, 5000, turn=1.0)
    losses: dict[int, dict[str, float]] = {}
    for n_rows in SIZES:
        found = [fits(source, *draw(rng, n_rows, turn=1.0)) for _ in range(5)]
        losses[n_rows] = {name: float(np.mean([log_loss(y_test, each[name].predict_proba(X_test)) for each in found])) for name in found[0]}
    return losses


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Experts .* answer for less")  # of few rows an expert may remain without any
        for n_rows, losses in main().items():
            print(f"{n_rows:>4} rows: " + ", ".join(f"{name} {loss:.3f}" for name, loss in losses.items()))
