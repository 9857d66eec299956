"""Kinds: what resources of an organization may be."""

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, Changing, Seen, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import CreateKind, DeleteKind
from grantproof.core.errors import Missing
from grantproof.core.identifiers import Kind
from grantproof.core.model import KindDeclaration
from grantproof.policyfile import documents
from grantproof.policyfile.fields import KindField
from grantproof.service.versions import Entity

router = strict_router(f"{PREFIX}/kinds", tag="kinds", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.KindDeclaration])
def list_kinds(state: State, wanted: WantedPage) -> Response:
    """List the declared kinds in order."""
    return page(state.resources_of_kind, wanted, write=_written, revision=state.revision)


@router.post("", status_code=201, response_model=documents.KindDeclaration)
def create_kind(changing: Changing, body: documents.KindDeclaration) -> Response:
    """Declare a kind."""
    accepted = changing.propose(CreateKind(body.id))
    location = path(changing.organization, "kinds", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{kind}", response_model=documents.KindDeclaration)
def get_kind(seen: Seen, kind: KindField) -> Response:
    """Show a kind."""
    if kind not in seen.state.resources_of_kind:
        raise Refused(not_found("kind", kind))
    return shown(_written(kind), seen.versions[Entity(KindDeclaration, kind)])


@router.delete("/{kind}", status_code=204)
def delete_kind(changing: Changing, kind: KindField, cascade: bool = False) -> Response:
    """Withdraw a kind; `cascade` removes its resources and the claims on it too."""
    command = DeleteKind(kind, cascade=cascade)
    subject = Missing("kind", (kind,))
    accepted = changing.propose(command, subject=subject, of=Entity(KindDeclaration, kind))
    return gone(accepted.state.revision)


def _written(kind: Kind) -> documents.KindDeclaration:
    return documents.KindDeclaration.of(KindDeclaration(kind))
