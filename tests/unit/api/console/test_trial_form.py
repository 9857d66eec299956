"""The form that tries a decision: every field is read strictly, and every fault told."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.api.console.trial_form import FIELDS, TypedQuestion, by_field, empty, read
from grantproof.api.problems import Fault
from grantproof.api.questions import Question
from grantproof.core.attributes import attributes
from grantproof.core.identifiers import OrganizationId, Region, RoleId
from grantproof.core.limits import ACTIVE_ROLES_MAX, INSTANT_MAX, INTEGER_MAX

ACME = OrganizationId("acme")
LEAST = {"principal_id": "alice", "action": "read", "resource_id": "docs"}


def typed(**fields: str) -> dict[str, str]:
    """The form, filled in as little as it may be, and with those fields."""
    return {**empty(), **LEAST, **fields}


def asked(**fields: str) -> TypedQuestion:
    """What the form asks."""
    found = read(ACME, typed(**fields))
    assert isinstance(found, TypedQuestion), found
    return found


def faults(**fields: str) -> Any:
    """The faults of the form."""
    found = read(ACME, typed(**fields))
    assert not isinstance(found, TypedQuestion)
    return found


def test_what_is_left_empty_is_not_said() -> None:
    """Only who, what, and on which resource has to be there."""
    found = asked()
    request, supplied = found.said
    assert (request.principal, request.action, request.resource) == ("alice", "read", "docs")
    assert (request.kind, request.active_roles, found.instant) == (None, None, None)
    assert not supplied.needs_trust
    assert found.question.org_id == "acme"


def test_everything_is_said_as_it_was_typed() -> None:
    """Each field under the name that `POST /explain` has for it."""
    found = asked(
        resource_kind="document",
        region="us-east-1",
        position="48.8566,2.3522",
        hour="9",
        weekday="0",
        usage="3",
        rate=str(INTEGER_MAX),
        instant="2030-01-31 09:00",
        active_roles="viewer, editor\nviewer",
        attributes='level=7\n\n name = two words\nflag=true\nteams=["a","b"]\nempty=\nn=NaN',
    )
    request, supplied = found.said
    assert request.kind == "document"
    assert request.active_roles == frozenset({RoleId("viewer"), RoleId("editor")})
    assert (supplied.region, supplied.hour, supplied.weekday) == (Region("us-east-1"), 9, 0)
    assert (supplied.usage, supplied.rate) == (3, INTEGER_MAX)
    assert supplied.position is not None
    assert supplied.attributes == attributes(
        {
            "level": 7,
            "name": "two words",
            "flag": True,
            "teams": frozenset({"a", "b"}),
            "empty": "",
            "n": "NaN",
        }
    )
    assert found.instant == 1_896_080_400


@pytest.mark.parametrize(
    "written",
    ["1896080400", "2030-01-31 09:00", "2030-01-31T09:00:00Z", "2030-01-31T10:00:00+01:00"],
)
def test_a_moment_can_be_typed_in_more_than_one_way(written: str) -> None:
    """Without an offset it is in UTC, as it says beside the field."""
    assert asked(instant=written).instant == 1_896_080_400


def test_a_stored_session_is_asked_in() -> None:
    """By its id, which the question keeps."""
    assert asked(session_id="s-1").question.session_id == "s-1"


@pytest.mark.parametrize(
    ("field", "text", "rule"),
    [
        ("principal_id", "", "must not be empty"),
        ("principal_id", "a b", "must match"),
        ("action", "x" * 129, "must have at most 128 characters"),
        ("resource_id", "kind:x", "must not start with"),
        ("resource_kind", "a/b", "must match"),
        ("region", "*", "must match"),
        ("position", "here", "must be latitude and longitude"),
        ("position", "91,0", "has a"),
        ("hour", "24", "must be a whole number from 0 to 23"),
        ("hour", "-1", "must be a whole number"),
        ("hour", "9.5", "must be a whole number"),
        ("hour", "\u0663", "must be a whole number"),
        ("weekday", "7", "from 0 to 6"),
        ("usage", str(INTEGER_MAX + 1), "must be a whole number"),
        ("rate", "9" * 30, "must be a whole number"),
        ("instant", "tomorrow", "must be a moment (UTC)"),
        ("instant", "2030-13-01 00:00", "must be a moment (UTC)"),
        ("instant", str(INSTANT_MAX + 1), "must be between the years"),
        ("instant", "1960-01-01 00:00", "must be between the years"),
        ("active_roles", "a/b", "must match"),
        ("active_roles", "r " * (ACTIVE_ROLES_MAX + 1), "at most 1000 members"),
        ("session_id", "a b", "must match"),
        ("attributes", "nothing", "one `name=value`"),
        ("attributes", "a=1\na=2", "has `a` twice"),
        ("attributes", "1x=1", "must match"),
        ("attributes", "a=1.5", "`a` must"),
        ("attributes", "a=null", "`a` must"),
        ("attributes", 'a={"b":1}', "`a` must"),
        ("attributes", "a=[1]", "must hold strings only"),
        ("attributes", "a=" + "[" * 100_000, "nested too deeply"),
        ("attributes", "a=" + "9" * 30, "`a` must"),
    ],
)
def test_a_field_at_fault_is_told(field: str, text: str, rule: str) -> None:
    """With the rule that it breaks, and no other field."""
    found = faults(**{field: text})
    assert set(found) == {field}
    assert rule in found[field]


def test_all_faults_are_told_at_once() -> None:
    """Whoever corrects one need not be told of the next only then."""
    assert set(faults(principal_id="", hour="x", attributes="x")) == {
        "principal_id",
        "hour",
        "attributes",
    }


def test_a_session_cannot_be_stored_and_not_stored() -> None:
    """As a question may not have both; it is told at the one that is too much."""
    assert set(faults(session_id="s-1", active_roles="viewer")) == {"active_roles"}


def test_faults_go_to_their_fields() -> None:
    """A part of a field to the field, and what is of none to the form."""
    told = (Fault("active_roles[3]", "a"), Fault("attributes.x", "b"), Fault("org_id", "c"))
    assert by_field(told) == {"active_roles": "a", "attributes": "b", "": "c"}


def test_the_form_has_what_a_question_has() -> None:
    """Each field of `POST /explain` but what says how to answer, and the moment of a what-if."""
    answering = {"explain"}
    assert set(Question.__struct_fields__) - answering == FIELDS - {"instant"}


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(sorted(FIELDS)), st.text(max_size=12), max_size=4))
def test_whatever_is_typed_is_read_or_told(fields: dict[str, str]) -> None:
    """Nothing that anybody can type is an error of ours."""
    stripped = {name: text.strip() for name, text in fields.items()}
    found = read(ACME, typed(**stripped))
    assert isinstance(found, TypedQuestion) or set(found) <= set(stripped) | {""}
