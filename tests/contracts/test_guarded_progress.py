"""A change whose guardrails take long to judge gets through while others go on changing."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Final, TypeVar

import pytest

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.sql import SqlStore
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreateGuardrail,
    CreatePrincipal,
    CreateRole,
    DeletePrincipal,
)
from grantproof.core.guardrails import Access, Forbidden, Guardrail
from grantproof.core.identifiers import Action, GuardrailId, PrincipalId
from grantproof.core.model import Any, Exactly
from grantproof.service.authors import Author
from grantproof.service.guarding import Guard
from grantproof.service.pap import AdministrationPoint
from grantproof.service.snapshots import Snapshots
from grantproof.service.solving import IN_PROCESS, Undetermined
from tests.databases import Database, opened
from tests.organizations import ACME, ANN, CLERK

OPERATOR: Final = Author("op")
LAW: Final = Guardrail(GuardrailId("law"), Forbidden(Access(Exactly(Action("pack")), Any())))
MEANWHILE: Final = 4
"""So many changes of others are made each time that one is judged, or it shows nothing."""

LEAVERS: Final = 1_500
PAUSE_SECONDS: Final = 0.02
"""Between two changes of another replica, as between two requests, at least."""
IDLE: Final = 3
"""So many times as long as such a change takes, however slow the machine, is nothing changed."""

PATIENCE_SECONDS: Final = 60

Answer = TypeVar("Answer")


class Slow:
    """A solver that is right and takes its time: until others have made so many changes."""

    def __init__(self) -> None:
        self.made: list[int] | None = None
        """What others have made, once they do."""

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns, after others have changed something."""
        if self.made is not None:
            enough = len(self.made) + MEANWHILE
            deadline = time.monotonic() + PATIENCE_SECONDS
            while len(self.made) < enough:
                assert time.monotonic() < deadline, "others are kept from changing anything"
                time.sleep(0.001)
        return IN_PROCESS.ask(work)


def service(store: SqlStore, slow: Slow) -> AdministrationPoint:
    """What changes the organizations of the store, as one replica does."""
    return AdministrationPoint(
        store,
        Snapshots(store),
        clock=SystemClock(),
        backoff=JitteredBackoff(),
        guard=Guard(slow),
    )


@contextmanager
def leaving(point: AdministrationPoint, made: list[int], *, pause: float) -> Iterator[None]:
    """Delete one principal after the other until the block ends, which is judged of no solver."""
    over = threading.Event()

    def delete() -> None:
        for number in count():
            if over.is_set():
                return
            gone = DeletePrincipal(PrincipalId(f"p{number}"))
            begun = time.monotonic()
            done = point.propose(ACME, gone, by=OPERATOR)
            took = time.monotonic() - begun
            if not isinstance(done, Accepted):
                return
            made.append(done.state.revision)
            time.sleep(max(pause, IDLE * took) if pause else 0)

    thread = threading.Thread(target=delete)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE_SECONDS)
    assert not thread.is_alive()


@pytest.mark.parametrize(("replicas", "pause"), [(1, 0.0), (2, PAUSE_SECONDS)])
def test_a_change_that_is_judged_slowly_is_not_starved(
    database: Database, replicas: int, pause: float
) -> None:
    """It is made though others make many all the while, here or in another replica."""
    stores = [opened(database.address) for _ in range(replicas)]
    slow = Slow()
    points = [service(one, slow) for one in stores]
    assert points[0].found(ACME, time_zone="UTC", by=OPERATOR)
    people = (CreatePrincipal(PrincipalId(f"p{number}")) for number in range(LEAVERS))
    founding = ChangeSet((CreateRole(CLERK), CreatePrincipal(ANN), *people))
    for command in (founding, CreateGuardrail(LAW)):
        ready = points[0].propose(ACME, command, by=OPERATOR)
        assert isinstance(ready, Accepted), ready
    made = list[int]()
    with leaving(points[-1], made, pause=pause):
        while len(made) == 0:
            time.sleep(0.001)
        slow.made = made
        first = made[-1]
        done = points[0].propose(ACME, AssignRole(ANN, CLERK), by=OPERATOR)
        last = made[-1]
    assert isinstance(done, Accepted), (done, first, last)
    assert first + MEANWHILE <= done.state.revision
    assert made[-1] >= last - 1 > first
    for store in stores:
        assert store.revision(ACME) == max(made[-1], done.state.revision)
        store.close()
