"""PostgreSQL killed and started again under the load of two serving processes.

Decisions go on from memory while what is known is young enough, then they are 503, and never
wrong; changes are 503; nothing acknowledged is lost; all of it works again without a restart.
"""

import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tests.databases import PostgresqlDatabases
from tests.postgresql import Server, running_server
from tests.processes import free_port
from tests.survival.scales import SCALE
from tests.survival.serving import process_on, serving
from tests.survival.sound import History, check_audit, history
from tests.survival.toggling import ORGANIZATION, Load, check_ages, found

MAX_STALENESS: Final = 0.8
"""Seconds; outages last longer."""

TOO_LATE_SECONDS: Final = 0.5
"""So much after the bound no request that began then is answered from memory."""

BETWEEN_SECONDS: Final = 0.8
PAUSE_SECONDS: Final = 0.01
RECOVERY_SECONDS_MAX: Final = 30
HOW: Final = (signal.SIGKILL, signal.SIGQUIT)


def recovered(load: Load, since: float) -> float:
    """How many seconds it took until changes and decisions were answered again."""
    deadline = time.monotonic() + RECOVERY_SECONDS_MAX
    while time.monotonic() < deadline:
        back = [one.answered for one in load.changed if one.answered > since and one.status == 200]
        told = [one.sent for one in load.decided if one.sent > since and one.status == 200]
        if back and told:
            return max(back[0], told[0]) - since
        time.sleep(PAUSE_SECONDS)
    raise AssertionError("the services did not recover")


@dataclass(slots=True)
class Outage:
    """From when to when the server was down, when it was up again; how long recovery took."""

    began: float
    ended: float
    up: float
    recovery: float


def outages(server: Server, load: Load) -> list[Outage]:
    """Take the server away again and again, in both ways in turn."""
    found = []
    for number in range(SCALE.outages):
        time.sleep(BETWEEN_SECONDS)
        with server.crashed(HOW[number % len(HOW)]):
            began = time.monotonic()
            time.sleep(SCALE.outage_seconds)
            ended = time.monotonic()
        up = time.monotonic()
        found.append(Outage(began, ended, up, recovered(load, up)))
    time.sleep(BETWEEN_SECONDS)
    return found


def check_decisions(load: Load, past: History, downs: list[Outage]) -> None:
    """Each was right at its revision, which was young enough; none was older than it may be."""
    assert {one.status for one in load.decided} == {200, 503}
    made = [one for one in load.decided if one.status == 200]
    check_ages(made, load, past, bound=MAX_STALENESS)
    for down in downs:
        late = [
            one
            for one in made
            if down.began + MAX_STALENESS + TOO_LATE_SECONDS < one.sent < down.ended
        ]
        assert late == []


def check_changes(load: Load, past: History) -> int:
    """All acknowledged are there, no refused one is; how many of unknown fate were made."""
    made = past.made()
    assert {one.status for one in load.changed} <= {200, 409, 503}
    for one in load.changed:
        if one.status == 200:
            assert made[one.name] == [one.revision]
        elif one.status == 409:
            assert one.name not in made
    return sum(one.status == 503 and one.name in made for one in load.changed)


def told_while_down(load: Load, downs: list[Outage]) -> tuple[Counter[int], Counter[int]]:
    """The statuses of decisions and of changes while the server was down."""
    decided, changed = Counter[int](), Counter[int]()
    for down in downs:
        decided.update(one.status for one in load.decided if down.began < one.sent < down.ended)
        # One that is under way as the server comes back may be made.
        over = [one for one in load.changed if down.began < one.sent and one.answered < down.ended]
        changed.update(one.status for one in over)
    return decided, changed


def test_a_database_killed_under_load_costs_no_change_and_no_wrong_answer(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """Decisions are right or 503, changes made or 503, and all recovers without a restart."""
    with running_server() as server:
        databases = PostgresqlDatabases(server)
        database = databases.copied(databases.empty)
        settings = {"GRANTPROOF_MAX_STALENESS": str(MAX_STALENESS)}
        first = process_on(database, tmp_path / "0", **settings)
        (tmp_path / "1").mkdir()
        second = replace(first, port=free_port(), folder=tmp_path / "1")
        load = Load([first, second])
        with serving(first, second):
            found(first)
            with load.meanwhile():
                downs = outages(server, load)
            assert first.runs
            assert second.runs
        past = history(database, ORGANIZATION)
        check_audit(first)
    check_decisions(load, past, downs)
    unknown = check_changes(load, past)
    decided, changed = told_while_down(load, downs)
    record_property(
        "figure",
        f"PostgreSQL killed {len(downs)} times under two services: {len(load.decided)} decisions,"
        f" while it was down {decided[200]} right and {decided[503]} told 503,"
        f" {sum(one.status == 200 for one in load.changed)} changes acknowledged and there,"
        f" while it was down {changed[503]} told 503, {unknown} of unknown fate made;"
        f" recovered in at most {max(down.recovery for down in downs):.1f} s",
    )
    assert decided[200] > 0, "no decision was made from memory"
    assert decided[503] > 0, "no decision was refused for being too old"
    assert changed[200] == 0 < changed[503]
