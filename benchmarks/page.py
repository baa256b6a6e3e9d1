"""What the page of a large study costs: 20 models on 20 tables, 3 x 5 folds, every model's answers known.

    python benchmarks/page.py [--models 20] [--tables 20]

The numbers are generated; nothing is fitted. Seconds are of the CPU, so that other work on the machine counts little. The limits are 5 s
from results to files and 1.5 MB for the page.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ensemblekit_reports.example import example_results
from ensemblekit_reports.render import write
from ensemblekit_reports.reporting.answers import of_classes
from ensemblekit_reports.reporting.report import build
from ensemblekit_reports.results import Results

SECONDS, BYTES = 5.0, 1_500_000


def large_results(n_models: int, n_tables: int) -> Results:
    """Copy the three models of the example under new names, each a little worse than the one before."""
    small = example_results(tuple(f"table {i}" for i in range(n_tables)), n_splits=5, n_repeats=3)
    random = np.random.default_rng(0)
    models, parts = [], []
    for position in range(n_models):
        model = small.models[position % len(small.models)]
        name = f"{model.name}-{position}"
        models.append(replace(model, name=name, label=f"{model.label} {position}"))
        own = small.cells[small.cells["model"] == model.name]
        noise = 0.004 * random.standard_normal(len(own)) - 0.002 * position
        parts.append(own.assign(model=name, accuracy=own["accuracy"] + noise))
    y = random.integers(0, 2, 400)
    sure = random.dirichlet([1, 1], 400)
    answers = [of_classes(t.name, m.name, y, sure.argmax(axis=1), sure, np.ones(400), 2) for t in small.tables for m in models]
    return replace(small, models=tuple(models), cells=pd.concat(parts, ignore_index=True), answers=tuple(answers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument("--tables", type=int, default=20)
    options = parser.parse_args()
    write_once(example_results())  # imports and fonts do not count
    seconds, size = write_once(large_results(options.models, options.tables))
    print(f"{options.models} models x {options.tables} tables: {seconds:.1f} s of CPU (limit {SECONDS:g}), {size / 1e6:.2f} MB (limit 1.5)")


def write_once(results: Results) -> tuple[float, int]:
    """Return the CPU seconds from results to files, and the bytes of the page."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        page = write(build(results), Path(folder))
        return time.process_time() - began, page.stat().st_size


if __name__ == "__main__":
    main()
