"""scikit-learn's histogram boosting: missing values, and categories that it encodes by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import MAX_CATEGORY, Tree, TreeEnsemble, flatten
from ensemblekit.trees.reading import readers
from ensemblekit.trees.rounding import at_most


@readers.register("sklearn.HistGradientBoostingClassifier")
def read_hist_gradient_boosting(model: Any) -> TreeEnsemble:
    """Read the fitted iterations.

    Parameters
    ----------
    model : fitted HistGradientBoostingClassifier
        Categories, if any, must be whole numbers from 0.

    Returns
    -------
    TreeEnsemble
        Sigmoid link for two classes, softmax for more.

    Raises
    ------
    ValueError
        For categories that are not whole numbers from 0.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> model = HistGradientBoostingClassifier(max_iter=3).fit(*load_breast_cancer(return_X_y=True))
    >>> read_hist_gradient_boosting(model).link
    'sigmoid'
    """
    n_outputs = model.n_trees_per_iteration_
    return flatten(
        _trees(model),
        n_features=model.n_features_in_,
        n_outputs=n_outputs,
        link="sigmoid" if n_outputs == 1 else "softmax",
        base=np.asarray(model._baseline_prediction, np.float64).ravel(),
        classes=model.classes_,
    )


@readers.register("sklearn.HistGradientBoostingRegressor")
def read_hist_gradient_boosting_regressor(model: Any) -> TreeEnsemble:
    """Read the fitted iterations.

    Parameters
    ----------
    model : fitted HistGradientBoostingRegressor
        Categories, if any, must be whole numbers from 0.

    Returns
    -------
    TreeEnsemble
        Identity link.

    Raises
    ------
    ValueError
        For losses under a logarithm, and for categories that are not whole numbers from 0.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import HistGradientBoostingRegressor
    >>> read_hist_gradient_boosting_regressor(HistGradientBoostingRegressor(max_iter=3).fit(*load_diabetes(return_X_y=True))).n_trees
    3
    """
    if model.loss in ("poisson", "gamma"):
        raise ValueError(f"HistGradientBoostingRegressor(loss={model.loss!r}) predicts under a logarithm, which flat trees do not know.")
    base = np.asarray(model._baseline_prediction, np.float64).ravel()
    return flatten(_trees(model), n_features=model.n_features_in_, n_outputs=1, link="identity", base=base)


def _trees(model: Any) -> list[Tree]:
    columns, categories = _columns(model)
    return [_tree(predictor, output, columns, categories) for iteration in model._predictors for output, predictor in enumerate(iteration)]


def _columns(model: Any) -> tuple[npt.NDArray[np.intp], list[npt.NDArray[np.int64]]]:
    """Map the internal columns, categorical ones first, to those of X; give the raw value of each category code."""
    if model._preprocessor is None:
        return np.arange(model.n_features_in_), []
    is_categorical = np.asarray(model.is_categorical_, bool)
    columns = np.concatenate([np.flatnonzero(is_categorical), np.flatnonzero(~is_categorical)])
    encoder = model._preprocessor.named_transformers_["encoder"]
    return columns, [_raw_codes(values, column) for values, column in zip(encoder.categories_, columns, strict=False)]


def _raw_codes(values: npt.NDArray[Any], column: int) -> npt.NDArray[np.int64]:
    known = values[values == values]  # noqa: PLR0124  # the last one is NaN when the column had missing cells
    numeric = np.issubdtype(known.dtype, np.number) or known.dtype == bool
    if not numeric or (known != np.floor(known)).any() or (known < 0).any() or (known >= MAX_CATEGORY).any():
        raise ValueError(
            f"The categories of column {column} must be whole numbers in [0, {MAX_CATEGORY}), received "
            f"{known[:5].tolist()}. Encode them (OrdinalEncoder) before the model."
        )
    codes: npt.NDArray[np.int64] = known.astype(np.int64)
    return codes


def _tree(predictor: Any, output: int, columns: npt.NDArray[np.intp], categories: list[npt.NDArray[np.int64]]) -> Tree:
    nodes = predictor.nodes
    is_leaf = nodes["is_leaf"].astype(bool)
    missing_left = nodes["missing_go_to_left"].astype(bool)
    splits = np.flatnonzero(nodes["is_categorical"].astype(bool) & ~is_leaf)
    # It treats a category that it never saw as a missing value.
    unknown_left = {int(i): bool(missing_left[i]) for i in splits}
    sets = {
        i: _left_categories(predictor.raw_left_cat_bitsets[nodes["bitset_idx"][i]], categories[nodes["feature_idx"][i]], unknown_left[i])
        for i in unknown_left
    }
    return Tree(
        feature=columns[np.where(is_leaf, 0, nodes["feature_idx"])],
        threshold=at_most(nodes["num_threshold"]),
        left=np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        right=np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        missing_left=missing_left,
        value=nodes["value"][:, None],
        output=output,
        categories=sets,
        unknown_left=unknown_left,
    )


def _left_categories(words: npt.NDArray[np.uint32], raw: npt.NDArray[np.int64], unknown_left: bool) -> npt.NDArray[np.int64]:
    code = np.arange(len(raw))
    left = (words[code // 32] >> (code % 32).astype(np.uint32) & np.uint32(1)).astype(bool)
    if not unknown_left:
        return np.asarray(raw[left])
    # Gaps between the known values, and the rest of the last word, must go where unknown categories go.
    whole_words = np.arange((int(raw.max(initial=0)) // 32 + 1) * 32)
    return np.setdiff1d(whole_words, raw[~left])
