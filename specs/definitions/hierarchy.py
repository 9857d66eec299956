"""Who holds what: least closed sets, and what is valid when. P-CLOSURE, P-DAG."""

import typing
from collections.abc import Callable

import z3

from grantproof.core import hierarchy
from grantproof.core.model import Validity
from specs.definitions.registry import defines, describes
from specs.kernel.membership import contains, drawn
from specs.kernel.sorts import Name, Unsupported
from specs.kernel.values import Clause, Dict, Symbolic, Term, coerce, fresh, set_of, truth
from specs.kernel.view import View


def edge(parents: Symbolic, child: z3.ExprRef, parent: z3.ExprRef) -> z3.BoolRef:
    """Return whether the mapping leads from the child to the parent."""
    mapping = typing.cast(Dict, parents)
    return z3.And(mapping.has(child), contains(mapping.get(child), Term(parent, str)))


def reaches(parents: Symbolic, low: z3.ExprRef, high: z3.ExprRef) -> z3.BoolRef:
    """Return whether `high` is reached from `low`: the least preorder that contains the edges."""
    place = typing.cast(Dict, parents).found_at
    if not place:
        message = "reaching in a graph that is computed, not found"
        raise Unsupported(message)
    return z3.Function(f"reach {place}", Name, Name, z3.BoolSort())(low, high)


def preorder(parents: Symbolic) -> list[Clause]:
    """Return that reaching is reflexive, transitive and contains the edges."""
    x, y, z = z3.Consts("x y z", Name)
    through = z3.And(reaches(parents, x, y), reaches(parents, y, z))
    contained = z3.Implies(edge(parents, x, y), reaches(parents, x, y))
    return [
        ("reach is reflexive", z3.ForAll([x], reaches(parents, x, x))),
        (
            "reach is transitive",
            z3.ForAll([x, y, z], z3.Implies(through, reaches(parents, x, z))),
        ),
        ("reach contains the edges", z3.ForAll([x, y], contained)),
    ]


def least(parents: Symbolic, candidate: Callable[[z3.ExprRef, z3.ExprRef], z3.BoolRef]) -> Clause:
    """Return, for one relation, that reaching is within it if it is a preorder with the edges."""
    x, y, z = z3.Consts("x y z", Name)
    through = z3.And(candidate(x, y), candidate(y, z))
    is_one = z3.And(
        z3.ForAll([x], candidate(x, x)),
        z3.ForAll([x, y, z], z3.Implies(through, candidate(x, z))),
        z3.ForAll([x, y], z3.Implies(edge(parents, x, y), candidate(x, y))),
    )
    within = z3.ForAll([x, y], z3.Implies(reaches(parents, x, y), candidate(x, y)))
    return ("reach is the least preorder", z3.Implies(is_one, within))


def converse(graph: View, name: str) -> Clause:
    """Return that reaching down is the converse of reaching up."""
    x, y = z3.Consts("x y", Name)
    up, down = reaches(graph.parents.value, x, y), reaches(graph.children.value, y, x)
    return (f"{name}: reaching down is the converse", z3.ForAll([x, y], up == down))


def acyclic(graph: View, name: str) -> Clause:
    """Return that no edge of the graph leads to where it came from."""
    parents = graph.parents.value
    x, y = z3.Consts("x y", Name)
    closes = z3.And(edge(parents, x, y), reaches(parents, y, x))
    return (f"{name} are acyclic", z3.ForAll([x, y], z3.Not(closes)))


def image(start: Symbolic, parents: Symbolic) -> Symbolic:
    """Return everything reached from a member of `start`."""
    kind = typing.cast(Dict, parents).key_kind

    def has(high: z3.ExprRef) -> z3.BoolRef:
        low = drawn(start)
        member = typing.cast(Term, low.value).expr
        reached = z3.And(low.guard, reaches(parents, member, high))
        return z3.Exists(list(low.binders), reached)

    return set_of(kind, has)


CLOSED = z3.Function("closed", Name, z3.BoolSort())
"""An arbitrary set of which only is known that it contains `start` and is closed under parents."""


def starts_at_nodes(start: Symbolic, parents: Symbolic) -> list[Clause]:
    """Return what a caller of `closure` owes: that it starts at nodes of the graph."""
    low = drawn(start)
    there = typing.cast(Dict, parents).has(coerce(low.value, Name))
    return [("closure starts at nodes", z3.ForAll(list(low.binders), z3.Implies(low.guard, there)))]


