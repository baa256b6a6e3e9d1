"""Ray workers, of a cluster somewhere or of this machine."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from types import TracebackType
from typing import Any, Self

from ensemblekit._extras import require
from ensemblekit_reports.engines.cluster import LostError
from ensemblekit_reports.engines.order import Files, Order, fit_order
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.table import Table

#: A fold whose worker dies is given to so many others.
RETRIES = 3


class RayCluster:
    """Workers of a Ray cluster.

    Parameters
    ----------
    scheduler : str
        Address of its head, such as ``"10.0.0.1:6379"`` or ``"auto"``; with ``""`` that of the variable ``RAY_ADDRESS``, and
        without it workers are started here.
    jobs : int
        Workers to start here.

    Raises
    ------
    UserError
        When Ray is not installed, or no cluster answers.
    """

    def __init__(self, scheduler: str, jobs: int) -> None:
        try:
            self._ray: Any = require("ray", extra="ray", purpose="The engine 'ray'")
        except ImportError as error:
            raise UserError(f"{error}.") from None
        self._was_there = self._ray.is_initialized()
        address = scheduler or os.environ.get("RAY_ADDRESS", "")
        where: dict[str, Any] = {"address": address} if address else {"num_cpus": jobs, "include_dashboard": False}
        if not self._was_there:
            try:
                self._ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
            except (OSError, ConnectionError, ValueError, RuntimeError) as error:
                raise UserError(f"no Ray cluster answers at {address or 'this machine'} ({error}). Start one: ray start --head.") from None
        self._fit = self._ray.remote(fit_order).options(num_cpus=1, max_retries=RETRIES)
        self._out: set[Any] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for ticket in self._out:
            self._ray.cancel(ticket, force=True)
        if not self._was_there:
            self._ray.shutdown()

    def slots(self) -> int:
        """Return the processors of all nodes."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def place(self, table: Table) -> Any:
        """Put a table into the object store; each node gets it once."""
        return self._ray.put(table)

    def submit(self, placed: Any, order: Order) -> Any:
        """Have a fold fitted; when its worker dies, Ray gives it to another one."""
        ticket = self._fit.remote(placed, order)
        self._out.add(ticket)
        return ticket

    def wait(self, tickets: Collection[Any]) -> Any:
        """Return one that is done."""
        (done, *_), _ = self._ray.wait(list(tickets), num_returns=1)
        return done

    def answer(self, ticket: Any) -> Files:
        """Return what came back."""
        self._out.discard(ticket)
        try:
            files: Files = self._ray.get(ticket)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            raise LostError(str(error).splitlines()[0]) from None
        return files
