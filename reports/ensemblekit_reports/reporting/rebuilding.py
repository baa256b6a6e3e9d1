"""The lines of Python that make a model of the report again."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ensemblekit_reports.results import ModelFacts, TableFacts

_NUMBERS_BY_NAME = re.compile(r"(?<![\w.'\"])(inf|nan)(?![\w'\"])")


def imports_of(estimator: Any, definition: str) -> str:
    """Return the import lines that a definition needs.

    Parameters
    ----------
    estimator : estimator
        What is defined.
    definition : str
        It as Python text.

    Returns
    -------
    str
        One line for each public package that a class of it comes from; classes of the caller's own script have none.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> imports_of(LogisticRegression(), "LogisticRegression()")
    'from sklearn.linear_model import LogisticRegression'
    """
    parts = [estimator, *getattr(estimator, "get_params", dict)().values()]
    by_package: dict[str, set[str]] = {}
    for kind in map(type, parts):
        if re.search(rf"\b{kind.__name__}\(", definition) and kind.__module__ not in {"builtins", "__main__"}:
            by_package.setdefault(_public(kind), set()).add(kind.__name__)
    if named := _NUMBERS_BY_NAME.findall(definition):
        by_package["math"] = set(named)
    return "\n".join(f"from {package} import {', '.join(sorted(names))}" for package, names in sorted(by_package.items()))


def _public(kind: type) -> str:
    """Return the shortest package that offers a class."""
    parts = kind.__module__.split(".")
    packages = [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
    return next(package for package in packages if getattr(sys.modules.get(package), kind.__name__, None) is kind)


def rebuild(model: ModelFacts, table: TableFacts) -> str:
    """Return the lines that fit a model on a whole table as the study fits it on a fold.

    Parameters
    ----------
    model : ModelFacts
    table : TableFacts

    Returns
    -------
    str
        Python that runs where the table's file lies; where the table came from memory, ``X`` and ``y`` must be there, and ``groups`` and
        ``weights`` if it had such, as Series. Empty where these lines would make another model: it was tuned anew in each fold, or it is
        not known how it was prepared for or where the table came from.

    Examples
    --------
    >>> from ensemblekit_reports.studies.registry import find_models
    >>> from ensemblekit_reports.tables.table import bundled_table
    >>> print(rebuild(find_models(["logistic"])[0].facts(), bundled_table("iris").facts()))
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from ensemblekit_reports.running.preprocessing import column_groups, preprocessing
    from ensemblekit_reports.tables.table import bundled_table
    <BLANKLINE>
    table = bundled_table('iris')
    print("the table of the report:", table.checksum == '...')
    prepare = preprocessing('linear', *column_groups(table))
    model = make_pipeline(prepare, LogisticRegression(max_iter=1000, random_state=0))
    model.fit(table.X, table.y)
    print(model.predict(table.X[:5]))
    """
    if not model.preprocessing or model.tuned or not table.origin:
        return ""
    loader, call = _loading(table)
    definition = model.seeded or model.definition
    if table.groups:
        definition = f"with_grouped_folds({definition}, table.y, table.groups)"
    weights = ', **{f"{model.steps[-1][0]}__sample_weight": table.weights}' if table.weights else ""
    lines = [
        *(["from pathlib import Path"] if "Path(" in call else []),
        *model.imports.splitlines(),
        "from sklearn.pipeline import make_pipeline",
        *(["from ensemblekit_reports.running.grouped_folds import with_grouped_folds"] if table.groups else []),
        "from ensemblekit_reports.running.preprocessing import column_groups, preprocessing",
        f"from ensemblekit_reports.tables.{'openml' if loader == 'openml_table' else 'table'} import {loader}",
        "",
        f"table = {call}",
        f'print("the table of the report:", table.checksum == {table.checksum!r})',
        f"prepare = preprocessing({model.preprocessing!r}, *column_groups(table))",
        f"model = make_pipeline(prepare, {definition})",
        f"model.fit(table.X, table.y{weights})",
        "print(model.predict(table.X[:5]))",
    ]
    return "\n".join(lines)


def _loading(table: TableFacts) -> tuple[str, str]:
    """Return the function that reads a table and the call of it; the task is said, since the reader of the study may have said it."""
    if table.origin == "bundled":
        return "bundled_table", f"bundled_table({table.name!r})"
    if table.origin == "memory":
        beside = "".join(f", {kind}={kind}" for kind in ("groups", "weights") if getattr(table, kind))
        return "table_from_frame", f"table_from_frame(X, y, name={table.name!r}{beside}, task={table.task!r})"
    beside = "".join(f", {kind}={column!r}" for kind in ("groups", "weights") if (column := getattr(table, kind)))
    settings = f"{beside}, task={table.task!r}"
    if table.origin == "openml":
        number = table.source.split()[1]  # of "OpenML 31 (credit-g, version 1)"
        return "openml_table", f"openml_table({number}, target={table.target!r}{settings})"
    return "table_from_file", f"table_from_file(Path({table.source!r}), {table.target!r}{settings})"
