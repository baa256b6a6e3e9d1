"""Leave out what needs CuPy where it is not installed."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("cupy") else ["ensemblekit_gpu/cupy_launcher.py", "ensemblekit_gpu/model.py"]
