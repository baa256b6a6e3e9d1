"""A packed model on a CUDA device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cupy
import numpy as np

from ensemblekit_gpu.cupy_launcher import CupyLauncher
from ensemblekit_gpu.evaluation import Evaluation


class GpuModel:
    """Evaluates a packed model on the current CUDA device.

    Parameters
    ----------
    fields : mapping
        Fields of a packed model, NumPy arrays and plain values.

    Examples
    --------
    >>> from ensemblekit.packed import pack  # doctest: +SKIP
    >>> GpuModel(vars(pack(forest))).predict_proba(X)  # doctest: +SKIP
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._evaluation = Evaluation(CupyLauncher(), fields)
        self._accepts_missing = bool(fields["accepts_missing"])
        self._categorical = np.asarray(fields["categorical_features"])

    def predict_proba(self, X: Any) -> Any:
        """Class probabilities.

        Rows that do not fit into the free memory of the card are answered in batches.

        Parameters
        ----------
        X : ndarray or cupy.ndarray, shape (n, d)
            Rows, rounded to float32.

        Returns
        -------
        ndarray of float32, shape (n, C), or cupy.ndarray
            CuPy in gives CuPy out, and nothing is copied to the host.

        Raises
        ------
        ValueError
            For rows that the model cannot take.
        MemoryError
            When not even one row fits.
        """
        xp = cupy if isinstance(X, cupy.ndarray) else np
        rows = xp.ascontiguousarray(X, dtype=np.float32)
        self._check(xp, rows)
        step = self._rows_at_once()
        out = xp.empty((len(rows), self._evaluation.n_classes), np.float32)
        for begin in range(0, len(rows), step):
            answer = self._evaluation.predict_proba(cupy.asarray(rows[begin : begin + step]))
            out[begin : begin + step] = answer if xp is cupy else answer.get()
        return out

    def _check(self, xp: Any, rows: Any) -> None:
        if rows.ndim != 2 or rows.shape[1] != self._evaluation.d:
            raise ValueError(f"Expected rows of shape (n, {self._evaluation.d}), received shape {rows.shape}.")
        if not self._accepts_missing and bool(xp.isnan(rows).any()):
            raise ValueError("The rows hold missing values and the fitted model takes none. Impute them first.")
        codes = rows[:, xp.asarray(self._categorical)]
        if codes.size and bool((xp.isfinite(codes) & (codes != xp.floor(codes))).any()):
            raise ValueError("A categorical column holds a fraction: its cells must be whole numbers or NaN.")

    def _rows_at_once(self) -> int:
        free = cupy.cuda.Device().mem_info[0] + cupy.get_default_memory_pool().free_bytes()
        rows = free * 3 // 4 // self._evaluation.bytes_per_row()
        if rows < 1:
            raise MemoryError(f"The GPU has {free} bytes free, too few for one row. Use device='cpu'.")
        return int(min(rows, (2**31 - 1) // self._evaluation.top_k - 4096))
