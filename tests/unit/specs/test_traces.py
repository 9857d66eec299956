"""Traces are recorded where things happen, put in order, and taken at nobody's word."""

import itertools
import sqlite3
from pathlib import Path

import msgspec
import pytest

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.sql import sqlite
from grantproof.core.commands.language import AssignRole, ChangeSet, CreateGroup, RevokeRole
from grantproof.core.identifiers import GroupId, OrganizationId
from grantproof.service.authors import Author
from grantproof.service.pap import AdministrationPoint
from specs.gate.stages.traces import row
from specs.tlc.expectations import MODELS, configurations
from specs.traces.cast import (
    APPROVER,
    COMMANDS,
    FOUNDING,
    PRINCIPALS,
    ROLES,
    SUBMITTER,
    Policy,
    words_of,
)
from specs.traces.faults import FAULTS, TraceFault
from specs.traces.journal import Journal, Proposal, Record, What
from specs.traces.module import data
from specs.traces.racing import ORGANIZATIONS, TRACES_EACH
from specs.traces.run import LOST_MIN, Verdict, line, of_fault, of_meeting, of_races
from specs.traces.telling import REASONS, TOLD, tell
from specs.traces.trace import Incomplete, traces_of
from specs.traces.validation import MODEL, Unexplained, Unvalidated, read_verdicts
from specs.traces.watching import Administrator, watch

ANN = PRINCIPALS[0]
ACME = "acme"
ASSIGN = words_of(AssignRole(ANN, SUBMITTER))
EMPTY = Policy(ROLES)
HELD = Policy(ROLES, ((ANN, SUBMITTER),))


def recorded(*events: tuple[str, What, int, Policy | None], base: int = 7) -> list[Record]:
    """Records of one trace, stamped in their order; revisions count from `base`."""
    return [
        Record(
            stamp, "t", who, what, base + revision, policy, ASSIGN if what == "reads" else "Missing"
        )
        for stamp, (who, what, revision, policy) in enumerate(events)
    ]


COMMITTED = recorded(
    ("", "begins", 0, EMPTY),
    ("a1", "reads", 0, EMPTY),
    ("a1", "moves", 1, None),
    ("a1", "writes", 1, HELD),
    ("a1", "commits", 0, None),
    ("", "ends", 1, HELD),
)
(TRACE,) = traces_of(COMMITTED)
DONE = (
    "Model checking completed. No error has been found.\n"
    "8 states generated, 8 distinct states found, 0 states left on queue.\n"
)
VIOLATED = (
    "Error: Invariant EveryRecordExplained is violated.\n"
    "Error: The behavior up to this point is:\n"
    "State 1: <Initial predicate>\n/\\ trace = 1\n/\\ next = 1\n"
    '/\\ unexplained = ""\n/\\ revision = 0\n\n'
    "State 2: <TraceNext line 1 of module TraceAdministration>\n/\\ trace = 1\n/\\ next = 2\n"
    '/\\ unexplained = "Stale"\n/\\ revision = 3\n\n'
    "2 states generated, 2 distinct states found, 0 states left on queue.\n"
)
STALE = {"t": Unexplained(1, "Stale", {"revision": 3})}


def test_records_become_a_trace_in_the_order_of_their_stamps() -> None:
    """Whoever hands them over first; revisions count from the beginning."""
    (trace,) = traces_of(reversed(COMMITTED))
    assert trace == TRACE
    assert trace.start == EMPTY
    assert [(record.what, record.revision) for record in trace.records[:3]] == [
        ("reads", 0),
        ("moves", 1),
        ("writes", 1),
    ]
    assert [(one.who, one.command, one.reads) for one in trace.proposals] == [("a1", ASSIGN, (0,))]
    assert trace.states == 1 + len(trace.records) + 1 + 1


@pytest.mark.parametrize("missing", [slice(0, 1), slice(5, 6), slice(1, 2)])
def test_a_trace_that_lacks_records_is_none(missing: slice) -> None:
    """Its beginning, its end, what a proposal read: nothing is made up."""
    kept = [record for record in COMMITTED if record not in COMMITTED[missing]]
    with pytest.raises(Incomplete):
        traces_of(kept)


def test_what_tlc_says_is_what_is_said() -> None:
    """All explained; or which trace is not, at which record, and why."""
    assert read_verdicts([TRACE], 0, DONE) == {}
    (found,) = read_verdicts([TRACE], 0, VIOLATED).values()
    assert (found.position, found.why, found.state["revision"]) == (1, "Stale", 3)


@pytest.mark.parametrize(
    ("exit_code", "text"),
    [
        (None, ""),
        (0, ""),
        (12, DONE),
        (0, DONE.replace("8 distinct", "7 distinct")),
        (0, VIOLATED.replace("2 distinct", "3 distinct")),
        (0, VIOLATED.replace("EveryRecordExplained", "StaticDutyHolds")),
        (0, "Error: Temporal properties were violated.\n" + DONE),
        (13, DONE),
        (150, "Parsing or semantic analysis failed."),
    ],
)
def test_anything_else_is_no_validation(exit_code: int | None, text: str) -> None:
    """A time-out, a crash, another property, a state too few or too many: fail closed."""
    with pytest.raises(Unvalidated):
        read_verdicts([TRACE], exit_code, text)


