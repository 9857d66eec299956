"""The OpenAPI document: what FastAPI knows, the routes in front of it, and what goes wrong.

Written once by `python -m grantproof.api.openapi`, committed, and compared by a test.
"""

import inspect
from typing import Any, Final, Literal

import msgspec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from grantproof.api import problems, wording
from grantproof.api.access import AUTHZEN_METADATA, PUBLIC, SCHEME, security
from grantproof.api.authzen import described
from grantproof.api.conditions import IDEMPOTENCY_KEY, IF_MATCH, KEY, KEY_TOLD
from grantproof.api.evaluations import ItemError
from grantproof.api.examples import (
    BATCH_ANSWER,
    BATCH_BODY,
    CONSUME_ANSWERS,
    CONSUME_BODIES,
    SINGLE_ANSWERS,
    SINGLE_BODIES,
    WHAT_IF_BODIES,
)
from grantproof.api.front import BATCH, CONSUME, EXPLAIN, SCOPES, SINGLE, WHAT_IF
from grantproof.api.problems import MEDIA_TYPE, ProblemBody
from grantproof.api.questions import BatchQuestion, SingleQuestion
from grantproof.api.what_if import SupposedCircumstances, WhatIfQuestion
from grantproof.core.limits import INTEGER_MAX, INTEGER_MIN
from grantproof.policyfile.answers import CODES, Certificate, Evaluation, Explanation
from grantproof.policyfile.command_documents import DOCUMENTS
from grantproof.policyfile.faults import TAG
from grantproof.policyfile.supposed_answers import WhatIf
from grantproof.policyfile.witnesses import KINDS, SESSION_KINDS
from grantproof.service.callers import Scope

JSON: Final = "application/json"
REFERENCE: Final = "#/components/schemas/{model}"
GENERATED: Final = ("HTTPValidationError", "ValidationError")
"""What FastAPI describes and we never answer."""


def _codes(status: int) -> str:
    """Return the codes with which problems of the status are told."""
    return ", ".join(f"`{code}`" for code, (of, _) in problems.KINDS.items() if of == status)


PROBLEMS: Final = {
    400: "malformed: the fields at fault and the rules that they break",
    401: "no credential, or none that counts",
    403: "not the caller's organization, or not allowed to this caller",
    404: "the caller's own organization has no such thing",
    408: "the body did not come in time",
    409: f"refused, with the witness: {_codes(409)}",
    412: "last changed at another revision than `If-Match` names; the header `ETag` tells which",
    413: "the body is too large",
    415: "the body is not JSON",
    421: "the demo answers under a name of this machine only",
    422: "the `Idempotency-Key` was used for another request",
    429: "too often: try again after `Retry-After` seconds",
    500: "something went wrong on the server",
    503: "try again after `Retry-After` seconds",
}
EVERYWHERE: Final = (400, 401, 403, 421, 429, 500, 503)
OF_BODIES: Final = (408, 413, 415)
TIMED: Final = (429, 503)
"""Those that say when to come again."""
OF_CHANGES: Final = (409,)
OF_TERMS: Final = {IF_MATCH: 412, IDEMPOTENCY_KEY: 422}
"""What the headers of a change, where it takes them, can lead to."""
ONCE: Final = {
    "name": IDEMPOTENCY_KEY,
    "in": "header",
    "required": False,
    "description": KEY_TOLD,
    "schema": {"type": "string", "pattern": f"^{KEY.pattern}$"},
}
"""The header of a use, which stands in front of the router."""
OF_ENTITIES: Final = (404,)
BREAKS_GUARDRAIL: Final[dict[str, Any]] = {
    "type": "object",
    "title": "BreaksGuardrail",
    "description": "Requests that would be allowed, which a guardrail says never are.",
    "properties": {
        "kind": {"const": "breaks_guardrail"},
        "guardrail": {"$ref": REFERENCE.format(model="Guardrail")},
        "count": {"type": "integer", "description": "how many principals it is about"},
        "failing": {"type": "array", "items": {"type": "object"}},
        "requests": {"type": "array", "items": {"type": "object"}, "minItems": 1},
    },
    "required": ["kind", "guardrail", "count", "failing", "requests"],
}
ASKING: Final = security([Scope.REVIEW])
"""What only reads, whatever its method."""
DATED: Final = frozenset({"/diff"})
"""Questions about a revision, which may not be there yet."""
REVIEWED: Final = frozenset({"/review/access"})
"""Reviews of what a query names, which may not be there."""
NAMING: Final = frozenset({"/reach"})
"""Questions that name what has to be there."""
CHANGING: Final = frozenset({"post", "put", "patch", "delete"})

BEARER: Final = {
    "type": "http",
    "scheme": "bearer",
    "description": "An API key, or a token of the configured issuer. What stands beside it at an"
    " operation are the scopes that the operation takes.",
}
CHALLENGED: Final = (401, 403)
"""What says in a header how to present a credential, or which scope is missing."""

