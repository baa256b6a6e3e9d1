"""Trees in few bytes: the order of the nodes is their shape, thresholds are places in a table, leaves are steps above the lowest.

Nodes stand breadth-first, so that one bit for each, leaf or not, says where all children are (Jacobson, 1989, succinct static data
structures). A threshold is stored as its place among all thresholds that the model has for that column: boosters bin their columns and
know no more than 255, which is one byte, and nothing is rounded. Only leaves lose anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.trees.flat import Tree, TreeEnsemble

Dtype = Literal["float16", "int8"]
STEPS = 255
BYTE = 256
UNSIGNED = (np.uint8, np.uint16, np.uint32)


class TreeCodes(NamedTuple):
    """All trees of a model.

    Attributes
    ----------
    table_start : ndarray of int32, shape (d + 1,)
        Where each column's thresholds begin in `table`.
    table : ndarray of float32
        Thresholds, ascending within a column.
    n_nodes : ndarray of int32, shape (n_trees,)
        Nodes of each tree.
    is_leaf, missing_left : ndarray of uint8
        One bit for each node, eight to a byte.
    column : ndarray of uint8, uint16 or uint32
        Tested column of each split.
    place : ndarray of uint8, uint16 or uint32
        Its threshold's place in the column's table.
    leaf : ndarray of uint8 or float16
        One value for each leaf, or one for each leaf and class.
    low, step : ndarray of float32, shape (n_trees,)
        A leaf holds ``low + step * leaf``; `low` is empty for float16.

    Examples
    --------
    >>> TreeCodes._fields[:2]
    ('table_start', 'table')
    """

    table_start: npt.NDArray[np.int32]
    table: npt.NDArray[np.float32]
    n_nodes: npt.NDArray[np.int32]
    is_leaf: npt.NDArray[np.uint8]
    missing_left: npt.NDArray[np.uint8]
    column: npt.NDArray[Any]
    place: npt.NDArray[Any]
    leaf: npt.NDArray[Any]
    low: npt.NDArray[np.float32]
    step: npt.NDArray[np.float32]


class _Ordered(NamedTuple):
    """Trees one after the other, each breadth-first."""

    n_nodes: list[int]
    is_leaf: npt.NDArray[np.bool_]
    missing_left: npt.NDArray[np.bool_]
    column: npt.NDArray[np.int64]
    threshold: npt.NDArray[np.float32]
    leaves: list[npt.NDArray[np.float64]]


def encode(forests: Sequence[TreeEnsemble], n_features: int, dtype: Dtype, rows: npt.NDArray[np.float32] | None) -> TreeCodes:
    """Write trees in few bytes.

    Parameters
    ----------
    forests : sequence of TreeEnsemble
        One for each tree expert, without categorical splits.
    n_features : int
        Columns of a row, d.
    dtype : {"float16", "int8"}
        What leaves become.
    rows : ndarray of float32, shape (n, d), or None
        Rows that must stay on their ways. Where some column has more than 256 thresholds, those that no row tells apart become one,
        if that makes one byte enough for all; else, and without rows, all thresholds stay and take two bytes or four.

    Returns
    -------
    TreeCodes

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import read_trees
    >>> encode([read_trees(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))], 1, "int8", None).leaf
    array([255,   0,   0, 255], dtype=uint8)
    """
    ordered = _in_order(forests)
    table_start, table, place = _tables(ordered, n_features, rows)
    leaf, low, step = _leaf_codes(ordered.leaves, dtype)
    return TreeCodes(
        table_start=table_start,
        table=table,
        n_nodes=np.array(ordered.n_nodes, np.int32),
        is_leaf=np.packbits(ordered.is_leaf),
        missing_left=np.packbits(ordered.missing_left),
        column=_narrow(ordered.column),
        place=_narrow(place),
        leaf=leaf,
        low=low,
        step=step,
    )


def decode(codes: TreeCodes, outputs: Sequence[int], n_outputs: int) -> list[Tree]:
    """Read the trees back.

    Parameters
    ----------
    codes : TreeCodes
        From `encode`.
    outputs : sequence of int
        Column that each tree adds to; -1 for leaves that hold every class.
    n_outputs : int
        Number of classes, or 1.

    Returns
    -------
    list of Tree
        Breadth-first.

    Raises
    ------
    ValueError
        When the codes do not describe trees.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.trees import read_trees
    >>> codes = encode([read_trees(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))], 1, "float16", None)
    >>> decode(codes, [-1], 2)[0].threshold
    array([0.5, 0. , 0. ], dtype=float32)
    """
    total = int(codes.n_nodes.sum(dtype=np.int64))
    if len(codes.n_nodes) != len(outputs) or codes.n_nodes.min() < 1 or total > 8 * min(len(codes.is_leaf), len(codes.missing_left)):
        raise ValueError("the numbers of nodes do not fit")
    is_leaf, missing_left = (np.unpackbits(bits, count=total).astype(bool) for bits in (codes.is_leaf, codes.missing_left))
    begin = np.append(0, np.cumsum(codes.n_nodes, dtype=np.int64))
    split_before = np.append(0, np.cumsum(~is_leaf))
    trees, first_value = [], 0
    for tree, output in enumerate(outputs):
        leaf = is_leaf[begin[tree] : begin[tree + 1]]
        splits = slice(split_before[begin[tree]], split_before[begin[tree + 1]])
        column = codes.column[splits].astype(np.int64)
        threshold = codes.table[codes.table_start[column] + codes.place[splits].astype(np.int64)]
        width = n_outputs if output < 0 else 1
        stored = codes.leaf[first_value : first_value + int(leaf.sum()) * width].astype(np.float64)
        first_value += stored.size
        low = codes.low[tree] if len(codes.low) else 0.0
        values = low + codes.step[tree].astype(np.float64) * stored
        trees.append(_tree(leaf, missing_left[begin[tree] : begin[tree + 1]], column, threshold, values.reshape(-1, width), output))
    return trees


def _tree(
    leaf: npt.NDArray[np.bool_],
    missing_left: npt.NDArray[np.bool_],
    column: npt.NDArray[np.int64],
    threshold: npt.NDArray[np.float32],
    values: npt.NDArray[np.float64],
    output: int,
) -> Tree:
    n = len(leaf)
    if 2 * int(leaf.sum()) != n + 1 or len(values) != leaf.sum():
        raise ValueError("the nodes are those of no tree")
    left = np.full(n, -1, np.int64)
    left[~leaf] = 1 + 2 * np.arange(n // 2)
    if (left[~leaf] <= np.flatnonzero(~leaf)).any():
        raise ValueError("a node stands before its parent")
    split_column, split_threshold, value = np.zeros(n, np.int64), np.zeros(n, np.float32), np.zeros((n, values.shape[1]))
    split_column[~leaf], split_threshold[~leaf], value[leaf] = column, threshold, values
    return Tree(split_column, split_threshold, left, np.where(leaf, -1, left + 1), missing_left, value, output)


def _in_order(forests: Sequence[TreeEnsemble]) -> _Ordered:
    n_nodes, nodes, leaves, offset = [], [], [], []
    for which, trees in enumerate(forests):
        for root in trees.roots:
            order = _breadth_first(trees, int(root))
            n_nodes.append(len(order))
            nodes.append(order)
            offset.append(np.full(len(order), which))
            leaves.append(trees.leaf_values[trees.leaf[order[trees.feature[order] < 0]]])
    at, owner = np.concatenate(nodes), np.concatenate(offset)

    def joined(name: str) -> npt.NDArray[Any]:
        return np.concatenate([getattr(trees, name)[at[owner == which]] for which, trees in enumerate(forests)])

    feature = joined("feature")
    split = feature >= 0
    return _Ordered(n_nodes, ~split, joined("missing_left"), feature[split].astype(np.int64), joined("threshold")[split], leaves)


def _breadth_first(trees: TreeEnsemble, root: int) -> npt.NDArray[np.int64]:
    levels = [np.array([root], np.int64)]
    while len(levels[-1]):
        split = levels[-1][trees.feature[levels[-1]] >= 0]
        levels.append(np.stack([trees.left[split], trees.right[split]], axis=1).ravel().astype(np.int64))
    return np.concatenate(levels)


def _tables(
    ordered: _Ordered, n_features: int, rows: npt.NDArray[np.float32] | None
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    per_column = [ordered.threshold[ordered.column == column] for column in range(n_features)]
    tables = [np.unique(threshold) for threshold in per_column]
    merged = tables
    if rows is not None and max(map(len, tables)) > BYTE:
        apart = [_told_apart(table, rows[:, column]) for column, table in enumerate(tables)]
        if max(len(np.unique(one)) for one in apart if len(one)) <= BYTE:
            merged = [table[np.unique(one, return_index=True)[1]] for table, one in zip(tables, apart, strict=True)]
            per_column = [_representatives(threshold, table, one) for threshold, table, one in zip(per_column, tables, apart, strict=True)]
    place = np.zeros(len(ordered.column), np.int64)
    for column, (threshold, table) in enumerate(zip(per_column, merged, strict=True)):
        place[ordered.column == column] = np.searchsorted(table, threshold)
    start = np.append(0, np.cumsum([len(table) for table in merged])).astype(np.int32)
    return start, np.concatenate(merged), place


def _told_apart(table: npt.NDArray[np.float32], cells: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Count the different cells at or below each threshold: thresholds with the same number send all rows the same way."""
    return np.searchsorted(np.unique(cells[~np.isnan(cells)]), table, side="right")


