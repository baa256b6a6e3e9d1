"""The tables that need no download: real ones that come with scikit-learn and statsmodels, and some from generators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine

from ensemblekit._extras import require
from ensemblekit.datasets.boxes import make_boxes_classification
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
    y : ndarray of shape (n_rows,), str or float64
        Class labels, or amounts.

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
    y: NDArray[np.str_] | NDArray[np.float64]

    @property
    def task(self) -> str:
        """``"classification"``, or ``"regression"`` for amounts."""
        return "regression" if self.y.dtype.kind == "f" else "classification"


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


def _from_statsmodels(name: str) -> Any:
    return require(f"statsmodels.datasets.{name}", extra="report", purpose="This table").load_pandas().data


def _election() -> BundledTable:
    frame = _from_statsmodels("anes96")
    columns = [column for column in frame.columns if column not in ("vote", "logpopul")]
    return BundledTable(
        name="election",
        description="voters of 1996, Clinton or Dole, by age, income, party and views",
        source="American National Election Studies 1996, a subset, as bundled with statsmodels (anes96)",
        licence="public domain",
        target="vote",
        columns=tuple(columns),
        X=frame[columns].to_numpy(np.float64),
        y=np.where(frame["vote"] == 1, "Dole", "Clinton"),
    )


def _travel() -> BundledTable:
    """One row for each traveller: what each way to travel would have cost, and which one was taken."""
    ways = ("air", "train", "bus", "car")
    frame = _from_statsmodels("modechoice").sort_values(["individual", "mode"])
    offers = frame[["ttme", "invc", "invt", "gc"]].to_numpy(np.float64).reshape(-1, 4 * len(ways))
    travellers = frame[["hinc", "psize"]].to_numpy(np.float64)[:: len(ways)]
    said = ("terminal_minutes", "cost", "travel_minutes", "generalised_cost")
    return BundledTable(
        name="travel",
        description="travellers between Australian cities: by air, train, bus or car",
        source="Greene and Hensher 1997, as bundled with statsmodels (modechoice), one row for each traveller",
        licence="public domain",
        target="way",
        columns=(*(f"{way}_{name}" for way in ways for name in said), "household_income", "party_size"),
        X=np.hstack([offers, travellers]),
        y=np.asarray(ways)[frame["choice"].to_numpy().reshape(-1, len(ways)).argmax(axis=1)],
    )


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


def _one_rule() -> BundledTable:
    X, y, _ = make_regimes_classification(1000, 6, n_regimes=1, scale=1.0, random_state=0)
    return BundledTable(
        name="one_rule",
        description="no regimes: one linear rule for all rows",
        source="ensemblekit.datasets.make_regimes_classification(1000, 6, n_regimes=1, scale=1.0, random_state=0)",
        licence="BSD-3-Clause",
        target="answer",
        columns=tuple(f"x{column}" for column in range(X.shape[1])),
        X=X,
        y=np.where(y == 1, "yes", "no"),
    )


def _boxes() -> BundledTable:
    X, y = make_boxes_classification(1000, 6, random_state=0)
    return BundledTable(
        name="boxes",
        description="answers in boxes along the axes, one in ten wrong: what trees are made for",
        source="ensemblekit.datasets.make_boxes_classification(1000, 6, random_state=0)",
        licence="BSD-3-Clause",
        target="answer",
        columns=tuple(f"x{column}" for column in range(X.shape[1])),
        X=X,
        y=np.where(y == 1, "yes", "no"),
    )


def _diabetes() -> BundledTable:
    bunch = load_diabetes(scaled=False)
    return BundledTable(
        name="diabetes",
        description="how diabetes went on within a year, an amount, by ten measurements",
        source="Efron, Hastie, Johnstone and Tibshirani 2004, as bundled with scikit-learn",
        licence="not stated; distributed with scikit-learn",
        target="progression",
        columns=tuple(str(column) for column in bunch.feature_names),
        X=bunch.data.astype(np.float64),
        y=bunch.target.astype(np.float64),
    )


#: Name of a bundled table -> the function that makes it.
BUNDLED: dict[str, Callable[[], BundledTable]] = {
    "iris": _iris,
    "wine": _wine,
    "breast_cancer": _breast_cancer,
    "digits": _digits,
    "election": _election,
    "travel": _travel,
    "regimes": _regimes,
    "one_rule": _one_rule,
    "boxes": _boxes,
    "diabetes": _diabetes,
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
    ImportError
        When a table comes with statsmodels and that is not installed.

    Examples
    --------
    >>> load_bundled("regimes").X.shape
    (1000, 6)
    """
    if name not in BUNDLED:
        raise ValueError(f"no bundled table is named {name!r}; there are: {', '.join(BUNDLED)}.")
    return BUNDLED[name]()