@describes(hierarchy.closure, "P-CLOSURE", summary=image, requires=starts_at_nodes)
def closure(result: Symbolic, start: Symbolic, parents: Symbolic) -> z3.BoolRef:
    """It contains `start`, is closed under parents, and is within every set that is and does."""
    x, y = z3.Consts("x y", Name)
    low, member = drawn(start), drawn(result)
    within = z3.Implies(member.guard, CLOSED(typing.cast(Term, member.value).expr))
    return z3.And(
        z3.ForAll(list(low.binders), z3.Implies(low.guard, contains(result, low.value))),
        z3.ForAll(
            [x, y],
            z3.Implies(
                z3.And(contains(result, Term(x, str)), edge(parents, x, y)),
                contains(result, Term(y, str)),
            ),
        ),
        z3.ForAll(list(member.binders), within),
    )


def valid_at(validity: View, instant: z3.ArithRef) -> z3.BoolRef:
    """Return whether the instant is not before the start and not at the end or after."""
    early = z3.And(validity.start.there, instant < validity.start())
    late = z3.And(validity.end.there, validity.end() <= instant)
    return z3.Not(z3.Or(early, late))


@defines(Validity.contains, "P-SOUND")
def validity_contains(self: Symbolic, instant: Symbolic) -> Symbolic:
    """From start until before end."""
    return truth(valid_at(View(self), View(instant)()))


@defines(hierarchy.valid_roles, "P-SOUND")
def valid_roles(assigned: Symbolic, instant: Symbolic) -> Symbolic:
    """The keys whose validity contains the instant."""
    mapping, at = View(assigned), View(instant)()
    return set_of(str, lambda role: z3.And(mapping.has(role), valid_at(mapping.at(role), at)))


@defines(hierarchy.groups_of, "P-SOUND", opaque=True)
def groups_of(state: Symbolic, principal: Symbolic) -> Symbolic:
    """Every group reached from one that the principal is a member of."""
    s, p = View(state), View(principal)()
    direct = set_of(str, lambda group: member(s, p, group))
    return image(direct, s.groups.parents.value)


def member(state: View, principal: z3.ExprRef, group: z3.ExprRef) -> z3.BoolRef:
    """Return whether the principal is directly in the group."""
    memberships = state.memberships.forward
    return z3.And(memberships.has(principal), memberships.at(principal).has(group))


def assigned_by(
    relation: View, holder: z3.ExprRef, role: z3.ExprRef, *, at: z3.ArithRef
) -> z3.BoolRef:
    """Return whether the relation gives the holder the role at the instant."""
    held = relation.forward.at(holder)
    return z3.And(relation.forward.has(holder), held.has(role), valid_at(held.at(role), at))


def are_roles(
    result: Symbolic, state: Symbolic, _principal: Symbolic, _instant: Symbolic
) -> list[Clause]:
    """Return that every member is a role of the organization."""
    role = fresh(str, "role")
    there = View(state).roles.parents.has(role)
    held = contains(result, Term(role, str))
    return [("they are roles", z3.ForAll([role], z3.Implies(held, there)))]


@defines(hierarchy.assigned_roles, "P-SOUND", opaque=True, promises=are_roles)
def assigned_roles(state: Symbolic, principal: Symbolic, instant: Symbolic) -> Symbolic:
    """What is assigned to the principal, or to a group that it is in, and valid."""
    s, p, at = View(state), View(principal)(), View(instant)()
    groups = groups_of(state, principal)

    def has(role: z3.ExprRef) -> z3.BoolRef:
        group = z3.FreshConst(Name, "group")
        through = z3.And(
            contains(groups, Term(group, str)),
            assigned_by(s.group_assignments, group, role, at=at),
        )
        return z3.Or(assigned_by(s.assignments, p, role, at=at), z3.Exists([group], through))

    return set_of(str, has)


@defines(hierarchy.effective_roles, "P-SOUND", opaque=True, promises=are_roles)
def effective_roles(state: Symbolic, principal: Symbolic, instant: Symbolic) -> Symbolic:
    """Every role reached from an assigned one."""
    return image(assigned_roles(state, principal, instant), View(state).roles.parents.value)


def parent_is_node(_child: Symbolic, parent: Symbolic, parents: Symbolic) -> list[Clause]:
    """Return what a caller of `would_cycle` owes."""
    return [("the parent is a node", typing.cast(Dict, parents).has(View(parent)()))]


@defines(hierarchy.would_cycle, "P-DAG", requires=parent_is_node)
def would_cycle(child: Symbolic, parent: Symbolic, parents: Symbolic) -> Symbolic:
    """The parent reaches the child already."""
    return truth(reaches(parents, View(parent)(), View(child)()))
