"""A column that gives the answer away: known only afterwards, or the answer itself in other words."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from ensemblekit_reports.results import Leak
from ensemblekit_reports.tables.table import Table

Floats = NDArray[np.float64]

#: Skill from which one column is said to predict the target: 0 is no better than guessing, 1 is never wrong.
ENOUGH = 0.97
#: And below which on the first fold the others need not be looked at.
_HOPELESS = 0.7
#: As many rows tell a giveaway from a good column; a giveaway needs few leaves, or few steps for numbers.
_ROWS, _LEAVES, _STEPS = 4_000, 32, 64


def find_leaks(table: Table, dealt: NDArray[np.int16]) -> tuple[Leak, ...]:
    """Look for columns that alone predict the target, by small trees tested on rows that they did not see.

    Parameters
    ----------
    table : Table
    dealt : ndarray of shape (n_rows,), int16
        Fold in which each row is tested.

    Returns
    -------
    tuple of Leak
        The strongest first.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> iris = bundled_table("iris")
    >>> folds = np.arange(150, dtype=np.int16) % 5
    >>> find_leaks(iris, folds)
    ()
    >>> X = iris.X.copy()
    >>> X[:, 2] = 3 - iris.y
    >>> find_leaks(replace(iris, X=X), folds)
    (Leak(table='iris', column='petal length (cm)', skill=1.0),)
    """
    rows = np.sort(np.random.default_rng(0).permutation(len(table.y))[:_ROWS])
    found = []
    for position, column in enumerate(table.columns):
        values = table.X[rows, position].reshape(-1, 1)
        skill = _skill(values, table.y[rows], dealt[rows], classes=bool(table.classes))
        if skill >= ENOUGH:
            found.append(Leak(table.name, column.name, round(skill, 4)))
    return tuple(sorted(found, key=lambda leak: -leak.skill))


def _skill(values: Floats, y: Floats, dealt: NDArray[np.int16], *, classes: bool) -> float:
    """Skill over all folds together; where the first one shows that the column is no giveaway, zero."""
    said, skill = np.zeros(len(y)), _of_classes if classes else _of_amounts
    for fold in np.unique(dealt):
        tested = dealt == fold
        tree = DecisionTreeClassifier(max_leaf_nodes=_LEAVES) if classes else DecisionTreeRegressor(max_leaf_nodes=_STEPS)
        tree.set_params(min_samples_leaf=2, random_state=0).fit(values[~tested], y[~tested])
        said[tested] = tree.predict(values[tested])
        if fold == dealt.min() and len(np.unique(y[tested])) > 1 and skill(y[tested], said[tested]) < _HOPELESS:
            return 0.0
    return skill(y, said)


def _of_amounts(truth: Floats, said: Floats) -> float:
    spread = float(np.square(truth - truth.mean()).mean())
    return 1 - float(np.square(truth - said).mean()) / spread if spread > 0 else 0.0


def _of_classes(truth: Floats, said: Floats) -> float:
    """Mean recall over classes, so that a frequent class is no giveaway, brought from 0 for guessing to 1."""
    labels = np.unique(truth)
    recall = float(np.mean([(said[truth == label] == label).mean() for label in labels]))
    guessing = 1 / len(labels)
    return (recall - guessing) / (1 - guessing) if len(labels) > 1 else 0.0
