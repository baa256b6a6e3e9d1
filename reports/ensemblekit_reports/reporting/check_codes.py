"""The names of the checks, by which a reader silences them."""

from __future__ import annotations

from collections.abc import Iterable

from ensemblekit_reports.errors import unknown_name

#: Gravest first; `checks.py` has the function of each.
CODES = (
    "model-failed",
    "folds-differ",
    "metric-undefined",
    "column-predicts-target",
    "different-machines",
    "timing-contended",
    "cost-missing",
    "class-too-rare",
    "single-fold",
    "too-few-tables",
    "rope-too-wide",
    "slower-than-linear",
    "gate-collapsed",
    "weights-degenerate",
    "quick-scheme",
)


def check_silence(codes: Iterable[str]) -> tuple[str, ...]:
    """Refuse codes that no check has.

    Parameters
    ----------
    codes : iterable of str
        As the reader gave them.

    Returns
    -------
    tuple of str
        Each once.

    Raises
    ------
    UserError
        When one is unknown.

    Examples
    --------
    >>> check_silence(["quick-scheme", "quick-scheme"])
    ('quick-scheme',)
    >>> check_silence(["quick"])
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: unknown check 'quick': did you mean 'quick-scheme'? Valid: model-failed, ...
    """
    chosen = tuple(dict.fromkeys(codes))
    for code in chosen:
        if code not in CODES:
            raise unknown_name("check", code, CODES)
    return chosen
