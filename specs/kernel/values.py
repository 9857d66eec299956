"""What an expression of the source may denote, symbolically.

A collection is known by how to draw from it (binders, the condition on them, the element) and by
what it has; that is all a comprehension, a quantifier and a membership test need.
"""

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, Self, TypeGuard, Union

import z3
from typing_extensions import override

from specs.kernel.sorts import VALUE_CASES, Name, Unsupported, Value, sort_of

_fresh = itertools.count()


@dataclass(frozen=True)
class Term:
    """A Z3 term, and the Python type that it stands for."""

    expr: z3.ExprRef
    kind: object


@dataclass(frozen=True)
class Nothing:
    """`None`."""


@dataclass(frozen=True)
class Cases:
    """One of several values, each under a condition; the conditions exclude each other."""

    items: tuple[tuple[z3.BoolRef, "Symbolic"], ...]


@dataclass(frozen=True)
class Made:
    """An instance that the source constructs, or a structure known field by field."""

    kind: object
    fields: dict[str, "Symbolic"]


@dataclass(frozen=True)
class Drawn:
    """An arbitrary element: the variables that stand for it, when it is one, and its value."""

    binders: tuple[z3.ExprRef, ...]
    guard: z3.BoolRef
    value: "Symbolic"


@dataclass(frozen=True)
class Bag:
    """A collection whose order plays no part. `has` is there when membership is known directly.

    A set that is found somewhere, and not computed, has a place and the objects it is found at.
    `once` says when nothing is listed twice, where that is known; `order` how it is sorted.
    """

    draw: Callable[[], Drawn]
    has: Callable[["Symbolic"], z3.BoolRef] | None = None
    place: str = ""
    at: tuple[z3.ExprRef, ...] = ()
    once: z3.BoolRef | None = None
    order: str = ""


@dataclass(frozen=True)
class Dict:
    """A mapping: what keys it has and what it gives for one.

    One that is found somewhere, and not computed, has a place and the objects it is found at.
    """

    key_kind: object
    has: Callable[[z3.ExprRef], z3.BoolRef]
    get: Callable[[z3.ExprRef], "Symbolic"]
    place: str = ""
    at: tuple[z3.ExprRef, ...] = ()
    item_kind: object = None

    @property
    def found_at(self) -> str:
        """Where it is found, as one name that no other mapping has; empty where it is computed."""
        return " ".join((self.place, *(term.sexpr() for term in self.at))) if self.place else ""


@dataclass(frozen=True)
class Seq:
    """A tuple of unknown length: element `i` for 0 <= i < length."""

    length: z3.ArithRef
    at: Callable[[z3.ArithRef], "Symbolic"]


@dataclass(frozen=True)
class Items:
    """A tuple of known length."""

    values: tuple["Symbolic", ...]


Clause = tuple[str, z3.BoolRef]
"""A condition and its name."""


class Dated(tuple[str, z3.BoolRef]):  # noqa: SLOT001 - a tuple has no slot for the date
    """A clause that came up on the way: assumed as the `at`-th, or owed when so many were assumed.

    INVARIANT: what is owed before a call is never proved by what the call promises.
    """

    at: int

    def __new__(cls, clause: Clause, at: int) -> Self:
        """Return the clause, dated."""
        dated = super().__new__(cls, clause)
        dated.at = at
        return dated


class Owed(list[Clause]):
    """What is owed, each clause dated by how much was assumed when it came up."""

    def __init__(self, assumed: list[Clause]) -> None:
        super().__init__()
        self.assumed = assumed

    @override
    def append(self, clause: Clause) -> None:
        super().append(Dated(clause, len(self.assumed)))

    @override
    def extend(self, clauses: Iterable[Clause]) -> None:
        for clause in clauses:
            self.append(clause)


