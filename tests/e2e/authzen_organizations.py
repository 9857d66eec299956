"""The two organizations of the scenarios of AuthZEN: a service that has them, and keys of each.

The todo organization has no claim on a person and none on a todo: roles, a kind, and whose it is.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2

from bench.servers import HOST, serving
from grantproof.bootstrap import compose
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.settings import Settings
from tests.api.authzen import HERE, RECORDS, assigned, claim, principal, where

Json = dict[str, Any]

PUBLIC: Final = "https://pdp.example.com"
TODO: Final = "todo"
OWN: Final = where("resource.ownerID", "eq", {"path": "principal.email"})
PEOPLE: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "CiRmZDA2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": (
        "rick@the-citadel.com",
        ("admin", "evil_genius"),
    ),
    "CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": (
        "morty@the-citadel.com",
        ("editor",),
    ),
    "CiRmZDI2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": (
        "summer@the-smiths.com",
        ("editor",),
    ),
    "CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": (
        "beth@the-smiths.com",
        ("viewer",),
    ),
    "CiRmZDQ2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs": (
        "jerry@the-smiths.com",
        ("viewer",),
    ),
}
"""By their subjects: the address that owns todos, and the roles."""
TODOS: Final[list[Json]] = [
    *({"type": "CreateKind", "kind": kind} for kind in ("todo", "user")),
    *(
        {"type": "CreateRole", "role": role}
        for role in ("viewer", "editor", "admin", "evil_genius")
    ),
    {"type": "AddParent", "role": "editor", "parent": "viewer"},
    {"type": "AddParent", "role": "admin", "parent": "editor"},
    {"type": "AddParent", "role": "evil_genius", "parent": "editor"},
    claim("viewer", "can_read_user", "kind:user"),
    claim("viewer", "can_read_todos", "kind:todo"),
    claim("editor", "can_create_todo", "kind:todo"),
    claim("editor", "can_update_todo", "kind:todo", OWN),
    claim("editor", "can_delete_todo", "kind:todo", OWN),
    claim("admin", "can_delete_todo", "kind:todo"),
    claim("evil_genius", "can_update_todo", "kind:todo"),
    *(principal(name, email=email) for name, (email, _) in PEOPLE.items()),
    *(command for name, (_, roles) in PEOPLE.items() for command in assigned(name, *roles)),
]
SETTINGS: Final = {
    "GRANTPROOF_AUTHZEN_TRUSTED": "subject.role resource.status resource.ownerID action.soft",
    "GRANTPROOF_PUBLIC_URL": PUBLIC,
}


@dataclass(frozen=True, slots=True)
class Point:
    """A policy decision point: its client presents a key of the organization."""

    http: httpx2.Client

    def post(self, name: str, body: object) -> httpx2.Response:
        """What it answers."""
        return self.http.post(f"/access/v1/{name}", json=body)


@contextmanager
def points(folder: Path) -> Iterator[dict[str, Point]]:
    """A server process that holds both organizations, seen by an enforcement point of each."""
    url = str(folder / "grantproof.db")
    with closing(compose(Settings(database_url=url))) as services:
        made = services.keyring.create(KeyRequest(None, None, EVERY_SCOPE), by=Author("test"))
        assert isinstance(made, NewKey)
    settings = {"GRANTPROOF_DATABASE_URL": url, **SETTINGS}
    with serving("grantproof.api.app:create_app", settings) as server:
        address = f"http://{HOST}:{server.port}"
        with httpx2.Client(base_url=address, timeout=30) as operator:
            operator.headers["Authorization"] = f"Bearer {made.text}"
            found = {
                name: Point(
                    httpx2.Client(
                        base_url=address,
                        timeout=30,
                        headers={"Authorization": f"Bearer {founded(operator, name, commands)}"},
                    )
                )
                for name, commands in ((HERE, RECORDS), (TODO, TODOS))
            }
            try:
                yield found
            finally:
                for point in found.values():
                    point.http.close()


def founded(operator: httpx2.Client, organization: str, commands: list[Json]) -> str:
    """A key to a new organization, with the scopes that an enforcement point takes."""
    for path, body in (
        ("/v1/orgs", {"id": organization}),
        (f"/v1/orgs/{organization}/changes", {"commands": commands}),
    ):
        answer = operator.post(path, json=body)
        assert answer.is_success, answer.text
    scopes = [Scope.EVALUATE, Scope.REVIEW, Scope.TRUSTED_CONTEXT]
    wanted = {"org_id": organization, "scopes": scopes}
    key: str = operator.post("/v1/keys", json=wanted).json()["key"]
    return key
