"""Who may hold a role, found from the role: the converse of what a principal holds. P-SOD-EXACT.

Said along parents and from principals; the source looks along children and backward. That these
are converse is what `invariants.valid` checks and P-INDUCT keeps.
"""

import z3

from grantproof.core import duty, hierarchy
from specs.definitions.duty import exceeds
from specs.definitions.hierarchy import converse, image, member, preorder, reaches
from specs.definitions.indexes import graphs, relations
from specs.definitions.registry import defines
from specs.definitions.world import SOD_LEAST
from specs.kernel.membership import drawn
from specs.kernel.sorts import Name
from specs.kernel.values import Clause, Symbolic, coerce, set_of
from specs.kernel.view import View, literal


def backward(state: Symbolic) -> list[Clause]:
    """Return that what is looked up from above agrees with what is looked up from below."""
    s = View(state)
    return [
        *graphs(s),
        *relations(s),
        *down(s.roles, "roles"),
        *down(s.groups, "groups"),
    ]


def down(graph: View, name: str) -> list[Clause]:
    """Return what reaching down means, how it is found from above, that it stays among nodes."""
    x, y = z3.Consts("x y", Name)
    children = graph.children
    stays = z3.And(children.has(x), reaches(children.value, x, y))
    nodes = z3.ForAll([x, y], z3.Implies(stays, children.has(y)))
    laws = [*preorder(children.value), ("reaches nodes", nodes)]
    return [converse(graph, name), *((f"{name} down: {law}", fact) for law, fact in laws)]


def are_nodes(some: Symbolic, graph: View, name: str) -> Clause:
    """Return that all of them are nodes of the graph."""
    one = drawn(some)
    there = graph.parents.has(coerce(one.value, Name))
    return (f"they are {name}", z3.ForAll(list(one.binders), z3.Implies(one.guard, there)))


def groups_there(state: Symbolic, groups: Symbolic) -> list[Clause]:
    """Return what a caller of `members_of` owes."""
    return [*backward(state), are_nodes(groups, View(state).groups, "groups")]


def roles_there(state: Symbolic, roles: Symbolic) -> list[Clause]:
    """Return what a caller of `holders_of` owes."""
    s = View(state)
    g, r = z3.Consts("g r", Name)
    held = z3.And(s.group_assignments.forward.has(g), s.group_assignments.forward.at(g).has(r))
    there = z3.ForAll([g, r], z3.Implies(held, s.groups.parents.has(g)))
    return [
        *backward(state),
        are_nodes(roles, s.roles, "roles"),
        ("who is assigned a role is a group", there),
    ]


def within(state: View, principal: z3.ExprRef, group: z3.ExprRef) -> z3.BoolRef:
    """Return whether the principal is in the group, directly or through nesting."""
    inner = z3.FreshConst(Name, "inner")
    inside = reaches(state.groups.parents.value, inner, group)
    return z3.Exists([inner], z3.And(member(state, principal, inner), inside))


@defines(hierarchy.members_of, "P-SOD-EXACT", requires=groups_there)
def members_of(state: Symbolic, groups: Symbolic) -> Symbolic:
    """Every principal that is within one of the groups."""
    s, one = View(state), drawn(groups)
    group = coerce(one.value, Name)

    def has(principal: z3.ExprRef) -> z3.BoolRef:
        return z3.Exists(list(one.binders), z3.And(one.guard, within(s, principal, group)))

    return set_of(str, has)


@defines(hierarchy.holders_of, "P-SOD-EXACT", requires=roles_there)
def holders_of(state: Symbolic, roles: Symbolic) -> Symbolic:
    """Every principal that has, or is within a group that has, one of them or a junior of one."""
    s, one = View(state), drawn(roles)
    role = coerce(one.value, Name)

    def has(principal: z3.ExprRef) -> z3.BoolRef:
        junior, group = z3.FreshConst(Name, "junior"), z3.FreshConst(Name, "group")
        own, given = s.assignments.forward, s.group_assignments.forward
        direct = z3.And(own.has(principal), own.at(principal).has(junior))
        through = z3.And(given.has(group), given.at(group).has(junior), within(s, principal, group))
        holds = z3.Or(direct, z3.Exists([group], through))
        below = z3.And(one.guard, reaches(s.roles.parents.value, junior, role))
        return z3.Exists([*one.binders, junior], z3.And(below, holds))

    return set_of(str, has)


def set_there(state: Symbolic, sod_set: Symbolic) -> list[Clause]:
    """Return what a caller of `unholdable_roles` owes: a lawful set of roles that are there."""
    stored, s = View(sod_set), View(state)
    return [
        *backward(state),
        are_nodes(stored.roles.value, s.roles, "roles"),
        ("2 or more are forbidden", stored.n() >= SOD_LEAST),
    ]


@defines(duty.unholdable_roles, "P-SOD-SAFE", requires=set_there)
def unholdable_roles(state: Symbolic, sod_set: Symbolic) -> Symbolic:
    """Of a static set every role that by itself reaches too many of the set."""
    stored, parents = View(sod_set), View(state).roles.parents.value

    def has(role: z3.ExprRef) -> z3.BoolRef:
        alone = set_of(str, lambda other: other == role)
        too_many = View(exceeds(sod_set, image(alone, parents)))()
        return z3.And(stored.mode() == literal("static"), too_many)

    return set_of(str, has)
