"""Models that misbehave, one habit each."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import cloudpickle
import numpy as np
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin

from ensemblekit.ensembles import WeightedEnsembleClassifier

# Worker and timed processes cannot import this file: its classes travel by value, like those of a reader's own script.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class Prior(ClassifierMixin, BaseEstimator):
    """Predicts the classes' shares; the well-behaved parent of the others."""

    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self

    def predict_proba(self, X):
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class NoBase:
    """Inherits from nothing of scikit-learn's."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return X[:, 0]


class Panic(BaseException):
    """As extensions written in other languages raise it."""


class Panics(Prior):
    def fit(self, X, y):
        raise Panic("something broke below")


class SaysWhatNoFileTakes(Prior):
    def fit(self, X, y):
        raise ValueError("a name with a lone surrogate: \udcff")


class Raises(Prior):
    def fit(self, X, y):
        raise RuntimeError("the first line\nthe second line")


class RaisesLate(Prior):
    def fit(self, X, y):
        time.sleep(0.05)
        raise RuntimeError("late")


class Exits(Prior):
    def fit(self, X, y):
        sys.exit("leaving")


class RunsOut(Prior):
    def fit(self, X, y):
        raise MemoryError("no room")


class ReturnsNaN(Prior):
    def predict_proba(self, X):
        return super().predict_proba(X) * np.nan


class WrongShape(Prior):
    def predict_proba(self, X):
        return super().predict_proba(X)[:-1]


class Chatty(Prior):
    def fit(self, X, y):
        print("said by print")  # noqa: T201 - the habit under test
        os.write(1, b"said by compiled code\n")
        os.write(2, b"complained by compiled code\n")
        warnings.warn("said by a warning", stacklevel=1)
        return super().fit(X, y)


class ClassesOnly(BaseEstimator, ClassifierMixin):
    """Gives no probabilities."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Dies(Prior):
    """Kills its process."""

    def fit(self, X, y):
        os.kill(os.getpid(), 9)


class Seeded(Prior):
    """Remembers its seed in its probabilities."""

    def __init__(self, random_state=None):
        self.random_state = random_state

    def predict_proba(self, X):
        first = np.random.default_rng(self.random_state).uniform(0.1, 0.9)
        return np.tile([first, 1 - first], (len(X), 1))


