"""Insights of models that were never fitted."""

from __future__ import annotations

from dataclasses import replace

from ensemblekit_reports.insights.plain import (
    Contribution,
    Driver,
    EnsembleInsight,
    Expert,
    ExplainedRow,
    GateMap,
    Member,
    MixtureInsight,
    Rule,
    SmallerEnsemble,
)


def mixture(
    dataset: str = "moons", model: str = "moe", names: tuple[str, str] = ("age", "pay"), shares: tuple[float, ...] = (0.6, 0.4)
) -> MixtureInsight:
    """A mixture whose first expert leads left of the middle of the first column."""
    side = tuple(float(i) for i in range(8))
    near = tuple((0.95, 0.05) if i < 4 else (0.1, 0.9) for i in range(8))
    experts = tuple(
        Expert(
            given=share,
            taken=share,
            leads=round(share * 80),
            own=0.9,
            elsewhere=0.5,
            mixture=0.9,
            drivers=(Driver(names[0], 0.3, (-1.0) ** (k + 1), 1.2), Driver(names[1], 0.1, 0.0, level=names[1])),
            rule=Rule(names[0], "is", names[1], 0.9, 0.1),
        )
        for k, share in enumerate(shares)
    )
    row = ExplainedRow(3, "typical", 0, 1, (0.9, 0.1), 0.1, (Contribution(names[0], names[1], 2.0),), 0.1, names[0], names[1])
    grid = GateMap(names, side, side, (near,) * 8, ((1.0, 2.0),), (near,) * 8)
    return MixtureInsight(
        dataset,
        model,
        "SoftmaxGate",
        "LogisticExperts",
        80,
        "accuracy",
        0.3,
        1.96,
        1.3,
        experts,
        (0, 1, 2),
        (-9.0, -5.0, -4.9),
        True,
        (grid,),
        (row,),
    )


def ensemble(dataset: str = "moons", model: str = "averaging", names: tuple[str, str] = ("forest", "boost")) -> EnsembleInsight:
    """Two members that count alike."""
    members = (Member(names[0], 0.5, 0.91), Member(names[1], 0.5, 0.9))
    smaller = (SmallerEnsemble(1, 0.905, 0.9, 0.91), SmallerEnsemble(2, 0.93, 0.93, 0.93))
    return EnsembleInsight(dataset, model, 80, "accuracy", 0.93, "equal", members, ((1.0, 0.8), (0.8, 1.0)), smaller)


def weighted(shares: tuple[float, float], model: str = "averaging", dataset: str = "moons") -> EnsembleInsight:
    """Two members that count as said."""
    found = ensemble(dataset, model)
    return replace(found, weighing="learned", members=tuple(replace(m, weight=w) for m, w in zip(found.members, shares, strict=True)))
