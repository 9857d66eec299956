"""Who calls, and what that lets them ask: the same whatever credential proved it."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author


class Scope(StrEnum):
    """What a credential may be used for. None includes another."""

    EVALUATE = "evaluate"
    """Ask for decisions."""
    TRUSTED_CONTEXT = "trusted-context"
    """Supply hour, weekday, usage and rate, as an enforcement point does."""
    REVIEW = "review"
    """Know what exists: read, explain, and be told every reason."""
    ADMINISTER = "administer"
    """Change what an organization holds."""
    SESSIONS = "sessions"
    """Open, change and end sessions, as an enforcement point does when its users come and go."""
    OPERATE = "operate"
    """Make and delete organizations and keys; only for an operator of all organizations."""


EVERY_SCOPE: Final = frozenset(Scope)
WITHIN_ORGANIZATION: Final = EVERY_SCOPE - {Scope.OPERATE}
"""What a credential of one organization may have."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What the credential of a request allows.

    `organization` is the one that the caller is bound to, nothing for all of them. With
    `trusted_context` it may supply hour, weekday, usage and rate. With `review` it may know what
    exists. `author` is who makes the changes that it proposes.
    """

    organization: OrganizationId | None
    scopes: frozenset[Scope]
    trusted_context: bool
    review: bool
    author: Author

    @classmethod
    def with_scopes(
        cls, organization: OrganizationId | None, scopes: AbstractSet[Scope], *, author: Author
    ) -> Self:
        """Return the caller whose credential has the scopes."""
        return cls(
            organization,
            frozenset(scopes),
            trusted_context=Scope.TRUSTED_CONTEXT in scopes,
            review=Scope.REVIEW in scopes,
            author=author,
        )

    def may_see(self, organization: str) -> bool:
        """Return whether the organization is the caller's own."""
        return self.organization is None or self.organization == organization
