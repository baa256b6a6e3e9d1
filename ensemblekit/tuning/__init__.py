"""Search spaces for every model that a study may name, and a search by loss and compute at once."""

from ensemblekit.tuning.models import space
from ensemblekit.tuning.pareto import Candidate, ParetoSearch, pareto_search
from ensemblekit.tuning.space import SearchSpace

__all__ = ["Candidate", "ParetoSearch", "SearchSpace", "pareto_search", "space"]
