"""What a running service holds, and how routes get at it: composed at start, gone at the end."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from grantproof.api.authentication import Authentication
from grantproof.api.checking import Checking
from grantproof.api.consume import Consumptions
from grantproof.api.decisions import Decisions
from grantproof.api.following import Following
from grantproof.api.problems import INTERNAL, NOT_READY, Refused
from grantproof.api.sharing import Sharing
from grantproof.api.shelving import Shelving
from grantproof.api.waiting import Waiting
from grantproof.bootstrap import Services
from grantproof.service.callers import Caller


class Background(Protocol):
    """What a running service does besides answering."""

    async def run(self) -> None:
        """Work until stopped."""
        ...

    def stop(self) -> None:
        """Let `run` end soon."""
        ...

    def close(self) -> None:
        """Wait for the threads, if there are any; not on the loop."""
        ...


@dataclass(frozen=True, slots=True)
class Running:
    """A service from its start to its end."""

    services: Services
    following: Following
    waiting: Waiting
    checking: Checking
    shelving: Shelving
    decisions: Decisions
    consumptions: Consumptions
    body_bytes_max: int
    authentication: Authentication | None = None
    """What tells who calls; the console asks it when somebody signs in."""
    public_url: str | None = None
    """Where clients reach the service, if the operator has said so."""
    sharing: Sharing | None = None
    """Where this is one of several workers: how they tell their metrics together."""


async def running(request: Request) -> Running:
    """Return what runs; a request before the start or after the end is refused."""
    found = getattr(request.app.state, "running", None)
    if not isinstance(found, Running):
        raise Refused(NOT_READY)
    return found


def caller_of(request: Request) -> Caller:
    """Return who calls; a request that came here without a caller is refused."""
    found = getattr(request.state, "caller", None)
    if not isinstance(found, Caller):
        raise Refused(INTERNAL)
    return found


async def calling(request: Request) -> Caller:
    """Return who calls."""
    return caller_of(request)


Here = Annotated[Running, Depends(running)]
Calling = Annotated[Caller, Depends(calling)]
