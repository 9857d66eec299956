"""OpenFGA: relations between users, roles and documents, as tuples in its memory datastore."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from typing_extensions import override

from bench.http_client import Exchange, post_all
from bench.peers.served.shape import Asking, Served, encoded, in_batches
from bench.workload import Question, Workload

TUPLES_PER_WRITE: Final = 100
ITEMS_PER_CHECK: Final = 50
FILL_CONNECTIONS: Final = 4


class _Answer(msgspec.Struct):
    allowed: bool = False


class _Answers(msgspec.Struct):
    result: dict[str, _Answer]


class OpenFga(Served):
    """A role's assignees are those of the roles that inherit from it, too."""

    name = "OpenFGA"
    module = "github.com/openfga/openfga/cmd/openfga@v1.22.1"
    path = "roles as usersets, memory datastore, no result cache"
    sizes = ("S",)
    why = "its memory datastore looks at all tuples: a figure beyond S says nothing of OpenFGA"

    def __init__(self) -> None:
        self._store = ""
        self._model = ""

    @override
    def command(self, program: Path, port: int, folder: Path) -> tuple[str, ...]:
        del folder
        return (
            *(str(program), "run", "--log-level", "none", "--datastore-engine", "memory"),
            *("--http-addr", f"127.0.0.1:{port}", "--grpc-addr", "127.0.0.1:0"),
            *("--playground-enabled=false", "--metrics-enabled=false"),
        )

    @override
    def fill(self, load: Workload, port: int) -> None:
        self._store = _told(port, "/stores", {"name": "bench"})["id"]
        model = _told(port, f"/stores/{self._store}/authorization-models", _model(load))
        self._model = model["authorization_model_id"]
        writes = [
            encoded({"writes": {"tuple_keys": some}, "authorization_model_id": self._model})
            for some in in_batches(list(_tuples(load)), TUPLES_PER_WRITE)
        ]
        path = f"/stores/{self._store}/write"
        post_all(port, path, writes, connections=min(FILL_CONNECTIONS, len(writes)))

    @override
    def asking(self, load: Workload) -> Asking:
        bodies = [
            encoded({"tuple_key": _asked(question), "authorization_model_id": self._model})
            for question in load.questions
        ]
        return Asking(f"/stores/{self._store}/check", 1, bodies)

    @override
    def batches(self, load: Workload) -> Asking:
        checks = [
            {"tuple_key": _asked(question), "correlation_id": f"{number:08}"}
            for number, question in enumerate(load.questions)
        ]
        bodies = [
            encoded({"checks": some, "authorization_model_id": self._model})
            for some in in_batches(checks, ITEMS_PER_CHECK)
        ]
        return Asking(f"/stores/{self._store}/batch-check", ITEMS_PER_CHECK, bodies)

    @override
    def answers(self, body: bytes) -> list[bool]:
        if b'"result"' in body:
            told = msgspec.json.decode(body, type=_Answers).result
            return [answer.allowed for _, answer in sorted(told.items())]
        return [msgspec.json.decode(body, type=_Answer).allowed]


def _told(port: int, path: str, content: Any) -> Any:
    exchange: Exchange = post_all(port, path, [encoded(content)], connections=1)
    return msgspec.json.decode(exchange.bodies[0])


def _asked(question: Question) -> dict[str, str]:
    return {
        "user": f"user:{question.principal}",
        "relation": question.action,
        "object": f"document:{question.resource}",
    }


def _model(load: Workload) -> dict[str, Any]:
    assignees = {"type": "role", "relation": "assignee"}
    return {
        "schema_version": "1.1",
        "type_definitions": [
            {"type": "user"},
            _type("role", {"assignee": [{"type": "user"}, assignees]}),
            _type("document", {action: [assignees] for action in load.tables.actions}),
        ],
    }


def _type(name: str, related: dict[str, list[dict[str, str]]]) -> dict[str, Any]:
    return {
        "type": name,
        "relations": {relation: {"this": {}} for relation in related},
        "metadata": {
            "relations": {
                relation: {"directly_related_user_types": types}
                for relation, types in related.items()
            }
        },
    }


def _tuples(load: Workload) -> Iterator[dict[str, str]]:
    tables = load.tables
    for principal, roles in tables.assigned.items():
        for role in roles:
            yield _tuple(f"user:{principal}", "assignee", f"role:{role}")
    for role, parents in tables.parents.items():
        for parent in parents:
            yield _tuple(f"role:{role}#assignee", "assignee", f"role:{parent}")
    for grant in tables.grants:
        yield _tuple(f"role:{grant.role}#assignee", grant.action, f"document:{grant.resource}")


def _tuple(user: str, relation: str, target: str) -> dict[str, str]:
    return {"user": user, "relation": relation, "object": target}
