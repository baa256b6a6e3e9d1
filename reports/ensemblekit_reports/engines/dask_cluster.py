"""Dask workers, of a scheduler somewhere or of this machine."""

from __future__ import annotations

import queue
from collections.abc import Collection
from types import TracebackType
from typing import Any, Self

from ensemblekit._extras import require
from ensemblekit_reports.engines.cluster import LostError
from ensemblekit_reports.engines.order import Files, Order, fit_order
from ensemblekit_reports.errors import UserError
from ensemblekit_reports.tables.table import Table

#: Seconds until a scheduler must have answered and a worker must be there.
PATIENCE_S = 60


class DaskCluster:
    """Workers of a Dask scheduler.

    Parameters
    ----------
    scheduler : str
        Its address, such as ``"tcp://10.0.0.1:8786"``; ``""`` starts workers here.
    jobs : int
        Workers to start here.

    Raises
    ------
    UserError
        When Dask is not installed, or no scheduler answers.
    """

    def __init__(self, scheduler: str, jobs: int) -> None:
        try:
            self._distributed: Any = require("distributed", extra="dask", purpose="The engine 'dask'")
        except ImportError as error:
            raise UserError(f"{error}.") from None
        here = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": ":0"}
        where = {"address": scheduler, "timeout": PATIENCE_S} if scheduler else here
        try:
            self._client = self._distributed.Client(**where, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UserError(f"no Dask scheduler answers at {scheduler} ({error}). Start one: dask scheduler.") from None
        self._done: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._out: set[Any] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._client.cancel(list(self._out), force=True)
        self._client.close()

    def slots(self) -> int:
        """Return the threads of all workers."""
        if not self._threads():
            try:
                self._client.wait_for_workers(1, timeout=PATIENCE_S)
            except TimeoutError:
                raise UserError(
                    f"no Dask worker is there after {PATIENCE_S} s. Start some: dask worker SCHEDULER. Finished cells are kept."
                ) from None
        return max(1, self._threads())

    def _threads(self) -> int:
        return sum(self._client.nthreads().values())

    def place(self, table: Table) -> Any:
        """Give a table to one worker; others that want it get it from there, once each."""
        # Hashes are of no use here: an equal table that is being forgotten would be forgotten with its successor.
        return self._client.scatter(table, hash=False)

    def submit(self, placed: Any, order: Order) -> Any:
        """Have a fold fitted; when its worker dies, Dask gives it to another one."""
        future = self._client.submit(fit_order, placed, order, pure=False)
        self._out.add(future)
        future.add_done_callback(self._done.put)
        return future

    def wait(self, tickets: Collection[Any]) -> Any:  # noqa: ARG002 - whatever is done has been submitted here
        """Return a future that is done, or cancelled by its scheduler."""
        return self._done.get()

    def answer(self, ticket: Any) -> Files:
        """Return what came back."""
        self._out.discard(ticket)
        if ticket.status == "error":
            error = ticket.exception()
            if isinstance(error, self._distributed.KilledWorker):
                raise UserError(f"a fold has ended every Dask worker that it was given to ({error}). Finished cells are kept.")
            raise error
        if ticket.status != "finished":
            raise LostError(f"its future is {ticket.status}")
        files: Files = ticket.result()
        return files
