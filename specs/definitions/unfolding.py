"""What symbols stand for, as hypotheses where a proof has to look into them."""

import typing

import z3

from specs.definitions import hierarchy
from specs.kernel.membership import contains, member_kind
from specs.kernel.values import Clause, Symbolic, Term, fresh


def unfolded(definition: typing.Any, *arguments: Symbolic) -> z3.BoolRef:
    """Return that the symbol has the members that its definition gives."""
    kind = member_kind(definition(*arguments))
    member = Term(fresh(kind, "member"), kind)
    return z3.ForAll([member.expr], unfolded_at(member, definition, *arguments))


def unfolded_at(member: Term, definition: typing.Any, *arguments: Symbolic) -> z3.BoolRef:
    """Return that the symbol has this member exactly if its definition gives it."""
    meant = contains(definition.unfolded(*arguments), member)
    return contains(definition(*arguments), member) == meant


def unfoldings(state: Symbolic, principal: Symbolic, instant: Symbolic) -> list[Clause]:
    """Return what the symbols of a principal's roles mean."""
    return [
        ("what groups of is", unfolded(hierarchy.groups_of, state, principal)),
        ("what assigned is", unfolded(hierarchy.assigned_roles, state, principal, instant)),
        ("what effective is", unfolded(hierarchy.effective_roles, state, principal, instant)),
    ]
