"""Local operator mode: the command opens the database itself, as whoever runs it.

A server on the same database follows what is changed here. Nothing is opened before it is needed,
so a command that is not understood touches nothing.
"""

import os
import re
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Self

from grantproof.cli.exits import ExitCode, Stop, absent, usage
from grantproof.cli.output import tell, tell_json

if TYPE_CHECKING:
    from pydantic import ValidationError

    from grantproof.bootstrap import Services
    from grantproof.core.commands import Accepted
    from grantproof.core.commands.language import Command, SingleCommand
    from grantproof.core.identifiers import OrganizationId
    from grantproof.core.invariants import Violation
    from grantproof.core.organization import Organization
    from grantproof.service.audit import AuditPoint
    from grantproof.service.authors import Author
    from grantproof.service.meters import Replica
    from grantproof.service.pap import Proposed
    from grantproof.service.ports import OrganizationSummary
    from grantproof.settings import Settings


class Operator:
    """Whoever runs the command: where they act, as whom, and how they want to be answered."""

    def __init__(
        self,
        database: str | None,
        organization: str | None,
        *,
        json: bool,
        reason: str | None = None,
    ) -> None:
        self.json = json
        self._reason = reason
        self._database = database
        self._organization = organization
        self._services: Services | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
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
        return Author(f"os:{name}", reason=self._reason)

    @property
    def settings(self) -> "Settings":
        """The environment, and the database that the command line names; raises `Stop`."""
        return self.settings_with({})

    def settings_with(self, given: Mapping[str, object]) -> "Settings":
        """Return the settings; what is given, and not nothing, goes before the environment."""
        from pydantic import ValidationError

        from grantproof.settings import Settings

        named = {"database_url": self._database, **given}
        try:
            return Settings.model_validate({k: v for k, v in named.items() if v is not None})
        except ValidationError as error:
            raise usage(_setting_at_fault(error)) from None

    @property
    def flags(self) -> frozenset[str]:
        """The settings that the global options give."""
        return frozenset({"database_url"} if self._database is not None else ())

    @property
    def services(self) -> "Services":
        """The use cases on the database, opened when first asked for."""
        return self.opened()

    @property
    def audit(self) -> "AuditPoint":
        """The chain of the database's events."""
        audit = self.services.audit
        if audit is None:
            raise usage("this store seals no events: there is nothing to audit")
        return audit

    def opened(self, *, create: bool = False) -> "Services":
        """Return the use cases on the database, which with `create` is made if it is not there."""
        if self._services is None:
            from grantproof.bootstrap import compose

            self._services = compose(self.settings, create=create)
        return self._services

    @property
    def organization(self) -> "OrganizationId":
        """The organization that the command is about; raises `Stop` when none is named."""
        from grantproof.core.identifiers import OrganizationId

        named = self._organization or os.environ.get("GRANTPROOF_ORG")
        if not named:
            raise usage("no organization: name one with --org or GRANTPROOF_ORG")
        return OrganizationId(named)

    @property
    def state(self) -> "Organization":
        """The organization as it is; raises `Stop` when there is none."""
        return self.state_of(self.organization)

    def state_of(self, name: str) -> "Organization":
        """Return the organization of that name; raises `Stop` when there is none."""
        from grantproof.core.identifiers import OrganizationId

        index = self.services.snapshots.load(OrganizationId(name))
        if index is None:
            raise absent("organization", name)
        return index.state

    def read_meter(self) -> "Replica":
        """Return the organization's counters, read now; raises `Stop` when it is gone."""
        meters, organization = self.services.meters, self.organization
        meters.refresh(organization)
        replica = meters.get(organization)
        if replica is None:
            raise absent("organization", organization)
        return replica

    def organizations(self) -> Iterator["OrganizationSummary"]:
        """Yield every organization, in the order of their ids."""
        from grantproof.cli.findings import every_organization

        return every_organization(self.services.store)

    @property
    def named_organization(self) -> str | None:
        """The organization that the command line names, whatever the environment says."""
        return self._organization

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

    def change(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int | None = None
    ) -> int:
        """Change an organization by all the commands as one; return the revision it led to.

        With `at` only if the organization still has that revision. Raises `Stop` when they are
        refused, or it has not.
        """
        from grantproof.service.pap import NO_TERMS, Terms

        terms = NO_TERMS if at is None else Terms(at=frozenset({at}))
        outcome = self.services.administration.propose(
            organization, _as_one(commands), by=self.author, terms=terms
        )
        return _accepted(organization, outcome).event.revision

    def rehearse(
        self, organization: "OrganizationId", *commands: "SingleCommand", at: int
    ) -> "Accepted":
        """Return what all the commands as one would do to that revision, without changing it.

        Raises `Stop` as `change` does.
        """
        from grantproof.service.pap import Terms

        outcome = self.services.administration.rehearse(
            organization, _as_one(commands), by=self.author, terms=Terms(at=frozenset({at}))
        )
        return _accepted(organization, outcome)

    def tell_done(self, done: str, organization: str, *, revision: int | None) -> None:
        """Say that a change was made, and which revision it led to, where there still is one."""
        if self.json:
            document = {"outcome": "accepted", "organization": organization, "revision": revision}
            tell_json(document)
        else:
            tell(done if revision is None else f"{done} ({organization}, revision {revision})")


def _as_one(commands: "tuple[SingleCommand, ...]") -> "Command":
    from grantproof.core.commands.language import ChangeSet

    return commands[0] if len(commands) == 1 else ChangeSet(commands)


def _accepted(organization: "OrganizationId", outcome: "Proposed") -> "Accepted":
    """Return the change that was, or would be, made; raises `Stop` for every other outcome."""
    from grantproof.cli.witness import guard_refused, refused
    from grantproof.core.commands import Accepted, Rejected
    from grantproof.policyfile.witnesses import single
    from grantproof.service.guarding import Broken, Unjudged
    from grantproof.service.pap import Contended, Stale, Unsound

    match outcome:
        case Accepted():
            return outcome
        case Rejected(refusal):
            # Nobody typed a list of commands, so its positions would tell nobody anything.
            raise refused(single(refusal))
        case Stale(revision):
            line = (
                f"organization `{organization}` has changed meanwhile, it is at revision"
                f" {revision} now, nothing was changed by this: run it again"
            )
            raise Stop(ExitCode.UNDETERMINED, line)
        case Unsound(violations):
            raise unsound(violations)
        case Broken() | Unjudged() as guarded:
            raise guard_refused(guarded)
        case Contended(attempts):
            line = f"other writers were faster {attempts} times in a row: try again"
            raise Stop(ExitCode.UNDETERMINED, line)
        case _:
            raise absent("organization", organization)


def unsound(violations: "tuple[Violation, ...]") -> Stop:
    """Return the end of a change that did not pass our own check: a fault of the program."""
    first = violations[0]
    line = (
        "the change did not pass a check of the program itself, nothing was changed: it breaks"
        f" {first.invariant} at {', '.join(first.ids)}: report it"
    )
    return Stop(ExitCode.UNDETERMINED, line)


def _setting_at_fault(error: "ValidationError") -> str:
    from grantproof.policyfile.faults import faults

    first = faults(error)[0]
    name = "_".join(str(part).upper() for part in first.path).removeprefix("GRANTPROOF_")
    rule = re.sub(r"^(Input|String) should", "must", first.rule).partition(", unable")[0]
    return f"the setting GRANTPROOF_{name} {rule}"
