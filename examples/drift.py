"""A stream whose regimes change place: python examples/drift.py [drift.png].

Three regimes, each with a rule of its own, share a table; a gate learns which rule holds where. In the middle of a stream every rule
moves on to the next sector. The rules themselves are still right, so that only the gate has to learn anew: ``adapt_gate`` does so from the
rows that come by, ``update_feedback`` can correct how often each expert is asked but not where, and a mixture left alone stays wrong.
"""

from __future__ import annotations

import sys
from copy import deepcopy

import numpy as np
from matplotlib.figure import Figure
from scipy.special import expit

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit.displays import GateDisplay

PIECE, BEFORE, AFTER = 50, 10, 30
#: Coefficients of the logit in every regime, on the third and fourth column.
RULES = np.array([[4.0, 0.0], [-2.0, 4.0], [-2.0, -4.0]])
COLOURS = {"left alone": "#999999", "update_feedback": "#D55E00", "adapt_gate": "#0072B2"}
WIDTHS = {"left alone": 4}  # it is seen beneath another line


def draw(rng: np.random.Generator, n_rows: int, *, switched: bool) -> tuple[np.ndarray, np.ndarray]:
    """Draw rows and answers; the sector of the first two columns says which rule holds."""
    X = rng.normal(size=(n_rows, 4))
    sector = ((np.arctan2(X[:, 1], X[:, 0]) % (2 * np.pi)) // (2 * np.pi / 3)).astype(int)
    rule = RULES[(sector + switched) % 3]
    return X, rng.random(n_rows) < expit(2 * np.sum(X[:, 2:] * rule, axis=1))


def main(picture: str | None = None) -> dict[str, list[float]]:
    """Run the stream, draw accuracy and the gate's map before and after; return accuracies."""
    rng = np.random.default_rng(0)
    fitted = MixtureOfExpertsClassifier(3, alpha=0.1, random_state=0).fit(*draw(rng, 2000, switched=False))
    ways = {"left alone": deepcopy(fitted), "update_feedback": deepcopy(fitted), "adapt_gate": deepcopy(fitted)}
    ways["update_feedback"].set_params(routing="feedback")
    accuracy: dict[str, list[float]] = {name: [] for name in ways}
    tests = [draw(rng, 2000, switched=switched) for switched in (False, True)]
    for step in range(BEFORE + AFTER):
        for name, model in ways.items():  # what is known before the answers of this piece are seen
            accuracy[name].append(model.score(*tests[step >= BEFORE]))
        X, y = draw(rng, PIECE, switched=step >= BEFORE)
        ways["update_feedback"].update_feedback(X, y, memory=200)
        ways["adapt_gate"].adapt_gate(X, y)
    if picture is not None:
        plot(accuracy, fitted, ways["adapt_gate"], tests[1][0][:300], picture)
    return accuracy


def plot(accuracy: dict[str, list[float]], before: object, after: object, X: np.ndarray, picture: str) -> None:
    """Draw accuracy over the stream, and which expert is asked where."""
    figure = Figure(figsize=(15, 4), layout="constrained")
    over_time, old, new = figure.subplots(1, 3)
    for name, scores in accuracy.items():
        over_time.plot(PIECE * (np.arange(len(scores)) - BEFORE), scores, label=name, color=COLOURS[name], linewidth=WIDTHS.get(name))
    over_time.axvline(0, color="0.5", linestyle="--")
    over_time.set(xlabel="rows after the switch", ylabel="accuracy", ylim=(0, 1))
    over_time.legend(loc="lower left")
    for ax, model, title in ((old, before, "before the switch"), (new, after, "after it")):
        GateDisplay.from_estimator(model, X, ax=ax)
        ax.set_title(title)
    figure.savefig(picture)


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else "drift.png"
    scores = main(path)
    for name, values in scores.items():
        print(f"{name:>16}: {values[BEFORE - 1]:.1%} before the switch, {values[BEFORE]:.1%} right after it, {values[-1]:.1%} at the end")
    print(path)
