"""Reads collections: tuples, sets, comprehensions, and what is taken from them."""

import ast
import itertools
import typing
from collections.abc import Callable

import z3

from specs.kernel import membership
from specs.kernel.comparisons import Comparisons
from specs.kernel.expressions import Frame
from specs.kernel.reader import unsupported
from specs.kernel.sorts import Unsupported
from specs.kernel.values import (
    TRUE,
    Bag,
    Cases,
    Dict,
    Drawn,
    Items,
    Seq,
    Term,
    cases,
    set_of,
)


class Collections(Comparisons):
    """Collections in a frame to symbolic values."""

    def read_Tuple(self, node: ast.Tuple, frame: Frame) -> typing.Any:
        """A tuple or list of known length; with a starred part, a collection of what is in it."""
        if not any(isinstance(item, ast.Starred) for item in node.elts):
            return Items(tuple(self.read(item, frame) for item in node.elts))
        parts = [
            self.read(item.value, frame)
            if isinstance(item, ast.Starred)
            else Items((self.read(item, frame),))
            for item in node.elts
        ]
        every = [(TRUE, part) for part in parts]
        return Bag(lambda: membership.drawn_from_any(every), once=listed_once(parts))

    read_List = read_Tuple

    def read_Set(self, node: ast.Set, frame: Frame) -> Bag:
        """A set of given members."""
        items = [self.read(item, frame) for item in node.elts]
        kind = items[0].kind
        return set_of(
            kind, lambda term: z3.Or([membership.same(Term(term, kind), item) for item in items])
        )

    def read_GeneratorExp(
        self, node: ast.GeneratorExp | ast.ListComp | ast.SetComp, frame: Frame
    ) -> Bag:
        """A comprehension: what can be drawn from it."""
        return self.bag(lambda: self.draw(node.elt, node.generators, frame))

    read_ListComp = read_GeneratorExp
    read_SetComp = read_GeneratorExp

    def bag(self, reading: Callable[[], Drawn]) -> Bag:
        """Return what can be drawn by a reading, which is read once at least, for what it owes."""
        read = [reading()]
        again = self.again(reading)
        return Bag(lambda: read.pop() if read else again())

    def draw(self, element: ast.expr, generators: list[ast.comprehension], frame: Frame) -> Drawn:
        """Return an arbitrary element of a comprehension, read under what was drawn so far."""
        if not generators:
            return Drawn((), TRUE, self.read(element, frame))
        with self.one_of_many():
            return self.draw_first(element, generators, frame)

    def draw_first(
        self, element: ast.expr, generators: list[ast.comprehension], frame: Frame
    ) -> Drawn:
        """Return an arbitrary element of a comprehension that draws from something."""
        first, *rest = generators
        if first.is_async:
            raise unsupported(first.iter, frame)
        outer = membership.drawn(self.read(first.iter, frame))
        inside = self.bind(first.target, outer.value, frame.under(outer.guard))
        conditions: list[z3.BoolRef] = []
        for test in first.ifs:
            condition = self.condition(test, inside)
            conditions.append(condition)
            inside = inside.under(condition)
        inner = self.draw(element, rest, inside)
        guard = z3.And(outer.guard, *conditions, inner.guard)
        return Drawn((*outer.binders, *inner.binders), guard, inner.value)

    def bind(self, target: ast.expr, value: typing.Any, frame: Frame) -> Frame:
        """Return the frame with the target's names bound."""
        if isinstance(target, ast.Name):
            return frame.binding(target.id, value)
        if isinstance(target, ast.Tuple) and isinstance(value, Items):
            for name, item in zip(target.elts, value.values, strict=True):
                frame = self.bind(name, item, frame)
            return frame
        if isinstance(target, ast.Tuple) and isinstance(value, Cases):
            return self.bind(target, one_tuple(value), frame)
        raise unsupported(target, frame)

    def part(self, value: typing.Any) -> Bag:
        """Return some of a collection: what a slice of it has, without saying which."""
        sorts = [binder.sort() for binder in membership.drawn(value).binders]
        inside = z3.FreshFunction(*sorts, z3.BoolSort())

        def draw() -> Drawn:
            element = membership.drawn(value)
            guard = z3.And(element.guard, inside(*element.binders))
            return Drawn(element.binders, guard, element.value)

        return Bag(draw)

    def read_Subscript(self, node: ast.Subscript, frame: Frame) -> typing.Any:
        """A mapping's value, whose key is owed; a tuple's element, whose position is."""
        value = self.read(node.value, frame)
        if isinstance(node.slice, ast.Slice):
            return self.part(value)
        key = self.read(node.slice, frame)
        if isinstance(value, Dict):
            term = membership.key_of(value, key)
            self.owe(f"a key of {ast.unparse(node.value)}", frame, value.has(term))
            return value.get(term)
        if not isinstance(key, Term) or not z3.is_int_value(z3.simplify(key.expr)):
            raise unsupported(node, frame)
        position = z3.simplify(key.expr).as_long()
        if isinstance(value, Items) and -len(value.values) <= position < len(value.values):
            return value.values[position]
        if isinstance(value, Seq):
            at = value.length + position if position < 0 else z3.IntVal(position)
            self.owe("a position of the tuple", frame, z3.And(at >= 0, at < value.length))
            return value.at(at)
        raise unsupported(node, frame)


def one_tuple(value: Cases) -> Items:
    """Return one of several tuples of one length, part by part."""
    tuples = [(guard, item.values) for guard, item in value.items if isinstance(item, Items)]
    if len(tuples) < len(value.items) or len({len(values) for _, values in tuples}) != 1:
        message = "one of several that are no tuples of one length"
        raise Unsupported(message)
    parts = zip(*(values for _, values in tuples), strict=True)
    guards = [guard for guard, _ in tuples]
    return Items(tuple(cases(*zip(guards, part, strict=True)) for part in parts))


def listed_once(parts: list[typing.Any]) -> z3.BoolRef | None:
    """Return when several single values and one collection list nothing twice, if that is known."""
    singles = [one for part in parts if isinstance(part, Items) for one in part.values]
    several = [part for part in parts if not isinstance(part, Items)]
    known = [part.once for part in several if isinstance(part, Bag) and part.once is not None]
    if len(several) > 1 or len(known) < len(several):
        return None
    apart = [membership.same(one, other) for one, other in itertools.combinations(singles, 2)]
    apart += [membership.contains(part, one) for part in several for one in singles]
    return z3.And(*known, z3.Not(z3.Or(apart)))
