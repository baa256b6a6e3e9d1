"""CuPy launches of the kernels that evaluate gate and experts.

Importing the package needs no GPU and no CuPy; `GpuModel` needs both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ensemblekit_gpu.model import GpuModel

__all__ = ["GpuModel"]


def __getattr__(name: str) -> Any:
    if name != "GpuModel":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ensemblekit_gpu.model import GpuModel  # noqa: PLC0415  # needs CuPy

    return GpuModel
