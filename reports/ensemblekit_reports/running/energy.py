"""Energy of fitting and predicting, estimated by CodeCarbon inside the timed process: no network, no file."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ensemblekit._extras import require

#: Work is repeated for so long: power is read a few times a second at best.
SECONDS = 1.0
JOULES_PER_KWH, GRAMS_PER_KG = 3.6e6, 1e3
NAMES = ("fit_energy_j", "fit_co2e_g", "predict_energy_j")


def estimate(fit: Callable[[], Any], predict: Callable[[], Any], country: str) -> dict[str, Any]:
    """Estimate what one fit and one batch of predictions take.

    Parameters
    ----------
    fit, predict : callable
        The work, which is repeated for about a second each.
    country : str
        Three letters, by which energy becomes CO2e.

    Returns
    -------
    dict
        ``fit_energy_j``, ``predict_energy_j`` in joules, ``fit_co2e_g`` in grams, NaN where nothing was found, and ``energy_note``, the
        reason.
    """
    try:
        fit_joules, fit_grams = _per_call(fit, country)
        predict_joules, _ = _per_call(predict, country)
    except Exception as error:  # noqa: BLE001 - sensors are as many as machines; times stand without them
        return dict.fromkeys(NAMES, np.nan) | {"energy_note": f"Energy was not estimated: {' '.join(str(error).split())[:200]}."}
    return dict(zip(NAMES, (fit_joules, fit_grams, predict_joules), strict=True)) | {"energy_note": ""}


def _per_call(work: Callable[[], Any], country: str) -> tuple[float, float]:
    tracker = _tracker(country)
    tracker.start()
    calls, stop = 0, time.perf_counter() + SECONDS
    while calls == 0 or time.perf_counter() < stop:
        work()
        calls += 1
    tracker.stop()
    found = tracker.final_emissions_data
    joules, grams = found.energy_consumed * JOULES_PER_KWH / calls, found.emissions * GRAMS_PER_KG / calls
    if not joules > 0:
        raise ValueError("CodeCarbon found no power to read on this machine")
    return joules, grams


def _tracker(country: str) -> Any:
    codecarbon = require("codecarbon", extra="energy", purpose="Estimating energy")
    logging.getLogger("codecarbon").disabled = True  # it speaks before it reads how loud it may be
    return codecarbon.OfflineEmissionsTracker(
        country_iso_code=country,
        tracking_mode="process",
        measure_power_secs=3600,  # at the start and at the end: not while the model works
        allow_multiple_runs=True,
        log_level="critical",
        # Said one by one, whatever a file of settings in the home folder wants.
        save_to_file=False,
        save_to_api=False,
        save_to_logger=False,
        save_to_prometheus=False,
        save_to_logfire=False,
        emissions_endpoint=None,
        electricitymaps_api_token=None,
    )
