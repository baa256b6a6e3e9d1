"""Packed models in few bytes: quantise, keep, and unpack again for the engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike, fspath
from typing import Any, get_args
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from ensemblekit.compression.accepting import accepted
from ensemblekit.compression.footprint import CompressionReport, packed_footprint, report_of
from ensemblekit.compression.losses import answers_to
from ensemblekit.compression.tree_codes import Dtype, TreeCodes, decode, encode
from ensemblekit.packed import PackedModel
from ensemblekit.packed.checking import check
from ensemblekit.packed.experts import Expert, LinearExpert, TreeExpert
from ensemblekit.packed.packing import packers
from ensemblekit.packed.storing import read, rebuilt, taken_apart, write
from ensemblekit.packed.taking_apart import LINK_NAMES, experts_of, gate_of, put_together
from ensemblekit.trees.flat import flatten, freeze

FORMAT = "ensemblekit quantised 2"
#: What the shell of a quantised model does not hold.
LEFT_OUT = ("node_start", "leaf_start", "perfect_nodes", "sparse_nodes", "leaf_values", "category_words", "linear")


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """A packed model in few bytes, for files and the wire.

    The engines read plain arrays: the first question unpacks them, and from then on the process holds both.

    Attributes
    ----------
    dtype : {"float16", "int8"}
        What the leaves are.
    shell : PackedModel
        Gate, links, bases and header; without trees and linear experts.
    trees : TreeCodes or None
        Trees of all experts; None where all are linear.
    weights : mapping of str to ndarray
        Linear experts ("linear", float32) with their intercepts ("intercept", float64), and a gate through which all experts run ("gate",
        float32).

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from ensemblekit.packed import pack
    >>> X, y = load_iris(return_X_y=True)
    >>> packed = pack(RandomForestClassifier(10, random_state=0).fit(X, y))
    >>> small = quantize(packed, "int8", X, y).model
    >>> small.nbytes < 0.4 * packed.nbytes
    True
    >>> bool(abs(small.predict_proba(X) - packed.predict_proba(X)).max() < 5e-3)
    True
    """

    dtype: Dtype
    shell: PackedModel
    trees: TreeCodes | None
    weights: Mapping[str, npt.NDArray[Any]]

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, as they are kept and saved; what is unpacked comes on top once the model was asked."""
        stored = [*self.weights.values(), *(self.trees or ())]
        return self.shell.nbytes + sum(array.nbytes for array in stored)

    @cached_property
    def unpacked(self) -> PackedModel:
        """The same model for the engines: the CPU's, the GPU's, the reference and ONNX."""
        table = self.shell.gate
        if "gate" in self.weights:
            table = np.vstack([self.weights["gate"].astype(np.float64), table])
        return put_together(self.shell, gate_of(self.shell)._replace(table=table), self._experts())

    def _experts(self) -> list[Expert]:
        model = self.shell
        outputs = [-1 if model.vector[k] else c for k, c in np.ndindex(model.base.shape)]
        per_tree = np.repeat(outputs, np.diff(model.tree_start)).tolist()
        trees = [] if self.trees is None else decode(self.trees, per_tree, model.n_outputs)
        return [self._linear(k) if model.linear_slot[k] >= 0 else self._forest(k, trees) for k in range(model.n_experts)]

    def _linear(self, k: int) -> LinearExpert:
        slot = self.shell.linear_slot[k]
        coef, intercept = self.weights["linear"][slot].astype(np.float64), self.weights["intercept"][slot]
        link = "identity" if LINK_NAMES[int(self.shell.link[k])] == "identity" else "softmax"
        return LinearExpert(coef.T, intercept, np.arange(self.shell.n_outputs), link)  # type: ignore[arg-type]

    def _forest(self, k: int, trees: list[Any]) -> TreeExpert:
        model, c = self.shell, self.shell.n_outputs
        joined = flatten(
            trees[model.tree_start[k * c] : model.tree_start[(k + 1) * c]],
            n_features=model.n_features,
            n_outputs=c,
            link=LINK_NAMES[int(model.link[k])],
            scale=float(model.scale[k]),
            base=model.base[k],
            accepts_missing=model.accepts_missing,
        )
        return TreeExpert(joined, np.arange(c))

    def predict_proba(self, X: npt.ArrayLike, *, n_jobs: int = 1, device: str = "cpu") -> npt.NDArray[np.float64]:
        """Class probabilities.

        Parameters
        ----------
        X, n_jobs, device
            As in `PackedModel.predict_proba`.

        Returns
        -------
        ndarray of float64, shape (n, C)
        """
        return self.unpacked.predict_proba(X, n_jobs=n_jobs, device=device)

    def predict(self, X: npt.ArrayLike, *, n_jobs: int = 1, device: str = "cpu") -> npt.NDArray[Any]:
        """Labels, or a regressor's answers.

        Parameters
        ----------
        X, n_jobs, device
            As in `PackedModel.predict_proba`.

        Returns
        -------
        ndarray, shape (n,)
        """
        return self.unpacked.predict(X, n_jobs=n_jobs, device=device)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name != "unpacked"}

    def save(self, path: str | PathLike[str]) -> None:
        """Write one compressed ``.npz`` file, without pickle.

        Parameters
        ----------
        path : path-like
            File to write; an existing one is replaced at once or not at all.
        """
        header, arrays = taken_apart(self.shell)
        trees = {} if self.trees is None else {f"trees.{name}": array for name, array in self.trees._asdict().items()}
        weights = {f"weights.{name}": array for name, array in self.weights.items()}
        write({"format": FORMAT, "dtype": self.dtype, "shell": header}, arrays | trees | weights, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> QuantizedModel:
        """Read a file that `save` wrote, and check that no walk through the unpacked model can leave its arrays.

        Parameters
        ----------
        path : path-like
            File to read.

        Returns
        -------
        QuantizedModel

        Raises
        ------
        ValueError
            When the file is not such a file or was damaged.

        Examples
        --------
        >>> QuantizedModel.load("pyproject.toml")
        Traceback (most recent call last):
        ValueError: pyproject.toml holds no quantised model: ...
        """
        try:
            model = cls._read(path)
            check(model.unpacked)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError, BadZipFile) as error:
            raise ValueError(f"{fspath(path)} holds no quantised model: {error}") from error
        return model

    @classmethod
    def _read(cls, path: str | PathLike[str]) -> QuantizedModel:
        header, arrays = read(path)
        if header.get("format") != FORMAT or header["dtype"] not in get_args(Dtype):
            raise ValueError("its format is not that of this version; quantise the model again")
        parts = {
            prefix: {name.removeprefix(prefix): arrays.pop(name) for name in list(arrays) if name.startswith(prefix)}
            for prefix in ("trees.", "weights.")
        }
        freeze(parts["trees."] | parts["weights."])
        trees = TreeCodes(**parts["trees."]) if parts["trees."] else None
        return cls(header["dtype"], rebuilt(PackedModel, header["shell"], arrays), trees, parts["weights."])


