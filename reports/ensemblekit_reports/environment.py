"""Where a study runs: versions, machine and a fingerprint that keeps timings of different machines apart."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from importlib import metadata
from pathlib import Path

import joblib

#: Distributions whose version may change a result or a timing; XGBoost has two names.
_PACKAGES = (
    "ensemblekit",
    "numpy",
    "scipy",
    "scikit-learn",
    "xgboost",
    "xgboost-cpu",
    "lightgbm",
    "joblib",
    "pandas",
    "pyarrow",
)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the installed packages that matter.

    Returns
    -------
    dict of str to str
        By package name; packages that are not installed are absent.

    Examples
    --------
    >>> "numpy" in versions()
    True
    """
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Return what a reader should know of this machine before believing a timing.

    Returns
    -------
    dict of str to str
        Processor, logical cores that this process may use, memory, operating system.

    Examples
    --------
    >>> sorted(machine())
    ['logical cores', 'memory', 'operating system', 'processor']
    """
    return {
        "processor": _processor(),
        "logical cores": str(joblib.cpu_count()),
        "memory": _memory(),
        "operating system": f"{platform.system()} {platform.release()} ({platform.machine()})",
    }


def fingerprint(facts: dict[str, str]) -> str:
    """Return a short hash of a machine's facts.

    Parameters
    ----------
    facts : dict of str to str
        As returned by ``machine``.

    Returns
    -------
    str
        Twelve hexadecimal digits.

    Examples
    --------
    >>> len(fingerprint(machine()))
    12
    """
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory() -> str:
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return "unknown"
    return f"{total / 2**30:.0f} GiB"
