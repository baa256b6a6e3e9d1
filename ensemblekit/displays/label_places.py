"""Where to write the names of marks so that they cover neither each other nor a mark."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Right, left, above, below, then the diagonals: the order in which a reader looks for a name.
_ANGLES = tuple(pi * quarter for quarter in (0, 1, 0.5, 1.5, 0.25, 1.75, 0.75, 1.25))
_DISTANCES = (1.0, 2.0, 3.2, 4.6, 6.2)


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels, y upwards."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: Box) -> float:
        """Return the common area."""
        return float(_overlaps([self], [other])[0, 0])

    @property
    def area(self) -> float:
        """Return the area."""
        return (self.right - self.left) * (self.top - self.bottom)


@dataclass(frozen=True)
class Placed:
    """A label's place: its box and whether it is far enough from its mark to need a line to it."""

    box: Box
    needs_line: bool

    def nearest(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the box nearest to a mark: where the line to it ends."""
        return min(max(x, self.box.left), self.box.right), min(max(y, self.box.bottom), self.box.top)


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in pixels, rather too wide than too narrow.

    No font is asked: the reader's browser chooses one of its own.

    Examples
    --------
    >>> text_width("Averaging", 10) < 60
    True
    """
    units = sum(0.0 if unicodedata.combining(sign) else 1.1 if unicodedata.east_asian_width(sign) in "WF" else 0.58 for sign in text)
    return size * units


def place_labels(
    marks: Sequence[tuple[float, float]],
    sizes: Sequence[tuple[float, float]],
    frame: Box,
    obstacles: Sequence[Box] = (),
    radius: float = 8.0,
) -> list[Placed]:
    """Place one label beside each mark, greedily and always in the same way.

    Parameters
    ----------
    marks : sequence of (x, y)
        Centres of the marks in pixels, the most important first: it gets the best place.
    sizes : sequence of (width, height)
        Extents of the labels in pixels.
    frame : Box
        Labels stay inside.
    obstacles : sequence of Box, default=()
        What else must stay visible.
    radius : float, default=8.0
        Half-width of a mark in pixels.

    Returns
    -------
    list of Placed
        In the order of ``marks``.

    Examples
    --------
    >>> frame = Box(0, 0, 300, 200)
    >>> near = place_labels([(100, 100), (104, 102)], [(60, 12), (60, 12)], frame)
    >>> near[0].box.overlap(near[1].box)
    0.0
    """
    places = [Box(x - radius, y - radius, x + radius, y + radius) for x, y in marks]
    taken = [*obstacles, *places]
    placed: list[Placed] = []
    for own, (mark, size) in enumerate(zip(marks, sizes, strict=True)):
        candidates = _candidates(mark, size, radius)
        badness = _badness(candidates, taken, frame) + _crossing(mark, candidates, places[:own] + places[own + 1 :])
        # argmin takes the first of equals: distance and angle decide only where nothing is covered.
        best = candidates[int(np.argmin(badness))]
        taken.append(best.box)
        placed.append(best)
    return placed


def _candidates(mark: tuple[float, float], size: tuple[float, float], radius: float) -> list[Placed]:
    x, y = mark
    width, height = size
    candidates = []
    for distance in _DISTANCES:
        for angle in _ANGLES:
            reach = radius * distance
            # The label's nearest edge, not its centre, sits at the given distance.
            centre_x = x + cos(angle) * (reach + width / 2)
            centre_y = y + sin(angle) * (reach + height / 2)
            box = Box(centre_x - width / 2, centre_y - height / 2, centre_x + width / 2, centre_y + height / 2)
            candidates.append(Placed(box, needs_line=distance > 2))
    return candidates


def _badness(candidates: list[Placed], taken: Sequence[Box], frame: Box) -> NDArray[np.float64]:
    boxes = [candidate.box for candidate in candidates]
    covered = _overlaps(boxes, taken).sum(axis=1)
    outside = np.array([box.area for box in boxes]) - _overlaps(boxes, [frame])[:, 0]
    badness: NDArray[np.float64] = np.round(covered + 10 * outside, 6)
    return badness


def _crossing(mark: tuple[float, float], candidates: list[Placed], others: list[Box]) -> NDArray[np.float64]:
    """Return what it costs that lines to names run through other marks: a name would seem to be that one's."""
    ends = np.array([candidate.nearest(*mark) if candidate.needs_line else mark for candidate in candidates])
    start = np.array(mark)
    points = start + np.array([0.2, 0.4, 0.6, 0.8, 1.0])[:, None, None] * (ends - start)
    drawn = np.array([candidate.needs_line for candidate in candidates])
    within = np.zeros(points.shape[:2], dtype=bool)
    for box in others:
        within |= (box.left < points[..., 0]) & (points[..., 0] < box.right) & (box.bottom < points[..., 1]) & (points[..., 1] < box.top)
    return 300.0 * (within & drawn).sum(axis=0)


def _overlaps(boxes: Sequence[Box], others: Sequence[Box]) -> NDArray[np.float64]:
    """Return the area that each box shares with each other one."""
    left, bottom, right, top = np.array([(b.left, b.bottom, b.right, b.top) for b in boxes]).T[:, :, None]
    left_, bottom_, right_, top_ = np.array([(b.left, b.bottom, b.right, b.top) for b in others]).T[:, None, :]
    width = np.minimum(right, right_) - np.maximum(left, left_)
    height = np.minimum(top, top_) - np.maximum(bottom, bottom_)
    shared: NDArray[np.float64] = np.maximum(width, 0) * np.maximum(height, 0)
    return shared
