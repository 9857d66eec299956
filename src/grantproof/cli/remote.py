"""Remote mode: the command is a client of a server, with the rights of the key that it presents.

What needs only the organization is worked out here, on its document at one revision, by the code
that does it locally. What is counted, decided or changed is asked of the server.
"""

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from typing_extensions import override

from grantproof.cli.exits import absent
from grantproof.cli.operator import Batches, KeptSessions, Operator
from grantproof.cli.remote_documents import (
    context_document,
    decided,
    not_there,
    reading,
    revision_of,
    state_of,
    weighed,
)
from grantproof.cli.remote_http import Query, Server, ServerSays, not_ours, path_of

if TYPE_CHECKING:
    from grantproof.core.commands import Accepted
    from grantproof.core.commands.language import SingleCommand
    from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId, SessionId
    from grantproof.core.matching import Request
    from grantproof.core.metering import Readings
    from grantproof.core.organization import Organization
    from grantproof.policyfile.contexts import Written
    from grantproof.service.bulk import Batch
    from grantproof.service.history import Entry, EventQuery
    from grantproof.service.keyring import KeyRequest
    from grantproof.service.pip import Supplied
    from grantproof.service.ports import OrganizationSummary
    from grantproof.service.solving import Solver
    from grantproof.service.supposing import Supposition

ORGANIZATIONS: Final = "/v1/orgs"
KEYS: Final = "/v1/keys"
NO_ORGANIZATION: Final = "forbidden_organization"
KEY_BYTES: Final = 16
KEY_SHOWN: Final = (
    "prefix",
    "org_id",
    "principal_id",
    "scopes",
    "label",
    "created_at",
    "created_by",
    "expires_at",
    "revoked_at",
    "revoked_by",
)
"""What is told of a key, and nothing else that a server might say."""


