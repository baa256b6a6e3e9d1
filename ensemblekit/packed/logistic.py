"""scikit-learn's logistic regression as an expert."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit.packed.experts import LinearExpert, expert_packers


@expert_packers.register("sklearn.LogisticRegression", "sklearn.LogisticRegressionCV")
def pack_logistic(model: Any, columns: npt.NDArray[np.intp]) -> LinearExpert:
    """Take the coefficients; two classes become a softmax over (0, margin), which is the sigmoid.

    Parameters
    ----------
    model : fitted LogisticRegression
        Binary or multinomial.
    columns : ndarray of int
        Where its classes stand among the model's.

    Returns
    -------
    LinearExpert
        One row of coefficients per class.

    Raises
    ------
    ValueError
        For one-vs-rest models of three and more classes: their probabilities are no softmax.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> pack_logistic(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), np.arange(2)).coef.shape
    (2, 1)
    """
    if len(model.classes_) > 2 and model.solver == "liblinear":
        raise ValueError("LogisticRegression(solver='liblinear') of 3 and more classes is one-vs-rest, not a softmax.")
    coef, intercept = np.asarray(model.coef_, np.float64), np.asarray(model.intercept_, np.float64)
    if len(coef) == 1:
        coef, intercept = np.vstack([np.zeros_like(coef), coef]), np.append(0.0, intercept)
    return LinearExpert(coef, intercept, columns)
