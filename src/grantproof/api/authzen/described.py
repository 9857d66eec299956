"""The routes of AuthZEN as the OpenAPI document describes them."""

import inspect
from typing import Any, Final, NamedTuple

import msgspec

from grantproof.api import front
from grantproof.api.access import security
from grantproof.api.authzen import shapes
from grantproof.core.identifiers import OrganizationId

Json = dict[str, Any]

PREFIX: Final = "Authzen"
"""Before the names of the schemas: the standard's words are not ours."""
REFERENCE: Final = f"#/components/schemas/{PREFIX}{{name}}"
TYPES: Final = (
    shapes.AccessEvaluation,
    shapes.AccessEvaluations,
    shapes.ActionFound,
    shapes.ActionSearch,
    shapes.Decision,
    shapes.Entity,
    shapes.Item,
    shapes.PageTold,
    shapes.ResourceSearch,
    shapes.SubjectSearch,
    shapes.Undecided,
)
JSON: Final = "application/json"
PLAIN: Final = "text/plain"
STATUSES: Final = {
    400: "malformed, or not JSON: the fields at fault and the rules that they break",
    401: "no credential, or none that counts",
    403: "not allowed to this caller, or no organization of the caller's own",
    408: "the body did not come in time",
    413: "the body is too large",
    421: "the demo answers under a name of this machine only",
    429: "too often: try again after `Retry-After` seconds",
    500: "something went wrong on the server",
    503: "try again after `Retry-After` seconds",
}
HEADERS: Final = {
    401: ("WWW-Authenticate", "string"),
    403: ("WWW-Authenticate", "string"),
    429: ("Retry-After", "integer"),
    503: ("Retry-After", "integer"),
}
ORGANIZATION: Final = {
    "name": "org",
    "in": "path",
    "required": True,
    "schema": {
        "type": "string",
        "minLength": 1,
        "maxLength": OrganizationId.length_max,
        "pattern": f"^{OrganizationId.alphabet.pattern}$",
    },
}
ALICE: Final = {"type": "user", "id": "alice"}
READ: Final = {"name": "read"}
DOCS: Final = {"type": "document", "id": "docs"}
EVALUATION: Final[Json] = {"subject": ALICE, "action": READ, "resource": DOCS}


class Described(NamedTuple):
    """A route: its name, what it is for, what it takes and answers, and an example."""

    name: str
    description: str
    body: str
    answer: Json
    example: Json


def _reference(name: str) -> Json:
    return {"$ref": REFERENCE.format(name=name)}


def _results(found: str) -> Json:
    """Return what a page of a search is like."""
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": _reference(found)},
            "page": _reference("PageTold"),
        },
        "required": ["results", "page"],
    }


SEVERAL: Final[Json] = {
    "type": "object",
    "properties": {
        "evaluations": {
            "type": "array",
            "items": {"anyOf": [_reference("Decision"), _reference("Undecided")]},
        }
    },
    "required": ["evaluations"],
}
DECIDED_TOGETHER: Final = (
    "Decide several requests on one state at one instant. What an item leaves out is as the whole"
    " says; an item that is no request is denied. Without items it is one request."
)
ROUTES: Final[dict[str, Described]] = {
    front.EVALUATION: Described(
        "evaluation",
        "Decide one request, in the words of OpenID AuthZEN.",
        "AccessEvaluation",
        _reference("Decision"),
        EVALUATION,
    ),
    front.EVALUATIONS: Described(
        "evaluations",
        DECIDED_TOGETHER,
        "AccessEvaluations",
        {"anyOf": [SEVERAL, _reference("Decision")]},
        {"subject": ALICE, "resource": DOCS, "evaluations": [{"action": READ}, {}]},
    ),
    front.SEARCH_SUBJECT: Described(
        "search_subject",
        "Tell which subjects may do the action on the resource, page by page.",
        "SubjectSearch",
        _results("Entity"),
        {**EVALUATION, "subject": {"type": "user"}},
    ),
    front.SEARCH_RESOURCE: Described(
        "search_resource",
        "Tell on which resources the subject may do the action, page by page.",
        "ResourceSearch",
        _results("Entity"),
        {**EVALUATION, "resource": {"type": "document"}},
    ),
    front.SEARCH_ACTION: Described(
        "search_action",
        "Tell which actions the subject may do on the resource, of those that claims name.",
        "ActionSearch",
        _results("ActionFound"),
        {"subject": ALICE, "resource": DOCS, "page": {"limit": 10}},
    ),
}


def paths() -> Json:
    """Return the operations: each for credentials of an organization, and for one of all."""
    described: Json = {}
    for path in ROUTES:
        described[path] = {"post": _operation(path, "authzen")}
        of_one = _operation(path, "authzen_of_organization")
        of_one["parameters"] = [ORGANIZATION]
        described[front.OF_ORGANIZATION + path] = {"post": of_one}
    return described


def schemas() -> Json:
    """Return the schemas of what is read and written."""
    _, found = msgspec.json.schema_components(TYPES, ref_template=REFERENCE)
    for schema in found.values():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
    found["Undecided"]["properties"]["decision"] = {"const": False}
    items = found["AccessEvaluations"]["properties"]["evaluations"]
    items["items"] = _reference("Item")
    return {f"{PREFIX}{name}": schema for name, schema in found.items()}


def _operation(path: str, prefix: str) -> Json:
    route = ROUTES[path]
    body = {
        "schema": _reference(route.body),
        "examples": {"of the demo": {"value": route.example}},
    }
    return {
        "operationId": f"{prefix}_{route.name}",
        "summary": f"AuthZEN {route.name.replace('_', ' ')}",
        "description": route.description,
        "tags": ["authzen"],
        "security": security(front.AUTHZEN[path]),
        "requestBody": {"required": True, "content": {JSON: body}},
        "responses": {
            "200": {"description": "The answer", "content": {JSON: {"schema": route.answer}}},
            **{str(status): _error(status) for status in STATUSES},
        },
    }


def _error(status: int) -> Json:
    described: Json = {
        "description": STATUSES[status],
        "content": {PLAIN: {"schema": {"type": "string"}}},
    }
    if status in HEADERS:
        name, kind = HEADERS[status]
        described["headers"] = {name: {"schema": {"type": kind}}}
    return described
