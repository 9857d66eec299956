"""Receipts as rows: written in the transaction of the change that they are about."""

from typing import Final

from sqlalchemy import Connection, delete, insert, or_, select

from grantproof.adapters.sql.rows import table
from grantproof.core.identifiers import OrganizationId
from grantproof.service.receipts import Once, Receipt

RECEIPT: Final = table("receipt")


def write_receipt(connection: Connection, receipt: Receipt | None) -> None:
    """Keep the receipt, in place of an older one under its key, and forget those it outdates."""
    if receipt is None:
        return
    same_key = (RECEIPT.c.actor == receipt.actor) & (RECEIPT.c.key == receipt.once.key)
    connection.execute(
        delete(RECEIPT).where(
            RECEIPT.c.organization_id == receipt.organization,
            or_(same_key, RECEIPT.c.instant <= receipt.outdated),
        )
    )
    connection.execute(
        insert(RECEIPT),
        {
            "organization_id": receipt.organization,
            "actor": receipt.actor,
            "key": receipt.once.key,
            "digest": receipt.once.digest,
            "revision": receipt.revision,
            "instant": receipt.instant,
        },
    )


def read_receipt(
    connection: Connection, organization: OrganizationId, *, actor: str, key: str, after: int
) -> Receipt | None:
    """Return the receipt under the key, unless its instant is not past `after`."""
    query = select(RECEIPT.c.digest, RECEIPT.c.revision, RECEIPT.c.instant).where(
        RECEIPT.c.organization_id == organization,
        RECEIPT.c.actor == actor,
        RECEIPT.c.key == key,
        RECEIPT.c.instant > after,
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    digest, revision, instant = row
    return Receipt(organization, actor, Once(key, digest), revision, instant)


def erase_receipts(connection: Connection, organization: OrganizationId) -> None:
    """Forget every receipt of the organization."""
    connection.execute(delete(RECEIPT).where(RECEIPT.c.organization_id == organization))
