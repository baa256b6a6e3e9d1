"""The types that a stored model may be made of: a file that names another is refused before anything of it is built.

skops itself lets scikit-learn's estimators pass, NumPy's arrays and dtypes, and plain containers. What is listed here comes on top.
No function and no method is among them, so that a file can call nothing; a fitted booster is read by its own library.
"""

from __future__ import annotations

_MIXTURE = (
    "ensemblekit.mixture.classifier.MixtureOfExpertsClassifier",
    "ensemblekit.mixture.regressor.MixtureOfExpertsRegressor",
    "ensemblekit.mixture.experts.boosted.BoostedExperts",
    "ensemblekit.mixture.experts.estimators.EstimatorExperts",
    "ensemblekit.mixture.experts.linear.LinearExperts",
    "ensemblekit.mixture.experts.logistic.LogisticExperts",
    "ensemblekit.mixture.gates.classifier.ClassifierGate",
    "ensemblekit.mixture.gates.constant.ConstantGate",
    "ensemblekit.mixture.gates.gaussian.GaussianGate",
    "ensemblekit.mixture.gates.hierarchical.HierarchicalGate",
    "ensemblekit.mixture.gates.softmax.SoftmaxGate",
    "ensemblekit.mixture.transfer.SingleClassifier",
    "ensemblekit.mixture.transfer.SingleRegressor",
    # What a fit has chosen by itself; what a mixture remembers of a stream is not among what a study fits.
    "ensemblekit.mixture.choosing.Mixing",
    "ensemblekit.mixture.mixing.MixingStep",
    "ensemblekit.mixture.selection.SelectionStep",
)
_ENSEMBLES = (
    "ensemblekit.ensembles.averaging.AveragingEnsembleClassifier",
    "ensemblekit.ensembles.averaging.AveragingEnsembleRegressor",
    "ensemblekit.ensembles.dynamic_selection.DynamicSelectionClassifier",
    "ensemblekit.ensembles.fold_models.FoldMeanClassifier",
    "ensemblekit.ensembles.fold_models.FoldMeanRegressor",
    "ensemblekit.ensembles.lightgbm_members.LightGBMClassifier",
    "ensemblekit.ensembles.lightgbm_members.LightGBMRegressor",
    "ensemblekit.ensembles.stacking.StackingEnsembleClassifier",
    "ensemblekit.ensembles.stacking.StackingEnsembleRegressor",
    "ensemblekit.ensembles.voting.VotingEnsembleClassifier",
    "ensemblekit.ensembles.voting.VotingEnsembleRegressor",
    "ensemblekit.ensembles.weighted.WeightedEnsembleClassifier",
    "ensemblekit.ensembles.weighted.WeightedEnsembleRegressor",
    "ensemblekit.ensembles.xgboost_members.XGBoostClassifier",
    "ensemblekit.ensembles.xgboost_members.XGBoostRegressor",
)
_COMPRESSED = (
    "ensemblekit.compression.estimators.DistilledClassifier",
    "ensemblekit.compression.estimators.DistilledRegressor",
    "ensemblekit.compression.estimators.PrunedClassifier",
    "ensemblekit.compression.estimators.PrunedRegressor",
    "ensemblekit.compression.estimators.QuantizedClassifier",
    "ensemblekit.compression.estimators.QuantizedRegressor",
    "ensemblekit.compression.footprint.CompressionReport",
    "ensemblekit.compression.footprint.Footprint",
    "ensemblekit.compression.quantizing.QuantizedModel",
    "ensemblekit.compression.tree_codes.TreeCodes",
    "ensemblekit.packed.model.PackedModel",
)
_BOOSTERS = (
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)
#: scikit-learn's trees are fitted arrays that it follows without looking; `loaded_trees.py` looks before anything is predicted, and at
#: packed models too.
_PARTS = ("numpy.dtype", "collections.OrderedDict", "sklearn.utils._bunch.Bunch", "sklearn.tree._tree.Tree")

#: Full names of the types that may be loaded.
TRUSTED: tuple[str, ...] = _MIXTURE + _ENSEMBLES + _COMPRESSED + _BOOSTERS + _PARTS
