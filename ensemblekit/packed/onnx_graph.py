"""A small builder of ONNX graphs: every operator gives the name of its result, which the next one takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ensemblekit._extras import require

ML_DOMAIN = "ai.onnx.ml"
# Old enough for every runtime of the last years, and young enough to know float64 everywhere that it is needed here.
OPSETS = {"": 17, ML_DOMAIN: 3}
IR_VERSION = 8


class Graph:
    """Nodes and constants of a graph, in the order in which they run.

    Examples
    --------
    >>> graph = Graph()
    >>> graph.add("Add", "X", graph.constant(np.ones(1)))
    'add_1'
    """

    def __init__(self) -> None:
        self._onnx = require("onnx", extra="onnx", purpose="Exporting to ONNX")
        self._count = 0
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def _name(self, stem: str) -> str:
        self._count += 1
        return f"{stem.lower()}_{self._count - 1}"

    def constant(self, array: npt.ArrayLike) -> str:
        """Add an array that every run shares.

        Parameters
        ----------
        array : array-like
            Numbers, booleans or strings.

        Returns
        -------
        str
            Its name.

        Examples
        --------
        >>> Graph().constant(np.zeros(2))
        'constant_0'
        """
        name, value = self._name("constant"), np.asarray(array)
        if value.dtype.kind == "U":
            value = value.astype(object)
        self._constants.append(self._onnx.numpy_helper.from_array(np.asarray(value), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", n_outputs: int = 1, **attributes: Any) -> str:
        """Add an operator.

        Parameters
        ----------
        operator : str
            Its name in the ONNX standard.
        *inputs : str
            Names of what it takes.
        domain : str, default=""
            Its set of operators.
        n_outputs : int, default=1
            Results; the last one is of interest.
        **attributes : object
            Its attributes.

        Returns
        -------
        str
            Name of its last result.

        Examples
        --------
        >>> Graph().add("Exp", "X")
        'exp_0'
        """
        outputs = [self._name(operator) for _ in range(n_outputs)]
        self._nodes.append(self._onnx.helper.make_node(operator, list(inputs), outputs, domain=domain, **attributes))
        return outputs[-1]

    def finish(self, n_features: int, results: dict[str, tuple[str, npt.DTypeLike, tuple[int | str, ...]]], description: str) -> Any:
        """Make a checked model out of the graph.

        Parameters
        ----------
        n_features : int
            Columns of the input ``X``.
        results : dict
            By name of the output: what it is in the graph, its dtype and shape.
        description : str
            For whoever opens the file.

        Returns
        -------
        onnx.ModelProto
            The model.

        Examples
        --------
        >>> graph = Graph()
        >>> model = graph.finish(2, {"Y": (graph.add("Exp", "X"), np.float32, ("n", 2))}, "exponential")
        >>> model.graph.output[0].name
        'Y'
        """
        helper = self._onnx.helper
        outputs = []
        for name, (source, dtype, shape) in results.items():
            self._nodes.append(helper.make_node("Identity", [source], [name]))
            outputs.append(helper.make_tensor_value_info(name, _tensor_type(helper, dtype), shape))
        rows = helper.make_tensor_value_info("X", _tensor_type(helper, np.float32), ("n", n_features))
        graph = helper.make_graph(self._nodes, "ensemblekit", [rows], outputs, initializer=self._constants, doc_string=description)
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="ensemblekit", doc_string=description)
        self._onnx.checker.check_model(model)
        return model


def _tensor_type(helper: Any, dtype: npt.DTypeLike) -> int:
    kind = np.dtype(dtype)
    return int(helper.np_dtype_to_tensor_dtype(np.dtype(object) if kind.kind == "U" else kind))
