"""Ranges of every model that a study may name.

They come from published studies over many tables, and were not changed to suit any table of this project:

- Probst, Boulesteix and Bischl (2019), "Tunability: importance of hyperparameters of machine learning algorithms", Journal of Machine
  Learning Research 20(53), table 1: penalties from 2^-10 to 2^10, rows and columns drawn, ``min_child_weight`` up to 2^7, the leaf
  size and drawn columns of forests.
- Grinsztajn, Oyallon and Varoquaux (2022), "Why do tree-based models still outperform deep learning on tabular data?", NeurIPS,
  appendix: ``subsample`` and ``colsample_bytree`` from one half, depth up to 11, leaves of forests up to 50 rows.
- Friedman (2001), "Greedy function approximation", Annals of Statistics 29(5): a smaller step needs more rounds; both on a log scale.
- Probst and Boulesteix (2018), "To tune or not to tune the number of trees in random forest", JMLR 18(181): more trees are no worse. They
  are searched all the same, since they are the cost.

Ranges of mixtures are our own, and say why.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from ensemblekit.ensembles.members import Task
from ensemblekit.tuning.dimensions import Choice, Dimension, Members, Real, Whole
from ensemblekit.tuning.space import SearchSpace

Dimensions = dict[str, Dimension]

FOREST: Dimensions = {
    "n_estimators": Whole(50, 500, log=True),
    "max_features": Choice(("sqrt", "log2", 0.2, 0.4, 0.6, 0.8, 1.0)),
    "min_samples_leaf": Whole(1, 50, log=True),
    "max_depth": Choice((None, 4, 8, 16)),
}
# Rounds and step go together, so both are wide; the rest keeps a tree from learning single rows.
BOOSTER: Dimensions = {
    "n_estimators": Whole(50, 1000, log=True),
    "learning_rate": Real(0.01, 0.3, log=True),
    "subsample": Real(0.5, 1.0),
    "colsample_bytree": Real(0.5, 1.0),
    "reg_lambda": Real(2**-10, 2**10, log=True),
}
XGBOOST: Dimensions = BOOSTER | {"max_depth": Whole(2, 11), "min_child_weight": Real(1.0, 2**7, log=True)}
# LightGBM grows by leaves: their number is its depth (its documentation, "Parameters tuning").
LIGHTGBM: Dimensions = BOOSTER | {"num_leaves": Whole(4, 128, log=True), "min_child_samples": Whole(2, 100, log=True)}
# Gates and linear experts are logistic regressions: the same penalties. One expert is the null hypothesis, 8 is twice the default.
MIXTURE: Dimensions = {"n_experts": Whole(1, 8), "alpha": Real(2**-10, 2**10, log=True)}
# An expert that few rows reach needs small trees and a curb on leaves; two experts a row is what still saves work with three.
# Tempering runs over all of its range, from the gate alone to plain EM.
BOOSTED_MIXTURE: Dimensions = {
    "n_experts": Whole(2, 8),
    "top_k": Whole(1, 2),
    "experts__learning_rate": Real(0.03, 0.3, log=True),
    "experts__num_leaves": Whole(4, 63, log=True),
    "experts__min_child_weight": Real(0.1, 30.0, log=True),
    "experts__reg_lambda": Real(0.1, 100.0, log=True),
    "experts__subsample": Real(0.5, 1.0),
    "experts__colsample_bytree": Real(0.5, 1.0),
    "experts__tempering": Real(0.0, 1.0),
}
# Forests of a mixture are small and refitted many times: their number of trees stays.
FOREST_MIXTURE: Dimensions = {
    "n_experts": Whole(2, 6),
    "alpha": Real(2**-10, 2**10, log=True),
    **{f"experts__{name}": FOREST[name] for name in ("max_features", "min_samples_leaf", "max_depth")},
}


def _members(task: Task) -> Dimensions:
    return {"estimators": Members({"forest": FOREST, "xgboost": XGBOOST, "lightgbm": LIGHTGBM}, task)}


def _same(dimensions: Dimensions) -> Callable[[Task], Dimensions]:
    return lambda task: dimensions  # noqa: ARG005 - the same for both tasks


def _linear(task: Task) -> Dimensions:
    # C is one over the penalty, and Ridge's alpha is the penalty itself.
    return {"C" if task == "classification" else "alpha": Real(2**-10, 2**10, log=True)}


def _weighted(task: Task) -> Dimensions:
    return _members(task) | {"weights": Choice(("optimal", "greedy", "score"))}


def _voting(task: Task) -> Dimensions:
    # a regressor's vote is the median: it has no other kind
    return _members(task) | ({"voting": Choice(("hard", "soft"))} if task == "classification" else {})


#: Registry name -> task -> dimensions.
SPACES: dict[str, Callable[[Task], Dimensions]] = {
    "logistic": _linear,
    "ridge": _linear,
    "random-forest": _same(FOREST),
    "xgboost": _same(XGBOOST),
    "lightgbm": _same(LIGHTGBM),
    "averaging": _members,
    "weighted": _weighted,
    "voting": _voting,
    "stacking": _members,
    "moe": _same(MIXTURE),
    "moe-boosted": _same(BOOSTED_MIXTURE),
    "moe-trees": _same(FOREST_MIXTURE),
}


def space(name: str, task: str = "classification") -> SearchSpace:
    """Search space of a model.

    Parameters
    ----------
    name : str
        Registry name, such as ``"moe-boosted"``; a test keeps these names in step with the studies' own.
    task : {"classification", "regression"}, default="classification"
        What it does. ``"logistic"`` and ``"ridge"`` stand for each other: the first is the linear model of classes, the second that of
        amounts.

    Returns
    -------
    SearchSpace
        Its parameters are those of the registry's estimator.

    Raises
    ------
    ValueError
        For an unknown name or task.

    Examples
    --------
    >>> list(space("random-forest").distributions())
    ['n_estimators', 'max_features', 'min_samples_leaf', 'max_depth']
    >>> space("forest")
    Traceback (most recent call last):
    ValueError: There is no search space 'forest': did you mean 'random-forest'? Valid: logistic, ridge, random-forest, xgboost, ...
    """
    if task not in ("classification", "regression"):
        raise ValueError(f"task={task!r} is unknown; choose 'classification' or 'regression'.")
    if name not in SPACES:
        near = get_close_matches(str(name).lower(), SPACES, n=1, cutoff=0.4)
        hint = f" did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"There is no search space {name!r}:{hint} Valid: {', '.join(SPACES)}.")
    known: Any = task
    return SearchSpace(name, task, SPACES[name](known))
