"""What the numbers of a run do not say alone: sentences for the notes of its report."""

from __future__ import annotations

from collections import Counter
from typing import Any

from ensemblekit_reports.quantities import QUANTITIES
from ensemblekit_reports.running.pairs import Pair, Point
from ensemblekit_reports.running.say_tuning import say_tuning
from ensemblekit_reports.running.timing import QUICK_CALLS, SINGLE_CALLS


def notes_of(pairs: list[Pair], *, quick: bool) -> tuple[str, ...]:
    """Say how costs were measured, what was not measured, what was tuned, and what libraries said.

    Parameters
    ----------
    pairs : list of Pair
        All of the run.
    quick : bool
        Whether single-row calls were cut short.

    Returns
    -------
    tuple of str
        One sentence or two each.

    Examples
    --------
    >>> notes_of([({"dataset": "iris", "model": "moe", "said": {"UserWarning: not converged": 2}}, None)], quick=True)
    ('Said by a library 2 times while fitting moe: UserWarning: not converged',)
    """
    costs = [cost for _, cost in pairs if cost]
    notes = _say_timing(costs, quick=quick) if costs else []
    notes += [f"{c['dataset']}, {c['model']}: no costs, because {c['reason']}." for c in costs if c["reason"]]
    uncounted = sorted({(c["model"], c["costs"]["compute_note"]) for c in costs if c["costs"].get("compute_note")})
    notes += [f"{model}: compute was not counted, because {reason}" for model, reason in uncounted]
    unstored = sorted({(c["model"], c["costs"]["size_note"]) for c in costs if c["costs"].get("size_note")})
    notes += [f"{model}: its size was not measured, because it cannot be stored: {reason}" for model, reason in unstored]
    notes += sorted({f"{c['model']}: {c['costs']['energy_note']}" for c in costs if c["costs"].get("energy_note")})
    notes += sorted({c["costs"]["memory_note"] for c in costs if c["costs"].get("memory_note")})
    notes += _say_contradictions([accuracy for accuracy, _ in pairs if accuracy])
    notes += say_tuning([accuracy for accuracy, _ in pairs if accuracy])
    said = Counter[str]()
    for accuracy, _ in pairs:
        if accuracy:
            said.update({f"{accuracy['model']}: {text}": times for text, times in accuracy["said"].items()})
    notes += [f"Said by a library {'once' if times == 1 else f'{times} times'} while fitting {text}" for text, times in said.most_common(5)]
    return tuple(notes)


def _say_timing(costs: list[dict[str, Any]], *, quick: bool) -> list[str]:
    times = len({(cost["repeat"], cost["fold"]) for cost in costs})
    where = "the first fold" if times == 1 else f"the first {times} folds"
    calls = f"{SINGLE_CALLS:,}" if not quick else f"at least {QUICK_CALLS}"
    return [
        f"Costs were measured on {where} of every table, one fresh process for each model and fold, {calls} single rows.",
        "Times include what stands before the model: filling in missing cells, one-hot columns, scaling.",
    ]


def _say_contradictions(records: list[dict[str, Any]]) -> list[str]:
    """Say whose predicted class is not its most probable one: scores of classes go by the one, log-loss and calibration by the other."""
    rows, of = Counter[str](), Counter[str]()
    for record in records:
        if "contradictions" in record:  # a fold that failed has no answers
            rows[record["model"]] += record["contradictions"]
            of[record["model"]] += record["n_test"]
    return [
        f"{model}: on {rows[model]} of {of[model]} test rows its predict is not the class to which it gives the highest probability; "
        "scores of classes go by predict, log-loss, Brier score and calibration by the probabilities."
        for model in rows
        if rows[model]
    ]


def untimed(due: list[str], pairs: list[Pair], go_on: str) -> tuple[str, ...]:
    """Say what the cost pass has left out, as it does when somebody stops it.

    Parameters
    ----------
    due : list of str
        For each pair the name of the file of its costs; ``""`` where none are measured.
    pairs : list of Pair
        All of the run.
    go_on : str
        The command that goes on.

    Examples
    --------
    >>> untimed(["cost.json"], [({"status": "ok"}, None)], "ensemblekit compare iris")
    ('No costs were measured: the cost pass was stopped. Go on with: ensemblekit compare iris',)
    """
    wanted = [cost for (accuracy, cost), named in zip(pairs, due, strict=True) if named and accuracy and accuracy["status"] == "ok"]
    missing = sum(cost is None for cost in wanted)
    if not missing:
        return ()
    which = "No costs were measured" if missing == len(wanted) else f"{missing} of {len(wanted)} timings are missing"
    return (f"{which}: the cost pass was stopped. Go on with: {go_on}",)


def failed_points(points: list[Point]) -> tuple[str, ...]:
    """Say which points of learning curves have folds that failed: the figure shows those that did not.

    Parameters
    ----------
    points : list of Point
        All of the run.

    Examples
    --------
    >>> failed_points([({"dataset": "iris", "model": "moe", "status": "timeout", "reason": "it hangs"}, 0.5)])
    ('iris, moe: on 0.5 of the training rows 1 of 1 folds failed: it hangs',)
    """
    at = [((record["dataset"], record["model"], share), record) for record, share in points]
    folds = Counter(key for key, _ in at)
    failed = [(key, record["reason"]) for key, record in at if record["status"] != "ok"]
    counts, reasons = Counter(key for key, _ in failed), dict(reversed(failed))
    return tuple(
        f"{table}, {model}: on {share:.3g} of the training rows {count} of {folds[table, model, share]} folds failed: "
        f"{reasons[table, model, share]}"
        for (table, model, share), count in counts.items()
    )


def chosen_afterwards(declared: dict[str, Any], shown: dict[str, Any]) -> tuple[str, ...]:
    """Say what is shown in another way than was declared before the run.

    Parameters
    ----------
    declared, shown : dict
        Each with ``metric`` and ``rope``.

    Examples
    --------
    >>> chosen_afterwards({"metric": "accuracy", "rope": 0.01}, {"metric": "log_loss", "rope": 0.01})
    ('The metric declared before the run was Accuracy; this one was chosen afterwards.',)
    """
    notes = []
    if declared["metric"] != shown["metric"]:
        notes.append(f"The metric declared before the run was {QUANTITIES[declared['metric']].label}; this one was chosen afterwards.")
    if declared["rope"] != shown["rope"]:
        notes.append(f"The region of practical equivalence declared before the run was {declared['rope']}; this one was chosen afterwards.")
    return tuple(notes)
