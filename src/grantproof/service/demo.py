"""The demo organization `acme`, to the letter: what a newcomer tries first, and a test runs."""

from typing import Final

from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    SingleCommand,
)
from grantproof.core.constraints import Constraint, GeoFence, TimeWindow
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import Claim, Exactly, Resource, SodSet
from grantproof.service.authors import Author
from grantproof.service.pap import AdministrationPoint

ACME: Final = OrganizationId("acme")
AUTHOR: Final = Author("demo")

OFFICE_HOURS: Final = TimeWindow(9, 17)
US_EAST: Final = GeoFence(frozenset({Region("us-east-1")}))


def install(administration: AdministrationPoint) -> None:
    """Create `acme` where it does not exist; leave it as it is where it does."""
    if administration.found(ACME, time_zone="UTC", by=AUTHOR):
        administration.propose(ACME, ChangeSet(tuple(commands())), by=AUTHOR)


def commands() -> list[SingleCommand]:
    """Return the commands that make `acme` of an empty organization."""
    return [
        CreateKind(Kind("document")),
        CreateResource(Resource(ResourceId("docs"), Kind("document"))),
        CreateResource(Resource(ResourceId("reports"), Kind("document"))),
        *(CreateRole(RoleId(role)) for role in ("viewer", "editor", "finance", "submitter")),
        AddParent(RoleId("editor"), RoleId("viewer")),
        _claim("viewer", "read", "docs", constraint=OFFICE_HOURS),
        _claim("viewer", "read", "reports", constraint=OFFICE_HOURS),
        _claim("editor", "write", "docs", constraint=US_EAST),
        CreateSodSet(
            SodSet(
                SodSetId("finance-or-submitter"),
                frozenset({RoleId("finance"), RoleId("submitter")}),
                n=2,
            )
        ),
        *(CreatePrincipal(PrincipalId(name)) for name in ("alice", "bob", "carol")),
        AssignRole(PrincipalId("alice"), RoleId("viewer")),
        AssignRole(PrincipalId("bob"), RoleId("editor")),
        AssignRole(PrincipalId("carol"), RoleId("finance")),
    ]


def _claim(role: str, action: str, resource: str, *, constraint: Constraint) -> CreateClaim:
    return CreateClaim(
        Claim(
            ClaimId(f"{role}-{action}-{resource}"),
            RoleId(role),
            Exactly(Action(action)),
            Exactly(ResourceId(resource)),
            (constraint,),
        )
    )
