"""The rows of a fold after preprocessing, which models of one kind have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ensemblekit_reports.insights.subject import Subject
from ensemblekit_reports.running.fold import Fold
from ensemblekit_reports.running.preprocessing import column_groups, preprocessing


@dataclass
class Prepared:
    """The rows of a fold as each kind of model wants them, computed when first asked for.

    Parameters
    ----------
    fold : Fold
        The rows.
    """

    fold: Fold
    _done: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    _fitted: dict[str, Any] = field(default_factory=dict)

    def rows(self, kind: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return training and test rows; preprocessing is fitted on the training rows alone."""
        if kind not in self._done:
            table, tested = self.fold.table, self.fold.tested
            prepare = preprocessing(kind, *column_groups(table))
            train, test = table.X[self.fold.train], table.X[np.flatnonzero(tested)]
            if prepare != "passthrough":
                train, test = prepare.fit_transform(train), prepare.transform(test)
            self._done[kind], self._fitted[kind] = (train, test), prepare
        return self._done[kind]

    def subject(self, kind: str, fitted: Any) -> Subject:
        """Return a model fitted on the training rows of ``kind`` together with what its reader knows of them."""
        return Subject(fitted, self.fold.table, self.fold.tested, self._fitted[kind])
