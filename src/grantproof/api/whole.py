"""A whole organization as one document, at one revision: what `grantproof export` writes.

It is told piece by piece, each made in a thread, so that decisions go on however large it is.
"""

from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from grantproof.api.access import ADMINISTRATION
from grantproof.api.conditions import ETAG, WantedUnlessKnown
from grantproof.api.replies import JSON, etag
from grantproof.api.scope import PREFIX, State
from grantproof.api.strictness import strict_router
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.policy_stream import json_pieces, yaml_pieces

YAML: Final = "application/yaml"
YAML_TYPES: Final = frozenset({YAML, "application/x-yaml", "text/yaml", "text/x-yaml"})
JSON_TYPES: Final = frozenset({JSON, "application/*", "*/*"})
MANY: Final = 64
"""So many media types are read of a header."""

FORMS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The document; as YAML where that is what is asked for",
        "content": {YAML: {"schema": {"$ref": "#/components/schemas/OrganizationDocument"}}},
        "headers": {"ETag": {"description": "the revision", "schema": {"type": "string"}}},
    },
    304: {"description": "the organization is still at a revision that `If-None-Match` names"},
}

router = strict_router(f"{PREFIX}/document", tag="organizations", access=ADMINISTRATION)


@router.get("", response_model=OrganizationDocument, responses=FORMS)
def get_document(state: State, request: Request, known: WantedUnlessKnown) -> Response:
    """Show all that an organization holds, as one document that `import` reads.

    JSON unless `Accept` would rather have YAML. Large ones are cheaper to make as JSON, by far.
    """
    headers = {ETAG: etag(state.revision), "Vary": "Accept"}
    if known.has(state.revision):
        return Response(status_code=304, headers=headers)
    if wants_yaml(",".join(request.headers.getlist("accept"))):
        return StreamingResponse(yaml_pieces(state), headers=headers, media_type=YAML)
    return StreamingResponse(json_pieces(state), headers=headers, media_type=JSON)


def wants_yaml(accept: str) -> bool:
    """Return whether the value of the header `Accept` would rather have YAML than JSON.

    What cannot be read, and what is neither, is passed over: then the answer is JSON.
    """
    best = {True: 0.0, False: 0.0}
    for one in accept.split(",", maxsplit=MANY)[:MANY]:
        kind, *parameters = (part.strip().lower() for part in one.split(";"))
        if kind in YAML_TYPES or kind in JSON_TYPES:
            is_yaml = kind in YAML_TYPES
            best[is_yaml] = max(best[is_yaml], _weight(parameters))
    return best[True] > best[False]


def _weight(parameters: list[str]) -> float:
    """Return the weight among the parameters of a media type; a wrong one counts nothing."""
    for one in parameters:
        name, _, value = one.partition("=")
        if name.strip() == "q":
            try:
                return float(value) if 0 <= float(value) <= 1 else 0.0
            except ValueError:
                return 0.0
    return 1.0
