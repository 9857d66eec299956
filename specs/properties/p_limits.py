"""P-INDUCT, within-limits: an accepted command leaves no more of anything than there may be.

Of the counts and depths that the facts it adds may raise; the others stay. Supposed where it is
used: that a count grows with its set, and by one at most when one joins; that a chain that ends
where another starts is one with it. How long the longest chain is, is the least height that falls
along every edge: so it is shown that some height within the limit does.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import z3

from grantproof.core import limits
from grantproof.core import model as m
from grantproof.core.commands import language as c
from grantproof.core.organization import Organization
from specs.definitions import references, refusals
from specs.definitions.facts import FACETS
from specs.definitions.hierarchy import edge, reaches
from specs.definitions.indexes import indexes
from specs.definitions.refusals import MADE, at, chain, held, lineage
from specs.footprints import classes_in
from specs.kernel.membership import CARD, card, contains, same
from specs.kernel.sorts import Name
from specs.kernel.vacuity import terms
from specs.kernel.values import Clause, Symbolic, Term, fresh, guarded
from specs.kernel.view import View
from specs.properties.commands import About, Change, about_commands
from specs.properties.registry import Stated, some, states

Height = Callable[[z3.ExprRef], z3.ArithRef]
IN_ALL: Final[dict[type, tuple[str, int]]] = {
    m.Principal: ("principals", limits.PRINCIPALS_MAX),
    m.Group: ("groups.parents", limits.GROUPS_MAX),
    m.Role: ("roles.parents", limits.ROLES_MAX),
    m.KindDeclaration: ("resources_of_kind", limits.KINDS_MAX),
    m.Resource: ("resources", limits.RESOURCES_MAX),
    m.Claim: ("claims", limits.CLAIMS_MAX),
    m.SodSet: ("sod_sets", limits.SOD_SETS_MAX),
    m.Guardrail: ("guardrails", limits.GUARDRAILS_MAX),
}
"""Of which facts there may be only so many in all: where they are, and how many."""
OWN: Final[dict[type, tuple[str, int]]] = {
    m.Inheritance: ("roles.parents", limits.PARENTS_PER_ROLE_MAX),
    m.Nesting: ("groups.parents", limits.CONTAINERS_PER_GROUP_MAX),
    m.Claim: ("claims_by_role", limits.CLAIMS_PER_ROLE_MAX),
    m.Membership: ("memberships.forward", limits.GROUPS_PER_PRINCIPAL_MAX),
    m.Assignment: ("assignments.forward", limits.ROLES_PER_HOLDER_MAX),
    m.GroupAssignment: ("group_assignments.forward", limits.ROLES_PER_HOLDER_MAX),
}
"""Of which facts one thing may have only so many: where they are found by it, and how many."""
AT_NODES: Final = {m.Role: m.Inheritance, m.Group: m.Nesting}
"""Of a new node, the facts of which it may have only so many."""
DEPTHS: Final = {
    m.Role: ("roles", limits.ROLE_DEPTH_MAX),
    m.Inheritance: ("roles", limits.ROLE_DEPTH_MAX),
    m.Group: ("groups", limits.GROUP_DEPTH_MAX),
    m.Nesting: ("groups", limits.GROUP_DEPTH_MAX),
}
"""Which facts may make a graph deeper, and how deep it may be."""
GROWING: Final = (
    *MADE,
    c.SuspendPrincipal,
    c.ResumePrincipal,
    c.SetPrincipalAttributes,
    c.SetResourceAttributes,
    c.ChangeSodSet,
)
"""The commands that add facts; those that only remove some are the business of `fewer`."""


def stays_within(command: type, change: Change) -> list[Clause]:
    """Return that whatever the added facts may raise stays within its limit."""
    before, after, given = View(change.state), View(change.after), View(change.command)
    more = None if command not in MADE else More(*joining(given, command))
    goals: list[Clause] = []
    outcomes = (View(one).added.value for _, one in guarded(change.done[0]))
    for fact in dict.fromkeys(fact for added in outcomes for fact in classes_in(added)):
        goals += counts(before, after, fact, more=more)
        if fact in DEPTHS:
            name, maximum = DEPTHS[fact]
            goals += depth(before, after, name, maximum=maximum, link=link(fact, change))
        if fact is m.Resource:
            goals += depth_of_resources(before, after)
    passed = z3.Not(refusals.over_limit(before, given, command))
    return [(name, counted(z3.Implies(passed, goal))) for name, goal in goals]


def counted(formula: z3.BoolRef) -> z3.BoolRef:
    """Return the formula of any numbers in the place of the counts: what it says is no less."""
    found = [one for one in terms([formula]) if one.decl().eq(CARD)]
    return z3.substitute(formula, *((one, z3.FreshInt("count")) for one in found))


@dataclass(frozen=True)
class More:
    """What there is one more of after a command: its name, and whose it is, if anybody's."""

    name: z3.ExprRef
    owner: z3.ExprRef | None


