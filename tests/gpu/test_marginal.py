"""The marginal likelihood by kernel against the mixture's own objective, on the simulated device and on a CUDA device."""

from __future__ import annotations

import numpy as np
import pytest

from ensemblekit.mixture.linear.design import make_design
from ensemblekit.mixture.linear.families import Categorical, Gaussian
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit_gpu.marginal import MarginalLikelihood
from tests.gpu.test_evaluation import make_launcher  # noqa: F401  # a fixture

N = 300
FAMILIES = {"two classes": Categorical(2), "four classes": Categorical(4), "normal": Gaussian(1e-6)}


def problem(family, n_experts):
    rng = np.random.default_rng(0)
    X, weight = 10 * rng.normal(size=(N, 3)), rng.integers(1, 4, N).astype(float)
    if isinstance(family, Gaussian):
        targets = rng.normal(size=(1, N))
    else:
        targets = (rng.integers(0, family.n_classes, N) == np.arange(1, family.n_classes)[:, None]).astype(float)
    return LinearMixture(make_design(X, weight), family, targets, n_experts=n_experts, alpha=0.5)


def by_kernel(launcher, whole, **settings):
    floor = whole.family.floor if isinstance(whole.family, Gaussian) else None
    design = whole.design
    return MarginalLikelihood(
        launcher, design.Z, whole.targets, design.sample_weight, n_experts=whole.n_experts, variance_floor=floor, **settings
    )


@pytest.mark.parametrize(("threads", "rows", "order"), [(64, N, 0), (128, 77, 3)])
@pytest.mark.parametrize("n_experts", [1, 2, 5])
@pytest.mark.parametrize("family", FAMILIES)
def test_value_and_gradient(make_launcher, family, n_experts, threads, rows, order):  # noqa: F811
    whole = problem(FAMILIES[family], n_experts)
    found = by_kernel(make_launcher(order), whole, threads=threads, rows=rows)
    for scale in (0.0, 1.0, 30.0):  # far out, probabilities underflow
        theta = scale * np.random.default_rng(1).normal(size=whole.size)
        value, slope = found(whole.coefficients(theta))
        expected_value, expected_gradient = whole.value_and_gradient(theta)
        penalised, gradient = whole._penalised(value / whole.total_weight, slope / whole.total_weight, whole.coefficients(theta))
        assert penalised == pytest.approx(expected_value, rel=1e-10)
        np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-8, atol=1e-10 * np.abs(expected_gradient).max())


def test_responsibilities_of_an_annealed_likelihood_are_the_gradient(make_launcher):  # noqa: F811
    """By central differences: the gradient belongs to the value at the likelihood itself only; below, r is that of the tempered one."""
    whole = problem(FAMILIES["two classes"], 3)
    found = by_kernel(make_launcher(), whole, threads=64)
    W = np.random.default_rng(2).normal(size=(4, whole.n_predictors))
    direction = np.random.default_rng(3).normal(size=W.shape)
    ahead, behind = (found(W + sign * 1e-5 * direction)[0] for sign in (1, -1))
    assert float(np.sum(found(W)[1] * direction)) == pytest.approx((ahead - behind) / 2e-5, rel=1e-6)
    even = found(W, sharpness=1e-9)[1][:, :2] / whole.total_weight
    gate = np.exp(np.column_stack([np.zeros(N), whole.design.Z @ W[:, :2]]))
    gate /= gate.sum(axis=1, keepdims=True)
    expected = whole.design.Z.T @ (whole.design.sample_weight[:, None] * (1 / 3 - gate[:, 1:])) / whole.total_weight
    np.testing.assert_allclose(even, expected, rtol=1e-6, atol=1e-7)
