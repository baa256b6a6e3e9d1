r"""One optimum for every number of experts, each begun from its neighbour: growing by splits, shrinking by mergers.

Upwards, the experts whose rows are explained worst are split, and the best split climbs on. Splits are greedy: what the first of them
got wrong, the later ones repair with more experts than are needed. At the largest number random starts compete with the last split; and
then the way leads down again: the two experts that are most nearly one are merged, and wherever this ends higher than the way up it takes
its place (split and merge EM; Ueda, Nakano, Ghahramani and Hinton, 2000). Every new optimum is looked at once more: the rows of neighbours
are divided anew, for as long as that leads higher.

On generated mixtures of 2 to 6 logistic experts the way down found the truth where the way up alone had missed it, in about a sixth of all
tables. Of 34 mixtures of five and six experts on which this search was developed, it found the number of 28 while rows were divided anew on
the way up only, and by how high the whole mixture was before it climbed. Looked at after every step, and by what their own rows gain, it
found that of all but one of 50, which are another set: the two figures are no comparison. ``benchmarks/selection.py`` holds one, on tables
on which nothing was developed.

What cannot lead higher is left early. The way up ends with an optimum that is no higher than that of one expert less: on 105 generated
mixtures no step up to their number gained less than 16 nats, and most beyond it nothing at all; of 75 more one gained nothing, and was
missed by a way that took two steps beyond, too. Where one more leads no higher there is nothing to merge, either. Random starts go on only
where the pace of the best of them would take it above what is known; to ask that it be above it by then, after twenty steps, saved next to
nothing and lost a mixture of six. New divisions of two neighbours' rows are judged by their first steps
(:mod:`~ensemblekit.mixture.linear.redividing`). All this took 40 % of the work of a path away, in evaluations times experts, for five and
six experts, and found their numbers in 94 of 100 mixtures where all of it had found 96. To rank splits and mergers by five steps instead of
ten was too cheap: it found 36 of 40 mixtures of six experts where ten steps found all.

A sparse table and the same one dense begin at different random starts, since sparse columns are not centred. Where both end at the same
optima their paths agree as far as climbs are exact.

References
----------
N. Ueda, R. Nakano, Z. Ghahramani and G. E. Hinton (2000). SMEM algorithm for mixture models. Neural Computation 12(9), 2109-2128.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ensemblekit.mixture.linear.design import Float
from ensemblekit.mixture.linear.merging import merged, twins
from ensemblekit.mixture.linear.objective import LinearMixture
from ensemblekit.mixture.linear.redividing import redivisions
from ensemblekit.mixture.linear.remembered import Remembered
from ensemblekit.mixture.linear.restarts import depart, one_expert_each
from ensemblekit.mixture.linear.solve import Solution, climb, maximise
from ensemblekit.mixture.linear.splitting import Split, best_splits, divided

#: Splits, or mergers, that are tried on the whole mixture, and the steps after which the best third of what was tried, or drawn, goes on.
_TRIED, _STEPS = 3, 10
#: Steps after which rows divided anew must have led higher.
_ANEW = 15
#: Steps of a climb to the end.
_FURTHER = 200
#: Gradients at which climbs stop: on the way, and at an optimum of the path, which then is within about 1e-5 a row of the exact one, or
#: 1e-4 where there are more experts than regimes. The one that is chosen is climbed to the end.
_ROUGH, _TOL = 3e-3, 1e-3
#: Differences a row up to which two optima of one number are one, and up to which climbs leave open which of two numbers leads higher.
_EQUAL, _NO_HIGHER = 1e-6, 1e-4


@dataclass
class Growing:
    """The way up and down, and the best optimum known for every number of experts.

    Parameters
    ----------
    whole : callable
        From a number of experts to the problem on all rows.
    part : callable
        The same on fewer rows, on which splits, mergers and starts are ranked; may be ``whole``.
    rng : numpy.random.Generator
    optima : dict of int to ndarray of shape (n_features + 1, n_predictors)
        Number of experts -> coefficients.
    values : dict of int to float
        Number of experts -> mean penalised log-likelihood.
    splits : Remembered
        Splits of rows that one expert answers for, on the rows of ``part``.
    settled : Remembered
        Rows of two neighbours that are divided as well as can be.
    """

    whole: Callable[[int], LinearMixture]
    part: Callable[[int], LinearMixture]
    rng: np.random.Generator
    optima: dict[int, Float] = field(default_factory=dict)
    values: dict[int, float] = field(default_factory=dict)
    splits: Remembered[Split] = field(default_factory=Remembered)
    settled: Remembered[bool] = field(default_factory=Remembered)

    def begin(self) -> None:
        """Fit one expert."""
        alone = self.whole(1)
        self._note(1, maximise(alone, np.zeros(alone.size), max_iter=_FURTHER, tol=_TOL).theta)

    def grow(self, n_experts: int) -> None:
        """Go from one expert less to ``n_experts``, by the best split."""
        small, large, W = self.part(n_experts - 1), self.part(n_experts), self.optima[n_experts - 1]
        splits = best_splits(small, W, rng=self.rng, known=self.splits)[:_TRIED]
        starts = [large.parameters(divided(small, W, split)) for split in splits]
        self._settle(n_experts, self._ranked(n_experts, starts).theta)

    def restart(self, n_experts: int, n_init: int) -> None:
        """Go to ``n_experts`` from the best of random starts, where a few steps take it within reach of the optimum that is known."""
        part = self.part(n_experts)
        common = one_expert_each(part)
        run = self._ranked(n_experts, [depart(part, common, self.rng) for _ in range(n_init)])
        known = part.value(part.parameters(self.optima[n_experts])) if n_experts in self.optima else -np.inf
        if _may_reach(run.values, known):
            self._settle(n_experts, run.theta)

    def shrink(self, n_experts: int) -> None:
        """Go from one expert more to ``n_experts``, by the best merger, where one more leads higher at all."""
        if not self.leads_higher(n_experts + 1):
            return
        large, small, W = self.part(n_experts + 1), self.part(n_experts), self.optima[n_experts + 1]
        mergers = twins(large, W)[:_TRIED]
        starts = [small.parameters(merged(large, W, merger.pair, merger.expert)) for merger in mergers]
        self._settle(n_experts, self._ranked(n_experts, starts).theta)

    def leads_higher(self, n_experts: int) -> bool:
        """Tell whether the optimum of ``n_experts`` is higher than that of one less."""
        return self.values[n_experts] > self.values[n_experts - 1] + _NO_HIGHER

    def _settle(self, n_experts: int, theta: Float) -> None:
        """Climb from a start, and divide rows anew where the optimum is a new one, for as long as that leads higher."""
        before = self.values.get(n_experts, -np.inf)
        self._climb(n_experts, theta)
        higher = n_experts > 2 and self.values[n_experts] > before + _EQUAL  # to divide the rows of the only two is to grow from one
        while higher:
            higher = self._redivide(n_experts)

    def _redivide(self, n_experts: int) -> bool:
        """Divide the rows of two neighbours anew; tell whether that led higher."""
        part, W, before = self.part(n_experts), self.optima[n_experts], self.values[n_experts]
        for start in redivisions(part, W, rng=self.rng, settled=self.settled)[:1]:
            run = climb(part, part.parameters(start), max_iter=_ANEW, tol=_ROUGH)
            if run.values[-1] > part.value(part.parameters(W)) + _EQUAL:
                self._climb(n_experts, run.theta)
        return self.values[n_experts] > before + _EQUAL

    def _ranked(self, n_experts: int, starts: list[Float]) -> Solution:
        """Climb some steps from every start, and again from the best third, until one is left; one start alone is returned as it is."""
        part, runs = self.part(n_experts), [Solution(start, [], converged=False) for start in starts]
        while len(runs) > 1:
            runs = [climb(part, run.theta, max_iter=_STEPS, tol=_ROUGH) for run in runs]
            runs = sorted(runs, key=lambda run: -run.values[-1])[: max(len(runs) // 3, 1)]
        return runs[0]

    def _climb(self, n_experts: int, theta: Float) -> None:
        """Climb to an optimum."""
        whole = self.whole(n_experts)
        start = whole.parameters(self.part(n_experts).coefficients(theta))
        self._note(n_experts, climb(whole, start, max_iter=_FURTHER, tol=_TOL).theta)

    def _note(self, n_experts: int, theta: Float) -> None:
        """Keep an optimum that is higher than the one known."""
        problem = self.whole(n_experts)
        value = problem.value(theta)
        if value > self.values.get(n_experts, -np.inf):
            self.optima[n_experts], self.values[n_experts] = problem.coefficients(theta), value


def _may_reach(values: list[float], known: float) -> bool:
    """Tell whether a short climb would come to what is known if it went on as in its second half; one that has not begun may."""
    return not values or 2 * values[-1] - values[len(values) // 2] > known
