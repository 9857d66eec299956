"""The written forms of facts: what is accepted, what is refused, where and in which words."""

import json
from typing import Any, Literal, get_args

import pytest
from pydantic import ValidationError

from grantproof.core import model
from grantproof.core.attributes import attributes
from grantproof.core.constraints import RateLimit
from grantproof.core.guardrails import Access, Forbidden, Having, HolderOf, MemberOf, Who
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    Action,
    ClaimId,
    GroupId,
    GuardrailId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.limits import (
    ATTRIBUTES_PER_ENTITY_MAX,
    CONSTRAINTS_PER_CLAIM_MAX,
    ID_LENGTH_MAX,
    INSTANT_MAX,
    ROLES_PER_SOD_SET_MAX,
)
from grantproof.policyfile import documents
from grantproof.policyfile.command_documents import DOCUMENTS
from grantproof.policyfile.document import Document
from grantproof.policyfile.faults import faults
from grantproof.policyfile.organization_document import OrganizationDocument

ANN, STAFF, VIEWER, EDITOR = PrincipalId("ann"), GroupId("staff"), RoleId("viewer"), RoleId("ed")
CLAIM = {"id": "c", "role": "viewer", "action": "read", "resource": "docs"}

ACCESS = Access(model.Any(), model.Within(ResourceId("docs")), attributes({"env": "live"}))
WHO: Who = frozenset({MemberOf(STAFF), HolderOf(VIEWER), Having(attributes({"level": 3}))})

FORMS: list[tuple[model.Fact, dict[str, Any]]] = [
    (
        model.Principal(ANN, False, attributes({"tags": frozenset({"b", "a"}), "level": 3})),
        {"id": "ann", "active": False, "attributes": {"level": 3, "tags": ["a", "b"]}},
    ),
    (model.Group(STAFF), {"id": "staff"}),
    (model.Role(VIEWER), {"id": "viewer"}),
    (model.KindDeclaration(Kind("document")), {"id": "document"}),
    (
        model.Resource(ResourceId("docs"), Kind("document")),
        {"id": "docs", "kind": "document", "parent": None, "attributes": {}},
    ),
    (
        model.Claim(ClaimId("c"), VIEWER, model.Any(), model.Any(), (RateLimit(1),)),
        {
            "id": "c",
            "role": "viewer",
            "action": "*",
            "resource": "*",
            "constraints": [{"type": "rate_limit", "per_minute": 1}],
        },
    ),
    (
        model.SodSet(SodSetId("s"), frozenset({VIEWER, EDITOR}), 2, "dynamic"),
        {"id": "s", "roles": ["ed", "viewer"], "n": 2, "mode": "dynamic"},
    ),
    (
        model.Guardrail(GuardrailId("g"), Forbidden(ACCESS, WHO)),
        {
            "id": "g",
            "type": "forbidden",
            "access": {"action": "*", "resource": "docs/**", "attributes": {"env": "live"}},
            "who": [{"group": "staff"}, {"role": "viewer"}, {"attributes": {"level": 3}}],
        },
    ),
    (model.Membership(ANN, STAFF), {"principal": "ann", "group": "staff"}),
    (model.Nesting(STAFF, GroupId("all")), {"group": "staff", "container": "all"}),
    (model.Inheritance(EDITOR, VIEWER), {"role": "ed", "parent": "viewer"}),
    (
        model.Assignment(ANN, VIEWER, model.Validity(start=5)),
        {"principal": "ann", "role": "viewer", "from": 5, "until": None},
    ),
    (
        model.GroupAssignment(STAFF, VIEWER, model.Validity(end=9)),
        {"group": "staff", "role": "viewer", "from": None, "until": 9},
    ),
    (model.Administered(), {}),
]


def refused(form: type[Document], written: object) -> list[str]:
    """Why the form refuses what is written, in both ways of giving it."""
    with pytest.raises(ValidationError) as caught:
        form.model_validate(written)
    with pytest.raises(ValidationError) as from_text:
        form.model_validate_json(json.dumps(written))
    found = [fault.message for fault in faults(caught.value)]
    assert found == [fault.message for fault in faults(from_text.value)]
    return found


