"""LightGBM, from the text model that `Booster.model_to_string` writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import Link, Tree, TreeEnsemble, flatten
from ensemblekit.trees.reading import check_task, readers
from ensemblekit.trees.rounding import at_most

# Bits of decision_type, see LightGBM's include/LightGBM/tree.h.
CATEGORICAL, DEFAULT_LEFT, MISSING_SHIFT = 1, 2, 2
MISSING_NONE, MISSING_ZERO = 0, 1
# LightGBM reads |x| <= 1e-35 as zero (kZeroThreshold, a float32 constant).
ZERO = float(np.float32(1e-35))
LINKS: dict[str, Link] = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "multiclassova": "one-vs-all",
    "regression": "identity",
    "regression_l1": "identity",
    "huber": "identity",
    "fair": "identity",
    "quantile": "identity",
    "mape": "identity",
}


@readers.register("lightgbm.LGBMClassifier", "ensemblekit.LightGBMClassifier", "lightgbm.LGBMRegressor", "ensemblekit.LightGBMRegressor")
def read_lightgbm(model: Any) -> TreeEnsemble:
    """Read the rounds that the model predicts with (the best ones after early stopping).

    Parameters
    ----------
    model : fitted LGBMClassifier or LGBMRegressor
        Any boosting type; categories as integer codes.

    Returns
    -------
    TreeEnsemble
        Sigmoid, softmax or one-vs-all link; identity for a regressor.

    Raises
    ------
    ValueError
        For linear leaves, zeros as missing values, other objectives, or categories kept as text.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from lightgbm import LGBMClassifier
    >>> model = LGBMClassifier(n_estimators=3, verbose=-1).fit(*load_breast_cancer(return_X_y=True))
    >>> read_lightgbm(model).n_trees
    3
    """
    head, trees = booster_trees(model.booster_)
    header = _fields(head)
    link, slope = _objective(header["objective"])
    check_task(model, link, header["objective"])
    per_round = int(header["num_tree_per_iteration"])
    averaged = "average_output" in head.splitlines()
    return flatten(
        trees,
        n_features=int(header["max_feature_idx"]) + 1,
        n_outputs=per_round,
        link=link,
        scale=slope / (len(trees) // per_round) if averaged else slope,
        classes=None if link == "identity" else np.asarray(model.classes_),
    )


def booster_trees(booster: Any) -> tuple[str, list[Tree]]:
    """Read the trees of a booster, whatever it was trained for.

    Parameters
    ----------
    booster : lightgbm.Booster
        Categories as integer codes.

    Returns
    -------
    str
        Header of the text model.
    list of Tree
        Round by round; tree i of a round adds to output i.

    Raises
    ------
    ValueError
        For linear leaves, zeros as missing values, or categories kept as text.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from lightgbm import LGBMClassifier
    >>> model = LGBMClassifier(n_estimators=2, verbose=-1).fit(*load_iris(return_X_y=True))
    >>> [tree.output for tree in booster_trees(model.booster_)[1]]
    [0, 1, 2, 0, 1, 2]
    """
    if any(booster.pandas_categorical or []):
        raise ValueError(
            "The model was fitted on a data frame with categorical columns and recodes them by itself. "
            "Encode them as integer codes (OrdinalEncoder) and pass categorical_feature=[...] to fit instead."
        )
    head, *blocks = booster.model_to_string().split("end of trees")[0].split("\nTree=")
    per_round = int(_fields(head)["num_tree_per_iteration"])
    return head, [_tree(_fields(block), output=i % per_round) for i, block in enumerate(blocks)]


def _objective(text: str) -> tuple[Link, float]:
    """Split ``binary sigmoid:1`` into the link and the slope of its sigmoid."""
    name, *options = text.split()
    if name not in LINKS or "sqrt" in options:
        raise ValueError(f"Objective {text!r} is not read here. Valid: {', '.join(LINKS)}.")
    named = dict(option.split(":") for option in options if ":" in option)
    return LINKS[name], float(named.get("sigmoid", 1.0))


def _fields(block: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in block.splitlines()[1:] if "=" in line)


def _tree(fields: Mapping[str, str], output: int) -> Tree:
    if fields.get("is_linear", "0") != "0":
        raise ValueError("LightGBM's linear_tree=True puts linear models in its leaves; flat trees hold constants.")
    n_splits = int(fields["num_leaves"]) - 1
    values = _numbers(fields["leaf_value"])
    if n_splits == 0:
        return _single_leaf(values, output)
    kind = _numbers(fields["decision_type"]).astype(np.int64)
    threshold = _numbers(fields["threshold"])
    left, right = (_children(fields[f"{side}_child"], n_splits) for side in ("left", "right"))
    is_categorical = (kind & CATEGORICAL) > 0
    n_leaves = n_splits + 1

    def widen(values: npt.ArrayLike, dtype: type) -> npt.NDArray[Any]:  # splits first, then the leaves
        return np.concatenate([np.asarray(values, dtype), np.zeros(n_leaves, dtype)])

    return Tree(
        feature=widen(_numbers(fields["split_feature"]), np.int64),
        threshold=widen(at_most(_as_read(threshold)), np.float32),
        left=left,
        right=right,
        missing_left=widen(~is_categorical & _missing_left(kind, threshold), np.bool_),
        value=np.concatenate([np.zeros(n_splits), values])[:, None],
        output=output,
        categories=_category_sets(fields, np.flatnonzero(is_categorical), threshold),
    )


def _missing_left(kind: npt.NDArray[np.int64], threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    missing = kind >> MISSING_SHIFT & 3
    if (missing == MISSING_ZERO).any():
        raise ValueError("LightGBM's zero_as_missing=True: only NaN can stand for a missing value.")
    # Where training saw no missing value, LightGBM reads NaN as zero.
    return np.where(missing == MISSING_NONE, threshold >= 0, (kind & DEFAULT_LEFT) > 0)


def _as_read(threshold: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Move thresholds inside LightGBM's zero band to where they act, since it reads the whole band as 0."""
    inside_below = (threshold >= -ZERO) & (threshold < 0)
    inside_above = (threshold >= 0) & (threshold < ZERO)
    just_below = np.nextafter(-ZERO, -np.inf)
    return np.where(inside_below, just_below, np.where(inside_above, ZERO, threshold))


