"""By what pruning is judged: rows that resemble the given ones, labels of held-out rows, and how far either may go."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit.compression.losses import answers_to, loss_name, mean_loss, row_divergences
from ensemblekit.compression.synthetic import munge
from ensemblekit.packed import PackedModel
from ensemblekit.trees.rows import as_rows

#: Rows that are made to choose what goes, and rows of each kind, given and made, that leaves are fitted to. On generated tables 600
#: held-out rows that chose alone took branches which other rows missed (log-loss + 0.017 there, + 0.005 on themselves).
CHOOSING_ROWS, FITTING_ROWS = 2000, 4000
#: Made rows by which leaves are fitted once more where it counts. On 24 generated tables cut down to 48 % of their visits, the mean loss on
#: new rows fell by 0.0012 in all without them, by 0.0020 with 4,000 and by 0.0046 with 16,000; before any branch went, by 0.0054.
MORE_ROWS = 16_000
#: Given rows that others are made of, at most: each is held against all to find its neighbour.
KNOWN_ROWS = 10_000
#: Answers to made rows may move so many times further than the loss may grow. On 24 generated tables of 750 rows, 150 of them held out,
#: cutting branches alone at 1 left 55 % of a boosted mixture's node visits and lost too much on new rows of one table, at 1.5 48 % and
#: three, at 2 44 % and five, at 3 36 % and eight; the mean change was - 0.004, - 0.002, - 0.001 and + 0.001. Half was to go.
ROOM = 2.0
Rows = npt.NDArray[np.float32]


class Judges(NamedTuple):
    """Rows by their part: some choose what goes, to some the leaves are fitted, and others judge the sum of it.

    Attributes
    ----------
    choosing, fitting, many : ndarray of float32, shape (n, d)
        Made rows that choose; given and made ones for each fit of leaves; and as many as there are, for the fits that count.
    others : ndarray of float32, shape (n, d)
        Made rows that take no part in choosing and fitting.
    held_out : tuple of (rows, labels or numbers)
        Given rows with their labels.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    >>> [len(part) for part in Judges.of(rows, rows, np.zeros(50))[:4]]
    [2000, 4050, 20050, 4000]
    """

    choosing: Rows
    fitting: Rows
    many: Rows
    others: Rows
    held_out: tuple[Rows, npt.NDArray[Any]]

    @classmethod
    def of(cls, known: Rows, rows: Rows, answers: npt.NDArray[Any]) -> Judges:
        """Make rows, and give each its part.

        Parameters
        ----------
        known : ndarray of float32, shape (m, d)
            Rows that others are made of.
        rows : ndarray of float32, shape (n, d)
            Held-out rows.
        answers : ndarray of shape (n,)
            Their labels, or numbers.

        Returns
        -------
        Judges
            The same for any order of `known`.
        """
        known = known[np.lexsort(known.T)]
        drawn = known[np.random.default_rng(0).permutation(len(known))[:KNOWN_ROWS]]
        made = as_rows(munge(drawn, 2 * FITTING_ROWS + MORE_ROWS, random_state=0), rows.shape[1])
        fitting, others, more = np.split(made, [FITTING_ROWS, 2 * FITTING_ROWS])
        many = np.vstack([drawn[:FITTING_ROWS], more, fitting, drawn[FITTING_ROWS:]])  # of which the first are taken where trees are many
        return cls(fitting[:CHOOSING_ROWS], np.vstack([drawn[:FITTING_ROWS], fitting]), many, others, (rows, answers))


class Limits(NamedTuple):
    """How far pruning may go.

    Attributes
    ----------
    loss : float
        Mean loss of the held-out rows, at most.
    room : float
        How far answers may move, at most: as a mean divergence.
    visits : float or None
        Node visits of an average row at which enough is gone; None where no share of them was asked for.

    Examples
    --------
    >>> Limits(0.3, 0.01, None).room
    0.01
    """

    loss: float
    room: float
    visits: float | None

    def allow(self, model: PackedModel, judges: Judges, answers_of_others: npt.NDArray[np.float64]) -> bool:
        """Tell whether a model that lost branches may stay so.

        Few held-out rows say little of a small loss: answers must stay near, too, unless a share of visits was asked for.

        Parameters
        ----------
        model : PackedModel
            The model.
        judges : Judges
            Rows.
        answers_of_others : ndarray of float64, shape (n, C)
            What was said to the other rows before branches went.

        Returns
        -------
        bool
        """
        if mean_loss(model, *judges.held_out) > self.loss:
            return False
        return self.visits is not None or divergence(model, judges.others, answers_of_others) <= self.room


def divergence(model: PackedModel, rows: Rows, original: npt.NDArray[np.float64]) -> float:
    """Mean distance of answers from what they were.

    Parameters
    ----------
    model : PackedModel
        The model.
    rows : ndarray of float32, shape (n, d)
        Rows.
    original : ndarray of float64, shape (n, C)
        Answers to them.

    Returns
    -------
    float
        As `ensemblekit.compression.losses.row_divergences` measures it.

    Examples
    --------
    >>> from sklearn.tree import DecisionTreeRegressor
    >>> from ensemblekit.packed import pack
    >>> model = pack(DecisionTreeRegressor().fit([[0.0], [1.0]], [3.0, 5.0]))
    >>> divergence(model, np.array([[1.0]], np.float32), np.array([[7.0]]))
    4.0
    """
    return float(row_divergences(loss_name(model), answers_to(model, rows), original).mean())
