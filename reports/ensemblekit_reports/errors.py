"""What a reader can put right: one sentence, no traceback, exit code 2."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """A mistake in the input that the reader can put right.

    The command prints its text alone and ends with exit code 2; from Python it is an ordinary exception.

    Examples
    --------
    >>> raise UserError("the table has no rows")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: the table has no rows
    """


def unknown_name(what: str, received: str, valid: Iterable[str], *, shown: int = 30) -> UserError:
    """Make the error for a name that is none of the valid ones.

    Parameters
    ----------
    what : str
        What was named, such as ``"model"``.
    received : str
        The name as it was given.
    valid : iterable of str
        Every name that would have been right.
    shown : int, default=30
        How many valid names the sentence lists before it says how many more there are.

    Returns
    -------
    UserError
        To be raised by the caller.

    Examples
    --------
    >>> print(unknown_name("model", "forest", ["logistic", "random-forest"]))
    unknown model 'forest': did you mean 'random-forest'? Valid: logistic, random-forest.
    """
    names = list(valid)
    near = nearest(received, names)
    hint = f" did you mean {near!r}?" if near else ""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return UserError(f"unknown {what} {received!r}:{hint} Valid: {', '.join(names[:shown])}{more}.")


def nearest(received: str, valid: Iterable[str]) -> str | None:
    """Return the valid name closest to what was typed, whatever its case, or None.

    Parameters
    ----------
    received : str
        The name as it was typed.
    valid : iterable of str
        Names to choose from.

    Returns
    -------
    str or None
        The nearest name, if any is near.

    Examples
    --------
    >>> nearest("chruned", ["age", "Churned"])
    'Churned'
    """
    folded = {name.casefold(): name for name in valid}
    close = get_close_matches(received.casefold(), folded, n=1, cutoff=0.6)
    inside = [key for key in folded if received and received.casefold() in key]
    return folded[close[0]] if close else folded[inside[0]] if inside else None
