"""Members that several ensembles share, fitted once while a fold lasts: the part of ``joblib.Memory`` that ensembles use.

joblib's own writes a forest tree by tree in Python, which takes a good part of the time of its fit. Here pickle, which is written in C,
does it all, and nothing is kept beyond the fold.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from joblib import hash as content_hash

#: What pickle raises at a lock, a handle, a class that nobody can import, or something that goes on too deep.
_UNPICKLABLE = (pickle.PicklingError, TypeError, AttributeError, RecursionError)


class MemberCache:
    """What calls of functions returned, by the content of their arguments.

    Parameters
    ----------
    folder : path
        There already; the caller's to remove.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     double = MemberCache(folder).cache(lambda x, name: print(name) or 2 * x, ignore=["name"])
    ...     double(2, name="first"), double(2, name="second"), double(3, name="third")
    first
    third
    (4, 4, 6)
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def cache(self, function: Callable[..., Any], ignore: Sequence[str] = ()) -> Callable[..., Any]:
        """Return a function that calls another one only for arguments that are new.

        Parameters
        ----------
        function : callable
            Its result depends on its arguments alone.
        ignore : sequence of str
            Arguments, given by name, on which it does not depend.

        Returns
        -------
        callable
            Every call but the first returns a copy of its own. What cannot be pickled is called for each time.
        """

        def remembered(*arguments: Any, **named: Any) -> Any:
            told = {name: value for name, value in named.items() if name not in ignore}
            file = self._file((function.__module__, function.__qualname__, arguments, told))
            if file is None:
                return function(*arguments, **named)
            if file.exists():
                return pickle.loads(file.read_bytes())  # noqa: S301 - written by this very fold, a moment ago
            result = function(*arguments, **named)
            self._keep(file, result)
            return result

        return remembered

    def _file(self, call: Any) -> Path | None:
        """Return where the result of a call belongs; nowhere if the call has no content that can be hashed."""
        try:
            return self.folder / str(content_hash(call))
        except _UNPICKLABLE:
            return None

    def _keep(self, file: Path, result: Any) -> None:
        """Write a result whole or not at all: on a full disk, and if it cannot be written, it is made anew each time."""
        partial = file.with_name(f"{file.name}.{os.getpid()}")
        with suppress(OSError, *_UNPICKLABLE):
            try:
                with partial.open("wb") as stream:
                    pickle.dump(result, stream, protocol=5)
                partial.replace(file)
            finally:
                partial.unlink(missing_ok=True)
