"""Dynamic selection by DESlib, for `benchmarks/ensembles.py --deslib PYTHON`; runs in an environment of its own.

DESlib 0.3.7 does not run with scikit-learn 1.6 or later. It gets the members' answers, not the members: what is compared
is who is chosen for a row, and what comes out.

    python deslib_knora.py IN.npz OUT.npz
"""

from __future__ import annotations

import sys

import numpy as np
from deslib.dcs import OLA
from deslib.des import KNORAE, KNORAU


class Answers:
    """Member that looks its answer up by the row."""

    def __init__(self, rows: np.ndarray, proba: np.ndarray) -> None:
        self.classes_ = np.arange(proba.shape[1])
        self.by_row = {row.tobytes(): answer for row, answer in zip(rows, proba, strict=True)}

    def fit(self, X: np.ndarray, y: np.ndarray) -> Answers:  # noqa: ARG002 - DESlib asks for the method
        """Do nothing: the answers are there."""
        return self

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Look the probabilities up."""
        return np.array([self.by_row[row.tobytes()] for row in np.ascontiguousarray(X)])

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Take the most probable class."""
        return np.argmax(self.predict_proba(X), axis=1)


def main() -> None:
    data = np.load(sys.argv[1])
    rows = np.vstack([data["X_held_out"], data["X_test"]])
    members = [Answers(rows, np.vstack(pair)) for pair in zip(data["held_out"], data["test"], strict=True)]
    out = {}
    for name, rule in (("knora-e", KNORAE), ("knora-u", KNORAU), ("ola", OLA)):
        selector = rule(members, k=int(data["k"]), random_state=0)
        if name != "ola":
            selector.set_params(voting="soft")
        selector.fit(data["X_held_out"], data["y_held_out"])
        # Where all members agree DESlib takes the mean of all of them, ours of the chosen ones: the class is the same,
        # the log-loss is not.
        out[name] = selector.predict_proba(data["X_test"])
    np.savez(sys.argv[2], **out)


if __name__ == "__main__":
    main()
