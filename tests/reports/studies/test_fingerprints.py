"""What an estimator is known by: every way into a reader's own code and every value counts, and addresses do not."""

from __future__ import annotations

import importlib
import subprocess
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.preprocessing import FunctionTransformer

from ensemblekit_reports.studies.fingerprints import fingerprint_of
from ensemblekit_reports.studies.own_model import model_from_estimator

HELPER = "def f(X):\n    return X + {rate}\n"
OWN = """
{top}
class Own:
    {member}
    def fit(self, X, y):
        return {body}
"""
#: Where the number 1 stands, another one is another model.
WAYS = {
    "a constant of the module": ("RATE = {rate}", "pass", "X * RATE"),
    "a function of a module": ("import own_helper", "pass", "own_helper.f(X)"),
    "a function by its name as text": ("import own_helper", "pass", "getattr(own_helper, 'f')(X)"),
    "an import inside a method": (
        "",
        "pass",
        "__import__('x') if X is None else self.g(X)\n    def g(self, X):\n        import own_helper as h; return h.f(X)",
    ),
    "from an import inside a method": ("", "pass", "self.g(X)\n    def g(self, X):\n        from own_helper import f; return f(X)"),
    "a dict of the class": ("", "rates = dict(a=[{rate}])", "self.rates['a']"),
    "a module in the class": ("import own_helper", "back = own_helper", "self.back.f(X)"),
    "a dict of functions": ("F = dict(f=lambda X: X * {rate})", "pass", "F['f'](X)"),
    "a cached function": ("import functools\n@functools.lru_cache\ndef g(X):\n    return X * {rate}", "pass", "g(X)"),
    "a cached property": ("import functools", "@functools.cached_property\n    def g(self):\n        return {rate}", "self.g"),
    "the setter of a property": ("", "g = property(lambda self: 0, lambda self, value: value * {rate})", "X"),
    "a partial of the module": ("import functools\ng = functools.partial(max, {rate})", "pass", "g(X)"),
    "a static method": ("", "@staticmethod\n    def g(X):\n        return X + {rate}", "self.g(X)"),
    "an own object": ("class R:\n    def __init__(self, r): self.r = r\nR1 = R({rate})", "pass", "R1.r"),
    "the first constant of a comprehension": ("", "pass", "list(('{rate}' + x for x in X))"),
    "a class made by a decorator": (
        "def d(r):\n    def w(f):\n        return lambda *a: f(*a) * r\n    return w",
        "g = d({rate})(lambda self: 1)",
        "X",
    ),
}


@pytest.fixture
def made(tmp_path, monkeypatch):
    """From the number in them to an instance of a class in modules that were written and imported just now."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(way, rate, comment=""):
        top, member, body = WAYS[way]
        (tmp_path / "own_helper.py").write_text(HELPER.format(rate=rate))
        (tmp_path / "own_model.py").write_text(comment + OWN.format(top=top, member=member, body=body).replace("{rate}", str(rate)))
        forget()
        importlib.invalidate_caches()
        return importlib.import_module("own_model").Own()

    def forget():
        for name in ("own_model", "own_helper"):
            sys.modules.pop(name, None)

    yield make
    forget()


@pytest.mark.parametrize("way", WAYS)
def test_every_way_into_own_code_counts(made, way):
    one = fingerprint_of(made(way, 1))
    assert one == fingerprint_of(made(way, 1, comment="# of no weight\n\n"))
    assert one != fingerprint_of(made(way, 2))


class Takes(ClassifierMixin, BaseEstimator):
    MISSING = object()

    def __init__(self, value=MISSING):
        self.value = value

    def fit(self, X, y):
        return self


class Rate:
    def __init__(self, rate):
        self.rate = rate


def identity(value):
    return model_from_estimator("own", Takes(value)).identity()


@pytest.mark.parametrize(
    "make",
    [
        lambda n: np.r_[np.zeros(2000), n, np.zeros(2000)],
        lambda n: pd.DataFrame({"a": np.r_[np.zeros(2000), n, np.zeros(2000)], "b": "text"}),
        lambda n: np.ma.masked_array([1.0, 2.0], mask=[n == 1, False]),
        lambda n: partial(np.clip, a_min=n),
        lambda n: partial(lambda X, k: X * k, k=n),
        lambda n: [np.sqrt, lambda X: X * n],
        lambda n: {"f": FunctionTransformer(lambda X: X * n)},
        lambda n: {"a", "b", str(n)},
        Rate,
        lambda n: [Rate(n), object()],
    ],
)
def test_parameters_are_known_by_content(make):
    assert identity(make(1)) == identity(make(1))
    assert identity(make(1)) != identity(make(2))


def test_what_no_text_tells_apart_is_resumed():
    assert identity(object()) == identity(object())
    with open(__file__) as one, open(__file__) as other:  # noqa: PTH123 - what cannot be pickled
        assert fingerprint_of([one]) == fingerprint_of([other])
    loop: list[object] = []
    loop.append(loop)
    assert fingerprint_of(loop)


def test_no_chain_of_calls_is_too_long(made, monkeypatch):
    calls = "".join(f"def f{n}(X):\n    return f{n + 1}(X)\n" for n in range(2000)) + "def f2000(X):\n    return X * {rate}\n"
    monkeypatch.setitem(WAYS, "a chain", (calls, "pass", "f0(X)"))
    assert fingerprint_of(made("a chain", 1)) != fingerprint_of(made("a chain", 2))


class Anything:
    def __getattr__(self, name):
        return Anything()


def test_what_has_every_attribute_ends():
    assert fingerprint_of(Anything()) == fingerprint_of(Anything())


def test_it_is_the_same_in_every_process(made, tmp_path, monkeypatch):
    monkeypatch.setitem(WAYS, "a set", ("R = {max, min, 'a', 'b', 'c', len, dict, list}", "pass", "X in R, X in {{'a', 'b', 'c', 'd'}}"))
    one = fingerprint_of(made("a set", 1))
    code = "from ensemblekit_reports.studies.fingerprints import fingerprint_of; import own_model; print(fingerprint_of(own_model.Own()))"
    other = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == one