INTEGER_BOUNDS: Final = {float(bound): bound for bound in (INTEGER_MIN, INTEGER_MAX)}

Json = dict[str, Any]


def completed(document: Json) -> Json:
    """Return the document of FastAPI with everything that it does not know of."""
    components = document.setdefault("components", {})
    components["securitySchemes"] = {SCHEME: BEARER}
    schemas = components.setdefault("schemas", {})
    for name in GENERATED:
        schemas.pop(name, None)
    schemas.update({**_pydantic_schemas(), **_msgspec_schemas(), **described.schemas(), **schemas})
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _add_problems(operation, _statuses(path, method, operation))
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
    for path, item in _front().items():
        item["post"]["security"] = security(SCOPES[path])
        document["paths"][path] = item
    document["paths"].update(described.paths())
    exact: Json = _exact(wording.described(document))
    return exact


def _without_null(schema: Json) -> Json:
    """Return what a parameter is when it is given: an address or a header cannot hold null."""
    given = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
    if len(given) != 1:
        return schema
    return {**{name: rest for name, rest in schema.items() if name != "anyOf"}, **given[0]}


def _exact(part: Any) -> Any:
    """Return the document with the bounds of integers as integers; FastAPI makes them floats."""
    if isinstance(part, dict):
        return {name: _exact(member) for name, member in part.items()}
    if isinstance(part, list):
        return [_exact(member) for member in part]
    return INTEGER_BOUNDS.get(part, int(part)) if isinstance(part, float) else part


def _statuses(path: str, method: str, operation: Json) -> tuple[int, ...]:
    if path.startswith(AUTHZEN_METADATA):
        return (400, 404, 421, 500, 503)
    if path in PUBLIC:
        return (421, 500, 503)
    named = path.removeprefix("/v1/orgs/{org}")
    return (
        *EVERYWHERE,
        *(OF_BODIES if "requestBody" in operation else ()),
        *(OF_CHANGES if _refuses(operation, method, named) else ()),
        *(OF_TERMS[name] for name in _headers(operation, method)),
        *(OF_ENTITIES if _may_be_absent(method, named) else ()),
    )


def _may_be_absent(method: str, named: str) -> bool:
    """Return whether the operation is on something that may not be there."""
    return "{" in named or (method == "delete" and named != "") or named in DATED | REVIEWED


def _refuses(operation: Json, method: str, named: str) -> bool:
    """Return whether it can be refused: a change, or a question about what is not there."""
    return method in CHANGING and (operation["security"] != ASKING or named in NAMING)


def _headers(operation: Json, method: str) -> list[str]:
    """Return the headers of terms that the operation takes; a key is taken by POST alone."""
    parameters = operation.get("parameters", [])
    if method != "post":
        parameters[:] = [one for one in parameters if one["name"] != IDEMPOTENCY_KEY]
    named = [one["name"] for one in parameters]
    return [name for name in OF_TERMS if name in named]


def _add_problems(operation: Json, statuses: tuple[int, ...]) -> None:
    operation["responses"].pop("422", None)
    operation["responses"].update({str(status): _problem(status) for status in sorted(statuses)})


