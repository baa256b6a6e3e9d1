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
ROWS = 16  # rows in step in `add_rows`: enough to hide each load behind the others
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
def child(x: Any, base: Any, root: Any, here: Any, nodes: Any) -> Any:
    """Take one step down a heap, for a row without NaN.

    Parameters
    ----------
    x : ndarray of float32
        Rows, flat.
    base, root : uint64
        Where the row begins in `x`, and the heap among the nodes.
    here : uint64
        Heap index.
    nodes
        As in `walk_perfect`.

    Returns
    -------
    uint64
        Heap index of the child.

    Examples
    --------
    >>> heap = np.array([[0, 0], [np.float32(0.5).view("i4"), 0]], np.int32).ravel()
    >>> zero, one = np.uint64(0), np.uint64(1)
    >>> int(child(np.array([0.7], "f4"), zero, zero, one, (heap.view("f4"), heap.view("u4"))))
    3
    """
    node = (root + here) << ONE
    value = x[base + np.uint64(nodes[1][node + ONE] & P_FEATURE)]
    return (here << ONE) + np.uint64(value > nodes[0][node])


@compiled
def add_rows(
    x: Any, row_step: Any, first: int, root: Any, depth: int, nodes: Any, leaves: Any, leaf_values: Any, c: int, sums: Any
) -> None:
    """Walk 16 rows without NaN down one heap, and add the leaves that they reach.

    Written out, because positions in variables stay in registers, while positions in an array go through memory at every level:
    a batch of boosted trees takes about two thirds of the time.

    Parameters
    ----------
    x, row_step, root, depth, nodes
        As in `walk_perfect`.
    first : int
        The first of the rows.
    leaves : uint64
        What to add to the heap index below the last level for the index of the leaf's value.
    leaf_values : ndarray of float32
        Values of leaves.
    c : int
        Column that the tree adds to.
    sums : ndarray of float64, shape (at least first + 16, C)
        Receives the sums.

    Examples
    --------
    >>> heap = np.array([[0, 0], [np.float32(0.5).view("i4"), 0]], np.int32).ravel()
    >>> sums, zero, values = np.zeros((16, 1)), np.uint64(0), np.array([0, 0, 3, 7], "f4")
    >>> rows = np.arange(16, dtype="f4") / 15
    >>> add_rows(rows, np.uint64(1), 0, zero, 1, (heap.view("f4"), heap.view("u4")), zero, values, 0, sums)
    >>> sums.ravel().astype(int).tolist()
    [3, 3, 3, 3, 3, 3, 3, 3, 7, 7, 7, 7, 7, 7, 7, 7]
    """
    b0 = np.uint64(first) * row_step
    b1 = b0 + row_step
    b2 = b1 + row_step
    b3 = b2 + row_step
    b4 = b3 + row_step
    b5 = b4 + row_step
    b6 = b5 + row_step
    b7 = b6 + row_step
    b8 = b7 + row_step
    b9 = b8 + row_step
    ba = b9 + row_step
    bb = ba + row_step
    bc = bb + row_step
    bd = bc + row_step
    be = bd + row_step
    bf = be + row_step
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = a9 = aa = ab = ac = ad = ae = af = ONE
    for _ in range(depth):
        a0 = child(x, b0, root, a0, nodes)
        a1 = child(x, b1, root, a1, nodes)
        a2 = child(x, b2, root, a2, nodes)
        a3 = child(x, b3, root, a3, nodes)
        a4 = child(x, b4, root, a4, nodes)
        a5 = child(x, b5, root, a5, nodes)
        a6 = child(x, b6, root, a6, nodes)
        a7 = child(x, b7, root, a7, nodes)
        a8 = child(x, b8, root, a8, nodes)
        a9 = child(x, b9, root, a9, nodes)
        aa = child(x, ba, root, aa, nodes)
        ab = child(x, bb, root, ab, nodes)
        ac = child(x, bc, root, ac, nodes)
        ad = child(x, bd, root, ad, nodes)
        ae = child(x, be, root, ae, nodes)
        af = child(x, bf, root, af, nodes)
    sums[first + 0, c] += leaf_values[leaves + a0]
    sums[first + 1, c] += leaf_values[leaves + a1]
    sums[first + 2, c] += leaf_values[leaves + a2]
    sums[first + 3, c] += leaf_values[leaves + a3]
    sums[first + 4, c] += leaf_values[leaves + a4]
    sums[first + 5, c] += leaf_values[leaves + a5]
    sums[first + 6, c] += leaf_values[leaves + a6]
    sums[first + 7, c] += leaf_values[leaves + a7]
    sums[first + 8, c] += leaf_values[leaves + a8]
    sums[first + 9, c] += leaf_values[leaves + a9]
    sums[first + 10, c] += leaf_values[leaves + aa]
    sums[first + 11, c] += leaf_values[leaves + ab]
    sums[first + 12, c] += leaf_values[leaves + ac]
    sums[first + 13, c] += leaf_values[leaves + ad]
    sums[first + 14, c] += leaf_values[leaves + ae]
    sums[first + 15, c] += leaf_values[leaves + af]


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
