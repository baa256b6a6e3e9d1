"""Certificates of a right fit: what must hold at any optimum, whatever the numbers are."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from ensemblekit import MixtureOfExpertsClassifier
from ensemblekit.mixture.gates.softmax import SoftmaxGate
from ensemblekit.packed import pack
from tests.mixture.tables import gated_table

OPTIMIZERS = ["auto", "em"]

# small tables need few experts, and the warning that says so has a test of its own
pytestmark = pytest.mark.filterwarnings("ignore:Experts .* answer for less")


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("alpha", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_one_expert_is_logistic_regression(n_classes, alpha, optimizer):
    X, y = make_classification(300, 6, n_informative=4, n_redundant=2, n_classes=n_classes, n_clusters_per_class=1, random_state=0)
    X = X * [1, 10, 0.1, 1, 3, 1] + [0, 50, 0, 0, -4, 0]
    mixture = MixtureOfExpertsClassifier(n_experts=1, alpha=alpha, optimizer=optimizer).fit(X, y)
    reference = LogisticRegression(C=1 / alpha, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(X, y)
    assert_allclose(mixture.predict_proba(X), reference.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("seed", range(50))
def test_penalised_likelihood_never_falls(seed):
    rng = np.random.default_rng(seed)
    X, y = gated_table(seed, n_samples=int(rng.integers(40, 120)), n_experts=2, n_classes=int(rng.integers(2, 5)))
    weight = rng.uniform(0.1, 3.0, size=len(y))
    for optimizer in OPTIMIZERS:
        model = MixtureOfExpertsClassifier(
            int(rng.integers(2, 5)), alpha=float(rng.choice([0.01, 1.0])), optimizer=optimizer, n_init=1, tol=1e-4, random_state=seed
        ).fit(X, y, sample_weight=weight)
        bounds = np.array(model.lower_bounds_)
        assert len(bounds) > 1
        assert np.all(np.diff(bounds) >= 0)
        assert model.lower_bound_ == bounds[-1]


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_lower_bound_is_the_penalised_log_likelihood(optimizer):
    X, y = gated_table(1, n_classes=3)
    model = MixtureOfExpertsClassifier(2, alpha=0.7, n_init=2, optimizer=optimizer, random_state=0).fit(X, y)
    penalty = 0.35 * (np.sum(model.gate_.coef_**2) + np.sum(model.experts_.coef_**2))
    codes = np.searchsorted(model.classes_, y)
    by_hand = np.log(model.predict_proba(X)[np.arange(len(y)), codes]).sum()
    assert_allclose(model.log_likelihood(X, y), by_hand)
    assert_allclose(model.lower_bound_, by_hand - penalty)


def penalised(model, X, y, gate, experts):
    """Penalised log-likelihood at raw coefficients, written out once more and plainly."""
    logits = X @ gate[:, :-1].T + gate[:, -1]
    gate_proba = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    classes = np.einsum("nd,kcd->nkc", X, experts[:, :, :-1]) + experts[:, :, -1]
    class_proba = np.exp(classes) / np.exp(classes).sum(axis=2, keepdims=True)
    mixed = np.einsum("nk,nkc->nc", gate_proba, class_proba)[np.arange(len(y)), y]
    return np.log(mixed).sum() - 0.5 * model.alpha * (np.sum(gate[:, :-1] ** 2) + np.sum(experts[:, :, :-1] ** 2))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_gradient_vanishes_at_the_optimum(n_classes):
    X, y = gated_table(3, n_classes=n_classes)
    X = X * [1.0, 20.0, 0.3] + [0.0, 100.0, 1.0]  # the optimum is that of the raw columns
    model = MixtureOfExpertsClassifier(2, alpha=0.5, random_state=0).fit(X, y)
    gate = np.c_[model.gate_.coef_, model.gate_.intercept_]
    experts = np.concatenate([model.experts_.coef_, model.experts_.intercept_[..., None]], axis=2)
    free = slice(1, None) if n_classes == 2 else slice(None)  # with two classes the first logit is fixed at zero

    def slope(array, at, step=1e-5):
        moved = []
        for sign in (1, -1):
            array[at] += sign * step
            moved.append(penalised(model, X, y, gate, experts))
            array[at] -= sign * step
        return (moved[0] - moved[1]) / (2 * step)

    slopes = [slope(gate, at) for at in np.ndindex(gate.shape)]
    slopes += [slope(experts, at) for at in np.ndindex(experts.shape) if at[1] in range(n_classes)[free]]
    assert_allclose(slopes, 0, atol=2e-3)  # sums over 200 rows of columns as large as 100
    experts[:, 1] += 0.5  # the probe itself must see a slope elsewhere
    assert max(abs(slope(experts, at)) for at in np.ndindex(experts.shape) if at[1] > 0) > 1


def test_responsibilities_are_the_posterior_of_the_experts():
    X, y = gated_table(4, n_classes=3)
    model = MixtureOfExpertsClassifier(3, n_init=2, random_state=0).fit(X, y)
    responsibilities = model.responsibilities(X, y)
    joint = model.gate_proba(X) * model.expert_proba(X)[np.arange(len(y)), :, y]
    assert_allclose(responsibilities, joint / joint.sum(axis=1, keepdims=True))
    assert_allclose(responsibilities.sum(axis=1), 1)
    assert_allclose(model.gate_proba(X).sum(axis=1), 1)
    assert_allclose(model.expert_proba(X).sum(axis=2), 1)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_weights_equal_repetition(optimizer):
    X, y = gated_table(5)
    times = np.random.default_rng(0).integers(0, 4, size=len(y))
    settings = {"n_init": 4, "optimizer": optimizer, "tol": 1e-5, "random_state": 0}
    weighted = MixtureOfExpertsClassifier(3, **settings).fit(X, y, sample_weight=times)
    repeated = MixtureOfExpertsClassifier(3, **settings).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)
    assert_allclose(weighted.lower_bound_, repeated.lower_bound_)


def test_order_of_the_rows_does_not_matter():
    X, y = gated_table(6)
    order = np.random.default_rng(0).permutation(len(y))
    one = MixtureOfExpertsClassifier(3, n_init=4, random_state=0).fit(X, y)
    other = MixtureOfExpertsClassifier(3, n_init=4, random_state=0).fit(X[order], y[order])
    assert_allclose(one.predict_proba(X), other.predict_proba(X), atol=1e-6)


def test_permuted_experts_change_nothing():
    X, y = gated_table(7, n_classes=3)
    model = MixtureOfExpertsClassifier(3, n_init=2, random_state=0).fit(X, y)
    before, likelihood = model.predict_proba(X), model.log_likelihood(X, y)
    order = [2, 0, 1]
    gate_proba = model.gate_proba(X)
    for part in (model.gate_, model.experts_):
        part.coef_, part.intercept_ = part.coef_[order], part.intercept_[order]
    assert_allclose(model.gate_proba(X), gate_proba[:, order])
    assert_allclose(model.predict_proba(X), before)
    assert_allclose(model.log_likelihood(X, y), likelihood)
    refitted = MixtureOfExpertsClassifier(3, n_init=2, random_state=0).fit(X, y)
    assert_allclose(refitted.predict_proba(X), before)


def test_zero_gate_is_soft_voting():
    X, y = gated_table(8)
    model = MixtureOfExpertsClassifier(3, n_init=2, random_state=0).fit(X, y)
    model.gate_.coef_ = np.zeros_like(model.gate_.coef_)
    model.gate_.intercept_ = np.zeros_like(model.gate_.intercept_)
    members = []
    for k in range(3):
        member = LogisticRegression().fit(X, y)
        member.coef_, member.intercept_ = model.experts_.coef_[k, 1:], model.experts_.intercept_[k, 1:]
        members.append((f"expert {k}", member))
    voting = VotingClassifier(members, voting="soft").fit(X, y)
    voting.estimators_ = [member for _, member in members]
    assert_allclose(model.predict_proba(X), voting.predict_proba(X))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_same_seed_same_bits(optimizer):
    X, y = gated_table(9)
    model = MixtureOfExpertsClassifier(3, n_init=3, optimizer=optimizer, random_state=3)
    assert np.array_equal(model.fit(X, y).predict_proba(X), clone(model).fit(X, y).predict_proba(X))


@pytest.mark.parametrize("labels", [["no", "yes"], [False, True], [-1, 1], [1.0, 3.0]])
def test_labels_of_any_type(labels):
    X, codes = gated_table(10)
    y = np.array(labels)[codes]
    model = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X, y)
    assert model.classes_.tolist() == labels
    assert set(model.predict(X).tolist()) <= set(labels)
    assert_allclose(model.predict_log_proba(X), np.log(model.predict_proba(X)))


def test_gate_object_brings_its_own_penalty():
    X, y = gated_table(11)
    free = MixtureOfExpertsClassifier(2, gate=SoftmaxGate(alpha=1e-3), n_init=3, random_state=0).fit(X, y)
    shared = MixtureOfExpertsClassifier(2, gate=SoftmaxGate(), n_init=3, random_state=0).fit(X, y)
    assert np.abs(free.gate_.coef_).sum() > 2 * np.abs(shared.gate_.coef_).sum()


def test_serves_in_scikit_learn():
    X, y = load_iris(return_X_y=True, as_frame=True)
    pipeline = make_pipeline(StandardScaler(), MixtureOfExpertsClassifier(2, n_init=2, random_state=0))
    pipeline.set_output(transform="pandas")
    grid = GridSearchCV(pipeline, {"mixtureofexpertsclassifier__n_experts": [1, 2]}, cv=3, scoring="neg_log_loss").fit(X, y)
    assert grid.best_score_ > -0.3
    assert cross_validate(pipeline, X, y, cv=3)["test_score"].min() > 0.9
    calibrated = CalibratedClassifierCV(pipeline, cv=3).fit(X, y)
    assert_allclose(calibrated.predict_proba(X).sum(axis=1), 1)
    fitted = pipeline.fit(X, y)[-1]
    assert list(fitted.feature_names_in_) == list(X.columns)


def test_metadata_routing_brings_the_weights():
    import sklearn

    X, y = gated_table(12)
    weight = np.random.default_rng(0).integers(0, 3, size=len(y)).astype(float)
    with sklearn.config_context(enable_metadata_routing=True):
        model = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=True), model).fit(X, y, sample_weight=weight)
    scaled = StandardScaler().fit(X, sample_weight=weight).transform(X)
    assert_allclose(pipeline.predict_proba(X), clone(model).fit(scaled, y, sample_weight=weight).predict_proba(scaled))


@pytest.mark.parametrize("factor", [1e160, 1e-310])
def test_extreme_units(factor):
    X, y = gated_table(13)
    proba = MixtureOfExpertsClassifier(2, n_init=2, random_state=0).fit(X * factor, y).predict_proba(X * factor)
    assert np.isfinite(proba).all()
    assert_allclose(proba.sum(axis=1), 1)


def test_awkward_tables():
    X, y = gated_table(14)
    constant = np.c_[X, np.full(len(y), 0.1), X[:, 0]]  # a constant and a duplicate column
    separated = (X[:, 0] > 0).astype(int)
    for table, answers in [(constant, y), (X, separated), (X[:3], np.array([0, 1, 1]))]:
        model = MixtureOfExpertsClassifier(4, n_init=2, random_state=0).fit(table, answers)
        assert np.isfinite(model.predict_proba(table)).all()
    assert_allclose(MixtureOfExpertsClassifier(3, random_state=0).fit(constant, y).gate_.coef_[:, 3], 0, atol=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_experts": 0}, "n_experts"),
        ({"gate": "hard"}, "'softmax'"),
        ({"experts": "linear"}, "'logistic'"),
        ({"alpha": -1}, "alpha"),
        ({"optimizer": "magic"}, "'em'"),
        ({"tol": 0}, "tol"),
    ],
)
def test_bad_parameters_name_the_valid_ones(settings, message):
    X, y = gated_table(0)
    with pytest.raises(ValueError, match=message):
        MixtureOfExpertsClassifier(**settings).fit(X, y)


def test_bad_data():
    X, y = gated_table(0)
    model = MixtureOfExpertsClassifier(2, n_init=1, random_state=0)
    with pytest.raises(ValueError, match=r"at least 2 classes .* got 1 class: 0\.0\."):
        model.fit(X, np.zeros(len(y)))
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(X, y, sample_weight=np.zeros(len(y)))
    with pytest.raises(ValueError, match=r"Negative values|negative"):
        model.fit(X, y, sample_weight=-np.ones(len(y)))
    model.fit(X, y)
    with pytest.raises(ValueError, match=r"not there at fit: \[7\]"):
        model.log_likelihood(X, np.full(len(y), 7))
    with pytest.raises(ValueError, match="one label for each of the 200 rows"):
        model.responsibilities(X, y[:5])


def test_too_few_steps_are_reported():
    X, y = gated_table(0)
    with pytest.warns(UserWarning, match="did not converge in max_iter=1"):
        model = MixtureOfExpertsClassifier(2, n_init=1, max_iter=1, optimizer="em", random_state=0).fit(X, y)
    assert not model.converged_


def test_idle_experts_are_named():
    X, y = gated_table(0, n_samples=40)
    with pytest.warns(UserWarning, match=r"Experts \[.*\] answer for less than a hundredth of a row"):
        model = MixtureOfExpertsClassifier(8, alpha=10, n_init=2, random_state=0).fit(X, y)
    assert_allclose(model.load_.sum(), 1)
    assert np.any(model.load_ * len(y) < 0.01)


def test_verbose_prints_every_bound(capsys):
    X, y = gated_table(0)
    model = MixtureOfExpertsClassifier(2, n_init=1, random_state=0, verbose=1).fit(X, y)
    assert len(capsys.readouterr().out.splitlines()) == len(model.lower_bounds_)


def test_no_probability_exceeds_one():
    """Experts that are sure, under shares that sum to one but for rounding: scikit-learn's metrics refuse a last digit more."""
    X = np.random.default_rng(0).normal(size=(600, 3))
    y = np.where(X[:, 0] > 0.5, "a", np.where(X[:, 1] > 0, "b", "c"))
    model = MixtureOfExpertsClassifier(4, alpha=1e-6, n_init=2, max_iter=50, tol=1e-3, random_state=0).fit(X, y)
    for sure in (model, pack(model)):
        proba = sure.predict_proba(X)
        assert proba.max() == 1
        assert log_loss(y, proba) < 0.01
        assert_allclose(proba.sum(axis=1), 1, rtol=1e-12)
