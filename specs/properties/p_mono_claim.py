"""P-MONO-CLAIM: what grows grants no less, but for dynamic separation of duty.

Two states: the later has every claim, assignment, membership and edge of the earlier, and the same
principals, sets and resources. A claim alone changes no role, so it cannot clash either. Each
theorem concludes what the next one supposes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import z3

from grantproof.core.constraints import Context
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from specs.definitions import hierarchy
from specs.definitions.duty import active_roles, any_breached, unfolded_breach
from specs.definitions.hierarchy import edge, least, preorder, reaches
from specs.definitions.policy import granted, known_target
from specs.definitions.unfolding import unfolded
from specs.kernel.membership import contains, same
from specs.kernel.sorts import Name
from specs.kernel.values import Clause, Symbolic, Term
from specs.kernel.view import View, literal
from specs.properties.registry import Stated, some, states


@dataclass(frozen=True)
class Scene:
    """Two states and a request: `before` and `later` it is asked of."""

    before: View
    later: View
    request: View
    context: View

    def both(self, definition: Callable[..., Symbolic]) -> list[Symbolic]:
        """Return what a definition gives of the principal in both states."""
        principal, instant = self.request.principal.value, self.context.instant.value
        states_ = (self.before.value, self.later.value)
        if definition is hierarchy.groups_of:
            return [definition(state, principal) for state in states_]
        if definition is active_roles:
            return [definition(state, self.request.value, instant) for state in states_]
        return [definition(state, principal, instant) for state in states_]

    def unfolded(self, definition: Callable[..., Symbolic]) -> list[Clause]:
        """Return what a definition's symbol means in both states."""
        principal, instant = self.request.principal.value, self.context.instant.value
        asking = self.request.value if definition is active_roles else principal
        rest = () if definition is hierarchy.groups_of else (instant,)
        return [
            ("what the symbol is", unfolded(definition, state.value, asking, *rest))
            for state in (self.before, self.later)
        ]

    def kept(self, definition: Callable[..., Symbolic]) -> Clause:
        """Return that what a definition gives before it gives later."""
        x = z3.FreshConst(Name)
        low, high = (contains(found, Term(x, str)) for found in self.both(definition))
        return (f"{definition.__name__} are kept", z3.ForAll([x], z3.Implies(low, high)))

    def reach_kept(self, name: str) -> Clause:
        """Return that what is reached before is reached later."""
        x, y = z3.Consts("x y", Name)
        low, high = (reaches(parents, x, y) for parents in self.graphs(name))
        return (f"reach of {name} is kept", z3.ForAll([x, y], z3.Implies(low, high)))

    def edges_kept(self, name: str) -> Clause:
        """Return that edges before are edges later."""
        x, y = z3.Consts("x y", Name)
        low, high = (edge(parents, x, y) for parents in self.graphs(name))
        return (f"edges of {name} are kept", z3.ForAll([x, y], z3.Implies(low, high)))

    def graphs(self, name: str) -> list[Symbolic]:
        """Return a graph of both states."""
        return [state.field(name).parents.value for state in (self.before, self.later)]

    def pairs_kept(self, name: str) -> Clause:
        """Return that the pairs of a relation before are there later, with the same payload."""
        x, y = z3.Consts("x y", Name)
        one, other = self.before.field(name).forward, self.later.field(name).forward
        low, high = (z3.And(pairs.has(x), pairs.at(x).has(y)) for pairs in (one, other))
        if name != "memberships":
            high = z3.And(high, one.at(x).at(y)() == other.at(x).at(y)())
        return (f"{name} are kept", z3.ForAll([x, y], z3.Implies(low, high)))


def scene() -> Scene:
    """Return two arbitrary states, and an arbitrary request."""
    before, later = some(Organization, "before"), some(Organization, "later")
    return Scene(before, later, some(Request, "request"), some(Context, "context"))


@states("P-MONO-CLAIM")
def more_edges_reach_more() -> Stated:
    """What is reached along some edges is reached along more."""
    two = scene()
    known, goals = [], []
    for name in ("roles", "groups"):
        low, high = two.graphs(name)
        known += [*preorder(high), least(low, _reached(high)), two.edges_kept(name)]
        goals.append(two.reach_kept(name))
    return known, goals


def _reached(parents: Symbolic) -> Callable[[z3.ExprRef, z3.ExprRef], z3.BoolRef]:
    return lambda low, high: reaches(parents, low, high)


@states("P-MONO-CLAIM")
def more_pairs_hold_more() -> Stated:
    """With more pairs and more edges a principal is in no fewer groups and holds no fewer roles."""
    two = scene()
    known = [
        *(two.reach_kept(name) for name in ("roles", "groups")),
        *(two.pairs_kept(name) for name in ("memberships", "assignments", "group_assignments")),
    ]
    steps = (
        hierarchy.groups_of,
        hierarchy.assigned_roles,
        hierarchy.effective_roles,
        active_roles,
    )
    known += [clause for step in steps for clause in two.unfolded(step)]
    return known, [two.kept(step) for step in steps]


def unchanged(two: Scene) -> list[Clause]:
    """Return that principals, sets and what the request is about are the same, claims kept."""
    x = z3.Const("x", Name)
    one, other = two.before, two.later
    targets = [known_target(state.value, two.request.value) for state in (one, other)]
    known = [("the resource is the same", same(*targets))]
    for name in ("principals", "sod_sets"):
        low, high = one.field(name), other.field(name)
        alike = z3.And(low.has(x) == high.has(x), low.at(x)() == high.at(x)())
        known.append((f"{name} are the same", z3.ForAll([x], alike)))
    stays = z3.And(other.claims.has(x), one.claims.at(x)() == other.claims.at(x)())
    known.append(("claims are kept", z3.ForAll([x], z3.Implies(one.claims.has(x), stays))))
    return known


def _grants(two: Scene) -> list[z3.BoolRef]:
    request, context = two.request.value, two.context.value
    return [granted(state.value, request, context) for state in (two.before, two.later)]


@states("P-MONO-CLAIM")
def adding_anything() -> Stated:
    """With more of everything, what was granted is, unless dynamic separation of duty bars it."""
    two = scene()
    before, later = _grants(two)
    dynamic = Term(literal("dynamic"), str)
    clash = any_breached(two.later.value, two.both(active_roles)[1], dynamic)
    still = z3.Implies(z3.And(before, z3.Not(clash)), later)
    return [*unchanged(two), two.kept(active_roles)], [("still granted", still)]


@states("P-MONO-CLAIM")
def adding_a_claim() -> Stated:
    """With more claims and the same roles active, what was granted is."""
    two = scene()
    before, later = _grants(two)
    back = Scene(two.later, two.before, two.request, two.context)
    known = [*unchanged(two), two.kept(active_roles), back.kept(active_roles)]
    dynamic = Term(literal("dynamic"), str)
    for state, active in zip((two.before, two.later), two.both(active_roles), strict=True):
        clash = any_breached(state.value, active, dynamic)
        meant = unfolded_breach(state.value, active, dynamic)
        known.append(("what a clash is", clash == meant))
    return known, [("still granted", z3.Implies(before, later))]
