"""Faults of the shipped store and service, which the validation of traces must find.

Each is judged in two halves: two administrators meet in an arranged way, once on the source as it
is, where TLC explains the trace, and once on the patched source, where it must not, for the reason
that the fault names. Nothing is left to chance: what a fault needs to show is brought about.
"""

from dataclasses import dataclass
from typing import Final, Literal

from specs.faults.catalogue.concurrency import BLIND_RETRY, STALE_REFUSAL
from specs.faults.fault import Edit

STORE: Final = "grantproof.adapters.sql.store"

COMPARED: Final = 'ORGANIZATION.c.revision == bindparam("before")'
CHECK: Final = """        with self._connections.writing() as connection:
            head = connection.execute(HEAD_BEFORE, before).scalar()
"""

SEAL_UNCOMPARED: Final = ("if onto is not None and onto != head:", "if onto == head == '':")
"""What is not the fault's doing but would hide it: the last event is compared too."""

Meeting = Literal["together", "overtaken"]
"""Both have decided before either writes; or one commits when the other has read."""


@dataclass(frozen=True, slots=True)
class TraceFault:
    """A fault in a sentence; at which record of a meeting no explanation is left, and why none."""

    id: str
    sentence: str
    meeting: Meeting
    record: str
    why: str
    edits: tuple[Edit, ...]


FAULTS: Final = (
    TraceFault(
        id="no-compare-and-set",
        sentence="the UPDATE of the commit does not compare the revision",
        meeting="together",
        record="moves",
        why="Stale",
        edits=(
            Edit(STORE, COMPARED, 'ORGANIZATION.c.revision != -1 - bindparam("before")'),
            Edit(STORE, *SEAL_UNCOMPARED),
        ),
    ),
    TraceFault(
        id="compare-less-or-equal",
        sentence="any revision that is not older than the one read will do",
        meeting="together",
        record="moves",
        why="Stale",
        edits=(
            Edit(STORE, COMPARED, COMPARED.replace("==", ">=")),
            Edit(STORE, *SEAL_UNCOMPARED),
        ),
    ),
    TraceFault(
        id="no-bump",
        sentence="the commit leaves the revision as it is",
        meeting="together",
        record="moves",
        why="OtherRevision",
        edits=(
            Edit(
                STORE,
                '.values(revision=bindparam("revision"), audit_head',
                '.values(revision=bindparam("revision") - 1, audit_head',
            ),
        ),
    ),
    TraceFault(
        id="check-outside-transaction",
        sentence="the revision is compared in one transaction and written in the next",
        meeting="together",
        record="moves",
        why="Stale",
        edits=(
            Edit(STORE, COMPARED, 'ORGANIZATION.c.revision != -1 - bindparam("before")'),
            Edit(STORE, *SEAL_UNCOMPARED),
            Edit(
                STORE,
                CHECK,
                "        if self.revision(event.organization) != event.revision - 1:\n"
                f"            return None\n{CHECK}",
            ),
        ),
    ),
    TraceFault(
        id="facts-later",
        sentence="the revision is committed in one transaction and the facts in the next",
        meeting="together",
        record="writes",
        why="OtherPolicy",
        edits=(
            Edit(
                STORE,
                "            write_delta(connection, event)\n",
                "            connection.commit()\n            write_delta(connection, event)\n",
            ),
        ),
    ),
    TraceFault(
        id="blind-retry",
        sentence="after a lost race the old decision is committed again under the new revision",
        meeting="together",
        record="moves",
        why="NothingRead",
        edits=BLIND_RETRY,
    ),
    TraceFault(
        id="stale-refusal",
        sentence="a refusal is not held against the current revision",
        meeting="overtaken",
        record="refuses",
        why="Stale",
        edits=STALE_REFUSAL,
    ),
)
