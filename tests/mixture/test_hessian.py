"""The Hessian of wide tables is that of narrow ones, formed another way."""

import numpy as np
import pytest

from ensemblekit.mixture.linear import objective
from ensemblekit.mixture.linear.design import make_design
from ensemblekit.mixture.linear.families import Categorical


@pytest.mark.parametrize("n_experts", [1, 2])
def test_wide_and_narrow_ways_agree(monkeypatch, n_experts):
    rng = np.random.default_rng(0)
    X, shares = rng.normal(size=(60, 5)), rng.dirichlet(np.ones(3), 60).T[1:]
    problem = objective.LinearMixture(make_design(X, np.ones(60)), Categorical(3), shares, n_experts=n_experts, alpha=0.5)
    theta = rng.normal(size=problem.size)
    narrow = problem.hessian(theta)
    monkeypatch.setattr(objective, "_WIDE", 0)
    np.testing.assert_allclose(problem.hessian(theta), narrow, atol=1e-12)