def _representatives(
    threshold: npt.NDArray[np.float32], table: npt.NDArray[np.float32], apart: npt.NDArray[np.intp]
) -> npt.NDArray[np.float32]:
    kinds, first, kind_of = np.unique(apart, return_index=True, return_inverse=True)
    return np.asarray(table[first][kind_of[np.searchsorted(table, threshold)]]) if len(kinds) else threshold


def _leaf_codes(
    leaves: Sequence[npt.NDArray[np.float64]], dtype: Dtype
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    if dtype == "float16":  # it ends at 65504 and loses digits below 6e-5: a power of two for each tree, which rounds nothing, avoids both
        step = np.ldexp(1.0, [max(int(np.frexp(np.abs(values).max())[1]), -126) for values in leaves]).astype(np.float32)
        shares = [values.ravel() / one for values, one in zip(leaves, step.astype(np.float64), strict=True)]
        return np.concatenate(shares).astype(np.float16), np.empty(0, np.float32), step
    low = np.array([values.min() for values in leaves], np.float32)
    step = np.array([np.ptp(values) / STEPS for values in leaves], np.float32)
    codes = [
        np.rint((values.ravel() - a) / (b if b > 0 else 1.0)).clip(0, STEPS)
        for values, a, b in zip(leaves, low.astype(np.float64), step.astype(np.float64), strict=True)
    ]
    return np.concatenate(codes).astype(np.uint8), low, step


def _narrow(numbers: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    largest = int(numbers.max(initial=0))
    return numbers.astype(next(kind for kind in UNSIGNED if largest <= np.iinfo(kind).max))
