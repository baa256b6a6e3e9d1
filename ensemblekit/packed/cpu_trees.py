"""Margins of one tree expert: for a block of rows a tree at a time, for a few rows many trees at a time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.packed.compiled import compiled
from ensemblekit.packed.cpu_walk import ROWS, THREE, TWO, add_rows, walk_categorical, walk_perfect, walk_sparse

BLOCK = 256  # trees of one row at a time, and the shortest block of rows: it fits the second-level cache up to a thousand columns
PERFECT = 1
STAY = np.uint64(0)


@compiled
def add_block(x: Any, d: int, missing: bool, count: int, k: int, experts: Any, trees: Any, work: Any, sums: Any) -> None:
    """Add the leaves that many rows reach, a tree at a time: each lane is a row.

    Parameters
    ----------
    x : ndarray of float32
        The rows, flat, one after the other.
    d : int
        Columns.
    missing : bool
        Whether there is NaN among them.
    count : int
        Rows, at most as many as `work` has lanes.
    k : int
        The expert.
    experts, trees : tuples
        As in `ensemblekit.packed.cpu_evaluate.evaluate`.
    work : tuple of ndarrays of uint32, shape (at least `count` and `BLOCK`,)
        Position and leaf value of each lane.
    sums : ndarray of float64, shape (at least `count`, C)
        Receives the sums.

    Examples
    --------
    >>> callable(add_block)
    True
    """
    vector, leaf_values, n_classes = experts[4][k], trees[5], sums.shape[1]
    found = work[1]
    in_step = 0 if vector or missing or experts[0][k] != PERFECT else count - count % ROWS
    rest = x[in_step * d :]
    for c in range(n_classes):
        for tree in range(trees[0][k * n_classes + c], trees[0][k * n_classes + c + 1]):
            add_in_step(x, np.uint64(d), in_step, tree, experts[5][k], trees, c, sums)
            walk_trees(rest, np.uint64(d), missing, tree, 0, count - in_step, k, experts, trees, work, n_classes)
            if vector:
                for i in range(count):
                    for j in range(n_classes):
                        sums[i, j] += leaf_values[np.uint64(found[i]) + np.uint64(j)]
            else:
                for i in range(count - in_step):
                    sums[in_step + i, c] += leaf_values[np.uint64(found[i])]


@compiled
def add_in_step(x: Any, row_step: Any, count: int, tree: int, depth: int, trees: Any, c: int, sums: Any) -> None:
    """Add one tree's leaves for rows in whole groups.

    Parameters
    ----------
    x : ndarray of float32
        The rows, flat, without NaN.
    row_step : uint64
        Columns.
    count : int
        Rows, a multiple of `ROWS`; may be 0.
    tree, depth : int
        The tree, and the levels of its heap.
    trees : tuple
        As in `add_block`.
    c : int
        Class that the tree adds to.
    sums : ndarray of float64, shape (at least `count`, C)
        Receives the sums.

    Examples
    --------
    >>> callable(add_in_step)
    True
    """
    _, node_start, leaf_start, perfect, _, leaf_values, _ = trees
    root = np.uint64(node_start[tree])
    leaves = np.uint64(leaf_start[tree]) - np.uint64(1 << depth)  # heap indices below the last level begin at 2^depth
    for first in range(0, count, ROWS):
        add_rows(x, row_step, first, root, depth, perfect, leaves, leaf_values, c, sums)


@compiled
def add_row(x: Any, missing: bool, k: int, experts: Any, trees: Any, work: Any, sums: Any) -> None:
    """Add the leaves that one row reaches, many trees at a time: each lane is a tree.

    Parameters
    ----------
    x : ndarray of float32, shape (d,)
        The row.
    missing, k, experts, trees, work
        As in `add_block`.
    sums : ndarray of float64, shape (C,)
        Receives the sums.

    Examples
    --------
    >>> callable(add_row)
    True
    """
    vector, leaf_values, n_classes = experts[4][k], trees[5], sums.shape[0]
    found = work[1]
    for c in range(n_classes):
        stop = trees[0][k * n_classes + c + 1]
        for tree in range(trees[0][k * n_classes + c], stop, BLOCK):
            count = min(BLOCK, stop - tree)
            walk_trees(x, STAY, missing, tree, 1, count, k, experts, trees, work, n_classes)
            for i in range(count):
                if vector:
                    for j in range(n_classes):
                        sums[j] += leaf_values[np.uint64(found[i]) + np.uint64(j)]
                else:
                    sums[c] += leaf_values[np.uint64(found[i])]


@compiled
def walk_trees(
    x: Any,
    row_step: Any,
    missing: bool,
    tree: int,
    step: int,
    count: int,
    k: int,
    experts: Any,
    trees: Any,
    work: Any,
    n_classes: int,
) -> None:
    """Walk lanes through tree `tree` (`step` 0), or each lane through the next tree (`step` 1).

    Parameters
    ----------
    x, missing, k, experts, trees, work
        As in `add_block`; receives the index of each lane's leaf value.
    row_step : uint64
        From lane to lane in `x`.
    tree, step, count, n_classes : int
        First tree, trees from lane to lane, lanes, classes.

    Examples
    --------
    >>> callable(walk_trees)
    True
    """
    form, vector, depth = experts[0][k], experts[4][k], experts[5][k]
    _, node_start, leaf_start, perfect, sparse, _, category_words = trees
    at, found = work
    if form == PERFECT:  # heaps of one expert lie one after the other
        slots, width = 1 << depth, n_classes if vector else 1
        root = np.uint64(node_start[tree])
        walk_perfect(x, row_step, root, np.uint64(step * slots), count, depth, perfect, missing, at)
        for i in range(count):
            found[i] = leaf_start[tree + i * step] + (np.int64(at[i]) - slots) * width
        return
    for i in range(count):
        at[i] = node_start[tree + i * step]
    if category_words.shape[0]:
        walk_categorical(x, row_step, count, sparse, category_words, at)
    else:
        walk_sparse(x, row_step, count, sparse, missing, at)
    for i in range(count):
        found[i] = sparse[1][(np.uint64(at[i]) << TWO) + THREE]
