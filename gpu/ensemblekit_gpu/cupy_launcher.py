"""Launches through CuPy, on the current device and stream."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import cupy

from ensemblekit_gpu.launching import Grid
from ensemblekit_gpu.signatures import bind, launch_key
from ensemblekit_gpu.sources import source_text


class CupyLauncher:
    """A CUDA device.

    Examples
    --------
    >>> CupyLauncher().zeros((2,), "f4")  # doctest: +SKIP
    array([0., 0.], dtype=float32)
    """

    def upload(self, array: Any) -> Any:
        """Copy a NumPy array to the device; a CuPy array stays where it is."""
        return cupy.ascontiguousarray(cupy.asarray(array))

    def empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Allocate an array, not initialised."""
        return cupy.empty(shape, dtype)

    def zeros(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Allocate an array of zeros."""
        return cupy.zeros(shape, dtype)

    def launch(self, name: str, defines: Mapping[str, int], grid: Grid, arguments: Mapping[str, Any]) -> None:
        """Run a kernel on the current stream; compiled once for each device and set of constants."""
        ordered = bind(name, defines, arguments)
        module = _module(cupy.cuda.Device().id, *launch_key(name, defines))
        module.get_function(name)((grid.blocks,), (grid.threads,), tuple(ordered), shared_mem=grid.shared)


@cache
def _module(device: int, source: str, defines: tuple[tuple[str, int], ...]) -> Any:  # noqa: ARG001  # device: part of the key
    options = ("--std=c++17", *(f"-D{name}={value}" for name, value in defines))
    return cupy.RawModule(code=source_text(source), backend="nvrtc", options=options)