@pytest.mark.parametrize(("fact", "written"), FORMS)
def test_a_fact_has_one_written_form(fact: model.Fact, written: dict[str, Any]) -> None:
    """Each fact is written with all its fields in one order, and read back the same."""
    document = documents.of(fact)
    assert list(document.written().items()) == list(written.items())
    assert json.loads(document.model_dump_json()) == written
    assert type(document).model_validate(written) == document
    assert type(document).model_validate_json(json.dumps(written)).core() == fact


def test_every_fact_has_a_document_of_the_same_name() -> None:
    """One word for one thing: documents are named after what they write."""
    facts = [fact.__name__ for fact in get_args(model.Fact)]
    assert [form.__name__ for form in get_args(documents.Fact)] == facts
    assert {type(fact).__name__ for fact, _ in FORMS} == set(facts)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("docs", model.Exactly(ResourceId("docs"))),
        ("docs/a", model.Exactly(ResourceId("docs/a"))),
        ("docs/**", model.Within(ResourceId("docs"))),
        ("//**", model.Within(ResourceId("/"))),
        ("kind:document", model.OfKind("document")),
        *((f"kind:{kind}", model.OfKind(kind)) for kind in IMPLICIT_KINDS),
        ("role:admin", model.Exactly(ResourceId("role:admin"))),
        ("*", model.Any()),
    ],
)
def test_a_resource_pattern_is_read_and_written(text: str, pattern: model.ResourcePattern) -> None:
    """Each of the four forms stands for its pattern."""
    read = documents.Claim.model_validate(CLAIM | {"resource": text})
    assert read.core() == model.Claim(ClaimId("c"), VIEWER, model.Exactly(Action("read")), pattern)
    assert read.written()["resource"] == text


@pytest.mark.parametrize("text", ["", "**", "/**", "docs/*", "kind:", "kind:a/b", "a b", "kind:*"])
def test_an_illegal_resource_pattern_is_refused(text: str) -> None:
    """What is none of the four forms is refused at the field."""
    ((at, _),) = [
        message.split(":", 1) for message in refused(documents.Claim, CLAIM | {"resource": text})
    ]
    assert at == "resource"


