"""Local operator mode: the command opens the database itself, as whoever runs it.

A server on the same database follows what is changed here.
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from typing_extensions import override

from grantproof.cli.exits import ExitCode, Stop, absent, usage
from grantproof.cli.operator import Batches, KeptSessions, Operator

if TYPE_CHECKING:
    from pydantic import ValidationError

    from grantproof.bootstrap import Services
    from grantproof.core.commands import Accepted
    from grantproof.core.commands.language import SingleCommand
    from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId, SessionId
    from grantproof.core.invariants import Violation
    from grantproof.core.matching import Request
    from grantproof.core.metering import Readings
    from grantproof.core.organization import Organization
    from grantproof.policyfile.contexts import Written
    from grantproof.service.audit import AuditPoint
    from grantproof.service.authors import Author
    from grantproof.service.entering import InSession
    from grantproof.service.history import Entry, EventQuery
    from grantproof.service.keyring import KeyRequest
    from grantproof.service.pap import Proposed, Supposed
    from grantproof.service.pip import Supplied
    from grantproof.service.ports import OrganizationSummary
    from grantproof.service.solving import Solver
    from grantproof.service.supposing import Supposition
    from grantproof.settings import Settings


class LocalOperator(Operator):
    """Acts on the database that is named, with every right, in the name of the system's user."""

    def __init__(
        self,
        database: str | None,
        organization: str | None,
        *,
        json: bool,
        reason: str | None = None,
    ) -> None:
        super().__init__(organization, json=json, reason=reason)
        self._database = database
        self._services: Services | None = None

    @override
    def close(self) -> None:
        if self._services is not None:
            self._services.close()

    @property
    def author(self) -> "Author":
        """An operator, named in events by `os:` and the system's user, and the reason given."""
        import pwd

        from grantproof.service.authors import Author

        user = os.getuid()
        try:
            name = pwd.getpwuid(user).pw_name
        except KeyError:
            name = str(user)
        return Author(f"os:{name}", reason=self.reason)

    @property
    @override
    def settings(self) -> "Settings":
        return self.settings_with({})

    @override
    def settings_with(self, given: Mapping[str, Any]) -> "Settings":
        return read_settings({"database_url": self._database, **given})

    @property
    @override
    def flags(self) -> frozenset[str]:
        return frozenset({"database_url"} if self._database is not None else ())

    @property
    @override
    def services(self) -> "Services":
        return self._opened()

    @property
    @override
    def audit(self) -> "AuditPoint":
        audit = self.services.audit
        if audit is None:
            raise usage("this store seals no events: there is nothing to audit")
        return audit

    def _opened(self, *, create: bool = False) -> "Services":
        """Return the use cases on the database, which with `create` is made if it is not there."""
        if self._services is None:
            from grantproof.bootstrap import compose
            from grantproof.cli.unknown_settings import tell_unknown_settings

            tell_unknown_settings()
            self._services = compose(self.settings, create=create)
        return self._services

    # ---------------------------------------------------------------- what there is

    @override
    def find(self, name: "OrganizationId", *, create: bool = False) -> "Organization | None":
        index = self._opened(create=create).snapshots.load(name)
        return None if index is None else index.state

    @override
    def state_at(self, name: "OrganizationId", revision: int) -> "Organization":
        from grantproof.policyfile.wire import Unreadable
        from grantproof.service import past

        store = self.services.store
        current = store.load(name)
        if current is None:
            raise absent("organization", name)
        if revision > current.revision:
            message = f"the database does not reach revision {revision} of `{name}`"
            raise Unreadable(message)
        return past.state_at(store, current, revision)

    @override
    def organizations(self) -> Iterator["OrganizationSummary"]:
        from grantproof.cli.findings import every_organization

        return every_organization(self.services.store)

    @override
    def instant(self) -> int:
        return self.services.decisions.instant()

    @override
    def readings(self, principal: "PrincipalId") -> "Readings":
        meters, organization = self.services.meters, self.organization
        meters.refresh(organization)
        replica = meters.get(organization)
        if replica is None:
            raise absent("organization", organization)
        return replica.of(principal)

    @property
    @override
    def solver(self) -> "Solver":
        return self.services.solver

    # ---------------------------------------------------------------- what is decided

    @override
    def evaluate(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        from grantproof.cli.answers import answer_document
        from grantproof.service.entering import entered
        from grantproof.service.pdp import MeterUnread

        decisions, instant = self.services.decisions, self.instant()
        index = self.services.snapshots.load(self.organization)
        if index is None:
            return answer_document(decisions.absent(instant), None)
        own = entered(self._asking(request, session), instant)
        try:
            answer = decisions.decide_entered(index, own, supplied, instant=instant)
        except MeterUnread:
            self.readings(request.principal)
            answer = decisions.decide_entered(index, own, supplied, instant=instant)
        proof = decisions.certify(index.state, own.request, supplied, answer=answer)
        return answer_document(answer, proof)

    @override
    def consume(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        from grantproof.cli.answers import answer_document
        from grantproof.service.pap import Contended

        consumption, asking = self.services.consumption, self._asking(request, session)
        consumed = consumption.consume(self.organization, asking, supplied)
        if isinstance(consumed, Contended):
            line = f"lost {consumed.attempts} races, nothing was counted: try again"
            raise Stop(ExitCode.UNDETERMINED, line)
        return answer_document(consumed.answer, consumption.certify(consumed, supplied))

    @override
    def explain(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        from grantproof.service.entering import entered
        from grantproof.service.explaining import explained
        from grantproof.service.pip import situate

        asking, state = self._asking(request, session), self.state
        context = situate(self.instant(), state.time_zone, supplied)
        own = entered(asking, context.instant)
        readings = self.readings(request.principal)
        return explained(state, own, context, readings=readings)[1].written()

    def _asking(self, request: "Request", session: "SessionId | None") -> "Request | InSession":
        from functools import partial

        from grantproof.service.entering import InSession

        if session is None:
            return request
        find = self.services.sessions.find
        return InSession(request, partial(find, self.organization, session))

    @override
    def what_if(
        self,
        request: "Request",
        supplied: "Supplied",
        supposed: "Supposition",
        *,
        commands: "tuple[SingleCommand, ...]",
    ) -> "Written":
        from grantproof.policyfile.supposed_answers import WhatIf
        from grantproof.service.supposing import contexts_of, decide_both

        state = self.state
        sides = decide_both(
            state,
            self._after(state, commands),
            requests=(request, request),
            contexts=contexts_of(self.instant(), state.time_zone, supplied, supposed=supposed),
            readings=self.readings(request.principal),
        )
        at = (sides.now, sides.then)
        return WhatIf.of(sides.before, sides.after, at=at, revision=state.revision).written()

    def _after(
        self, state: "Organization", commands: "tuple[SingleCommand, ...]"
    ) -> "Organization":
        """Return what the commands would lead to; raises `Stop` when they would be refused."""
        from grantproof.core.commands import Accepted
        from grantproof.core.commands.language import as_one

        if len(commands) == 0:
            return state
        administration = self.services.administration
        outcome = administration.suppose(state, as_one(commands), by=self.author)
        if isinstance(outcome, Accepted):
            return outcome.state
        raise _refused(outcome, state.id, several=len(commands) > 1)

    # ---------------------------------------------------------------- what is changed

    @override
    def sessions(self) -> "KeptSessions":
        from grantproof.cli.local_sessions import LocalSessions

        return LocalSessions(self)

    @override
    def change(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int | None = None
    ) -> int:
        from grantproof.core.commands.language import as_one
        from grantproof.service.pap import NO_TERMS, Terms

        terms = NO_TERMS if at is None else Terms(at=frozenset({at}))
        outcome = self.services.administration.propose(
            organization, as_one(commands), by=self.author, terms=terms
        )
        return _accepted(outcome, organization).event.revision

    @override
    def rehearse(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int
    ) -> "Accepted":
        from grantproof.core.commands.language import as_one
        from grantproof.service.pap import Terms

        outcome = self.services.administration.rehearse(
            organization, as_one(commands), by=self.author, terms=Terms(at=frozenset({at}))
        )
        return _accepted(outcome, organization)

    @override
    def found(self, name: "OrganizationId", *, time_zone: str) -> bool:
        administration = self._opened(create=True).administration
        return administration.found(name, time_zone=time_zone, by=self.author)

    @override
    def dissolve(self, name: "OrganizationId") -> bool:
        return self.services.administration.dissolve(name, by=self.author)

    @override
    def batches(self) -> Batches:
        from grantproof.cli.local_batches import LocalBatches

        return LocalBatches(self)

    # ---------------------------------------------------------------- keys, usage, events

    @override
    def make_key(self, wanted: "KeyRequest", *, seconds: int | None) -> "Written":
        from dataclasses import replace

        from grantproof.service.credentials import key_document
        from grantproof.service.keyring import NewKey, NoSuchPrincipal
        from grantproof.service.pap import NoOrganization

        # Like an organization, the first key may be the first thing in a database.
        services = self._opened(create=wanted.organization is None)
        if seconds is not None:
            wanted = replace(wanted, expires_at=services.decisions.instant() + seconds)
        match services.keyring.create(wanted, by=self.author):
            case NewKey() as made:
                return {**key_document(made.key), "key": made.text}
            case NoOrganization():
                raise absent("organization", wanted.organization or "")
            case NoSuchPrincipal():
                raise absent("principal", wanted.principal or "")
            case _:
                raise Stop(ExitCode.NO, "there are as many keys as there may be")

    @override
    def keys(self) -> "list[Written]":
        from grantproof.core.limits import PAGE_ITEMS_MAX
        from grantproof.service.credentials import key_document

        keyring, found = self.services.keyring, list["Written"]()
        page = keyring.page(limit=PAGE_ITEMS_MAX)
        while page:
            found += map(key_document, page)
            page = keyring.page(after=page[-1].prefix, limit=PAGE_ITEMS_MAX)
        return found

    @override
    def revoke_key(self, prefix: str) -> bool:
        return self.services.keyring.revoke(prefix, by=self.author)

    @override
    def usage(self, *, principal: "PrincipalId | None", claim: "ClaimId | None") -> "list[Written]":
        from grantproof.core.limits import PAGE_ITEMS_MAX
        from grantproof.policyfile.answers import Usage

        state, instant, found = self.state, self.instant(), list["Written"]()
        after = None
        while True:
            page = self.services.store.meter.usage(
                state.id,
                instant=instant,
                principal=principal,
                claim=claim,
                after=after,
                limit=PAGE_ITEMS_MAX,
            )
            claims = state.claims
            found += [Usage.of(one, n, claim=claims.get(one.claim)).written() for one, n in page]
            if len(page) < PAGE_ITEMS_MAX:
                return found
            after = page[-1].counter

    @override
    def reset_usage(self, *, principal: "PrincipalId | None", claim: "ClaimId | None") -> int:
        instant, meter = self.instant(), self.services.store.meter
        return meter.reset(self.organization, instant=instant, principal=principal, claim=claim)

    @override
    def latest_event(self, name: "OrganizationId") -> int | None:
        return self.services.store.latest(name)

    @override
    def events(self, name: "OrganizationId", query: "EventQuery") -> Iterator["Entry"]:
        from grantproof.core.limits import EVENTS_PAGE_MAX
        from grantproof.service.history import everything

        return everything(self.services.store, name, query, limit=EVENTS_PAGE_MAX)


def _accepted(outcome: "Proposed", organization: str) -> "Accepted":
    """Return the change that was, or would be, made; raises `Stop` for every other outcome."""
    from grantproof.core.commands import Accepted
    from grantproof.service.pap import Contended, Stale, Unsound

    match outcome:
        case Accepted():
            return outcome
        case Stale(revision):
            raise stale(organization, revision)
        case Unsound(violations):
            raise unsound(violations)
        case Contended(attempts):
            line = f"other writers were faster {attempts} times in a row: try again"
            raise Stop(ExitCode.UNDETERMINED, line)
        case _:
            raise _refused(outcome, organization)


def _refused(outcome: "Proposed | Supposed", organization: str, *, several: bool = False) -> Stop:
    """Return the end of a change that was refused, or of one of what is not there.

    Where nobody typed `several` commands, positions would tell nobody anything.
    """
    from grantproof.cli.witness import guard_refused, refused_change
    from grantproof.core.commands import Rejected
    from grantproof.service.guarding import Broken, Unjudged

    match outcome:
        case Rejected(refusal):
            return refused_change(refusal, several=several)
        case Broken() | Unjudged() as guarded:
            return guard_refused(guarded)
        case _:
            return absent("organization", organization)


def stale(organization: str, revision: int | str) -> Stop:
    """Return the end of a change of what has changed meanwhile."""
    line = (
        f"organization `{organization}` has changed meanwhile, it is at revision"
        f" {revision} now, nothing was changed by this: run it again"
    )
    return Stop(ExitCode.UNDETERMINED, line)


def unsound(violations: "tuple[Violation, ...]") -> Stop:
    """Return the end of a change that did not pass our own check: a fault of the program."""
    first = violations[0]
    line = (
        "the change did not pass a check of the program itself, nothing was changed: it breaks"
        f" {first.invariant} at {', '.join(first.ids)}: report it"
    )
    return Stop(ExitCode.UNDETERMINED, line)


def read_settings(given: Mapping[str, Any]) -> "Settings":
    """Return the settings; what is given, and not nothing, goes before the environment.

    Raises `Stop`.
    """
    from pydantic import ValidationError

    from grantproof.settings import Settings

    try:
        return Settings.model_validate({k: v for k, v in given.items() if v is not None})
    except ValidationError as error:
        raise usage(_setting_at_fault(error)) from None


def _setting_at_fault(error: "ValidationError") -> str:
    from grantproof.policyfile.faults import faults

    first = faults(error)[0]
    name = "_".join(str(part).upper() for part in first.path).removeprefix("GRANTPROOF_")
    rule = re.sub(r"^(Input|String) should", "must", first.rule).partition(", unable")[0]
    rule = rule.replace("be a valid boolean", "be `true` or `false`")
    return f"the setting GRANTPROOF_{name} {rule}"
