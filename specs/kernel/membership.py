"""Equality of symbolic values, and what collections have: the meaning of `==` and `in`."""

import typing
from collections.abc import Callable
from functools import partial

import z3

from specs.kernel.shapes import object_of, read_field
from specs.kernel.sorts import Name, Object, Unsupported, Value, sort_of, tag_is, union_members
from specs.kernel.values import (
    FALSE,
    TRUE,
    Bag,
    Cases,
    Dict,
    Drawn,
    Facts,
    Items,
    Made,
    Nothing,
    Seq,
    Symbolic,
    Term,
    cases,
    coerce,
    exists,
    forall,
    guarded,
    set_of,
)

CARD = z3.Function("card", z3.ArraySort(Name, z3.BoolSort()), z3.IntSort())
"""The number of members of a set of names."""


def same(left: typing.Any, right: typing.Any) -> z3.BoolRef:
    """Return whether two values are equal."""
    if isinstance(left, Cases) or isinstance(right, Cases):
        pairs = [(one, other) for one in guarded(left) for other in guarded(right)]
        return z3.Or([z3.And(one, other, same(a, b)) for (one, a), (other, b) in pairs])
    if isinstance(left, Nothing) or isinstance(right, Nothing):
        return z3.BoolVal(isinstance(left, Nothing) and isinstance(right, Nothing))
    if isinstance(left, Term) and isinstance(right, Term):
        sort = Value if Value in {left.expr.sort(), right.expr.sort()} else left.expr.sort()
        return coerce(left, sort) == coerce(right, sort)
    if isinstance(left, Made) and isinstance(right, Made):
        if class_of(left) is not class_of(right):
            return FALSE
        return z3.And([same(value, right.fields[name]) for name, value in left.fields.items()])
    if isinstance(left, Made):
        return same_object(left, right)
    if isinstance(right, Made):
        return same_object(right, left)
    if isinstance(left, Dict) and isinstance(right, Dict):
        return same_mapping(left, right)
    return same_members(left, right)


def class_of(value: Made | Term) -> typing.Any:
    """Return the class of an object, type arguments dropped."""
    return typing.get_origin(value.kind) or value.kind


def same_object(made: Made, term: typing.Any) -> z3.BoolRef:
    """Return whether an object has the class and the fields of one that the source made."""
    if not isinstance(term, Term) or term.expr.sort() != Object:
        return FALSE
    narrowed = Term(term.expr, made.kind)
    fields = [
        same(value, read_field(Facts(), narrowed, name)) for name, value in made.fields.items()
    ]
    return z3.And(tag_is(term.expr, made.kind), *fields)


def same_mapping(left: Dict, right: Dict) -> z3.BoolRef:
    """Return whether two mappings have the same keys, and the same value for each."""
    key = drawn(left)
    term = typing.cast(Term, key.value).expr
    alike = z3.And(right.has(term), same(left.get(term), right.get(term)))
    other = drawn(right)
    return z3.And(forall(key, alike), forall(other, contains(left, other.value)))


def same_members(left: Symbolic, right: Symbolic) -> z3.BoolRef:
    """Return whether two collections have the same members."""
    one, other = drawn(left), drawn(right)
    return z3.And(
        forall(one, contains(right, one.value)), forall(other, contains(left, other.value))
    )


def drawn(collection: typing.Any) -> Drawn:
    """Return an arbitrary element of a collection; of a mapping, a key."""
    if isinstance(collection, Bag):
        return collection.draw()
    if isinstance(collection, Dict):
        return set_of(collection.key_kind, collection.has).draw()
    if isinstance(collection, Cases):
        return drawn_from_any(list(collection.items))
    if isinstance(collection, Items):
        ones = [Bag(partial(Drawn, (), TRUE, one)) for one in collection.values]
        return drawn_from_any([(TRUE, one) for one in ones])
    if isinstance(collection, Seq):
        position = z3.FreshInt("i")
        inside = z3.And(position >= 0, position < collection.length)
        return Drawn((position,), inside, collection.at(position))
    message = f"nothing to draw from {type(collection).__name__}"
    raise Unsupported(message)


