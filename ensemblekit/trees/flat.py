"""Fitted trees as flat arrays: what every reader makes, and all that the engines, the costs and the kernels need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Link = Literal["identity", "softmax", "sigmoid", "one-vs-all"]
MAX_CATEGORY = 1 << 16  # codes per category set: keeps a set at most 8 kB


class Tree(NamedTuple):
    """One tree as a reader hands it over, in the library's own node order, root first.

    Attributes
    ----------
    feature : ndarray of int, shape (n_nodes,)
        Column that a split tests; ignored at leaves.
    threshold : ndarray of float32, shape (n_nodes,)
        ``x <= threshold`` goes left; ignored at leaves and categorical splits.
    left, right : ndarray of int, shape (n_nodes,)
        Children within this tree; -1 at a leaf.
    missing_left : ndarray of bool, shape (n_nodes,)
        Where a missing value goes.
    value : ndarray of float64, shape (n_nodes, width)
        What a leaf adds: one number, or one per output.
    output : int
        Column that a leaf of width one adds to; -1 for leaves that hold every column.
    categories : mapping of int to ndarray of int
        Category codes that go left, by node; a node in it is a categorical split.
    unknown_left : bool
        Where a category outside of the node's range goes.

    Examples
    --------
    >>> leaf = Tree(*(np.array([v]) for v in (0, 0, -1, -1, False)), value=np.array([[0.5]]), output=0)
    >>> leaf.value.shape
    (1, 1)
    """

    feature: npt.NDArray[np.integer[Any]]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.integer[Any]]
    right: npt.NDArray[np.integer[Any]]
    missing_left: npt.NDArray[np.bool_]
    value: npt.NDArray[np.float64]
    output: int
    categories: Mapping[int, npt.NDArray[np.integer[Any]]] = MappingProxyType({})
    unknown_left: Mapping[int, bool] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class TreeEnsemble:
    """A fitted forest or booster as flat arrays.

    The margin of a row is ``scale * (sum over trees of the reached leaf) + base``; `link` turns margins into
    probabilities. Nodes of one tree are adjacent, children lie behind their parent.

    Attributes
    ----------
    n_features, n_outputs : int
        Columns of X, columns of the margin (one for the sigmoid link).
    roots : ndarray of int32, shape (n_trees,)
        Root node of each tree.
    outputs : ndarray of int32, shape (n_trees,)
        Margin column that a tree adds to; -1 when its leaves hold every column.
    feature : ndarray of int32, shape (n_nodes,)
        Tested column; -1 at a leaf.
    threshold : ndarray of float32, shape (n_nodes,)
        ``x <= threshold`` goes left, exact for float32 rows.
    left, right : ndarray of int32, shape (n_nodes,)
        Children; a leaf points at itself.
    missing_left, unknown_left : ndarray of bool, shape (n_nodes,)
        Where NaN goes, and a category outside of the node's range.
    category_set : ndarray of int32, shape (n_nodes,)
        Index into `category_start`; -1 at a numerical split.
    category_start : ndarray of int32, shape (n_sets + 1,)
        Where each set begins in `category_words`.
    category_words : ndarray of uint32
        Bit sets: bit c of a set is 1 when category c goes left.
    leaf : ndarray of int32, shape (n_nodes,)
        Row of `leaf_values`; -1 at a split.
    leaf_values : ndarray of float64, shape (n_leaves, width)
        Width is 1 or `n_outputs`.
    depth : ndarray of int32, shape (n_nodes,)
        Splits above a node: at a leaf, the splits that a row tested.
    scale : float
        Factor on the sum.
    base : ndarray of float64, shape (n_outputs,)
        Added after scaling.
    link : {"identity", "softmax", "sigmoid", "one-vs-all"}
        From margins to probabilities.
    classes : ndarray, shape (n_classes,), or None
        Labels in the library's order; None for a regressor.
    accepts_missing : bool
        Whether the fitted estimator would take NaN.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import read_trees
    >>> trees = read_trees(DecisionTreeClassifier(max_depth=2, random_state=0).fit(*load_iris(return_X_y=True)))
    >>> trees.n_trees, trees.max_depth, trees.link
    (1, 2, 'identity')
    """

    n_features: int
    n_outputs: int
    roots: npt.NDArray[np.int32]
    outputs: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: npt.NDArray[np.float32]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    missing_left: npt.NDArray[np.bool_]
    unknown_left: npt.NDArray[np.bool_]
    category_set: npt.NDArray[np.int32]
    category_start: npt.NDArray[np.int32]
    category_words: npt.NDArray[np.uint32]
    leaf: npt.NDArray[np.int32]
    leaf_values: npt.NDArray[np.float64]
    depth: npt.NDArray[np.int32]
    scale: float
    base: npt.NDArray[np.float64]
    link: Link
    classes: npt.NDArray[Any] | None = None
    accepts_missing: bool = True
    categorical_features: npt.NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32))

    @property
    def n_trees(self) -> int:
        """Number of trees; a boosting round of three classes has three."""
        return len(self.roots)

    @property
    def max_depth(self) -> int:
        """Splits on the longest path from a root to a leaf."""
        return int(self.depth.max())


def flatten(  # the header of a model is long; each value comes from another place in each library
    trees: Sequence[Tree],
    *,
    n_features: int,
    n_outputs: int,
    link: Link,
    scale: float = 1.0,
    base: npt.ArrayLike = 0.0,
    classes: npt.NDArray[Any] | None = None,
    accepts_missing: bool = True,
) -> TreeEnsemble:
    """Join trees into one set of flat arrays.

    Parameters
    ----------
    trees : sequence of Tree
        At least one.
    n_features, n_outputs, link, scale, base, classes, accepts_missing
        As in `TreeEnsemble`; `base` is broadcast to the outputs.

    Returns
    -------
    TreeEnsemble
        Arrays that cannot be written to.

    Raises
    ------
    ValueError
        When there is no tree, or a category code is too large for a bit set.

    Examples
    --------
    >>> stump = Tree(
    ...     feature=np.array([1, 0, 0]),
    ...     threshold=np.array([0.5, 0, 0], np.float32),
    ...     left=np.array([1, -1, -1]),
    ...     right=np.array([2, -1, -1]),
    ...     missing_left=np.zeros(3, bool),
    ...     value=np.array([[0.0], [-1.0], [1.0]]),
    ...     output=0,
    ... )
    >>> flat = flatten([stump, stump], n_features=2, n_outputs=1, link="sigmoid")
    >>> flat.roots, flat.leaf_values.ravel()
    (array([0, 3], dtype=int32), array([-1.,  1., -1.,  1.]))
    """
    if not trees:
        raise ValueError("The model holds no tree; was it fitted with at least one?")
    sizes = np.array([len(tree.left) for tree in trees])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32)
    offset = np.repeat(roots, sizes)
    left, right = (np.concatenate([getattr(tree, side) for tree in trees]) for side in ("left", "right"))
    is_leaf = left < 0
    here = np.arange(len(left))
    left = np.where(is_leaf, here, left + offset).astype(np.int32)
    right = np.where(is_leaf, here, right + offset).astype(np.int32)
    category_set, unknown_left, start, words = _join_categories(trees, roots, len(left))
    feature = np.where(is_leaf, -1, np.concatenate([tree.feature for tree in trees])).astype(np.int32)
    ensemble = TreeEnsemble(
        n_features=n_features,
        n_outputs=n_outputs,
        roots=roots,
        outputs=np.array([tree.output for tree in trees], np.int32),
        feature=feature,
        threshold=np.concatenate([tree.threshold for tree in trees]).astype(np.float32),
        left=left,
        right=right,
        missing_left=np.concatenate([tree.missing_left for tree in trees]).astype(bool),
        unknown_left=unknown_left,
        category_set=category_set,
        category_start=start,
        category_words=words,
        leaf=np.where(is_leaf, np.cumsum(is_leaf) - 1, -1).astype(np.int32),
        leaf_values=np.concatenate([tree.value for tree in trees])[is_leaf].astype(np.float64),
        depth=_depths(roots, left, right, is_leaf),
        scale=float(scale),
        base=np.broadcast_to(np.asarray(base, np.float64), (n_outputs,)).copy(),
        link=link,
        classes=None if classes is None else np.array(classes),
        accepts_missing=accepts_missing,
        categorical_features=np.unique(feature[category_set >= 0]),
    )
    freeze(vars(ensemble))
    return ensemble


def freeze(fields: Mapping[str, object]) -> None:
    """Make every array among the values read-only, so that a model cannot change under its user.

    Parameters
    ----------
    fields : mapping of str to object
        Typically ``vars(dataclass)``.

    Examples
    --------
    >>> a = np.zeros(2)
    >>> freeze({"a": a})
    >>> a.flags.writeable
    False
    """
    for value in fields.values():
        if isinstance(value, np.ndarray):
            value.flags.writeable = False


def _depths(
    roots: npt.NDArray[np.int32],
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    is_leaf: npt.NDArray[np.bool_],
) -> npt.NDArray[np.int32]:
    depth = np.zeros(len(left), np.int32)
    level, at = roots[~is_leaf[roots]], 0
    while len(level):
        at += 1
        level = np.concatenate([left[level], right[level]])
        depth[level] = at
        level = level[~is_leaf[level]]
    return depth


def _join_categories(
    trees: Sequence[Tree], roots: npt.NDArray[np.int32], n_nodes: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_], npt.NDArray[np.int32], npt.NDArray[np.uint32]]:
    category_set, unknown_left = np.full(n_nodes, -1, np.int32), np.zeros(n_nodes, bool)
    start, words = [0], [np.empty(0, np.uint32)]
    for tree, root in zip(trees, roots, strict=True):
        for node, codes in tree.categories.items():
            category_set[root + node] = len(start) - 1
            unknown_left[root + node] = tree.unknown_left.get(node, False)
            words.append(_bit_set(np.asarray(codes, np.int64)))
            start.append(start[-1] + len(words[-1]))
    return category_set, unknown_left, np.array(start, np.int32), np.concatenate(words)


def _bit_set(codes: npt.NDArray[np.int64]) -> npt.NDArray[np.uint32]:
    if len(codes) and not 0 <= codes.min() <= codes.max() < MAX_CATEGORY:
        raise ValueError(
            f"Category codes must lie in [0, {MAX_CATEGORY}); received {codes.min()} to {codes.max()}. "
            "Encode the categories as 0, 1, 2, ... before fitting."
        )
    bits = np.zeros((int(codes.max(initial=0)) // 32 + 1) * 32, np.uint8)
    bits[codes] = 1
    return np.packbits(bits, bitorder="little").view("<u4").astype(np.uint32)
