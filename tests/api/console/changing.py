"""Changes of `acme` for tests of pages, made by the use case that every door has."""

from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    ChangeSet,
    CreateClaim,
    SingleCommand,
)
from grantproof.core.constraints import Constraint
from grantproof.core.identifiers import Action, ClaimId, ResourceId, RoleId
from grantproof.core.model import Claim, Exactly
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from tests.api.service import Api, running


def change(api: Api, *commands: SingleCommand) -> None:
    """Make a change of `acme`, which must be accepted."""
    administration = running(api).services.administration
    made = administration.propose(ACME, ChangeSet(commands), by=Author("test"))
    assert isinstance(made, Accepted), made


def claim(role: str, action: str, resource: str, *constraints: Constraint) -> CreateClaim:
    """A claim that is named after its role, action and resource."""
    return CreateClaim(
        Claim(
            ClaimId(f"{role}-{action}-{resource}"),
            RoleId(role),
            Exactly(Action(action)),
            Exactly(ResourceId(resource)),
            constraints,
        )
    )
