"""XGBoost, from the JSON model that `Booster.save_raw` writes (the schema is part of XGBoost's documentation)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import Link, Tree, TreeEnsemble, flatten
from ensemblekit.trees.reading import check_task, readers
from ensemblekit.trees.rounding import below

LINKS: dict[str, Link] = {
    "binary:logistic": "sigmoid",
    "multi:softprob": "softmax",
    "multi:softmax": "softmax",
    "reg:squarederror": "identity",
    "reg:absoluteerror": "identity",
    "reg:pseudohubererror": "identity",
    "reg:quantileerror": "identity",
}


@readers.register(
    "xgboost.XGBClassifier",
    "xgboost.XGBRFClassifier",
    "ensemblekit.XGBoostClassifier",
    "xgboost.XGBRegressor",
    "xgboost.XGBRFRegressor",
    "ensemblekit.XGBoostRegressor",
)
def read_xgboost(model: Any) -> TreeEnsemble:
    """Read the rounds that the model predicts with.

    Parameters
    ----------
    model : fitted XGBClassifier, XGBRFClassifier, XGBRegressor or XGBRFRegressor
        Booster ``gbtree`` or ``dart``; categories as integer codes.

    Returns
    -------
    TreeEnsemble
        Sigmoid link for two classes, softmax for more, identity for regressors.

    Raises
    ------
    ValueError
        For the linear booster, other objectives, several targets, a missing value other than NaN, or categories kept as text.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from xgboost import XGBClassifier
    >>> read_xgboost(XGBClassifier(n_estimators=2, max_depth=2).fit(*load_iris(return_X_y=True))).n_trees
    6
    """
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    booster = learner["gradient_booster"]
    objective = learner["objective"]["name"]
    _check(model, booster["name"], objective)
    inner, weights = (booster["gbtree"], booster["weight_drop"]) if booster["name"] == "dart" else (booster, None)
    content = inner["model"]
    _check_no_stored_categories(content)
    header = learner["learner_model_param"]
    if int(header.get("num_target", 1)) > 1:
        raise ValueError(f"Flat trees hold one output; this model was fitted with {header['num_target']}. Fit one for each.")
    n_outputs = max(1, int(header["num_class"]))
    count = _trees_in_use(model, content)
    return flatten(
        [
            _tree(
                tree,
                -1 if int(tree["tree_param"]["size_leaf_vector"]) > 1 else content["tree_info"][i],
                1.0 if weights is None else weights[i],
            )
            for i, tree in enumerate(content["trees"][:count])
        ],
        n_features=int(header["num_feature"]),
        n_outputs=n_outputs,
        link=LINKS[objective],
        base=_base_margin(header["base_score"], LINKS[objective]),
        classes=None if LINKS[objective] == "identity" else np.asarray(model.classes_),
    )


def _check(model: Any, booster: str, objective: str) -> None:
    if booster not in {"gbtree", "dart"}:
        raise ValueError(f"Only the boosters 'gbtree' and 'dart' hold trees, received {booster!r}.")
    if objective not in LINKS:
        raise ValueError(f"Objective {objective!r} is not read here. Valid: {', '.join(LINKS)}.")
    check_task(model, LINKS[objective], objective)
    if model.missing is not None and not np.isnan(model.missing):
        raise ValueError(f"{type(model).__name__}(missing={model.missing!r}): only NaN can stand for a missing value.")


def _check_no_stored_categories(content: dict[str, Any]) -> None:
    if content.get("cats", {}).get("enc"):
        raise ValueError(
            "The model was fitted on a data frame with categorical columns and recodes them by itself. "
            "Encode them as integer codes (OrdinalEncoder) and pass feature_types=['c', ...] instead."
        )


def _trees_in_use(model: Any, content: dict[str, Any]) -> int:
    """Early stopping keeps all rounds and predicts with the best."""
    if getattr(model, "early_stopping_rounds", None) is None:
        return len(content["trees"])
    return int(content["iteration_indptr"][int(model.best_iteration) + 1])


def _base_margin(text: str, link: Link) -> npt.NDArray[np.float64]:
    score = np.atleast_1d(np.array(json.loads(text), np.float64))
    return np.log(score / (1.0 - score)) if link == "sigmoid" else score  # stored as a probability for two classes


def _tree(tree: dict[str, Any], output: int, weight: float) -> Tree:
    left = np.array(tree["left_children"], np.int64)
    conditions = np.array(tree["split_conditions"], np.float32)
    sets = _category_sets(tree)
    return Tree(
        feature=np.array(tree["split_indices"], np.int64),
        threshold=below(conditions),
        left=left,
        right=np.array(tree["right_children"], np.int64),
        missing_left=np.array(tree["default_left"], bool),
        value=weight * (conditions[:, None].astype(np.float64) if output >= 0 else _leaf_vectors(tree, left)),
        output=output,
        categories=sets,
        unknown_left=dict.fromkeys(sets, True),
    )


def _leaf_vectors(tree: dict[str, Any], left: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    width = int(tree["tree_param"]["size_leaf_vector"])
    if "leaf_weights" not in tree:
        return np.array(tree["base_weights"], np.float64).reshape(-1, width)
    values = np.zeros((len(left), width))
    is_leaf = left < 0  # from version 3.2 on, the right child of a leaf is the row of its vector
    values[is_leaf] = np.array(tree["leaf_weights"]).reshape(-1, width)[np.array(tree["right_children"])[is_leaf]]
    return values


def _category_sets(tree: dict[str, Any]) -> dict[int, npt.NDArray[np.int64]]:
    """XGBoost lists the categories that go right, and sends every other one left."""
    right = np.array(tree["categories"], np.int64)
    ranges = zip(tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"], strict=True)
    return {node: _complement(right[begin : begin + size]) for node, begin, size in ranges}


def _complement(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return np.setdiff1d(np.arange((int(codes.max(initial=0)) // 32 + 1) * 32), codes)
