"""Who calls, and what that lets them ask: the one place that decides it.

There are no credentials yet. The demo binds everyone to its organization; otherwise whoever
reaches the port, which `serve` keeps on the loopback address, is the operator.
"""

from dataclasses import dataclass
from typing import Final

from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.service.demo import ACME, AUTHOR
from grantproof.settings import Settings

OPERATOR: Final = Author("operator")


@dataclass(frozen=True, slots=True)
class Caller:
    """What the credential of a request allows.

    `organization` is the one that the caller is bound to, nothing for all of them. With
    `trusted_context` it may supply hour, weekday, usage and rate. With `review` it may know what
    exists. `author` is who makes the changes that it proposes.
    """

    organization: OrganizationId | None
    trusted_context: bool
    review: bool
    author: Author

    def may_see(self, organization: str) -> bool:
        """Return whether the organization is the caller's own."""
        return self.organization is None or self.organization == organization


def caller_under(settings: Settings) -> Caller:
    """Return who everybody is under the settings."""
    if settings.demo:
        return Caller(ACME, trusted_context=True, review=True, author=AUTHOR)
    return Caller(None, trusted_context=settings.trust_context, review=True, author=OPERATOR)
