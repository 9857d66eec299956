"""Symbolic values of a given Python type, and the reading of their fields.

Where a value lives decides which Z3 functions describe it: `Claim.role` of a claim, or
`Organization.roles.parents[].has` of an organization, a role and a parent.
"""

import collections.abc
import dataclasses
import typing

import z3
from immutables import Map

from grantproof.core.relation import Graph, Relation
from specs.kernel.sorts import (
    IN_STRINGS,
    Object,
    Unsupported,
    Value,
    fields_of,
    is_object,
    optional_of,
    readable_of,
    sort_of,
    tag_is,
    tag_number,
    typed,
    union_members,
)
from specs.kernel.values import (
    FALSE,
    NOTHING,
    Bag,
    Cases,
    Clause,
    Dict,
    Drawn,
    Facts,
    Made,
    Nothing,
    Seq,
    Symbolic,
    Term,
    cases,
    coerce,
    fresh,
    set_of,
)

STRUCTURES = (Graph, Relation)
MAPPINGS = (Map, collections.abc.Mapping, dict)
SETS = (frozenset, set, collections.abc.Set, collections.abc.Iterable, collections.abc.Collection)


def located(place: str, at: tuple[z3.ExprRef, ...], kind: object) -> Symbolic:
    """Return the value of the type found at `place` of the objects `at`: the same, asked again."""
    asked = (place, kind, *(term.get_id() for term in at))
    if asked not in _LOCATED:
        # The number of a term is its own as long as the term is kept.
        _LOCATED[asked] = at, _located(place, at, kind)
    return _LOCATED[asked][1]


def _located(place: str, at: tuple[z3.ExprRef, ...], kind: object) -> Symbolic:
    inner = optional_of(kind)
    if inner is not None:
        missing = _function(f"{place}?", at, z3.BoolSort())(*at)
        return cases((missing, NOTHING), (z3.Not(missing), located(place, at, inner)))
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in STRUCTURES:
        fields = {name: located(f"{place}.{name}", at, of) for name, of in fields_of(kind).items()}
        return Made(kind, fields)
    if origin in MAPPINGS:
        return mapping_at(place, at, args)
    if origin in SETS and kind != frozenset[str]:
        return _set(place, at, args[0])
    if origin is tuple and args[1:] == (Ellipsis,):
        return _seq(place, at, args[0])
    if kind == frozenset[str]:
        return _set(place, at, str)
    function = _function(place, at, sort_of(kind))
    if function.range() == Object and place not in _TYPING:
        _TYPING[place] = _range_typed(function, kind)
    return Term(function(*at), kind)


_LOCATED: dict[tuple[object, ...], tuple[tuple[z3.ExprRef, ...], Symbolic]] = {}
_TYPING: dict[str, z3.BoolRef] = {}


def typing_axioms() -> list[Clause]:
    """Return, for every function met that gives objects, that they are of its classes."""
    return [(f"type of {place}", axiom) for place, axiom in _TYPING.items()]


def forget_typing() -> None:
    """Forget what was met: the next theorem begins."""
    _TYPING.clear()
    _LOCATED.clear()


def _range_typed(function: z3.FuncDeclRef, kind: object) -> z3.BoolRef:
    at = [z3.Const(f"at{n}", function.domain(n)) for n in range(function.arity())]
    holds = typed(function(*at), kind)
    return z3.ForAll(at, holds) if at else holds


def object_of(made: Made) -> z3.ExprRef:
    """Return the object with the class and the fields of one that the source made.

    There is one: equality of the frozen classes is equality of class and fields.
    """
    cls = typing.get_origin(made.kind) or made.kind
    names = list(fields_of(made.kind))
    terms = [
        coerce(made.fields[name], sort_of(kind)) for name, kind in fields_of(made.kind).items()
    ]
    make = z3.Function(f"make {tag_number(cls)}", *(term.sort() for term in terms), Object)
    variables = [z3.FreshConst(term.sort()) for term in terms]
    one, other = make(*variables), z3.FreshConst(Object)
    read = [
        _function(_field(cls, name), (one,), term.sort())
        for name, term in zip(names, terms, strict=True)
    ]
    built = z3.And(
        tag_is(one, cls),
        *(field(one) == value for field, value in zip(read, variables, strict=True)),
    )
    again = z3.Implies(tag_is(other, cls), make(*(field(other) for field in read)) == other)
    axiom = z3.And(z3.ForAll(variables, built) if variables else built, z3.ForAll([other], again))
    _TYPING[f"equality of {cls}"] = axiom
    return make(*terms)


