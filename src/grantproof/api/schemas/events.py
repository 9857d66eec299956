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
    actor: str
    """Who made it."""
    command: dict[str, Any]
    """What was asked, with its `type`."""
    delta: dict[str, Any]
    """The facts `removed` and `added`, each with its `type`: enough to replay it."""
