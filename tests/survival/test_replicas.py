"""Three replicas of one PostgreSQL; one of them loses the network to it, and gets it back. P-FRESH.

Nothing tells it that it is cut off: packets are lost. Clients go from replica to replica with the
last revision that they have seen.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from tests.databases import Database, PostgresqlDatabases, place
from tests.postgresql import running_server
from tests.processes import free_port
from tests.survival.links import Link, Namespace, link_to
from tests.survival.scales import SCALE
from tests.survival.serving import LOST, Process, process_on, serving
from tests.survival.sound import check_audit, history
from tests.survival.toggling import (
    ORGANIZATION,
    QUESTION,
    Decided,
    Load,
    check_ages,
    found,
)

MAX_STALENESS: Final = 1.0
"""Seconds; the replica is cut off for longer."""

FAR: Final = 2
TOO_LATE_SECONDS: Final = 0.5
BETWEEN_SECONDS: Final = 1.0
PAUSE_SECONDS: Final = 0.01
REJOIN_SECONDS_MAX: Final = 40
PATIENCE_SECONDS: Final = 60


@dataclass(slots=True)
class Traveller:
    """A client that asks one replica after the other, and never goes back."""

    replicas: list[Process]
    over: threading.Event
    answers: list[tuple[int, Decided]] = field(default_factory=list)
    """By the number of the replica; status 503 where it was refused."""
    problems: list[str] = field(default_factory=list)

    def travel(self) -> None:
        """Ask until it is over."""
        seen = 0
        callers = [replica.caller() for replica in self.replicas]
        while not self.over.is_set():
            for number, caller in enumerate(callers):
                sent = time.monotonic()
                question = {**QUESTION, "at_least_revision": seen}
                answer = caller.ask("POST", "/evaluate", question)
                if answer.status != 200:
                    self.answers.append((number, Decided(sent, answer.status, 0, False)))
                    continue
                revision, allowed = answer.told["revision"], answer.told["decision"] == "Allow"
                if revision < seen:
                    self.problems.append(f"replica {number} answers {revision} after {seen}")
                seen = max(seen, revision)
                made = Decided(sent, 200, revision, allowed, answered=time.monotonic())
                self.answers.append((number, made))
            time.sleep(PAUSE_SECONDS)
        for caller in callers:
            caller.close()


def caught_up(process: Process, revision: int) -> float:
    """How many seconds it takes until the replica answers from the revision or a later one."""
    began = time.monotonic()
    while time.monotonic() < began + REJOIN_SECONDS_MAX:
        with closing(process.caller()) as caller:
            try:
                told = caller.ask("POST", "/evaluate", QUESTION)
            except LOST:
                continue
        if told.status == 200 and told.told["revision"] >= revision:
            return time.monotonic() - began
        time.sleep(PAUSE_SECONDS)
    raise AssertionError(f"the replica did not catch up: {process.log[-2_000:]}")


def check_travels(traveller: Traveller, cuts: list[tuple[float, float]]) -> int:
    """It never went back, and was refused while it had to be; how often the far one refused."""
    assert traveller.problems == []
    of_far = [one for number, one in traveller.answers if number == FAR]
    late = [
        one
        for began, ended in cuts
        for one in of_far
        if began + MAX_STALENESS + TOO_LATE_SECONDS < one.sent
        and one.answered < ended
        and one.status == 200
    ]
    assert late == []
    refused = sum(one.status == 503 for one in of_far)
    assert refused > 0, "it refused nothing while it was cut off"
    return refused


def replicas(database: Database, link: Link, folder: Path) -> tuple[Process, Process, Process]:
    """Two beside the database, and one at the end of the link."""
    settings = {"GRANTPROOF_MAX_STALENESS": str(MAX_STALENESS)}
    first = process_on(database, folder / "0", **settings)
    near, far = (
        replace(first, port=free_port(), folder=folder / str(number)) for number in (1, FAR)
    )
    there = {**place(link.address), "GRANTPROOF_HOST": link.host}
    far.environment = {**far.environment, **there}
    far.host, far.program = link.host, (*link.prefix, *far.program)
    for one in (near, far):
        one.folder.mkdir()
    return first, near, far


def test_p_fresh_a_replica_that_is_cut_off_refuses_and_then_catches_up(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """P-FRESH: no answer is older than demanded, or than the bound; the others never notice."""
    rejoined, cuts = list[float](), list[tuple[float, float]]()
    with running_server() as server:
        databases = PostgresqlDatabases(server)
        database = databases.copied(databases.empty)
        with link_to(database.address) as link:
            first, near, far = replicas(database, link, tmp_path)
            load = Load([first, near])
            traveller = Traveller([first, near, far], load.over)
            with serving(first, near, far):
                found(first)
                travelling = threading.Thread(target=traveller.travel)
                with load.meanwhile():
                    travelling.start()
                    for _ in range(SCALE.cuts):
                        time.sleep(BETWEEN_SECONDS)
                        link.cut()
                        began = time.monotonic()
                        time.sleep(SCALE.cut_seconds)
                        cuts.append((began, time.monotonic()))
                        link.join()
                        rejoined.append(caught_up(far, load.revision))
                    time.sleep(BETWEEN_SECONDS)
                travelling.join(PATIENCE_SECONDS)
                assert all(one.runs for one in (first, near, far))
        past = history(database, ORGANIZATION)
        check_audit(first)
    check_ages([one for _, one in traveller.answers], load, past, bound=MAX_STALENESS)
    check_ages(load.decided, load, past, bound=MAX_STALENESS)
    assert {one.status for one in load.decided} == {200}, "a replica that was not cut off noticed"
    refused = check_travels(traveller, cuts)
    answered = sum(one.status == 200 for _, one in traveller.answers)
    by = "a network namespace" if isinstance(link, Namespace) else "a relay"
    record_property(
        "figure",
        f"a replica cut off {len(cuts)} times by {by}: {answered} answers to a client between"
        f" three replicas, none older than demanded or than {MAX_STALENESS:g} s, {refused} refused"
        f" by the one cut off; {load.acknowledged} changes meanwhile; it was back in at most"
        f" {max(rejoined):.1f} s",
    )
