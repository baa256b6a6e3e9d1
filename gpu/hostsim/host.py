"""Builds kernels for the CPU with g++ and launches them on NumPy arrays, as CuPy would on a GPU."""

from __future__ import annotations

import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ensemblekit_gpu.launching import Grid
from ensemblekit_gpu.signatures import KERNELS, NUMBERS, bind, kernels_of, launch_key
from ensemblekit_gpu.sources import source_text

HEADER = Path(__file__).parent / "cuda_on_cpu.h"
FAILURES = {
    1: "a barrier that only part of a block reached",
    2: "a write behind the end of shared memory",
}
NO_COMPILER = None if shutil.which("g++") else "g++ is not installed: the kernels cannot run on the CPU"


class KernelFaultError(RuntimeError):
    """The simulation saw something that would be undefined on a GPU."""


class Launch(NamedTuple):
    """One launch and copies of what it was given.

    Parameters
    ----------
    name, defines, grid
        As in `HostLauncher.launch`.
    ordered : list
        Arguments in the order of the kernel.
    """

    name: str
    defines: Mapping[str, int]
    grid: Grid
    ordered: list[Any]


class HostLauncher:
    """A simulated device.

    Parameters
    ----------
    order : int, default=0
        Threads run ascending (0), descending (1) or shuffled (2 and above) between barriers.
    edits : mapping of str to (str, str), default={}
        Replacements in kernel files, to plant faults on purpose.
    record : bool, default=False
        Whether to keep copies of all launches in `launched`.
    """

    def __init__(self, order: int = 0, edits: Mapping[str, tuple[str, str]] | None = None, *, record: bool = False) -> None:
        self.order = order
        self.edits = dict(edits or {})
        self.record, self.launched = record, list[Launch]()

    def upload(self, array: Any) -> np.ndarray:
        """Copy."""
        return aligned(np.array(array, order="C"))

    def empty(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Poisoned: what a kernel does not write shows."""
        array = aligned(np.empty(shape, dtype))
        array.view(np.uint8).fill(0xFF)
        return array

    def zeros(self, shape: tuple[int, ...], dtype: str) -> np.ndarray:
        """Allocate zeros."""
        return aligned(np.zeros(shape, dtype))

    def launch(self, name: str, defines: Mapping[str, int], grid: Grid, arguments: Mapping[str, Any]) -> None:
        """Run a kernel to its end."""
        ordered = bind(name, defines, arguments)
        if self.record:
            copies = [a.copy() if isinstance(a, np.ndarray) else a for a in ordered]
            self.launched.append(Launch(name, dict(defines), grid, copies))
        source, constants = launch_key(name, defines)
        function = getattr(_library(source, constants, self.edits.get(source)), f"host_{name}")
        passed = [_passed(value) for value in ordered]
        failure = function(*map(ctypes.c_int, grid), self.order, *passed)
        if failure:
            raise KernelFaultError(f"{name}: {FAILURES[failure]}")


def _passed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.ctypes.data_as(ctypes.c_void_p)
    return {"f4": ctypes.c_float, "f8": ctypes.c_double}.get(value.dtype.str[1:], ctypes.c_int)(value.item())


def aligned(array: np.ndarray) -> np.ndarray:
    """Copy to an address that is a multiple of 16, as every device allocation is."""
    memory = np.empty(array.nbytes + 16, np.uint8)
    begin = -memory.ctypes.data % 16
    copy = memory[begin : begin + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def translation_unit(source: str, defines: Mapping[str, int], edit: tuple[str, str] | None = None) -> str:
    """Kernel file, then one C entry for each kernel; the compiler compares each with the table of signatures."""
    text = source_text(source)
    if edit is not None:
        assert edit[0] in text, f"nothing to edit: {edit[0]!r}"  # noqa: S101
        text = text.replace(*edit)
    constants = "".join(f"#define {name} {value}\n" for name, value in defines.items())
    return f"#define HOST_SIM\n{constants}#include <type_traits>\n{text}\n" + "".join(
        _entry(name) for name in kernels_of(source, list(defines))
    )


def _entry(name: str) -> str:
    parameters = KERNELS[name].parameters
    types = ", ".join(c_type for _, c_type in parameters)
    declared = ", ".join(f"{c_type} {parameter}" for parameter, c_type in parameters)
    passed = ", ".join(parameter for parameter, _ in parameters)
    return (
        f'static_assert(std::is_same_v<decltype(&{name}), void (*)({types})>, "{name} and its signature differ");\n'
        f'extern "C" int host_{name}(int blocks, int threads, int bytes, int order, {declared}) {{\n'
        f"    return sim::run(blocks, threads, bytes, order, [&] {{ {name}({passed}); }});\n}}\n"
    )


def compile_with_gxx(code: str, target: Path, *flags: str) -> None:
    """Compile one translation unit; raises with the compiler's words."""
    command = ["g++", "-std=c++20", "-O1", "-ffp-contract=off", "-Wall", "-Wno-unknown-pragmas", f"-I{HEADER.parent}"]
    with tempfile.TemporaryDirectory() as folder:
        unit = Path(folder, "unit.cpp")
        unit.write_text(code)
        beside = Path(folder, target.name)
        done = subprocess.run([*command, *flags, str(unit), "-o", str(beside)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"g++ failed:\n{done.stderr[-4000:]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(str(beside), str(target))


@cache
def _library(source: str, constants: tuple[tuple[str, int], ...], edit: tuple[str, str] | None) -> ctypes.CDLL:
    code = translation_unit(source, dict(constants), edit)
    digest = hashlib.sha256((code + HEADER.read_text() + compile_with_gxx.__code__.co_code.hex()).encode()).hexdigest()[:20]
    target = Path(tempfile.gettempdir(), f"ensemblekit-hostsim-{digest}", f"{Path(source).stem}.so")
    if not target.exists():
        compile_with_gxx(code, target, "-shared", "-fPIC")
    return ctypes.CDLL(str(target))


def replay_program(launch: Launch, edit: tuple[str, str] | None = None) -> str:
    """Write a program that repeats a launch, reading each array from a file into an allocation of exactly its size.

    The files' paths are its arguments, in the order of the kernel's pointers.
    """
    reads, passed = [], []
    for (parameter, c_type), value in zip(KERNELS[launch.name].parameters, launch.ordered, strict=True):
        if c_type in NUMBERS:
            passed.append(f"({c_type}){value.item()!r}")
            continue
        reads.append(f"    auto {parameter} = ({c_type})read(argv[{len(reads) + 1}], {value.nbytes});\n")
        passed.append(parameter)
    call = f"host_{launch.name}({launch.grid.blocks}, {launch.grid.threads}, {launch.grid.shared}, 0, {', '.join(passed)})"
    return (
        translation_unit(KERNELS[launch.name].source, launch.defines, edit)
        + "#include <cstdio>\n#include <cstdlib>\n"
        + "static void* read(const char* path, size_t bytes) {\n"
        + "    void* memory = nullptr;\n"
        + '    FILE* file = std::fopen(path, "rb");\n'
        + "    if (posix_memalign(&memory, 16, bytes) || !file || std::fread(memory, 1, bytes, file) != bytes) std::exit(3);\n"
        + "    std::fclose(file);\n    return memory;\n}\n"
        + f"int main(int, char** argv) {{\n{''.join(reads)}    return {call};\n}}\n"
    )
