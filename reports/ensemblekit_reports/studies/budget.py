"""How much time and memory a fit may take."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ensemblekit_reports.errors import UserError
from ensemblekit_reports.running.processes import Step

#: So long a fit may take where nobody said otherwise: a model that hangs shall not hold up the others for ever.
SECONDS = 3600.0
MEGABYTE = 1e6


@dataclass(frozen=True)
class Budget:
    """What one model may take on one fold, to fit and to predict.

    Parameters
    ----------
    seconds : float, default=3600
        Wall-clock time; 0 for no limit.
    megabytes : float, default=0
        Resident memory, its child processes included, above what its process had before; 0 for no limit.

    Examples
    --------
    >>> Budget(seconds=2).excess(Step(0, 2.1, 0.0))
    'it took longer than 2 s'
    """

    seconds: float = SECONDS
    megabytes: float = 0.0

    def check(self) -> None:
        """Refuse a budget that is none, or that this system cannot watch."""
        if not (self.seconds >= 0 and self.megabytes >= 0):
            raise UserError(
                f"limits of time and memory must not be negative, and are none at 0; got {self.seconds:g} s and {self.megabytes:g} MB."
            )
        if self.megabytes and not Path("/proc/self/statm").exists():
            raise UserError("a limit of memory needs Linux: this system does not tell how much a process has.")

    def excess(self, step: Step) -> str:
        """Say in which way a step has exceeded the budget; nothing if it has not."""
        if self.is_overtime(step):
            return f"it took longer than {self.seconds:g} s"
        if self.megabytes and step.number >= 0 and step.grown_bytes > self.megabytes * MEGABYTE:
            return f"it needed more than {self.megabytes:g} MB of memory"
        return ""

    def verdict(self, step: Step) -> tuple[str, str] | None:
        """Return status and reason of a step that has exceeded the budget; None for one that has not."""
        sentence = self.excess(step)
        return ("timeout" if self.is_overtime(step) else "out-of-memory", sentence) if sentence else None

    def is_overtime(self, step: Step) -> bool:
        """Whether time, and not memory, is what a step has exceeded."""
        return bool(self.seconds and step.number >= 0 and step.seconds > self.seconds)