def test_the_module_says_what_was_recorded() -> None:
    """Policies and commands once, and the records as operators of the same names."""
    text = data([TRACE, TRACE])
    assert text.count('type |-> "AssignRole"') == 1
    assert "Reads(1, 0, 1), Moves(1, 1), Writes(1, 1, 2), Commits(1), Ends(1, 2)" in text
    assert text.count("Reads(1, 0, 1)") == len([TRACE, TRACE])


def test_every_command_of_the_model_is_raced_and_no_other() -> None:
    """The types are those of `PolicyCommands`; another one is an error, not a silence."""
    model = (MODELS / "Administration.tla").read_text()
    assert [name for name in COMMANDS if f'"{name}"' not in model] == []
    assert all(words_of(one)["type"] == name for name, some in COMMANDS.items() for one in some)
    with pytest.raises(TypeError, match="the model has no CreateGroup"):
        words_of(CreateGroup(GroupId("g")))


def test_every_reason_and_record_of_the_model_is_told() -> None:
    """What stands in the module has words."""
    text = (MODELS / f"{MODEL}.tla").read_text()
    assert [why for why in REASONS if f'"{why}"' not in text] == []
    assert set(TOLD) == set(
        msgspec.json.schema(Record)["$defs"]["Record"]["properties"]["what"]["enum"]
    ) - {"begins"}
    assert f"{MODEL}.cfg" in {path.name for path in MODELS.iterdir()}
    assert MODEL not in configurations()


def test_a_trace_is_told_in_words() -> None:
    """Who read what, what it proposed, and why nothing explains the record."""
    told = tell(TRACE, STALE["t"])
    assert told[1] == "2. a1 reads revision 0 and proposes: assign submitter to ann"
    assert told[-1].endswith("explains this: a1 decided on revision 0, but it is 3")


FAULT = TraceFault("id", "a sentence", "together", "moves", "Stale", ())


def test_a_fault_is_caught_only_for_the_reason_that_it_names() -> None:
    """Explained, or refused for something else, it survives."""
    assert of_fault(FAULT, [TRACE], STALE).problem == ""
    assert "survives" in of_fault(FAULT, [TRACE], {}).problem
    other = {"t": Unexplained(1, "NotAlone", {"revision": 3})}
    assert "not as it must" in of_fault(FAULT, [TRACE], other).problem
    elsewhere = {"t": Unexplained(2, "Stale", {"revision": 3})}
    assert "not as it must" in of_fault(FAULT, [TRACE], elsewhere).problem


def test_races_pass_only_explained_and_lost_often_enough() -> None:
    """Racers that never meet show nothing."""
    lost = msgspec.structs.replace(
        TRACE, records=(*TRACE.records, *[Record(9, "t", "a1", "loses")] * LOST_MIN)
    )
    enough = [lost] * ORGANIZATIONS["sqlite"] * TRACES_EACH
    assert of_races("sqlite", enough, {}).problem == ""
    assert "only 1 traces" in of_races("sqlite", [lost], {}).problem
    assert "hardly met" in of_races("sqlite", [TRACE] * len(enough), {}).problem
    assert "no behaviour" in of_races("sqlite", [lost], STALE).problem
    assert "did not meet" in of_meeting("together", [TRACE], {}).problem


def test_the_stage_reports_what_is_no_pass_as_none() -> None:
    """A problem is a failed row with its trace; without one the row passes."""
    assert row(Verdict("races", "holds"), 1.0).passed
    assert row(Verdict("fault", "caught"), 1.0).passed
    for passed in ("holds", "caught"):
        bad = Verdict("x", passed, "why", ("1. so",))
        assert not row(bad, 1.0).passed
        assert row(bad, 1.0).counterexample == ("why", "1. so")
        assert line(bad, told=False).splitlines()[1].strip() == "1. so"


def test_faults_are_of_the_shipped_store_and_service() -> None:
    """Each has an id of its own and names a reason that the model has."""
    assert len({fault.id for fault in FAULTS}) == len(FAULTS)
    assert {fault.why for fault in FAULTS} <= set(REASONS)


def test_the_recorder_sees_what_the_database_holds(tmp_path: Path) -> None:
    """In the order of the protocol; and while it looks, no other transaction can write."""
    path = tmp_path / "acme.db"
    numbers = itertools.count()
    locked: list[bool] = []

    def stamp() -> int:
        locked.append(held_by_another(path))
        return next(numbers)

    journal = Journal(stamp)
    connections = watch(sqlite.opened(path, create=True, key_file=None), journal)
    administrator = Administrator(connections, journal)
    point = AdministrationPoint(
        administrator.store,
        administrator.snapshots,
        clock=SystemClock(),
        backoff=JitteredBackoff(),
    )
    point.found(OrganizationId(ACME), time_zone="UTC", by=Author("root"))
    point.propose(OrganizationId(ACME), ChangeSet(FOUNDING), by=Author("root"))
    assert journal.records == []
    for command in (AssignRole(ANN, SUBMITTER), RevokeRole(ANN, APPROVER)):
        administrator.propose(command, Proposal("t", ACME, "a1", words_of(command)))
    administrator.store.close()
    assert [(one.what, one.revision) for one in journal.records] == [
        ("reads", 1),
        ("moves", 2),
        ("writes", 2),
        ("commits", 0),
        ("reads", 2),
        ("refuses", 0),
    ]
    assert journal.records[2].policy == journal.records[4].policy == HELD
    assert journal.records[-1].told == "Missing"
    assert locked[:4] == [False, True, True, False]


def held_by_another(path: Path) -> bool:
    """Whether somebody is writing to the file at this moment."""
    connection = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    finally:
        connection.close()
    return False
