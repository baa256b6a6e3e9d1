"""Compiles kernels for real GPUs with NVRTC, which needs no driver, and reads what the assembler says of them."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from ensemblekit_gpu.sources import source_text

LIBRARIES = ("libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so")


class Usage(NamedTuple):
    """What one kernel takes on the device.

    Parameters
    ----------
    registers : int
        For each thread.
    stack, spills : int
        Bytes of local memory for each thread, and bytes stored for want of registers.
    """

    registers: int
    stack: int
    spills: int


@cache
def library() -> ctypes.CDLL | None:
    """NVRTC from the system or from the wheel ``nvidia-cuda-nvrtc``; None when there is none."""
    for path in _candidates():
        try:
            return ctypes.CDLL(path)
        except OSError:
            continue
    return None


def _candidates() -> list[str]:
    spec = find_spec("nvidia")
    folders = list(spec.submodule_search_locations or []) if spec else []
    return [*(str(path) for folder in folders for path in sorted(Path(folder).glob("*/lib/libnvrtc.so.*"))), *LIBRARIES]


def compile_kernels(source: str, defines: Mapping[str, int], architecture: str, edit: tuple[str, str] = ("", "")) -> dict[str, Usage]:
    """Compile to machine code for an architecture such as ``sm_90``.

    `edit` replaces text, to plant faults on purpose. Returns the usage of each kernel in the file; raises
    RuntimeError with the compiler's words.
    """
    nvrtc = library()
    assert nvrtc is not None  # noqa: S101  # the caller asked library() before
    options = ["--std=c++17", f"--gpu-architecture={architecture}", "--ptxas-options=-v"]
    options += [f"-D{name}={value}" for name, value in defines.items()]
    program = ctypes.c_void_p()
    nvrtc.nvrtcCreateProgram(ctypes.byref(program), source_text(source).replace(*edit, 1).encode(), source.encode(), 0, None, None)
    encoded = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    failed = nvrtc.nvrtcCompileProgram(program, len(options), encoded)
    size = ctypes.c_size_t()
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    text = log.value.decode()
    if failed:
        raise RuntimeError(f"NVRTC failed on {source}:\n{text}")
    return read_usage(text)


def read_usage(log: str) -> dict[str, Usage]:
    """Read the assembler's report."""
    found = {}
    for name, body in re.findall(r"Function properties for (\w+)(.*?)(?=Compiling entry|Function properties|\Z)", log, re.DOTALL):
        stack, spills = map(int, re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores", body).groups())  # type: ignore[union-attr]
        registers = re.search(r"Used (\d+) registers", body)
        if registers:
            found[name] = Usage(int(registers[1]), stack, spills)
    return found
