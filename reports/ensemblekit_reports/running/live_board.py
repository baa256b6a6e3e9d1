"""The leaderboard while a run is on its way: means over what has finished so far, nothing tested."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ensemblekit_reports import wording
from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.running.store import read_json

if TYPE_CHECKING:
    from ensemblekit_reports.studies.planned import Cell


@dataclass(frozen=True)
class BoardRow:
    """A model so far.

    Parameters
    ----------
    label : str
        Reader's name.
    mean : str
        Mean over folds, then over tables, in the unit it is shown in; a dash without a finished cell.
    n_finished, n_failed : int
        Cells.
    """

    label: str
    mean: str
    n_finished: int
    n_failed: int


class LiveBoard:
    """Gathers the scores of finished cells.

    Parameters
    ----------
    metric : str
        Primary metric.

    Examples
    --------
    >>> board = LiveBoard("accuracy")
    >>> board.note("Forest", "iris", 0.9)
    >>> board.note("Forest", "iris", None)
    >>> board.rows()
    (BoardRow(label='Forest', mean='90.0 %', n_finished=1, n_failed=1),)
    """

    def __init__(self, metric: str) -> None:
        self.quantity = QUANTITIES[metric]
        self._scores: dict[str, dict[str, list[float]]] = {}
        self._failed: dict[str, int] = {}

    def after(self, cells: Iterable[Cell]) -> tuple[BoardRow, ...]:
        """Read cells that have just finished, and return the board.

        Parameters
        ----------
        cells : iterable of Cell
            Points of a learning curve among them are left out.

        Returns
        -------
        tuple of BoardRow
            Best first.
        """
        for cell in cells:
            if cell.share == 1:
                record = read_json(cell.accuracy)
                is_ok = record["status"] == "ok"
                score = record["metrics"].get(self.quantity.name) if is_ok else None
                if score is not None or not is_ok:  # a score that is not defined on a fold is no failure
                    self.note(cell.model.label, cell.table.name, score)
        return self.rows()

    def note(self, label: str, table: str, score: float | None) -> None:
        """Note the score of a cell; None for one that failed."""
        of_model = self._scores.setdefault(label, {})
        if score is None:
            self._failed[label] = self._failed.get(label, 0) + 1
        else:
            of_model.setdefault(table, []).append(score)

    def rows(self) -> tuple[BoardRow, ...]:
        """Return the models, best first, those without a score last."""
        means = {label: float(np.mean([np.mean(found) for found in tables.values()])) for label, tables in self._scores.items() if tables}
        sign = -1 if self.quantity.higher_is_better else 1
        order = sorted(self._scores, key=lambda label: (label not in means, sign * means.get(label, 0.0)))
        return tuple(
            BoardRow(label, self._say(means.get(label)), sum(map(len, self._scores[label].values())), self._failed.get(label, 0))
            for label in order
        )

    def _say(self, mean: float | None) -> str:
        if mean is None:
            return wording.NONE
        share = wording.is_share(self.quantity)
        return f"{wording.number(mean * wording.scale(self.quantity), 1 if share else 3)}{' %' if share else ''}"
