"""What a model may change beside itself: settings of libraries, and the generators of random numbers that have no owner."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from sklearn import config_context


def seed_generators(seed: int) -> None:
    """Seed the generators of a model that has no ``random_state``: the same answers on the same fold, and others on another.

    To be called when the model is made. By then PyTorch is imported, if it uses it, which begins every process with one seed.

    Parameters
    ----------
    seed : int
        Of the fold.

    Examples
    --------
    >>> seed_generators(0)
    >>> first = random.random(), np.random.random()
    >>> seed_generators(0)
    >>> first == (random.random(), np.random.random())
    True
    """
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - it is this generator that such models use
    if (torch := sys.modules.get("torch")) is not None:
        torch.manual_seed(seed)


@contextmanager
def lent_generators() -> Iterator[None]:
    """Put the generators that `seed_generators` seeds back to where they were: outside of our own processes somebody else draws from them.

    Examples
    --------
    >>> seed_generators(0)
    >>> with lent_generators():
    ...     first = np.random.random()
    >>> first == np.random.random()
    True
    """
    plain, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - as above
    torch = sys.modules.get("torch")
    state = None if torch is None else torch.get_rng_state()
    try:
        yield
    finally:
        random.setstate(plain)
        np.random.set_state(numpy)  # noqa: NPY002
        if torch is not None:
            torch.set_rng_state(state)


@contextmanager
def restored_settings() -> Iterator[None]:
    """Put NumPy's ways with floating-point errors and scikit-learn's settings back to what they were, however a model leaves them.

    Examples
    --------
    >>> with restored_settings():
    ...     _ = np.seterr(all="raise")
    >>> np.geterr()["divide"]
    'warn'
    """
    with np.errstate(), config_context():
        yield
