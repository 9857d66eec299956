"""The sessions that are kept: what the use cases need of whatever keeps them.

Sessions belong to principals of an organization, but stand outside of its revisions. One suite in
`tests/contracts` runs against every store.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from grantproof.core.identifiers import OrganizationId, PrincipalId, SessionId
from grantproof.core.sessions import Session
from grantproof.service.receipts import Consumption, Pledge


@dataclass(frozen=True, slots=True)
class Told:
    """What is to be kept with a session that is opened or changed: how it is answered."""

    pledge: Pledge
    answer: str


class Writing(Enum):
    """What became of a session that was to be written; but for `DONE` nothing was changed."""

    DONE = "done"
    """It is written, and durable."""
    STALE = "stale"
    """The organization or the session is not what was decided on any more, or is gone."""
    FULL = "full"
    """The principal has as many sessions as it may have."""


class SessionStore(Protocol):
    """Keeps sessions. Safe from several threads; several processes may hold one.

    Any method may raise `StoreError`; then nothing was changed. Sessions end with their principal,
    in the change that deletes it, also where that change makes a namesake; and with the
    organization. A session that has expired is kept until it is pruned, and only `read` tells it.
    """

    def open(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        most: int,
        told: Told | None = None,
    ) -> Writing | Consumption:
        """Keep a new session while the organization is at `revision`.

        Only if its principal has fewer than `most` sessions that last when it is created. What is
        told is kept in the same step, as an answer under its pledge; where something is kept under
        that key already, not a day old, it is returned and nothing is written.
        """
        ...

    def change(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        instant: int,
        told: Told | None = None,
    ) -> Writing | Consumption:
        """Put the roles of a session in place of those of the version before.

        Compare-and-set: only while the organization is at `revision`, and the session is there,
        lasts, and has the version before. What is told is kept as `open` does.
        """
        ...

    def end(self, organization: OrganizationId, session: SessionId, *, instant: int) -> bool:
        """Remove a session for good; false when there is none that lasts."""
        ...

    def read(
        self, organization: OrganizationId, sessions: Collection[SessionId]
    ) -> Mapping[SessionId, Session]:
        """Return those of the sessions that are there, in few queries, as of one moment."""
        ...

    def page(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        after: SessionId | None = None,
        limit: int,
    ) -> tuple[Session, ...]:
        """Return sessions that last, of the principal where given, in the order of their ids.

        After `after`, at most `limit`.
        """
        ...

    def answered(
        self, organization: OrganizationId, pledge: Pledge, *, after: int
    ) -> Consumption | None:
        """Return what is kept under the pledge's key, if its instant is past `after`."""
        ...

    def prune(self, *, until: int, limit: int) -> int:
        """Remove at most `limit` sessions, of any organization, that expired then or before.

        Return how many were removed.
        """
        ...
