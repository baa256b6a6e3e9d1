"""The only door to the GPU package: nothing else in ensemblekit imports it, or CuPy."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit._extras import require

DEVICES = ("cpu", "cuda", "auto")


def resolve(device: str) -> str:
    """Turn a wish into the device that will compute.

    Parameters
    ----------
    device : {"cpu", "cuda", "auto"}
        "auto" takes the GPU when CuPy is installed and a CUDA device answers.

    Returns
    -------
    str
        "cpu" or "cuda".

    Raises
    ------
    ValueError
        For another word.

    Examples
    --------
    >>> resolve("cpu")
    'cpu'
    >>> resolve("gpu")
    Traceback (most recent call last):
    ValueError: device must be one of 'cpu', 'cuda', 'auto'; received 'gpu'.
    """
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(map(repr, DEVICES))}; received {device!r}.")
    if device != "auto":
        return device
    return "cuda" if why_no_gpu() is None else "cpu"


def why_no_gpu() -> str | None:
    """Say what is missing for the GPU.

    Returns
    -------
    str or None
        One sentence; None when a CUDA device is ready.

    Examples
    --------
    >>> reason = why_no_gpu()
    >>> reason is None or reason.endswith(".")
    True
    """
    try:
        cupy = require("cupy", extra="gpu", purpose="Computing on a GPU")
    except ImportError as error:
        return f"{error}."
    try:
        count = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        return f"CuPy finds no usable CUDA device: {error}."
    return None if count else "CuPy finds no CUDA device."


def gpu_package() -> ModuleType:
    """Import the GPU package, once a device is known to answer.

    Returns
    -------
    ModuleType
        `ensemblekit_gpu`.

    Raises
    ------
    RuntimeError
        When CuPy or a CUDA device is missing; the message says which.

    Examples
    --------
    >>> gpu_package().__name__  # doctest: +SKIP
    'ensemblekit_gpu'
    """
    reason = why_no_gpu()
    if reason is not None:
        raise RuntimeError(f"{reason} With device='auto' or device='cpu' the same model runs on the CPU.")
    import ensemblekit_gpu  # noqa: PLC0415  # needs CuPy

    return ensemblekit_gpu


def marginal_likelihood(
    Z: npt.NDArray[np.float64],
    targets: npt.NDArray[np.float64],
    weight: npt.NDArray[np.float64],
    *,
    n_experts: int,
    variance_floor: float | None,
) -> Any:
    """Put a table on the GPU for fitting a mixture of linear predictors.

    Parameters
    ----------
    Z, targets, weight, n_experts, variance_floor
        As in `ensemblekit_gpu.marginal.MarginalLikelihood`.

    Returns
    -------
    callable
        From coefficients and sharpness to the log-likelihood and its gradient.

    Raises
    ------
    RuntimeError
        When CuPy or a CUDA device is missing; the message says which.
    MemoryError
        When the table does not fit into the card's memory.

    Examples
    --------
    >>> callable(marginal_likelihood)
    True
    """
    gpu_package()
    from ensemblekit_gpu.cupy_launcher import CupyLauncher  # noqa: PLC0415  # needs CuPy
    from ensemblekit_gpu.marginal import MarginalLikelihood  # noqa: PLC0415

    return MarginalLikelihood(CupyLauncher(), Z, targets, weight, n_experts=n_experts, variance_floor=variance_floor)


def to_host(array: Any) -> npt.NDArray[Any]:
    """Bring an array to the host.

    Parameters
    ----------
    array : ndarray or cupy.ndarray
        Any array.

    Returns
    -------
    ndarray
        The same numbers.

    Examples
    --------
    >>> to_host(np.arange(2))
    array([0, 1])
    """
    return np.asarray(array.get() if hasattr(array, "get") else array)
