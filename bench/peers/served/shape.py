"""What a peer server has to say of itself, and the closures that callers make for some of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from bench.floors import children_of, closure
from bench.peers.install import SOURCES, Absent, go_program
from bench.workload import Grant, Question, Tables, Workload

ITEMS_PER_REQUEST = 1_000


@dataclass(frozen=True, slots=True)
class Asking:
    """Requests to one path of a server, each of so many questions, and how to read an answer."""

    path: str
    items: int
    bodies: list[bytes]


class Served(ABC):
    """A peer server. Each is a Go program, given one processor, as our worker has one."""

    name: ClassVar[str]
    module: ClassVar[str]
    """What `go install` is told, with the version; or a folder of `bench/peers/go`."""
    package: ClassVar[str] = "."
    """What is built in that folder."""
    path: ClassVar[str]
    """Its best path, in words."""
    constrained: ClassVar[bool] = False
    """Whether it is asked with constraints too."""
    sizes: ClassVar[tuple[str, ...] | None] = None
    """The workloads that it is asked about, where not all; `why` tells the reason."""
    why: ClassVar[str] = ""

    @abstractmethod
    def command(self, program: Path, port: int, folder: Path) -> tuple[str, ...]:
        """Return what starts it; the folder has what `prepare` wrote."""

    def prepare(self, load: Workload, folder: Path) -> None:
        """Write what it reads when it starts."""
        del load, folder

    def fill(self, load: Workload, port: int) -> None:
        """Tell it the workload over HTTP, once it listens."""
        del load, port

    @abstractmethod
    def asking(self, load: Workload) -> Asking:
        """Return the requests that ask one question each."""

    def batches(self, load: Workload) -> Asking | None:
        """Return the requests that ask many questions each, if it takes such."""
        del load
        return None

    @abstractmethod
    def answers(self, body: bytes) -> list[bool]:
        """Return the answers in a body."""

    @classmethod
    def program(cls) -> Path | Absent:
        """Return the program, installed if it is not there yet, or why there is none."""
        return go_program(cls.module, cls.package)

    def version(self) -> str:
        """Return its version, or that of the library in a server of ours."""
        return version_of(self.module)

    def credential(self) -> str:
        """Return what it wants to be presented, if anything."""
        return ""


def version_of(module: str) -> str:
    """Return the version in what `go install` is told, or that which a folder of ours requires."""
    _, at, version = module.partition("@")
    if at:
        return version
    required = (SOURCES / "go" / module / "go.mod").read_text(encoding="utf-8")
    return required.partition("require ")[2].split()[1]


def encoded(content: Any) -> bytes:
    """Return the content as JSON."""
    return msgspec.json.encode(content)


def item(question: Question, *, constrained: bool) -> dict[str, Any]:
    """Return a question by the names that we give its parts."""
    asked: dict[str, Any] = {
        "principal_id": question.principal,
        "action": question.action,
        "resource_id": question.resource,
    }
    if constrained:
        asked |= {"hour": question.hour, "region": question.region, "usage": question.usage}
    return asked


def in_batches(items: list[Any], size: int = ITEMS_PER_REQUEST) -> list[list[Any]]:
    """Return the items, so many at a time."""
    return [items[at : at + size] for at in range(0, len(items), size)]


class Closures:
    """The role graph, closed by a caller: a role's descendants, a principal's effective roles."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._children = children_of(tables)
        self._parents = {role: list(parents) for role, parents in tables.parents.items()}
        self.effective = cache(self._effective)
        self.granted: dict[tuple[str, str], list[Grant]] = {}
        for grant in tables.grants:
            self.granted.setdefault((grant.action, grant.resource), []).append(grant)

    def below(self, role: str) -> list[str]:
        """Return the role and all that inherit from it."""
        return sorted(closure((role,), self._children))

    def _effective(self, principal: str) -> list[str]:
        return sorted(closure(self._tables.assigned[principal], self._parents))


def condition_of(grant: Grant) -> dict[str, Any]:
    """Return what the grant demands, or nothing."""
    if grant.condition is None:
        return {}
    start, end, regions, limit = grant.condition
    return {"start": start, "end": end, "regions": sorted(regions), "limit": limit}
