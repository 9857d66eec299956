"""At which revision an organization stands, and holding it there.

Whatever is written beside the revisions, counters and sessions, is decided on one of them.
"""

from typing import Final

from sqlalchemy import Connection, Select, select

from grantproof.adapters.sql.rows import table
from grantproof.core.identifiers import OrganizationId

ORGANIZATION: Final = table("organization")


def revision_of(organization: OrganizationId) -> Select[int]:
    """Return the query for the current revision, which finds nothing where there is none."""
    return select(ORGANIZATION.c.revision).where(
        ORGANIZATION.c.id == organization, ORGANIZATION.c.deleted_at.is_(None)
    )


def is_at(connection: Connection, organization: OrganizationId, revision: int) -> bool:
    """Return whether the organization is at the revision, where it stays until we have ended."""
    # Shared by all who do so; a change of the organization waits for them, or they for it.
    held = revision_of(organization).with_for_update(read=True)
    return connection.execute(held).scalar_one_or_none() == revision
