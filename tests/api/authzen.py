"""Organizations for the tests of AuthZEN: how they are made, asked, and what they are told."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.core.identifiers import OrganizationId
from grantproof.service.callers import Scope
from grantproof.service.keyring import KeyRequest
from tests.api.service import OPERATORS, Api, Json, bearer, new_key, serving

HERE: Final = "records"
ENFORCING: Final = frozenset({Scope.EVALUATE, Scope.REVIEW, Scope.TRUSTED_CONTEXT})
"""The scopes of an enforcement point that may do all that the standard has."""
TRUSTED: Final = "subject.role resource.status action.soft context.region context.amount"


def claim(role: str, action: str, resource: str, *constraints: Json) -> Json:
    """The command that makes a claim."""
    named = resource.replace(":", "-").replace("*", "all").replace("/", "-")
    identified = f"{role}-{action.replace('*', 'all')}-{named}"
    return {
        "type": "CreateClaim",
        "claim": {
            "id": identified,
            "role": role,
            "action": action,
            "resource": resource,
            "constraints": list(constraints),
        },
    }


def where(path: str, op: str, operand: Any) -> Json:
    """The constraint on an attribute."""
    return {"type": "attribute", "path": path, "op": op, "operand": operand}


def principal(name: str, **attributes: Any) -> Json:
    """The command that makes a principal."""
    return {"type": "CreatePrincipal", "principal": name, "attributes": attributes}


def resource(name: str, kind: str, parent: str | None = None, **attributes: Any) -> Json:
    """The command that makes a resource."""
    made = {"id": name, "kind": kind, "parent": parent, "attributes": attributes}
    return {"type": "CreateResource", "resource": made}


def assigned(who: str, *roles: str) -> list[Json]:
    """The commands that assign roles for ever."""
    forever = {"from": None, "until": None}
    return [
        {"type": "AssignRole", "principal": who, "role": role, "validity": forever}
        for role in roles
    ]


ACTIVE: Final = where("resource.status", "eq", "active")
ARCHIVED: Final = where("resource.status", "eq", "archived")
RECORDS: Final[list[Json]] = [
    {"type": "CreateKind", "kind": "record"},
    *({"type": "CreateRole", "role": role} for role in ("reader", "writer", "archivist")),
    {"type": "AddParent", "role": "writer", "parent": "reader"},
    principal("alice"),
    principal("bob", role="admin"),
    principal("carol"),
    resource("record-1", "record", status="active"),
    resource("record-2", "record", status="archived"),
    claim("reader", "read", "kind:record"),
    claim("writer", "write", "kind:record", ACTIVE),
    claim("writer", "delete", "kind:record", where("action.soft", "eq", True)),
    claim("archivist", "write", "*", ARCHIVED, where("principal.role", "eq", "admin")),
    *assigned("alice", "writer"),
    *assigned("bob", "reader", "archivist"),
    {"type": "CreateGroup", "group": "staff"},
    {"type": "AddMember", "principal": "bob", "group": "staff"},
]
"""An organization as the certification of AuthZEN wants it: no claim names a person or a record."""


def found(api: Api, commands: list[Json], organization: str = HERE) -> None:
    """Make an organization; the client presents the key of an operator."""
    made = api.post("/v1/orgs", json={"id": organization})
    assert made.status_code == 201, made.text
    changed = api.post(f"/v1/orgs/{organization}/changes", json={"commands": commands})
    assert changed.status_code == 200, changed.text


@contextmanager
def records(
    scopes: frozenset[Scope] = ENFORCING, *, more: Iterable[Json] = (), **settings: Any
) -> Iterator[Api]:
    """The service over the organization of records, for a caller of it with the scopes.

    `more` is what it holds beside records.
    """
    kept = MemoryStore()
    with serving(kept, OPERATORS, **{"authzen_trusted": TRUSTED, **settings}) as api:
        found(api, [*RECORDS, *more])
        api.headers.update(bearer(new_key(kept, KeyRequest(OrganizationId(HERE), None, scopes))))
        yield api


def asking(who: str = "alice", action: str = "read", what: str = "record-1", **more: Any) -> Json:
    """A question; a part that is given replaces all of it."""
    return {
        "subject": {"type": "user", "id": who},
        "action": {"name": action},
        "resource": {"type": "record", "id": what},
        **more,
    }


def evaluated(api: Api, body: Any, path: str = "/access/v1/evaluation") -> Json:
    """The answer to what is well-formed."""
    response = api.post(path, json=body)
    assert response.status_code == 200, response.text
    told: Json = response.json()
    return told


def refused(response: Response, status: int) -> str:
    """The message of a refusal: text, and nothing else."""
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "text/plain; charset=utf-8",
    ), response.text
    assert "\n" not in response.text
    return response.text


def evaluation(api: Api, **question: Any) -> bool:
    """The decision on a question."""
    decision: bool = evaluated(api, asking(**question))["decision"]
    return decision
