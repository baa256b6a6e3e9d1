"""The compiled engine for one packed model: its arrays as the kernels take them, and threads over ranges of rows."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.cpu_evaluate import evaluate
from ensemblekit.packed.cpu_trees import BLOCK
from ensemblekit.packed.perfect_layout import MAX_DEPTH

if TYPE_CHECKING:
    from ensemblekit.packed.model import PackedModel

PERFECT, SPARSE = 1, 2
MODES = ("mean", "vote", "product", "additive")
CACHE = 1 << 19  # bytes that a core keeps near: an expert of more is read anew for every block of rows
LONG_BLOCK, LONG_ROWS = 8192, 1 << 21  # rows, and bytes of rows, in a block of an expert that does not fit
ROWS_PER_THREAD = 512  # below this a thread costs more than it saves


class Engine:
    """Evaluates a packed model on the CPU.

    Parameters
    ----------
    model : PackedModel
        The model; its arrays are shared, not copied.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> stump = pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1]))
    >>> Engine(stump).predict_proba(np.zeros((1, 1), np.float32), n_jobs=1)
    array([[1., 0.]])
    """

    def __init__(self, model: PackedModel) -> None:
        self.n_outputs = model.n_outputs
        self._gate = (model.gate, model.gate_node, model.gate_path, model.gate_mean, model.gate_factor, model.gate_offset)
        self._gate_engine = None if model.gate_model is None else Engine(model.gate_model)
        self._routing = (model.top_k, model.threshold, MODES.index(model.combination), model.precision)
        self._experts = (
            model.form,
            model.link,
            model.scale,
            model.base,
            model.vector,
            model.depth,
            model.linear_slot,
            model.linear,
            rows_at_a_time(model),
        )
        perfect, sparse = model.perfect_nodes.ravel(), model.sparse_nodes.ravel()
        self._trees = (
            model.tree_start,
            model.node_start,
            model.leaf_start,
            (perfect.view(np.float32), perfect.view(np.uint32)),
            (sparse.view(np.float32), sparse.view(np.uint32)),
            model.leaf_values,
            model.category_words,
        )

    def predict_proba(self, rows: npt.NDArray[np.float32], *, n_jobs: int) -> npt.NDArray[np.float64]:
        """Evaluate rows, on several threads when there are enough of them.

        Parameters
        ----------
        rows : ndarray of float32, shape (n, d)
            C-contiguous rows.
        n_jobs : int
            Threads; -1 for all cores.

        Returns
        -------
        ndarray of float64, shape (n, C)
            Probabilities; the same to the bit for every number of threads.

        Examples
        --------
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from ensemblekit.packed import pack
        >>> engine = Engine(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])))
        >>> engine.predict_proba(np.ones((1, 1), np.float32), n_jobs=-1)
        array([[0., 1.]])
        """
        rows = rows.view()
        rows.flags.writeable = False  # numba compiles read-only arrays anew: always hand it the same kind
        n = len(rows)
        given = np.empty((n, 0)) if self._gate_engine is None else self._gate_engine.predict_proba(rows, n_jobs=n_jobs)
        fixed = (given, self._gate, self._routing, self._experts, self._trees)
        out = np.empty((n, self.n_outputs))
        threads = min(thread_count(n_jobs), max(1, n // ROWS_PER_THREAD))
        if threads == 1:
            evaluate(rows, 0, n, *fixed, out)
            return out
        bounds = np.linspace(0, n, threads + 1).astype(int)
        with ThreadPoolExecutor(threads) as pool:
            jobs = [pool.submit(evaluate, rows, int(a), int(b), *fixed, out) for a, b in pairwise(bounds)]
            for job in jobs:
                job.result()
        return out


def rows_at_a_time(model: PackedModel) -> npt.NDArray[np.int64]:
    """Choose the rows that pass through a tree before the next one.

    Short blocks stay in the cache beside a small expert. A large forest is read anew for every block, so that long ones pay:
    on a forest of 30 MB they take a quarter of the time.

    Parameters
    ----------
    model : PackedModel
        The model.

    Returns
    -------
    ndarray of int64, shape (K,)
        Rows for each expert.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> rows_at_a_time(pack(DecisionTreeClassifier().fit([[0.0], [1.0]], [0, 1])))
    array([256])
    """
    n_trees = np.diff(model.tree_start[:: model.n_outputs])
    sparse = n_trees * (model.form == SPARSE)
    share = sparse / max(1, sparse.sum())  # of the linked nodes; good enough to tell large from small
    width = 8 + 4 * np.where(model.vector > 0, model.n_outputs, 1)
    heaps = np.where(model.form == PERFECT, n_trees << np.minimum(model.depth, MAX_DEPTH), 0) * width
    size = heaps + share * (model.sparse_nodes.nbytes + model.leaf_values.nbytes)
    long = max(BLOCK, min(LONG_BLOCK, LONG_ROWS // (4 * model.n_features)))
    return np.where(size > CACHE, long, BLOCK).astype(np.int64)


def thread_count(n_jobs: int) -> int:
    """Turn scikit-learn's `n_jobs` into a number of threads.

    Parameters
    ----------
    n_jobs : int
        A positive number, or -1 for all cores, -2 for all but one.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ValueError
        For 0.

    Examples
    --------
    >>> thread_count(3)
    3
    """
    if n_jobs == 0:
        raise ValueError("n_jobs must be a positive number of threads, or negative to count from all cores; received 0.")
    return n_jobs if n_jobs > 0 else max(1, (os.cpu_count() or 1) + 1 + n_jobs)
