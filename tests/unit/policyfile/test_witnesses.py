"""Refusals for programs: a kind, and the fields of the refusal as plain values."""

import json
from typing import Any

from grantproof.core.errors import (
    AlreadySo,
    BreaksSod,
    HeldRole,
    Missing,
    Reference,
    Refusal,
    RefusedAt,
    StillReferenced,
)
from grantproof.core.identifiers import RoleId
from grantproof.policyfile.witnesses import KINDS, kind_of, refusal_of, witness_of

GONE = Missing("role", (RoleId("editor"),))


def written(refusal: Refusal) -> Any:
    """What a program reads."""
    return json.loads(json.dumps(witness_of(refusal)))


def test_kinds_are_the_names_in_small_letters() -> None:
    """A program finds the refusal that the documentation describes."""
    assert {kind.replace("_", "") for kind in KINDS.values()} == {
        cause.__name__.lower() for cause in KINDS
    }


def test_the_evidence_has_the_fields_of_the_refusal() -> None:
    """Written as JSON, ids are strings and tuples are lists."""
    assert written(GONE) == {"kind": "missing", "noun": "role", "ids": ["editor"]}


def test_within_a_change_set_the_position_is_told() -> None:
    """The cause stays that of the command at fault."""
    at = RefusedAt(2, GONE)
    assert kind_of(at) == kind_of(GONE)
    assert written(at) == {**written(GONE), "position": 2}


def test_a_breach_names_the_roles() -> None:
    """Beside how each is held."""
    held = (HeldRole((), ("editor", "viewer")), HeldRole(("staff",), ("payer",)))
    witness = written(BreaksSod("s", 2, "ann", None, held))
    assert witness["roles"] == ["viewer", "payer"]
    assert witness["held"][1] == {"groups": ["staff"], "roles": ["payer"]}


def test_a_refusal_is_read_back() -> None:
    """What was written as JSON is the same value again, within a change set too."""
    ways = (HeldRole((), ("editor", "viewer")), HeldRole(("staff",), ("payer",)))
    for refusal in (
        GONE,
        AlreadySo("ann", "active"),
        BreaksSod("s", 2, "ann", 7, ways),
        StillReferenced("role", "x", (Reference("assignment", ("ann", "x")),), 3),
        RefusedAt(4, GONE),
    ):
        assert refusal_of(written(refusal)) == refusal


def test_what_is_no_witness_is_no_refusal() -> None:
    """A cause that is not known, and fields that do not fit."""
    for other in ({}, {"kind": "burnt"}, {"kind": "missing", "noun": "moon", "ids": []}):
        assert refusal_of(other) is None
    assert refusal_of({"kind": "breaks_guardrail", "guardrail": {}}) is None
