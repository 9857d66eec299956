"""Within one organization: whose it is, the state that is read, and the change that is proposed."""

from dataclasses import dataclass, replace
from typing import Annotated, Final

from fastapi import Depends

from grantproof.api.authoring import Authoring
from grantproof.api.conditions import WantedTerms, unmet
from grantproof.api.problems import UNSOUND, Refused, forbidden, later, rejected
from grantproof.api.running import Calling, Here
from grantproof.bootstrap import Services
from grantproof.core.commands import Accepted, Rejected
from grantproof.core.commands.language import Command
from grantproof.core.errors import Missing
from grantproof.core.identifiers import OrganizationId
from grantproof.core.organization import Organization
from grantproof.policyfile.fields import OrganizationField
from grantproof.policyfile.witnesses import single
from grantproof.service.authors import Author
from grantproof.service.pap import Contended, NoOrganization, Stale, Terms, Unsound
from grantproof.service.receipts import InProgress, KeyReused, Repeated

PREFIX: Final = "/v1/orgs/{org}"


async def own(org: OrganizationField, caller: Calling) -> OrganizationId:
    """Return the organization of the address, if it is the caller's own."""
    if not caller.may_see(org):
        raise Refused(forbidden(org))
    return org


Own = Annotated[OrganizationId, Depends(own)]


async def current(org: Own, here: Here) -> Organization:
    """Return the state of the caller's organization, at the last revision known here."""
    index = await here.following.index(org)
    if index is None:
        raise Refused(forbidden(org))
    return index.state


State = Annotated[Organization, Depends(current)]


@dataclass(frozen=True, slots=True)
class Made:
    """A change that is durable. `state` is what it led to.

    Of a change that was made before, under the same key, only the revision of `state` is right.
    """

    state: Organization


@dataclass(frozen=True, slots=True)
class Changes:
    """Proposes changes to one organization on behalf of a caller, on the caller's terms."""

    services: Services
    organization: OrganizationId
    author: Author
    terms: Terms

    def propose(self, command: Command, *, subject: Missing | None = None) -> Made:
        """Return the change that is now durable; raises `Refused`.

        `subject` is the refusal that says that what the address names is missing.
        """
        administration = self.services.administration
        outcome = administration.propose(
            self.organization, command, by=self.author, terms=self.terms
        )
        match outcome:
            case Accepted():
                return Made(outcome.state)
            case Repeated(revision):
                return Made(replace(self.state(), revision=revision))
            case Rejected(refusal):
                absent = subject is not None and single(refusal) == subject
                raise Refused(rejected(refusal, missing_is_absent=absent))
            case NoOrganization():
                raise Refused(forbidden(self.organization))
            case Stale() | KeyReused() | InProgress():
                raise Refused(unmet(outcome))
            case Unsound():
                raise Refused(UNSOUND)
            case Contended():
                detail = f"lost {outcome.attempts} races against other writers: try again"
                raise Refused(later("contended", detail))

    def state(self) -> Organization:
        """Return the state now; raises `Refused` when the organization is gone."""
        index = self.services.snapshots.load(self.organization)
        if index is None:
            raise Refused(forbidden(self.organization))
        return index.state


async def changing(org: Own, here: Here, author: Authoring, *, terms: WantedTerms) -> Changes:
    """Return what proposes changes to the caller's organization."""
    return Changes(here.services, org, author, terms)


Changing = Annotated[Changes, Depends(changing)]
