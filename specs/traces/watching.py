"""The recorder: it watches the shipped store and service from where they meet the world.

Nothing of the product knows of it. The store gets its connections as ever, and the recorder hears
what the database is told over them: inside the transaction, after the compare-and-set and before
the commit, it looks at the row and the tables, and so records what is there, not what the code
says. `AdministrationPoint` gets its ports as ever; here they tell what passes through them.
"""

import time
from typing import Any, Final, cast

from sqlalchemy import Connection, Update, bindparam, event, literal, select, union_all
from typing_extensions import override

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.rows import table
from grantproof.adapters.sql.store import SqlStore
from grantproof.core.commands import Accepted, Event, Rejected
from grantproof.core.commands.language import SingleCommand
from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.service.pap import AdministrationPoint, Contended, Proposed
from grantproof.service.ports import Store
from grantproof.service.receipts import Receipt
from grantproof.service.snapshots import Snapshots
from grantproof.service.versions import Versioned
from specs.traces.cast import ModelSet, Pair, Policy, policy_of
from specs.traces.journal import Journal, Proposal

ORGANIZATION: Final = table("organization")
ROLE, ASSIGNMENT, INHERITANCE = table("role"), table("assignment"), table("inheritance")
SOD_SET, SOD_SET_ROLE = table("sod_set"), table("sod_set_role")
WAIT_SECONDS_MAX: Final = 0.005
NO_REVISION: Final = -1


_SOURCES: Final = (
    (ORGANIZATION, ORGANIZATION.c.id, literal(""), ORGANIZATION.c.revision),
    (ROLE, ROLE.c.id, literal(""), literal(0)),
    (ASSIGNMENT, ASSIGNMENT.c.principal_id, ASSIGNMENT.c.role_id, literal(0)),
    (INHERITANCE, INHERITANCE.c.role_id, INHERITANCE.c.parent_id, literal(0)),
    (SOD_SET, SOD_SET.c.id, literal(""), SOD_SET.c.n),
    (SOD_SET_ROLE, SOD_SET_ROLE.c.sod_set_id, SOD_SET_ROLE.c.role_id, literal(0)),
)
STORED: Final = union_all(
    *(
        select(literal(source.name), *columns).where(
            source.c.get("organization_id", ORGANIZATION.c.id) == bindparam("of")
        )
        for source, *columns in _SOURCES
    )
)
"""All that the model knows of an organization; made once."""

HELD: Final = select(ORGANIZATION.c.revision).where(ORGANIZATION.c.id == bindparam("of"))


def stored(connection: Connection, organization: str) -> tuple[int, Policy]:
    """Return the revision of the organization's row and what the tables hold, in one query."""
    rows: dict[str, list[tuple[str, str, int]]] = {source.name: [] for source, *_ in _SOURCES}
    for name, one, other, number in connection.execute(STORED, {"of": organization}):
        rows[name].append((one, other, number))
    revision = rows["organization"][0][2] if rows["organization"] else NO_REVISION
    roles_of = _pairs(rows["sod_set_role"])
    sod_sets: list[ModelSet] = [
        (tuple(role for sod_set, role in roles_of if sod_set == name), n)
        for name, _, n in rows["sod_set"]
    ]
    return revision, Policy(
        tuple(sorted(role for role, _, _ in rows["role"])),
        _pairs(rows["assignment"]),
        _pairs(rows["inheritance"]),
        tuple(sorted(sod_sets)),
    )


def _pairs(rows: list[tuple[str, str, int]]) -> tuple[Pair, ...]:
    return tuple(sorted((one, other) for one, other, _ in rows))


def watch(connections: Connections, journal: Journal) -> Connections:
    """Let the journal hear every transaction that writes; return the connections."""

    def executed(
        connection: Connection, cursor: Any, _sql: str, _values: Any, context: Any, _many: bool
    ) -> None:
        statement = getattr(context.compiled, "statement", None)
        moves = isinstance(statement, Update) and statement.table is ORGANIZATION
        proposal = journal.proposal
        if moves and cursor.rowcount > 0 and proposal is not None:
            held = connection.execute(HELD, {"of": proposal.organization}).scalar()
            journal.note("moves", revision=NO_REVISION if held is None else held)

    def committing(connection: Connection) -> None:
        proposal = journal.proposal
        if proposal is not None:
            revision, policy = stored(connection, proposal.organization)
            journal.note("writes", revision=revision, policy=policy)

    event.listen(connections.writers, "after_cursor_execute", executed)
    event.listen(connections.writers, "commit", committing)
    return connections


