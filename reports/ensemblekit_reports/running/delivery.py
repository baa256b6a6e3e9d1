"""How a cell gets from the process that fits it to the study: it leaves its files, and whoever watches it puts them in place.

To wait for the disk takes longer than many a fit. The watching process has nothing else to do meanwhile, and the other goes on fitting.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ensemblekit_reports.atomic import PARTIAL, put_in_place
from ensemblekit_reports.running.predictions import predictions_file


def leave(folder: Path, file: Path, content: bytes) -> None:
    """Write a file for `Delivery` to find: whole or not there, but not for sure on the disk yet.

    Parameters
    ----------
    folder : Path
        Where to leave it.
    file : Path
        Where it belongs.
    content : bytes
        The whole content.

    Raises
    ------
    OSError
        When it cannot be written; it names ``file``.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     leave(Path(folder), Path("out/cells/accuracy/cell.json"), b"{}")
    ...     [file.name for file in Path(folder).iterdir()]
    ['accuracy-cell.json']
    """
    left = _left(folder, file)
    partial = left.with_name(f"{left.name}{PARTIAL}")
    try:
        partial.write_bytes(content)
        partial.replace(left)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(file)) from None


def _left(folder: Path, file: Path) -> Path:
    return folder / f"{file.parent.name}-{file.name}"


class Delivery:
    """Takes cells out of the folder where a process leaves them, in the order in which it fits them.

    Parameters
    ----------
    folder : Path
        Best on the file system of the cells, where a file that is moved need not be copied.
    cells : sequence of Path
        Their files, in that order.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     cells = [Path(folder) / f"accuracy/{name}.json" for name in "ab"]
    ...     cells[0].parent.mkdir()
    ...     leave(Path(folder), cells[0], b"{}")
    ...     delivery = Delivery(Path(folder), cells)
    ...     delivery.take(2)
    ...     [cell.exists() for cell in cells]
    [True, False]
    """

    def __init__(self, folder: Path, cells: Sequence[Path]) -> None:
        self._folder = folder
        self._waiting = list(cells)
        self._taken = 0

    def take(self, count: int) -> None:
        """Put the first cells in place, as many as are to be finished by now; one that was not left is not there.

        Raises
        ------
        OSError
            When a file cannot be moved; it names where it belongs.
        """
        for cell in self._waiting[self._taken : max(count, self._taken)]:
            # The record comes last: where it is, the cell is finished.
            for file in (predictions_file(cell), cell):
                if _left(self._folder, cell).exists() and (left := _left(self._folder, file)).exists():
                    put_in_place(left, file)
            self._taken += 1
