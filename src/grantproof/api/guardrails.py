"""Guardrails: an organization's own properties, which name what they speak of."""

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Refused, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, Changing, Seen, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import CreateGuardrail, DeleteGuardrail
from grantproof.core.errors import Missing
from grantproof.core.model import Guardrail
from grantproof.policyfile import documents
from grantproof.policyfile.fields import GuardrailField
from grantproof.service.versions import Entity

router = strict_router(f"{PREFIX}/guardrails", tag="guardrails", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.Guardrail])
def list_guardrails(state: State, wanted: WantedPage) -> Response:
    """List the guardrails in the order of their ids."""
    return page(
        state.guardrails,
        wanted,
        write=lambda guardrail: documents.Guardrail.of(state.guardrails[guardrail]),
        revision=state.revision,
    )


@router.post("", status_code=201, response_model=documents.Guardrail)
def create_guardrail(changing: Changing, body: documents.Guardrail) -> Response:
    """Add a guardrail."""
    accepted = changing.propose(CreateGuardrail(body.core()))
    location = path(changing.organization, "guardrails", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{guardrail}", response_model=documents.Guardrail)
def get_guardrail(seen: Seen, guardrail: GuardrailField) -> Response:
    """Show a guardrail."""
    stored = seen.state.guardrails.get(guardrail)
    if stored is None:
        raise Refused(not_found("guardrail", guardrail))
    return shown(documents.Guardrail.of(stored), seen.versions[Entity(Guardrail, guardrail)])


@router.delete("/{guardrail}", status_code=204)
def delete_guardrail(changing: Changing, guardrail: GuardrailField) -> Response:
    """Remove a guardrail. To change one, delete and create it in one change set."""
    subject = Missing("guardrail", (guardrail,))
    entity = Entity(Guardrail, guardrail)
    accepted = changing.propose(DeleteGuardrail(guardrail), subject=subject, of=entity)
    return gone(accepted.state.revision)
