"""Organizations, contexts and outcomes for tests, in as few words as a test can bear.

`made_of` puts facts together unchecked, so that it can also make what no command would; `after`
goes through `apply` and fails the test when a command is refused.
"""

from dataclasses import replace

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes
from grantproof.core.commands import Accepted, Rejected, apply
from grantproof.core.commands.delta import ORDER
from grantproof.core.commands.language import Command
from grantproof.core.constraints import Constraint, Context
from grantproof.core.errors import Refusal
from grantproof.core.guardrails import Access, Forbidden, Selector
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.matching import Request
from grantproof.core.model import (
    ADMINISTER,
    ActionPattern,
    Administered,
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    Group,
    Guardrail,
    KindDeclaration,
    Principal,
    Resource,
    ResourcePattern,
    Role,
    SodSet,
)
from grantproof.core.organization import Organization, with_fact
from grantproof.core.policy import Allow, Decision

ACME = OrganizationId("acme")
ITSELF = ResourceId("organization:acme")
ANN, BOB, EVE = PrincipalId("ann"), PrincipalId("bob"), PrincipalId("eve")
STAFF, BOARD, CLUB = GroupId("staff"), GroupId("board"), GroupId("club")
CLERK, HEAD, CHIEF = RoleId("clerk"), RoleId("head"), RoleId("chief")
READ, WRITE = Action("read"), Action("write")
FILE, FOLDER = Kind("file"), Kind("folder")
DOCS, PLAN = ResourceId("docs"), ResourceId("docs/plan")
C1, C2, C3 = ClaimId("c1"), ClaimId("c2"), ClaimId("c3")
PAIR = SodSetId("pair")
CALM = GuardrailId("calm")
EU, US = Region("eu"), Region("us")

NOON = Context(instant=1_000, hour=12, weekday=2, year=2026)


def made_of(*facts: Fact, revision: int = 0) -> Organization:
    """The organization of exactly these facts, whether or not it is valid."""
    state = Organization(ACME, revision)
    for fact in sorted(facts, key=lambda fact: ORDER[type(fact)]):
        state = with_fact(state, fact)
    return state


def people(*principals: PrincipalId) -> tuple[Fact, ...]:
    """Active principals without attributes."""
    return tuple(Principal(principal) for principal in principals)


def roles(*names: RoleId) -> tuple[Fact, ...]:
    """Roles."""
    return tuple(Role(name) for name in names)


def groups(*names: GroupId) -> tuple[Fact, ...]:
    """Groups."""
    return tuple(Group(name) for name in names)


def library(attributes: Attributes = NO_ATTRIBUTES) -> tuple[Fact, ...]:
    """Both kinds, the folder `docs`, and in it the file `docs/plan` with the attributes."""
    return (
        KindDeclaration(FOLDER),
        KindDeclaration(FILE),
        Resource(DOCS, FOLDER),
        Resource(PLAN, FILE, parent=DOCS, attributes=attributes),
    )


def claim(
    *constraints: Constraint,
    id: ClaimId = C1,  # noqa: A002  # the name of the field that it fills
    role: RoleId = CLERK,
    action: ActionPattern | None = None,
    resource: ResourcePattern | None = None,
) -> Claim:
    """A claim that differs from "clerks read the plan" where the test says so."""
    return Claim(
        id,
        role,
        Exactly(READ) if action is None else action,
        Exactly(PLAN) if resource is None else resource,
        constraints,
    )


def pair(n: int = 2, *names: RoleId) -> SodSet:
    """The static set `pair` over the roles, or over clerk and head."""
    return SodSet(PAIR, frozenset(names or (CLERK, HEAD)), n)


def dynamic(sod_set: SodSet) -> SodSet:
    """The same set, binding what is active together."""
    return replace(sod_set, mode="dynamic")


def guardrail(*who: Selector, on: ResourcePattern | None = None) -> Guardrail:
    """The guardrail `calm`: who, or all, may never write what the test says, or the plan."""
    access = Access(Exactly(WRITE), Exactly(PLAN) if on is None else on)
    return Guardrail(CALM, Forbidden(access, frozenset(who)))


def run_by(principal: PrincipalId = EVE) -> tuple[Fact, ...]:
    """A principal that administers the organization, as role `chief`."""
    return (
        Principal(principal),
        Role(CHIEF),
        Claim(ClaimId("run"), CHIEF, Exactly(ADMINISTER), Any()),
        Assignment(principal, CHIEF),
        Administered(),
    )


def asks(
    principal: PrincipalId = ANN,
    action: Action = READ,
    resource: ResourceId = PLAN,
    *,
    kind: str | None = None,
    active: tuple[RoleId, ...] | None = None,
) -> Request:
    """A request that differs from "ann reads the plan" where the test says so."""
    chosen = None if active is None else frozenset(active)
    return Request(principal, action, resource, kind, chosen)


def outcome(state: Organization, command: Command) -> Accepted | Rejected:
    """What becomes of the command."""
    return apply(state, command, actor="eve", instant=1_000)


def after(state: Organization, *commands: Command) -> Organization:
    """The state after the commands; the test fails when one of them is refused."""
    for command in commands:
        result = outcome(state, command)
        assert isinstance(result, Accepted), result
        state = result.state
    return state


def refusal_of(state: Organization, command: Command) -> Refusal | None:
    """Why the command is refused, or nothing when it is not."""
    result = outcome(state, command)
    return result.refusal if isinstance(result, Rejected) else None


def essence(decision: Decision) -> object:
    """What must agree: the whole reason of a deny, and of an allow the claim."""
    return decision.certificate.claim if isinstance(decision, Allow) else decision
