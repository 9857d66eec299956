"""Open Policy Agent: policies in Rego, the workload as data in its store."""

import json
from pathlib import Path
from typing import Final

import msgspec
from typing_extensions import override

from bench.peers.served.shape import (
    Asking,
    Closures,
    Served,
    condition_of,
    encoded,
    in_batches,
    item,
)
from bench.workload import Workload

HEAD: Final = """
package bench

default allow := false

allow if granted(input)

default granted(_) := false

answers := [granted(question) | some question in input.items]
"""
PLAIN: Final = """
granted(question) if {
    granting := data.granting[question.action][question.resource_id]
    some role in data.assigned[question.principal_id]
    granting[role]
}
"""
CONDITIONED: Final = """
granted(question) if {
    some claim in data.claims[question.action][question.resource_id]
    question.hour >= claim.start
    question.hour < claim.end
    question.usage < claim.limit
    claim.regions[question.region]
    some role in data.assigned[question.principal_id]
    claim.roles[role]
}
"""


class _Answer(msgspec.Struct):
    result: bool | list[bool]


class Opa(Served):
    """Grants by action and resource, each with the roles that have it, closed before."""

    name = "OPA"
    module = "github.com/open-policy-agent/opa@v1.22.2"
    path = "data by action and resource, closed by the caller, store optimized for reading"
    constrained = True

    @override
    def prepare(self, load: Workload, folder: Path) -> None:
        closures = Closures(load.tables)
        found: dict[str, dict[str, object]] = {action: {} for action in load.tables.actions}
        for (action, resource), grants in closures.granted.items():
            if load.constrained:
                claims = []
                for grant in grants:
                    told = condition_of(grant)
                    told["regions"] = dict.fromkeys(told["regions"], True)
                    told["roles"] = dict.fromkeys(closures.below(grant.role), True)
                    claims.append(told)
                found[action][resource] = claims
            else:
                roles = {role for grant in grants for role in closures.below(grant.role)}
                found[action][resource] = dict.fromkeys(sorted(roles), True)
        key = "claims" if load.constrained else "granting"
        data = {"assigned": load.tables.assigned, key: found}
        (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
        rules = HEAD + (CONDITIONED if load.constrained else PLAIN)
        (folder / "bench.rego").write_text(rules, encoding="utf-8")

    @override
    def command(self, program: Path, port: int, folder: Path) -> tuple[str, ...]:
        return (
            *(str(program), "run", "--server", "--addr", f"127.0.0.1:{port}"),
            *("--log-level", "error", "--disable-telemetry"),
            *("--optimize-store-for-read-speed", "--set", "decision_logs.console=false"),
            *(str(folder / "data.json"), str(folder / "bench.rego")),
        )

    @override
    def asking(self, load: Workload) -> Asking:
        asked = [item(question, constrained=load.constrained) for question in load.questions]
        return Asking("/v1/data/bench/allow", 1, [encoded({"input": each}) for each in asked])

    @override
    def batches(self, load: Workload) -> Asking:
        asked = [item(question, constrained=load.constrained) for question in load.questions]
        some = in_batches(asked)
        bodies = [encoded({"input": {"items": each}}) for each in some]
        return Asking("/v1/data/bench/answers", len(some[0]), bodies)

    @override
    def answers(self, body: bytes) -> list[bool]:
        result = msgspec.json.decode(body, type=_Answer).result
        return result if isinstance(result, list) else [result]
