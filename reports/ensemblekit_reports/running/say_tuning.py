"""What was searched of each model, in sentences."""

from __future__ import annotations

import json
from typing import Any

import numpy as np


def say_tuning(records: list[dict[str, Any]]) -> list[str]:
    """Say what was searched and what the first fold chose, one sentence for each table and model, and who was not tuned beside others.

    Parameters
    ----------
    records : list of dict
        Of cells.

    Examples
    --------
    >>> search = {"trials": 20, "asked": 20, "seconds": 3.0, "score": 0.9, "default": 0.8, "params": {"C": 4.0}}
    >>> say_tuning([{"dataset": "iris", "model": "logistic", "tuning": search}])
    ['iris, logistic: tuned in each fold, 20 of 20 trials, 3 s a fold in the median; in the first fold it chose C = 4.']
    """
    by_pair: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for record in records:
        if record.get("tuning"):
            by_pair.setdefault((record["dataset"], record["model"]), []).append(record["tuning"])
    said = [f"{table}, {model}: {_say_searches(searches)}" for (table, model), searches in by_pair.items()]
    as_they_are = sorted({r["model"] for r in records if r.get("status") == "ok" and not r.get("tuning")}) if said else []
    return said + [f"{model}: not tuned, since it has no search space." for model in as_they_are]


def _say_searches(searches: list[dict[str, Any]]) -> str:
    least, most = min(search["trials"] for search in searches), max(search["trials"] for search in searches)
    done = f"{least}" if least == most else f"{least} to {most}"
    seconds = float(np.median([search["seconds"] for search in searches]))
    chosen = ", ".join(f"{name} = {_short(value)}" for name, value in searches[0]["params"].items()) or "the model as it is"
    cost = f"{seconds:.2g} s a fold in the median"
    return f"tuned in each fold, {done} of {searches[0]['asked']} trials, {cost}; in the first fold it chose {chosen}."


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
