"""A serving process whose clock is set back, while it runs and between two of its lives.

Within a process the instant never moves back. A new process believes the machine: windows that
were over are open again, as they are by its clock, and what was counted stays counted.
"""

import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from tests.databases import SqliteDatabases
from tests.survival.scales import SCALE
from tests.survival.serving import Caller, Process, process_on, serving
from tests.survival.shifted import FILE
from tests.survival.sound import check_audit, history

ORGANIZATION: Final = "acme"
RECORDER: Final = ("-m", "tests.survival.shifted")

CLOSING: Final = int(datetime(2031, 3, 5, 17, 0, 30, tzinfo=UTC).timestamp())
"""Half a minute after the window closes, and after rights and keys end."""

ENDS: Final = CLOSING - 30
BACK_SECONDS: Final = 600
"""Less than counters are kept after their window has ended, for clocks that are behind."""

TOTAL, A_MINUTE = 5, 2
ALWAYS: Final = {"from": None, "until": None}
USES_EACH: Final = 3


def claim(action: str, *constraints: dict[str, Any]) -> dict[str, Any]:
    """The command that lets clerks act on the documents, under the constraints."""
    named = {"id": action, "role": "clerk", "action": action, "resource": "docs"}
    return {"type": "CreateClaim", "claim": {**named, "constraints": list(constraints)}}


FOUNDING: Final[list[dict[str, Any]]] = [
    {"type": "CreateKind", "kind": "file"},
    {
        "type": "CreateResource",
        "resource": {"id": "docs", "kind": "file", "parent": None, "attributes": {}},
    },
    {"type": "CreateRole", "role": "clerk"},
    {"type": "CreateRole", "role": "guest"},
    *({"type": "CreatePrincipal", "principal": name, "attributes": {}} for name in ("ann", "ben")),
    {"type": "AssignRole", "principal": "ann", "role": "clerk", "validity": ALWAYS},
    {
        "type": "AssignRole",
        "principal": "ben",
        "role": "clerk",
        "validity": {"from": None, "until": ENDS},
    },
    claim("read"),
    claim("write", {"type": "time_window", "start": 9, "end": 17}),
    claim("export", {"type": "max_usage", "limit": TOTAL}),
    claim("look", {"type": "rate_limit", "per_minute": A_MINUTE}),
]


@dataclass(frozen=True, slots=True)
class Clock:
    """The file that sets the clock of the service."""

    path: Path

    def set(self, instant: float) -> None:
        """Let it be that instant now; a reader sees the old time or the new."""
        fresh = self.path.with_name("fresh")
        fresh.write_text(str(instant - time.time()), encoding="ascii")
        fresh.rename(self.path)


def decided(caller: Caller, who: str, action: str) -> tuple[object, object, int]:
    """The decision, its reason, and when it was made."""
    body = {"org_id": ORGANIZATION, "principal_id": who, "action": action, "resource_id": "docs"}
    answer = caller.ask("POST", "/evaluate", body)
    assert answer.status == 200, answer
    return answer.told["decision"], answer.told["reason_code"], answer.told["decided_at"]


def used(caller: Caller, action: str, allowed: Counter[tuple[str, int]]) -> None:
    """Try to use a claim a few times; note each that was allowed, with the minute by the clock."""
    body = {"org_id": ORGANIZATION, "principal_id": "ann", "action": action, "resource_id": "docs"}
    for _ in range(USES_EACH):
        answer = caller.ask("POST", "/evaluate/consume", body)
        assert answer.status == 200, answer
        if answer.told["decision"] == "Allow":
            minute = answer.told["decided_at"] // 60 if action == "look" else 0
            allowed[action, minute] += 1


def before_closing(caller: Caller) -> None:
    """All is open: the window, the right that ends."""
    assert decided(caller, "ann", "write")[0] == "Allow"
    assert decided(caller, "ben", "read")[0] == "Allow"


