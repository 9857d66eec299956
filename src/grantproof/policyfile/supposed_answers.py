"""What-if answers as documents: a decision as it is, and as it would be."""

from typing import Literal, Self

from grantproof.core.policy import Decision
from grantproof.core.sessions import NoSession
from grantproof.policyfile.answers import Certificate, outcome
from grantproof.policyfile.document import Document


class SupposedDecision(Document):
    """A decision, and what it rests on."""

    decision: Literal["Allow", "Deny"]
    """The decision of the reference."""
    reason: str | None
    """Why not, in words."""
    reason_code: str | None
    """Why not, for programs."""
    certificate: Certificate | None
    """The evidence of an allow; after a change it names the revision that the change would make."""
    decided_at: int
    """When, in epoch seconds."""

    @classmethod
    def of(
        cls, decision: Decision, *, decided_at: int, instead: NoSession | None
    ) -> "SupposedDecision":
        """Return the written form of a decision.

        `instead` is said where there is no such session, and the decision knows of none.
        """
        return cls.holding(**outcome(decision, instead), decided_at=decided_at)


class WhatIf(Document):
    """A decision as it is and as it would be. Nothing was changed, and nothing counted."""

    before: SupposedDecision
    """On the state as it is, in the context of the request."""
    after: SupposedDecision
    """In the supposed context, on the state that the supposed change leads to."""
    revision: int
    """The state that both start from."""

    @classmethod
    def of(
        cls,
        before: Decision,
        after: Decision,
        *,
        at: tuple[int, int],
        revision: int,
        instead: tuple[NoSession | None, NoSession | None] = (None, None),
    ) -> Self:
        """Return the written form of both decisions, made for these instants (epoch seconds)."""
        return cls.holding(
            before=SupposedDecision.of(before, decided_at=at[0], instead=instead[0]),
            after=SupposedDecision.of(after, decided_at=at[1], instead=instead[1]),
            revision=revision,
        )