def _problem(status: int) -> Json:
    described: Json = {
        "description": PROBLEMS[status],
        "content": {MEDIA_TYPE: {"schema": _reference("ProblemBody")}},
    }
    if status in TIMED:
        described["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    if status in CHALLENGED:
        described["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return described


def _front() -> Json:
    return {
        SINGLE: _post(
            "evaluate",
            "Decide one request. Deny is an answer, not an error.",
            body=_content("SingleQuestion", SINGLE_BODIES),
            answer=_content("Evaluation", SINGLE_ANSWERS),
        ),
        BATCH: _post(
            "evaluate_batch",
            "Decide many requests on one state at one instant; answers stand in the same order."
            " A malformed item is that item's error, the others are answered.",
            body=_content("BatchQuestion", BATCH_BODY),
            answer=_content("BatchEvaluation", BATCH_ANSWER),
        ),
        CONSUME: _post(
            "evaluate_consume",
            "Decide one request and count it. An allow by a metered claim counts once for that"
            " claim, and never beyond its limits; a deny counts nothing. `usage` and `rate` may not"
            " be supplied. Under an `Idempotency-Key` a use is counted once, and its answer given"
            " again; what counts nothing uses up no key.",
            body=_uncounted(_content("SingleQuestion", CONSUME_BODIES)),
            answer=_content("Evaluation", CONSUME_ANSWERS),
            once=True,
        ),
        EXPLAIN: _post(
            "explain",
            "Say why a request is allowed or denied: every claim on it and what it saw."
            " Takes review scope.",
            body=_content("SingleQuestion", SINGLE_BODIES),
            answer=_content("Explanation", {}),
        ),
        WHAT_IF: _post(
            "what_if",
            "Say what would be decided in another context, or after a change, beside what is"
            " decided now. Nothing is counted or changed. A change that would be refused is, with"
            " its witness; guardrails are judged, rights to make it are not. Takes review scope.",
            body=_content("WhatIfQuestion", WHAT_IF_BODIES),
            answer=_content("WhatIf", {}),
            supposing=True,
        ),
    }


def _post(
    name: str,
    description: str,
    *,
    body: Json,
    answer: Json,
    once: bool = False,
    supposing: bool = False,
) -> Json:
    operation: Json = {
        "operationId": name,
        "summary": name.replace("_", " ").capitalize(),
        "description": description,
        "tags": ["decisions"],
        "requestBody": {"required": True, "content": body},
        "responses": {"200": {"description": "The answer", "content": answer}},
    }
    if once:
        operation["parameters"] = [ONCE]
    of_once = (*OF_CHANGES, OF_TERMS[IDEMPOTENCY_KEY]) if once else ()
    of_changes = OF_CHANGES if supposing else ()
    _add_problems(operation, (*EVERYWHERE, *OF_BODIES, *of_once, *of_changes))
    return {"post": operation}


def _content(schema: str, examples: Json) -> Json:
    described: Json = {"schema": _reference(schema)}
    if examples:
        described["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {JSON: described}


def _uncounted(described: Json) -> Json:
    """Return the body with nothing in it that the server counts."""
    none = {name: {"type": "null"} for name in ("usage", "rate")}
    described[JSON]["schema"] = {**described[JSON]["schema"], "properties": none}
    return described


def _reference(schema: str) -> Json:
    return {"$ref": REFERENCE.format(model=schema)}


def _pydantic_schemas() -> Json:
    models: list[tuple[type[BaseModel], Literal["serialization", "validation"]]] = [
        (Explanation, "serialization"),
        (Certificate, "serialization"),
        (WhatIf, "serialization"),
        (SupposedCircumstances, "validation"),
    ]
    _, definitions = models_json_schema(models, ref_template=REFERENCE)
    schemas: Json = definitions["$defs"]
    return {**schemas, **_command_schemas()}


def _command_schemas() -> Json:
    """Return the schemas of the commands of a change set, each with the tag that it is told by."""
    commands: list[tuple[type[BaseModel], Literal["validation"]]] = [
        (form, "validation") for form in DOCUMENTS.values()
    ]
    _, definitions = models_json_schema(commands, ref_template=REFERENCE)
    schemas: Json = definitions["$defs"]
    for name in DOCUMENTS:
        schemas[name]["properties"][TAG] = {"const": name}
        schemas[name]["required"].append(TAG)
    return schemas


def _msgspec_schemas() -> Json:
    """Return the schemas of what is read and written without pydantic."""
    kinds: dict[type[Any], str] = {**KINDS, **SESSION_KINDS}
    types = (
        SingleQuestion,
        BatchQuestion,
        WhatIfQuestion,
        Evaluation,
        ItemError,
        ProblemBody,
        *kinds,
    )
    template = REFERENCE.replace("{model}", "{name}")
    _, schemas = msgspec.json.schema_components(
        types, schema_hook=lambda _: {"type": "string"}, ref_template=template
    )
    for schema in schemas.values():
        schema["description"] = inspect.cleandoc(schema.get("description", ""))
    for cause, kind in kinds.items():
        _make_witness(schemas[cause.__name__], kind)
    told = schemas["Evaluation"]["properties"]
    told["reason_code"] = {"enum": [*CODES.values(), None]}
    told["certificate"] = {"anyOf": [_reference("Certificate"), {"type": "null"}]}
    schemas["BreaksGuardrail"] = BREAKS_GUARDRAIL
    causes = [
        _reference(name) for name in (*(cause.__name__ for cause in kinds), "BreaksGuardrail")
    ]
    schemas["ProblemBody"]["properties"]["witness"] = {"anyOf": causes}
    return {**schemas, "BatchEvaluation": _batch_schema()}


def _make_witness(schema: Json, kind: str) -> None:
    """Add what `witness_of` adds to the fields of a refusal."""
    schema["properties"]["kind"] = {"const": kind}
    schema["required"] = [*schema.get("required", ()), "kind"]
    if kind in SESSION_KINDS.values():
        return
    schema["properties"]["position"] = {
        "type": "integer",
        "description": "which command of a change set is refused, from zero",
    }
    if kind == "breaks_sod":
        schema["properties"]["roles"] = {"type": "array", "items": {"type": "string"}}
        schema["required"].append("roles")


def _batch_schema() -> Json:
    return {
        "type": "object",
        "title": "BatchEvaluation",
        "description": "The answers to a batch, each in the place of its question.",
        "properties": {
            "items": {
                "type": "array",
                "items": {"anyOf": [_reference("Evaluation"), _reference("ItemError")]},
            },
            "revision": {"type": "integer"},
            "decided_at": {"type": "integer"},
        },
        "required": ["items", "revision", "decided_at"],
    }
