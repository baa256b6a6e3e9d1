"""The one place that turns a missing optional package into a command the reader can run."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def require(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import an optional package, or say how to install it.

    Parameters
    ----------
    module : str
        Importable name, such as ``"lightgbm"``.
    extra : str
        The extra of ensemblekit that brings it.
    purpose : str
        What needs it, as the start of a sentence.

    Returns
    -------
    ModuleType
        The imported module.

    Raises
    ------
    ImportError
        When it is not installed; the message holds the command.

    Examples
    --------
    >>> require("math", extra="boosting", purpose="Counting").pi > 3
    True
    """
    try:
        return import_module(module)
    except ImportError as error:
        command = f"pip install 'ensemblekit[{extra}]'"
        raise ImportError(f"{purpose} needs the package {module!r}, which is not installed. Install it: {command}") from error