def joining(command: View, cls: type) -> tuple[z3.ExprRef, z3.ExprRef | None]:
    """Return the name of what the command makes, and whose it is."""
    _, *owner, name = MADE[cls]
    if cls is c.CreateClaim:
        owner = ["claim.role"]
    return at(command, name)(), at(command, owner[0])() if owner else None


def link(fact: type, change: Change) -> tuple[z3.ExprRef, z3.ExprRef] | None:
    """Return the ends of the edge that the command adds, if it is one."""
    if fact in AT_NODES:
        return None
    child, parent = (View(change.command).field(end)() for end in FACETS[fact].keys)
    return child, parent


def counts(before: View, after: View, fact: type, *, more: More | None = None) -> Iterator[Clause]:
    """Yield that what is counted of the facts stays within its limit."""
    if fact in IN_ALL:
        place, maximum = IN_ALL[fact]
        few, many = (at(state, place).value for state in (before, after))
        yield f"{place} in all", keeps(few, many, maximum, joins=more and more.name)
    owned = AT_NODES.get(fact, fact)
    if owned in OWN:
        place, maximum = OWN[owned]
        key = fresh(str, "key")
        owner = None if more is None or fact in AT_NODES else more.owner
        few, many = (held(at(state, place), key) for state in (before, after))
        others = keeps(few, many, maximum)
        yield f"{place} of each", others if owner is None else z3.Implies(key != owner, others)
        if owner is not None:
            few, many = (held(at(state, place), owner) for state in (before, after))
            yield f"{place} of its owner", keeps(few, many, maximum, joins=more and more.name)


def keeps(
    few: Symbolic, many: Symbolic, maximum: int, *, joins: z3.ExprRef | None = None
) -> z3.BoolRef:
    """Return that one set is within the limit if the other was, as counts grow."""
    x = z3.FreshConst(Name, "x")
    low, high = (contains(one, Term(x, str)) for one in (few, many))
    least, most = card(few), card(many)
    laws = [z3.Implies(z3.ForAll([x], z3.Implies(high, low)), most <= least)]
    if joins is not None:
        but_one = z3.ForAll([x], z3.Implies(z3.And(high, x != joins), low))
        laws.append(z3.Implies(but_one, most <= least + 1))
    return z3.Implies(z3.And(*laws, least <= maximum), most <= maximum)


