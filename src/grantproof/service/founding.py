"""The first administrator: what an operator does to an empty organization so that it runs itself.

From then on nobody needs the operator: an administrator may make every change there is.
"""

from typing import Final

from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreatePrincipal,
    CreateRole,
    SingleCommand,
)
from grantproof.core.identifiers import ClaimId, PrincipalId, RoleId
from grantproof.core.model import ADMINISTRATIVE_ACTIONS, Any, Claim, Exactly

ADMINISTRATOR: Final = RoleId("administrator")


def administrator(principal: PrincipalId) -> ChangeSet:
    """Return the change that makes the principal, and lets it administer everything for ever.

    `*` as a resource is every role, group, set, resource and the organization, those to come too.
    As an action it is nothing administrative, so each of these actions has a claim that names it.
    """
    claims: list[SingleCommand] = [
        CreateClaim(
            Claim(ClaimId(f"administrator-{action}"), ADMINISTRATOR, Exactly(action), Any())
        )
        for action in sorted(ADMINISTRATIVE_ACTIONS)
    ]
    return ChangeSet(
        (
            CreatePrincipal(principal),
            CreateRole(ADMINISTRATOR),
            *claims,
            AssignRole(principal, ADMINISTRATOR),
        )
    )
