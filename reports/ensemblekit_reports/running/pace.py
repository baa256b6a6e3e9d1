"""How fast the processor is just now: the same piece of work, timed again and again beside every measurement.

A processor that slows down, or a host that lends it to others, takes more CPU time as well as more wall time for the same work, so that the
gap between the two shows nothing. A fixed piece of work does: measured on two idle virtual cores, it took 1.7 times as long for
spells of less than a second to some seconds, half of the time, and so did models that were timed just then.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from statistics import median
from typing import Any

#: Additions of the piece of work, about a millisecond, and how often it is done in a row: the shortest time counts.
ADDITIONS, TIMES = 20_000, 3
#: Seconds between two looks where calls are timed one by one.
EVERY_SECONDS = 0.1
#: What is slower by this share than the run's fastest look was disturbed; looks at an undisturbed processor differ by a tenth.
SHARE = 0.25


class Pace:
    """Looks at the processor's pace while a model is measured: right before and after its fit, and again and again while it predicts.

    Examples
    --------
    >>> pace = Pace()
    >>> pace.look()
    >>> pace.look()
    >>> pace.fitted()
    >>> pace.look()
    >>> sorted(pace.record())
    ['pace_fastest_s', 'pace_fit_s', 'pace_predict_s']
    """

    def __init__(self) -> None:
        self._seen: list[float] = []
        self._at_fit = 0

    def look(self) -> None:
        """Time the piece of work."""
        self._seen.append(min(_seconds() for _ in range(TIMES)))

    def fitted(self) -> None:
        """Say that looks from now on belong to predicting."""
        self._at_fit = len(self._seen)

    def record(self) -> dict[str, float]:
        """Return seconds: of the fastest look, of the slowest at the fit, which is timed once, and of the median one at predicting."""
        fit, predict = self._seen[: self._at_fit], self._seen[self._at_fit :]
        return {"pace_fastest_s": min(self._seen), "pace_fit_s": max(fit), "pace_predict_s": median(predict)}


def _seconds() -> float:
    total, started = 0, time.perf_counter()
    for number in range(ADDITIONS):
        total += number
    return time.perf_counter() - started


def slowed_down(costs: Mapping[str, Any], fastest: float) -> bool:
    """Tell whether the processor was slower, while a model was measured, than it can be.

    Parameters
    ----------
    costs : mapping
        Of one model on one fold, with what :meth:`Pace.record` returned, if it was measured.
    fastest : float
        Seconds of the fastest look of the whole run.

    Returns
    -------
    bool

    Examples
    --------
    >>> [slowed_down({"pace_fit_s": fit, "pace_predict_s": 0.00105}, 0.001) for fit in (0.0018, 0.0011)], slowed_down({}, 0.001)
    ([True, False], False)
    """
    return max(costs.get("pace_fit_s", 0.0), costs.get("pace_predict_s", 0.0)) > (1 + SHARE) * fastest
