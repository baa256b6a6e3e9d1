"""Which workers a study chooses for its accuracy pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ensemblekit_reports.engines.cluster import Cluster
from ensemblekit_reports.engines.dask_cluster import DaskCluster
from ensemblekit_reports.engines.ray_cluster import RayCluster
from ensemblekit_reports.errors import UserError, unknown_name

LOCAL = "local"
#: Adding one is adding a line here and a file.
CLUSTERS: dict[str, Callable[[str, int], Cluster]] = {"dask": DaskCluster, "ray": RayCluster}
ENGINES = (LOCAL, *CLUSTERS)


@dataclass(frozen=True)
class Engine:
    """Workers of the accuracy pass.

    Parameters
    ----------
    name : str, default="local"
        ``"local"``: processes of this machine; ``"dask"`` or ``"ray"``: workers anywhere.
    scheduler : str, default=""
        Address of a Dask scheduler or a Ray head; where empty, workers are started on this machine.

    Examples
    --------
    >>> Engine("dusk").check()
    Traceback (most recent call last):
        ...
    ensemblekit_reports.errors.UserError: unknown engine 'dusk': did you mean 'dask'? Valid: local, dask, ray.
    """

    name: str = LOCAL
    scheduler: str = ""

    def check(self) -> None:
        """Refuse an engine that there is not, and a scheduler for none."""
        if self.name not in ENGINES:
            raise unknown_name("engine", self.name, ENGINES)
        if self.scheduler and self.name == LOCAL:
            raise UserError(f"a scheduler ({self.scheduler}) belongs to an engine that has one: --engine {' or '.join(CLUSTERS)}.")

    def connect(self, jobs: int) -> Cluster:
        """Reach the workers, or start so many here where no scheduler is named."""
        return CLUSTERS[self.name](self.scheduler, jobs)