def implied(condition: z3.BoolRef, clause: Clause) -> Clause:
    """Return the clause under the condition, dated as it is."""
    name, fact = clause
    weaker = (name, z3.Implies(condition, fact))
    return Dated(weaker, clause.at) if isinstance(clause, Dated) else weaker


def before(hypotheses: Iterable[Clause], goal: Clause) -> list[Clause]:
    """Return the hypotheses that a goal may use: of those assumed, what was when it came up."""
    return [
        known
        for known in hypotheses
        if not (isinstance(known, Dated) and isinstance(goal, Dated)) or known.at < goal.at
    ]


CHOICE: Final = "one is chosen where there is one"
DISTINCT: Final = "texts differ"
PROMISED: Final = "promised: "
"""How the names of hypotheses begin that a theorem about what is called has as goals."""

Symbolic = Union[Term, Nothing, Cases, Made, Bag, Dict, Seq, Items]  # noqa: UP007 - one name, early
NOTHING: Final = Nothing()
TRUE: Final = z3.BoolVal(True)
FALSE: Final = z3.BoolVal(False)


EMPTY_MAPPING: Final = Dict(str, lambda _key: FALSE, lambda _key: NOTHING)
"""`Map()`."""


def fresh(kind: object, hint: str = "x") -> z3.ExprRef:
    """Return a new constant of the type's sort."""
    return z3.Const(f"{hint}!{next(_fresh)}", sort_of(kind))


def fresh_set(kind: object, hint: str) -> Bag:
    """Return a set of which nothing is known."""
    member = z3.Function(f"{hint}!{next(_fresh)}", sort_of(kind), z3.BoolSort())
    return set_of(kind, member)


def set_of(kind: object, has: Callable[[z3.ExprRef], z3.BoolRef]) -> Bag:
    """Return the set of everything of the type that satisfies `has`."""

    def draw() -> Drawn:
        item = fresh(kind)
        return Drawn((item,), has(item), Term(item, kind))

    return Bag(draw, lambda value: has(coerce(value, sort_of(kind))))


def truth(condition: z3.BoolRef) -> Term:
    """Return the condition as a value."""
    return Term(condition, bool)


def is_truth(value: Symbolic) -> TypeGuard[Term]:
    """Return whether the value is a boolean."""
    return isinstance(value, Term) and value.kind is bool


def cases(*items: tuple[z3.BoolRef, Symbolic]) -> Symbolic:
    """Return the cases flattened; a single certain case is its value; booleans become one term."""
    flat: list[tuple[z3.BoolRef, Symbolic]] = []
    for guard, value in items:
        if z3.is_false(guard):
            continue
        if isinstance(value, Cases):
            flat.extend((z3.And(guard, inner), deeper) for inner, deeper in value.items)
        else:
            flat.append((guard, value))
    if len(flat) == 1 and z3.is_true(flat[0][0]):
        return flat[0][1]
    truths = [(guard, value.expr) for guard, value in flat if is_truth(value)]
    if flat and len(truths) == len(flat):
        return truth(z3.Or([z3.And(guard, expr) for guard, expr in truths]))
    if flat and all(isinstance(value, Dict) for _, value in flat):
        return _one_mapping([(guard, value) for guard, value in flat if isinstance(value, Dict)])
    return Cases(tuple(flat))


def _one_mapping(parts: list[tuple[z3.BoolRef, Dict]]) -> Dict:
    filled = [(guard, part) for guard, part in parts if part is not EMPTY_MAPPING]
    if len(filled) == 0:
        return EMPTY_MAPPING
    single = filled[0][1].get if len(filled) == 1 else None
    return Dict(
        filled[0][1].key_kind,
        lambda key: z3.Or([z3.And(guard, part.has(key)) for guard, part in filled]),
        single or (lambda key: cases(*((guard, part.get(key)) for guard, part in filled))),
        item_kind=filled[0][1].item_kind,
    )


