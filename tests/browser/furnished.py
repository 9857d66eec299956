"""What the service holds that a browser looks at: something of all that a page shows."""

import time
from typing import Any, Final

from grantproof.adapters.verification import STAGES, core_digest
from grantproof.bootstrap import Services
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateGroup,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    SingleCommand,
    SuspendPrincipal,
)
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import ID_LENGTH_MAX
from grantproof.core.model import Any as Anything
from grantproof.core.model import Claim, Exactly, Resource, SodSet, Validity
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from grantproof.service.promises import PROMISES

DAY: Final = 86_400
LONG: Final = "a-role-whose-name-is-so-long-that-it-does-not-fit-into-a-narrow-screen-at-once"
UNBROKEN: Final = "w" * (ID_LENGTH_MAX - 2)
"""Of the widest letters and without a place to break: with two more as long as ids may be."""
WHOLE: Final = OrganizationId(f"{UNBROKEN}-o")
HOSTILE: Final = "<img src=x onerror=alert(1)> & \"quotes\" 'of' <script>alert(2)</script>"


def furnish(services: Services) -> None:
    """Let the organization hold something of all that a page shows, long and hostile names too."""
    now, barred = int(time.time()), RoleId("nobody-may")
    roles = [RoleId(LONG), *(RoleId(f"team-{number}") for number in range(12))]
    people = [PrincipalId(f"person-{number:02}") for number in range(30)]
    commands: list[SingleCommand] = [
        *(CreateRole(role) for role in roles),
        *(AddParent(role, RoleId("viewer")) for role in roles[:6]),
        *(AddParent(role, roles[number // 2]) for number, role in enumerate(roles) if number > 1),
        CreateRole(barred),
        AddParent(barred, RoleId("finance")),
        AddParent(barred, RoleId("submitter")),
        CreateGroup(GroupId("staff")),
        AssignGroupRole(GroupId("staff"), RoleId("viewer"), Validity(end=now + 3 * DAY)),
        *(CreatePrincipal(name) for name in people),
        *(AddMember(name, GroupId("staff")) for name in people[:5]),
        *(
            AssignRole(name, roles[number % 5], Validity(end=now + number * DAY))
            for number, name in enumerate(people, start=1)
        ),
        SuspendPrincipal(people[-1]),
        CreateClaim(
            Claim(ClaimId("idle"), RoleId("nobody-may"), Exactly(Action("read")), Anything())
        ),
    ]
    made = services.administration.propose(
        ACME, ChangeSet(tuple(commands)), by=Author("test", reason=HOSTILE)
    )
    assert isinstance(made, Accepted), made


def lengthen(services: Services) -> None:
    """Let an organization hold nothing but ids that are as long as they may be."""
    first, second = RoleId(f"{UNBROKEN}-a"), RoleId(f"{UNBROKEN}-b")
    who, kind, resource = PrincipalId(f"{UNBROKEN}-p"), Kind(UNBROKEN), ResourceId(UNBROKEN)
    do = Exactly(Action(UNBROKEN))
    commands: list[SingleCommand] = [
        CreateKind(kind),
        CreateResource(Resource(resource, kind)),
        CreateRole(first),
        CreateRole(second),
        CreateClaim(Claim(ClaimId(UNBROKEN), first, do, Exactly(resource))),
        CreateSodSet(SodSet(SodSetId(UNBROKEN), frozenset({first, second}), n=2)),
        CreatePrincipal(who),
        AssignRole(who, first),
    ]
    by = Author(UNBROKEN, reason=UNBROKEN)
    assert services.administration.found(WHOLE, time_zone="UTC", by=by)
    made = services.administration.propose(WHOLE, ChangeSet(tuple(commands)), by=by)
    assert isinstance(made, Accepted), made


def whole_report() -> dict[str, Any]:
    """The report of a gate that passed, about what runs here."""
    rows = [
        {"property_id": name, "name": f"{name}: something", "verdict": "proved", "seconds": 0.5}
        for name in PROMISES
    ]
    stages = [{"name": name, "passed": True, "seconds": 9.5, "rows": rows} for name in STAGES]
    tools = {"Python": "CPython 3.11.7", "Z3": "5.4.0.0"}
    origin = {"begun": "2026-01-02T03:04:05+00:00", "core": core_digest(), "versions": tools}
    return {"passed": True, "seconds": 96.5, "origin": origin, "stages": stages}
