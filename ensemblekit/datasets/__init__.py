"""Tables to try things out on: generators, and the tables that installed libraries bring."""

from ensemblekit.datasets.boxes import make_boxes_classification
from ensemblekit.datasets.bundled import BUNDLED, BundledTable, load_bundled
from ensemblekit.datasets.regimes import make_regimes_classification, make_regimes_regression

__all__ = ["BUNDLED", "BundledTable", "load_bundled", "make_boxes_classification", "make_regimes_classification", "make_regimes_regression"]
