"""Other engines for trees, for `benchmarks/packed.py --peers PYTHON`; runs in an environment of its own with lleaves and tl2cgen.

Reads ``lightgbm.txt``, ``xgboost.json`` and ``rows.npy`` from a folder, and prints JSON: for each engine and model seconds for the batch
and for one row, on one thread, best of five, or why it did not run.

    python tree_engines.py FOLDER
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REPEATS, SINGLE = 5, 200


def best(function: Callable[[], Any]) -> float:
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return min(times)


def timed(answer: Callable[[Any], Any], rows: np.ndarray) -> dict[str, float]:
    one = rows[:1]
    answer(one)
    return {"batch": best(lambda: answer(rows)), "single": best(lambda: [answer(one) for _ in range(SINGLE)]) / SINGLE}


def lleaves_lightgbm(folder: Path, rows: np.ndarray) -> dict[str, float]:
    import lleaves  # noqa: PLC0415 - may be missing

    model = lleaves.Model(model_file=str(folder / "lightgbm.txt"))
    model.compile()
    return timed(lambda X: model.predict(X, n_jobs=1), rows.astype(np.float64))


def treelite_model(folder: Path, rows: np.ndarray, file: str) -> dict[str, float]:
    import tl2cgen  # noqa: PLC0415
    import treelite  # noqa: PLC0415

    loader = treelite.frontend.load_lightgbm_model if file.endswith("txt") else treelite.frontend.load_xgboost_model
    library = folder / f"{file.partition('.')[0]}.so"
    tl2cgen.export_lib(loader(str(folder / file)), toolchain="gcc", libpath=str(library), params={}, verbose=False)
    predictor = tl2cgen.Predictor(str(library), nthread=1)
    return timed(lambda X: predictor.predict(tl2cgen.DMatrix(X)), rows)


ENGINES: dict[str, Callable[[Path, np.ndarray], dict[str, float]]] = {
    "lleaves, LightGBM": lleaves_lightgbm,
    "treelite (tl2cgen), LightGBM": lambda folder, rows: treelite_model(folder, rows, "lightgbm.txt"),
    "treelite (tl2cgen), XGBoost": lambda folder, rows: treelite_model(folder, rows, "xgboost.json"),
}


def main() -> None:
    folder = Path(sys.argv[1])
    rows = np.load(folder / "rows.npy")
    found: dict[str, Any] = {}
    for name, run in ENGINES.items():
        try:
            found[name] = run(folder, rows)
        except Exception as error:  # noqa: BLE001 - whatever keeps a peer from running is reported
            found[name] = f"{type(error).__name__}: {error}"[:200]
    print(json.dumps(found))


if __name__ == "__main__":
    main()
