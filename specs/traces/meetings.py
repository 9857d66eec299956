"""Arranged meetings of two administrators: what decides a race happens, and not by chance."""

import itertools
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from sqlalchemy import Connection
from typing_extensions import override

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.store import SqlStore
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreateSodSet,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.service.pap import AdministrationPoint
from grantproof.service.snapshots import Snapshots
from specs.faults.catalogue.concurrency import POINT
from specs.faults.fault import PatchDoesNotApply, patched
from specs.traces.cast import APPROVER, FOUNDING, PAYMENT, PRINCIPALS, SUBMITTER, words_of
from specs.traces.faults import FAULTS, STORE, Meeting, TraceFault
from specs.traces.journal import Journal, Proposal, Record
from specs.traces.places import Place
from specs.traces.watching import Administrator, stored, watch

PATIENCE_SECONDS: Final = 60
CLEAN: Final = "clean"
ANN: Final = PRINCIPALS[0]


@dataclass(frozen=True, slots=True)
class Scene:
    """What holds before two meet, and what each proposes: both are right alone."""

    before: tuple[SingleCommand, ...]
    first: SingleCommand
    second: SingleCommand


SCENES: Final[Mapping[Meeting, Scene]] = {
    "together": Scene((), AssignRole(ANN, SUBMITTER), AssignRole(ANN, APPROVER)),
    "overtaken": Scene(
        (AssignRole(ANN, APPROVER),), AssignRole(ANN, SUBMITTER), RevokeRole(ANN, APPROVER)
    ),
}


@dataclass(frozen=True)
class MeetingConnections(Connections):
    """Connections on which whoever begins to write for the first time waits for the other."""

    line: threading.Barrier
    waited: set[int]

    @override
    @contextmanager
    def writing(self) -> Iterator[Connection]:
        me = threading.get_ident()
        if me not in self.waited:
            self.waited.add(me)
            self.line.wait(PATIENCE_SECONDS)
        with super().writing() as connection:
            yield connection


def meet(places: Sequence[Place]) -> tuple[list[Record], dict[str, str]]:
    """Return what is recorded of every meeting, on every place: clean, and with each fault.

    A trace is named after the place, the meeting, and the fault or `CLEAN`. Also why a fault could
    not be tried, by its id: a patch that does not apply.
    """
    problems: dict[str, str] = {}
    numbers = itertools.count(1)
    journal = Journal(lambda: next(numbers))
    for place in places:
        stage = _Stage(place, journal)
        for meeting in SCENES:
            stage.play(meeting, None)
        for fault in FAULTS:
            try:
                stage.play(fault.meeting, fault)
            except PatchDoesNotApply as problem:
                problems[fault.id] = str(problem)
        stage.close()
    return journal.records, problems


class _Stage:
    """Two administrators' ways into one place."""

    def __init__(self, place: Place, journal: Journal) -> None:
        self._place = place
        self._journal = journal
        self._ways = [watch(place.connections(), journal) for _ in "12"]
        self._founder = SqlStore(place.connections())

    def close(self) -> None:
        """Release every connection."""
        self._founder.close()
        for way in self._ways:
            way.dispose()

    def play(self, meeting: Meeting, fault: TraceFault | None) -> None:
        """Let the two meet in an organization of their own, and record it."""
        texts = {} if fault is None else patched(fault.edits)
        name = f"{meeting}.{CLEAN if fault is None else fault.id}"
        trace, organization = f"{self._place.name} {name}", OrganizationId(name)
        self._found(organization, SCENES[meeting].before)
        line, waited = threading.Barrier(2), set[int]()
        one, other = (
            self._administrator(way, (line, waited) if meeting == "together" else None, texts)
            for way in self._ways
        )
        for administrator in (one, other):
            administrator.snapshots.load(organization)
        self._observe("begins", trace, name)
        scene = SCENES[meeting]
        first = Proposal(trace, name, "a1", words_of(scene.first))
        second = Proposal(trace, name, "a2", words_of(scene.second))
        rival = threading.Thread(target=other.propose, args=(scene.second, second))
        if meeting == "together":
            rival.start()
        else:
            first.then = _once(rival)
        one.propose(scene.first, first)
        rival.join(PATIENCE_SECONDS)
        self._observe("ends", trace, name)

    def _found(self, organization: OrganizationId, before: Sequence[SingleCommand]) -> None:
        point = AdministrationPoint(
            self._founder, Snapshots(self._founder), clock=SystemClock(), backoff=JitteredBackoff()
        )
        point.found(organization, time_zone="UTC", by=Author("root"))
        start = ChangeSet((*FOUNDING, CreateSodSet(PAYMENT), *before))
        point.propose(organization, start, by=Author("root"))

    def _administrator(
        self,
        way: Connections,
        together: tuple[threading.Barrier, set[int]] | None,
        texts: Mapping[str, str],
    ) -> Administrator:
        if together is not None:
            fields = (way.place, way.readers, way.writers, way.damage, way.key, way.version)
            way = MeetingConnections(*fields, *together)
        return Administrator(
            way,
            self._journal,
            store=_shipped(STORE, "SqlStore", texts) or SqlStore,
            point=_shipped(POINT, "AdministrationPoint", texts) or AdministrationPoint,
        )

    def _observe(self, what: Any, trace: str, organization: str) -> None:
        with self._ways[0].reading() as connection:
            revision, policy = stored(connection, organization)
        self._journal.observe(what, trace, revision=revision, policy=policy)


def _once(rival: threading.Thread) -> Any:
    """Return what lets the rival run to its end, the first time it is called."""

    def then() -> None:
        if rival.ident is None:
            rival.start()
            rival.join(PATIENCE_SECONDS)

    return then


def _shipped(module: str, name: str, texts: Mapping[str, str]) -> Any:
    """Return the class of a patched module, made from its text beside the shipped one, if it is."""
    if module not in texts:
        return None
    made = ModuleType(module)
    exec(compile(texts[module], module, "exec"), made.__dict__)  # noqa: S102 - our own source
    return getattr(made, name)
