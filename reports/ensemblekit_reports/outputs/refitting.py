"""The model that a study recommends, fitted once more on every row, ready to be stored."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from ensemblekit_reports.environment import versions
from ensemblekit_reports.errors import UserError, unknown_name
from ensemblekit_reports.outputs.stored_model import StoredModel
from ensemblekit_reports.outputs.table_encoding import encoding_of
from ensemblekit_reports.quiet import collected
from ensemblekit_reports.running.attempt import say
from ensemblekit_reports.running.global_state import lent_generators, restored_settings, seed_generators
from ensemblekit_reports.running.grouped_folds import with_grouped_folds
from ensemblekit_reports.running.preprocessing import column_groups, preprocessing
from ensemblekit_reports.running.tuned_model import tuned_model

if TYPE_CHECKING:
    from ensemblekit_reports.reporting.report import Report
    from ensemblekit_reports.studies.model import Model
    from ensemblekit_reports.studies.plan import Plan
    from ensemblekit_reports.tables.table import Table

#: What ``--save-model`` means without a name.
BEST = "best"


def check_choice(plan: Plan, name: str) -> None:
    """See before a run that its model can be chosen after it.

    Parameters
    ----------
    plan : Plan
        What will be run.
    name : str
        A model of it, or ``"best"``.

    Raises
    ------
    UserError
        When there are several tables, or no such model.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.studies.plan import Plan
    >>> from ensemblekit_reports.studies.scheme import Scheme
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> plan = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 2), 0, True)
    >>> check_choice(plan, "logistc")
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: unknown model 'logistc': did you mean 'logistic'? Valid: best, logistic.
    """
    names = [BEST, *(model.name for model in plan.models)]
    if name not in names:
        raise unknown_name("model", name, names)
    if len(plan.tables) != 1:
        raise UserError(f"--save-model fits a model on one table, and this study has {len(plan.tables)}; compare on the table in question.")


def chosen_name(report: Report, name: str) -> str:
    """Return the name of the model to keep: the one named, or the first of the leaderboard.

    Parameters
    ----------
    report : Report
        Of the finished run.
    name : str
        A model of it, or ``"best"``.

    Raises
    ------
    UserError
        When no model finished every fold.

    Examples
    --------
    >>> from ensemblekit_reports.example import example_results
    >>> from ensemblekit_reports.reporting.report import build
    >>> chosen_name(build(example_results()), "best")
    'moe'
    """
    if name != BEST:
        return name
    first = report.leaderboard[0]
    if not first.complete:
        raise UserError("no model finished every fold, so none is stored; name one with --save-model NAME.")
    return first.model.name


def refit(plan: Plan, name: str) -> StoredModel:
    """Fit a model of a plan on the whole table.

    Parameters
    ----------
    plan : Plan
        With one table.
    name : str
        One of its models.

    Returns
    -------
    StoredModel
        With its preprocessing; the study's seed is the model's.

    Raises
    ------
    UserError
        When the model cannot be fitted on all rows.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.studies.plan import Plan
    >>> from ensemblekit_reports.studies.scheme import Scheme
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> plan = Plan("p", (bundled_table("iris"),), find_models(["logistic"]), "accuracy", 0.01, Scheme(1, 2), 0, True)
    >>> refit(plan, "logistic").answer(plan.tables[0].X[:2]).tolist()
    ['setosa', 'setosa']
    """
    (table,) = plan.tables
    model = next(model for model in plan.models if model.name == name)
    try:
        # What libraries say of this model is with its cells; settings and generators are those of the reader's own session.
        with collected(Counter()), restored_settings(), lent_generators():
            model = _tuned(model, table, plan.seed)
            pipeline = _fit(model, table, plan.seed)
    except Exception as error:  # a model may raise anything
        raise UserError(f"{name} could not be fitted on the whole table: {say(error)}.") from error
    facts = {
        "label": model.label,
        "definition": model.definition(),
        "table": asdict(table.facts()),
        "seed": plan.seed,
        "versions": versions(),
    }
    return StoredModel(pipeline, encoding_of(table), table.classes, name, facts)


def _tuned(model: Model, table: Table, seed: int) -> Model:
    """Search once more, now inside all rows, as it was done inside the training rows of each fold."""
    if model.tuning is None:
        return model
    prepare = preprocessing(model.preprocessing, *column_groups(table))
    X = table.X if prepare == "passthrough" else prepare.fit_transform(table.X)
    return tuned_model(model, X, table.y, table.weights, table.groups, seed, {})


def _fit(model: Model, table: Table, seed: int) -> Any:
    estimator = with_grouped_folds(model.factory(seed), table.y, table.groups)
    weighted = {} if table.weights is None else {"model__sample_weight": table.weights}
    if weighted and not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(f"{type(estimator).__name__} takes no sample weights")
    steps = [("prepare", preprocessing(model.preprocessing, *column_groups(table))), ("model", estimator)]
    seed_generators(seed)
    # Copies: some models scale in place, and the table is the plan's.
    return Pipeline(steps).fit(table.X.copy(), table.y.copy(), **weighted)
