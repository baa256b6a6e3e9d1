"""Tables to try things out on: regime generators and the tables that scikit-learn brings."""

from ensemblekit.datasets.bundled import BUNDLED, BundledTable, load_bundled
from ensemblekit.datasets.regimes import make_regimes_classification, make_regimes_regression

__all__ = ["BUNDLED", "BundledTable", "load_bundled", "make_regimes_classification", "make_regimes_regression"]
