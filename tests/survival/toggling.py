"""One organization whose only question is answered otherwise at every second revision, and a load.

So an answer tells at which state it was made, and a history tells whether that was right.
"""

import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from grantproof.core.model import Assignment
from tests.survival.serving import Process
from tests.survival.sound import History

ORGANIZATION: Final = "acme"
PRINCIPAL: Final = "flip"
PAUSE_SECONDS: Final = 0.01
PATIENCE_SECONDS: Final = 60

ALWAYS: Final = {"from": None, "until": None}
ASSIGN: Final = {
    "type": "AssignRole", "principal": PRINCIPAL, "role": "reader", "validity": ALWAYS,
}  # fmt: skip
REVOKE: Final = {"type": "RevokeRole", "principal": PRINCIPAL, "role": "reader"}
FOUNDING: Final[list[dict[str, Any]]] = [
    {"type": "CreateKind", "kind": "document"},
    {
        "type": "CreateResource",
        "resource": {"id": "docs", "kind": "document", "parent": None, "attributes": {}},
    },
    {"type": "CreateRole", "role": "reader"},
    {"type": "CreatePrincipal", "principal": PRINCIPAL, "attributes": {}},
    {
        "type": "CreateClaim",
        "claim": {
            "id": "reads",
            "role": "reader",
            "action": "read",
            "resource": "docs",
            "constraints": [],
        },
    },
]
QUESTION: Final = {
    "org_id": ORGANIZATION,
    "principal_id": PRINCIPAL,
    "action": "read",
    "resource_id": "docs",
}


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision: when it was asked for, and what was answered at which revision."""

    sent: float
    status: int
    revision: int
    allowed: bool
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class Changed:
    """A change: under which request id, when it was asked for and answered, and what."""

    name: str
    sent: float
    answered: float
    status: int
    revision: int
    code: str = ""
    """Of which kind the problem was, if there was one."""


@dataclass(slots=True)
class Load:
    """What clients ask all the time, and are answered."""

    processes: list[Process]
    pause: float = PAUSE_SECONDS
    """Between two changes."""
    decided: list[Decided] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    @property
    def revision(self) -> int:
        """The last revision that somebody was told of."""
        return max((one.revision for one in list(self.changed)), default=0)

    @property
    def acknowledged(self) -> int:
        """How many changes were."""
        return sum(one.status == 200 for one in self.changed)

    @contextmanager
    def meanwhile(self) -> Iterator[None]:
        """Ask until the end of the block."""
        asking: list[tuple[Callable[[Process, int], None], Process]] = [
            *((self._decide, one) for one in self.processes * 2),
            *((self._change, one) for one in self.processes),
        ]
        threads = [
            threading.Thread(target=work, args=(one, number))
            for number, (work, one) in enumerate(asking)
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join(PATIENCE_SECONDS)
        assert not any(thread.is_alive() for thread in threads)

    def _decide(self, process: Process, _: int) -> None:
        with closing(process.caller()) as caller:
            while not self.over.is_set():
                sent = time.monotonic()
                answer = caller.ask("POST", "/evaluate", QUESTION)
                is_made = answer.status == 200
                self.decided.append(
                    Decided(
                        sent,
                        answer.status,
                        answer.told["revision"] if is_made else 0,
                        is_made and answer.told["decision"] == "Allow",
                        time.monotonic(),
                    )
                )
                time.sleep(PAUSE_SECONDS)

    def _change(self, process: Process, client: int) -> None:
        with closing(process.caller()) as caller:
            number = 0
            while not self.over.is_set():
                name, number, sent = f"c{client}-{number}", number + 1, time.monotonic()
                answer = caller.ask(
                    "POST",
                    f"/v1/orgs/{ORGANIZATION}/changes",
                    {"commands": [ASSIGN if number % 2 else REVOKE]},
                    headers={"X-Request-ID": name},
                )
                revision = answer.told["revision"] if answer.status == 200 else 0
                self.changed.append(
                    Changed(name, sent, time.monotonic(), answer.status, revision, answer.code)
                )
                time.sleep(self.pause)


def found(process: Process) -> None:
    """Make the organization."""
    with closing(process.caller()) as caller:
        assert caller.ask("POST", "/v1/orgs", {"id": ORGANIZATION}).status == 201
        path = f"/v1/orgs/{ORGANIZATION}/changes"
        assert caller.ask("POST", path, {"commands": FOUNDING}).status == 200


def access(past: History) -> dict[int, bool]:
    """Whether the principal had its role, by revision."""
    held, by_revision = False, {0: False}
    for event in past.events:
        for facts, now in ((event.delta.removed, False), (event.delta.added, True)):
            if any(isinstance(fact, Assignment) and fact.principal == PRINCIPAL for fact in facts):
                held = now
        by_revision[event.revision] = held
    return by_revision


def check_ages(made: list[Decided], load: Load, past: History, *, bound: float) -> None:
    """Each answer was right at its revision, and that was current `bound` seconds ago or later."""
    held = access(past)
    known = sorted((one.revision, one.answered) for one in load.changed if one.status == 200)
    revisions = [revision for revision, _ in known]
    for one in made:
        if one.status != 200:
            continue
        assert one.allowed == held[one.revision], one
        # The first revision after it that somebody was told of.
        place = bisect_right(revisions, one.revision)
        assert place == len(known) or one.sent - known[place][1] <= bound, one
