"""Files that are either whole or not there: written beside, flushed to the disk, renamed."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

#: Ending of a file that is still being written; whatever carries it after a crash is rubbish, and nobody else's.
PARTIAL = ".ensemblekit.partial"


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that no reader, and no crash, ever sees half of it.

    Parameters
    ----------
    path : Path
        Where the file shall be; its folder must exist. A file that is there is replaced.
    content : bytes
        The whole content.

    Raises
    ------
    OSError
        When the folder cannot be written to or the disk is full; it names ``path``, which is then as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     write_bytes(Path(folder) / "cell.json", b"{}")
    ...     [file.name for file in Path(folder).iterdir()]
    ['cell.json']
    """
    # The same folder, because a rename is atomic only within one file system.
    partial = path.with_name(f"{path.name[:40]}-{token_hex(4)}{PARTIAL}")
    try:
        with partial.open("xb") as stream:
            stream.write(content)
        put_in_place(partial, path)
    except BaseException as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def put_in_place(written: Path, path: Path) -> None:
    """Move a file that is written to where it belongs, once the disk has all of it.

    Parameters
    ----------
    written : Path
        Gone afterwards. On another file system it is copied first.
    path : Path
        Where it shall be. A file that is there is replaced.

    Raises
    ------
    OSError
        When the folder cannot be written to or the disk is full; it names ``path``, which is then as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "left").write_bytes(b"{}")
    ...     put_in_place(Path(folder) / "left", Path(folder) / "cell.json")
    ...     [file.name for file in Path(folder).iterdir()]
    ['cell.json']
    """
    try:
        with written.open("rb+") as stream:
            os.fsync(stream.fileno())
        written.replace(path)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise OSError(error.errno, error.strerror, str(path)) from None
        write_bytes(path, written.read_bytes())
        written.unlink()
