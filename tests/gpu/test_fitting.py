"""Mixtures fitted with ``device="cuda"``: by the simulated device the same as on the CPU, and clear words where there is none."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from ensemblekit import device as devices
from ensemblekit.mixture import MixtureOfExpertsClassifier, MixtureOfExpertsRegressor
from ensemblekit_gpu.marginal import MarginalLikelihood
from gpu.hostsim.host import NO_COMPILER, HostLauncher
from tests.trees.edges import table

without_gpu = pytest.mark.skipif(devices.why_no_gpu() is None, reason="this machine has a CUDA device")
SETTINGS = {"n_experts": 3, "n_init": 8, "random_state": 0}  # with fewer starts, the order of sums decides which optimum is found


@pytest.fixture
def simulated(monkeypatch):
    """A device that is there; counts the passes over the table that it makes."""
    passes = []

    class Counted(MarginalLikelihood):
        def __call__(self, W, *rest):
            passes.append(len(self.pieces))
            return super().__call__(W, *rest)

    monkeypatch.setattr(devices, "why_no_gpu", lambda: None)
    monkeypatch.setattr(devices, "marginal_likelihood", lambda *rows, **settings: Counted(HostLauncher(), *rows, **settings))
    return passes


@pytest.mark.skipif(NO_COMPILER is not None, reason=str(NO_COMPILER))
@pytest.mark.parametrize("device", ["cuda", "auto"])
@pytest.mark.parametrize("kind", [MixtureOfExpertsClassifier, MixtureOfExpertsRegressor])
def test_the_same_mixture_as_on_the_cpu(simulated, kind, device):
    X, y = table(3)
    rng = np.random.default_rng(0)
    weight = rng.integers(1, 3, len(y)).astype(float)
    if kind is MixtureOfExpertsRegressor:
        y = np.where(y == 0, 3 * X[:, 0], -2 * X[:, 1]) + 0.3 * rng.normal(size=len(y))
    there = kind(**SETTINGS, device=device).fit(X, y, weight)
    assert len(simulated) > 10
    count = len(simulated)
    here = kind(**SETTINGS).fit(X, y, weight)
    assert len(simulated) == count
    assert there.lower_bound_ == pytest.approx(here.lower_bound_, rel=1e-9)
    np.testing.assert_allclose(there.gate_proba(X), here.gate_proba(X), atol=1e-6)
    pickle.dumps(there)  # nothing of the device stays in the model


@pytest.mark.parametrize(
    "settings",
    [{"gate": "gaussian"}, {"experts": DecisionTreeClassifier()}, {"optimizer": "em"}, {"optimizer": "adam"}],
)
def test_what_a_gpu_does_not_fit(settings):
    X, y = table(2)
    with pytest.raises(ValueError, match="device='cuda' fits softmax or constant gates with logistic or linear experts"):
        MixtureOfExpertsClassifier(2, device="cuda", **settings).fit(X, y)


@without_gpu
def test_without_a_gpu():
    X, y = table(2)
    with pytest.raises(RuntimeError, match="device='auto' or device='cpu'"):
        MixtureOfExpertsClassifier(**SETTINGS, device="cuda").fit(X, y)
    answers = [MixtureOfExpertsClassifier(**SETTINGS, device=device).fit(X, y).predict_proba(X) for device in ("auto", "cpu")]
    np.testing.assert_array_equal(*answers)
    with pytest.raises(ValueError, match="'device' parameter"):
        MixtureOfExpertsClassifier(device="gpu").fit(X, y)


@pytest.mark.gpu
def test_on_a_gpu():
    X, y = table(3)
    there, here = (MixtureOfExpertsClassifier(**SETTINGS, device=device).fit(X, y) for device in ("cuda", "cpu"))
    assert there.lower_bound_ == pytest.approx(here.lower_bound_, rel=1e-9)
