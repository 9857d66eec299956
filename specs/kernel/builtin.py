"""Reads the builtins of the subset, and the methods of mappings."""

import ast
import dataclasses
import typing
from types import FunctionType

import z3

from specs.kernel import expressions as of
from specs.kernel import membership
from specs.kernel.collections import Collections
from specs.kernel.expressions import Count, Frame, Ref
from specs.kernel.reader import unsupported
from specs.kernel.sorts import Name
from specs.kernel.values import (
    NOTHING,
    TRUE,
    Bag,
    Dict,
    Drawn,
    Items,
    Made,
    Seq,
    Term,
    cases,
    exists,
    forall,
    is_truth,
    truth,
)


class Builtins(Collections):
    """Calls of what Python and its libraries bring along."""

    def mapping_method(self, owner: Dict, node: ast.Call, frame: Frame) -> typing.Any:
        """Return the value of a method of a mapping."""
        name = typing.cast(ast.Attribute, node.func).attr
        given = [self.read(value, frame) for value in node.args]
        match name, given:
            case "get", [key, *default]:
                there = owner.has(membership.key_of(owner, key))
                otherwise = default[0] if default else NOTHING
                return cases(
                    (there, owner.get(membership.key_of(owner, key))), (z3.Not(there), otherwise)
                )
            case (("items" | "values" | "keys"), []):
                return entries(owner, name)
            case "set", [key, value]:
                return with_entry(owner, membership.key_of(owner, key), value)
            case "delete", [key]:
                self.owe("a key to delete", frame, owner.has(membership.key_of(owner, key)))
                return without_entry(owner, membership.key_of(owner, key))
            case _:
                raise unsupported(node, frame)

    def call_replace(self, node: ast.Call, frame: Frame) -> Made:
        """`replace(x, f=v)`: an object like it but for the fields given."""
        owner = self.read(node.args[0], frame)
        if not isinstance(owner, Term | Made):
            raise unsupported(node, frame)
        given = {word.arg or "**": self.read(word.value, frame) for word in node.keywords}
        declared = dataclasses.fields(membership.class_of(owner))
        names = [field.name for field in declared if field.init]
        if not given.keys() <= set(names):
            raise unsupported(node, frame)
        kept = {name: self.field(owner, name, frame) for name in names if name not in given}
        fields = {name: given[name] if name in given else kept[name] for name in names}
        return Made(owner.kind, fields)

    def call_len(self, node: ast.Call, frame: Frame) -> typing.Any:
        """`len(x)`: a count, by the object's own `__len__` where it has one."""
        value = self.read(node.args[0], frame)
        if isinstance(value, Made):
            member = membership.class_of(value).__len__
            return self.invoke(member, [value], frame.when)
        return Count(value)

    def call_all(self, node: ast.Call, frame: Frame) -> Term:
        """`all(...)`: the universal quantifier."""
        element = self.drawn_truth(node, frame)
        return truth(forall(element, typing.cast(Term, element.value).expr))

    def call_any(self, node: ast.Call, frame: Frame) -> Term:
        """`any(...)`: the existential quantifier."""
        element = self.drawn_truth(node, frame)
        return truth(exists(element, typing.cast(Term, element.value).expr))

    def drawn_truth(self, node: ast.Call, frame: Frame) -> Drawn:
        """Return an arbitrary element of what is asked about, whose elements are booleans."""
        element = membership.drawn(self.read(node.args[0], frame))
        if not is_truth(element.value):
            raise unsupported(node, frame, "truth of what is no bool: ")
        return element

    def call_frozenset(self, node: ast.Call, frame: Frame) -> typing.Any:
        """`frozenset(x)` and its like: the same members."""
        return self.read(node.args[0], frame) if node.args else Items(())

    call_set = call_frozenset
    call_tuple = call_frozenset
    call_iter = call_frozenset

    def call_fromkeys(self, node: ast.Call, frame: Frame) -> typing.Any:
        """`dict.fromkeys(xs)`: the same members, each once."""
        value = self.read(node.args[0], frame)
        return dataclasses.replace(value, once=TRUE) if isinstance(value, Bag) else value

    def call_sorted(self, node: ast.Call, frame: Frame) -> typing.Any:
        """`sorted(xs, ...)`: the same members, in the order that the keywords name."""
        value = self.read(node.args[0], frame)
        order = ", ".join(ast.unparse(word) for word in node.keywords)
        return dataclasses.replace(value, order=order) if isinstance(value, Bag) else value

    def call_map(self, node: ast.Call, frame: Frame) -> Bag:
        """`map(f, xs)`: what the function gives of each."""
        function = self.read(node.args[0], frame)
        if not isinstance(function, Ref) or not isinstance(function.target, FunctionType):
            raise unsupported(node, frame)
        applied, over = function.target, self.read(node.args[1], frame)

        def draw() -> Drawn:
            element = membership.drawn(over)
            when = z3.And(frame.when, element.guard)
            with self.one_of_many():
                value = self.invoke(applied, [element.value], when)
            return Drawn(element.binders, element.guard, value)

        return self.bag(draw)

    def call_pairwise(self, node: ast.Call, frame: Frame) -> Bag:
        """`pairwise(path)`: each element with the next."""
        path = typing.cast(Seq, self.read(node.args[0], frame))

        def draw() -> Drawn:
            i = z3.FreshInt("i")
            inside = z3.And(i >= 0, i + 1 < path.length)
            return Drawn((i,), inside, Items((path.at(i), path.at(i + 1))))

        return Bag(draw)

    def call_str(self, node: ast.Call, frame: Frame) -> typing.Any:
        """`str(x)` of an id: the id."""
        return self.read(node.args[0], frame)

    def call_isinstance(self, node: ast.Call, frame: Frame) -> Term:
        """`isinstance(x, T)`: which case it is."""
        target = typing.cast(Ref, self.read(node.args[1], frame)).target
        value = self.read(node.args[0], frame)
        return truth(of.isinstance_of(self.facts, value, of.classes_of(target)))

    def call_min(self, node: ast.Call, frame: Frame) -> typing.Any:
        """`min(...)`: some element, and that there is one is owed; which is not said."""
        if len(node.args) != 1:
            raise unsupported(node, frame)
        element = self.witness(node, frame)
        self.owe("least of something, not of nothing", frame, exists(element, TRUE))
        return element.value

    def call_next(self, node: ast.Call, frame: Frame) -> typing.Any:
        """`next(..., d)`: some element where there is one; which is not said."""
        element = self.witness(node, frame)
        there = exists(element, TRUE)
        if len(node.args) == 1:
            self.owe("next of something, not of nothing", frame, there)
            return element.value
        return cases((there, element.value), (z3.Not(there), self.read(node.args[1], frame)))

    def witness(self, node: ast.Call, frame: Frame) -> Drawn:
        """Return some element, if any; inside a comprehension there would be many."""
        if self.among > 0:
            raise unsupported(node, frame, "one of many inside a comprehension: ")
        element = membership.drawn(self.read(node.args[0], frame))
        self.facts.choose(element, TRUE)
        return element


def with_entry(mapping: Dict, key: z3.ExprRef, value: typing.Any) -> Dict:
    """Return the mapping with the value for the key."""
    return dataclasses.replace(
        mapping,
        has=lambda term: z3.Or(term == key, mapping.has(term)),
        get=lambda term: cases((term == key, value), (term != key, mapping.get(term))),
        place="",
    )


def without_entry(mapping: Dict, key: z3.ExprRef) -> Dict:
    """Return the mapping without the key."""
    has = mapping.has
    return dataclasses.replace(mapping, has=lambda term: z3.And(term != key, has(term)), place="")


def entries(mapping: Dict, what: str) -> Bag:
    """Return the items, the values or the keys of a mapping as a collection."""

    def draw() -> Drawn:
        key = z3.FreshConst(Name, "key")
        one = Term(key, mapping.key_kind)
        value = mapping.get(key)
        drawn = {"keys": one, "values": value, "items": Items((one, value))}
        return Drawn((key,), mapping.has(key), drawn[what])

    return Bag(draw)
