"""Packed models on disk: the same model back, or an error; never an index outside of an array."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from ensemblekit.packed import PackedModel, pack
from ensemblekit.packed.checking import check
from tests.packed.test_pack import gated
from tests.trees import zoo


def test_there_and_back(tmp_path):
    model, X = gated(2)
    model.save(tmp_path / "m.npz")
    back = PackedModel.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    for field in fields(model):
        np.testing.assert_array_equal(getattr(back, field.name), getattr(model, field.name))
    assert [path.name for path in tmp_path.iterdir()] == ["m.npz"]


def test_pickles_hold_the_arrays_only():
    model, X = gated(2)
    before = len(pickle.dumps(model))
    expected = model.predict_proba(X)
    assert len(pickle.dumps(model)) == before
    back = pickle.loads(pickle.dumps(model))  # noqa: S301 (our own bytes)
    np.testing.assert_array_equal(back.predict_proba(X), expected)
    with pytest.raises(ValueError, match="read-only"):
        back.gate[0] = 0


def test_labels_of_any_kind(tmp_path):
    X, y = zoo.table(3)
    for labels in (np.array(["no", "yes", "perhaps"], dtype=object), np.array([2, 1, 7]), np.array([True, False, True])):
        model = RandomForestClassifier(3, random_state=0).fit(X, labels[y])
        pack(model).save(tmp_path / "m.npz")
        np.testing.assert_array_equal(PackedModel.load(tmp_path / "m.npz").predict(X), model.predict(X))


def test_pickles_and_rubbish_are_refused(tmp_path):
    np.savez(tmp_path / "pickle.npz", header=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    (tmp_path / "text.npz").write_text("no")
    (tmp_path / "empty.npz").touch()
    for path in tmp_path.iterdir():
        with pytest.raises(ValueError, match="holds no packed model"):
            PackedModel.load(path)
    with pytest.raises(FileNotFoundError):
        PackedModel.load(tmp_path / "missing.npz")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    model, _ = gated()
    model.save(tmp_path / "m.npz")
    before = (tmp_path / "m.npz").read_bytes()
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        model.save(tmp_path / "m.npz")
    assert (tmp_path / "m.npz").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "name",
    ["tree_start", "node_start", "leaf_start", "perfect_nodes", "sparse_nodes", "depth", "form", "linear_slot", "vector"],
)
def test_damaged_indices_are_found(name):
    """Flip high bits in one array at a time; either the check refuses it or the answer is still computable."""
    model, X = gated()
    original = getattr(model, name)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(25):
        damaged = original.copy()
        damaged.ravel()[rng.integers(damaged.size)] ^= 1 << rng.integers(31)
        broken = replace(model, **{name: damaged})
        try:
            check(broken)
        except ValueError as error:
            assert "damaged" in str(error)  # noqa: PT017
            refused += 1
        else:
            broken.predict_proba(X)
    assert refused > 0


def test_damaged_categories_are_found():
    X, y = zoo.table(3, categorical=True)
    model = pack(zoo.fit(zoo.CATEGORICAL["lightgbm"](), X, y, categorical=True))
    check(model)
    words = model.category_words.copy()
    words[0] = 1 << 30
    with pytest.raises(ValueError, match="category_words is damaged"):
        check(replace(model, category_words=words))


def test_arrays_cannot_be_written(tmp_path):
    model, _ = gated()
    model.save(tmp_path / "m.npz")
    for packed in (model, PackedModel.load(tmp_path / "m.npz")):
        with pytest.raises(ValueError, match="read-only"):
            packed.gate[0] = 0
        with pytest.raises(AttributeError):
            packed.top_k = 3
