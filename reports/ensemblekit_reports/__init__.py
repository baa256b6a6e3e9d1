"""From a table to a report: study, cells, statistics, cost, figures, page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ensemblekit_reports.comparison import Comparison, compare

__all__ = ["Comparison", "compare"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the timed processes import this package too, and want neither pandas nor a second of delay.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ensemblekit_reports import comparison  # noqa: PLC0415

    return getattr(comparison, name)
