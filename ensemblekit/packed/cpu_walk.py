"""From root to leaf for a block of lanes, in step: each lane is one row in one tree.

Lanes do not depend on one another, so the processor overlaps their loads, and no branch depends on the data, so none is
mispredicted. Many rows in one tree serve batches (rows differ by `row_step`), one row in many trees serves single rows
(`row_step` 0). Indices are unsigned: numba would wrap negative ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ensemblekit.packed.compiled import compiled

GROUP = 16  # lanes that wait for one another in trees of uneven depth
P_FEATURE, P_MISSING_SHIFT = np.uint32((1 << 30) - 1), np.uint32(31)
S_FEATURE, S_MISSING_SHIFT = np.uint32((1 << 28) - 1), np.uint32(28)
CATEGORICAL, UNKNOWN_LEFT, LEAF = np.uint32(1 << 29), np.uint32(1 << 30), np.uint32(1 << 31)
ONE, TWO, THREE = np.uint64(1), np.uint64(2), np.uint64(3)
ZERO32, ONE32 = np.uint32(0), np.uint32(1)


@compiled
def walk_perfect(x: Any, row_step: Any, root: Any, root_step: Any, count: int, depth: int, nodes: Any, missing: bool, at: Any) -> None:
    """Walk lanes down heaps of one depth.

    Parameters
    ----------
    x : ndarray of float32
        The lanes' rows, flat.
    row_step, root_step : uint64
        From lane to lane: entries of `x`, nodes.
    root : uint64
        Where the first lane's heap begins.
    count, depth : int
        Lanes, levels.
    nodes : tuple of ndarrays of float32 and uint32
        The nodes, flat, seen as either; two entries for each.
    missing : bool
        Whether `x` holds NaN; without, a step is shorter.
    at : ndarray of uint32
        Receives the heap index below the last level: 2^depth + leaf.

    Examples
    --------
    >>> heap = np.array([[0, 0], [np.float32(0.5).view("i4"), 0]], np.int32).ravel()
    >>> at, zero = np.empty(1, np.uint32), np.uint64(0)
    >>> walk_perfect(np.array([0.7], "f4"), zero, zero, zero, 1, 1, (heap.view("f4"), heap.view("u4")), False, at)
    >>> at
    array([3], dtype=uint32)
    """
    threshold, word = nodes
    for i in range(count):
        at[i] = ONE32
    for _ in range(depth):
        for i in range(count):
            lane = np.uint64(i)
            node = (root + lane * root_step + np.uint64(at[i])) << ONE
            flags = word[node + ONE]
            value = x[lane * row_step + np.uint64(flags & P_FEATURE)]
            right = value > threshold[node]
            if missing:  # NaN is above no threshold: it goes right only where missing values do not go left
                right |= (value != value) & ((flags >> P_MISSING_SHIFT) == ZERO32)  # noqa: PLR0124
            at[i] = np.uint32((at[i] << ONE32) + np.uint32(right))


@compiled
def walk_sparse(x: Any, row_step: Any, count: int, nodes: Any, missing: bool, at: Any) -> None:
    """Walk lanes down linked nodes without categories; a group of lanes ends when all of it stands on leaves.

    Parameters
    ----------
    x, row_step, count, missing
        As in `walk_perfect`.
    nodes : tuple of ndarrays of float32 and uint32
        The nodes, flat, seen as either; four entries for each.
    at : ndarray of uint32
        Holds each lane's root; receives its leaf.

    Examples
    --------
    >>> leaf = np.array([np.float32(np.inf).view("i4"), 0, -(1 << 31) + (1 << 28), 0], np.int32)
    >>> at = np.zeros(1, np.uint32)
    >>> walk_sparse(np.ones(1, np.float32), np.uint64(0), 1, (leaf.view("f4"), leaf.view("u4")), True, at)
    >>> at
    array([0], dtype=uint32)
    """
    threshold, word = nodes
    for first in range(0, count, GROUP):
        walking = True
        while walking:
            every = LEAF
            for i in range(first, min(first + GROUP, count)):
                node = np.uint64(at[i]) << TWO
                flags = word[node + TWO]
                every &= flags
                value = x[np.uint64(i) * row_step + np.uint64(flags & S_FEATURE)]
                right = value > threshold[node]
                if missing:
                    right |= (value != value) & (((flags >> S_MISSING_SHIFT) & ONE32) == ZERO32)  # noqa: PLR0124
                at[i] = np.uint32(word[node + ONE] + np.uint32(right))
            walking = every != LEAF


@compiled
def walk_categorical(x: Any, row_step: Any, count: int, nodes: Any, category_words: Any, at: Any) -> None:
    """Walk lanes down linked nodes of which some test categories, one lane after the other.

    Parameters
    ----------
    x, row_step, count, nodes, at
        As in `walk_sparse`.
    category_words : ndarray of uint32
        Number of words and words of each category set.

    Examples
    --------
    >>> leaf = np.array([np.float32(np.inf).view("i4"), 0, -(1 << 31) + (1 << 28), 0], np.int32)
    >>> at, no_words = np.zeros(1, np.uint32), np.zeros(0, np.uint32)
    >>> walk_categorical(np.ones(1, np.float32), np.uint64(0), 1, (leaf.view("f4"), leaf.view("u4")), no_words, at)
    >>> at
    array([0], dtype=uint32)
    """
    threshold, word = nodes
    for i in range(count):
        node = np.uint64(at[i]) << TWO
        flags = word[node + TWO]
        while flags & LEAF == ZERO32:
            value = x[np.uint64(i) * row_step + np.uint64(flags & S_FEATURE)]
            if value != value:  # noqa: PLR0124
                right = ((flags >> S_MISSING_SHIFT) & ONE32) == ZERO32
            elif flags & CATEGORICAL != ZERO32:
                right = category_goes_right(category_words, np.uint64(word[node + THREE]), flags, value)
            else:
                right = value > threshold[node]
            at[i] = np.uint32(word[node + ONE] + np.uint32(right))
            node = np.uint64(at[i]) << TWO
            flags = word[node + TWO]


@compiled
def category_goes_right(category_words: Any, begin: Any, flags: Any, value: Any) -> Any:
    """Look a category up in a node's set.

    Parameters
    ----------
    category_words : ndarray of uint32
        All sets.
    begin : uint64
        Where the node's set begins.
    flags : uint32
        The node's flags.
    value : float32
        The cell, not NaN.

    Returns
    -------
    bool
        Whether the row goes right.

    Examples
    --------
    >>> words = np.array([1, 0b101], np.uint32)  # categories 0 and 2 go left
    >>> [bool(category_goes_right(words, np.uint64(0), np.uint32(0), np.float32(c))) for c in (0, 1, 2, 99)]
    [False, True, False, True]
    """
    if value >= 0 and value < np.float32(32) * np.float32(category_words[begin]):
        code = np.uint32(value)
        bits = category_words[begin + ONE + np.uint64(code >> np.uint32(5))]
        return ((bits >> (code & np.uint32(31))) & ONE32) == ZERO32
    return (flags & UNKNOWN_LEFT) == ZERO32
