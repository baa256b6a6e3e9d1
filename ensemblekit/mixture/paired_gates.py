"""Two gates on one stream: a stable one, which stays while no change is found, and a quick one, which forgets.

The stable gate is the fitted one, or knows all rows since the last change; the quick one is refitted to rows whose weights fade. Answers
come from the one under which the latest rows were likelier, each of them judged before either gate had learnt it (paired learners: Bach
and Maloof, 2008). By chance that is the quick one now and then where nothing changes, at the cost of how much less exact it is.

A change is believed by Page's test (1954): the log-likelihood by which a rival beats the stable gate is summed over rows, and the sum
begins anew whenever it falls to zero; where it exceeds a limit, the stable gate is fitted to the rows since that zero alone. Rivals are the
quick gate, for what changes by and by, and one that gives all experts the same share, which is the better one within a few rows where
experts have changed places. Rows count once here, and memory is counted in rows, whatever these weigh: weights are for the fits, and their
scale is no evidence. Neither gate knows a row that it judges, so that while the stable gate is the true one a sum that is begun at some
row ever exceeds the limit with a probability of exp(-limit) at most, and its false alarms are exp(limit) rows apart on average, or more
(Lorden and Pollak, 2005; here about so, since a single row is not heard beyond a few nats).

References
----------
S. H. Bach and M. A. Maloof (2008). Paired learners for concept drift. IEEE International Conference on Data Mining, 23-32.
G. Lorden and M. Pollak (2005). Nonanticipating estimation applied to sequential analysis and changepoint detection. The Annals of
Statistics 33(3), 1422-1454.
E. S. Page (1954). Continuous inspection schemes. Biometrika 41(1/2), 100-115.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ensemblekit.mixture.adapting import Recent, as_open_as_fitted, faded, follow, latest, remember
from ensemblekit.mixture.contracts import Float, Gate
from ensemblekit.mixture.em import posterior

#: Nats by which a rival has to win; exp(8) is 3,000. With 5, alarms by chance cost points on generated streams; with 12, small changes were
#: answered a piece or two later.
_LIMIT = 8.0
#: Nats that a single row may add or take: an outlier alone is no change.
_OF_ONE_ROW = 4.0
#: Weight of the rows from which on they may move a gate, however long the memory: of fewer a gate would know less than it does.
_ENOUGH = 100.0
#: Rows that the quick and the stable gate learn from, at most, as multiples of the memory: the quick one until a row counts for 1 / 100.
_FADED, _LONG = float(np.log(100)), 10
#: Rows that are judged before they are learnt, and learnt at once; a long piece is divided into so many parts at most.
_ROWS, _PARTS = 50, 10


class Rise(NamedTuple):
    """Page's sum of a rival: nats by which it has beaten the stable gate since the sum was last zero, and the rows since then."""

    nats: float = 0.0
    n_rows: int = 0


class PairedGates(NamedTuple):
    """Where two gates stand on a stream.

    Parameters
    ----------
    stable, quick : Gate
    recent : Recent or None
        Rows that the quick gate learns from, until they have faded.
    since : Recent or None
        Rows since the last change; at first all that came.
    changed, settled : bool
        Whether a change was believed at all, and whether the stable gate has learnt from the rows since then.
    even_rise, quick_rise : Rise
    lead : float
        Nats by which recent rows were likelier under the quick gate; what is older fades.
    """

    stable: Gate
    quick: Gate
    recent: Recent | None = None
    since: Recent | None = None
    changed: bool = False
    settled: bool = True
    even_rise: Rise = Rise()
    quick_rise: Rise = Rise()
    lead: float = 0.0

    @property
    def gate(self) -> Gate:
        """The gate to answer with."""
        return self.quick if self.lead > 0 else self.stable


def pair(gate: Gate) -> PairedGates:
    """Begin a stream with a fitted gate.

    Parameters
    ----------
    gate : Gate

    Returns
    -------
    PairedGates

    Examples
    --------
    >>> from ensemblekit.mixture.gates.constant import ConstantGate
    >>> gate = ConstantGate().fit(np.zeros((4, 0)), np.array([[1.0, 0.0]] * 4), np.ones(4))
    >>> pair(gate).gate is gate
    True
    """
    return PairedGates(gate, as_open_as_fitted(gate))