ILLEGAL: list[tuple[type[Document], object, str]] = [
    (documents.Group, {}, "id: is required"),
    (documents.Group, {"id": "a", "name": "A"}, "name: is not a known field"),
    (documents.Group, {"id": 1}, "id: must be a string"),
    (documents.Group, {"id": True}, "id: must be a string"),
    (documents.Group, {"id": None}, "id: must be a string"),
    (documents.Group, {"id": ""}, "id: must not be empty"),
    (documents.Group, {"id": "a/b"}, "id: must match [A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*"),
    (documents.Group, {"id": "grüße"}, "id: must match [A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*"),
    (documents.Group, [], "must be an object"),
    (documents.Group, "a", "must be an object"),
    (documents.Group, None, "must be an object"),
    (documents.Principal, {"id": "a", "active": 1}, "active: must be true or false"),
    (documents.Principal, {"id": "a", "active": "true"}, "active: must be true or false"),
    (documents.Principal, {"id": "a", "attributes": []}, "attributes: must be an object"),
    (documents.Principal, {"id": "a", "attributes": {"id": 1}}, "attributes.id: must not be `id`"),
    (documents.Principal, {"id": "a", "attributes": {"": 1}}, "attributes.: must not be empty"),
    (documents.Principal, {"id": "a", "attributes": {"x y": 1}}, "attributes.x y: must match"),
    (documents.Principal, {"id": "a", "attributes": {"x": 1.0}}, "attributes.x: must be true,"),
    (documents.Principal, {"id": "a", "attributes": {"x": None}}, "attributes.x: must be true,"),
    (documents.Principal, {"id": "a", "attributes": {"x": {}}}, "attributes.x: must be true,"),
    (documents.Principal, {"id": "a", "attributes": {"x": 2**63}}, "attributes.x: must fit in 64"),
    (documents.Principal, {"id": "a", "attributes": {"x": ["a", "a"]}}, "attributes.x: must not h"),
    (documents.KindDeclaration, {"id": "role"}, "id: must not be one of role, group"),
    (documents.Resource, {"id": "role:x", "kind": "d"}, "id: must not start with role:"),
    (documents.Resource, {"id": "x", "kind": "d", "parent": "role:x"}, "parent: must be a reg"),
    (documents.Claim, CLAIM | {"action": "re ad"}, "action: must match"),
    (documents.Claim, CLAIM | {"action": ["read"]}, "action: must be a string"),
    (documents.SodSet, {"id": "s", "roles": ["a", "b"], "n": 1}, "n: must be at least 2: it is"),
    (documents.SodSet, {"id": "s", "roles": ["a", "b"], "n": 3}, "n: must be at most the number"),
    (documents.SodSet, {"id": "s", "roles": ["a", "a"], "n": 2}, "roles: must not hold `a` twice"),
    (documents.SodSet, {"id": "s", "roles": ["a", "b"], "n": True}, "n: must be a whole number"),
    (
        documents.SodSet,
        {"id": "s", "roles": ["a", "b"], "n": 2, "mode": "both"},
        "mode: must be `static` or `dynamic`",
    ),
    (documents.Membership, {"principal": "a", "group": ["b"]}, "group: must be a string"),
    (
        documents.Assignment,
        {"principal": "a", "role": "b", "from": 5, "until": 5},
        "from: must be before `until`",
    ),
    (
        documents.Assignment,
        {"principal": "a", "role": "b", "until": -1},
        "until: must be epoch seconds between the years 1970 and 9999",
    ),
    (
        documents.GroupAssignment,
        {"group": "a", "role": "b", "from": 1.5},
        "from: must be a whole number",
    ),
    (
        documents.GroupAssignment,
        {"group": "a", "role": "b", "start": 1},
        "start: is not a known field",
    ),
]


@pytest.mark.parametrize(("form", "written", "message"), ILLEGAL)
def test_an_illegal_fact_is_refused_at_its_field(
    form: type[Document], written: object, message: str
) -> None:
    """One fault, named by its field and the rule, in our words and without types of Python."""
    (found,) = refused(form, written)
    assert found.startswith(message)


def test_half_a_surrogate_pair_is_refused_as_value_and_as_name() -> None:
    """Text that cannot be encoded is refused, and the refusal itself can be encoded."""
    written = {"id": "a", "attributes": {"x": "\ud800", "y": ["\udfff"], "\ud800": 1}}
    with pytest.raises(ValidationError) as caught:
        documents.Principal.model_validate(written)
    found = [fault.message for fault in faults(caught.value)]
    assert [message.partition(": half")[0] for message in found[:2]] == [
        "attributes.x: must be Unicode text",
        "attributes.y: must be Unicode text",
    ]
    assert found[2].encode().endswith(b": must match [A-Za-z_][A-Za-z0-9_-]*")


def test_every_fault_is_told_in_the_order_of_the_fields() -> None:
    """One validation finds all faults."""
    written = {"id": "", "kind": 1, "attributes": {"x": 0.5, "y": 1, "id": 2}, "more": 0}
    assert [message.split(":")[0] for message in refused(documents.Resource, written)] == [
        "id",
        "kind",
        "attributes.x",
        "attributes.id",
        "more",
    ]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("2026-01-31t09:00:00.000z", 1769850000),
        ("2026-01-31 09:00:00-05:30", 1769869800),
        ("9999-12-31T23:59:59Z", INSTANT_MAX),
    ],
)
def test_a_moment_may_be_written_with_its_offset(text: str, instant: int) -> None:
    """RFC 3339 text is read as epoch seconds, which is how it is always written."""
    read = documents.Assignment.model_validate({"principal": "a", "role": "b", "from": text})
    assert read.written()["from"] == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31",
        "2026-01-31T09:00:00",
        "2026-01-31T09:00Z",
        "2026-01-31T09:00:00.5Z",
        "2026-02-30T09:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T09:00:00+0100",
        "٢٠٢٦-01-31T09:00:00Z",
        "5",
        "now",
    ],
)
def test_a_moment_without_offset_or_out_of_the_calendar_is_refused(text: str) -> None:
    """Whatever leaves the instant open is refused, with an example of what is not."""
    (message,) = refused(documents.Assignment, {"principal": "a", "role": "b", "from": text})
    assert message.startswith("from: must be epoch seconds, or a moment in whole seconds with")


