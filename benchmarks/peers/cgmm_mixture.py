"""The Gaussian mixture of experts of cgmm, for `benchmarks/mixture.py peer --cgmm PYTHON`; runs in an environment of its own.

    python cgmm_mixture.py IN.npz N_INIT

Prints CPU seconds of one fit and the log-likelihood that it reached.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time

import numpy as np
from cgmm import MixtureOfExpertsRegressor

if __name__ == "__main__":
    given = np.load(sys.argv[1])
    model = MixtureOfExpertsRegressor(3, gating_penalty=1e-8, max_iter=10_000, tol=1e-9, n_init=int(sys.argv[2]), random_state=0)
    start = time.process_time()
    model.fit(given["X"], given["y"])
    print(time.process_time() - start, float(np.sum(model.log_prob(given["X"], given["y"]))))
