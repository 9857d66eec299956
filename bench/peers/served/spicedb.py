"""SpiceDB: relationships between users, roles and documents, in its memory datastore."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from typing_extensions import override

from bench.http_client import post_all
from bench.peers.served.shape import Asking, Served, encoded, in_batches
from bench.servers import free_port
from bench.workload import Question, Workload

UPDATES_PER_WRITE: Final = 500
KEY: Final = "bench"
MAY: Final = "PERMISSIONSHIP_HAS_PERMISSION"


class _Answer(msgspec.Struct):
    permissionship: str


class _Pair(msgspec.Struct):
    item: _Answer


class _Answers(msgspec.Struct):
    pairs: list[_Pair]


class SpiceDb(Served):
    """A role's members are those of the roles that inherit from it, too."""

    name = "SpiceDB"
    module = "spicedb"
    package = "github.com/authzed/spicedb/cmd/spicedb"
    path = "roles as relations to their members, memory datastore, over its HTTP gateway"
    sizes = ("S",)
    why = "its memory datastore looks at all tuples: a figure beyond S says nothing of SpiceDB"

    @override
    def command(self, program: Path, port: int, folder: Path) -> tuple[str, ...]:
        del folder
        return (
            *(str(program), "serve", "--log-level", "error", "--skip-release-check=true"),
            *("--grpc-preshared-key", KEY, "--datastore-engine", "memory"),
            *("--grpc-addr", f"127.0.0.1:{free_port()}", "--metrics-enabled=false"),
            *("--http-enabled=true", "--http-addr", f"127.0.0.1:{port}"),
            *("--telemetry-endpoint", ""),
        )

    @override
    def credential(self) -> str:
        return KEY

    @override
    def fill(self, load: Workload, port: int) -> None:
        schema = [encoded({"schema": _schema(load)})]
        post_all(port, "/v1/schema/write", schema, connections=1, credential=KEY)
        writes = [
            encoded({"updates": some})
            for some in in_batches(list(_updates(load)), UPDATES_PER_WRITE)
        ]
        post_all(port, "/v1/relationships/write", writes, connections=1, credential=KEY)

    @override
    def asking(self, load: Workload) -> Asking:
        bodies = [encoded(_asked(question)) for question in load.questions]
        return Asking("/v1/permissions/check", 1, bodies)

    @override
    def batches(self, load: Workload) -> Asking:
        some = in_batches([_asked(question) for question in load.questions])
        bodies = [encoded({"items": each}) for each in some]
        return Asking("/v1/permissions/checkbulk", len(some[0]), bodies)

    @override
    def answers(self, body: bytes) -> list[bool]:
        if b'"pairs"' in body:
            told = [pair.item for pair in msgspec.json.decode(body, type=_Answers).pairs]
        else:
            told = [msgspec.json.decode(body, type=_Answer)]
        return [answer.permissionship == MAY for answer in told]


def _schema(load: Workload) -> str:
    relations = "\n".join(
        f"relation {action}er: role#member\npermission {action} = {action}er"
        for action in load.tables.actions
    )
    return (
        "definition user {}\n"
        "definition role {\nrelation member: user | role#member\n}\n"
        f"definition document {{\n{relations}\n}}"
    )


def _asked(question: Question) -> dict[str, Any]:
    return {
        "resource": _object("document", question.resource),
        "permission": question.action,
        "subject": {"object": _object("user", question.principal)},
    }


def _updates(load: Workload) -> Iterator[dict[str, Any]]:
    tables = load.tables
    for principal, roles in tables.assigned.items():
        for role in roles:
            yield _update(_object("role", role), "member", {"object": _object("user", principal)})
    for role, parents in tables.parents.items():
        for parent in parents:
            yield _update(_object("role", parent), "member", _members(role))
    for grant in tables.grants:
        document = _object("document", grant.resource)
        yield _update(document, f"{grant.action}er", _members(grant.role))


def _members(role: str) -> dict[str, Any]:
    return {"object": _object("role", role), "optionalRelation": "member"}


def _update(target: dict[str, str], relation: str, subject: dict[str, Any]) -> dict[str, Any]:
    told = {"resource": target, "relation": relation, "subject": subject}
    return {"operation": "OPERATION_TOUCH", "relationship": told}


def _object(kind: str, name: str) -> dict[str, str]:
    return {"objectType": kind, "objectId": name}
