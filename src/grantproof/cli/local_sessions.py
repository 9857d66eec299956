"""Stored sessions in the database itself."""

from typing import TYPE_CHECKING

from typing_extensions import override

from grantproof.cli.exits import ExitCode, Stop, absent
from grantproof.cli.operator import KeptSessions

if TYPE_CHECKING:
    from grantproof.cli.local import LocalOperator
    from grantproof.core.identifiers import PrincipalId, RoleId, SessionId
    from grantproof.core.sessions import Session
    from grantproof.policyfile.contexts import Written
    from grantproof.service.sessions import Outcome, Wanted


class LocalSessions(KeptSessions):
    """Opens and changes sessions with every right, in the name of the system's user."""

    def __init__(self, operator: "LocalOperator") -> None:
        self._operator = operator
        self._organization = operator.organization
        self._kept = operator.services.sessions

    @override
    def open(self, wanted: "Wanted") -> "Written":
        by = self._operator.author
        return self._done(self._kept.open(self._organization, wanted, by=by))

    @override
    def of(self, principal: "PrincipalId | None") -> "list[Written]":
        from grantproof.core.limits import PAGE_ITEMS_MAX
        from grantproof.service.sessions import session_document

        # What is not there has no sessions, which would look like an organization without any.
        name, kept, found = self._operator.state.id, self._kept, list["Session"]()
        page = kept.page(name, principal=principal, limit=PAGE_ITEMS_MAX)
        while page:
            found.extend(page)
            last = page[-1].id
            page = kept.page(name, principal=principal, after=last, limit=PAGE_ITEMS_MAX)
        return [session_document(one) for one in found]

    @override
    def show(self, session: "SessionId") -> "Written":
        from grantproof.service.sessions import session_document
        from grantproof.service.standard_review import session_roles

        state = self._operator.state
        found = self._kept.find(state.id, session)
        if found is None:
            raise absent("session", session)
        now = self._operator.instant()
        active = session_roles(state, found.principal, now, chosen=found.roles)
        return {**session_document(found), "active_roles": sorted(active)}

    @override
    def add_role(self, session: "SessionId", role: "RoleId") -> "Written":
        by = self._operator.author
        return self._done(self._kept.add_role(self._organization, session, role, by=by))

    @override
    def drop_role(self, session: "SessionId", role: "RoleId") -> "Written":
        by = self._operator.author
        return self._done(self._kept.drop_role(self._organization, session, role, by=by))

    @override
    def end(self, session: "SessionId") -> bool:
        return self._kept.end(self._organization, session)

    def _done(self, outcome: "Outcome") -> "Written":
        """Return the session as it is now; raises `Stop` where nothing was done."""
        from grantproof.cli.witness import unwilling
        from grantproof.service.pap import Contended
        from grantproof.service.sessions import Unwilling, Written, session_document

        match outcome:
            case Written(session):
                return session_document(session)
            case Unwilling(refusal):
                raise unwilling(refusal)
            case Contended(attempts):
                line = f"others were faster {attempts} times in a row: try again"
                raise Stop(ExitCode.UNDETERMINED, line)
            case _:
                raise absent("organization", self._organization)
