"""For every route within an organization, requests that fit it: their query and their body.

In an organization that was furnished as `FURNISHING` says, each of them is answered, not refused.
"""

from dataclasses import dataclass, field
from typing import Final

from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    ChangeSet,
    CreateClaim,
    CreateGroup,
    CreateGuardrail,
    CreateKind,
    CreateRole,
    CreateSodSet,
    NestGroup,
)
from grantproof.core.constraints import MaxUsage, RateLimit
from grantproof.core.guardrails import Access, Forbidden
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
    SessionId,
    SodSetId,
)
from grantproof.core.model import Any as Anything
from grantproof.core.model import Claim, Exactly, Guardrail, SodSet
from grantproof.core.sessions import Session
from grantproof.service.demo import commands
from grantproof.service.ports import Store
from grantproof.service.session_store import Writing
from tests.api.routes import Route, named
from tests.api.service import Json

FURNISHING: Final = ChangeSet(
    (
        *commands(),
        *(CreateGroup(GroupId(group)) for group in "xyz"),
        NestGroup(GroupId("x"), GroupId("z")),
        AddMember(PrincipalId("alice"), GroupId("x")),
        CreateKind(Kind("x")),
        CreateRole(RoleId("x")),
        AssignGroupRole(GroupId("z"), RoleId("x")),
        CreateClaim(
            Claim(
                ClaimId("x"),
                RoleId("viewer"),
                Exactly(Action("export")),
                Exactly(ResourceId("docs")),
                (MaxUsage(3, "day"), RateLimit(2)),
            )
        ),
        CreateGuardrail(
            Guardrail(GuardrailId("x"), Forbidden(Access(Exactly(Action("erase")), Anything())))
        ),
        CreateSodSet(SodSet(SodSetId("x"), frozenset({RoleId("x"), RoleId("finance")}), 2)),
    )
)
"""The demo's entities, and one of each kind with the id that routes are asked for."""


def open_session(store: Store, organization: OrganizationId, now: int) -> None:
    """Let Bob of a furnished organization have the session that routes are asked for."""
    roles = frozenset({RoleId("editor")})
    session = Session(SessionId("x"), PrincipalId("bob"), roles, now, now + 3_600, "portal")
    revision = store.revision(organization)
    assert revision is not None
    assert store.sessions.open(organization, session, revision=revision, most=1) is Writing.DONE


@dataclass(frozen=True, slots=True)
class Fitting:
    """What goes with an address: a query, and a body or none."""

    query: dict[str, str] = field(default_factory=dict)
    body: Json | None = None


QUESTION: Final[Json] = {"principal_id": "alice", "action": "export", "resource_id": "docs"}
SUSPENDS_BOB: Final[Json] = {"type": "SuspendPrincipal", "principal": "bob"}
READING: Final[Json] = {"principal_id": "alice", "action": "read", "resource_id": "docs"}
PAGES: Final = (Fitting(), Fitting({"limit": "1"}), Fitting({"after": "a", "limit": "2"}))
CASCADE: Final = (Fitting({"cascade": "true"}),)


def _body(**said: object) -> tuple[Fitting, ...]:
    return (Fitting(body=said),)


def _query(**said: str) -> tuple[Fitting, ...]:
    return (Fitting(said),)


