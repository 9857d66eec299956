"""P-FRESH, executable: one replica that follows, is cut off, and is asked while time passes.

It is what a process runs: snapshots, following and decision routes, over a store whose link can be
cut. Time passes, and others commit, only when an act says so: also within a look, after it has
read.
"""

import asyncio
import contextlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from unittest.mock import patch

import structlog

from grantproof.adapters.memory import MemoryStore
from grantproof.api import following
from grantproof.api.decisions import Decisions
from grantproof.api.following import Following, owned_by
from grantproof.api.freshness import Freshness
from grantproof.api.problems import Refused
from grantproof.bootstrap import assemble
from grantproof.core import model as m
from grantproof.core.commands import Event
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE, Caller
from grantproof.service.ports import Head, StoreUnavailable
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.worlds import ACME, Facts

STALENESS_MAX: Final = 2
PATIENCE_SECONDS: Final = 0.05
CALLER: Final = Caller.with_scopes(None, EVERY_SCOPE, author=Author("eve"))

ACTS: Final = (
    "look, ask 0",
    "look, ask 1",
    "look, commit, ask 1",
    "look, commit, commit, ask 2",
    "look, commit, cut, ask 1",
    "look, cut, tick, tick, ask 0",
    "look, cut, commit, tick, tick, tick, ask 0",
    "look, commit, tick, tick, tick, ask 0",
    "overtaken look, cut, tick, tick, ask 0",
    "look, commit, overtaken look, ask 2",
    "look, commit, two looks, ask 0",
)
"""An overtaken look reads; then another process commits, and a tick passes, before it ends. Of two
looks both have read before either moves the snapshot."""


class Link(MemoryStore):
    """A store that can be cut off, and in which others may overtake who looks."""

    def __init__(self) -> None:
        super().__init__()
        self.cut = False
        self.now = 0
        self.committed = 0
        self.at_end_of: list[int] = []
        self.overtaking = False
        self.together: threading.Barrier | None = None

    def happen(self, step: str) -> None:
        """Let another process commit, let a tick pass, or be cut off."""
        match step:
            case "commit":
                self.committed += 1
                made = CreateRole(RoleId(f"r{self.committed}"))
                added = m.Delta(added=(m.Role(made.role),))
                self.commit(Event(ACME, self.committed, 0, "eve", made, added))
            case "tick":
                self.at_end_of.append(self.committed)
                self.now += 1
            case _:
                self.cut = True

    def heads(self, organizations: Sequence[OrganizationId]) -> Mapping[str, Head]:
        """Tell the heads; what overtakes happens after they were read."""
        if self.cut:
            raise StoreUnavailable("cut off")
        found = super().heads(organizations)
        if self.overtaking:
            self.overtaking = False
            self.happen("commit")
            self.happen("tick")
        return found

    def events(
        self, organization: OrganizationId, *, after: int = 0, limit: int
    ) -> tuple[Event, ...]:
        """Tell the events; of two who look together both have read before either goes on."""
        found = super().events(organization, after=after, limit=limit)
        if self.together is not None:
            with contextlib.suppress(threading.BrokenBarrierError):
                self.together.wait(PATIENCE_SECONDS)
        return found

    def revision(self, organization: OrganizationId) -> int | None:
        """Tell the revision, unless cut off."""
        if self.cut:
            raise StoreUnavailable("cut off")
        return super().revision(organization)

    def oldest(self) -> int:
        """Return the revision that there was when an answer may be as old as it may be."""
        return self.at_end_of[-STALENESS_MAX - 1] if self.now > STALENESS_MAX else 0


@dataclass(frozen=True)
class Told:
    """What a question came to: the revision of the answer, or nothing where it was refused."""

    revision: int | None
    committed: int
    oldest: int
    cut: bool


def objection(_: Small, act: str) -> Objection | None:
    """Say what is wrong with how the last step, a question, ends."""
    least = int(act.rpartition(" ")[2])
    with (
        patch.object(following, "REACH_SECONDS_MAX", PATIENCE_SECONDS),
        structlog.testing.capture_logs(),
    ):
        told = asyncio.run(_live(act.split(", "), least))
    if told.revision is None:
        if told.cut or least > told.committed:
            return None
        return Objection(f"answered from revision {told.committed}", "refused")
    if told.revision < least:
        return Objection(f"answered from revision {least} or later", _answered(told))
    if told.revision > told.committed:
        return Objection(f"answered from revision {told.committed}", _answered(told))
    if told.revision < told.oldest:
        return Objection(f"refused, or answered from {told.oldest} or later", _answered(told))
    return None


def _answered(told: Told) -> str:
    return f"answered from revision {told.revision}"


async def _live(steps: list[str], least: int) -> Told:
    store = Link()
    store.create(ACME, time_zone="UTC", actor="eve", instant=0)
    services = assemble(store, on_owner=owned_by(asyncio.get_running_loop()))
    replica = Following(
        store,
        services.snapshots,
        meters=services.meters,
        sessions=services.kept_sessions,
        seconds=3600,
        max_staleness=STALENESS_MAX,
    )
    replica.freshness = Freshness(lambda: store.now, max_staleness=STALENESS_MAX)
    decisions = Decisions(services.decisions, replica)
    await replica.index(ACME)
    first_look = asyncio.create_task(replica._looked.wait())  # noqa: SLF001 - nothing else tells
    running = asyncio.create_task(replica.run())
    await first_look
    try:
        for step in steps[:-1]:
            if step == "two looks":
                store.together = threading.Barrier(2)
                await asyncio.gather(replica.look(), replica.look())
                store.together = None
            elif step.endswith("look"):
                store.overtaking = step != "look"
                await replica.look()
            else:
                store.happen(step)
        cut, revision = store.cut, None
        with contextlib.suppress(Refused, StoreUnavailable):
            index = await decisions.index(ACME, CALLER, at_least=least)
            revision = None if index is None else index.state.revision
        return Told(revision, store.committed, store.oldest(), cut)
    finally:
        replica.stop()
        await running
        await asyncio.to_thread(replica.close)


def acts(_: Facts) -> tuple[str, ...]:
    """Return what happens to a replica."""
    return ACTS


PROPERTIES = {"P-FRESH": Property(((),), acts, objection, str)}
