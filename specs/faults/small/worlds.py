"""Small organizations, as facts, and what is asked of them and done to them.

Each is rich on purpose: a counterexample found in it is made smaller, fact by fact, before anybody
reads it.
"""

from typing import Final

from grantproof.core import constraints as c
from grantproof.core import model as m
from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.commands.delta import ORDER
from grantproof.core.geodesy import Position
from grantproof.core.guardrails import Access, Forbidden, HolderOf, MemberOf, Reserved
from grantproof.core.identifiers import (
    Action,
    AttributeName,
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
from grantproof.core.organization import Organization, with_fact

Facts = tuple[m.Fact, ...]

ACME: Final = OrganizationId("acme")
ANN, BOB, CAROL, DAN, EVE = (PrincipalId(name) for name in ("ann", "bob", "carol", "dan", "eve"))
STAFF, COMPANY = GroupId("staff"), GroupId("company")
VIEWER, CLERK, HEAD, AUDITOR = (RoleId(name) for name in ("viewer", "clerk", "head", "auditor"))
FOLDER, FILE = Kind("folder"), Kind("file")
DOCS, PLAN, PAGE = ResourceId("docs"), ResourceId("docs/plan"), ResourceId("docs/plan/1")
READ, WRITE, SIGN, SPEND, VISIT = (
    m.Exactly(Action(name)) for name in ("read", "write", "sign", "spend", "visit")
)
OFFICE_HOURS: Final = c.TimeWindow(9, 17, frozenset(range(5)))
SMALL_AMOUNT: Final = c.Attribute(
    Path(Root.CONTEXT, AttributeName("amount")), Operator.LE, Literal(100)
)
HOME: Final = Position(48_856_600, 2_352_200)
TERM: Final = m.Validity(500, 1_000)
NOW: Final = c.Context(
    instant=700,
    hour=12,
    weekday=2,
    year=1970,
    region=Region("eu"),
    position=HOME,
    usage=0,
    rate=0,
    attributes=attributes({"amount": 50}),
)


def built(facts: Facts) -> Organization:
    """Return the organization of exactly these facts."""
    state = Organization(ACME)
    for fact in sorted(facts, key=lambda fact: ORDER[type(fact)]):
        state = with_fact(state, fact)
    return state


def claim(
    role: RoleId,
    action: m.ActionPattern,
    on: m.ResourcePattern,
    *constraints: c.Constraint,
) -> m.Claim:
    """Return a claim that is named after its role and what it allows."""
    named = action.value if isinstance(action, m.Exactly) else "anything"
    return m.Claim(ClaimId(f"{role}-{named}"), role, action, on, constraints)


OFFICE: Final[Facts] = (
    *(m.Principal(name) for name in (ANN, BOB, CAROL, DAN)),
    m.Principal(EVE, active=False),
    *(m.Group(name) for name in (STAFF, COMPANY)),
    m.Nesting(STAFF, COMPANY),
    *(m.Role(name) for name in (VIEWER, CLERK, HEAD, AUDITOR)),
    m.Inheritance(CLERK, VIEWER),
    m.Inheritance(HEAD, CLERK),
    *(m.KindDeclaration(kind) for kind in (FOLDER, FILE)),
    m.Resource(DOCS, FOLDER),
    m.Resource(PLAN, FILE, DOCS),
    m.Resource(PAGE, FILE, PLAN),
    claim(VIEWER, READ, m.Within(DOCS)),
    claim(CLERK, WRITE, m.Exactly(PLAN), OFFICE_HOURS),
    claim(CLERK, SIGN, m.OfKind("file"), c.GeoFence(frozenset({Region("eu")})), c.MaxUsage(3)),
    claim(CLERK, VISIT, m.Exactly(DOCS), c.GeoRadius(HOME, 1_001)),
    claim(HEAD, SPEND, m.Exactly(DOCS), SMALL_AMOUNT, c.RateLimit(5)),
    m.Claim(ClaimId("head-sign-more"), HEAD, SIGN, m.Within(DOCS)),
    claim(HEAD, WRITE, m.OfKind("file"), c.RateLimit(5)),
    claim(AUDITOR, m.Any(), m.Any()),
    m.SodSet(SodSetId("audit"), frozenset({AUDITOR, VIEWER}), 2, "dynamic"),
    m.Assignment(ANN, CLERK, TERM),
    m.Membership(BOB, STAFF),
    m.GroupAssignment(STAFF, CLERK),
    m.GroupAssignment(COMPANY, HEAD, TERM),
    m.Assignment(CAROL, AUDITOR),
    m.Assignment(DAN, HEAD),
    m.Assignment(DAN, AUDITOR),
    m.Assignment(DAN, VIEWER),
    m.Assignment(EVE, HEAD),
)
"""An organization to ask: every pattern, every constraint, terms, groups, a dynamic set."""

PAYER, APPROVER, CHIEF = RoleId("payer"), RoleId("approver"), RoleId("chief")
PAYMENT: Final = m.SodSet(SodSetId("payment"), frozenset({PAYER, APPROVER}), 2)
DESK: Final[Facts] = (
    *(m.Principal(name) for name in (ANN, BOB, CAROL)),
    *(m.Group(name) for name in (STAFF, COMPANY)),
    *(m.Role(name) for name in (PAYER, APPROVER, CHIEF, VIEWER)),
    m.Inheritance(CHIEF, APPROVER),
    PAYMENT,
    m.SodSet(SodSetId("sight"), frozenset({VIEWER, APPROVER}), 2, "dynamic"),
    m.Assignment(ANN, PAYER),
    m.Assignment(BOB, PAYER, TERM),
    m.Assignment(BOB, VIEWER),
    m.Assignment(CAROL, VIEWER),
    m.Membership(ANN, STAFF),
    m.GroupAssignment(COMPANY, APPROVER),
)
"""An organization to change: a step away from breaking separation of duty in many ways."""

DRAWER: Final[Facts] = (
    m.Principal(ANN),
    *(m.Role(name) for name in (PAYER, APPROVER, VIEWER)),
    m.Assignment(ANN, PAYER),
    m.Assignment(ANN, APPROVER),
    m.Assignment(ANN, VIEWER, TERM),
)
"""An organization without a set, in which somebody holds roles that a new set may part."""

CHAIN: Final[Facts] = (
    *(m.Group(name) for name in (STAFF, COMPANY, GroupId("board"))),
    m.Nesting(STAFF, COMPANY),
    m.Nesting(COMPANY, GroupId("board")),
    *(m.Role(name) for name in (VIEWER, CLERK, HEAD, AUDITOR)),
    m.Inheritance(CLERK, VIEWER),
    m.Inheritance(HEAD, CLERK),
)
"""An organization of two chains, which one more edge may close."""

VAULT: Final[Facts] = (
    m.Principal(ANN),
    *(m.Group(name) for name in (STAFF, COMPANY)),
    *(m.Role(name) for name in (VIEWER, CLERK)),
    *(m.KindDeclaration(kind) for kind in (FOLDER, FILE)),
    m.Resource(DOCS, FOLDER),
    m.Resource(PLAN, FILE, DOCS),
    m.Resource(PAGE, FILE, PLAN),
    m.Guardrail(
        GuardrailId("calm"),
        Forbidden(Access(WRITE, m.Within(PLAN)), frozenset({HolderOf(VIEWER)})),
    ),
    m.Guardrail(
        GuardrailId("quiet"),
        Reserved(Access(SIGN, m.OfKind("folder")), frozenset({MemberOf(STAFF)})),
    ),
)
"""An organization of which half must stay: guardrails name it."""

CABINET: Final[Facts] = (
    *(fact for fact in OFFICE if not isinstance(fact, m.SodSet)),
    m.SodSet(SodSetId("watch"), frozenset({AUDITOR, CLERK}), 2, "dynamic"),
    claim(VIEWER, m.Exactly(Action("assign")), m.Exactly(ResourceId("role:head"))),
    claim(HEAD, m.Exactly(Action("review")), m.Exactly(ResourceId("group:staff"))),
)
"""An organization full of references: roles, groups and sets are themselves named by claims."""
