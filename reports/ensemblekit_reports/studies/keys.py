"""What a stored cell is known by: a hash of everything that its content depends on.

A changed table, model, seed, library or line of our own code gives another key, so a stale cell is never read.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

import ensemblekit
from ensemblekit_reports.environment import versions

#: Our own files that stand between a table and a number; those of the models are hashed whole.
_OWN = (
    "quantities.py",
    "running/asking.py",
    "running/attempt.py",
    "running/cells.py",
    "running/energy.py",
    "running/fit_estimator.py",
    "running/fold.py",
    "running/fold_pass.py",
    "running/global_state.py",
    "running/grouped_folds.py",
    "running/member_cache.py",
    "running/metrics.py",
    "running/pace.py",
    "running/peak_memory.py",
    "running/predictions.py",
    "running/prepared.py",
    "running/preprocessing.py",
    "running/record.py",
    "running/search.py",
    "running/serving.py",
    "running/thread_pools.py",
    "running/timing.py",
    "running/tuned_model.py",
    "running/warm_up.py",
    "studies/learning_rows.py",
    "studies/model.py",
    "studies/own_model.py",
    "studies/portable.py",
    "studies/registry.py",
    "studies/scheme.py",
    "studies/tuning.py",
)


def content_key(**parts: object) -> str:
    """Hash everything that a cell depends on, the code and its libraries included.

    Parameters
    ----------
    **parts : object
        Names and values that JSON can write.

    Returns
    -------
    str
        Thirty-two hexadecimal digits.

    Examples
    --------
    >>> content_key(fold=0) == content_key(fold=0), content_key(fold=0) == content_key(fold=1)
    (True, False)
    """
    whole = {"code": _code(), "versions": _versions(), **parts}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:32]


@cache
def _code() -> str:
    models = Path(ensemblekit.__file__).parent
    files = sorted(models.rglob("*.py")) + [Path(__file__).parents[1] / name for name in _OWN]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


@cache
def _versions() -> dict[str, str]:
    return versions()
