"""A pipeline's last step is packed; what comes before stays outside and is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ensemblekit.packed.model import PackedModel
from ensemblekit.packed.packing import pack, packers


@packers.register("sklearn.Pipeline")
def pack_pipeline(model: Any) -> PackedModel:
    """Pack the final estimator; feed it ``pipeline[:-1].transform(X)``.

    Parameters
    ----------
    model : fitted Pipeline
        Whose last step can be packed.

    Returns
    -------
    PackedModel
        Its `preprocessing` names the steps to apply first.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> pipeline = make_pipeline(StandardScaler(), LogisticRegression()).fit(*load_iris(return_X_y=True))
    >>> pack_pipeline(pipeline).preprocessing
    ('standardscaler',)
    """
    steps = [name for name, step in model.steps[:-1] if step not in {None, "passthrough"}]
    inner = pack(model.steps[-1][1])
    return replace(inner, preprocessing=(*steps, *inner.preprocessing))
