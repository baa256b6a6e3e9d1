"""What a study may estimate beside what it measures: energy, and money by a rate that the reader gives."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from ensemblekit._extras import require
from ensemblekit_reports.errors import UserError

HOUR_S = 3600.0
#: Rows of the batch that energy and price of predicting are said for.
BATCH = 10_000


@dataclass(frozen=True)
class Estimates:
    """What to estimate; nothing by default.

    Parameters
    ----------
    energy : str, default=""
        Country whose electricity is used, as three letters such as ``"FRA"``; energy is estimated where it is given.
    price_per_hour : float, default=0
        What an hour of the machine costs; 0 for no prices.
    currency : str, default=""
        In what, such as ``"EUR"``; a word for the page.

    Examples
    --------
    >>> Estimates(price_per_hour=1.8, currency="EUR").prices({"fit_wall_s": 20.0, "predict_rows_per_s_10000": 5000.0})
    {'fit_money': 0.01, 'predict_money': 0.001}
    """

    energy: str = ""
    price_per_hour: float = 0.0
    currency: str = ""

    def check(self) -> None:
        """Refuse what is no country and no price.

        Raises
        ------
        UserError
            When one of them makes no sense.
        ImportError
            When energy is asked for without the extra ``energy``.

        Examples
        --------
        >>> Estimates(energy="France").check()
        Traceback (most recent call last):
            ...
        ensemblekit_reports.errors.UserError: energy needs the country as three capital letters, such as FRA or USA; got 'France'.
        """
        if self.energy:
            if not re.fullmatch("[A-Z]{3}", self.energy):
                raise UserError(f"energy needs the country as three capital letters, such as FRA or USA; got {self.energy!r}.")
            require("codecarbon", extra="energy", purpose="Estimating energy")
        if not (math.isfinite(self.price_per_hour) and self.price_per_hour >= 0):
            raise UserError(f"price_per_hour must not be negative, got {self.price_per_hour}.")

    def prices(self, costs: dict[str, Any]) -> dict[str, float]:
        """Return what a fit and a batch of 10,000 rows would cost; nothing without a price.

        Parameters
        ----------
        costs : dict of str to float
            What was measured; None or NaN where nothing was.
        """
        if not self.price_per_hour:
            return {}
        seconds = costs.get("fit_wall_s"), BATCH / (costs.get("predict_rows_per_s_10000") or math.nan)
        fit, batch = (self.price_per_hour / HOUR_S * (math.nan if value is None else value) for value in seconds)
        return {"fit_money": fit, "predict_money": batch}

    def notes(self) -> tuple[str, ...]:
        """Say how the estimates came about, one sentence each."""
        energy = (
            f"Energy is an estimate by CodeCarbon for the process alone: counters of the processor where they can be read, else its "
            f"rated power times its load; CO2e by the mean electricity of {self.energy}."
        )
        money = (
            f"Prices are estimates: wall-clock time at {self.price_per_hour:g} {self.currency or 'units of money'} an hour, and nothing "
            "for idle time, storage or people."
        )
        return tuple(said for said, wanted in ((energy, self.energy), (money, self.price_per_hour)) if wanted)