WRITES: Final[dict[str, tuple[Fitting, ...]]] = {
    "DELETE /v1/orgs/{org}": (Fitting(),),
    "POST /v1/orgs/{org}/principals": _body(id="new"),
    "PATCH /v1/orgs/{org}/principals/{principal}": _body(active=False),
    "DELETE /v1/orgs/{org}/principals/{principal}": CASCADE,
    "POST /v1/orgs/{org}/groups": _body(id="new"),
    "DELETE /v1/orgs/{org}/groups/{group}": CASCADE,
    "POST /v1/orgs/{org}/memberships": _body(principal="bob", group="y"),
    "DELETE /v1/orgs/{org}/memberships": _query(principal="alice", group="x"),
    "POST /v1/orgs/{org}/nestings": _body(group="y", container="x"),
    "DELETE /v1/orgs/{org}/nestings": _query(group="x", container="z"),
    "POST /v1/orgs/{org}/roles": _body(id="new", parents=["viewer"]),
    "DELETE /v1/orgs/{org}/roles/{role}": CASCADE,
    "POST /v1/orgs/{org}/roles/{role}/parents": _body(parent="x"),
    "DELETE /v1/orgs/{org}/roles/{role}/parents/{parent}": (Fitting(),),
    "POST /v1/orgs/{org}/kinds": _body(id="new"),
    "DELETE /v1/orgs/{org}/kinds/{kind}": CASCADE,
    "POST /v1/orgs/{org}/resources": _body(id="new", kind="document"),
    "PATCH /v1/orgs/{org}/resources/{resource}": _body(attributes={"secret": True}),
    "DELETE /v1/orgs/{org}/resources/{resource}": CASCADE,
    "POST /v1/orgs/{org}/claims": _body(
        id="new", role="viewer", action="a", resource="docs", constraints=[]
    ),
    "DELETE /v1/orgs/{org}/claims/{claim}": (Fitting(),),
    "POST /v1/orgs/{org}/sod-sets": _body(id="new", roles=["finance", "editor"], n=2),
    "PUT /v1/orgs/{org}/sod-sets/{sod_set}": _body(id="x", roles=["finance", "editor"], n=2),
    "DELETE /v1/orgs/{org}/sod-sets/{sod_set}": CASCADE,
    "POST /v1/orgs/{org}/guardrails": _body(
        id="new", type="forbidden", access={"action": "flee", "resource": "*"}
    ),
    "DELETE /v1/orgs/{org}/guardrails/{guardrail}": (Fitting(),),
    "POST /v1/orgs/{org}/assignments": _body(principal="bob", role="x"),
    "DELETE /v1/orgs/{org}/assignments": _query(principal="alice", role="viewer"),
    "POST /v1/orgs/{org}/changes": _body(commands=[{"type": "CreateRole", "role": "new"}]),
    "POST /v1/orgs/{org}/joins": (
        *_body(principal="new", groups=["x"], roles=["x"], until=4_100_000_000),
        *_body(principal="new", dry_run=True),
    ),
    "POST /v1/orgs/{org}/moves": (
        *_body(principal="alice", from_roles=["viewer"], to_roles=["editor"], dry_run=True),
        *_body(principal="alice", from_all=True, to_groups=["y"]),
    ),
    "POST /v1/orgs/{org}/leaves": (
        *_body(principal="alice", dry_run=True),
        *_body(principal="alice"),
        *_body(principal="alice", delete=True),
    ),
    "DELETE /v1/orgs/{org}/usage": _query(principal="alice"),
    "POST /v1/orgs/{org}/sessions": _body(principal="alice", roles=["viewer"]),
    "DELETE /v1/orgs/{org}/sessions/{session}": (Fitting(),),
    "POST /v1/orgs/{org}/sessions/{session}/roles": _body(role="viewer"),
    "DELETE /v1/orgs/{org}/sessions/{session}/roles/{role}": (Fitting(),),
    "POST /v1/orgs/{org}/who-can": (
        *_body(action="read", resource_id="docs"),
        *_body(action="read", resource_id="docs", context={"hour": 10}),
    ),
    "POST /v1/orgs/{org}/why-not": (Fitting(body=QUESTION), Fitting(body=READING)),
    "POST /v1/orgs/{org}/not-granted": _body(access={"action": "burn", "resource": "*"}),
    "POST /v1/orgs/{org}/reach": (
        *_body(by=["alice"], principal="bob", role="editor"),
        *_body(by=["alice"], principal="bob", action="write", resource_id="docs"),
    ),
}
"""What has a body, or changes something, by the name of its route."""

