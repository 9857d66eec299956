"""Sessions in memory, under the lock of the store that keeps their organizations."""

import threading
from collections.abc import Collection, Mapping

from grantproof.adapters.memory.tenants import Tenant
from grantproof.core.identifiers import OrganizationId, PrincipalId, SessionId
from grantproof.core.sessions import Session
from grantproof.service.receipts import Consumption, Pledge
from grantproof.service.session_store import Told, Writing


class MemorySessions:
    """The `SessionStore` of a store in memory."""

    def __init__(self, lock: threading.Lock, tenants: Mapping[OrganizationId, Tenant]) -> None:
        self._lock = lock
        self._tenants = tenants

    def open(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        most: int,
        told: Told | None = None,
    ) -> Writing | Consumption:
        """Keep a new session while the organization is at `revision`."""
        now = session.created_at
        with self._lock:
            tenant = self._current(organization, revision)
            if tenant is None:
                return Writing.STALE
            known = None if told is None else tenant.kept(told.pledge, now)
            if known is not None:
                return known
            mine = (one for one in tenant.sessions.values() if one.principal == session.principal)
            if sum(one.lasts(now) for one in mine) >= most:
                return Writing.FULL
            tenant.sessions[session.id] = session
            if told is not None:
                tenant.keep_answer(told.pledge, now, told.answer)
            return Writing.DONE

    def change(
        self,
        organization: OrganizationId,
        session: Session,
        *,
        revision: int,
        instant: int,
        told: Told | None = None,
    ) -> Writing | Consumption:
        """Put the roles of a session in place of those of the version before."""
        with self._lock:
            tenant = self._current(organization, revision)
            if tenant is None:
                return Writing.STALE
            known = None if told is None else tenant.kept(told.pledge, instant)
            if known is not None:
                return known
            before = tenant.sessions.get(session.id)
            if before is None or before.version + 1 != session.version:
                return Writing.STALE
            if not before.lasts(instant):
                return Writing.STALE
            tenant.sessions[session.id] = session
            if told is not None:
                tenant.keep_answer(told.pledge, instant, told.answer)
            return Writing.DONE

    def end(self, organization: OrganizationId, session: SessionId, *, instant: int) -> bool:
        """Remove a session for good; false when there is none that lasts."""
        with self._lock:
            tenant = self._tenants.get(organization)
            known = None if tenant is None else tenant.sessions.get(session)
            if tenant is None or known is None or not known.lasts(instant):
                return False
            del tenant.sessions[session]
            return True

    def read(
        self, organization: OrganizationId, sessions: Collection[SessionId]
    ) -> Mapping[SessionId, Session]:
        """Return those of the sessions that are there."""
        with self._lock:
            tenant = self._tenants.get(organization)
            known = {} if tenant is None else tenant.sessions
            return {name: known[name] for name in sessions if name in known}

    def page(
        self,
        organization: OrganizationId,
        *,
        instant: int,
        principal: PrincipalId | None = None,
        after: SessionId | None = None,
        limit: int,
    ) -> tuple[Session, ...]:
        """Return sessions that last, of the principal where given, in the order of their ids."""
        with self._lock:
            tenant = self._tenants.get(organization)
            found = sorted(
                (name, one)
                for name, one in ({} if tenant is None else tenant.sessions).items()
                if one.lasts(instant)
                and principal in {None, one.principal}
                and (after is None or name > after)
            )
        return tuple(one for _, one in found[: max(limit, 0)])

    def answered(
        self, organization: OrganizationId, pledge: Pledge, *, after: int
    ) -> Consumption | None:
        """Return what is kept under the pledge's key, if its instant is past `after`."""
        with self._lock:
            tenant = self._tenants.get(organization)
            if tenant is None:
                return None
            return tenant.consumption(pledge.actor, pledge.once.key, after=after)

    def prune(self, *, until: int, limit: int) -> int:
        """Remove at most `limit` sessions that expired then or before; return how many."""
        with self._lock:
            ended = [
                (tenant.sessions, name)
                for tenant in self._tenants.values()
                for name, one in tenant.sessions.items()
                if not one.lasts(until)
            ][: max(limit, 0)]
            for kept, name in ended:
                del kept[name]
            return len(ended)

    def _current(self, organization: OrganizationId, revision: int) -> Tenant | None:
        """Return what is kept of the organization, if it is at the revision."""
        tenant = self._tenants.get(organization)
        if tenant is None or tenant.state is None or tenant.state.revision != revision:
            return None
        return tenant
