"""The registry: every model fits a small table; the costly mixtures run only when they are named."""

import pytest
from sklearn.datasets import make_classification

from ensemblekit.packed import pack
from ensemblekit_reports.models import DEFAULT_MODELS, REGISTRY
from ensemblekit_reports.study import Study

MIXTURES = ("moe-boosted", "moe-trees")


def test_a_study_without_models_leaves_the_costly_mixtures_out():
    assert set(REGISTRY) - set(DEFAULT_MODELS) == set(MIXTURES)
    assert Study.__dataclass_fields__["models"].default == DEFAULT_MODELS


@pytest.mark.filterwarnings("ignore:Experts .* answer for less")
@pytest.mark.parametrize("name", MIXTURES)
def test_a_mixture_of_trees_fits_and_packs(name):
    X, y = make_classification(300, 8, n_informative=5, class_sep=1.5, random_state=0)
    model = REGISTRY[name].factory(0)
    assert model.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.7
    assert REGISTRY[name].factory(1).random_state == 1
    if name == "moe-boosted":
        work = pack(model).node_visits(X)
        assert work.active <= work.total
    assert REGISTRY[name].family == "mixture"
