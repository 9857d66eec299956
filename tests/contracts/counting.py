"""An organization whose claims are metered, and the words in which meters are tested."""

from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    DeleteClaim,
    SingleCommand,
)
from grantproof.core.constraints import Constraint, MaxUsage, RateLimit
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.matching import Request
from grantproof.core.metering import Charge, Counter, charges, window
from grantproof.core.model import Claim, Exactly, Resource
from grantproof.core.organization import Organization
from grantproof.service.meter import Charged, Meter, Uncharged
from grantproof.service.ports import Store
from grantproof.service.receipts import Consumption
from tests.contracts.histories import commit_all, created

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
ANN, BOB = PrincipalId("ann"), PrincipalId("bob")
EXPORTER = RoleId("exporter")
DAILY, RATED = ClaimId("daily"), ClaimId("rated")
DOCS = ResourceId("docs")
EXPORT = Request(ANN, Action("export"), DOCS)
INSTANT = 1_700_000_000
FAR = 10_000
"""More counters than there are."""


def claim(name: ClaimId, *constraints: Constraint) -> Claim:
    """Exporters export the documents, under the constraints."""
    return Claim(name, EXPORTER, Exactly(Action("export")), Exactly(DOCS), constraints)


METERED = (
    claim(DAILY, MaxUsage(2, "day")),
    claim(RATED, MaxUsage(3), RateLimit(2)),
)


def metered(store: Store, name: OrganizationId = ACME, *claims: Claim) -> Organization:
    """A new organization in which Ann and Bob are exporters."""
    principals = [CreatePrincipal(ANN), CreatePrincipal(BOB)]
    held = [AssignRole(ANN, EXPORTER), AssignRole(BOB, EXPORTER)]
    place: list[SingleCommand] = [
        CreateKind(Kind("file")),
        CreateResource(Resource(DOCS, Kind("file"))),
    ]
    granted = [CreateClaim(one) for one in claims or METERED]
    commands: list[SingleCommand] = [*principals, CreateRole(EXPORTER), *place, *granted, *held]
    return created(store, name, commands)


def replaced(store: Store, state: Organization, new: Claim) -> Organization:
    """The organization after one change set that puts the claim in place of its namesake."""
    return commit_all(store, state, [ChangeSet((DeleteClaim(new.id), CreateClaim(new)))])


def due(
    state: Organization, claim_id: ClaimId, principal: PrincipalId = ANN, instant: int = INSTANT
) -> tuple[Charge, ...]:
    """What one use of the claim counts."""
    return charges(state.claims[claim_id], principal, instant)


def charge(
    meter: Meter,
    state: Organization,
    claim_id: ClaimId,
    *,
    by: PrincipalId = ANN,
    at: int = INSTANT,
) -> bool | Uncharged:
    """Whether one use was charged, or why not."""
    asked = due(state, claim_id, by, at)
    done = meter.charge(state.id, asked, revision=state.revision, instant=at)
    assert not isinstance(done, Consumption), "nothing was to be kept"
    return True if isinstance(done, Charged) else done


def counts(meter: Meter, name: OrganizationId = ACME, *, at: int = INSTANT) -> dict[Counter, int]:
    """Every counter whose window has not ended."""
    return dict(meter.usage(name, instant=at, limit=FAR))


def counter(claim_id: ClaimId, span: str, by: PrincipalId = ANN, at: int = INSTANT) -> Counter:
    """The counter of the window in which the instant lies."""
    found = next(one for one in ("minute", "hour", "day", "month", "total") if one == span)
    return Counter(by, claim_id, found, window(found, at).start)