class RemoteOperator(Operator):
    """Acts on what a server serves, in the name of whoever the key belongs to."""

    has_seals = False

    def __init__(
        self,
        server: Server,
        organization: str | None,
        *,
        json: bool,
        reason: str | None = None,
    ) -> None:
        super().__init__(organization, json=json, reason=reason)
        self._server = server
        self._states: dict[str, Organization] = {}
        self._solver: Solver | None = None

    @override
    def close(self) -> None:
        if self._solver is not None:
            self._solver.stop()
        self._server.close()

    # ---------------------------------------------------------------- what there is

    @override
    def find(self, name: "OrganizationId", *, create: bool = False) -> "Organization | None":
        if name not in self._states:
            try:
                reply = self._server.ask("GET", path_of("v1", "orgs", name, "document"))
            except ServerSays as said:
                if said.problem.code == NO_ORGANIZATION:
                    return None
                raise
            self._states[name] = state_of(reply.content, revision=reply.revision)
        return self._states[name]

    @override
    def state_of(self, name: str) -> "Organization":
        from grantproof.core.identifiers import OrganizationId

        found = self.find(OrganizationId(name))
        if found is None:
            raise not_there(name)
        return found

    @override
    def state_at(self, name: "OrganizationId", revision: int) -> "Organization":
        from grantproof.policyfile.wire import Unreadable, decode_delta
        from grantproof.service.history import EventQuery
        from grantproof.service.past import at_revision

        current = self.state_of(name)
        if revision > current.revision:
            message = f"the server does not reach revision {revision} of `{name}`"
            raise Unreadable(message)
        since = [
            decode_delta(entry.delta)
            for entry in self.events(name, EventQuery(revision))
            if entry.revision <= current.revision
        ]
        if len(since) < current.revision - revision:
            message = f"the events of `{name}` after revision {revision} are not all there"
            raise Unreadable(message)
        return at_revision(current, since, revision)

    @override
    def organizations(self) -> Iterator["OrganizationSummary"]:
        from grantproof.core.identifiers import OrganizationId
        from grantproof.service.ports import OrganizationSummary

        for one in self.items(ORGANIZATIONS):
            with reading():
                name = OrganizationId(str(one["id"]))
                found = OrganizationSummary(name, int(one["revision"]), str(one["time_zone"]))
            yield found

    @override
    def instant(self) -> int:
        from grantproof.adapters.clock import SystemClock

        if self._server.date is None:
            self._server.ask("GET", "/livez")
        # A server behind a proxy that does not say the time: then it is the one of this machine.
        return SystemClock().now() if self._server.date is None else self._server.date

    @override
    def readings(self, principal: "PrincipalId") -> "Readings":
        from grantproof.core.identifiers import ClaimId
        from grantproof.core.metering import Counter

        if principal not in self.state.principals:
            return {}
        counted = self.usage(principal=principal, claim=None)
        with reading():
            return {
                Counter(principal, ClaimId(one["claim"]), one["span"], one["from"]): one["used"]
                for one in counted
            }

    @property
    @override
    def solver(self) -> "Solver":
        if self._solver is None:
            from grantproof.bootstrap import solver_of
            from grantproof.cli.local import read_settings

            self._solver = solver_of(read_settings({}), logged=False)
        return self._solver

    # ---------------------------------------------------------------- what is decided

    @override
    def evaluate(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        question = {**self._question(request, supplied, session), "explain": True}
        return decided(self.post("/evaluate", question))

    @override
    def consume(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        question = {**self._question(request, supplied, session), "explain": True}
        return decided(self.post("/evaluate/consume", question, once=True))

    @override
    def explain(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        return weighed(decided(self.post("/explain", self._question(request, supplied, session))))

    @override
    def what_if(
        self,
        request: "Request",
        supplied: "Supplied",
        supposed: "Supposition",
        *,
        commands: "tuple[SingleCommand, ...]",
    ) -> "Written":
        from grantproof.cli.remote_refusals import changing

        context = context_document(supposed.supplied)
        if supposed.instant is not None:
            context["instant"] = supposed.instant
        body = {
            **self._question(request, supplied),
            **({"context": context} if context else {}),
            **({"commands": _written(commands)} if commands else {}),
        }
        with changing(self.organization, several=len(commands) > 1):
            told = self.post("/what-if", body)
        with reading():
            decided({**told["before"], "revision": told["revision"]})
            decided({**told["after"], "revision": told["revision"]})
        return told

    def _question(
        self, request: "Request", supplied: "Supplied", session: "SessionId | None" = None
    ) -> dict[str, Any]:
        named = {
            "org_id": self.organization,
            "principal_id": request.principal,
            "action": request.action,
            "resource_id": request.resource,
            "resource_kind": request.kind,
            "session_id": session,
        }
        chosen = request.active_roles
        return {
            **{name: str(value) for name, value in named.items() if value is not None},
            **({} if chosen is None else {"active_roles": sorted(map(str, chosen))}),
            **context_document(supplied),
        }

    # ---------------------------------------------------------------- what is changed

    @override
    def sessions(self) -> "KeptSessions":
        from grantproof.cli.remote_sessions import RemoteSessions

        return RemoteSessions(self, self._server)

    @override
    def change(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int | None = None
    ) -> int:
        from grantproof.cli.remote_refusals import changing

        body = {"commands": _written(commands)}
        with changing(organization):
            told = self.post(_changes(organization), body, once=True, more=_if_at(at))
        self._states.pop(organization, None)
        return revision_of(told)

    @override
    def rehearse(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int
    ) -> "Accepted":
        from grantproof.cli.remote_refusals import changing
        from grantproof.core.commands import Accepted, apply
        from grantproof.core.commands.language import as_one

        body = {"commands": _written(commands), "dry_run": True}
        with changing(organization):
            self.post(_changes(organization), body, more=_if_at(at))
        state, instant = self.state_of(organization), self.instant()
        outcome = apply(state, as_one(commands), actor="remote", instant=instant)
        if not isinstance(outcome, Accepted):
            raise not_ours("it would accept what its document of the organization refuses")
        return outcome

    @override
    def found(self, name: "OrganizationId", *, time_zone: str) -> bool:
        try:
            self.post(ORGANIZATIONS, {"id": str(name), "time_zone": time_zone}, once=True)
        except ServerSays as said:
            if said.problem.code == "already_exists":
                return False
            raise
        return True

    @override
    def dissolve(self, name: "OrganizationId") -> bool:
        try:
            self._server.ask("DELETE", path_of("v1", "orgs", name), headers=self._reasoned())
        except ServerSays as said:
            if said.problem.code == NO_ORGANIZATION:
                return False
            raise
        self._states.pop(name, None)
        return True

    @override
    def batches(self) -> Batches:
        from grantproof.cli.remote_batches import RemoteBatches

        return RemoteBatches(self, self.organization)

    def send(self, organization: "OrganizationId", batch: "Batch") -> int:
        """Make a batch's change once; return the revision that it made, now or before."""
        body = {"commands": _written(batch.commands)}
        return revision_of(self.post(_changes(organization), body, once=batch.once.key))

    def revision_of(self, organization: "OrganizationId") -> int:
        """Return the revision of an organization; raises `Stop` when there is none."""
        found = self.latest_event(organization)
        if found is None:
            raise not_there(organization)
        return found

    # ---------------------------------------------------------------- keys, usage, events

    @override
    def make_key(self, wanted: "KeyRequest", *, seconds: int | None) -> "Written":
        body: dict[str, Any] = {"scopes": sorted(map(str, wanted.scopes)), "label": wanted.label}
        named = {"org_id": wanted.organization, "principal_id": wanted.principal}
        body |= {name: str(value) for name, value in named.items() if value is not None}
        if seconds is not None:
            body["expires_at"] = self.instant() + seconds
        try:
            told = self.post(KEYS, body, once=True)
        except ServerSays as said:
            faults = said.problem.document.get("errors") or [{}]
            if faults[0].get("field") == "org_id":
                raise absent("organization", wanted.organization or "") from None
            if faults[0].get("field") == "principal_id":
                raise absent("principal", wanted.principal or "") from None
            raise
        with reading():
            _ = (told["key"], told["prefix"])
        return told

    @override
    def keys(self) -> "list[Written]":
        found = list(self.items(KEYS))
        with reading():
            return [{name: key[name] for name in KEY_SHOWN} for key in found]

    @override
    def revoke_key(self, prefix: str) -> bool:
        try:
            self._server.ask("DELETE", f"{KEYS}/{quote(prefix, safe='')}")
        except ServerSays as said:
            if said.problem.code == "not_found":
                return False
            raise
        return True

    @override
    def usage(self, *, principal: "PrincipalId | None", claim: "ClaimId | None") -> "list[Written]":
        named = {"principal": principal, "claim": claim}
        return list(self.items(path_of("v1", "orgs", self.organization, "usage"), named))

    @override
    def reset_usage(self, *, principal: "PrincipalId | None", claim: "ClaimId | None") -> int:
        named = {"principal": principal, "claim": claim}
        path = path_of("v1", "orgs", self.organization, "usage")
        told = self._server.ask("DELETE", path, query=named).json()
        with reading():
            return int(told["counters"])

    @override
    def latest_event(self, name: "OrganizationId") -> int | None:
        try:
            return self._server.ask("GET", path_of("v1", "orgs", name)).revision
        except ServerSays as said:
            if said.problem.code == NO_ORGANIZATION:
                return None
            raise

    @override
    def events(self, name: "OrganizationId", query: "EventQuery") -> Iterator["Entry"]:
        from grantproof.service.history import Entry

        wanted: dict[str, str | int | None] = {
            "after": query.after if query.after >= 0 else None,
            "actor": query.actor,
            "since": query.since,
            "until": query.until,
            "command": query.command,
            "subject": query.subject,
        }
        for one in self.items(path_of("v1", "orgs", name, "events"), wanted):
            with reading():
                found = Entry(
                    name,
                    int(one["revision"]),
                    "event",
                    int(one["instant"]),
                    one["actor"],
                    one["reason"],
                    one["request_id"],
                    None,
                    json.dumps(one["command"]),
                    json.dumps(one["delta"]),
                )
            yield found

    # ---------------------------------------------------------------- requests

    def items(self, path: str, query: Query | None = None) -> Iterator["Written"]:
        """Yield the items of a collection, page after page."""
        from grantproof.core.limits import PAGE_ITEMS_MAX

        wanted: dict[str, str | int | None] = {**(query or {}), "limit": PAGE_ITEMS_MAX}
        while True:
            page = self._server.ask("GET", path, query=wanted).json()
            with reading():
                items, more_after = list(page["items"]), page["next"]
            yield from items
            if more_after is None:
                return
            wanted["after"] = str(more_after)

    def post(
        self,
        path: str,
        body: Mapping[str, Any],
        *,
        once: str | bool = False,
        more: Mapping[str, str] | None = None,
    ) -> "Written":
        """Return what the server answers; raises `Stop`.

        What is to be done `once` is, under the key that is named, or one that nobody else has.
        """
        headers = {**self._reasoned(), **(more or {})}
        if once:
            headers["Idempotency-Key"] = _drawn() if once is True else once
        told = self._server.ask("POST", path, body=body, headers=headers).json()
        if not isinstance(told, dict):
            raise not_ours("its answer is not a document")
        return cast("Written", told)

    def _reasoned(self) -> dict[str, str]:
        if self.reason is None:
            return {}
        return {"Grantproof-Reason": quote(self.reason, safe=" !#$&'()*+,/:;=?@[]~")}


def _if_at(revision: int | None) -> dict[str, str]:
    return {} if revision is None else {"If-Match": f'"{revision}"'}


def _written(commands: "tuple[SingleCommand, ...]") -> "list[Written]":
    from grantproof.service.plan_documents import command_document

    return list(map(command_document, commands))


def _changes(organization: str) -> str:
    return path_of("v1", "orgs", organization, "changes")


def _drawn() -> str:
    """Return a key that no other request has: whatever lies between may send it twice."""
    from grantproof.adapters.chance import SystemChance

    return SystemChance().draw(KEY_BYTES).hex()
