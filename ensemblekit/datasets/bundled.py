"""The tables that every installation has: scikit-learn's real ones and one from the project's own generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from ensemblekit.datasets.regimes import make_regimes_classification

_UCI = "UCI Machine Learning Repository, as bundled with scikit-learn"


@dataclass(frozen=True)
class BundledTable:
    """A table that needs no file.

    Parameters
    ----------
    name : str
        What ``ensemblekit compare`` knows it by.
    description : str
        One line.
    source : str
        Where the values come from.
    licence : str
        SPDX name.
    target : str
        Name of the answer column.
    columns : tuple of str
        Names of the feature columns.
    X : ndarray of shape (n_rows, n_columns), float64
        Features.
    y : ndarray of shape (n_rows,), str
        Class labels.

    Examples
    --------
    >>> load_bundled("iris").target
    'species'
    """

    name: str
    description: str
    source: str
    licence: str
    target: str
    columns: tuple[str, ...]
    X: NDArray[np.float64]
    y: NDArray[np.str_]


def _from_sklearn(loader: Callable[[], Any], name: str, description: str, target: str) -> BundledTable:
    bunch = loader()
    columns = tuple(str(column) for column in bunch.feature_names)
    labels = np.asarray(bunch.target_names).astype(str)[bunch.target]
    return BundledTable(name, description, _UCI, "CC-BY-4.0", target, columns, bunch.data.astype(np.float64), labels)


def _iris() -> BundledTable:
    return _from_sklearn(load_iris, "iris", "three species of iris by four lengths", "species")


def _wine() -> BundledTable:
    return _from_sklearn(load_wine, "wine", "three growers' wines by thirteen measurements", "grower")


def _breast_cancer() -> BundledTable:
    return _from_sklearn(load_breast_cancer, "breast_cancer", "tumours, malignant or benign", "diagnosis")


def _digits() -> BundledTable:
    return _from_sklearn(load_digits, "digits", "handwritten digits, 8 x 8 pixels", "digit")


def _regimes() -> BundledTable:
    X, y, _ = make_regimes_classification(1000, 6, n_regimes=3, random_state=0)
    return BundledTable(
        name="regimes",
        description="three regimes, each with a linear rule of its own",
        source="ensemblekit.datasets.make_regimes_classification(1000, 6, n_regimes=3, random_state=0)",
        licence="BSD-3-Clause",
        target="answer",
        columns=tuple(f"x{column}" for column in range(X.shape[1])),
        X=X,
        y=np.where(y == 1, "yes", "no"),
    )


#: Name of a bundled table -> the function that makes it.
BUNDLED: dict[str, Callable[[], BundledTable]] = {
    "iris": _iris,
    "wine": _wine,
    "breast_cancer": _breast_cancer,
    "digits": _digits,
    "regimes": _regimes,
}


def load_bundled(name: str) -> BundledTable:
    """Load a bundled table; nothing is downloaded.

    Parameters
    ----------
    name : str
        A key of ``BUNDLED``.

    Returns
    -------
    BundledTable
        The table.

    Raises
    ------
    ValueError
        When there is no such table; the message lists those there are.

    Examples
    --------
    >>> load_bundled("regimes").X.shape
    (1000, 6)
    """
    if name not in BUNDLED:
        raise ValueError(f"no bundled table is named {name!r}; there are: {', '.join(BUNDLED)}.")
    return BUNDLED[name]()