def after_closing(caller: Caller) -> None:
    """The window is closed and the right has ended; what knows no time goes on."""
    assert decided(caller, "ann", "write")[0] == "Deny"
    assert decided(caller, "ben", "read")[0] == "Deny"
    assert decided(caller, "ann", "read")[0] == "Allow"


def changed(caller: Caller, name: str) -> None:
    """Make a change, whose event has an instant."""
    path = f"/v1/orgs/{ORGANIZATION}/changes"
    commands = [{"type": "CreateGroup", "group": name}]
    assert caller.ask("POST", path, {"commands": commands}).status == 200


def expiring(caller: Caller) -> str:
    """A key that ends with the window."""
    body = {"scopes": ["evaluate"], "expires_at": ENDS}
    made = caller.ask("POST", "/v1/keys", body)
    assert made.status == 201, made
    return str(made.told["key"])


def life(
    number: int,
    process: Process,
    clock: Clock,
    *,
    allowed: Counter[tuple[str, int]],
    draw: random.Random,
) -> None:
    """One life of the process: it begins before the window closes, and is set back after."""
    clock.set(CLOSING - draw.randint(60, BACK_SECONDS))
    with serving(process), closing(process.caller()) as caller:
        before_closing(caller)
        with closing(Caller(process.port, expiring(caller))) as guest:
            assert guest.ask("POST", "/evaluate", {}).status == 400
            used(caller, "export", allowed)
            used(caller, "look", allowed)
            changed(caller, f"early-{number}")
            clock.set(CLOSING)
            after_closing(caller)
            assert guest.ask("POST", "/evaluate", {}).status == 401
            changed(caller, f"late-{number}")
            latest = decided(caller, "ann", "read")[2]
            clock.set(CLOSING - draw.randint(60, BACK_SECONDS))
            after_closing(caller)
            assert guest.ask("POST", "/evaluate", {}).status == 401
        used(caller, "export", allowed)
        used(caller, "look", allowed)
        changed(caller, f"back-{number}")
        assert decided(caller, "ann", "read")[2] >= latest
        process.stop()


def test_a_clock_that_is_set_back_revives_nothing_and_spends_nothing_twice(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """What has ended stays ended while the process runs; a quota holds over all of its lives."""
    database = SqliteDatabases(tmp_path).empty
    clock = Clock(tmp_path / "shift")
    process = process_on(database, tmp_path / "service", **{FILE: str(clock.path)})
    process.program = (process.program[0], *RECORDER)
    clock.set(CLOSING - BACK_SECONDS)
    with serving(process), closing(process.caller()) as caller:
        assert caller.ask("POST", "/v1/orgs", {"id": ORGANIZATION}).status == 201
        path = f"/v1/orgs/{ORGANIZATION}/changes"
        made = caller.ask("POST", path, {"commands": FOUNDING})
        assert made.status == 200, made
        process.stop()
    draw, allowed = random.Random(3), Counter[tuple[str, int]]()
    for number in range(SCALE.steps_back):
        life(number, process, clock, allowed=allowed, draw=draw)
    past = history(database, ORGANIZATION)
    check_audit(process)

    instants = [event.instant for event in past.events]
    backward = sum(later < earlier for earlier, later in itertools.pairwise(instants))
    looks = {minute: times for (action, minute), times in allowed.items() if action == "look"}
    record_property(
        "figure",
        f"clock set back {2 * SCALE.steps_back} times, in {SCALE.steps_back} lives and between"
        f" them: {allowed['export', 0]} of {TOTAL} uses allowed, at most"
        f" {max(looks.values())} of {A_MINUTE} in each of {len(looks)} minutes;"
        f" {len(instants)} events, {backward} with an earlier instant than the one before",
    )
    assert allowed["export", 0] == TOTAL
    assert max(looks.values()) <= A_MINUTE
    assert backward > 0, "no life began before the last one ended, so this run shows nothing"
    for number in range(SCALE.steps_back):
        early, late, back = (
            next(e.instant for e in past.events if f"{when}-{number}'" in str(e.command))
            for when in ("early", "late", "back")
        )
        assert early < late <= back
