"""The marginal likelihood of a mixture of linear predictors with its gradient, on any launcher.

Two matrix products with the table, and between them one kernel that turns predictors into responsibilities and these into the gradient.
The table is copied to the device once; in every step the coefficients go there and the gradient comes back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit_gpu.launching import Grid, Launcher, blocks_for

ROWS = 1 << 20  # rows at a time: bounds what a step needs beside the table


class MarginalLikelihood:
    """Sums over rows as a function of the coefficients.

    Parameters
    ----------
    launcher : Launcher
        The device.
    Z : ndarray of float64, shape (n, p)
        Columns of the table, that of ones included.
    targets : ndarray of float64, shape (M, n) or (1, n)
        Probabilities of all classes but the first, or answers.
    weight : ndarray of float64, shape (n,)
        Sample weights.
    n_experts : int
        Number of experts, K.
    variance_floor : float or None
        Smallest variance of normal answers; None for classes.
    rows : int, default=ROWS
        Rows at a time.
    threads : int, default=128
        Threads in a block, a multiple of 32.

    Examples
    --------
    >>> callable(MarginalLikelihood)
    True
    """

    def __init__(
        self,
        launcher: Launcher,
        Z: npt.NDArray[np.float64],
        targets: npt.NDArray[np.float64],
        weight: npt.NDArray[np.float64],
        *,
        n_experts: int,
        variance_floor: float | None,
        rows: int = ROWS,
        threads: int = 128,
    ) -> None:
        self.launcher, self.threads, self.n_experts, self.floor = launcher, threads, n_experts, variance_floor
        self.n_predictors = len(targets) if variance_floor is None else 2
        self.pieces = [
            tuple(launcher.upload(np.ascontiguousarray(part)) for part in (Z[cut].T, targets[:, cut], weight[cut]))
            for cut in (slice(begin, begin + rows) for begin in range(0, len(Z), rows))
        ]

    def __call__(self, W: npt.NDArray[np.float64], sharpness: float = 1.0) -> tuple[float, npt.NDArray[np.float64]]:
        """Weighted sum of the rows' log-likelihoods, and its gradient.

        Parameters
        ----------
        W : ndarray of float64, shape (p, K - 1 + K * M)
            Coefficients: gate logits of all experts but the first, then M predictors of each expert.
        sharpness : float, default=1.0
            Power of g_k p_k, see ``kernels/marginal.cu``.

        Returns
        -------
        value : float
            Natural logarithm.
        slope : ndarray of float64, of the shape of `W`
            On the host.

        Examples
        --------
        >>> callable(MarginalLikelihood.__call__)
        True
        """
        value, slope = 0.0, np.zeros(W.shape)
        across = self.launcher.upload(np.ascontiguousarray(W.T))
        for columns, targets, weight in self.pieces:
            gradient, partial = self._rows(across @ columns, targets, weight, sharpness)
            value += float(partial.sum())
            slope += _on_host(columns @ gradient.T)
        return value, slope

    def _rows(self, eta: Any, targets: Any, weight: Any, sharpness: float) -> tuple[Any, Any]:
        n = len(weight)
        blocks = blocks_for(n, self.threads)
        gradient, partial = self.launcher.empty(eta.shape, "f8"), self.launcher.empty((blocks,), "f8")
        self.launcher.launch(
            "marginal_rows",
            {},
            Grid(blocks, self.threads, 8 * (self.threads // 32)),
            {
                "eta": eta,
                "targets": targets,
                "weight": weight,
                "n": n,
                "K": self.n_experts,
                "M": self.n_predictors,
                "gaussian": int(self.floor is not None),
                "floor": self.floor or 0.0,
                "sharpness": sharpness,
                "gradient": gradient,
                "partial": partial,
            },
        )
        return gradient, partial


def _on_host(array: Any) -> Any:
    return array.get() if hasattr(array, "get") else array