def learn(gates: PairedGates, piece: Recent, memory: float) -> PairedGates:
    """Judge both gates by a piece of the stream, then let them learn from it.

    Parameters
    ----------
    gates : PairedGates
        It is left as it is.
    piece : Recent
        Its rows; at least one has a weight.
    memory : float
        Rows after which the quick gate counts a row for 1 / e.

    Returns
    -------
    PairedGates

    Examples
    --------
    Of two experts the first was right for all rows, and then the other one is.

    >>> from ensemblekit.mixture.gates.constant import ConstantGate
    >>> gate = ConstantGate().fit(np.zeros((4, 0)), np.array([[0.9, 0.1]] * 4), np.ones(4))
    >>> gates = learn(pair(gate), Recent(np.zeros((100, 0)), np.log([[0.1, 0.8]] * 100), np.ones(100)), memory=200.0)
    >>> gates.changed, np.exp(gates.gate.log_proba(np.zeros((1, 0)))).round(2)
    (True, array([[0., 1.]]))
    """
    rows = np.flatnonzero(piece.weight)  # a row of weight zero is as good as not there
    for part in np.array_split(rows, min(_PARTS, -(-rows.size // _ROWS))):
        gates = _learn_part(gates, Recent(*(values[part] for values in piece)), memory)
    return gates


def page_sum(rise: Rise, gains: Float) -> Rise:
    """Go on with Page's sum.

    Parameters
    ----------
    rise : Rise
    gains : ndarray of shape (n_samples,)
        What each row adds, in nats.

    Returns
    -------
    Rise

    Examples
    --------
    >>> page_sum(Rise(1.0, 5), np.array([1.0, -3.0, 2.0, 0.5]))
    Rise(nats=2.5, n_rows=2)
    >>> page_sum(Rise(1.0, 5), np.array([1.0, -1.0]))
    Rise(nats=1.0, n_rows=7)
    """
    walk = rise.nats + np.append(0.0, np.cumsum(gains))
    lowest = walk.size - 1 - int(np.argmin(walk[::-1]))  # the last of equals
    if walk[lowest] > 0:
        return Rise(float(walk[-1]), rise.n_rows + gains.size)
    return Rise(float(walk[-1] - walk[lowest]), gains.size - lowest)


def _learn_part(gates: PairedGates, part: Recent, memory: float) -> PairedGates:
    gates = _judge(gates, part, memory)
    recent = latest(remember(gates.recent, part), _FADED * memory)
    since = latest(remember(gates.since, part), _LONG * memory)
    return _refit(_cut(gates._replace(recent=recent, since=since)), memory)


def _judge(gates: PairedGates, part: Recent, memory: float) -> PairedGates:
    """Add up what rows say of the gates that have not learnt them."""
    log_density = part.log_density
    stable, quick = (posterior(gate.log_proba(part.X_gate) + log_density)[0] for gate in (gates.stable, gates.quick))
    even = posterior(log_density - np.log(log_density.shape[1]))[0]
    by_even, by_quick = _gains(even, stable), _gains(quick, stable)
    lead = gates.lead * float(np.exp(-by_quick.size / memory)) + float(by_quick.sum())
    if not gates.settled:
        return gates._replace(lead=lead)
    return gates._replace(lead=lead, even_rise=page_sum(gates.even_rise, by_even), quick_rise=page_sum(gates.quick_rise, by_quick))


def _gains(rival: Float, stable: Float) -> Float:
    with np.errstate(invalid="ignore"):  # what is impossible under both tells nothing
        gains = np.nan_to_num(rival - stable, nan=0.0, posinf=_OF_ONE_ROW, neginf=-_OF_ONE_ROW)
    return np.clip(gains, -_OF_ONE_ROW, _OF_ONE_ROW)


def _cut(gates: PairedGates) -> PairedGates:
    """Where a change is believed, forget what was before it."""
    rise = max(gates.even_rise, gates.quick_rise)
    if rise.nats <= _LIMIT or gates.since is None:
        return gates
    since = latest(gates.since, rise.n_rows)
    return gates._replace(since=since, changed=True, settled=False, even_rise=Rise(), quick_rise=Rise())


def _refit(gates: PairedGates, memory: float) -> PairedGates:
    enough = min(memory / 2, _ENOUGH)
    if gates.recent is not None and faded(np.ones(gates.recent.weight.size), memory).sum() >= enough:
        gates = gates._replace(quick=follow(gates.quick, gates.recent, faded(gates.recent.weight, memory)))
    if gates.since is None or not gates.changed or gates.since.weight.size < enough:
        return gates
    if gates.settled:
        return gates._replace(stable=follow(gates.stable, gates.since, gates.since.weight))
    return gates._replace(stable=follow(gates.quick, gates.since, gates.since.weight), settled=True, lead=0.0)