def _children(text: str, n_splits: int) -> npt.NDArray[np.int64]:
    """LightGBM numbers leaf i as ~i; here leaves follow the splits."""
    child = _numbers(text).astype(np.int64)
    return np.concatenate([np.where(child < 0, n_splits + ~child, child), np.full(n_splits + 1, -1)])


def _category_sets(
    fields: Mapping[str, str], splits: npt.NDArray[np.intp], threshold: npt.NDArray[np.float64]
) -> dict[int, npt.NDArray[np.int64]]:
    if not len(splits):
        return {}
    bounds = _numbers(fields["cat_boundaries"]).astype(np.int64)
    words = _numbers(fields["cat_threshold"]).astype(np.uint32)
    which = threshold.astype(np.int64)  # a categorical split keeps the index of its set there
    return {int(i): _codes(words[bounds[which[i]] : bounds[which[i] + 1]]) for i in splits}


def _codes(words: npt.NDArray[np.uint32]) -> npt.NDArray[np.int64]:
    return np.flatnonzero(np.unpackbits(words.astype("<u4").view(np.uint8), bitorder="little"))


def _single_leaf(values: npt.NDArray[np.float64], output: int) -> Tree:
    nothing, no_child = np.zeros(1, np.int64), np.full(1, -1)
    return Tree(nothing, np.zeros(1, np.float32), no_child, no_child, np.zeros(1, bool), values[:1, None], output)


def _numbers(text: str) -> npt.NDArray[np.float64]:
    return np.array(text.split(), np.float64)
