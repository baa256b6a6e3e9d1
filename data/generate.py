"""Make the project's own small tables again: ``python data/generate.py`` (or ``make tables``).

The same files come out on every machine: values are rounded before they are used, and no answer hangs on a last digit.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ensemblekit.datasets import load_bundled

HERE = Path(__file__).parent


def regimes() -> pd.DataFrame:
    """Return the bundled regime table: three regimes, each with a linear rule of its own."""
    table = load_bundled("regimes")
    return pd.DataFrame(table.X, columns=list(table.columns)).assign(**{table.target: table.y})


def customers(n_rows: int = 600) -> pd.DataFrame:
    """Return customers who stay or leave: numbers, words, booleans, dates, missing cells, and two kinds of customer.

    Monthly customers leave when support fails them, yearly ones when the price rises: two regimes that the column
    ``contract`` tells apart.
    """
    rng = np.random.default_rng(0)
    contract = rng.choice(["monthly", "yearly"], n_rows, p=[0.6, 0.4])
    tickets, rise = rng.poisson(1.5, n_rows), rng.normal(4, 3, n_rows).round(1)
    pull = np.where(contract == "monthly", 1.2 * (tickets - 1.5), 0.6 * (rise - 4)) - 0.5
    leaves = rng.uniform(size=n_rows) < 1 / (1 + np.exp(-pull))
    frame = pd.DataFrame(
        {
            "customer_id": 10_000 + 3 * np.arange(n_rows),
            "signed_up": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 1500, n_rows), unit="D"),
            "contract": contract,
            "region": rng.choice(["north", "south", "east", "west", "overseas"], n_rows, p=[0.3, 0.3, 0.2, 0.19, 0.01]),
            "support_tickets": tickets,
            "price_rise_percent": rise,
            "monthly_spend": rng.gamma(4, 12, n_rows).round(2),
            "newsletter": rng.uniform(size=n_rows) < 0.4,
            "churned": np.where(leaves, "yes", "no"),
        }
    )
    gaps = {"region": 0.05, "monthly_spend": 0.08, "price_rise_percent": 0.03}
    for column, share in gaps.items():
        frame[column] = frame[column].mask(rng.uniform(size=n_rows) < share)
    return frame


TABLES = {"regimes.csv": regimes, "customers.csv": customers}


def main() -> None:
    """Write every table beside this file."""
    for name, make in TABLES.items():
        make().to_csv(HERE / name, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
