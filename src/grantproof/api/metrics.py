"""Metrics of this process, for Prometheus: numbers only, no name of anything that is kept.

Where it is one of several workers, whichever is asked tells those of all.

They count over all organizations, so they are told to nobody who is bound to one.
"""

from typing import Final

from fastapi import Response
from fastapi.responses import PlainTextResponse

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Problem, Refused
from grantproof.api.running import Calling, Here
from grantproof.api.strictness import strict_router

TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"

BOUND: Final = Problem(
    "bound_caller", "metrics count over all organizations: use a credential bound to none"
)

router = strict_router("/metrics", tag="operations", access=ADMINISTRATION)


@router.get("", response_class=PlainTextResponse)
def metrics(here: Here, caller: Calling) -> Response:
    """Tell every metric in the text format of Prometheus, to a caller bound to no organization."""
    if caller.organization is not None:
        raise Refused(BOUND)
    if here.sharing is not None:
        return Response(here.sharing.sheets.told(), media_type=TEXT_FORMAT)
    telemetry = here.services.telemetry
    return Response(b"" if telemetry is None else telemetry.written(), media_type=TEXT_FORMAT)
