"""What happened to an organization, and what it is at."""

from typing import Any

from grantproof.api.schemas.answer import Answer


class Revision(Answer):
    """The state that a change made."""

    revision: int
    """Its number."""


class EventAnswer(Answer):
    """A change that happened."""

    revision: int
    """The state that it made."""
    instant: int
    """When, in epoch seconds."""
    actor: str | None
    """Who made it; null once that is erased."""
    reason: str | None
    """Why, as whoever made it said; null when nothing was said or once it is erased."""
    request_id: str | None
    """The `X-Request-ID` of the request that made it; null when it came by another door."""
    command: dict[str, Any]
    """What was asked, with its `type`; the first event is `Found`, the last may be `Dissolve`."""
    delta: dict[str, Any]
    """The facts `removed` and `added`, each with its `type`: enough to replay it."""
