"""What every kernel takes: the one table behind launches on a GPU and launches on the simulated one.

A launch that does not fit the table fails before it starts, on either; and the simulated build compares the table with the
kernel's own type, so that a mistake in an argument shows on a machine without a GPU.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

FLOATS, INTS, WORDS, DOUBLES = "const float*", "const int*", "const unsigned*", "const double*"
FLOATS_OUT, INTS_OUT, DOUBLES_OUT = "float*", "int*", "double*"
INT, FLOAT, DOUBLE = "int", "float", "double"
NUMBERS = (INT, FLOAT, DOUBLE)

DTYPES: Mapping[str, np.dtype[Any]] = {
    FLOATS: np.dtype(np.float32),
    FLOATS_OUT: np.dtype(np.float32),
    INTS: np.dtype(np.int32),
    INTS_OUT: np.dtype(np.int32),
    WORDS: np.dtype(np.uint32),
    DOUBLES: np.dtype(np.float64),
    DOUBLES_OUT: np.dtype(np.float64),
    INT: np.dtype(np.int32),
    FLOAT: np.dtype(np.float32),
    DOUBLE: np.dtype(np.float64),
}


class Kernel(NamedTuple):
    """One kernel.

    Attributes
    ----------
    source : str
        File in ``kernels/``.
    defines : tuple of str
        Compile-time constants that the file needs.
    parameters : tuple of (str, str)
        Name and C type, in order.

    Examples
    --------
    >>> KERNELS["combine"].defines
    ('N_CLASSES', 'TOP_K')
    """

    source: str
    defines: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]


_ROUTED = (
    ("X", FLOATS),
    ("d", INT),
    ("slot_row", INTS),
    ("block_expert", INTS),
    ("block_begin", INTS),
    ("block_end", INTS),
)
_ROUTING = (("threshold", FLOAT), ("mode", INT), ("precision", FLOATS))
_FOREST = (*_ROUTED, ("group_of", INTS), ("group", INT), ("tree_start", INTS), ("node_start", INTS))

KERNELS: Mapping[str, Kernel] = {
    "gate": Kernel(
        "gate.cu",
        ("N_EXPERTS", "TOP_K"),
        (
            ("X", FLOATS),
            ("n", INT),
            ("d", INT),
            ("table", FLOATS),
            ("columns", INT),
            *_ROUTING,
            ("stage", INT),
            ("gates", FLOATS_OUT),
            ("chosen", INTS_OUT),
        ),
    ),
    "gate_given": Kernel(
        "gate.cu",
        ("N_EXPERTS", "TOP_K"),
        (("logits", DOUBLES), ("n", INT), *_ROUTING, ("gates", FLOATS_OUT), ("chosen", INTS_OUT)),
    ),
    "gaussian_logits": Kernel(
        "gate_logits.cu",
        (),
        (
            ("X", FLOATS),
            ("n", INT),
            ("d", INT),
            ("mean", DOUBLES),
            ("factor", DOUBLES),
            ("constant", DOUBLES),
            ("K", INT),
            ("diagonal", INT),
            ("stage", INT),
            ("logits", DOUBLES_OUT),
        ),
    ),
    "hierarchy_logits": Kernel(
        "gate_logits.cu",
        (),
        (
            ("X", FLOATS),
            ("n", INT),
            ("d", INT),
            ("table", DOUBLES),
            ("columns", INT),
            ("node", INTS),
            ("M", INT),
            ("path", INTS),
            ("levels", INT),
            ("offset", DOUBLES),
            ("K", INT),
            ("stage", INT),
            ("branches", DOUBLES_OUT),
            ("logits", DOUBLES_OUT),
        ),
    ),
    "classifier_logits": Kernel(
        "gate_logits.cu",
        (),
        (("proba", FLOATS), ("n", INT), ("K", INT), ("offset", DOUBLES), ("floor", FLOAT), ("logits", DOUBLES_OUT)),
    ),
    "linear_mixture": Kernel(
        "linear_mixture.cu",
        ("N_CLASSES", "N_EXPERTS", "TOP_K"),
        (
            ("X", FLOATS),
            ("n", INT),
            ("d", INT),
            ("gate_table", FLOATS),
            ("columns", INT),
            ("experts", FLOATS),
            ("link", INTS),
            *_ROUTING,
            ("stage", INT),
            ("out", FLOATS_OUT),
        ),
    ),
    "linear_margins": Kernel(
        "linear_mixture.cu",
        ("N_CLASSES",),
        (*_ROUTED, ("slot_of_expert", INTS), ("experts", FLOATS), ("stage", INT), ("margins", FLOATS_OUT)),
    ),
    "route_count": Kernel(
        "route.cu",
        ("N_EXPERTS", "TOP_K"),
        (("chosen", INTS), ("n_pairs", INT), ("counts", INTS_OUT)),
    ),
    "route_blocks": Kernel(
        "route.cu",
        ("N_EXPERTS", "TOP_K"),
        (
            ("counts", INTS),
            ("n_blocks", INT),
            ("width", INT),
            ("cursor", INTS_OUT),
            ("block_expert", INTS_OUT),
            ("block_begin", INTS_OUT),
            ("block_end", INTS_OUT),
        ),
    ),
    "route_scatter": Kernel(
        "route.cu",
        ("N_EXPERTS", "TOP_K"),
        (
            ("chosen", INTS),
            ("n_pairs", INT),
            ("cursor", INTS_OUT),
            ("slot_row", INTS_OUT),
            ("pair_slot", INTS_OUT),
        ),
    ),
    "forest_perfect": Kernel(
        "forest_perfect.cu",
        ("N_CLASSES", "DEPTH", "VECTOR"),
        (
            *_FOREST,
            ("leaf_start", INTS),
            ("nodes", INTS),
            ("leaf_values", FLOATS),
            ("scale", FLOATS),
            ("base", FLOATS),
            ("stage", INT),
            ("trees_at_once", INT),
            ("margins", FLOATS_OUT),
        ),
    ),
    "forest_sparse": Kernel(
        "forest_sparse.cu",
        ("N_CLASSES", "VECTOR"),
        (
            *_FOREST,
            ("nodes", INTS),
            ("leaf_values", FLOATS),
            ("categories", WORDS),
            ("scale", FLOATS),
            ("base", FLOATS),
            ("stage", INT),
            ("margins", FLOATS_OUT),
        ),
    ),
    "combine": Kernel(
        "combine.cu",
        ("N_CLASSES", "TOP_K"),
        (
            ("gates", FLOATS),
            ("chosen", INTS),
            ("pair_slot", INTS),
            ("margins", FLOATS),
            ("link", INTS),
            ("n", INT),
            ("mode", INT),
            ("out", FLOATS_OUT),
        ),
    ),
    "marginal_rows": Kernel(
        "marginal.cu",
        (),
        (
            ("eta", DOUBLES),
            ("targets", DOUBLES),
            ("weight", DOUBLES),
            ("n", INT),
            ("K", INT),
            ("M", INT),
            ("gaussian", INT),
            ("floor", DOUBLE),
            ("sharpness", DOUBLE),
            ("gradient", DOUBLES_OUT),
            ("partial", DOUBLES_OUT),
        ),
    ),
    "em_estep": Kernel(
        "em_estep.cu",
        ("N_EXPERTS",),
        (
            ("log_gate", DOUBLES),
            ("log_density", DOUBLES),
            ("weight", DOUBLES),
            ("n", INT),
            ("responsibilities", DOUBLES_OUT),
            ("partial", DOUBLES_OUT),
        ),
    ),
}


def bind(name: str, defines: Mapping[str, int], arguments: Mapping[str, Any]) -> list[Any]:
    """Put a launch's arguments in order, and check them.

    Parameters
    ----------
    name : str
        Key of `KERNELS`.
    defines : mapping of str to int
        Compile-time constants.
    arguments : mapping of str to array or int
        By parameter name.

    Returns
    -------
    list
        Arrays as they are, numbers as NumPy scalars.

    Raises
    ------
    TypeError
        When a name or a dtype does not fit, or an array is not contiguous.

    Examples
    --------
    >>> bind("route_count", {"N_EXPERTS": 2, "TOP_K": 1}, {"chosen": np.zeros(2), "n_pairs": 2, "counts": None})
    Traceback (most recent call last):
    TypeError: route_count: chosen must be a contiguous array of int32, received float64.
    """
    kernel = KERNELS[name]
    _same_names(name, "constants", set(kernel.defines), set(defines))
    _same_names(name, "arguments", {parameter for parameter, _ in kernel.parameters}, set(arguments))
    return [_argument(name, parameter, c_type, arguments[parameter]) for parameter, c_type in kernel.parameters]


def launch_key(name: str, defines: Mapping[str, int]) -> tuple[str, tuple[tuple[str, int], ...]]:
    """Name one compilation: the source file and its constants, sorted.

    Parameters
    ----------
    name : str
        Key of `KERNELS`.
    defines : mapping of str to int
        Compile-time constants.

    Returns
    -------
    tuple
        Hashable.

    Examples
    --------
    >>> launch_key("combine", {"TOP_K": 1, "N_CLASSES": 3})
    ('combine.cu', (('N_CLASSES', 3), ('TOP_K', 1)))
    """
    return KERNELS[name].source, tuple(sorted(defines.items()))


def kernels_of(source: str, defines: Sequence[str]) -> list[str]:
    """List the kernels of a file that exist under the given constants.

    Parameters
    ----------
    source : str
        File in ``kernels/``.
    defines : sequence of str
        Names of the constants.

    Returns
    -------
    list of str
        Kernel names.

    Examples
    --------
    >>> kernels_of("linear_mixture.cu", ["N_CLASSES"])
    ['linear_margins']
    """
    return [name for name, kernel in KERNELS.items() if kernel.source == source and set(kernel.defines) <= set(defines)]


def _same_names(name: str, what: str, expected: set[str], received: set[str]) -> None:
    if expected != received:
        raise TypeError(f"{name}: {what} must be {sorted(expected)}, received {sorted(received)}.")


def _argument(name: str, parameter: str, c_type: str, value: Any) -> Any:
    dtype = DTYPES[c_type]
    if c_type in NUMBERS:
        return dtype.type(value)
    if getattr(value, "dtype", None) != dtype or not value.flags.c_contiguous:
        received = getattr(value, "dtype", type(value).__name__)
        raise TypeError(f"{name}: {parameter} must be a contiguous array of {dtype}, received {received}.")
    return value
