"""TLC explains a trace that is true, and finds every kind of lie in one, where it stands."""

import os
from collections.abc import Sequence

from msgspec.structs import replace

from grantproof.core.commands.language import AssignRole, RevokeRole
from specs.tlc.jar import find_tools
from specs.traces.cast import (
    APPROVER,
    PAYMENT,
    PRINCIPALS,
    ROLES,
    SUBMITTER,
    Policy,
    Words,
    model_set,
    words_of,
)
from specs.traces.journal import Record, What
from specs.traces.telling import REASONS
from specs.traces.trace import Trace, traces_of
from specs.traces.validation import validate

ANN = PRINCIPALS[0]
BEFORE = Policy(ROLES, sod_sets=(model_set(PAYMENT),))
AFTER = replace(BEFORE, assignments=((ANN, SUBMITTER),))
SUBMITS, APPROVES = words_of(AssignRole(ANN, SUBMITTER)), words_of(AssignRole(ANN, APPROVER))
REVOKES = words_of(RevokeRole(ANN, APPROVER))


def one(who: str, what: What, revision: int = 0, policy: Policy | None = None) -> Record:
    """A record without a place yet; a1 makes ann submitter, a2 wants her to approve too."""
    words: dict[str, str | Words] = {
        "reads": SUBMITS if who == "a1" else APPROVES,
        "refuses": "BreaksSod",
    }
    told = words.get(what, "")
    return Record(0, "", who, what, revision, policy, told)


BEGINS, ENDS = one("", "begins", 0, BEFORE), one("", "ends", 1, AFTER)
READS, RIVAL_READS = one("a1", "reads", 0, BEFORE), one("a2", "reads", 0, BEFORE)
MOVES, WRITES, COMMITS = one("a1", "moves", 1), one("a1", "writes", 1, AFTER), one("a1", "commits")
LOSES, READS_ANEW, REFUSES = one("a2", "loses"), one("a2", "reads", 1, AFTER), one("a2", "refuses")
TRUE = (*(BEGINS, READS, RIVAL_READS, MOVES, WRITES, COMMITS, LOSES, READS_ANEW, REFUSES, ENDS),)


def without(*gone: Record) -> list[Record]:
    """The true records but for some."""
    return [record for record in TRUE if record not in gone]


def instead(record: Record, *others: Record) -> list[Record]:
    """The true records, others in the place of one of them."""
    at = TRUE.index(record)
    return [*TRUE[:at], *others, *TRUE[at + 1 :]]


TRUTHS: dict[str, Sequence[Record]] = {
    "as it was": TRUE,
    "who knows of a commit is earlier than who made it": [
        *(BEGINS, READS, RIVAL_READS, MOVES, WRITES, LOSES, READS_ANEW, COMMITS, REFUSES, ENDS),
    ],
    "a refusal stands while the commit is under way": [
        *(BEGINS, READS, replace(RIVAL_READS, told=REVOKES), MOVES, WRITES),
        *(replace(REFUSES, told="Missing"), COMMITS, ENDS),
    ],
    "a process follows late": [
        *(BEGINS, READS, MOVES, WRITES, COMMITS, RIVAL_READS, LOSES, READS_ANEW, REFUSES, ENDS),
    ],
}

LIES: dict[str, tuple[str, What, Sequence[Record]]] = {
    "what is not committed is read": (
        "NotThere",
        "reads",
        [BEGINS, READS, READS_ANEW, MOVES, WRITES, COMMITS, REFUSES, ENDS],
    ),
    "something else is read": (
        "OtherPolicy",
        "reads",
        instead(READS, replace(READS, policy=AFTER)),
    ),
    "the revision jumps": ("OtherRevision", "moves", instead(MOVES, replace(MOVES, revision=2))),
    "the facts are not written": (
        "OtherPolicy",
        "writes",
        instead(WRITES, replace(WRITES, policy=BEFORE)),
    ),
    "the revision does not move": ("NotMoved", "writes", without(MOVES)),
    "nothing is written": ("NotCommitted", "commits", without(WRITES)),
    "nobody was faster": (
        "LostToNobody",
        "loses",
        [BEGINS, READS, RIVAL_READS, LOSES, MOVES, WRITES, COMMITS, READS_ANEW, REFUSES, ENDS],
    ),
    "a refusal of what is gone": ("Stale", "refuses", without(LOSES, READS_ANEW)),
    "another ground": (
        "OtherGround",
        "refuses",
        instead(REFUSES, replace(REFUSES, told="Missing")),
    ),
    "what is to be refused is done": (
        "Refusable",
        "moves",
        instead(REFUSES, one("a2", "moves", 2)),
    ),
    "a decision without reading": (
        "NothingRead",
        "moves",
        instead(READS_ANEW, one("a2", "moves", 2)),
    ),
    "two in the critical section": (
        "NotAlone",
        "moves",
        instead(WRITES, one("a2", "moves", 1), WRITES),
    ),
    "somebody waits for ever": ("Undecided", "ends", without(REFUSES)),
    "the end is at another revision": (
        "OtherRevision",
        "ends",
        instead(ENDS, replace(ENDS, revision=2)),
    ),
    "something else is left": ("OtherPolicy", "ends", instead(ENDS, replace(ENDS, policy=BEFORE))),
    "contended at once": ("TriesLeft", "contended", instead(REFUSES, one("a2", "contended"))),
    "an error": ("Failed", "fails", instead(REFUSES, one("a2", "fails"))),
}


def traced(named: dict[str, Sequence[Record]]) -> tuple[Trace, ...]:
    """The traces of records that stand in their order."""
    return traces_of(
        replace(record, trace=name, stamp=stamp)
        for name, records in named.items()
        for stamp, record in enumerate(records)
    )


def test_p_cas_what_is_true_is_explained_and_every_lie_is_found() -> None:
    """P-CAS: each lie at its record and for its reason; no reason is without a lie."""
    lies = {name: records for name, (_, _, records) in LIES.items()}
    traces = traced(TRUTHS | lies)
    found = validate(traces, find_tools(os.environ))
    by_name = {trace.name: trace for trace in traces}
    assert {
        name: (one.why, by_name[name].records[one.position].what) for name, one in found.items()
    } == {name: (why, what) for name, (why, what, _) in LIES.items()}
    assert {why for why, _, _ in LIES.values()} == set(REASONS)
