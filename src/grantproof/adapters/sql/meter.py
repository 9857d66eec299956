"""The counters in a SQL database: a charge is one transaction, each of its counters one upsert.

`INSERT ... ON CONFLICT DO UPDATE ... WHERE used < limit` compares and adds in one statement, on a
row that it has locked. What the rows count for is held still by a lock on the organization's row.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    delete,
    select,
    tuple_,
    update,
)

from grantproof.adapters.sql.connections import Connections
from grantproof.adapters.sql.consumptions import (
    forget,
    has_outdated,
    keep_answer,
    kept_under,
    read_consumption,
    take_key,
)
from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import Stored
from grantproof.adapters.sql.rows import table
from grantproof.adapters.sql.standing import is_at, revision_of
from grantproof.adapters.sql.upserts import upsert
from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId
from grantproof.core.metering import SPANS, Charge, Counter, Readings
from grantproof.service.meter import Charged, Keeping, Reading, Uncharged, Used
from grantproof.service.ports import StoreUnusable
from grantproof.service.receipts import Consumption

COUNTER: Final = table("counter")

KEY: Final = ("principal_id", "claim_id", "span", "starts_at")
FIELDS: Final = tuple(COUNTER.c[name] for name in KEY)


class SqlMeter:
    """The `Meter` of a SQL database, on the connections of its store."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def read(
        self, organization: OrganizationId, principal: PrincipalId, *, instant: int
    ) -> Reading | None:
        """Return the principal's counters whose windows have not ended at the instant."""
        found = _counts(_live(organization, instant, principal=principal))
        with self._connections.reading() as connection:
            return _reading(connection, organization, found)

    def charge(
        self,
        organization: OrganizationId,
        charges: Sequence[Charge],
        *,
        revision: int,
        instant: int,
        keeping: Keeping | None = None,
    ) -> Charged | Uncharged | Consumption:
        """Add one to every counter if all are below their limits; else to none. P-CONSUME."""
        with self._connections.writing() as connection:
            if not is_at(connection, organization, revision):
                return Uncharged.STALE
            if keeping is not None and not take_key(
                connection, organization, keeping.pledge, instant=instant
            ):
                known = kept_under(connection, organization, keeping.pledge, instant=instant)
                return Uncharged.STALE if known is None else known
            before: dict[Counter, int] = {}
            for charge in charges:
                count = _add_one(connection, organization, charge, instant=instant)
                if count is None:
                    return Uncharged.FULL
                before[charge.counter] = count - 1
            charged = Charged(before)
            if keeping is not None:
                told = keeping.answer(charged)
                keep_answer(connection, organization, keeping.pledge, answer=told)
            connection.commit()
            return charged

    def consumption(
        self, organization: OrganizationId, *, actor: str, key: str, after: int
    ) -> Consumption | None:
        """Return what was kept under the key, unless its instant is not past `after`."""
        with self._connections.reading() as connection:
            return read_consumption(connection, organization, actor=actor, key=key, after=after)

    def forget(self, *, until: int, limit: int) -> int:
        """Forget at most `limit` consumptions from `until` or before; return how many."""
        with self._connections.reading() as connection:
            if not has_outdated(connection, until):
                return 0
        with self._connections.writing() as connection:
            forgotten = forget(connection, until=until, limit=limit)
            connection.commit()
            return forgotten

    def usage(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        claim: ClaimId | None = None,
        after: Counter | None = None,
        limit: int,
    ) -> tuple[Used, ...]:
        """Return counters whose windows have not ended, of the principal and claim where given."""
        wanted = _live(organization, instant, principal=principal, claim=claim)
        if after is not None:
            wanted = and_(wanted, tuple_(*FIELDS) > tuple_(*after))
        query = _counts(wanted).order_by(*FIELDS).limit(max(limit, 0))
        with self._connections.reading() as connection:
            return tuple(_used(organization, row) for row in connection.execute(query))

    def reset(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        claim: ClaimId | None = None,
    ) -> int:
        """Set the counters that `usage` would return to 0; return how many they are."""
        wanted = _live(organization, instant, principal=principal, claim=claim)
        with self._connections.writing() as connection:
            # Nobody charges meanwhile: rows locked in another order would hold each other up.
            connection.execute(revision_of(organization).with_for_update())
            done = connection.execute(
                update(COUNTER).where(wanted).values(used=0, changed_at=instant)
            )
            connection.commit()
            return done.rowcount

    def changed(
        self, organization: OrganizationId, *, since: int | None, instant: int
    ) -> Reading | None:
        """Return every counter whose window has not ended, changed at `since` or later."""
        wanted = _live(organization, instant)
        if since is not None:
            wanted = and_(wanted, COUNTER.c.changed_at >= since)
        with self._connections.reading() as connection:
            return _reading(connection, organization, _counts(wanted))

    def prune(self, *, before: int, limit: int) -> int:
        """Remove at most `limit` counters whose windows ended before then; return how many."""
        columns = (COUNTER.c.organization_id, *FIELDS)
        ended = select(*columns).where(COUNTER.c.ends_at < before).limit(max(limit, 0))
        with self._connections.reading() as connection:
            if connection.execute(ended.limit(1)).first() is None:
                # Most often there is nothing to do: then nobody has to wait for a writer.
                return 0
        with self._connections.writing() as connection:
            gone = delete(COUNTER).where(tuple_(*columns).in_(ended))
            pruned = connection.execute(gone).rowcount
            connection.commit()
            return pruned


def _add_one(
    connection: Connection, organization: OrganizationId, charge: Charge, *, instant: int
) -> int | None:
    """Return what the counter stands at after one more use; nothing when it is at its limit."""
    fresh = upsert(COUNTER, connection).values(
        organization_id=organization,
        **dict(zip(KEY, charge.counter, strict=True)),
        ends_at=charge.end,
        used=1,
        changed_at=instant,
    )
    counted = fresh.on_conflict_do_update(
        index_elements=["organization_id", *KEY],
        set_={"used": COUNTER.c.used + 1, "changed_at": instant},
        where=COUNTER.c.used < charge.limit,
    ).returning(COUNTER.c.used)
    return connection.execute(counted).scalar_one_or_none()


def _live(
    organization: OrganizationId,
    instant: int,
    *,
    principal: PrincipalId | None = None,
    claim: ClaimId | None = None,
) -> ColumnElement[bool]:
    """Return the condition on counters whose windows have not ended."""
    columns = COUNTER.c
    conditions = [columns.organization_id == organization, columns.ends_at > instant]
    if principal is not None:
        conditions.append(columns.principal_id == principal)
    if claim is not None:
        conditions.append(columns.claim_id == claim)
    return and_(*conditions)


def _counts(wanted: ColumnElement[bool]) -> Select[Any]:
    return select(*FIELDS, COUNTER.c.used).where(wanted)


def _reading(
    connection: Connection, organization: OrganizationId, counts: Select[Any]
) -> Reading | None:
    # The revision first: counters that a later change takes away are then missed at most once.
    revision = connection.execute(revision_of(organization)).scalar_one_or_none()
    if revision is None:
        return None
    used: Readings = dict(_used(organization, row) for row in connection.execute(counts))
    return Reading(revision, used)


def _used(organization: OrganizationId, row: Stored) -> Used:
    principal, claim, span, start, count = row
    if span not in SPANS:
        raise StoreUnusable(
            f"the counters of organization `{organization}` have an unknown span: {RESTORE}"
        )
    return Used(Counter(PrincipalId(principal), ClaimId(claim), span, start), count)