def guarded(value: Symbolic) -> tuple[tuple[z3.BoolRef, Symbolic], ...]:
    """Return the value's cases; one that is certain for anything else."""
    return value.items if isinstance(value, Cases) else ((TRUE, value),)


def where_there(value: Cases) -> tuple[tuple[z3.BoolRef, Symbolic], ...]:
    """Return the cases in which the value is something, not nothing."""
    return tuple(one for one in value.items if not isinstance(one[1], Nothing))


def coerce(value: Symbolic, sort: z3.SortRef) -> z3.ExprRef:
    """Return the value as a term of the sort; attribute values are wrapped in their datatype."""
    if isinstance(value, Cases):
        return _merge(value, sort)
    if not isinstance(value, Term):
        message = f"not a plain value: {type(value).__name__}"
        raise Unsupported(message)
    if value.expr.sort() == sort:
        return value.expr
    if sort == Value:
        return wrap(value)
    message = f"a {value.expr.sort()} where a {sort} is needed"
    raise Unsupported(message)


def _merge(value: Cases, sort: z3.SortRef) -> z3.ExprRef:
    *rest, (_, last) = value.items
    merged = coerce(last, sort)
    for guard, item in reversed(rest):
        merged = z3.If(guard, coerce(item, sort), merged)
    return merged


def wrap(value: Term) -> z3.ExprRef:
    """Return a plain boolean, number or string as an attribute value."""
    for kind, constructor in VALUE_CASES.items():
        if kind is not frozenset and value.expr.sort() == sort_of(kind):
            return getattr(Value, constructor)(value.expr)
    message = f"no attribute value: {value.kind}"
    raise Unsupported(message)


def both(one: z3.BoolRef, other: z3.BoolRef) -> z3.BoolRef:
    """Return the conjunction; with a constant the other one, or false."""
    if z3.is_true(one) or z3.is_false(other):
        return other
    return one if z3.is_true(other) or z3.is_false(one) else z3.And(one, other)


def negated(condition: z3.BoolRef) -> z3.BoolRef:
    """Return the negation; of a constant the other one."""
    if z3.is_true(condition):
        return FALSE
    return TRUE if z3.is_false(condition) else z3.Not(condition)


def exists(drawn: Drawn, condition: z3.BoolRef) -> z3.BoolRef:
    """Return whether some element satisfies the condition, which speaks about its binders."""
    body = z3.And(drawn.guard, condition)
    return z3.Exists(list(drawn.binders), body) if drawn.binders else body


def forall(drawn: Drawn, condition: z3.BoolRef) -> z3.BoolRef:
    """Return whether every element satisfies the condition, which speaks about its binders."""
    body = z3.Implies(drawn.guard, condition)
    return z3.ForAll(list(drawn.binders), body) if drawn.binders else body


@dataclass
class Facts:
    """What a translation found on its way: conditions owed, and what may be assumed."""

    assumed: list[Clause] = field(default_factory=list)
    names: dict[str, z3.ExprRef] = field(default_factory=dict)
    owed: list[Clause] = field(init=False)

    def __post_init__(self) -> None:
        self.owed = Owed(self.assumed)

    def literal(self, text: str) -> Term:
        """Return the name that the text is; different texts are different names."""
        constant = self.names.setdefault(text, z3.Const(f"'{text}'", Name))
        return Term(constant, str)

    def choose(self, element: Drawn, condition: z3.BoolRef) -> None:
        """Let the element's variables stand, from here on, for some that satisfy the condition."""
        chosen = z3.Implies(exists(element, condition), z3.And(element.guard, condition))
        self.assumed.append((CHOICE, chosen))

    def axioms(self) -> list[Clause]:
        """Return what is assumed, literals being distinct included."""
        assumed: list[Clause] = [Dated(clause, at) for at, clause in enumerate(self.assumed)]
        if len(self.names) <= 1:
            return assumed
        return [*assumed, (DISTINCT, z3.Distinct(*self.names.values()))]
