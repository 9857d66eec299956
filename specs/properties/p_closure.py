"""P-CLOSURE: the least closed set is what is reached, which is how callers see it."""

import z3

from grantproof.core.identifiers import RoleId
from grantproof.core.organization import Organization
from specs.definitions.hierarchy import converse, edge, image, least, preorder, reaches
from specs.kernel.membership import contains
from specs.kernel.sorts import Name
from specs.kernel.values import Symbolic, Term, fresh_set
from specs.properties.registry import Stated, some, states


def _has(some_set: Symbolic, item: z3.ExprRef) -> z3.BoolRef:
    return contains(some_set, Term(item, RoleId))


@states("P-CLOSURE")
def least_closed_set_is_the_image() -> Stated:
    """What contains the start, is closed, and is within all such sets is the image."""
    parents = some(Organization, "state").roles.parents.value
    start, result = fresh_set(RoleId, "start"), fresh_set(RoleId, "result")
    reached = image(start, parents)
    x, y = z3.Consts("x y", Name)

    def is_closed(one: Symbolic) -> z3.BoolRef:
        follows = z3.And(_has(one, x), edge(parents, x, y))
        return z3.ForAll([x, y], z3.Implies(follows, _has(one, y)))

    def has_start(one: Symbolic) -> z3.BoolRef:
        return z3.ForAll([x], z3.Implies(_has(start, x), _has(one, x)))

    def within(one: Symbolic, other: Symbolic) -> z3.BoolRef:
        return z3.ForAll([x], z3.Implies(_has(one, x), _has(other, x)))

    least_of_all = z3.Implies(
        z3.And(has_start(reached), is_closed(reached)), within(result, reached)
    )
    known = [
        *preorder(parents),
        least(parents, lambda low, high: z3.Implies(_has(result, low), _has(result, high))),
        ("the result has the start", has_start(result)),
        ("the result is closed", is_closed(result)),
        ("the result is within the image, should that be such a set", least_of_all),
    ]
    return known, [
        ("the image has the start", has_start(reached)),
        ("the image is closed", is_closed(reached)),
        ("the result is within the image", within(result, reached)),
        ("the image is within the result", within(reached, result)),
    ]


@states("P-CLOSURE")
def what_reaches_down() -> Stated:
    """Along children is reached what reaches along parents, for they are the converse."""
    graph = some(Organization, "state").roles
    x, y = z3.Consts("x y", Name)
    up, down = graph.parents.value, graph.children.value
    edges = z3.ForAll([x, y], edge(up, x, y) == edge(down, y, x))
    known = [
        *preorder(up),
        *preorder(down),
        least(up, lambda low, high: reaches(down, high, low)),
        least(down, lambda low, high: reaches(up, high, low)),
        ("children are the converse", edges),
    ]
    return known, [converse(graph, "roles")]
