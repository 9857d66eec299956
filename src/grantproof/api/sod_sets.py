"""Separation-of-duty sets: which roles may not come together."""

from typing import Final

from fastapi import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.problems import Fault, Refused, invalid, not_found
from grantproof.api.replies import WantedPage, created, gone, page, path, shown
from grantproof.api.schemas.pages import Page
from grantproof.api.scope import PREFIX, Changing, State
from grantproof.api.strictness import strict_router
from grantproof.core.commands.language import ChangeSodSet, CreateSodSet, DeleteSodSet
from grantproof.core.errors import Missing
from grantproof.core.identifiers import SodSetId
from grantproof.policyfile import documents
from grantproof.policyfile.fields import SodSetField

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
def get_sod_set(state: State, sod_set: SodSetField) -> Response:
    """Show a separation-of-duty set."""
    stored = state.sod_sets.get(sod_set)
    if stored is None:
        raise Refused(not_found(NOUN, sod_set))
    return shown(documents.SodSet.of(stored), state.revision)


@router.put("/{sod_set}", response_model=documents.SodSet)
def change_sod_set(changing: Changing, sod_set: SodSetField, body: documents.SodSet) -> Response:
    """Replace a separation-of-duty set; refused when somebody would break the new one."""
    if body.id != sod_set:
        raise Refused(invalid([Fault("id", f"must be `{sod_set}`, as in the address")]))
    accepted = changing.propose(ChangeSodSet(body.core()), subject=_missing(sod_set))
    return shown(body, accepted.state.revision)


@router.delete("/{sod_set}", status_code=204)
def delete_sod_set(changing: Changing, sod_set: SodSetField, cascade: bool = False) -> Response:
    """Remove a separation-of-duty set; `cascade` removes claims on it too."""
    command = DeleteSodSet(sod_set, cascade=cascade)
    return gone(changing.propose(command, subject=_missing(sod_set)).state.revision)


def _missing(sod_set: SodSetId) -> Missing:
    return Missing(NOUN, (sod_set,))
