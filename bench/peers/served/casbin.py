"""Casbin for Go behind net/http: our own small server, for want of one that speaks HTTP."""

from pathlib import Path

import msgspec
from typing_extensions import override

from bench.peers.files import write
from bench.peers.served.shape import Asking, Served, encoded, in_batches, item
from bench.workload import Workload


class _Answer(msgspec.Struct):
    allowed: bool


class Casbin(Served):
    """An enforcer for every resource, all with one role manager."""

    name = "Casbin (Go)"
    module = "casbin"
    path = "an enforcer for each resource over one role manager, in a bare server of ours"

    @override
    def prepare(self, load: Workload, folder: Path) -> None:
        write(load, folder / "workload.json")

    @override
    def command(self, program: Path, port: int, folder: Path) -> tuple[str, ...]:
        file = str(folder / "workload.json")
        return (str(program), "-address", f"127.0.0.1:{port}", "-file", file)

    @override
    def asking(self, load: Workload) -> Asking:
        asked = [encoded(item(question, constrained=False)) for question in load.questions]
        return Asking("/check", 1, asked)

    @override
    def batches(self, load: Workload) -> Asking:
        some = in_batches([item(question, constrained=False) for question in load.questions])
        return Asking("/batch", len(some[0]), [encoded(each) for each in some])

    @override
    def answers(self, body: bytes) -> list[bool]:
        if body.startswith(b"["):
            told = msgspec.json.decode(body, type=list[_Answer])
            return [answer.allowed for answer in told]
        return [msgspec.json.decode(body, type=_Answer).allowed]


class CachedCasbin(Casbin):
    """The same questions again and again are what it is made for, and what is measured."""

    name = "Casbin (Go), cached"
    path = "a CachedEnforcer that has every answer already, in a bare server of ours"
    sizes = ("S", "M")
    why = "what it has not seen it looks for among all policies"

    @override
    def command(self, program: Path, port: int, folder: Path) -> tuple[str, ...]:
        return (*super().command(program, port, folder), "-cache")
