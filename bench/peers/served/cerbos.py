"""Cerbos: one policy of one rule; what a principal and a resource are comes with the request."""

import json
from pathlib import Path
from typing import Any, Final

import msgspec
from typing_extensions import override

from bench.peers.install import SOURCES, Absent, npm_program
from bench.peers.served.shape import Asking, Closures, Served, condition_of, encoded
from bench.workload import Question, Workload

PLAIN: Final = "hasIntersection(P.roles, R.attr.granting)"
CONDITIONED: Final = (
    "R.attr.granting.exists(g, g.role in P.roles && P.attr.hour >= g.start"
    " && P.attr.hour < g.end && P.attr.usage < g.limit && P.attr.region in g.regions)"
)


class _Result(msgspec.Struct):
    actions: dict[str, str]


class _Answer(msgspec.Struct):
    results: list[_Result]


class Cerbos(Served):
    """Stateless: the effective roles and the grants on the resource are looked up by the caller."""

    name = "Cerbos"
    module = "cerbos"
    path = "one rule; effective roles and grants in the request, looked up by the caller"
    constrained = True

    @classmethod
    @override
    def program(cls) -> Path | Absent:
        """Return the program of the npm package: the Go module cannot be built by its name."""
        return npm_program(cls.module)

    @override
    def version(self) -> str:
        told = json.loads((SOURCES / "javascript" / "package.json").read_text(encoding="utf-8"))
        return str(told["dependencies"][self.module])

    @override
    def prepare(self, load: Workload, folder: Path) -> None:
        policies = folder / "policies"
        policies.mkdir(exist_ok=True)
        rule = {
            "actions": ["*"],
            "effect": "EFFECT_ALLOW",
            "roles": ["*"],
            "condition": {"match": {"expr": CONDITIONED if load.constrained else PLAIN}},
        }
        policy = {
            "apiVersion": "api.cerbos.dev/v1",
            "resourcePolicy": {"version": "default", "resource": "document", "rules": [rule]},
        }
        (policies / "document.json").write_text(json.dumps(policy), encoding="utf-8")

    @override
    def command(self, program: Path, port: int, folder: Path) -> tuple[str, ...]:
        return (
            *(str(program), "server", "--log-level=error"),
            *("--set", f"server.httpListenAddr=127.0.0.1:{port}"),
            *("--set", f"server.grpcListenAddr=unix:{folder / 'grpc.sock'}"),
            *("--set", "storage.driver=disk"),
            *("--set", f"storage.disk.directory={folder / 'policies'}"),
            *("--set", "telemetry.disabled=true"),
        )

    @override
    def asking(self, load: Workload) -> Asking:
        closures = Closures(load.tables)
        asked = [
            encoded(_request(question, closures, constrained=load.constrained))
            for question in load.questions
        ]
        return Asking("/api/check/resources", 1, asked)

    @override
    def answers(self, body: bytes) -> list[bool]:
        told = msgspec.json.decode(body, type=_Answer)
        return [effect == "EFFECT_ALLOW" for one in told.results for effect in one.actions.values()]


def _request(question: Question, closures: Closures, *, constrained: bool) -> dict[str, Any]:
    grants = closures.granted.get((question.action, question.resource), [])
    granting: list[Any] = sorted({grant.role for grant in grants})
    attributes: dict[str, Any] = {}
    if constrained:
        granting = [{"role": grant.role, **condition_of(grant)} for grant in grants]
        attributes = {
            "hour": question.hour,
            "region": question.region,
            "usage": question.usage,
        }
    return {
        "principal": {
            "id": question.principal,
            "roles": closures.effective(question.principal),
            "attr": attributes,
        },
        "resources": [
            {
                "actions": [question.action],
                "resource": {
                    "kind": "document",
                    "id": question.resource,
                    "attr": {"granting": granting},
                },
            }
        ],
    }
