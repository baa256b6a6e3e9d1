"""A fitted model as plain arrays: everything that an engine needs to answer, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from ensemblekit import device as devices
from ensemblekit.packed import reference, storing
from ensemblekit.trees.flat import freeze
from ensemblekit.trees.rows import as_rows, check_rows

if TYPE_CHECKING:
    from ensemblekit.packed.cpu_engine import Engine

Combination = Literal["mean", "vote", "product", "additive"]

# How an expert's arrays are laid out.
LINEAR, PERFECT, SPARSE = 0, 1, 2
# How margins become probabilities.
IDENTITY, SOFTMAX, ONE_VS_ALL = 0, 1, 2


class Work(NamedTuple):
    """Work for an average row.

    Attributes
    ----------
    total : float
        When every expert runs.
    active : float
        When only the experts run that the gate chose.

    Examples
    --------
    >>> Work(total=800.0, active=100.0).active
    100.0
    """

    total: float
    active: float


@dataclass(frozen=True, eq=False)
class PackedModel:
    """K experts over C classes and a gate, ``p(y|x) = sum_k g_k(x) p_k(y|x)``, as arrays that cannot be written to.

    A regressor has no classes and one output: C is 1 in the shapes below, and ``sum_k g_k(x) mu_k(x)`` is the answer.
    Made by `ensemblekit.packed.pack`. Rows are float32 and already preprocessed.

    Attributes
    ----------
    kind : str
        The packed estimator's class.
    classes : ndarray, shape (C,)
        Labels; empty for a regressor.
    n_features : int
        Columns of a row, d.
    top_k : int
        Experts that run for a row: K, or fewer when the gate routes. The largest gate values win, of equals the first.
    threshold : float
        Experts that the gate gives less do not run, except the best one; 0 where all do.
    combination : {"mean", "vote", "product", "additive"}
        Weighted mean of answers, or of one vote for each expert's best class; weighted geometric mean of probabilities,
        renormalised; plain mean of those that ran.
    accepts_missing : bool
        Whether all members take NaN.
    preprocessing : tuple of str
        Steps of the packed pipeline that stay outside: apply them first.
    gate : ndarray of float64, shape (d + 1, M) or (1, M)
        Linear logits of the gate, the intercept in the last row; a gate that reads no column has no other row. M is K, or for a
        hierarchy the number of all its branches.
    gate_node : ndarray of int32, shape (M,)
        Node that a branch leaves from.
    gate_path : ndarray of int32, shape (K, L)
        Branches from the root to each expert; with L above 1, logits are normalised in each node and added up along the path.
    gate_mean : ndarray of float64, shape (K, d), or (0, d)
        Centres of a Gaussian gate: half of the squared length of ``(x - gate_mean[k]) @ gate_factor[k]`` is taken from logit k.
    gate_factor : ndarray of float64, shape (K, d, d), or (K, 1, d) for diagonals
        See `gate_mean`.
    gate_offset : ndarray of float64, shape (K,)
        Added to the experts' logits.
    gate_model : PackedModel or None
        A classifier as gate: the logarithms of its probabilities, at least one in a million, take the place of the logits.
    precision : ndarray of float64, shape (K,)
        Factor on an expert's weight once routing is done; ones, except for the product of a regressor's densities.
    form : ndarray of int32, shape (K,)
        0 linear, 1 perfect trees, 2 sparse trees.
    link : ndarray of int32, shape (K,)
        0 identity, 1 softmax, 2 one-vs-all sigmoids.
    scale, base : ndarray of float64, shapes (K,) and (K, C)
        Margin of a tree expert: scale times the sum of leaves, plus base. A class that it never saw has the base -inf.
    vector : ndarray of int32, shape (K,)
        1 where each leaf holds C values.
    depth : ndarray of int32, shape (K,)
        Levels of a perfect expert's trees; the deepest tree of a sparse one.
    linear_slot : ndarray of int32, shape (K,)
        Which of `linear` belongs to the expert; -1 for trees.
    linear : ndarray of float64, shape (n_linear, d + 1, C)
        Coefficients, the intercepts in the last row.
    tree_start : ndarray of int32, shape (K * C + 1,)
        Trees of expert k that add to class c: ``tree_start[k * C + c]`` to the next; all under c = 0 for vector leaves.
    node_start, leaf_start : ndarray of int32, shape (n_trees,)
        Where a tree's nodes begin, and its leaf values (perfect trees).
    perfect_nodes : ndarray of int32, shape (n, 2)
        Bits of the float32 threshold; feature, bit 30 padding, bit 31 missing goes left. A heap from index 1.
    sparse_nodes : ndarray of int32, shape (m, 4)
        Bits of the threshold; left child (the right one follows it); feature, bit 28 missing goes left, bit 29
        categorical, bit 30 unknown category goes left, bit 31 leaf; leaf value index or category words. A leaf is its
        own left child.
    leaf_values : ndarray of float32
        Leaves of all trees.
    category_words : ndarray of uint32
        For each categorical split: the number of words, then the bits of the categories that go left.
    categorical_features : ndarray of int32
        Columns that hold category codes.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from ensemblekit.packed import pack
    >>> X, y = load_iris(return_X_y=True)
    >>> forest = RandomForestClassifier(10, random_state=0).fit(X, y)
    >>> packed = pack(forest)
    >>> bool(abs(packed.predict_proba(X) - forest.predict_proba(X)).max() < 1e-6)
    True
    """

    kind: str
    classes: npt.NDArray[Any]
    n_features: int
    top_k: int
    threshold: float
    combination: Combination
    accepts_missing: bool
    preprocessing: tuple[str, ...]
    gate: npt.NDArray[np.float64]
    gate_node: npt.NDArray[np.int32]
    gate_path: npt.NDArray[np.int32]
    gate_mean: npt.NDArray[np.float64]
    gate_factor: npt.NDArray[np.float64]
    gate_offset: npt.NDArray[np.float64]
    gate_model: PackedModel | None
    precision: npt.NDArray[np.float64]
    form: npt.NDArray[np.int32]
    link: npt.NDArray[np.int32]
    scale: npt.NDArray[np.float64]
    base: npt.NDArray[np.float64]
    vector: npt.NDArray[np.int32]
    depth: npt.NDArray[np.int32]
    linear_slot: npt.NDArray[np.int32]
    linear: npt.NDArray[np.float64]
    tree_start: npt.NDArray[np.int32]
    node_start: npt.NDArray[np.int32]
    leaf_start: npt.NDArray[np.int32]
    perfect_nodes: npt.NDArray[np.int32]
    sparse_nodes: npt.NDArray[np.int32]
    leaf_values: npt.NDArray[np.float32]
    category_words: npt.NDArray[np.uint32]
    categorical_features: npt.NDArray[np.int32]

    @property
    def n_experts(self) -> int:
        """Number of experts, K."""
        return len(self.form)

    @property
    def n_outputs(self) -> int:
        """Columns of an answer, C: the number of classes, or 1 for a regressor."""
        return self.base.shape[1]

    @property
    def is_classifier(self) -> bool:
        """Whether answers are class probabilities."""
        return len(self.classes) > 0

    @property
    def n_trees(self) -> int:
        """Trees of all experts."""
        return len(self.node_start)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays, those of a gate that is a model included."""
        own = sum(value.nbytes for value in vars(self).values() if isinstance(value, np.ndarray))
        return own + (0 if self.gate_model is None else self.gate_model.nbytes)

    def predict_proba(self, X: npt.ArrayLike, *, n_jobs: int = 1, device: str = "cpu") -> npt.NDArray[np.float64]:
        """Class probabilities.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows, rounded to float32. With ``device="cuda"``, a CuPy array gives a CuPy array.
        n_jobs : int, default=1
            Threads on the CPU; -1 takes all cores.
        device : {"cpu", "cuda", "auto"}, default="cpu"
            Where to compute; "auto" takes the GPU when there is a usable one.

        Returns
        -------
        ndarray of float64, shape (n, C)
            With combination "vote", the shares of the vote.

        Raises
        ------
        ImportError
            When numba (extra ``fast``) or CuPy (extra ``gpu``) is not installed.
        AttributeError
            For a regressor.
        ValueError
            For rows that the model cannot take.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from ensemblekit.packed import pack
        >>> X, y = load_iris(return_X_y=True)
        >>> pack(DecisionTreeClassifier(max_depth=1, random_state=0).fit(X, y)).predict_proba(X[:1])
        array([[1., 0., 0.]])
        """
        if not self.is_classifier:
            raise AttributeError(f"A packed {self.kind} is a regressor: it has predict, no predict_proba.")
        return self._answer(X, n_jobs, device)

    def _answer(self, X: npt.ArrayLike, n_jobs: int, device: str) -> npt.NDArray[np.float64]:
        if devices.resolve(device) == "cuda":
            answer: npt.NDArray[np.float64] = self.to_gpu().predict_proba(X)
            return np.minimum(answer, 1) if self.is_classifier else answer  # sums of float32 can end a last digit above
        return self._engine.predict_proba(self._rows(X), n_jobs=n_jobs)

    def predict(self, X: npt.ArrayLike, *, n_jobs: int = 1, device: str = "cpu") -> npt.NDArray[Any]:
        """Label of the most probable class, the first of equals; a regressor's answer.

        Parameters
        ----------
        X, n_jobs, device
            As in `predict_proba`.

        Returns
        -------
        ndarray, shape (n,)
            Labels, or float64 answers of a regressor.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from ensemblekit.packed import pack
        >>> X, y = load_iris(return_X_y=True, as_frame=True)
        >>> pack(DecisionTreeClassifier(random_state=0).fit(X.to_numpy(), y.map(str))).predict(X[:2])
        array(['0', '0'], dtype='<U1')
        """
        answer = self._answer(X, n_jobs, device)
        if not self.is_classifier:
            return answer[:, 0]
        best = answer.argmax(axis=1)
        return np.asarray(self.classes[devices.to_host(best)])

    def routed(self, top_k: int) -> PackedModel:
        """Give the same model with fewer experts running for a row, whatever the threshold; the others' weights are shared out.

        Parameters
        ----------
        top_k : int
            From 1 to K.

        Returns
        -------
        PackedModel
            Shares all arrays.

        Raises
        ------
        ValueError
            For another number.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from ensemblekit.packed import pack
        >>> pack(DecisionTreeClassifier().fit(*load_iris(return_X_y=True))).routed(2)
        Traceback (most recent call last):
        ValueError: top_k must lie in [1, 1], the number of experts; received 2.
        """
        if not 1 <= top_k <= self.n_experts:
            raise ValueError(f"top_k must lie in [1, {self.n_experts}], the number of experts; received {top_k}.")
        return replace(self, top_k=top_k, threshold=0.0)

    def node_visits(self, X: npt.ArrayLike) -> Work:
        """Count the splits that an average row tests.

        Parameters
        ----------
        X : array-like of shape (n, d)
            Rows.

        Returns
        -------
        Work
            With all experts, and with those that the gate chose. Padding of perfect trees is not counted.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.ensemble import RandomForestClassifier
        >>> from ensemblekit.packed import pack
        >>> X, y = load_iris(return_X_y=True)
        >>> pack(RandomForestClassifier(10, max_depth=1, random_state=0).fit(X, y)).node_visits(X)
        Work(total=10.0, active=10.0)
        """
        return reference.node_visits(self, self._rows(X))

    def multiply_adds(self, X: npt.ArrayLike | None = None) -> Work:
        """Count the multiply-adds of the gate and the linear experts for an average row.

        An output that reads no column, such as the reference class of two, costs nothing; nor does a column that none of an expert's
        outputs reads, nor the gate of a single expert.

        Parameters
        ----------
        X : array-like of shape (n, d), optional
            Rows, which say how often a linear expert runs that the gate may leave out. Without them each runs for the top-k share of rows:
            exact where all experts are linear and no threshold leaves out more.

        Returns
        -------
        Work
            With all experts, and with those that the gate chose.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from ensemblekit.packed import pack
        >>> X, y = load_iris(return_X_y=True)
        >>> pack(LogisticRegression(max_iter=500).fit(X, y)).multiply_adds()
        Work(total=12.0, active=12.0)
        """
        gate = 0 if self.n_experts == 1 else _products(self.gate[None, :-1])[0] + self.gate_factor.size + self.gate_mean.size
        inner = Work(0.0, 0.0) if self.gate_model is None else self.gate_model.multiply_adds(X)
        linear, runs = _products(self.linear[:, :-1]), np.full(self.n_experts, self.top_k / self.n_experts)
        if X is not None and len(linear):
            runs = reference.gate_proba(self, self._rows(X)).astype(bool).mean(axis=0)
        ran = float(linear @ runs[self.form == LINEAR])
        return Work(float(gate + linear.sum()) + inner.total, float(gate + inner.active) + ran)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the arrays to one compressed ``.npz`` file, without pickle.

        Parameters
        ----------
        path : path-like
            File to write; an existing one is replaced at once or not at all.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from ensemblekit.packed import PackedModel, pack
        >>> packed = pack(DecisionTreeClassifier(max_depth=2).fit(*load_iris(return_X_y=True)))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     packed.save(pathlib.Path(folder) / "tree.npz")
        ...     PackedModel.load(pathlib.Path(folder) / "tree.npz").nbytes == packed.nbytes
        True
        """
        storing.save(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> PackedModel:
        """Read a file that `save` wrote, and check that no walk through it can leave its arrays.

        Parameters
        ----------
        path : path-like
            File to read.

        Returns
        -------
        PackedModel
            The model.

        Raises
        ------
        ValueError
            When the file is not such a file or was damaged.

        Examples
        --------
        >>> PackedModel.load("pyproject.toml")
        Traceback (most recent call last):
        ValueError: pyproject.toml holds no packed model: ...
        """
        return storing.load(cls, path)

    def to_gpu(self) -> Any:
        """Copy the arrays to the current CUDA device.

        Returns
        -------
        ensemblekit_gpu.model.GpuModel
            With `predict_proba`: NumPy in gives NumPy out, CuPy in gives CuPy out. Copied once, then kept.

        Raises
        ------
        ImportError
            When CuPy is not installed.
        RuntimeError
            When there is no usable CUDA device.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.tree import DecisionTreeClassifier
        >>> from ensemblekit.packed import pack
        >>> packed = pack(DecisionTreeClassifier().fit(*load_iris(return_X_y=True)))
        >>> packed.to_gpu()  # doctest: +SKIP
        """
        return self._gpu

    def _rows(self, X: npt.ArrayLike) -> npt.NDArray[np.float32]:
        rows = as_rows(X, self.n_features)
        if not self.accepts_missing and (len(self.gate) > 1 or len(self.gate_mean) or len(self.linear)):
            _refuse_missing(rows)
        check_rows(rows, accepts_missing=self.accepts_missing, categorical_features=self.categorical_features)
        return rows

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}  # without engines and device memory

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        freeze(state)

    @cached_property
    def _engine(self) -> Engine:
        from ensemblekit.packed.cpu_engine import Engine  # noqa: PLC0415  # numba is optional and slow to import

        return Engine(self)

    @cached_property
    def _gpu(self) -> Any:
        return devices.gpu_package().GpuModel(vars(self))


def _products(coef: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Multiply-adds of each of several linear maps, (n, d, C): columns that any output reads, times outputs that read any column."""
    reads = coef != 0
    return np.asarray(reads.any(axis=2).sum(axis=1) * reads.any(axis=1).sum(axis=1))


def _refuse_missing(rows: npt.NDArray[np.float32]) -> None:
    """Say why a missing cell cannot be read, even where the fitted model reads it: times a weight of zero it is still no number."""
    missing = np.isnan(rows).any(axis=0)
    if missing.any():
        raise ValueError(
            f"Column {int(missing.argmax())} holds missing values. A packed gate or linear expert multiplies every column by a weight, so "
            "that this packed model takes none anywhere, even where the fitted one does: impute them, or ask the fitted model."
        )