def argument(name: str, kind: object) -> Symbolic:
    """Return an arbitrary value of the type, for a parameter of that name."""
    structured = (typing.get_origin(kind) or kind) in STRUCTURES
    plain = is_object(kind) or typing.get_origin(kind) is None
    if optional_of(kind) is None and plain and not structured:
        term = fresh(kind, name)
        _TYPING[name] = typed(term, kind)
        return Term(term, kind)
    return located(f"{name}!{fresh(bool)}", (), kind)


def _function(place: str, at: tuple[z3.ExprRef, ...], sort: z3.SortRef) -> z3.FuncDeclRef:
    return z3.Function(place, *(term.sort() for term in at), sort)


def mapping_at(place: str, at: tuple[z3.ExprRef, ...], args: tuple[object, ...]) -> Dict:
    """Return the mapping found at `place` of the objects `at`, of these key and item types."""
    key, item = args
    has = z3.Function(f"{place}.has", *(term.sort() for term in at), sort_of(key), z3.BoolSort())
    return Dict(
        key,
        lambda term: has(*at, term),
        lambda term: NOTHING if item is type(None) else located(f"{place}[]", (*at, term), item),
        place=place,
        at=at,
        item_kind=item,
    )


def _set(place: str, at: tuple[z3.ExprRef, ...], item: object) -> Bag:
    has = z3.Function(f"{place}.has", *(term.sort() for term in at), sort_of(item), z3.BoolSort())

    def draw() -> Drawn:
        term = fresh(item)
        return Drawn((term,), z3.And(has(*at, term), typed(term, item)), Term(term, item))

    return Bag(draw, lambda value: _plain_has(has, at, value), place, at)


def _plain_has(has: z3.FuncDeclRef, at: tuple[z3.ExprRef, ...], value: Symbolic) -> z3.BoolRef:
    if isinstance(value, Cases):
        return z3.Or([z3.And(guard, _plain_has(has, at, item)) for guard, item in value.items])
    if isinstance(value, Nothing):
        return FALSE
    if isinstance(value, Term) and value.expr.sort() == has.domain(len(at)):
        return has(*at, value.expr)
    message = f"membership of {type(value).__name__}"
    raise Unsupported(message)


def _seq(place: str, at: tuple[z3.ExprRef, ...], item: object) -> Seq:
    length = _function(f"{place}.len", at, z3.IntSort())(*at)
    return Seq(length, lambda position: located(f"{place}[]", (*at, position), item))


def read_field(facts: Facts, term: Term, name: str) -> Symbolic:
    """Return a field of an object; owes that the object is of a class that has it."""
    owners = [
        member
        for member in union_members(term.kind)
        if dataclasses.is_dataclass(typing.get_origin(member) or member)
        and name in readable_of(member)
    ]
    if not owners:
        message = f"no field `{name}` of {term.kind}"
        raise Unsupported(message)
    if term.expr.sort() != Object:
        message = f"field `{name}` of a {term.expr.sort()}"
        raise Unsupported(message)
    values = [
        located(_field(owner, name), (term.expr,), readable_of(owner)[name]) for owner in owners
    ]
    if len(union_members(term.kind)) == len(owners) == 1:
        return values[0]
    guards = [tag_is(term.expr, owner) for owner in owners]
    if len(union_members(term.kind)) > len(owners):
        facts.owed.append((f"has `{name}`", z3.Or(guards)))
    return values[0] if len(owners) == 1 else cases(*zip(guards, values, strict=True))


def _field(owner: object, name: str) -> str:
    origin = typing.get_origin(owner) or owner
    return f"{getattr(origin, '__name__', origin)}.{name}"


def value_case(term: z3.ExprRef, kind: object) -> tuple[z3.BoolRef, Symbolic]:
    """Return whether an attribute value is of the type, and what it then is."""
    if kind is bool:
        return Value.is_a_bool(term), Term(Value.the_bool(term), bool)
    if kind is int:
        return Value.is_an_int(term), Term(Value.the_int(term), int)
    if kind is str:
        return Value.is_a_str(term), Term(Value.the_str(term), str)
    if kind is not frozenset:
        message = f"an attribute value as a {kind}"
        raise Unsupported(message)
    strings = Value.the_frozenset(term)
    return Value.is_a_frozenset(term), set_of(str, lambda item: IN_STRINGS(item, strings))
