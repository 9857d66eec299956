"""Core values as people read them, in the notation in which they are typed."""

from collections.abc import Mapping
from typing import assert_never

from grantproof.cli.output import NOTHING
from grantproof.core.attributes import Attributes
from grantproof.core.constraints import Constraint
from grantproof.core.guardrails import Access, Having, HolderOf, MemberOf, Selector
from grantproof.core.identifiers import RoleId
from grantproof.core.model import Validity
from grantproof.policyfile.fields import write_action, write_resource
from grantproof.service import claim_text as words
from grantproof.service.claim_text import (
    claim_head,
    claim_text,
    constraint_text,
    moment,
    observation_text,
    value_text,
)

__all__ = [
    "access_text",
    "attribute_pairs",
    "claim_head",
    "claim_text",
    "constraint_text",
    "constraints_text",
    "held_roles",
    "moment",
    "observation_text",
    "period",
    "selector_text",
    "value_text",
]


def period(validity: Validity) -> tuple[str, str]:
    """Return from when and until when."""
    start, end = validity.start, validity.end
    return (
        NOTHING if start is None else moment(start),
        NOTHING if end is None else moment(end),
    )


def held_roles(assigned: Mapping[RoleId, Validity]) -> list[str]:
    """Return the assigned roles, each with its validity where that is bounded."""
    return [_held_role(role, assigned[role]) for role in sorted(assigned)]


def attribute_pairs(held: Attributes) -> str:
    """Return attributes as `name=value` pairs."""
    return " ".join(f"{name}={value_text(held[name])}" for name in sorted(held)) or NOTHING


def constraints_text(constraints: tuple[Constraint, ...]) -> str:
    """Return constraints in the order in which they stand."""
    return words.constraints_text(constraints) or NOTHING


def access_text(access: Access) -> str:
    """Return an access as a claim on it is shown: `delete prod/** where env="production"`."""
    head = f"{write_action(access.action)} {write_resource(access.resource)}"
    wanted = attribute_pairs(access.attributes)
    return head if wanted == NOTHING else f"{head} where {wanted}"


def selector_text(selector: Selector) -> str:
    """Return which principals are meant: `group staff`, `role clerk`, `contractor=true`."""
    match selector:
        case MemberOf():
            return f"group {selector.group}"
        case HolderOf():
            return f"role {selector.role}"
        case Having():
            return attribute_pairs(selector.attributes)
        case _:
            assert_never(selector)


def _held_role(role: RoleId, validity: Validity) -> str:
    start, end = period(validity)
    since = "" if start == NOTHING else f" from {start}"
    return f"{role}{since}" if end == NOTHING else f"{role}{since} until {end}"
