"""The service with a recorder of traces in it: `python -m tests.survival.recorded serve ...`.

The shipped classes are put together by the shipped composition root; three of its names lead to
subclasses that tell what passes through them, as `specs.traces.watching` does. What a request
proposes is recorded under its request id, in organizations whose name begins with `trace`. Stamps
come from one file that all processes count in.
"""

import fcntl
import os
import struct
import threading
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from typing_extensions import override

from grantproof import bootstrap
from grantproof.adapters.sql.store import SqlStore
from grantproof.core.commands import Event, Rejected
from grantproof.core.commands.language import ChangeSet, Command
from grantproof.core.errors import RefusedAt
from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.service.pap import NO_TERMS, AdministrationPoint, Proposed, Terms
from grantproof.service.ports import Store
from grantproof.service.receipts import Receipt
from grantproof.service.snapshots import Snapshots
from grantproof.service.versions import Versioned
from specs.traces.cast import policy_of, words_of
from specs.traces.journal import Journal, Proposal, Record
from specs.traces.places import Place
from specs.traces.watching import WatchedStore, lose_if_asked, watch

FOLDER: Final = "GRANTPROOF_TRACES"
"""The environment variable that names the folder of stamps and records."""

TRACED: Final = "trace"
UNTRACED: Final = "untraced"
"""How the request id of a proposal begins that is not to be recorded."""

LOSSES: Final = "losses"
"""A file with a byte for each lost race, in whatever organization."""

NUMBER: Final = struct.Struct("<q")


class Stamps:
    """Counts in a file, one process and one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._lock = threading.Lock()

    def __call__(self) -> int:
        """Draw the next stamp."""
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                found = os.pread(self._file, NUMBER.size, 0)
                last = NUMBER.unpack(found)[0] if found else 0
                os.pwrite(self._file, NUMBER.pack(last + 1), 0)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
        return int(last + 1)


class Lines(list[Record]):
    """Records that are a line of a file each, as soon as they are there."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @override
    def append(self, record: Record, /) -> None:
        os.write(self._file, msgspec.json.encode(record, enc_hook=str) + b"\n")


def records(folder: Path) -> list[Record]:
    """What all processes have recorded in the folder."""
    decoder = msgspec.json.Decoder(Record)
    return [
        decoder.decode(line)
        for path in sorted(folder.glob("*.records"))
        for line in path.read_bytes().splitlines()
    ]


def journal_in(folder: Path) -> Journal:
    """A journal that shares the stamps of the folder."""
    journal = Journal(Stamps(folder / "stamps"))
    journal.records = Lines(folder / f"{os.getpid()}.records")
    return journal


def install(journal: Journal, folder: Path) -> None:
    """Let the composition root make what is recorded."""

    class RecordedSnapshots(Snapshots):
        """Snapshots that record the state on which a proposal is decided."""

        def __init__(self, store: Store, **more: Any) -> None:
            # What is followed is read past the watched store: only proposals ask that.
            inner: Store = store.inner if isinstance(store, RecordedStore) else store
            super().__init__(inner, **more)

        @override
        def seen(self, organization: OrganizationId) -> Versioned | None:
            found = super().seen(organization)
            proposal = journal.proposal
            if found is not None and proposal is not None:
                lose_if_asked(journal)
                state = found.state
                told = proposal.command
                journal.note("reads", revision=state.revision, policy=policy_of(state), told=told)
            return found

    class RecordedPoint(AdministrationPoint):
        """Administration that records each proposal, if it is one that the model has."""

        @override
        def propose(
            self,
            organization: OrganizationId,
            command: Command,
            *,
            by: Author,
            terms: Terms = NO_TERMS,
        ) -> Proposed:
            if not organization.startswith(TRACED) or by.request_id is None:
                return super().propose(organization, command, by=by, terms=terms)
            single = command.commands[0] if isinstance(command, ChangeSet) else command
            if by.request_id.startswith(UNTRACED):
                return super().propose(organization, command, by=by, terms=terms)
            trace = by.request_id.partition(":")[0]
            proposal = Proposal(trace, organization, by.request_id, words_of(single))
            with journal.proposing(proposal):
                try:
                    outcome = super().propose(organization, command, by=by, terms=terms)
                except Exception as error:
                    journal.note("fails", told=f"{type(error).__name__}: {error}")
                    raise
                conclude(journal, outcome, proposal)
            return outcome

    def open_recorded(address: str, *, key_file: Path | None, **_: bool) -> Store:
        assert key_file is not None
        connections = watch(Place("raced", address, key_file).connections(), journal)
        return cast(Store, RecordedStore(SqlStore(connections), journal, losses=folder / LOSSES))

    for name, made in {
        "open_database": open_recorded,
        "Snapshots": RecordedSnapshots,
        "AdministrationPoint": RecordedPoint,
    }.items():
        setattr(bootstrap, name, made)


class RecordedStore(WatchedStore):
    """A store that tells what it is asked, and the store itself for those who are not heard."""

    def __init__(self, store: SqlStore, journal: Journal, *, losses: Path) -> None:
        super().__init__(store, journal)
        self.inner = store
        self._losses = os.open(losses, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    @override
    def commit(
        self, happened: Event, *, receipt: Receipt | None = None, onto: str | None = None
    ) -> str | None:
        """Commit, and note a lost race in whatever organization."""
        seal = super().commit(happened, receipt=receipt, onto=onto)
        if seal is None:
            os.write(self._losses, b".")
        return seal


def conclude(journal: Journal, outcome: Proposed, proposal: Proposal) -> None:
    """Record what became of a proposal that was answered."""
    match type(outcome).__name__:
        case "Accepted":
            pass
        case "Rejected":
            asked = None if proposal.asked is None else proposal.asked[0]
            refusal = cast(Rejected, outcome).refusal
            inner = refusal.refusal if isinstance(refusal, RefusedAt) else refusal
            journal.note("refuses", stamp=asked, told=type(inner).__name__)
        case "Contended":
            lose_if_asked(journal)
            journal.note("contended")
        case other:
            journal.note("fails", told=f"the outcome is {other}")


if __name__ == "__main__":
    place = Path(os.environ[FOLDER])
    install(journal_in(place), place)
    from grantproof.cli.main import main

    main()