class Sleepy(Prior):
    """Takes a known time and a known amount of memory."""

    def fit(self, X, y):
        if len(X) > 100:
            time.sleep(0.3)
            np.ones(40_000_000 // 8).sum()
        return super().fit(X, y)

    def predict(self, X):
        time.sleep(0.001)
        return super().predict(X)


class Surroundings(Prior):
    """Fails with what it sees of its surroundings."""

    def fit(self, X, y):
        raise RuntimeError(f"{os.environ['OMP_NUM_THREADS']} {'SECRET' in os.environ} {os.getpid()}")


class Hangs(Prior):
    def fit(self, X, y):
        time.sleep(1000)


class HangsHoldingOn(Prior):
    """Hangs in compiled code that lets no other thread and no signal handler have the interpreter."""

    def fit(self, X, y):
        ctypes.PyDLL(None).sleep(1000)


class Eats(Prior):
    def fit(self, X, y):
        eaten = []
        while True:
            eaten.append(np.ones(10_000_000))
            time.sleep(0.01)


class Crashes(Prior):
    def fit(self, X, y):
        os.kill(os.getpid(), 11)


class Leaves(Prior):
    def fit(self, X, y):
        os._exit(3)


class Forks(Prior):
    """Forks and lets the copy come back like the original."""

    def fit(self, X, y):
        if os.fork():
            time.sleep(0.2)
        return super().fit(X, y)


class LeavesChildren(Prior):
    """Starts processes that sleep on when it is done."""

    COMMAND = (sys.executable, "-c", "import time; time.sleep(1357)")

    def fit(self, X, y):
        self.child_ = subprocess.Popen(self.COMMAND).pid
        return super().fit(X, y)

    @classmethod
    def assert_gone(cls):
        listed = " ".join(_arguments(process) for process in Path("/proc").glob("[0-9]*/cmdline"))
        assert "time.sleep(1357)" not in listed


def _arguments(file):
    try:
        return file.read_text().replace("\0", " ")
    except OSError:  # it has just ended
        return ""


class FillsTheDisk(Prior):
    """From here on its process can write no more than a little."""

    def fit(self, X, y):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        return super().fit(X, y)


class HangsWhenAsked(Prior):
    def predict(self, X):
        time.sleep(1000)


class NeverAskedOfTheSame(Prior):
    """Refuses rows of a group (its only column) that it was fitted on."""

    def fit(self, X, y):
        self.groups_ = set(X[:, 0])
        return super().fit(X, y)

    def predict_proba(self, X):
        if self.groups_ & set(X[:, 0]):
            raise RuntimeError("a group was asked about that was fitted")
        return super().predict_proba(X)


def weighted_over(member):
    return WeightedEnsembleClassifier([("member", member)], cv=3, random_state=0)


class SleepsPerRow(Prior):
    SECONDS = 0.01

    def fit(self, X, y):
        time.sleep(self.SECONDS * len(X))
        return super().fit(X, y)


class KillsItsWorkerOnce(Prior):
    """Kills the worker that watches it, the first time; the file says whether it has."""

    def __init__(self, done=""):
        self.done = done

    def fit(self, X, y):
        if not Path(self.done).exists():
            Path(self.done).touch()
            os.kill(_grandparent(), 9)
            time.sleep(100)
        return super().fit(X, y)


def _grandparent():
    """The model is fitted in a fork of a process that the worker started."""
    status = Path(f"/proc/{os.getppid()}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))


class Answers(Prior):
    """Says what it is told to: a function of the well-behaved probabilities."""

    def __init__(self, change=None):
        self.change = change

    def predict_proba(self, X):
        return self.change(super().predict_proba(X))

    def predict(self, X):
        return np.zeros(len(X))


class Claims(Prior):
    """Says of its columns that they are other classes."""

    def __init__(self, classes=()):
        self.classes = classes

    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes
        return self

    def predict(self, X):
        return np.full(len(X), self.classes[0])


class KnowsNoClasses(Prior):
    def fit(self, X, y):
        super().fit(X, y)
        del self.classes_
        return self


class Predicts(Prior):
    """Has other classes than its probabilities say."""

    def __init__(self, change=None):
        self.change = change

    def predict(self, X):
        return self.change(len(X))


class Recurses(Prior):
    def fit(self, X, y):
        return self.fit(X, y)


class SpeechlessError(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class RaisesWithoutWords(Prior):
    def predict_proba(self, X):
        raise SpeechlessError


class ClosesItsStreams(Prior):
    def fit(self, X, y):
        sys.stdout.close()
        os.close(2)
        return super().fit(X, y)


class Unseeded(Prior):
    """Uses the generator that has no owner."""

    def fit(self, X, y):
        super().fit(X, y)
        self.shares_ = np.random.dirichlet(np.ones(len(self.shares_)))  # noqa: NPY002 - the habit under test
        return self


class HoldsALock(Prior):
    def fit(self, X, y):
        self.lock_ = threading.Lock()
        return super().fit(X, y)


class Vandal(Prior):
    """Leaves nothing as it was."""

    def fit(self, X, y):
        X[:] = 0
        np.seterr(all="raise")
        np.random.seed(1)  # noqa: NPY002
        sklearn.set_config(transform_output="pandas")
        sys.setrecursionlimit(60)
        os.environ["OMP_NUM_THREADS"] = "7"
        os.chdir("/")
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        threading.Thread(target=time.sleep, args=(1000,)).start()
        return super().fit(X, y)


class Sees(Prior):
    """Fails with what others have left of its surroundings."""

    def fit(self, X, y):
        time.sleep(0.4)
        left = (X.any(), np.geterr()["divide"], sklearn.get_config()["transform_output"], sys.getrecursionlimit() > 900)
        raise RuntimeError(f"{left} {os.environ['OMP_NUM_THREADS']} {Path.cwd() == Path('/')} {threading.active_count()}")
