"""The most memory that this process has had: the kernel's high-water mark (VmHWM), which a process may reset on Linux."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def reset_peak() -> float:
    """Let the high-water mark start anew.

    Returns
    -------
    float
        Bytes that are resident now; NaN where this system does not let a process reset its mark.

    Examples
    --------
    >>> before = reset_peak()
    >>> kept = np.ones(5_000_000)
    >>> bool(peak_bytes() - before > 39e6 or np.isnan(before))
    True
    """
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return np.nan
    return peak_bytes()


def peak_bytes() -> float:
    """Return the high-water mark.

    Returns
    -------
    float
        Bytes; NaN where this system does not tell.

    Examples
    --------
    >>> bool(peak_bytes() > 1e6 or np.isnan(peak_bytes()))
    True
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return np.nan
    marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return float(marks[0]) * 1024 if marks else np.nan