def drawn_from_any(parts: list[tuple[z3.BoolRef, typing.Any]]) -> Drawn:
    """Return an arbitrary element of any of the collections, each there under its condition."""
    which = z3.FreshInt("which")
    elements = [drawn(part) for _, part in parts]
    guards = [
        z3.And(which == number, condition, element.guard)
        for number, ((condition, _), element) in enumerate(zip(parts, elements, strict=True))
    ]
    binders = (which, *(binder for element in elements for binder in element.binders))
    values = [(which == number, element.value) for number, element in enumerate(elements)]
    terms = [value for _, value in values if isinstance(value, Term)]
    if terms and len(terms) == len(values) and len({term.expr.sort() for term in terms}) == 1:
        merged = coerce(Cases(tuple(values)), terms[0].expr.sort())
        return Drawn(binders, z3.Or(guards), Term(merged, kind_of_any(terms)))
    return Drawn(binders, z3.Or(guards), cases(*values))


def kind_of_any(terms: list[Term]) -> object:
    """Return the type of one of the terms, whichever it is."""
    if terms[0].expr.sort() != Object:
        return terms[0].kind
    kinds = dict.fromkeys(member for term in terms for member in union_members(term.kind))
    return typing.Union[tuple(kinds)]  # noqa: UP007 - of as many as there are


def contains(collection: typing.Any, value: Symbolic) -> z3.BoolRef:
    """Return whether the collection has the value; of a mapping, as a key."""
    if isinstance(value, Cases):
        return z3.Or([z3.And(guard, contains(collection, item)) for guard, item in value.items])
    if isinstance(collection, Cases):
        return z3.Or([z3.And(guard, contains(item, value)) for guard, item in collection.items])
    if isinstance(collection, Items):
        return z3.Or([same(value, item) for item in collection.values])
    if isinstance(collection, Dict):
        return FALSE if isinstance(value, Nothing) else collection.has(key_of(collection, value))
    if isinstance(collection, Bag) and collection.has is not None:
        return collection.has(value)
    element = drawn(collection)
    return exists(element, same(element.value, value))


def key_of(mapping: Dict, value: Symbolic) -> z3.ExprRef:
    """Return the value as a key of the mapping; objects are looked up by equality."""
    if isinstance(value, Made):
        return object_of(value)
    if isinstance(value, Cases):
        keys = [(guard, key_of(mapping, item)) for guard, item in value.items]
        value = Cases(tuple((guard, Term(key, mapping.key_kind)) for guard, key in keys))
    return coerce(value, sort_of(mapping.key_kind))


def is_empty(collection: typing.Any) -> z3.BoolRef:
    """Return whether the collection has no element."""
    if isinstance(collection, Items):
        return z3.BoolVal(len(collection.values) == 0)
    if isinstance(collection, Seq):
        return collection.length == 0
    if isinstance(collection, Cases):
        return z3.And([z3.Implies(guard, is_empty(item)) for guard, item in collection.items])
    return z3.Not(exists(drawn(collection), TRUE))


def card(collection: typing.Any) -> z3.ArithRef:
    """Return the number of members of a set of names: equal sets have equal counts."""
    if isinstance(collection, Seq):
        return collection.length
    item = z3.Const("member", Name)
    return CARD(z3.Lambda([item], contains(collection, Term(item, str))))


def union(left: typing.Any, right: typing.Any) -> Bag:
    """Return the set of what either has."""
    return combined(left, right, z3.Or)


def combined(left: typing.Any, right: typing.Any, connective: Callable[..., typing.Any]) -> Bag:
    """Return the set of what the connective of both memberships says."""
    kind = member_kind(left)

    def has(value: Symbolic) -> z3.BoolRef:
        return connective(contains(left, value), contains(right, value))

    return Bag(set_of(kind, lambda term: has(Term(term, kind))).draw, has)


def member_kind(collection: typing.Any) -> object:
    """Return the type of a collection's members."""
    if isinstance(collection, Dict):
        return collection.key_kind
    if isinstance(collection, Cases):
        return member_kind(collection.items[0][1])
    value = drawn(collection).value
    if isinstance(value, Term):
        return value.kind
    message = "a set of what is not a plain value"
    raise Unsupported(message)
