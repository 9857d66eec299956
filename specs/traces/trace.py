"""Traces out of records in the order of their stamps, each with its start and its proposals."""

from collections import defaultdict
from collections.abc import Iterable
from typing import cast

import msgspec

from specs.traces.cast import Policy, Words
from specs.traces.journal import Record


class Incomplete(Exception):
    """The records of a trace do not make one: the message says what is missing."""


class Claimed(msgspec.Struct, frozen=True):
    """A proposal as its records tell it: the command, and the revision that each attempt read."""

    who: str
    command: Words
    reads: tuple[int, ...]


class Trace(msgspec.Struct, frozen=True):
    """What happened to one organization while several proposed, from rest to rest.

    Revisions count from `start`, the policy at the beginning.
    """

    name: str
    start: Policy
    proposals: tuple[Claimed, ...]
    records: tuple[Record, ...]

    @property
    def lost(self) -> int:
        """How many races were lost."""
        return sum(record.what == "loses" for record in self.records)

    @property
    def states(self) -> int:
        """How many states explain it: the first, and one each record, reading and commit."""
        read = sum(len(proposal.reads) for proposal in self.proposals)
        commits = sum(record.what == "commits" for record in self.records)
        return 1 + len(self.records) + read + commits


def traces_of(records: Iterable[Record]) -> tuple[Trace, ...]:
    """Return the traces, in the order of their beginnings. Raises `Incomplete`."""
    by_trace: dict[str, list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda record: record.stamp):
        by_trace[record.trace].append(record)
    # One that only begins is where the races were over.
    begun = [one for one in by_trace.items() if [record.what for record in one[1]] != ["begins"]]
    return tuple(_trace(name, mine) for name, mine in begun)


def _trace(name: str, records: list[Record]) -> Trace:
    first, last = records[0], records[-1]
    if first.what != "begins" or first.policy is None or last.what != "ends":
        raise Incomplete(f"trace {name} has no beginning or no end")
    rest = tuple(
        msgspec.structs.replace(record, revision=record.revision - first.revision)
        for record in records[1:]
    )
    reading = [record for record in rest if record.what == "reads"]
    proposals = tuple(
        Claimed(
            who,
            cast(Words, next(record.told for record in reading if record.who == who)),
            tuple(record.revision for record in reading if record.who == who),
        )
        for who in sorted({record.who for record in reading})
    )
    if {record.who for record in rest[:-1]} != {proposal.who for proposal in proposals}:
        raise Incomplete(f"trace {name} has a proposal that read nothing")
    return Trace(name, first.policy, proposals, rest)
