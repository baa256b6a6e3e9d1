"""What a notebook shows of an ensemble: its members side by side, with their weights once they are known."""

from __future__ import annotations

from typing import Any

from sklearn.utils._repr_html.estimator import _VisualBlock


def members_block(members: list[tuple[str, Any]], weights: dict[str, float] | None = None, final: Any = None) -> _VisualBlock:
    """Draw members side by side, and below them who combines their answers.

    Parameters
    ----------
    members : list of (str, estimator)
        Under their names; "drop" for one that was left out.
    weights : dict of str to float, optional
        Share of the answer that each member gives, where it was learned.
    final : estimator, optional
        Learns from the members' answers.

    Returns
    -------
    _VisualBlock
        For scikit-learn's own HTML.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> members_block([("a", DummyClassifier()), ("b", DummyClassifier())], {"a": 0.25, "b": 0.75}).names
    ['a: weight 0.25', 'b: weight 0.75']
    """
    # What comes before the colon is what scikit-learn takes for the start of a parameter's name.
    names = [f"{name}: weight {weights[name]:.2g}" if weights and name in weights else name for name, _ in members]
    estimators = [estimator for _, estimator in members]
    if final is None:
        return _VisualBlock("parallel", estimators, names=names)
    below = _VisualBlock("parallel", [final], names=["final_estimator"], dash_wrapped=False)
    return _VisualBlock("serial", (_VisualBlock("parallel", estimators, names=names, dash_wrapped=False), below), dash_wrapped=False)
