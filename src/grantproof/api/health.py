"""Whether the process lives, and whether it can do its work."""

from fastapi import Response

from grantproof.api.problems import NOT_CURRENT, Refused
from grantproof.api.replies import JSON
from grantproof.api.running import Here
from grantproof.api.schemas.health import Health
from grantproof.api.strictness import strict_router

router = strict_router("", tag="operations", access=None)


@router.get("/livez", response_model=Health)
async def live() -> Response:
    """Say that the process answers."""
    return _healthy("live")


@router.get("/readyz", response_model=Health)
def ready(here: Here) -> Response:
    """Say that the store can be read, and that what is known of it is recent; otherwise 503."""
    if not here.following.freshness.is_whole():
        raise Refused(NOT_CURRENT)
    here.services.store.summaries(limit=1)
    return _healthy("ready")


def _healthy(status: str) -> Response:
    return Response(Health(status=status).model_dump_json(), media_type=JSON)
