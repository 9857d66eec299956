"""The JSON Schema of policy files: what it accepts is what is read, and it is published."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from grantproof.core.constraints import EVERY_DAY
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.policyfile.policy_folder import read_policy
from grantproof.policyfile.policy_schema import write_schema
from grantproof.policyfile.policy_text import read_source
from grantproof.policyfile.source import Source

ROOT = Path(__file__).resolve().parents[3]
SCHEMA: dict[str, Any] = json.loads(write_schema())
VALIDATOR = jsonschema_rs.validator_for(SCHEMA)
CONSTRAINTS: list[dict[str, Any]] = [
    {"type": "time_window", "start": 8, "end": 18, "weekdays": sorted(EVERY_DAY)},
    {"type": "geo_fence", "regions": ["eu-west-1"]},
    {"type": "geo_radius", "centre": "48.8566,2.3522", "metres": 10},
    {"type": "max_usage", "limit": 3, "period": "day"},
    {"type": "rate_limit", "per_minute": 3},
    {"type": "attribute", "path": "context.a", "op": "in", "operand": ["x"]},
    {"type": "attribute", "path": "resource.a", "op": "eq", "operand": {"path": "principal.id"}},
]
WHOLE: dict[str, Any] = {
    "apiVersion": "grantproof/v1",
    "kind": "Organization",
    "id": "acme",
    "time_zone": "Europe/Paris",
    "kinds": [{"id": "document"}],
    "principals": [{"id": "ann", "active": False, "attributes": {"a": 1, "b": True, "c": ["x"]}}],
    "groups": [{"id": "team"}, {"id": "staff"}],
    "roles": [{"id": "viewer"}, {"id": "editor", "parents": ["viewer"]}],
    "resources": [
        {"id": "docs", "kind": "document"},
        {"id": "docs/a", "kind": "document", "parent": "docs", "attributes": {"a": "x"}},
    ],
    "claims": [
        {
            "id": "c",
            "role": "viewer",
            "action": "read",
            "resource": "docs/**",
            "constraints": CONSTRAINTS,
        },
    ],
    "sod_sets": [{"id": "s", "roles": ["viewer", "editor"], "n": 2, "mode": "dynamic"}],
    "guardrails": [
        {"id": "f", "type": "forbidden", "access": {"action": "*", "resource": "docs/**"}},
        {
            "id": "r",
            "type": "reserved",
            "access": {"action": "read", "resource": "*", "attributes": {"a": "x"}},
            "who": [{"group": "team"}, {"role": "viewer"}, {"attributes": {"a": 1}}],
        },
        {
            "id": "l",
            "type": "confined",
            "access": {"action": "read", "resource": "*"},
            "constraints": CONSTRAINTS,
        },
        {
            "id": "e",
            "type": "exclusive",
            "first": {"action": "read", "resource": "*"},
            "second": {"action": "write", "resource": "kind:document"},
        },
        {"id": "m", "type": "capped", "access": {"action": "read", "resource": "*"}, "most": 3},
    ],
    "memberships": [{"principal": "ann", "group": "team"}],
    "nestings": [{"group": "team", "container": "staff"}],
    "assignments": [
        {"principal": "ann", "role": "editor", "from": "2026-01-31T09:00:00Z", "until": None},
        {"group": "staff", "role": "viewer", "from": 1, "until": 2},
    ],
}


def objects(value: Any) -> list[dict[str, Any]]:
    """Every object within a value, but those whose names are the author's own."""
    if isinstance(value, list):
        return [found for member in value for found in objects(member)]
    if not isinstance(value, dict):
        return []
    inner = [found for name, one in value.items() if name != "attributes" for found in objects(one)]
    return [value, *inner]


def read(document: Any) -> bool:
    """Whether the document is a policy."""
    return isinstance(read_policy({"a": json.dumps(document)}), OrganizationDocument)


def test_the_published_schema_is_that_of_the_code() -> None:
    """Write it anew with `grantproof policy schema > docs/schema/organization.schema.json`."""
    assert (ROOT / "docs/schema/organization.schema.json").read_text("utf-8") == write_schema()


def test_the_schema_names_nobody_elses_address() -> None:
    """An editor needs nothing but the file."""
    assert "://" not in write_schema()


def test_the_schema_accepts_what_is_read() -> None:
    """An organization with every list and every constraint, and a part of one without its id."""
    assert set(OrganizationDocument.lists()) <= set(WHOLE), "a list is not tried"
    assert VALIDATOR.is_valid(WHOLE)
    assert read(WHOLE)
    assert VALIDATOR.is_valid({name: WHOLE[name] for name in ("apiVersion", "kind", "roles")})


def test_the_schema_accepts_the_examples_of_the_guide() -> None:
    """Those that are right; the one with mistakes is refused."""
    page = (ROOT / "docs" / "policy.md").read_text("utf-8")
    texts = [part.partition("```")[0] for part in page.split("```yaml\n")[1:]]
    sources = [read_source(text) for text in texts]
    valid = [VALIDATOR.is_valid(one.data) for one in sources if isinstance(one, Source)]
    assert valid == [True, True, False, True]


def test_both_refuse_an_unknown_key_anywhere() -> None:
    """In every object of a policy, of the schema and of the reader alike."""
    document = json.loads(json.dumps(WHOLE))
    found = objects(document)
    assert len(found) > 20
    for one in found:
        one["colour"] = "red"
        assert not VALIDATOR.is_valid(document), one
        assert not read(document), one
        del one["colour"]
    assert VALIDATOR.is_valid(document)


@pytest.mark.parametrize("required", ["apiVersion", "kind"])
def test_both_refuse_what_does_not_say_what_it_is(required: str) -> None:
    """Each file says so itself."""
    document = {name: value for name, value in WHOLE.items() if name != required}
    assert not VALIDATOR.is_valid(document)
    assert not read(document)


def test_an_editor_is_told_what_every_field_means() -> None:
    """Each list and each field of its entries has a description; a tag says what it is itself."""
    described = [
        SCHEMA["properties"],
        *(one["properties"] for one in SCHEMA["$defs"].values() if "properties" in one),
    ]
    silent = {
        name
        for fields in described
        for name, field in fields.items()
        if "description" not in field and "const" not in field
    }
    assert silent == set()
