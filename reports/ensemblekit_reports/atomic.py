"""Files that are either whole or not there: written beside, flushed to the disk, renamed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

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
    with NamedTemporaryFile(dir=path.parent, prefix=path.name[:40], suffix=PARTIAL, delete=False) as partial:
        try:
            partial.write(content)
            partial.flush()
            os.fsync(partial.fileno())
            partial.close()
            Path(partial.name).chmod(0o666 & ~_umask())
            Path(partial.name).replace(path)
        except BaseException as error:
            Path(partial.name).unlink(missing_ok=True)
            with suppress(OSError):  # closing tries once more to write what the disk did not take
                partial.close()
            if isinstance(error, OSError):
                raise OSError(error.errno, error.strerror, str(path)) from None
            raise


def _umask() -> int:
    # A temporary file is private to its owner; a report is not. The mask can only be read by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
