"""Gate, route, experts, combine: the launches that answer a batch of rows, on any launcher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from ensemblekit_gpu.launching import SHARED_BYTES, Grid, Launcher, blocks_for, staging

LINEAR, PERFECT, SPARSE = 0, 1, 2
MODES = ("mean", "vote", "product", "additive")
FLOOR = 1e-6  # the smallest probability that a classifier as gate gives an expert
MAX_EXPERTS = 64  # the gate keeps the chosen experts in the bits of one word


class Group(NamedTuple):
    """Experts that one launch evaluates, since they share the compile-time constants.

    Attributes
    ----------
    form, depth, vector : int
        As in a packed model; the depth of sparse trees is 0.

    Examples
    --------
    >>> Group(form=1, depth=6, vector=0).depth
    6
    """

    form: int
    depth: int
    vector: int


class Routed(NamedTuple):
    """Where the rows of each expert are.

    Attributes
    ----------
    gates, chosen, pair_slot : arrays, shape (n, top_k)
        Weight, expert and slot of each rank.
    slot_row, block_expert, block_begin, block_end : arrays
        Row of each slot; expert and slots of each forest block.

    Examples
    --------
    >>> Routed._fields[:2]
    ('gates', 'chosen')
    """

    gates: Any
    chosen: Any
    pair_slot: Any
    slot_row: Any
    block_expert: Any
    block_begin: Any
    block_end: Any


class Evaluation:
    """A packed model on a device.

    Parameters
    ----------
    launcher : Launcher
        The device.
    fields : mapping
        Fields of a packed model, NumPy arrays and plain values.
    threads : int, default=128
        Threads in a block, a multiple of 32.

    Raises
    ------
    ValueError
        For more than 64 experts.

    Examples
    --------
    >>> Evaluation.__name__
    'Evaluation'
    """

    def __init__(self, launcher: Launcher, fields: Mapping[str, Any], *, threads: int = 128) -> None:
        self.launcher, self.threads = launcher, threads
        self.d, self.top_k = int(fields["n_features"]), int(fields["top_k"])
        self.n_experts, self.n_classes = fields["base"].shape
        self.mode, self.threshold = MODES.index(fields["combination"]), float(fields["threshold"])
        if self.n_experts > MAX_EXPERTS:
            raise ValueError(f"The GPU engine takes at most {MAX_EXPERTS} experts, received {self.n_experts}.")
        self.gate_columns, self.levels = len(fields["gate"]) - 1, fields["gate_path"].shape[1]
        inner = fields["gate_model"]
        self.gate_model = None if inner is None else Evaluation(launcher, vars(inner), threads=threads)
        self.gate_is_gaussian = len(fields["gate_mean"]) > 0
        self.gate_is_linear = inner is None and not self.gate_is_gaussian and self.levels == 1
        self.all_linear = self.gate_is_linear and bool((fields["form"] == LINEAR).all())
        self.groups, group_of = _groups(fields)
        self.arrays = {name: launcher.upload(array) for name, array in _arrays(fields, group_of).items()}

    def predict_proba(self, X: Any) -> Any:
        """Answer a batch that fits into the device's memory.

        Parameters
        ----------
        X : device array of float32, shape (n, d)
            Contiguous rows; n * top_k below 2^31.

        Returns
        -------
        device array of float32, shape (n, C)
            Probabilities.

        Examples
        --------
        >>> callable(Evaluation.predict_proba)
        True
        """
        out = self.launcher.empty((len(X), self.n_classes), "f4")
        if not len(X):
            return out
        if self.all_linear:
            self._linear_mixture(X, out)
            return out
        routed = self._route(X)
        margins = self.launcher.empty((len(X) * self.top_k, self.n_classes), "f4")
        if len(self.arrays["linear"]):
            self._linear_margins(X, routed, margins)
        for index, group in enumerate(self.groups):
            (self._perfect if group.form == PERFECT else self._sparse)(X, routed, index, group, margins)
        self.launcher.launch(
            "combine",
            {"N_CLASSES": self.n_classes, "TOP_K": self.top_k},
            Grid(blocks_for(len(X), self.threads), self.threads, 0),
            {
                **{name: getattr(routed, name) for name in ("gates", "chosen", "pair_slot")},
                "margins": margins,
                "link": self.arrays["link"],
                "n": len(X),
                "mode": self.mode,
                "out": out,
            },
        )
        return out

    def bytes_per_row(self) -> int:
        """Device memory that a row takes while it is answered.

        Returns
        -------
        int
            Bytes, the row itself and its answer included.

        Examples
        --------
        >>> callable(Evaluation.bytes_per_row)
        True
        """
        per_pair = 4 * (4 + self.n_classes) + 12  # weight, expert, slot, row; margins; share of the block table
        of_gate = 0 if self.gate_is_linear else 8 * (self.n_experts + self.arrays["gate_table"].shape[1])
        of_model = 0 if self.gate_model is None else self.gate_model.bytes_per_row()
        return 4 * (self.d + self.n_classes) + self.top_k * per_pair + of_gate + of_model

    def _linear_mixture(self, X: Any, out: Any) -> None:
        rows = staging(self.d, self.threads)
        self.launcher.launch(
            "linear_mixture",
            {"N_CLASSES": self.n_classes, "N_EXPERTS": self.n_experts, "TOP_K": self.top_k},
            Grid(blocks_for(len(X), self.threads), self.threads, rows.bytes),
            {
                "X": X,
                "n": len(X),
                "d": self.d,
                "gate_table": self.arrays["gate"],
                "columns": self.gate_columns,
                "experts": self.arrays["linear"],
                "link": self.arrays["link"],
                **self._routing(),
                "stage": rows.stage,
                "out": out,
            },
        )

    def _routing(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "mode": self.mode, "precision": self.arrays["precision"]}

    def _gate(self, X: Any) -> tuple[Any, Any]:
        gates = self.launcher.empty((len(X), self.top_k), "f4")
        chosen = self.launcher.empty((len(X), self.top_k), "i4")
        if self.gate_is_linear:
            self._linear_gate(X, gates, chosen)
            return gates, chosen
        self.launcher.launch(
            "gate_given",
            {"N_EXPERTS": self.n_experts, "TOP_K": self.top_k},
            Grid(blocks_for(len(X), self.threads), self.threads, 0),
            {"logits": self._gate_logits(X), "n": len(X), **self._routing(), "gates": gates, "chosen": chosen},
        )
        return gates, chosen

    def _gate_logits(self, X: Any) -> Any:
        logits = self.launcher.empty((len(X), self.n_experts), "f8")
        common = {"n": len(X), "K": self.n_experts, "logits": logits}
        if self.gate_model is not None:
            given = {"proba": self.gate_model.predict_proba(X), "offset": self.arrays["gate_offset"], "floor": FLOOR}
            self.launcher.launch("classifier_logits", {}, Grid(blocks_for(len(X), self.threads), self.threads, 0), common | given)
            return logits
        rows = staging(self.d, self.threads)
        grid = Grid(blocks_for(len(X), self.threads), self.threads, rows.bytes)
        common |= {"X": X, "d": self.d, "stage": rows.stage}
        if self.gate_is_gaussian:
            self.launcher.launch("gaussian_logits", {}, grid, common | self._gaussian_arguments())
        else:
            branches = self.launcher.empty((self.arrays["gate_table"].shape[1], len(X)), "f8")
            self.launcher.launch("hierarchy_logits", {}, grid, common | self._hierarchy_arguments() | {"branches": branches})
        return logits

    def _gaussian_arguments(self) -> dict[str, Any]:
        factor = self.arrays["gate_factor"]
        own = {"mean": self.arrays["gate_mean"], "factor": factor, "constant": self.arrays["gate_constant"]}
        return own | {"diagonal": int(factor.shape[1] == 1)}

    def _hierarchy_arguments(self) -> dict[str, Any]:
        own = {name: self.arrays[f"gate_{name}"] for name in ("table", "node", "path", "offset")}
        return own | {"columns": self.gate_columns, "M": own["table"].shape[1], "levels": self.levels}

    def _linear_gate(self, X: Any, gates: Any, chosen: Any) -> None:
        rows = staging(self.d, self.threads)
        self.launcher.launch(
            "gate",
            {"N_EXPERTS": self.n_experts, "TOP_K": self.top_k},
            Grid(blocks_for(len(X), self.threads), self.threads, rows.bytes),
            {
                "X": X,
                "n": len(X),
                "d": self.d,
                "table": self.arrays["gate"],
                "columns": self.gate_columns,
                **self._routing(),
                "stage": rows.stage,
                "gates": gates,
                "chosen": chosen,
            },
        )

    def _route(self, X: Any) -> Routed:
        """Sort (row, expert) pairs by expert; nothing comes back to the host, so nothing waits."""
        gates, chosen = self._gate(X)
        n_pairs = len(X) * self.top_k
        n_blocks = n_pairs // self.threads + self.n_experts  # each expert may leave one block part empty
        defines = {"N_EXPERTS": self.n_experts, "TOP_K": self.top_k}
        empty, launch = self.launcher.empty, self.launcher.launch
        counts = self.launcher.zeros((self.n_experts,), "i4")
        cursor = empty((self.n_experts,), "i4")
        table = {f"block_{name}": empty((n_blocks,), "i4") for name in ("expert", "begin", "end")}
        slot_row, pair_slot = self.launcher.zeros((n_pairs,), "i4"), empty((n_pairs,), "i4")
        over_pairs = Grid(blocks_for(n_pairs, self.threads), self.threads, 8 * self.n_experts)
        launch("route_count", defines, over_pairs, {"chosen": chosen, "n_pairs": n_pairs, "counts": counts})
        launch(
            "route_blocks",
            defines,
            Grid(1, self.threads, 8 * (self.n_experts + 1)),
            {"counts": counts, "n_blocks": n_blocks, "width": self.threads, "cursor": cursor, **table},
        )
        sorted_pairs = {"slot_row": slot_row, "pair_slot": pair_slot}
        launch("route_scatter", defines, over_pairs, {"chosen": chosen, "n_pairs": n_pairs, "cursor": cursor, **sorted_pairs})
        return Routed(gates, chosen, pair_slot, slot_row, **table)

    def _routed_arguments(self, X: Any, routed: Routed) -> dict[str, Any]:
        names = ("slot_row", "block_expert", "block_begin", "block_end")
        return {"X": X, "d": self.d, **{name: getattr(routed, name) for name in names}}

    def _linear_margins(self, X: Any, routed: Routed, margins: Any) -> None:
        rows = staging(self.d, self.threads)
        self.launcher.launch(
            "linear_margins",
            {"N_CLASSES": self.n_classes},
            Grid(len(routed.block_expert), self.threads, rows.bytes),
            {
                **self._routed_arguments(X, routed),
                "slot_of_expert": self.arrays["linear_slot"],
                "experts": self.arrays["linear"],
                "stage": rows.stage,
                "margins": margins,
            },
        )

    def _forest_arguments(self, X: Any, routed: Routed, index: int, nodes: str, margins: Any) -> dict[str, Any]:
        names = ("group_of", "tree_start", "node_start", "leaf_values", "scale", "base")
        own = {name: self.arrays[name] for name in names}
        return {**self._routed_arguments(X, routed), **own, "group": index, "nodes": self.arrays[nodes], "margins": margins}

    def _perfect(self, X: Any, routed: Routed, index: int, group: Group, margins: Any) -> None:
        rows = staging(self.d, self.threads)
        per_tree = (8 if group.vector else 12) << group.depth
        at_once = max(1, (SHARED_BYTES - rows.bytes) // per_tree)
        self.launcher.launch(
            "forest_perfect",
            {"N_CLASSES": self.n_classes, "DEPTH": group.depth, "VECTOR": group.vector},
            Grid(len(routed.block_expert), self.threads, rows.bytes + at_once * per_tree),
            {
                **self._forest_arguments(X, routed, index, "perfect_nodes", margins),
                "leaf_start": self.arrays["leaf_start"],
                "stage": rows.stage,
                "trees_at_once": at_once,
            },
        )

    def _sparse(self, X: Any, routed: Routed, index: int, group: Group, margins: Any) -> None:
        rows = staging(self.d, self.threads, SHARED_BYTES)
        self.launcher.launch(
            "forest_sparse",
            {"N_CLASSES": self.n_classes, "VECTOR": group.vector},
            Grid(len(routed.block_expert), self.threads, rows.bytes),
            {
                **self._forest_arguments(X, routed, index, "sparse_nodes", margins),
                "categories": self.arrays["category_words"],
                "stage": rows.stage,
            },
        )


def _groups(fields: Mapping[str, Any]) -> tuple[list[Group], np.ndarray[Any, np.dtype[np.int32]]]:
    keys = [
        Group(int(form), int(depth) if form == PERFECT else 0, int(vector))
        for form, depth, vector in zip(fields["form"], fields["depth"], fields["vector"], strict=True)
    ]
    groups = sorted({key for key in keys if key.form != LINEAR})
    return groups, np.array([groups.index(key) if key in groups else -1 for key in keys], np.int32)


def _arrays(fields: Mapping[str, Any], group_of: Any) -> dict[str, Any]:
    """Take the arrays that kernels read; float64 becomes float32, but for gates; an empty array one entry, which no kernel reads."""
    floats = ("linear", "scale", "base", "leaf_values", "precision")
    others = ("link", "linear_slot", "tree_start", "node_start", "leaf_start", "perfect_nodes", "sparse_nodes", "category_words")
    exact = ("gate_node", "gate_path", "gate_mean", "gate_factor", "gate_offset")
    arrays = {name: np.ascontiguousarray(fields[name], np.float32) for name in floats}
    arrays |= {name: np.ascontiguousarray(fields[name]) for name in (*others, *exact)}
    arrays |= _gate_tables(fields)
    arrays = {name: a if a.size or name == "linear" else np.zeros(4, a.dtype) for name, a in arrays.items()}
    return arrays | {"group_of": group_of}


def _gate_tables(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give the linear logits in both precisions; offsets join the intercepts where they stand for experts."""
    table = np.array(fields["gate"], np.float64)
    one_for_each = table.copy()
    if fields["gate_path"].shape[1] == 1:
        one_for_each[-1] += fields["gate_offset"]
    return {"gate": one_for_each.astype(np.float32), "gate_constant": one_for_each[-1].copy(), "gate_table": table}