@packers.register("ensemblekit.QuantizedModel")
def pack_quantized(model: QuantizedModel) -> PackedModel:
    """Unpack a quantised model, so that it can be pruned, quantised another way and exported.

    Parameters
    ----------
    model : QuantizedModel
        In few bytes.

    Returns
    -------
    PackedModel
        Its ``unpacked``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.tree import DecisionTreeClassifier
    >>> from ensemblekit.packed import pack
    >>> X, y = load_iris(return_X_y=True)
    >>> small = quantize(DecisionTreeClassifier(random_state=0).fit(X, y), "int8", X, y).model
    >>> pack(small) is small.unpacked
    True
    """
    return model.unpacked


@dataclass(frozen=True)
class Quantized:
    """What quantising gives.

    Attributes
    ----------
    model : QuantizedModel
        The model in few bytes.
    report : CompressionReport
        Before and after.
    largest_change : float
        Of any probability (or a regressor's answer) on the rows given.

    Examples
    --------
    >>> Quantized.__dataclass_fields__.keys()
    dict_keys(['model', 'report', 'largest_change'])
    """

    model: QuantizedModel
    report: CompressionReport
    largest_change: float


def quantize(model: Any, dtype: Dtype, X: npt.ArrayLike, y: npt.ArrayLike) -> Quantized:
    """Keep a packed model in few bytes.

    Leaves become bytes, in 255 steps for each tree, or float16 times a power of two for each tree: a leaf moves by at most 1/510 of the
    spread of its tree's leaves, or 2^-11 of the largest of them. A forest's answer moves by at most the mean of this over its trees, a
    booster's margin by the sum; amounts of any size lose no more, since what the leaves of a regression tree have in common is kept
    apart. `Quantized.largest_change` says what became of it on the rows. Thresholds become places in a table and
    lose nothing, unless a column has more than 256 of them: then those that none of the rows `X` tells apart become one, so that all these
    rows keep their ways. Linear weights become float32, in both formats, and intercepts stay: steps of one size lose the small weights of
    columns with large numbers. Gates that leave experts out (top-k, threshold), Gaussian gates and classifiers as gates stay as they are,
    since a step there could send a row to another expert.

    Parameters
    ----------
    model : fitted estimator or PackedModel
        Whatever `ensemblekit.packed.pack` packs, without categorical splits.
    dtype : {"float16", "int8"}
        What leaves become.
    X : array-like of shape (n, d)
        Rows for the report, whose ways through the trees stay as they were; the training rows, or held-out ones.
    y : array-like of shape (n,)
        Their labels, or numbers.

    Returns
    -------
    Quantized
        Node visits do not change.

    Raises
    ------
    ValueError
        For another `dtype`, categorical splits, a pipeline with steps before its last one, columns of other names or another number than
        those of the fit, or `y` of another length.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn.ensemble import RandomForestRegressor
    >>> X, y = load_diabetes(return_X_y=True)
    >>> forest = RandomForestRegressor(10, random_state=0).fit(X, y)
    >>> small = quantize(forest, "float16", X, y)
    >>> small.report.after.nbytes < 0.4 * small.report.before.nbytes, bool(small.largest_change < 0.001 * y.std())
    (True, True)
    """
    if dtype not in get_args(Dtype):
        raise ValueError(f"dtype must be 'float16' or 'int8'; received {dtype!r}.")
    before, rows = accepted(model, X)
    if not len(rows) or np.shape(y) != (len(rows),):
        raise ValueError(f"quantize needs at least one row, with an answer each; received {len(rows)} and y of shape {np.shape(y)}.")
    after = _quantized(before, dtype, rows)
    change = float(np.abs(answers_to(after.unpacked, rows) - answers_to(before, rows)).max())
    footprints = packed_footprint(before, rows, y), packed_footprint(after.unpacked, rows, y, nbytes=after.nbytes)
    return Quantized(after, report_of("quantize", before, *footprints), change)


def _quantized(model: PackedModel, dtype: Dtype, rows: npt.NDArray[np.float32]) -> QuantizedModel:
    forests = [expert.trees for expert in experts_of(model) if isinstance(expert, TreeExpert)]
    trees = encode(forests, model.n_features, dtype, rows) if forests else None
    weights: dict[str, npt.NDArray[Any]] = {}
    shell = replace(model, **{name: getattr(model, name)[:0] for name in LEFT_OUT})
    if len(model.linear):
        weights["linear"], weights["intercept"] = model.linear[:, :-1].astype(np.float32), model.linear[:, -1].copy()
    if len(model.gate) > 1 and model.top_k == model.n_experts and not model.threshold and not len(model.gate_mean):
        weights["gate"] = model.gate[:-1].astype(np.float32)
        shell = replace(shell, gate=model.gate[-1:])
    freeze(vars(shell) | weights | ({} if trees is None else trees._asdict()))
    return QuantizedModel(dtype, shell, trees, weights)
