"""A look at trees that came from a file: scikit-learn and the packed engine follow their nodes without asking where they lead."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.tree import BaseDecisionTree

from ensemblekit.compression.quantizing import QuantizedModel
from ensemblekit.packed import PackedModel
from ensemblekit.packed.checking import check


def check_trees(loaded: object) -> None:
    """Refuse trees in which a node leads outside of the tree, in a circle, or to a column that rows do not have.

    Parameters
    ----------
    loaded : object
        An estimator, with estimators in it.

    Raises
    ------
    ValueError
        When one of its trees was not grown by scikit-learn, or a packed model is damaged.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> tree = DecisionTreeClassifier(max_depth=2).fit(*load_iris(return_X_y=True))
    >>> check_trees(tree)
    >>> tree.n_features_in_ = 1
    >>> check_trees(tree)
    Traceback (most recent call last):
        ...
    ValueError: a tree tests a column that rows of 1 columns do not have
    """
    every = list(_parts(loaded, {}))
    _check_packed(every)
    for part in every:
        # Forests and boosters check a row once, then hand it to their trees, whatever these say of themselves.
        if isinstance(part, BaseForest | BaseGradientBoosting) and hasattr(part, "estimators_"):
            grown = list(np.ravel(part.estimators_))
        elif isinstance(part, BaseDecisionTree) and hasattr(part, "tree_"):
            grown = [part]
        else:  # nothing that holds trees, or a template that was never fitted
            continue
        for member in grown:
            _check(member.tree_, int(part.n_features_in_))


def _check_packed(parts: list[Any]) -> None:
    quantized = [part for part in parts if isinstance(part, QuantizedModel)]
    shells = {id(part.shell) for part in quantized}  # not whole without the codes beside them, hence never asked
    for model in (*(part.unpacked for part in quantized), *(part for part in parts if isinstance(part, PackedModel))):
        if id(model) not in shells:
            check(model)


def _check(tree: Any, n_columns: int) -> None:
    if tree.node_count < 1:
        raise ValueError("a tree has no node")
    left, right, feature = tree.children_left, tree.children_right, tree.feature
    here, split = np.arange(tree.node_count), left != -1
    for child in (left, right):
        # Children lie behind their parent, so that whoever follows them arrives.
        if not ((child[split] > here[split]) & (child[split] < tree.node_count)).all():
            raise ValueError("a node of a tree leads outside of the tree or back")
    if not ((feature[split] >= 0) & (feature[split] < n_columns)).all():
        raise ValueError(f"a tree tests a column that rows of {n_columns} columns do not have")


def _parts(value: Any, seen: dict[int, Any]) -> Iterator[Any]:
    """Yield an object and everything that it holds, each once."""
    if id(value) in seen:
        return
    seen[id(value)] = value  # kept, so that no other object gets its number
    yield value
    for part in _inside(value):
        if not isinstance(part, str | int | float):
            yield from _parts(part, seen)


def _inside(value: Any) -> Iterator[Any]:
    """Yield what an object holds, as items and as attributes: some containers have both."""
    if isinstance(value, dict):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif isinstance(value, np.ndarray):
        yield from np.asarray(value).ravel().tolist() if value.dtype.hasobject else ()
    elif isinstance(value, Collection) and not isinstance(value, bytes | bytearray | range) and not hasattr(value, "__dict__"):
        raise ValueError(f"trees could hide in a {type(value).__name__}, into which nobody looks")
    yield from getattr(value, "__dict__", {}).values()