def depth(
    before: View,
    after: View,
    name: str,
    *,
    maximum: int,
    link: tuple[z3.ExprRef, z3.ExprRef] | None = None,
) -> list[Clause]:
    """Return that some height within the limit falls along every edge of the graph after.

    Above the new edge what was above; at and below its child as much as is left below.
    """
    graph = before.field(name)
    up, down = (heights(graph.field(way).value) for way in ("parents", "children"))
    parents = graph.parents.value

    def height(node: z3.ExprRef) -> z3.ArithRef:
        below = z3.BoolVal(False) if link is None else reaches(parents, node, link[0])
        return z3.If(graph.parents.has(node), z3.If(below, maximum - down(node), up(node)), 0)

    def lawful(node: z3.ExprRef) -> z3.BoolRef:
        bottom = z3.Function(f"bottom of {name}", Name, Name)(node)
        is_node, longer = graph.parents.has(node), up(bottom) >= up(node) + down(node)
        within = [z3.Implies(graph.parents.has(one), up(one) <= maximum) for one in (node, bottom)]
        whole = z3.Implies(is_node, z3.And(graph.parents.has(bottom), longer))
        return z3.And(up(node) >= 0, down(node) >= 0, whole, *within)

    low, high = fresh(str, "low"), fresh(str, "high")
    falls = z3.And(up(low) >= up(high) + 1, down(high) >= down(low) + 1)
    known = [z3.Implies(edge(parents, low, high), falls), *map(lawful, (low, high, *(link or ())))]
    linked = edge(after.field(name).parents.value, low, high)
    return [
        (
            f"a height of {name} falls",
            z3.Implies(z3.And(*known, linked), falls_by(height, low, high)),
        ),
        (
            f"it is within the limit of {name}",
            z3.Implies(lawful(low), in_range(height(low), maximum)),
        ),
    ]


def falls_by(height: Height, low: z3.ExprRef, high: z3.ExprRef) -> z3.BoolRef:
    """Return that the height is greater by one at least."""
    return height(low) >= height(high) + 1


def in_range(number: z3.ArithRef, maximum: int) -> z3.BoolRef:
    """Return that a height is one, and within the limit."""
    return z3.And(number >= 0, number <= maximum)


def heights(mapping: Symbolic) -> Height:
    """Return how long the longest chain from a node is, as the source has it."""
    return lambda node: View(chain(Term(node, str), mapping))()


def depth_of_resources(before: View, after: View) -> list[Clause]:
    """Return the same of resources, where there is one way up: how many stand above."""
    maximum = limits.RESOURCE_DEPTH_MAX

    def above(node: z3.ExprRef) -> z3.ArithRef:
        return card(lineage(before.value, Term(node, str))) - 1

    def height(node: z3.ExprRef) -> z3.ArithRef:
        parent = after.resources.at(node).parent
        new = z3.If(parent.there, above(parent()) + 1, 0)
        return z3.If(before.resources.has(node), above(node), new)

    def lawful(node: z3.ExprRef) -> z3.BoolRef:
        parent = before.resources.at(node).parent
        counted = above(node) == z3.If(parent.there, above(parent()) + 1, 0)
        known = z3.And(counted, in_range(above(node), maximum))
        return z3.Implies(before.resources.has(node), known)

    node = fresh(str, "resource")
    parent = after.resources.at(node).parent
    known = z3.And(lawful(node), lawful(parent()), after.resources.has(node))
    falls = z3.Implies(parent.there, height(node) >= height(parent()) + 1)
    return [
        ("a height of resources falls", z3.Implies(known, falls)),
        ("it is within the limit of resources", z3.Implies(known, in_range(height(node), maximum))),
    ]


@states("P-INDUCT")
def fewer() -> Stated:
    """With fewer facts, each as it was, nothing comes to be over its limit."""
    before, after = some(Organization, "before"), some(Organization, "after")
    known = [*indexes(before.value), *indexes(after.value), *references.resources(before)]
    for cls, facet in FACETS.items():
        keys = [fresh(str, key) for key in facet.keys]
        there, then = (facet.there(state, *keys) for state in (before, after))
        if facet.value is not None:
            one, other = (facet.value(state, *keys).value for state in (before, after))
            there = z3.And(there, same(one, other))
        kept = z3.Implies(then, there)
        known.append((f"{cls.__name__} left", z3.ForAll(keys, kept) if keys else kept))
    goals = [goal for fact in FACETS for goal in counts(before, after, fact)]
    for name, maximum in dict(DEPTHS.values()).items():
        goals += depth(before, after, name, maximum=maximum)
    goals += depth_of_resources(before, after)
    return known, [(name, counted(goal)) for name, goal in goals]


about_commands(About("P-INDUCT", stays_within), GROWING)
