"""What an evaluation needs of a device: memory and launches. CuPy offers it, and so does the simulation on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

SHARED_BYTES = 48 * 1024  # what every CUDA device gives a block without being asked


class Grid(NamedTuple):
    """The shape of a launch.

    Attributes
    ----------
    blocks, threads : int
        Blocks, and threads in each.
    shared : int
        Bytes of dynamic shared memory.

    Examples
    --------
    >>> Grid(blocks=3, threads=128, shared=0).threads
    128
    """

    blocks: int
    threads: int
    shared: int


class Launcher(Protocol):
    """A device: arrays with a NumPy-like interface, and launches in order."""

    def upload(self, array: Any) -> Any:
        """Copy a NumPy array to the device."""

    def empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Allocate an array, not initialised."""

    def zeros(self, shape: tuple[int, ...], dtype: str) -> Any:
        """Allocate an array of zeros."""

    def launch(self, name: str, defines: Mapping[str, int], grid: Grid, arguments: Mapping[str, Any]) -> None:
        """Run a kernel of `ensemblekit_gpu.signatures.KERNELS`."""


class Staging(NamedTuple):
    """Whether the rows of a block fit into shared memory, and what they take there.

    Attributes
    ----------
    stage : int
        1 when they fit.
    bytes : int
        What they take.

    Examples
    --------
    >>> staging(32, 128)
    Staging(stage=1, bytes=16512)
    >>> staging(1000, 128)
    Staging(stage=0, bytes=0)
    """

    stage: int
    bytes: int


def staging(d: int, threads: int, limit: int = SHARED_BYTES // 2) -> Staging:
    """Decide where the rows of a block live.

    Parameters
    ----------
    d, threads : int
        Columns, and rows in a block.
    limit : int, default=half of what a block gets
        Bytes to spend on rows.

    Returns
    -------
    Staging
        In shared memory, or not.

    Examples
    --------
    >>> staging(10, 32).bytes
    1320
    """
    size = 4 * d * (threads + 1)  # one column of padding, see row_by_warp in prelude.cuh
    return Staging(1, size) if size <= limit else Staging(0, 0)


def blocks_for(n: int, threads: int) -> int:
    """Count the blocks that cover `n` threads, at least one.

    Parameters
    ----------
    n, threads : int
        Work items, and threads in a block.

    Returns
    -------
    int
        Blocks.

    Examples
    --------
    >>> blocks_for(129, 128), blocks_for(0, 128)
    (2, 1)
    """
    return max(1, -(-n // threads))
