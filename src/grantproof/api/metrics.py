"""Metrics of this process, for Prometheus: numbers only, no name of anything that is kept."""

from typing import Final

from fastapi import Response
from fastapi.responses import PlainTextResponse

from grantproof.api.access import ADMINISTRATION
from grantproof.api.running import Here
from grantproof.api.strictness import strict_router

TEXT_FORMAT: Final = "text/plain; version=0.0.4; charset=utf-8"

router = strict_router("/metrics", tag="operations", access=ADMINISTRATION)


@router.get("", response_class=PlainTextResponse)
def metrics(here: Here) -> Response:
    """Tell every metric in the text format of Prometheus."""
    telemetry = here.services.telemetry
    return Response(b"" if telemetry is None else telemetry.written(), media_type=TEXT_FORMAT)
