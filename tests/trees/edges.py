"""Small tables, and rows on the knife's edge of a model's splits; needs scikit-learn only."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import make_classification


def table(n_classes: int, *, missing: bool = False, categorical: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Make 400 float32 rows of 8 columns; the categorical ones are columns 0 and 1."""
    rng = np.random.default_rng(7)
    X, y = make_classification(400, 8, n_informative=6, n_classes=n_classes, random_state=1)
    X = X.astype(np.float32)
    if categorical:
        X[:, 0] = rng.permutation(11)[(rng.integers(0, 6, 400) + 3 * y) % 11]  # tells of y, in no order
        X[:, 1] = (rng.integers(0, 50, 400) + 9 * y) % 70
    if missing:
        X[rng.random(X.shape) < 0.1] = np.nan
    return X, y


def knife_edge(trees, X, *, infinite=True, missing=True, seed=0):
    """Take rows of X and put thresholds, their float32 neighbours, zeros, denormals and infinities into them."""
    rng = np.random.default_rng(seed)
    rows = np.repeat(X, 3, axis=0)
    tiny = np.float32(1e-35)
    special = [0.0, -0.0, 1e-40, -1e-40, 1.4e-45, tiny, -tiny, np.nextafter(tiny, np.float32(1)), 1e30, -1e30]
    special += [np.inf, -np.inf] if infinite else []
    special += [np.nan] if missing else []
    numeric = (trees.feature >= 0) & (trees.category_set < 0)
    for column in range(trees.n_features):
        if column in trees.categorical_features:
            continue
        t = trees.threshold[numeric & (trees.feature == column)]
        t = t[np.isfinite(t)]
        up, down = (np.nextafter(t, np.float32(s * np.inf), dtype=np.float32) for s in (1, -1))
        pool = np.concatenate([t, up, down, np.array(special, np.float32)])
        rows[:, column] = rng.choice(pool, len(rows))
    return rows
