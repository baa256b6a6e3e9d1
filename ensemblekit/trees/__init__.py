"""Fitted forests and boosted trees as flat arrays, and what a row costs in them."""

from ensemblekit.trees import lightgbm_text, sklearn_bagging, sklearn_boosting, sklearn_forest, sklearn_hist, xgboost_json  # noqa: F401
from ensemblekit.trees.flat import TreeEnsemble
from ensemblekit.trees.reading import read_trees
from ensemblekit.trees.rows import as_rows
from ensemblekit.trees.visits import node_visits

__all__ = ["TreeEnsemble", "as_rows", "node_visits", "read_trees"]