READS: Final[dict[str, tuple[Fitting, ...]]] = {
    "GET /v1/orgs/{org}/memberships": (*PAGES, *_query(principal="alice"), *_query(group="x")),
    "GET /v1/orgs/{org}/assignments": (*PAGES, *_query(group="z"), *_query(role="viewer")),
    "GET /v1/orgs/{org}/events": (Fitting(), Fitting({"after": "1", "limit": "2"})),
    "GET /v1/orgs/{org}/dead": (Fitting(),),
    "GET /v1/orgs/{org}/roles/{role}/operations": _query(resource="docs"),
    "GET /v1/orgs/{org}/principals/{principal}/operations": _query(resource="new", kind="document"),
    "GET /v1/orgs/{org}/review/access": (
        *PAGES,
        *_query(principal="alice", role="viewer"),
        *_query(resource="docs", action="export"),
    ),
    "GET /v1/orgs/{org}/review/access.csv": (
        Fitting(),
        *_query(rows="claims", history="false"),
    ),
    "GET /v1/orgs/{org}/review/expiring": (*PAGES, *_query(within_days="0", stage="expired")),
    "GET /v1/orgs/{org}/document": (Fitting(),),
    "GET /v1/orgs/{org}/diff": (Fitting({"from_revision": "0"}), Fitting({"from_revision": "1"})),
    "GET /v1/orgs/{org}/conflicts": (Fitting(),),
    "GET /v1/orgs/{org}/sessions/{session}/roles": (Fitting(),),
    "GET /v1/orgs/{org}/usage": (
        Fitting(),
        Fitting({"limit": "1"}),
        *_query(principal="alice", claim="x"),
    ),
}
"""What is read in another way than page by page or by its name."""

ASKED: Final[dict[str, tuple[Json, ...]]] = {
    "/evaluate": (
        QUESTION,
        {**READING, "explain": True},
        {**READING, "hour": 10},
        {**READING, "principal_id": "bob", "session_id": "x"},
        {**READING, "session_id": "x"},
    ),
    "/evaluate/batch": ({"items": [QUESTION, {**READING, "explain": True}, {**READING}]},),
    "/evaluate/consume": (QUESTION,),
    "/explain": (QUESTION, READING, {**READING, "principal_id": "bob", "session_id": "x"}),
    "/what-if": (
        QUESTION,
        {**READING, "context": {"hour": 10}, "commands": [SUSPENDS_BOB]},
        {**READING, "principal_id": "bob", "session_id": "x"},
    ),
}
"""What is asked, but for the organization."""


ALICE: Final = {"type": "user", "id": "alice"}
DOCS: Final = {"type": "document", "id": "docs"}
AUTHZEN: Final[dict[str, tuple[Fitting, ...]]] = {
    "evaluation": _body(subject=ALICE, action={"name": "read"}, resource=DOCS),
    "evaluations": _body(
        subject=ALICE, resource=DOCS, evaluations=[{"action": {"name": "export"}}, {}]
    ),
    "search/subject": _body(subject={"type": "user"}, action={"name": "read"}, resource=DOCS),
    "search/resource": _body(
        subject=ALICE, action={"name": "read"}, resource={"type": "document"}, page={"limit": 1}
    ),
    "search/action": _body(subject=ALICE, resource=DOCS),
}
"""What is asked in the words of AuthZEN, by the end of the address."""

NAMES_ONE: Final = "}"
"""How the address of one entity ends; that of a collection ends with its name."""


def fittings(route: Route, organization: str) -> tuple[Fitting, ...]:
    """What fits a route about an organization; raises KeyError for a route that is not listed."""
    if route.is_authzen:
        return AUTHZEN[route.template.rpartition("/v1/")[2]]
    if route.template in ASKED:
        asked = ASKED[route.template]
        return tuple(Fitting(body={"org_id": organization, **said}) for said in asked)
    if route.method != "GET":
        return WRITES[named(route)]
    shows_one = (
        route.template.endswith((NAMES_ONE, "/roles", "/abilities"))
        and "{principal}" in route.template
    )
    pages = (Fitting(),) if shows_one or route.template.endswith(NAMES_ONE) else PAGES
    return READS.get(named(route), pages)
