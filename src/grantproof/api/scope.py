"""Within one organization: whose it is, the state that is read, and the change that is proposed."""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import Depends

from grantproof.api.authoring import Authoring
from grantproof.api.conditions import NOUNS, WantedTerms, unmet
from grantproof.api.problems import (
    UNSOUND,
    Problem,
    Refused,
    forbidden,
    later,
    not_found,
    rejected,
)
from grantproof.api.running import Calling, Here
from grantproof.bootstrap import Services
from grantproof.core.commands import Accepted, Rejected
from grantproof.core.commands.language import Command
from grantproof.core.errors import Missing
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Delta
from grantproof.core.organization import Organization
from grantproof.policyfile.fields import OrganizationField
from grantproof.policyfile.witnesses import single
from grantproof.service.authors import Author
from grantproof.service.guarding import Broken, Unjudged
from grantproof.service.pap import Contended, NoOrganization, Proposed, Stale, Terms, Unsound
from grantproof.service.receipts import InProgress, KeyReused, Repeated
from grantproof.service.versions import Entity, Versioned, touches

PREFIX: Final = "/v1/orgs/{org}"


async def own(org: OrganizationField, caller: Calling) -> OrganizationId:
    """Return the organization of the address, if it is the caller's own."""
    if not caller.may_see(org):
        raise Refused(forbidden(org))
    return org


Own = Annotated[OrganizationId, Depends(own)]


async def seen_now(org: Own, here: Here) -> Versioned:
    """Return the caller's organization at the last revision known here, and its versions."""
    seen = None
    if await here.following.index(org) is not None:
        # Here are the indexes asked: state and versions are of one revision.
        seen = here.services.snapshots.versioned(org)
    if seen is None:
        raise Refused(forbidden(org))
    return seen


Seen = Annotated[Versioned, Depends(seen_now)]


async def current(seen: Seen) -> Organization:
    """Return the state of the caller's organization, at the last revision known here."""
    return seen.state


State = Annotated[Organization, Depends(current)]


@dataclass(frozen=True, slots=True)
class Made:
    """A change that is durable. `state` is what it led to, and `delta` how.

    Of a change that was made before, under the same key, only the revision of `state` is right, and
    the delta is empty.
    """

    state: Organization
    delta: Delta


@dataclass(frozen=True, slots=True)
class Shown:
    """A state in which an entity is to be shown, and the revision that last changed it."""

    state: Organization
    revision: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Proposes changes to one organization on behalf of a caller, on the caller's terms."""

    services: Services
    organization: OrganizationId
    author: Author
    terms: Terms

    def propose(
        self, command: Command, *, subject: Missing | None = None, of: Entity | None = None
    ) -> Made:
        """Return the change that is now durable; raises `Refused`.

        `subject` is the refusal that says that what the address names is missing. `of` is the
        entity that the address names or is part of, whose revisions the terms mean; without one
        they mean the organization's.
        """
        outcome = self.services.administration.propose(
            self.organization, command, by=self.author, terms=replace(self.terms, of=of)
        )
        return self._made(outcome, subject)

    def rehearse(self, command: Command, *, subject: Missing | None = None) -> Made:
        """Return what the change would lead to, without making it; raises `Refused`."""
        outcome = self.services.administration.rehearse(
            self.organization, command, by=self.author, terms=self.terms
        )
        return self._made(outcome, subject)

    def repeated(self) -> int | None:
        """Return which revision came of the same request before; raises `Refused` for another."""
        known = self.services.administration.recall(
            self.organization, self.terms.once, by=self.author
        )
        return None if known is None else self._made(known, None).state.revision

    def _made(self, outcome: Proposed, subject: Missing | None) -> Made:
        match outcome:
            case Accepted(state, event):
                return Made(state, event.delta)
            case Repeated(revision):
                return Made(replace(self.seen().state, revision=revision), Delta())
            case Rejected(refusal):
                absent = subject is not None and single(refusal) == subject
                raise Refused(rejected(refusal, missing_is_absent=absent))
            case Broken() | Unjudged():
                raise Refused(guarded(outcome))
            case NoOrganization():
                raise Refused(forbidden(self.organization))
            case Stale() | KeyReused() | InProgress():
                raise Refused(unmet(outcome))
            case Unsound():
                raise Refused(UNSOUND)
            case Contended():
                detail = f"lost {outcome.attempts} races against other writers: try again"
                raise Refused(later("contended", detail))

    def seen(self) -> Versioned:
        """Return the organization now; raises `Refused` when it is gone."""
        seen = self.services.snapshots.seen(self.organization)
        if seen is None:
            raise Refused(forbidden(self.organization))
        return seen

    def shown(self, entity: Entity, made: Made | None = None) -> Shown:
        """Return where the entity is shown after what was made, if anything was; raises `Refused`.

        What did not change it says nothing of when it changed: then it is shown as it is now.
        """
        if made is not None and touches(made.delta, entity):
            return Shown(made.state, made.state.revision)
        seen = self.seen()
        revision = seen.versions.of(entity)
        if revision is None:
            raise Refused(not_found(NOUNS[entity.fact], entity.id))
        return Shown(seen.state, revision)


def guarded(refusal: Broken | Unjudged) -> Problem:
    """Return the problem of a change that a guardrail forbids, or nobody can tell."""
    if isinstance(refusal, Unjudged):
        return later("guardrail_undetermined", refusal.message)
    return Problem("breaks_guardrail", refusal.message, witness=refusal.witness)


async def changing(org: Own, here: Here, author: Authoring, *, terms: WantedTerms) -> Changes:
    """Return what proposes changes to the caller's organization."""
    return Changes(here.services, org, author, terms)


Changing = Annotated[Changes, Depends(changing)]
