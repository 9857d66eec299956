"""Kept answers as rows: written in the transaction of the charge that they are about.

The key is taken before anything is counted. Who comes second waits for that transaction, and then
finds its answer, or the key free when it was undone.
"""

from typing import Final

from sqlalchemy import Connection, and_, delete, select, tuple_, update

from grantproof.adapters.sql.rows import table
from grantproof.adapters.sql.upserts import upsert
from grantproof.core.identifiers import OrganizationId
from grantproof.service.receipts import RECEIPT_SECONDS, Consumption, Once, Pledge

CONSUMPTION: Final = table("consumption")
KEY: Final = ("organization_id", "actor", "key")
UNANSWERED: Final = ""
"""Stands in a row until its transaction ends, and is seen by nobody else."""


def take_key(
    connection: Connection, organization: OrganizationId, pledge: Pledge, *, instant: int
) -> bool:
    """Return whether the key is ours, until the transaction ends; false when it was used."""
    once = pledge.once
    taken = {"digest": once.digest, "instant": instant, "answer": UNANSWERED}
    fresh = upsert(CONSUMPTION, connection).values(
        organization_id=organization, actor=pledge.actor, key=once.key, **taken
    )
    ours = fresh.on_conflict_do_update(
        index_elements=KEY,
        set_=taken,
        where=CONSUMPTION.c.instant <= instant - RECEIPT_SECONDS,
    ).returning(CONSUMPTION.c.key)
    return connection.execute(ours).first() is not None


def keep_answer(
    connection: Connection, organization: OrganizationId, pledge: Pledge, *, answer: str
) -> None:
    """Write the answer under the key that was taken."""
    mine = and_(
        CONSUMPTION.c.organization_id == organization,
        CONSUMPTION.c.actor == pledge.actor,
        CONSUMPTION.c.key == pledge.once.key,
    )
    connection.execute(update(CONSUMPTION).where(mine).values(answer=answer))


def kept_under(
    connection: Connection, organization: OrganizationId, pledge: Pledge, *, instant: int
) -> Consumption | None:
    """Return what keeps the key from being taken at the instant.

    Nothing is there only when it was forgotten just now: then look again.
    """
    after = instant - RECEIPT_SECONDS
    return read_consumption(
        connection, organization, actor=pledge.actor, key=pledge.once.key, after=after
    )


def read_consumption(
    connection: Connection, organization: OrganizationId, *, actor: str, key: str, after: int
) -> Consumption | None:
    """Return what is kept under the key, unless its instant is not past `after`."""
    columns = CONSUMPTION.c
    query = select(columns.digest, columns.instant, columns.answer).where(
        columns.organization_id == organization,
        columns.actor == actor,
        columns.key == key,
        columns.instant > after,
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    digest, instant, answer = row
    return Consumption(organization, actor, Once(key, digest), instant, answer)


def has_outdated(connection: Connection, until: int) -> bool:
    """Return whether something is kept from `until` or before."""
    query = select(CONSUMPTION.c.key).where(CONSUMPTION.c.instant <= until).limit(1)
    return connection.execute(query).first() is not None


def forget(connection: Connection, *, until: int, limit: int) -> int:
    """Remove at most `limit` rows from `until` or before; return how many were removed."""
    columns = [CONSUMPTION.c[name] for name in KEY]
    chosen = select(*columns).where(CONSUMPTION.c.instant <= until).limit(max(limit, 0))
    outdated = and_(tuple_(*columns).in_(chosen), CONSUMPTION.c.instant <= until)
    return connection.execute(delete(CONSUMPTION).where(outdated)).rowcount


def erase_consumptions(connection: Connection, organization: OrganizationId) -> None:
    """Forget every answer of the organization."""
    connection.execute(delete(CONSUMPTION).where(CONSUMPTION.c.organization_id == organization))
