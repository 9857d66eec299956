"""Claims: what roles may do, on what, and under which constraints."""

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, Changing, Seen, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import CreateClaim, DeleteClaim
from grantproof.core.errors import Missing
from grantproof.core.model import Claim
from grantproof.policyfile import documents
from grantproof.policyfile.fields import ClaimField
from grantproof.service.versions import Entity

router = strict_router(f"{PREFIX}/claims", tag="claims", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.Claim])
def list_claims(state: State, wanted: WantedPage) -> Response:
    """List the claims in the order of their ids."""
    return page(
        state.claims,
        wanted,
        write=lambda claim: documents.Claim.of(state.claims[claim]),
        revision=state.revision,
    )


@router.post("", status_code=201, response_model=documents.Claim)
def create_claim(changing: Changing, body: documents.Claim) -> Response:
    """Give a role a claim."""
    accepted = changing.propose(CreateClaim(body.core()))
    location = path(changing.organization, "claims", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{claim}", response_model=documents.Claim)
def get_claim(seen: Seen, claim: ClaimField) -> Response:
    """Show a claim."""
    stored = seen.state.claims.get(claim)
    if stored is None:
        raise Refused(not_found("claim", claim))
    return shown(documents.Claim.of(stored), seen.versions[Entity(Claim, claim)])


@router.delete("/{claim}", status_code=204)
def delete_claim(changing: Changing, claim: ClaimField) -> Response:
    """Take a claim from its role."""
    subject = Missing("claim", (claim,))
    accepted = changing.propose(DeleteClaim(claim), subject=subject, of=Entity(Claim, claim))
    return gone(accepted.state.revision)
