"""The page of events: what each kind of change is called in the audit, and what it holds."""

from typing import Any, Final

from grantproof.api.events import COMMANDS
from grantproof.policyfile.command_documents import DOCUMENTS
from grantproof.policyfile.wire import FACT_DOCUMENTS
from tests.repository.reference import json_types
from tests.repository.reference.http_page import document
from tests.repository.reference.markdown import code, page, table

INTRODUCTION: Final = """
Every change is an event: `GET /v1/orgs/{org}/events`, `grantproof audit tail` and `grantproof audit
export` tell them, sealed into [the audit](../audit.md). The `command` of an event says what was
asked, its `delta` which facts that removed and added; each has its `type`. The commands are also
what `POST /v1/orgs/{org}/changes` takes. The names in brackets are those of
[the RBAC standard](../nist-rbac.md).
"""
WHOLE: Final = {
    "Found": "The organization was made, with its `time_zone`: the first event, revision 0.",
    "ChangeSet": "Several commands as one: `commands` holds them, in order.",
    "Dissolve": "The organization was deleted: the last event. Its chain stays.",
}
"""The commands that are about the whole organization, or about several at once."""
FACTS: Final = "What `removed` and `added` of a delta hold: enough to make the state again."


def written() -> str:
    """The page."""
    schemas = document()["components"]["schemas"]
    linking = json_types.link_to("schemas.md")
    parts = [INTRODUCTION, "## An event", json_types.fields(schemas["EventAnswer"], linking)]
    parts += ["## Commands", table(("command", "meaning"), _rows(schemas))]
    for name in DOCUMENTS:
        parts += [f"### {name}", schemas[name]["description"]]
        parts += [json_types.fields(schemas[name], linking)]
    parts += ["## Facts", FACTS]
    for name, form in FACT_DOCUMENTS.items():
        if name in schemas:
            parts += [f"### The fact {name}", schemas[name].get("description", "")]
            parts += [json_types.fields(schemas[name], linking)]
        else:
            schema = form.model_json_schema()
            parts += [f"### The fact {name}", schema.get("description", "")]
            parts += [json_types.fields(schema, linking)]
    return page("Events", *parts)


def kinds() -> list[str]:
    """Every command that an event may hold, the whole ones first."""
    return [*WHOLE, *sorted(COMMANDS - set(WHOLE))]


def _rows(schemas: dict[str, Any]) -> list[tuple[str, str]]:
    told = {**WHOLE, **{name: schemas[name]["description"] for name in DOCUMENTS}}
    return [(code(name), told[name]) for name in kinds()]
