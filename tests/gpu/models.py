"""Packed models of every form of expert, made with scikit-learn alone: a machine with a GPU may have no booster installed."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from threadpoolctl import threadpool_limits

from ensemblekit.packed.assembling import assemble, constant_gate
from ensemblekit.packed.experts import LinearExpert, pack_expert
from ensemblekit.packed.gates import linear_gate
from tests.trees.edges import knife_edge, table

TREES = {
    "perfect, one value a leaf": lambda: HistGradientBoostingClassifier(max_iter=6, max_depth=5),
    "perfect, a leaf for all classes": lambda: RandomForestClassifier(9, max_depth=4, random_state=0),
    "sparse, one value a leaf": lambda: GradientBoostingClassifier(n_estimators=5, max_depth=12, random_state=0),
    "sparse, a leaf for all classes": lambda: RandomForestClassifier(9, random_state=0),
}


@cache
def fitted(name, n_classes, missing):
    """The table and the expert; one thread, since many small fits on a busy machine wait for one another."""
    X, y = table(n_classes, missing=missing)
    with threadpool_limits(1):
        return X, pack_expert(TREES[name]().fit(X, y), np.arange(n_classes))


def forest_model(name, *, n_classes=3):
    """One expert, and rows on the knife's edge of its splits."""
    missing = not name.startswith("sparse, one value")
    X, expert = fitted(name, n_classes, missing)
    model = assemble(constant_gate([1]), [expert], kind="test", classes=np.arange(n_classes), n_features=8)
    assert model.form[0] == (1 if name.startswith("perfect") else 2)
    assert model.vector[0] == name.endswith("all classes")
    return model, knife_edge(expert.trees, X, missing=missing)[:300]


def categorical_model():
    """Unseen categories included."""
    X, y = table(3, missing=True, categorical=True)
    with threadpool_limits(1):
        boosted = HistGradientBoostingClassifier(max_iter=6, categorical_features=[0, 1]).fit(X, y)
    expert = pack_expert(boosted, np.arange(3))
    model = assemble(constant_gate([1]), [expert], kind="test", classes=np.arange(3), n_features=8)
    X = X[:150].copy()
    X[:40, 1] = np.tile([-1, 69, 200, 1e9], 10)
    return model, X


def mixed_model(top_k=None, combination="mean", gate="softmax", threshold=0.0):
    """Trees of three forms and a linear expert that never saw the class 1, under a gate of any kind."""
    X, _ = table(3)
    experts = [fitted(kind, 3, False)[1] for kind in list(TREES)[1:]]
    rng = np.random.default_rng(5)
    experts.append(LinearExpert(rng.normal(size=(2, 8)), rng.normal(size=2), np.array([0, 2])))
    settings = {"top_k": top_k, "combination": combination, "threshold": threshold, "precision": [1, 2, 3, 0.5]}
    return assemble(GATES[gate](rng), experts, kind="test", classes=np.arange(3), n_features=8, **settings), X[:150]


def gaussian_gate(rng, diagonal):
    """Four regions, far enough from a row to need float64: what all logits have in common is much larger than what sets them apart."""
    factor = 3 * rng.normal(size=(4, 1, 8)) if diagonal else np.triu(rng.normal(size=(4, 8, 8)))
    constant = linear_gate(rng.normal(size=(1, 4)) - 20_000, n_features=8)
    return constant._replace(mean=3 * rng.normal(size=(4, 8)), factor=factor, offset=rng.normal(size=4))


def hierarchy_of_gates(rng):
    """Two nodes under a root, of three experts and one."""
    flat = linear_gate(rng.normal(size=(9, 6)), n_features=8)
    node, path = np.array([0, 0, 1, 1, 1, 2], np.int32), np.array([[0, 2], [0, 3], [0, 4], [1, 5]], np.int32)
    return flat._replace(node=node, path=path, offset=rng.normal(size=4))


def classifier_gate(rng):
    """A forest that never saw a row of the third expert."""
    X, y = table(3)
    with threadpool_limits(1):
        forest = RandomForestClassifier(5, max_depth=3, random_state=0).fit(X, np.array([0, 1, 3])[y])
    model = assemble(constant_gate([1]), [pack_expert(forest, np.arange(4))], kind="gate", classes=np.arange(4), n_features=8)
    return linear_gate(np.zeros((1, 4)), n_features=8)._replace(model=model, offset=rng.normal(size=4))


GATES = {
    "softmax": lambda rng: linear_gate(rng.normal(size=(9, 4)) / 3, n_features=8),
    "gaussian": lambda rng: gaussian_gate(rng, diagonal=False),
    "gaussian, diagonal": lambda rng: gaussian_gate(rng, diagonal=True),
    "hierarchy": hierarchy_of_gates,
    "classifier": classifier_gate,
}


def regression_model():
    """Regression trees of both forms and a line, under a Gaussian gate, weighted by precision."""
    X, y = table(3)
    answer = 10 + 3 * X[:, 0] * y
    with threadpool_limits(1):
        trees = [RandomForestRegressor(5, max_depth=depth, random_state=0).fit(X, answer) for depth in (4, None)]
    experts = [*(pack_expert(tree, None) for tree in trees), pack_expert(LinearRegression().fit(X, answer), None)]
    rng = np.random.default_rng(6)
    gate = linear_gate(np.zeros((1, 3)), n_features=8)._replace(mean=rng.normal(size=(3, 8)), factor=rng.normal(size=(3, 1, 8)))
    return assemble(gate, experts, kind="test", classes=None, n_features=8, precision=[1, 2, 0.5]), X[:150]


def linear_model(top_k=None, n_features=8, combination="mean", rows=150):
    """Four linear experts, two of which always tie at the gate."""
    rng = np.random.default_rng(1)
    experts = [LinearExpert(rng.normal(size=(3, n_features)), rng.normal(size=3), np.arange(3)) for _ in range(3)]
    experts.insert(1, LinearExpert(rng.normal(size=(2, n_features)), rng.normal(size=2), np.array([0, 2])))
    gate = rng.normal(size=(n_features + 1, 4))
    gate[:, 3] = gate[:, 2]
    model = assemble(gate, experts, kind="test", classes=np.arange(3), n_features=n_features, top_k=top_k, combination=combination)
    X = rng.normal(size=(rows, n_features)) / np.sqrt(n_features)
    return model, X.astype(np.float32)
