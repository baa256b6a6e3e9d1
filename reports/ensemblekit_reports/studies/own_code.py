"""A reader's own code inside an estimator: whose it is, and a way into other processes.

Code is somebody's own when no package manager has installed it: then no version number tells that it changed
(`fingerprints.py`), and no other process is sure to find it.
"""

from __future__ import annotations

import pickle
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from joblib import wrap_non_picklable_objects
from joblib.externals.loky import cloudpickle_wrapper

#: Hashed whole with every cell (`keys.py`).
OURS = ("ensemblekit", "ensemblekit_reports", "ensemblekit_gpu")
#: Folders of package managers, wherever they are.
_INSTALLED = {"site-packages", "dist-packages"}
_lock = threading.Lock()


def is_own(module: str) -> bool:
    """Tell whether a module is a reader's own: neither installed nor ours.

    Parameters
    ----------
    module : str
        Its full name; ``"__main__"`` is a script or a notebook.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_own("sklearn.svm"), is_own("ensemblekit.mixture"), is_own("__main__")
    (False, False, True)
    """
    if module == "__main__":
        return True
    if module.partition(".")[0] in OURS:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and is_own_file(file)


@cache  # asked of every module that is imported, for every model that travels
def is_own_file(file: str) -> bool:
    """Tell whether a module's file is neither below a folder of a package manager nor of Python itself.

    Parameters
    ----------
    file : str
        Its path, or that of a package's folder.

    Returns
    -------
    bool

    Examples
    --------
    >>> is_own_file("/any/place/models.py"), is_own_file("/any/place/site-packages/models.py")
    (True, False)
    """
    if _INSTALLED & set(Path(file).parts):
        return False
    return not any(Path(file).is_relative_to(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib"))


def by_value(factory: Callable[[int], Any]) -> bytes:
    """Pickle a factory so that a process can make the estimator that cannot import its class.

    Parameters
    ----------
    factory : callable
        Of a model that is not registered; own classes travel with it.

    Returns
    -------
    bytes

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> pickle.loads(by_value(lambda seed: Ridge(2.0, random_state=seed)))(7)
    Ridge(alpha=2.0, random_state=7)
    """
    with _lock, _own_modules_by_value():
        return pickle.dumps(wrap_non_picklable_objects(factory, keep_wrapper=False))


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Let classes of a reader's own modules travel whole: the process at the far end may not have the folder they are in."""
    pickler = sys.modules[cloudpickle_wrapper.dumps.__module__]
    own = [module for name, module in list(sys.modules.items()) if name != "__main__" and is_own(name) and module.__name__ == name]
    registered = [module for module in own if module.__name__ not in pickler.list_registry_pickle_by_value()]
    for module in registered:
        pickler.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in registered:
            pickler.unregister_pickle_by_value(module)
