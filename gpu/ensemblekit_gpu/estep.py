"""The E-step of EM on any launcher."""

from __future__ import annotations

from typing import Any, NamedTuple

from ensemblekit_gpu.launching import Grid, Launcher, blocks_for


class Expectation(NamedTuple):
    """What an E-step gives.

    Attributes
    ----------
    responsibilities : device array of float64, shape (n, K)
        Rows sum to one.
    column_sums : device array of float64, shape (K,)
        Their weighted sums.
    log_likelihood : device array of float64, shape ()
        Weighted sum over rows, natural logarithm.

    Examples
    --------
    >>> Expectation._fields
    ('responsibilities', 'column_sums', 'log_likelihood')
    """

    responsibilities: Any
    column_sums: Any
    log_likelihood: Any


def expectation(launcher: Launcher, log_gate: Any, log_density: Any, weight: Any, *, threads: int = 128) -> Expectation:
    """Turn gate and expert log-probabilities into responsibilities.

    Parameters
    ----------
    launcher : Launcher
        The device.
    log_gate, log_density : device arrays of float64, shape (n, K)
        log g_k(x) and log p_k(y | x).
    weight : device array of float64, shape (n,)
        Sample weights.
    threads : int, default=128
        Threads in a block, a multiple of 32.

    Returns
    -------
    Expectation
        On the device.

    Examples
    --------
    >>> callable(expectation)
    True
    """
    n, n_experts = log_gate.shape
    blocks = blocks_for(n, threads)
    responsibilities = launcher.empty((n, n_experts), "f8")
    partial = launcher.empty((blocks, n_experts + 1), "f8")
    launcher.launch(
        "em_estep",
        {"N_EXPERTS": n_experts},
        Grid(blocks, threads, 8 * (n_experts + 1) * (threads // 32)),
        {
            "log_gate": log_gate,
            "log_density": log_density,
            "weight": weight,
            "n": n,
            "responsibilities": responsibilities,
            "partial": partial,
        },
    )
    sums = partial.sum(axis=0)
    return Expectation(responsibilities, sums[:-1], sums[-1])
