"""Shared members: kept where that can be, fitted each time where not, and never a reason to fail."""

from __future__ import annotations

import pickle
import threading

import pytest

from ensemblekit_reports.running.member_cache import MemberCache


class Held:
    """Fitted, it holds what pickle cannot write."""

    def __init__(self, handle):
        self.handle = handle


def nested(depth):
    inner = []
    for _ in range(depth):
        inner = [inner]
    return inner


UNPICKLABLE = {
    "a lock": lambda: Held(threading.Lock()),
    "a class of a function's own": type("Local", (), {}),
    "a lambda": lambda: Held(lambda: None),
    "something deep": lambda: nested(100_000),
}


@pytest.mark.parametrize("make", UNPICKLABLE.values(), ids=UNPICKLABLE)
def test_a_result_that_cannot_be_pickled_is_made_each_time(tmp_path, make):
    made = []
    with pytest.raises((pickle.PicklingError, TypeError, AttributeError, RecursionError)):
        pickle.dumps(make())
    cached = MemberCache(tmp_path).cache(lambda x: made.append(x) or make())
    assert cached(1) is not cached(1)
    assert made == [1, 1]
    assert not list(tmp_path.iterdir())


def test_arguments_that_cannot_be_hashed_are_called_for_each_time(tmp_path):
    made = []
    cached = MemberCache(tmp_path).cache(lambda lock, x: made.append(x) or 2 * x)
    assert [cached(threading.Lock(), 3), cached(threading.Lock(), 3)] == [6, 6]
    assert made == [3, 3]


def test_what_was_kept_is_a_copy(tmp_path):
    cached = MemberCache(tmp_path).cache(lambda x: [x])
    cached(1)
    second = cached(1)
    second.append(2)
    assert cached(1) == [1]
