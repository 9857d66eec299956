"""What is recorded, and in which order: every record has a stamp that all processes draw together.

A stamp is drawn while the thing happens. Of a commit it is drawn inside the critical section: the
transaction has moved the organization's row, and the database holds the row for it until it ends.
So the stamps of commits have the order of the commits, whatever the code believes.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import msgspec

from specs.traces.cast import Policy, Words

What = Literal[
    "begins", "reads", "moves", "writes", "commits", "loses", "refuses", "contended", "fails",
    "ends",
]  # fmt: skip
"""Begins and ends are of the trace, by an observer; the rest is of a proposal."""

Stamps = Callable[[], int]
"""Draws the next stamp, greater than all that any process has drawn."""


class Record(msgspec.Struct, frozen=True):
    """Something that happened to a proposal of a trace.

    `who` is the proposal and empty for an observer. `revision` is the one read, or that the row
    holds; `policy` what was read or what the tables hold; `told` the command of a proposal that
    reads, the ground of a refusal, the text of a failure.
    """

    stamp: int
    trace: str
    who: str
    what: What
    revision: int = 0
    policy: Policy | None = None
    told: str | Words = ""


@dataclass
class Proposal:
    """What a thread is proposing, and how far it has got.

    `asked` holds the stamps before and after a refusal was held against the stored revision. `then`
    is called after each reading: there an arranged meeting lets another overtake.
    """

    trace: str
    organization: str
    who: str
    command: Words
    asked: tuple[int, int] | None = None
    then: Callable[[], None] = lambda: None


class Journal:
    """The records of one process. Threads may write it at the same time, each of its own doing."""

    def __init__(self, stamps: Stamps) -> None:
        self._stamps = stamps
        self._here = threading.local()
        self.records: list[Record] = []

    @property
    def proposal(self) -> Proposal | None:
        """What this thread is proposing."""
        found: Proposal | None = getattr(self._here, "proposal", None)
        return found

    @contextmanager
    def proposing(self, proposal: Proposal) -> Iterator[None]:
        """Let this thread's records be of the proposal."""
        self._here.proposal = proposal
        try:
            yield
        finally:
            self._here.proposal = None

    def stamp(self) -> int:
        """Draw a stamp, for a record that is written when more is known."""
        return self._stamps()

    def note(
        self,
        what: What,
        *,
        stamp: int | None = None,
        revision: int = 0,
        policy: Policy | None = None,
        told: str | Words = "",
    ) -> None:
        """Record what this thread's proposal does; nothing where none is under way."""
        proposal = self.proposal
        if proposal is None:
            return
        drawn = self._stamps() if stamp is None else stamp
        record = Record(drawn, proposal.trace, proposal.who, what, revision, policy, told)
        self.records.append(record)

    def observe(self, what: What, trace: str, *, revision: int, policy: Policy) -> None:
        """Record what an observer finds while nobody proposes."""
        self.records.append(Record(self._stamps(), trace, "", what, revision, policy))
