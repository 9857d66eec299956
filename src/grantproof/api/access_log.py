"""One line for each request that changes something by administration, and for each that fails.

Decisions have a log of their own, so here they are told only when they could not be made.
"""

from typing import Final

import structlog
from starlette.types import Scope

from grantproof.api.access import SAFE_METHODS
from grantproof.api.front import front_of
from grantproof.service.callers import Caller

FAILED: Final = 500
UNMATCHED: Final = "(none)"

log = structlog.get_logger(__name__)


def tell(scope: Scope, status: int, *, seconds: float) -> None:
    """Tell of a request answered in so many seconds, if it is one to be told of."""
    method, front = scope["method"], front_of(scope["path"])
    if status < FAILED and (method in SAFE_METHODS or front is not None):
        return
    # The template: an address holds names of principals, which are none of a log's business.
    route = getattr(scope.get("route"), "path", UNMATCHED) if front is None else front.route
    caller = scope.get("state", {}).get("caller")
    write = log.warning if status >= FAILED else log.info
    write(
        "request",
        method=method,
        route=route,
        status=status,
        seconds=round(seconds, 6),
        actor=caller.author.actor if isinstance(caller, Caller) else None,
    )
