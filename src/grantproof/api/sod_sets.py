"""Separation-of-duty sets: which roles may not come together."""

from typing import Final

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Fault, Refused, invalid, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, Changing, Seen, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import ChangeSodSet, CreateSodSet, DeleteSodSet
from grantproof.core.errors import Missing
from grantproof.core.identifiers import SodSetId
from grantproof.core.model import SodSet
from grantproof.policyfile import documents
from grantproof.policyfile.fields import SodSetField
from grantproof.service.versions import Entity

NOUN: Final = "separation-of-duty set"

router = strict_router(f"{PREFIX}/sod-sets", tag="separation-of-duty sets", access=ADMINISTRATION)


@router.get("", response_model=Page[documents.SodSet])
def list_sod_sets(state: State, wanted: WantedPage) -> Response:
    """List the separation-of-duty sets in the order of their ids."""
    return page(
        state.sod_sets,
        wanted,
        write=lambda sod_set: documents.SodSet.of(state.sod_sets[sod_set]),
        revision=state.revision,
    )


@router.post("", status_code=201, response_model=documents.SodSet)
def create_sod_set(changing: Changing, body: documents.SodSet) -> Response:
    """Add a separation-of-duty set; refused when somebody would break it already."""
    accepted = changing.propose(CreateSodSet(body.core()))
    location = path(changing.organization, "sod-sets", body.id)
    return created(body, accepted.state.revision, location=location)


@router.get("/{sod_set}", response_model=documents.SodSet)
def get_sod_set(seen: Seen, sod_set: SodSetField) -> Response:
    """Show a separation-of-duty set."""
    stored = seen.state.sod_sets.get(sod_set)
    if stored is None:
        raise Refused(not_found(NOUN, sod_set))
    return shown(documents.SodSet.of(stored), seen.versions[_entity(sod_set)])


@router.put("/{sod_set}", response_model=documents.SodSet)
def change_sod_set(changing: Changing, sod_set: SodSetField, body: documents.SodSet) -> Response:
    """Replace a separation-of-duty set; refused when somebody would break the new one."""
    if body.id != sod_set:
        raise Refused(invalid([Fault("id", f"must be `{sod_set}`, as in the address")]))
    command = ChangeSodSet(body.core())
    made = changing.propose(command, subject=_missing(sod_set), of=_entity(sod_set))
    after = changing.shown(_entity(sod_set), made)
    return shown(documents.SodSet.of(after.state.sod_sets[sod_set]), after.revision)


@router.delete("/{sod_set}", status_code=204)
def delete_sod_set(changing: Changing, sod_set: SodSetField, cascade: bool = False) -> Response:
    """Remove a separation-of-duty set; `cascade` removes claims on it too."""
    command = DeleteSodSet(sod_set, cascade=cascade)
    made = changing.propose(command, subject=_missing(sod_set), of=_entity(sod_set))
    return gone(made.state.revision)


def _entity(sod_set: SodSetId) -> Entity:
    return Entity(SodSet, sod_set)


def _missing(sod_set: SodSetId) -> Missing:
    return Missing(NOUN, (sod_set,))
