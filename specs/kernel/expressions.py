"""What expressions denote before it is a term: constants, types, numbers, objects made.

All constructs that are read stand in the table of `specs.kernel`; anything else is `Unsupported`.
"""

import dataclasses
import enum
import re
import types
import typing
from dataclasses import dataclass, replace

import z3

from specs.kernel.membership import card, class_of
from specs.kernel.shapes import value_case
from specs.kernel.sorts import Object, Unsupported, Value, enum_sort, tag_is, union_members
from specs.kernel.values import (
    EMPTY_MAPPING,
    FALSE,
    NOTHING,
    TRUE,
    Cases,
    Facts,
    Items,
    Made,
    Nothing,
    Symbolic,
    Term,
    both,
    set_of,
)


@dataclass(frozen=True)
class Ref:
    """A function, a class or another Python object that a name of the source means."""

    target: object


@dataclass(frozen=True)
class Count:
    """`len(x)` of a collection, until it is compared."""

    of: Symbolic


@dataclass(frozen=True)
class Frame:
    """Where an expression is read: the module, the variables, and the condition of the path."""

    module: str
    env: dict[str, typing.Any]
    when: z3.BoolRef = TRUE
    function: str = ""

    def under(self, condition: z3.BoolRef) -> "Frame":
        """Return the frame on the path where the condition holds too."""
        return replace(self, when=both(self.when, condition))

    def binding(self, name: str, value: typing.Any) -> "Frame":
        """Return the frame with the variable bound, and what tests said of the one before gone."""
        kept = {known: one for known, one in self.env.items() if not is_about(known, name)}
        return replace(self, env={**kept, name: value})


def is_about(expression: str, name: str) -> bool:
    """Return whether an expression that a test has narrowed speaks of the variable."""
    plain = expression.isidentifier()
    return not plain and re.search(rf"\b{re.escape(name)}\b", expression) is not None


def constant_value(value: object, facts: Facts) -> typing.Any:
    """Return a Python constant of the production modules as a symbolic value."""
    if isinstance(value, bool):
        return Term(z3.BoolVal(value), bool)
    if isinstance(value, enum.Enum):
        return Term(enum_sort(type(value))[1][value.name], type(value))
    if isinstance(value, int):
        return Term(z3.IntVal(value), int)
    if isinstance(value, str):
        return Term(facts.literal(str(value)).expr, str)
    if value is None:
        return NOTHING
    if isinstance(value, tuple) and all(isinstance(item, str | int) for item in value):
        return Items(tuple(constant_value(item, facts) for item in value))
    if isinstance(value, frozenset):
        members = [constant_value(member, facts) for member in sorted(value)]
        kind = members[0].kind if members else str
        return set_of(kind, lambda term: z3.Or([term == member.expr for member in members]))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {
            field.name: constant_value(getattr(value, field.name), facts)
            for field in dataclasses.fields(value)
            if field.init
        }
        return Made(type(value), fields)
    if type(value).__name__ == "Map" and len(typing.cast(typing.Sized, value)) == 0:
        return EMPTY_MAPPING
    return Ref(value)


def alike(one: z3.ExprRef, other: z3.ExprRef) -> z3.BoolRef:
    """Return whether two attribute values have the same type."""
    kinds = (bool, int, str, frozenset)
    return z3.Or([z3.And(value_case(one, kind)[0], value_case(other, kind)[0]) for kind in kinds])


def isinstance_of(facts: Facts, value: typing.Any, classes: tuple[object, ...]) -> z3.BoolRef:
    """Return whether the value is of one of the classes."""
    if isinstance(value, Cases):
        return z3.Or(
            [z3.And(guard, isinstance_of(facts, item, classes)) for guard, item in value.items]
        )
    if isinstance(value, Made):
        return z3.BoolVal(class_of(value) in classes)
    if isinstance(value, Term) and value.expr.sort() == Object:
        return tag_among(value, classes)
    if isinstance(value, Term) and value.expr.sort() == Value:
        # A bool is an int to `isinstance`, and to nothing else here.
        kinds = (*classes, bool) if int in classes else classes
        return z3.Or([value_case(value.expr, kind)[0] for kind in kinds])
    if isinstance(value, Nothing):
        return FALSE
    message = f"isinstance of {value}"
    raise Unsupported(message)


def tag_among(value: Term, classes: tuple[object, ...]) -> z3.BoolRef:
    """Return whether an object is of one of the classes, of those that its type leaves open."""
    possible = [typing.get_origin(member) or member for member in union_members(value.kind)]
    if set(possible) <= set(classes):
        return TRUE
    open_still = [cls for cls in classes if cls in possible]
    return z3.Or([tag_is(value.expr, cls) for cls in open_still]) if open_still else FALSE


def classes_of(target: object) -> tuple[object, ...]:
    """Return the classes that the second argument of `isinstance` names."""
    if isinstance(target, tuple):
        return target
    if isinstance(target, types.UnionType):
        return tuple(typing.get_origin(member) or member for member in typing.get_args(target))
    return (target,)


def constructed(kind: type, values: dict[str, Symbolic]) -> Made:
    """Return an instance with the given fields; the rest have their defaults.

    What the class derives itself it has not: it follows from the rest, and equality with it.
    """
    facts = Facts()
    complete: dict[str, Symbolic] = {}
    for field in dataclasses.fields(kind):
        if not field.init:
            continue
        if field.name in values:
            complete[field.name] = values[field.name]
        elif field.default is not dataclasses.MISSING:
            complete[field.name] = constant_value(field.default, facts)
        else:
            message = f"{kind.__name__} without `{field.name}`"
            raise Unsupported(message)
    return Made(kind, complete)


def ordinal(value: typing.Any, facts: Facts, when: z3.BoolRef) -> z3.ArithRef:
    """Return the value as a number; of an attribute value it is owed that it is one."""
    if isinstance(value, Count):
        return card(value.of)
    if isinstance(value, Cases):
        numbers = []
        for guard, item in value.items:
            if isinstance(item, Nothing):
                facts.owed.append(("a number, not nothing", z3.Implies(when, z3.Not(guard))))
            else:
                numbers.append((guard, ordinal(item, facts, z3.And(when, guard))))
        merged = numbers[-1][1]
        for guard, number in reversed(numbers[:-1]):
            merged = z3.If(guard, number, merged)
        return merged
    if isinstance(value, Term) and value.expr.sort() == Value:
        facts.owed.append(("a whole number", z3.Implies(when, Value.is_an_int(value.expr))))
        return Value.the_int(value.expr)
    if isinstance(value, Term) and z3.is_arith(value.expr):
        return value.expr
    message = f"not a number: {value}"
    raise Unsupported(message)
