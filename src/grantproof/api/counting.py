"""What the door counts for the metrics: requests, where every answer begins, and who is refused."""

from collections.abc import Awaitable
from typing import Final

from starlette.types import Message, Scope, Send

from grantproof.adapters.clock import stopwatch
from grantproof.adapters.telemetry import Followed
from grantproof.api.access import PUBLIC
from grantproof.api.authentication import Authentication
from grantproof.api.front import front_of
from grantproof.api.running import Running
from grantproof.core.organization import Organization
from grantproof.service.requests import Requests

OTHER: Final = "other"
"""Stands for every path that is no route, and for what was refused before one was looked for."""


def timed(requests: Requests, scope: Scope, send: Send) -> Send:
    """Return what sends the answer to a request that came just now, and counts it.

    It is counted once its body is ready: how long the caller takes to read it does not matter. A
    caller that goes away before is not answered, and not counted. The decision routes count for
    themselves, which is quicker.
    """
    came = stopwatch()

    def send_counted(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            requests.count(_route(scope), message["status"], stopwatch() - came)
        return send(message)

    return send_counted


def _route(scope: Scope) -> str:
    """Return the template of the route: never what stands in its place, which names people."""
    path = scope["path"]
    if path in PUBLIC:
        return str(path)
    front = front_of(path)
    if front is not None:
        return front.route
    return str(getattr(scope.get("route"), "path_format", OTHER))


def tell(running: Running, requests: Requests, authentication: Authentication) -> None:
    """Let the metrics tell what the door counts and follows, if there is anybody to tell."""
    telemetry = running.services.telemetry
    if telemetry is None:
        return
    snapshots = running.services.snapshots

    def states() -> tuple[Organization, ...]:
        found = (snapshots.get(organization) for organization in snapshots.followed())
        return tuple(index.state for index in found if index is not None)

    telemetry.watch_requests(requests.tally)
    freshness = running.following.freshness

    def not_current() -> int:
        return sum(not freshness.holds(organization) for organization in snapshots.followed())

    telemetry.watch_following(Followed(states, freshness.age, not_current))
    telemetry.watch_credentials(lambda: authentication.refused)
