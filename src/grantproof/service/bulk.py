"""Many commands of a file in batches: each is one change, made once however often it is asked for.

The receipt of a batch is kept under the import's name and the batch's number, and holds a digest of
all that the file says up to the batch's end. So an import that was stopped anywhere goes on where
it stopped, and a file that has changed since is noticed before anything is done twice.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from grantproof.core.commands import Accepted, Rejected, apply
from grantproof.core.commands.language import ChangeSet, SingleCommand
from grantproof.core.errors import RefusedAt, SingleRefusal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from grantproof.core.organization import Organization
from grantproof.service.authors import Author
from grantproof.service.pap import AdministrationPoint, Contended, NoOrganization, Proposed, Terms
from grantproof.service.receipts import Once, Repeated
from grantproof.service.snapshots import Snapshots


@dataclass(frozen=True, slots=True)
class Batch:
    """Commands to be made as one change, under a key of their own."""

    once: Once
    commands: tuple[SingleCommand, ...]


@dataclass(frozen=True, slots=True)
class Sifted:
    """What of a batch can be done, and by position why the rest cannot."""

    accepted: tuple[SingleCommand, ...]
    refused: dict[int, SingleRefusal]


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a batch, and by position which of its commands were left out, and why."""

    outcome: Proposed | None
    """Nothing when every command was left out."""
    left_out: dict[int, SingleRefusal]


def batch_key(name: str, number: int, digest: str) -> Once:
    """Return what asks for the batch of that number once, in the import of that name."""
    return Once(f"import:{hashlib.sha256(name.encode()).hexdigest()[:32]}:{number}", digest)


class BulkPoint:
    """Sends batches to one organization, for one author."""

    def __init__(
        self,
        administration: AdministrationPoint,
        snapshots: Snapshots,
        *,
        organization: OrganizationId,
        by: Author,
    ) -> None:
        self._administration = administration
        self._snapshots = snapshots
        self._organization = organization
        self._by = by

    def send(self, batch: Batch) -> Proposed:
        """Return what became of the batch: all of it is done, or nothing."""
        return self._propose(batch.once, batch.commands)

    def send_what_can_be(self, batch: Batch) -> Sent:
        """Do all of the batch that nothing refuses, as one change; the order decides."""
        commands, left_out = batch.commands, dict[int, SingleRefusal]()
        for _ in range(COMMIT_ATTEMPTS_MAX):
            outcome = self._propose(batch.once, commands) if commands else None
            if isinstance(outcome, Repeated):
                return Sent(outcome, {})
            if outcome is not None and not isinstance(outcome, Rejected):
                return Sent(outcome, left_out)
            if outcome is None and len(left_out) == len(batch.commands):
                return Sent(None, left_out)
            # On the state that refused; another writer may move it on, then it is sifted again.
            index = self._snapshots.load(self._organization)
            if index is None:
                return Sent(NoOrganization(), {})
            sifted = sift(index.state, batch.commands)
            commands, left_out = sifted.accepted, sifted.refused
        return Sent(Contended(COMMIT_ATTEMPTS_MAX), {})

    def _propose(self, once: Once, commands: tuple[SingleCommand, ...]) -> Proposed:
        return self._administration.propose(
            self._organization, ChangeSet(commands), by=self._by, terms=Terms(once)
        )


def sift(state: Organization, commands: Sequence[SingleCommand]) -> Sifted:
    """Return which of the commands can be done in turn on the state, each refused one left out."""
    accepted: list[SingleCommand] = []
    refused: dict[int, SingleRefusal] = {}
    for position, command in enumerate(commands):
        outcome = apply(state, command, actor="import", instant=0)
        if isinstance(outcome, Accepted):
            accepted.append(command)
            state = outcome.state
        elif isinstance(outcome.refusal, RefusedAt):
            refused[position] = outcome.refusal.refusal
        else:
            refused[position] = outcome.refusal
    return Sifted(tuple(accepted), refused)
