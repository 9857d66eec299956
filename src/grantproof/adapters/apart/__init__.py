"""Work in processes of its own: forks that can be ended, of which only an answer comes back."""

from grantproof.adapters.apart.checks import Apart
from grantproof.adapters.apart.forks import Limits
from grantproof.adapters.apart.solvers import Solvers

__all__ = ["Apart", "Limits", "Solvers"]
