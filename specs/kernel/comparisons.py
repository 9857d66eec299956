"""Reads connectives and comparisons, and what a test says of the variables that it names."""

import ast
import enum
import operator
import typing
from collections.abc import Callable

import z3

from specs.kernel import expressions as of
from specs.kernel import membership
from specs.kernel.expressions import Count, Frame, Ref
from specs.kernel.reader import Reader, unsupported
from specs.kernel.shapes import value_case
from specs.kernel.sorts import Name, Unsupported, Value
from specs.kernel.values import (
    Bag,
    Cases,
    Made,
    Nothing,
    Term,
    both,
    cases,
    coerce,
    forall,
    guarded,
    negated,
    truth,
)

ORDERS: typing.Final[dict[type[ast.cmpop], Callable[..., typing.Any]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}
POSITIVE: typing.Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.NotEq: ast.Eq,
    ast.IsNot: ast.Is,
    ast.NotIn: ast.In,
}
SETS: typing.Final[dict[type[ast.operator], Callable[..., typing.Any]]] = {
    ast.BitAnd: z3.And,
    ast.BitOr: z3.Or,
    ast.Sub: lambda a, b: z3.And(a, z3.Not(b)),
}


class Comparisons(Reader):
    """Conditions in a frame to symbolic values."""

    def read_BoolOp(self, node: ast.BoolOp, frame: Frame) -> Term:
        """`and`, `or`: what stands on the right is read where the left leaves it open."""
        parts: list[z3.BoolRef] = []
        both = isinstance(node.op, ast.And)
        for operand in node.values:
            condition = self.condition(operand, frame)
            parts.append(condition)
            if (z3.is_false if both else z3.is_true)(condition):
                return truth(condition)
            open_still = frame.under(condition if both else negated(condition))
            frame = self.refined(operand, open_still, holds=both)
        return truth(z3.And(parts) if both else z3.Or(parts))

    def read_UnaryOp(self, node: ast.UnaryOp, frame: Frame) -> Term:
        """`not`, and the negative of a number."""
        if isinstance(node.op, ast.Not):
            return truth(negated(self.condition(node.operand, frame)))
        if isinstance(node.op, ast.USub):
            return Term(-of.ordinal(self.read(node.operand, frame), self.facts, frame.when), int)
        raise unsupported(node, frame)

    def read_IfExp(self, node: ast.IfExp, frame: Frame) -> typing.Any:
        """`x if c else y`: one of two cases."""
        test = self.condition(node.test, frame)
        if z3.is_true(test) or z3.is_false(test):
            return self.read(node.body if z3.is_true(test) else node.orelse, frame)
        yes = self.refined(node.test, frame.under(test), holds=True)
        no = self.refined(node.test, frame.under(z3.Not(test)), holds=False)
        return cases((test, self.read(node.body, yes)), (z3.Not(test), self.read(node.orelse, no)))

    def read_Compare(self, node: ast.Compare, frame: Frame) -> Term:
        """A chain of comparisons."""
        parts: list[z3.BoolRef] = []
        left = node.left
        for comparator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self.compare(comparator, (left, right), frame))
            left = right
        return truth(z3.And(parts) if len(parts) > 1 else parts[0])

    def compare(
        self, comparator: ast.cmpop, sides: tuple[ast.expr, ast.expr], frame: Frame
    ) -> z3.BoolRef:
        """Return one comparison of a chain."""
        if type(comparator) in POSITIVE:
            return negated(self.compare(POSITIVE[type(comparator)](), sides, frame))
        if isinstance(comparator, ast.Is) and is_type_call(sides[0]):
            return self.type_is(typing.cast(ast.Call, sides[0]), sides[1], frame)
        one, other = (self.read(side, frame) for side in sides)
        if isinstance(comparator, ast.In):
            return self.within(one, other, frame)
        if isinstance(comparator, ast.Is) and not (is_unique(one) or is_unique(other)):
            raise unsupported(sides[0], frame, "identity of what may be there twice: ")
        if isinstance(comparator, ast.Is | ast.Eq):
            return self.equal(one, other, frame)
        if isinstance(one, Bag) and isinstance(other, Bag) and isinstance(comparator, ast.LtE):
            element = one.draw()
            return forall(element, membership.contains(other, element.value))
        return self.ordered(comparator, (one, other), frame)

    def within(self, value: typing.Any, collection: typing.Any, frame: Frame) -> z3.BoolRef:
        """Return whether the value is in the collection, asking its own `__contains__` if any."""
        if isinstance(collection, Made):
            method = membership.class_of(collection).__contains__
            return typing.cast(Term, self.invoke(method, [collection, value], frame.when)).expr
        if isinstance(collection, Term) and collection.expr.sort() == Value:
            is_set, members = value_case(collection.expr, frozenset)
            self.owe("`in` a set", frame, is_set)
            return membership.contains(members, Term(self.plain(value, str, frame), str))
        if has_attribute_value(value):
            message = "an attribute value in what is no attribute value"
            raise Unsupported(message)
        return membership.contains(collection, value)

    def plain(self, value: typing.Any, kind: type, frame: Frame) -> z3.ExprRef:
        """Return an attribute value as what it is owed to be."""
        if isinstance(value, Term) and value.expr.sort() == Value:
            is_it, inner = value_case(value.expr, kind)
            self.owe(f"a {kind.__name__}", frame, is_it)
            return typing.cast(Term, inner).expr
        return coerce(value, Name)

    def equal(self, one: typing.Any, other: typing.Any, frame: Frame) -> z3.BoolRef:
        """Return whether two values are equal; attribute values are owed to have one type."""
        for when, left, right in attribute_values(one, other):
            self.owe("values of one type", frame.under(when), of.alike(left, right))
        if isinstance(one, Count):
            return self.ordered(ast.Eq(), (one, other), frame)
        return membership.same(one, other)

    def ordered(
        self, comparator: ast.cmpop, sides: tuple[typing.Any, typing.Any], frame: Frame
    ) -> z3.BoolRef:
        """Return a comparison of numbers; a count against 0 is a question of emptiness."""
        one, other = sides
        against_none = isinstance(one, Count) and isinstance(other, Term) and is_zero(other)
        if against_none and isinstance(comparator, ast.Eq | ast.Gt):
            empty = membership.is_empty(one.of)
            return empty if isinstance(comparator, ast.Eq) else z3.Not(empty)
        if type(comparator) not in ORDERS:
            message = f"comparison {type(comparator).__name__}"
            raise Unsupported(message)
        a, b = (of.ordinal(side, self.facts, frame.when) for side in sides)
        return ORDERS[type(comparator)](a, b)

    def type_is(self, left: ast.Call, right: ast.expr, frame: Frame) -> z3.BoolRef:
        """Return `type(x) is T` or `type(x) is type(y)` of attribute values."""
        one = self.attribute_value(left, frame)
        if is_type_call(right):
            return of.alike(one, self.attribute_value(typing.cast(ast.Call, right), frame))
        return value_case(one, typing.cast(Ref, self.read(right, frame)).target)[0]

    def attribute_value(self, node: ast.Call, frame: Frame) -> z3.ExprRef:
        """Return `x` of `type(x)`: anything else may be of a narrower class than it is said to."""
        value = self.read(node.args[0], frame)
        if not isinstance(value, Term) or value.expr.sort() != Value:
            raise unsupported(node, frame)
        return value.expr

    def read_BinOp(self, node: ast.BinOp, frame: Frame) -> typing.Any:
        """Sums and differences of numbers; `|`, `&`, `-` of sets."""
        left, right = self.read(node.left, frame), self.read(node.right, frame)
        if isinstance(node.op, ast.Add | ast.Sub) and isinstance(left, Term | Count):
            a, b = (of.ordinal(side, self.facts, frame.when) for side in (left, right))
            return Term(a + b if isinstance(node.op, ast.Add) else a - b, int)
        if type(node.op) not in SETS:
            raise unsupported(node, frame)
        return membership.combined(left, right, SETS[type(node.op)])

    def refined(self, test: ast.expr, frame: Frame, *, holds: bool) -> Frame:
        """Return the frame narrowed by `x is None`, `x is not None` and what `and`, `or` join."""
        match test:
            case ast.Compare(
                left=ast.Name() | ast.Attribute() as left,
                ops=[ast.Is() | ast.IsNot() as comparator],
                comparators=[ast.Constant(value=None)],
            ):
                nothing = isinstance(comparator, ast.Is) == holds
                return self.narrowed(left, frame, nothing=nothing)
            case ast.BoolOp(op=op, values=values) if isinstance(op, ast.And) == holds:
                for value in values:
                    frame = self.refined(value, frame, holds=holds)
                return frame
            case _:
                return frame

    def narrowed(self, left: ast.expr, frame: Frame, *, nothing: bool) -> Frame:
        """Return the frame in which a variable or field is nothing, or something."""
        value = self.read(left, frame)
        if not isinstance(value, Cases):
            return frame
        items = [(g, item) for g, item in value.items if isinstance(item, Nothing) == nothing]
        kept = items[0][1] if len(items) == 1 else cases(*items)
        return frame.binding(ast.unparse(left), kept)


