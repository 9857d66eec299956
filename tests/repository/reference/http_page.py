"""The pages of routes and of schemas: the committed OpenAPI document, which a test holds to the
code, put into words."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from tests.api.fitting import Fitting, fittings
from tests.api.routes import Route
from tests.repository.reference import json_types
from tests.repository.reference.markdown import DOCS, anchor, code, fenced, page, table

INTRODUCTION: Final = """
Every route, from [the OpenAPI document](../openapi.json), which `/docs` of a running service shows
and lets you try. Bodies are JSON, and unknown fields are refused but on the routes of
[AuthZEN](../authzen.md). A request presents [a credential](../authentication.md) with the scope
that stands at the route. Errors are problem documents, whose `code` says what to do:
[errors](../errors.md). `$KEY` stands for your key.
"""
SCHEMAS: Final = """
What requests and answers hold, by the names that [the routes](http.md) use. A field without a
default that is not required may be left out.
"""
TAGS: Final = {
    "decisions": "May this principal do this? See [questions](../questions.md) for more of them.",
    "authzen": "The same in the words of the standard: [AuthZEN](../authzen.md).",
}
TITLES: Final = {"authzen": "AuthZEN"}
PUBLISHED: Final = "schemas.md"

BODIES: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("POST", "/principals/{principal}/roles"): {"role_id": "editor"},
    ("POST", "/v1/orgs"): {"id": "globex", "time_zone": "Europe/Paris"},
    ("POST", "/v1/keys"): {"org_id": "acme", "principal_id": "alice", "scopes": ["evaluate"]},
}
"""What is sent to the routes that are about no organization."""

NAMES: Final = {
    "org": "acme",
    "principal": "alice",
    "group": "staff",
    "role": "editor",
    "parent": "viewer",
    "kind": "document",
    "resource": "docs",
    "claim": "readers",
    "sod_set": "books",
    "guardrail": "no-erasing",
    "session": "b1946ac92492d2347c6235b4d2611184",
    "prefix": "0f3a9c51d2e7",
}
"""What stands in the place of each part of an address."""

READABLE: Final = {
    "x": {"group": "staff", "container": "staff", "role": "auditor", "parent": "auditor"},
    "y": {"group": "sales"},
    "z": {"container": "company", "group": "company"},
    "new": {"principal": "dana", "resource": "plans"},
}
"""What examples call what the tests call shortly, by the name of the field that holds it."""
CREATED: Final = {
    "principals": "dana",
    "groups": "sales",
    "roles": "auditor",
    "kinds": "invoice",
    "resources": "plans",
    "claims": "readers",
    "sod-sets": "books",
    "guardrails": "no-fleeing",
}
"""What examples call what they create, by the collection."""

Json = dict[str, Any]


@cache
def document() -> Json:
    """The committed document."""
    found: Json = json.loads((DOCS / "openapi.json").read_text("utf-8"))
    return found


def operations() -> Iterator[tuple[str, str, Json]]:
    """The method, the address and the description of every operation, decisions first."""
    found = [
        (method.upper(), path, operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
    ]
    tags = list(dict.fromkeys([*TAGS, *(_tag(operation) for _, _, operation in found)]))
    yield from sorted(found, key=lambda one: tags.index(_tag(one[2])))


def written() -> str:
    """The page of routes."""
    listed = [
        (f"[`{method} {path}`](#{anchor(f'{method} {path}')})", _scope(operation), _line(operation))
        for method, path, operation in operations()
    ]
    parts = [INTRODUCTION, "## Every route", table(("route", "scope", "what it does"), listed)]
    tag = None
    for method, path, operation in operations():
        if _tag(operation) != tag:
            tag = _tag(operation)
            parts += [
                f"## {TITLES.get(tag, tag.capitalize())}",
                *([TAGS[tag]] if tag in TAGS else []),
            ]
        parts += list(_operation(method, path, operation))
    return page("The HTTP API", *parts)


def schemas_written() -> str:
    """The page of schemas."""
    linking = json_types.link_to()
    parts = [SCHEMAS]
    for name, schema in sorted(document()["components"]["schemas"].items()):
        parts += [f"## {name}", schema.get("description", "")]
        parts += [json_types.fields(schema, linking) or json_types.told(schema, linking)]
    return page("Schemas of the HTTP API", *parts)


def example(method: str, path: str) -> tuple[str, Fitting]:
    """An address of the route and what goes with it."""
    address = path
    for name, value in NAMES.items():
        address = address.replace(f"{{{name}}}", value)
    if (method, path) in BODIES:
        return address, Fitting(body=BODIES[method, path])
    shown = _shown_body(document()["paths"][path][method.lower()])
    if shown is not None:
        return address, Fitting(body=shown)
    is_about_one = path.startswith("/v1/orgs/{org}/")
    if not is_about_one:
        return address, Fitting()
    return address, fittings(Route(method, path, None), "acme")[0]


def curl(method: str, path: str) -> str:
    """The example as it is typed."""
    address, fitting = example(method, path)
    created = CREATED.get(path.rpartition("/")[2], "new")
    query = "&".join(f"{name}={_readable(name, one)}" for name, one in fitting.query.items())
    target = f"localhost:9090{address}{'?' if query else ''}{query}"
    goes_without_saying = method == ("GET" if fitting.body is None else "POST")
    said = [] if goes_without_saying else [f"-X {method}"]
    if "security" in document()["paths"][path][method.lower()]:
        said.append('-H "Authorization: Bearer $KEY"')
    if fitting.body is not None:
        body = _renamed(fitting.body, created)
        said += ["-H 'Content-Type: application/json'", f"-d '{json.dumps(body)}'"]
    quoted = f"'{target}'" if query else target
    return " \\\n    ".join([f"curl -s {quoted}", *said])


def _operation(method: str, path: str, operation: Json) -> Iterator[str]:
    yield f"### {method} {path}"
    yield operation["description"]
    scope = _scope(operation)
    yield f"Scope: {scope}." if scope else "Takes no credential."
    rows = [
        (
            code(one["name"]),
            one["in"],
            json_types.told(one["schema"], json_types.link_to(PUBLISHED)),
            "required" if one.get("required") else _default(one["schema"]),
            one.get("description", ""),
        )
        for one in operation.get("parameters", ())
    ]
    yield table(("parameter", "in", "value", "default", "meaning"), rows)
    if "requestBody" in operation:
        yield f"Body: {_content(operation['requestBody'])}."
    yield fenced("console", f"$ {curl(method, path)}")
    yield from _answers(operation)


def _answers(operation: Json) -> Iterator[str]:
    good = {status: one for status, one in operation["responses"].items() if status < "400"}
    bad = [status for status in operation["responses"] if status >= "400"]
    for status, one in good.items():
        content = _content(one)
        yield f"Answers {status}: {content}." if content else f"Answers {status}, without a body."
    for one in good.values():
        for kind in one.get("content", {}).values():
            for shown in list(kind.get("examples", {}).values())[:1]:
                yield fenced("json", json.dumps(shown["value"]))
    yield f"Errors: {', '.join(bad)}."


def _content(told: Json) -> str:
    found = []
    for kind, one in told.get("content", {}).items():
        schema = json_types.told(one.get("schema", {}), json_types.link_to(PUBLISHED))
        found.append(schema if kind == "application/json" else f"`{kind}`")
    return " or ".join(dict.fromkeys(found))


def _shown_body(operation: Json) -> Json | None:
    """The first body that the document itself shows, if it shows one."""
    for kind in operation.get("requestBody", {}).get("content", {}).values():
        for shown in kind.get("examples", {}).values():
            found: Json = shown["value"]
            return found
    return None


def _scope(operation: Json) -> str:
    scopes = [scope for one in operation.get("security", ()) for scope in one["bearer"]]
    return " and ".join(code(scope) for scope in scopes)


def _tag(operation: Json) -> str:
    return str(operation.get("tags", ["decisions"])[0])


def _line(operation: Json) -> str:
    line: str = operation["description"].partition("\n\n")[0].partition(". ")[0]
    return f"{line.rstrip('.')}."


def _default(schema: Json) -> str:
    return code(schema["default"]) if schema.get("default") is not None else ""


def _renamed(value: Any, created: str, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _renamed(one, created, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_renamed(one, created, key.removesuffix("s")) for one in value]
    if key == "id" and value in {"new", "x"}:
        return created
    return _readable(key, value)


def _readable(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    kind = key.removeprefix("to_").removeprefix("from_").removesuffix("s")
    return READABLE.get(value, {}).get(kind, value)
