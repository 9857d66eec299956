"""Whoever runs a command, and what they act through: the seam between commands and the rest.

`local.LocalOperator` opens the database itself, `remote.RemoteOperator` is a client of a server; a
command does not know which it was given. What only a database has, a remote operator refuses in one
line. Nothing is opened or asked before it is needed, so what is not understood touches nothing.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from grantproof.cli.exits import Stop, absent, usage
from grantproof.cli.output import tell, tell_json

if TYPE_CHECKING:
    from grantproof.bootstrap import Services
    from grantproof.core.commands import Accepted
    from grantproof.core.commands.language import SingleCommand
    from grantproof.core.identifiers import (
        ClaimId,
        OrganizationId,
        PrincipalId,
        RoleId,
        SessionId,
    )
    from grantproof.core.matching import Request
    from grantproof.core.metering import Readings
    from grantproof.core.organization import Organization
    from grantproof.policyfile.contexts import Written
    from grantproof.service.audit import AuditPoint
    from grantproof.service.bulk import Batch, Sent
    from grantproof.service.history import Entry, EventQuery
    from grantproof.service.keyring import KeyRequest
    from grantproof.service.pap import Proposed
    from grantproof.service.pip import Supplied
    from grantproof.service.ports import OrganizationSummary
    from grantproof.service.receipts import Once
    from grantproof.service.sessions import Wanted
    from grantproof.service.solving import Solver
    from grantproof.service.supposing import Supposition
    from grantproof.settings import Settings


class Batches(Protocol):
    """Where the batches of a file go, one change each."""

    def recall(self, once: "Once") -> "Proposed | None":
        """Return what became of a batch that was sent before, if that can be told by its key."""
        ...

    def send(self, batch: "Batch") -> "Proposed | int":
        """Return what became of a batch, or the revision that it made; all of it, or nothing."""
        ...

    def check_skipping(self) -> None:
        """Raise `Stop` where what is refused cannot be left out."""
        ...

    def send_what_can_be(self, batch: "Batch") -> "Sent":
        """Do all of a batch that nothing refuses; raises `Stop` where that cannot be told."""
        ...


class KeptSessions(ABC):
    """The stored sessions of an organization, each as HTTP shows it."""

    @abstractmethod
    def open(self, wanted: "Wanted") -> "Written":
        """Open a session; raises `Stop` where it is refused."""

    @abstractmethod
    def of(self, principal: "PrincipalId | None") -> "list[Written]":
        """Return those that last, of one principal or of all."""

    @abstractmethod
    def show(self, session: "SessionId") -> "Written":
        """Return a session and its `active_roles`; raises `Stop` where there is none that lasts."""

    @abstractmethod
    def add_role(self, session: "SessionId", role: "RoleId") -> "Written":
        """Let it have one role more; raises `Stop` where that is refused."""

    @abstractmethod
    def drop_role(self, session: "SessionId", role: "RoleId") -> "Written":
        """Let it have one role less; raises `Stop` where there is none to drop."""

    @abstractmethod
    def end(self, session: "SessionId") -> bool:
        """End it for good; false where there is none that lasts."""


class Operator(ABC):
    """Whoever runs the command: where they act, as whom, and how they want to be answered.

    Every method may raise `Stop`, or an error that is expected of the product.
    """

    has_seals = True
    """Whether events come with their seals, and with when their authors were erased."""

    def __init__(self, organization: str | None, *, json: bool, reason: str | None = None) -> None:
        self.json = json
        self.reason = reason
        self._organization = organization

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Release whatever was opened."""

    # ---------------------------------------------------------------- which organization

    @property
    def named_organization(self) -> str | None:
        """The organization that the command line names, whatever the environment says."""
        return self._organization

    @property
    def organization(self) -> "OrganizationId":
        """The organization that the command is about; raises `Stop` when none is named."""
        from grantproof.core.identifiers import OrganizationId

        named = self._organization
        if named is None:
            named = os.environ.get("GRANTPROOF_ORG") or None
        if named is None:
            raise usage("no organization: name one with --org or GRANTPROOF_ORG")
        return OrganizationId(named)

    # ---------------------------------------------------------------- what there is

    @property
    def state(self) -> "Organization":
        """The organization as it is; raises `Stop` when there is none."""
        return self.state_of(self.organization)

    def state_of(self, name: str) -> "Organization":
        """Return the organization of that name; raises `Stop` when there is none."""
        from grantproof.core.identifiers import OrganizationId

        found = self.find(OrganizationId(name))
        if found is None:
            raise absent("organization", name)
        return found

    def principal(self, name: str) -> "tuple[Organization, PrincipalId]":
        """Return the state, and a principal that it has; raises `Stop` for any other."""
        from grantproof.core.identifiers import PrincipalId

        state, principal = self.state, PrincipalId(name)
        if principal not in state.principals:
            raise absent("principal", name)
        return state, principal

    def role(self, name: str) -> "tuple[Organization, RoleId]":
        """Return the state, and a role that it has; raises `Stop` for any other."""
        from grantproof.core.identifiers import RoleId

        state, role = self.state, RoleId(name)
        if role not in state.roles:
            raise absent("role", name)
        return state, role

    @abstractmethod
    def find(self, name: "OrganizationId", *, create: bool = False) -> "Organization | None":
        """Return the organization of that name, or nothing when there is none.

        With `create` a database that is not there is made.
        """

    @abstractmethod
    def state_at(self, name: "OrganizationId", revision: int) -> "Organization":
        """Return the state of an earlier revision; raises `Stop` when the organization is gone."""

    @abstractmethod
    def organizations(self) -> Iterator["OrganizationSummary"]:
        """Yield every organization, in the order of their ids."""

    @abstractmethod
    def instant(self) -> int:
        """Return the instant of a decision made now, in epoch seconds."""

    @abstractmethod
    def readings(self, principal: "PrincipalId") -> "Readings":
        """Return the principal's counters, read now."""

    @property
    @abstractmethod
    def solver(self) -> "Solver":
        """What answers the questions that nobody can bound."""

    # ---------------------------------------------------------------- what is decided

    @abstractmethod
    def evaluate(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        """Return the answer of `POST /evaluate`, with its certificate."""

    @abstractmethod
    def consume(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        """Decide, and count; return the answer of `POST /evaluate/consume`."""

    @abstractmethod
    def explain(
        self, request: "Request", supplied: "Supplied", *, session: "SessionId | None" = None
    ) -> "Written":
        """Return the answer of `POST /explain`."""

    @abstractmethod
    def what_if(
        self,
        request: "Request",
        supplied: "Supplied",
        supposed: "Supposition",
        *,
        commands: "tuple[SingleCommand, ...]",
    ) -> "Written":
        """Return the answer of `POST /what-if`."""

    # ---------------------------------------------------------------- what is changed

    @abstractmethod
    def sessions(self) -> KeptSessions:
        """Return where the sessions of the organization are kept."""

    @abstractmethod
    def change(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int | None = None
    ) -> int:
        """Change an organization by all the commands as one; return the revision it led to.

        With `at` only if the organization still has that revision. Raises `Stop` when they are
        refused, or it has not.
        """

    def propose(self, *commands: "SingleCommand", done: str) -> None:
        """Change the organization by all the commands as one, and say it is `done`.

        Raises `Stop` when they are refused; then none of them has taken effect.
        """
        self.propose_to(self.organization, *commands, done=done)

    def propose_to(
        self, organization: "OrganizationId", *commands: "SingleCommand", done: str
    ) -> None:
        """Do what `propose` does, to the organization of that name."""
        self.tell_done(done, organization, revision=self.change(organization, *commands))

    @abstractmethod
    def rehearse(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int
    ) -> "Accepted":
        """Return what all the commands as one would do to that revision, without changing it.

        Raises `Stop` as `change` does.
        """

    @abstractmethod
    def found(self, name: "OrganizationId", *, time_zone: str) -> bool:
        """Create an empty organization; false when its id was ever used."""

    @abstractmethod
    def dissolve(self, name: "OrganizationId") -> bool:
        """Delete an organization for good; false when there is none."""

    @abstractmethod
    def batches(self) -> Batches:
        """Return where the batches of a file go, in the organization."""

    def tell_done(self, done: str, organization: str, *, revision: int | None) -> None:
        """Say that a change was made, and which revision it led to, where there still is one."""
        if self.json:
            document = {"outcome": "accepted", "organization": organization, "revision": revision}
            tell_json(document)
        else:
            tell(done if revision is None else f"{done} ({organization}, revision {revision})")

    # ---------------------------------------------------------------- keys, usage, events

    @abstractmethod
    def make_key(self, wanted: "KeyRequest", *, seconds: int | None) -> "Written":
        """Make a key that lasts so long, or until it is revoked; return it as HTTP shows it."""

    @abstractmethod
    def keys(self) -> "list[Written]":
        """Return every key, without its secret, in the order of their prefixes."""

    @abstractmethod
    def revoke_key(self, prefix: str) -> bool:
        """Revoke a key for good; false when there is none that counts."""

    @abstractmethod
    def usage(self, *, principal: "PrincipalId | None", claim: "ClaimId | None") -> "list[Written]":
        """Return what is counted now, by principal, then claim."""

    @abstractmethod
    def reset_usage(self, *, principal: "PrincipalId | None", claim: "ClaimId | None") -> int:
        """Set to 0 what is counted now; return of how many counters."""

    @abstractmethod
    def latest_event(self, name: "OrganizationId") -> int | None:
        """Return the revision of the last event, or nothing when there never was one."""

    @abstractmethod
    def events(self, name: "OrganizationId", query: "EventQuery") -> Iterator["Entry"]:
        """Yield every wanted event that there is now, oldest first."""

    # ---------------------------------------------------------------- what only a database has

    @property
    def services(self) -> "Services":
        """The use cases on the database itself."""
        raise needs_database()

    @property
    def audit(self) -> "AuditPoint":
        """The chain of the database's events."""
        raise needs_database()

    @property
    def settings(self) -> "Settings":
        """The environment, and the database that the command line names."""
        raise needs_database()

    @property
    def flags(self) -> frozenset[str]:
        """The settings that the global options give."""
        raise needs_database()

    def settings_with(self, given: Mapping[str, Any]) -> "Settings":
        """Return the settings; what is given, and not nothing, goes before the environment."""
        del given
        raise needs_database()


def needs_database() -> Stop:
    """Return the end of a command that a server cannot be asked for."""
    return usage(
        "this takes the database itself, which no server gives away: run it where the database is,"
        " without --server and GRANTPROOF_SERVER"
    )
