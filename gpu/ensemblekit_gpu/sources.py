"""The kernels' source text, as NVRTC and the simulated build take it."""

from __future__ import annotations

from importlib.resources import files

INCLUDE = '#include "prelude.cuh"\n'


def source_text(source: str) -> str:
    """Read a kernel file with the prelude in place of its include.

    CuPy caches what it compiles by the text that it is given; an included file that changed would go unnoticed.

    Parameters
    ----------
    source : str
        File in ``kernels/``.

    Returns
    -------
    str
        One translation unit.

    Examples
    --------
    >>> "__global__ void combine(" in source_text("combine.cu")
    True
    """
    folder = files("ensemblekit_gpu") / "kernels"
    text, prelude = ((folder / name).read_text(encoding="utf-8") for name in (source, "prelude.cuh"))
    if INCLUDE not in text:
        raise ValueError(f"{source} does not include the prelude.")
    return text.replace(INCLUDE, prelude.replace("#pragma once\n", ""))