class WatchedStore:
    """A store that tells what it is asked and answers; all else of it is the store itself."""

    def __init__(self, store: SqlStore, journal: Journal) -> None:
        self._store = store
        self._journal = journal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def commit(
        self, happened: Event, *, receipt: Receipt | None = None, onto: str | None = None
    ) -> str | None:
        """Commit, and record whether the race was won."""
        seal = self._store.commit(happened, receipt=receipt, onto=onto)
        self._journal.note("loses" if seal is None else "commits")
        return seal

    def revision(self, organization: OrganizationId) -> int | None:
        """Return the current revision, and keep when it was asked for."""
        before = self._journal.stamp()
        found = self._store.revision(organization)
        proposal = self._journal.proposal
        if proposal is not None:
            proposal.asked = (before, self._journal.stamp())
        return found


class WatchedSnapshots(Snapshots):
    """Snapshots that record the state that a proposal is decided on, when it is taken."""

    def __init__(self, store: Store, journal: Journal) -> None:
        super().__init__(store)
        self._journal = journal

    @override
    def seen(self, organization: OrganizationId) -> Versioned | None:
        """Return the state as the service takes it, which is recorded."""
        found = super().seen(organization)
        lose_if_asked(self._journal)
        proposal = self._journal.proposal
        if found is not None and proposal is not None:
            state = found.state
            self._journal.note(
                "reads", revision=state.revision, policy=policy_of(state), told=proposal.command
            )
            proposal.then()
        return found


def lose_if_asked(journal: Journal) -> None:
    """Record a lost race when a refusal was held against the row and did not stand.

    The proposal goes on after it, so it was none.
    """
    proposal = journal.proposal
    if proposal is not None and proposal.asked is not None:
        journal.note("loses", stamp=proposal.asked[1])
        proposal.asked = None


class Administrator:
    """The real administration over watched connections; several threads may propose.

    `store` and `point` are the shipped classes, or those of a patched source.
    """

    def __init__(
        self,
        connections: Connections,
        journal: Journal,
        *,
        store: type[SqlStore] = SqlStore,
        point: type[AdministrationPoint] = AdministrationPoint,
    ) -> None:
        self.journal = journal
        self.connections = connections
        self.store = store(connections)
        watched = cast(Store, WatchedStore(self.store, journal))
        # What is followed is read past the watched store: only proposals ask that.
        self.snapshots = WatchedSnapshots(self.store, journal)
        self._point = point(
            watched, self.snapshots, clock=SystemClock(), backoff=JitteredBackoff(sleep=_briefly)
        )

    def propose(self, command: SingleCommand, proposal: Proposal) -> None:
        """Propose the command, and record what becomes of it."""
        organization = OrganizationId(proposal.organization)
        with self.journal.proposing(proposal):
            try:
                outcome = self._point.propose(organization, command, by=Author(proposal.who))
            except Exception as error:  # noqa: BLE001 - whatever it is, no proposal may end so
                self.journal.note("fails", told=f"{type(error).__name__}: {error}")
            else:
                self._conclude(outcome, proposal)

    def _conclude(self, outcome: Proposed, proposal: Proposal) -> None:
        # By name: of a patched service the outcomes are classes of its own.
        match type(outcome).__name__:
            case Accepted.__name__:
                pass
            case Rejected.__name__:
                asked = None if proposal.asked is None else proposal.asked[0]
                ground = type(cast(Rejected, outcome).refusal).__name__
                self.journal.note("refuses", stamp=asked, told=ground)
            case Contended.__name__:
                lose_if_asked(self.journal)
                self.journal.note("contended")
            case other:
                self.journal.note("fails", told=f"the outcome is {other}")


def _briefly(seconds: float) -> None:
    """Sleep, but not for long: whoever loses is to come back and race, and a fault to show soon."""
    time.sleep(min(seconds, WAIT_SECONDS_MAX))
