"""Generated tables that several tests share."""

import numpy as np


def gated_table(seed, n_samples=200, n_features=3, n_experts=2, n_classes=2):
    """Rows of a real mixture for classification: a sharp gate, linear experts."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    which = (X @ rng.normal(scale=2, size=(n_features, n_experts)) + rng.gumbel(size=(n_samples, n_experts))).argmax(axis=1)
    logits = np.einsum("nd,ndc->nc", X, rng.normal(scale=3, size=(n_experts, n_features, n_classes))[which])
    return X, (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)


def two_lines(seed=0, n_samples=300, noise=0.1):
    """Rows of a real mixture for regression: y = x0 where x1 is positive, else y = -x0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 2))
    return X, np.where(X[:, 1] > 0, X[:, 0], -X[:, 0]) + noise * rng.normal(size=n_samples)


def reference_problem(seed, n_samples, n_features, n_experts, response):
    """X ~ N(0, I); softmax gate with weights N(0, 2^2) and no intercept; linear experts with weights N(0, 3^2)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    gate = rng.normal(size=(n_features, n_experts)) * 2.0
    weights = rng.normal(size=(n_experts, n_features + 1, 1)) * 3.0
    which = (X @ gate + rng.gumbel(size=(n_samples, n_experts))).argmax(axis=1)
    eta = np.einsum("np,npc->nc", np.hstack([X, np.ones((n_samples, 1))]), weights[which])[:, 0]
    if response == "gaussian":
        return X, eta + 0.3 * rng.normal(size=n_samples)
    return X, (rng.random(n_samples) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
