"""What drives each expert's gate: columns shuffled one by one, and where there are coefficients, these."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ConstantInputWarning, spearmanr

from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit_reports.insights.plain import Driver
from ensemblekit_reports.insights.subject import Floats, Subject

#: Rows whose columns are shuffled: as many copies of them are made as there are columns.
_ROWS, _COPIED_ROWS = 300, 20_000
#: Columns that an insight names for each expert, and the least effect that is worth a name.
MOST_DRIVERS, LEAST_EFFECT = 6, 0.005


def drivers(subject: Subject) -> tuple[tuple[Driver, ...], ...]:
    """Find the columns that decide how probable each expert is.

    Parameters
    ----------
    subject : Subject
        A fitted mixture.

    Returns
    -------
    tuple of tuple of Driver
        For each expert, the strongest first; without those whose effect is next to nothing.

    References
    ----------
    L. Breiman (2001). Random forests. Machine Learning 45(1), 5-32, section 10: shuffling a column.

    Examples
    --------
    >>> from ensemblekit import MixtureOfExpertsClassifier
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> table = bundled_table("iris")
    >>> mixture = MixtureOfExpertsClassifier(2, random_state=0).fit(table.X, table.y)
    >>> len(drivers(Subject(mixture, table, np.arange(150) % 2 == 0, "passthrough")))
    2
    """
    rows = _some_rows(subject)
    before = subject.gate(rows)
    effects = shuffled_effects(subject, rows, before)
    coefficients = softmax_coefficients(subject)
    found = []
    for k in range(before.shape[1]):
        order = [int(j) for j in np.argsort(-effects[:, k], kind="stable") if effects[j, k] >= LEAST_EFFECT]
        found.append(
            tuple(_driver(subject, rows[:, j], j, before[:, k], effects[j, k], coefficients.get((k, j))) for j in order[:MOST_DRIVERS])
        )
    return tuple(found)


def _some_rows(subject: Subject) -> Floats:
    n_columns = max(subject.table.X.shape[1], 1)
    most = min(_ROWS, max(_COPIED_ROWS // n_columns, 20))
    chosen = np.random.default_rng(0).permutation(subject.test_rows)[:most]
    return subject.table.X[np.sort(chosen)]


def shuffled_effects(subject: Subject, rows: Floats, before: Floats) -> Floats:
    """Shuffle each column of some rows and see how far the gate's probabilities move.

    Parameters
    ----------
    subject : Subject
    rows : ndarray of shape (n_rows, n_columns)
        Raw.
    before : ndarray of shape (n_rows, n_experts)
        Gate probabilities of these.

    Returns
    -------
    ndarray of shape (n_columns, n_experts)
        Mean absolute change.
    """
    order = np.random.default_rng(0).permutation(len(rows))
    effects = np.empty((rows.shape[1], before.shape[1]))
    at_once = max(1, _COPIED_ROWS // max(len(rows), 1))
    for start in range(0, rows.shape[1], at_once):
        columns = range(start, min(start + at_once, rows.shape[1]))
        copies = np.tile(rows, (len(columns), 1, 1))
        for copy, j in zip(copies, columns, strict=True):
            copy[:, j] = rows[order, j]
        after = subject.gate(copies.reshape(-1, rows.shape[1])).reshape(len(columns), len(rows), -1)
        effects[list(columns)] = np.abs(after - before).mean(axis=1)
    return effects


def softmax_coefficients(subject: Subject) -> dict[tuple[int, int], float]:
    """Return standardised coefficients by expert and position of the reader's numeric column; none for other gates.

    Parameters
    ----------
    subject : Subject

    Returns
    -------
    dict of (int, int) to float
        Change of the log-odds against the mean of all experts by one standard deviation over the training rows.
    """
    gate = subject.fitted.gate_
    if not isinstance(gate, SoftmaxGate):
        return {}
    ready = subject.ready(subject.table.X[~subject.tested])
    read = subject.fitted.gate_columns_
    positions = range(ready.shape[1]) if read is None else read
    coef = np.asarray(gate.coef_, dtype=np.float64) * ready[:, list(positions)].std(axis=0)
    own = [(i, subject.origins[position]) for i, position in enumerate(positions)]
    return {(k, origin): float(coef[k, i]) for i, (origin, itself) in own if itself and origin in subject.numeric for k in range(len(coef))}


def _driver(subject: Subject, values: Floats, j: int, proba: Floats, effect: float, coefficient: float | None) -> Driver:
    name = subject.table.columns[j].name
    if j in subject.numeric:
        return Driver(
            name, round(float(effect), 4), _rank_correlation(values, proba), None if coefficient is None else round(coefficient, 4)
        )
    return Driver(name, round(float(effect), 4), 0.0, level=_likeliest_level(subject, values, j, proba))


def _rank_correlation(values: Floats, proba: NDArray[np.float64]) -> float:
    there = ~np.isnan(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        found = float(spearmanr(values[there], proba[there]).statistic) if there.sum() > 2 else 0.0
    return round(found, 3) if np.isfinite(found) else 0.0


def _likeliest_level(subject: Subject, values: Floats, j: int, proba: Floats) -> str:
    means = {level: proba[values == level].mean() for level in np.unique(values[~np.isnan(values)])}
    if not means:
        return ""
    return subject.say(j, float(max(means, key=lambda level: float(means[level]))))
