"""What was proved and tested of just what runs here: the report of the gate, in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fastapi import Request
from starlette.responses import Response

from grantproof.adapters.verification import PropertyTold, Standing, Verification
from grantproof.api.access import ADMINISTRATION
from grantproof.api.console.rendering import PROOFS, page
from grantproof.api.problems import NOT_READY, Refused
from grantproof.api.running import Here
from grantproof.api.strictness import strict_router
from grantproof.service.promises import PROMISES

MEANINGS: Final[Mapping[Standing, tuple[str, str]]] = {
    Standing.VERIFIED: (
        "Verified",
        "The whole gate passed, and it was about exactly the source of the rules that runs here.",
    ),
    Standing.FAILED: (
        "Not verified",
        "The gate ran on exactly this source, and something in it did not pass.",
    ),
    Standing.PARTIAL: (
        "Not verified",
        "What was run passed, but it was not the whole gate.",
    ),
    Standing.OTHER_SOURCE: (
        "Not verified",
        "The report is about other source than what runs here, so nothing is claimed here.",
    ),
    Standing.NO_REPORT: (
        "No report",
        "Nobody has given this service the report of its verification, so nothing is claimed here.",
    ),
}
"""What each standing is called, and what it means."""
STAGES: Final[Mapping[str, str]] = {
    "specs": "proofs by Z3 about the source, for all policies",
    "properties": "property tests by Hypothesis",
    "tla": "models of concurrent administration, checked by TLC",
    "faults": "seeded faults, each of which must be caught",
    "traces": "traces of the real stores, held to the models",
    "crosshair": "symbolic execution by CrossHair",
    "smoke": "the demo, started and asked",
}
"""What each stage of the gate does."""

router = strict_router(PROOFS, tag="console", access=ADMINISTRATION, in_document=False)


@dataclass(frozen=True, slots=True)
class Row:
    """A property as the page shows it; `told` where the report bears on it."""

    id: str
    promise: str
    told: PropertyTold | None


@router.get("")
async def proofs(request: Request, here: Here) -> Response:
    """Show what is known of what runs."""
    found = here.services.verification
    if found is None:
        raise Refused(NOT_READY)
    title, meaning = MEANINGS[found.standing]
    told = found.told if _is_about_this(found) else None
    properties = {} if told is None else told.properties
    return page(
        request,
        "proofs.html",
        verification=found,
        told=told,
        title=title,
        meaning=meaning,
        stages=STAGES,
        rows=[Row(name, promise, properties.get(name)) for name, promise in PROMISES.items()],
    )


def _is_about_this(found: Verification) -> bool:
    return found.standing in {Standing.VERIFIED, Standing.FAILED, Standing.PARTIAL}
