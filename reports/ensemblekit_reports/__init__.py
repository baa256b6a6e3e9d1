"""From a table to a report: study, cells, statistics, cost, figures, page."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ensemblekit_reports.comparison import Comparison, compare
    from ensemblekit_reports.outputs.stored_model import StoredModel, load_model
    from ensemblekit_reports.studies.model_choice import ModelChoice
    from ensemblekit_reports.studies.tuning import Tuning

__all__ = ["Comparison", "ModelChoice", "StoredModel", "Tuning", "compare", "load_model"]
_MODULES = {
    "Comparison": "comparison",
    "ModelChoice": "studies.model_choice",
    "StoredModel": "outputs.stored_model",
    "Tuning": "studies.tuning",
    "compare": "comparison",
    "load_model": "outputs.stored_model",
}


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the timed processes import this package too, and want neither pandas nor a second of delay.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ensemblekit_reports.{_MODULES[name]}"), name)
