"""What a notebook shows of a mixture: the gate and the experts side by side, with the rows that each expert has once it is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sklearn.utils._repr_html.estimator import _VisualBlock

#: More experts than this are counted and not drawn.
MOST_EXPERTS = 8


def mixture_block(gate: Any, experts: Sequence[Any], load: Iterable[float] | None = None, outcome: str = "") -> _VisualBlock:
    """Draw a gate and experts side by side.

    Parameters
    ----------
    gate : estimator or str
        The gate, fitted or not.
    experts : sequence of estimator or str
        One for each expert; a word for experts that are no estimators of their own.
    load : iterable of float, optional
        Share of the rows of each expert.
    outcome : str
        How fitting ended, under the gate's name.

    Returns
    -------
    _VisualBlock
        For scikit-learn's own HTML.

    Examples
    --------
    >>> mixture_block("softmax", ["logistic", "logistic"], [0.25, 0.75]).names
    ['gate', 'expert 0: 25 % of the rows', 'expert 1: 75 % of the rows']
    """
    shares = [f": {share:.0%}".replace("%", " % of the rows") for share in load] if load is not None else [""] * len(experts)
    names = [f"expert {position}{share}" for position, share in enumerate(shares)]
    blocks = [_as_block(expert) for expert in experts]
    if len(experts) > MOST_EXPERTS:
        names = [*names[:MOST_EXPERTS], "more experts"]
        blocks = [*blocks[:MOST_EXPERTS], _as_block(f"{len(experts) - MOST_EXPERTS} like these")]
    return _VisualBlock(
        "parallel", [_as_block(gate), *blocks], names=["gate", *names], name_details=[outcome or None, *[None] * len(names)]
    )


def _as_block(part: Any) -> Any:
    return _VisualBlock("single", None, names=part, name_details="") if isinstance(part, str) else part
