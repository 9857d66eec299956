"""One shape for all that decides: the two clients and the embedded engine, for what asks them."""

from collections.abc import Awaitable
from typing import Protocol, Unpack

from grantproof.client.questions import Said
from grantproof.client.results import Decision


class Decider(Protocol):
    """Decides, or says how the decision is waited for."""

    @property
    def waits(self) -> bool:
        """Whether `decide` holds up the thread that calls it, as no event loop may be."""
        ...

    def decide(
        self, principal: str, action: str, resource: str, **said: Unpack[Said]
    ) -> Decision | Awaitable[Decision]:
        """Return whether the principal may do the action on the resource."""
        ...


class DirectDecider(Protocol):
    """Decides at once, for programs without an event loop: `Client` and `Engine`."""

    def decide(self, principal: str, action: str, resource: str, **said: Unpack[Said]) -> Decision:
        """Return whether the principal may do the action on the resource."""
        ...