def at_least(count: int) -> dict[str, Any]:
    """A separation-of-duty set of that many roles."""
    return {"id": "s", "roles": [f"r{i}" for i in range(count)], "n": 2}


AT_THE_LIMIT: list[tuple[type[Document], Any, Any]] = [
    (documents.Group, {"id": "a" * ID_LENGTH_MAX}, {"id": "a" * (ID_LENGTH_MAX + 1)}),
    (
        documents.Resource,
        {"id": "/" * ID_LENGTH_MAX, "kind": "d"},
        {"id": "/" * (ID_LENGTH_MAX + 1), "kind": "d"},
    ),
    (documents.SodSet, at_least(ROLES_PER_SOD_SET_MAX), at_least(ROLES_PER_SOD_SET_MAX + 1)),
    (
        documents.Principal,
        {"id": "a", "attributes": {f"x{i}": 1 for i in range(ATTRIBUTES_PER_ENTITY_MAX)}},
        {"id": "a", "attributes": {f"x{i}": 1 for i in range(ATTRIBUTES_PER_ENTITY_MAX + 1)}},
    ),
    (
        documents.Claim,
        CLAIM
        | {"constraints": [{"type": "rate_limit", "per_minute": 1}] * CONSTRAINTS_PER_CLAIM_MAX},
        CLAIM
        | {
            "constraints": [{"type": "rate_limit", "per_minute": 1}]
            * (CONSTRAINTS_PER_CLAIM_MAX + 1)
        },
    ),
    (
        documents.Validity,
        {"from": INSTANT_MAX},
        {"from": INSTANT_MAX + 1},
    ),
]


@pytest.mark.parametrize(("form", "largest", "beyond"), AT_THE_LIMIT)
def test_a_limit_is_kept_exactly(form: type[Document], largest: object, beyond: object) -> None:
    """The largest legal document is accepted, one more is refused."""
    assert form.model_validate(largest).written()
    assert len(refused(form, beyond)) == 1


def test_a_document_cannot_be_changed() -> None:
    """A document is as frozen as the value it writes."""
    group = documents.Group.model_validate({"id": "a"})
    with pytest.raises(ValidationError):
        group.id = GroupId("b")  # type: ignore[misc]  # that is what is tried


def test_the_schema_tells_names_limits_and_meanings() -> None:
    """What OpenAPI shows of a claim: the alphabet of ids, the constraint types, no extra fields."""
    schema = documents.Claim.model_json_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["id"] == {
        "type": "string",
        "minLength": 1,
        "maxLength": ID_LENGTH_MAX,
        "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*$",
        "description": "The claim's id.",
        "title": "Id",
    }
    assert len(schema["properties"]["constraints"]["items"]["oneOf"]) == 6
    assert all(field["description"] for field in schema["properties"].values())


@pytest.mark.parametrize("mode", ["validation", "serialization"])
def test_every_document_has_a_schema(mode: Literal["validation", "serialization"]) -> None:
    """No document keeps OpenAPI from describing it, defaults included; warnings are errors."""
    forms: list[type[Document]] = [*get_args(documents.Fact), *DOCUMENTS.values()]
    forms.append(OrganizationDocument)
    for form in forms:
        assert form.model_json_schema(mode=mode)["type"] == "object"
    held = documents.Principal.model_json_schema(mode=mode)["properties"]["attributes"]
    assert held["default"] == {}