def is_type_call(node: ast.expr) -> bool:
    """Return whether the expression is `type(x)`."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "type"


def is_unique(value: typing.Any) -> bool:
    """Return whether what equals the value is the value: `None`, or a member of an enumeration."""
    kind = value.kind if isinstance(value, Term) else None
    return isinstance(value, Nothing) or (isinstance(kind, type) and issubclass(kind, enum.Enum))


def has_attribute_value(value: typing.Any) -> bool:
    """Return whether the value is, or may be, an attribute value."""
    parts = (item for _, item in guarded(value))
    return any(isinstance(item, Term) and item.expr.sort() == Value for item in parts)


def attribute_values(
    one: typing.Any, other: typing.Any
) -> typing.Iterator[tuple[z3.BoolRef, z3.ExprRef, z3.ExprRef]]:
    """Yield each two terms that are compared as attribute values, and when they are.

    Where their types differ Python may find them equal all the same: `True == 1`.
    """
    for when, left in guarded(one):
        for also, right in guarded(other):
            if not isinstance(left, Term) or not isinstance(right, Term):
                continue
            if Value in {left.expr.sort(), right.expr.sort()}:
                yield both(when, also), coerce(left, Value), coerce(right, Value)


def is_zero(value: Term) -> bool:
    """Return whether the value is the number 0."""
    return bool(z3.is_int_value(value.expr)) and value.expr.as_long() == 0
