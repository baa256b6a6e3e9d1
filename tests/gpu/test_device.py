"""The door to the GPU: what it says without one, and what only a CUDA device can show."""

from __future__ import annotations

import numpy as np
import pytest

from ensemblekit import device
from ensemblekit.packed import reference
from tests.gpu.models import linear_model, mixed_model

HAS_GPU = device.why_no_gpu() is None
without_gpu = pytest.mark.skipif(HAS_GPU, reason="this machine has a CUDA device")


@without_gpu
def test_without_a_gpu_the_reason_is_said():
    model, X = mixed_model()
    with pytest.raises(RuntimeError, match="device='auto' or device='cpu'"):
        model.to_gpu()
    with pytest.raises(RuntimeError, match="GPU"):
        model.predict_proba(X, device="cuda")


@without_gpu
def test_auto_falls_back_to_the_cpu():
    model, X = mixed_model()
    assert device.resolve("auto") == "cpu"
    np.testing.assert_array_equal(model.predict_proba(X, device="auto"), model.predict_proba(X))


@pytest.fixture
def cupy():
    if not HAS_GPU:
        pytest.fail(f"gpu tests were asked for, but {device.why_no_gpu()}")
    return pytest.importorskip("cupy")


@pytest.mark.gpu
def test_numpy_in_numpy_out(cupy):
    model, X = mixed_model(2)
    found = model.predict_proba(X, device="cuda")
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, reference.predict_proba(model, X), atol=5e-6)
    np.testing.assert_array_equal(model.predict(X, device="cuda"), model.predict(X))


@pytest.mark.gpu
def test_cupy_in_cupy_out(cupy):
    model, X = linear_model(1)
    found = model.to_gpu().predict_proba(cupy.asarray(X))
    assert isinstance(found, cupy.ndarray)
    np.testing.assert_allclose(found.get(), reference.predict_proba(model, X), atol=5e-6)


@pytest.mark.gpu
def test_on_a_stream_of_its_own(cupy):
    model, X = mixed_model(1)
    with cupy.cuda.Stream(non_blocking=True) as stream:
        found = model.to_gpu().predict_proba(cupy.asarray(X))
        stream.synchronize()
    np.testing.assert_allclose(found.get(), reference.predict_proba(model, X), atol=5e-6)


@pytest.mark.gpu
def test_more_rows_than_memory(cupy, monkeypatch):
    model, X = mixed_model(2)
    on_gpu = model.to_gpu()
    monkeypatch.setattr(on_gpu, "_rows_at_once", lambda: 37)
    for rows in (X, cupy.asarray(X)):
        found = on_gpu.predict_proba(rows)
        np.testing.assert_allclose(device.to_host(found), reference.predict_proba(model, X), atol=5e-6)


@pytest.mark.gpu
def test_rows_that_do_not_fit(cupy):
    model, X = mixed_model()
    X[0, 0] = np.nan
    for rows in (X, cupy.asarray(X)):
        with pytest.raises(ValueError, match="missing"):
            model.to_gpu().predict_proba(rows)
        with pytest.raises(ValueError, match=r"shape \(n, 8\)"):
            model.to_gpu().predict_proba(rows[:, :2])
