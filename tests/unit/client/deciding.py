"""Deciders that answer as they are told, and remember what they were asked."""

from collections.abc import Awaitable
from typing import Unpack

from grantproof.client.questions import Question, Said
from grantproof.client.results import Allow, CallerError, Decision, Deny, Unanswered, Undetermined

ALLOW = Allow("see", 3, 1_000, None)
DENY = Deny("unknown_resource", "unknown resource", 3, 1_000, None)
UNDETERMINED = Undetermined("timeout", "no answer within 2 seconds")
ILLEGAL = CallerError("invalid", "`resource_id` must be legal")
UNAUTHENTICATED = CallerError("unauthenticated", "present a credential", status=401)
UNANSWERED = Unanswered(UNDETERMINED)


class Told:
    """A decider that gives one answer, or raises it."""

    def __init__(self, answer: Decision | Exception, *, waits: bool = False) -> None:
        self.answer = answer
        self.waits = waits
        self.asked: list[Question] = []

    def decide(self, principal: str, action: str, resource: str, **said: Unpack[Said]) -> Decision:
        """The answer."""
        self.asked.append(Question(principal, action, resource, said))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class ToldLater:
    """The same, as an `AsyncClient` does it."""

    waits = False

    def __init__(self, answer: Decision | Exception) -> None:
        self._told = Told(answer)
        self.asked = self._told.asked

    def decide(
        self, principal: str, action: str, resource: str, **said: Unpack[Said]
    ) -> Awaitable[Decision]:
        """The answer, to be waited for."""

        async def later() -> Decision:
            return self._told.decide(principal, action, resource, **said)

        return later()
