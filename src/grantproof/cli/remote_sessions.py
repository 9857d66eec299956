"""Stored sessions that a server keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from grantproof.cli.exits import absent
from grantproof.cli.operator import KeptSessions
from grantproof.cli.remote_http import Server, ServerSays, path_of

if TYPE_CHECKING:
    from grantproof.cli.remote import RemoteOperator
    from grantproof.core.identifiers import PrincipalId, RoleId, SessionId
    from grantproof.policyfile.contexts import Written
    from grantproof.service.sessions import Wanted

NOT_FOUND: Final = "not_found"


class RemoteSessions(KeptSessions):
    """Opens and changes sessions with the rights of a key."""

    def __init__(self, operator: "RemoteOperator", server: Server) -> None:
        self._operator = operator
        self._server = server

    @override
    def open(self, wanted: "Wanted") -> "Written":
        body = {
            "principal": wanted.principal,
            "roles": sorted(wanted.roles),
            "seconds": wanted.seconds,
        }
        with refusals():
            return self._operator.post(self._path(), body, once=True)

    @override
    def of(self, principal: "PrincipalId | None") -> "list[Written]":
        return list(self._operator.items(self._path(), {"principal": principal}))

    @override
    def show(self, session: "SessionId") -> "Written":
        with refusals(session):
            told = self._get(session)
            active = self._server.ask("GET", self._path(session, "roles")).json()["active"]
        return {**told, "active_roles": active}

    @override
    def add_role(self, session: "SessionId", role: "RoleId") -> "Written":
        with refusals():
            return self._operator.post(self._path(session, "roles"), {"role": role}, once=True)

    @override
    def drop_role(self, session: "SessionId", role: "RoleId") -> "Written":
        with refusals():
            self._server.ask("DELETE", self._path(session, "roles", role))
        with refusals(session):
            return self._get(session)

    @override
    def end(self, session: "SessionId") -> bool:
        try:
            self._server.ask("DELETE", self._path(session))
        except ServerSays as said:
            if said.problem.code == NOT_FOUND:
                return False
            raise
        return True

    def _get(self, session: "SessionId") -> "Written":
        told: Written = self._server.ask("GET", self._path(session)).json()
        return told

    def _path(self, *parts: str) -> str:
        return path_of("v1", "orgs", self._operator.organization, "sessions", *parts)


@contextmanager
def refusals(session: "SessionId | None" = None) -> Iterator[None]:
    """Turn what a server refuses of a session into the end that it has locally."""
    try:
        yield
    except ServerSays as said:
        problem = said.problem
        if session is not None and problem.code == NOT_FOUND:
            raise absent("session", session) from None
        if "witness" not in problem.document:
            raise
        from grantproof.cli.witness import refused_session

        witness = problem.document["witness"]
        raise refused_session(problem.detail, problem.code, witness) from None
