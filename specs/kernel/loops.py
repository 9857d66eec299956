"""Reads loops.

One that only looks for something is a quantifier. One that changes something follows its invariant:
it holds at the start, each round keeps it, and what is known after the loop is the invariant and
that the loop is over (Hoare).

The invariants stand beside the definitions, keyed by function and position. Finiteness, and with it
termination, is trusted where the measure is a set that shrinks.
"""

import ast
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache

import z3

from specs.kernel import membership
from specs.kernel.expressions import Frame, Ref
from specs.kernel.reader import unsupported
from specs.kernel.shapes import mapping_at
from specs.kernel.sorts import Unsupported
from specs.kernel.statements import Path, Statements
from specs.kernel.values import (
    FALSE,
    TRUE,
    Bag,
    Clause,
    Dict,
    Drawn,
    Items,
    Seq,
    Symbolic,
    Term,
    exists,
    forall,
    fresh,
    fresh_set,
    guarded,
    set_of,
)

Invariant = Callable[[dict[str, typing.Any], typing.Any], list[Clause]]
MUTATORS = frozenset({"add", "discard", "pop", "update", "remove"})


@dataclass(frozen=True)
class Progress:
    """Any round of a loop: what is done before it, the element at hand, what is done after it.

    `supposed` is known of what is done, `new` of the element.
    """

    nothing: Symbolic
    done: Symbolic
    element: Drawn
    more: Symbolic
    supposed: z3.BoolRef = TRUE
    new: z3.BoolRef = TRUE


class Loops(Statements):
    """Loops on paths to paths."""

    invariants: dict[tuple[str, int], Invariant]

    def step_While(self, statement: ast.While, path: Path) -> list[Path]:
        """A loop while a set has members, by its invariant."""
        invariant, name = self.invariant_of(statement, path)
        if not isinstance(statement.test, ast.Name) or statement.orelse:
            raise unsupported(statement, path.frame)
        self.owe_all(f"{name} starts", invariant(path.frame.env, None), path.frame)
        changed = changed_names(statement)
        inside = havoc(path, changed)
        more = z3.Not(membership.is_empty(inside.frame.env[statement.test.id]))
        known = [fact for _, fact in invariant(inside.frame.env, None)]
        for end in self.one_round(statement, inside.under(z3.And(*known, more))):
            self.owe_all(f"{name} goes on", invariant(end.frame.env, None), end.frame)
        after = havoc(path, changed)
        over = membership.is_empty(after.frame.env[statement.test.id])
        return [self.known_after(name, invariant(after.frame.env, None), over, path=after)]

    def rounds(self, statement: ast.For, path: Path) -> list[Path]:
        """Return the path after a loop over a collection that its invariant describes."""
        invariant, name = self.invariant_of(statement, path)
        collection = self.read(statement.iter, path.frame)
        some = progress(collection)
        self.owe_all(f"{name} starts", invariant(path.frame.env, some.nothing), path.frame)
        changed = changed_names(statement)
        anywhere = havoc(path, changed).under(some.supposed)
        known = [fact for _, fact in invariant(anywhere.frame.env, some.done)]
        element = some.element
        inside = self.bind(statement.target, element.value, anywhere.frame)
        at_hand = z3.And(*known, element.guard, some.new)
        for end in self.one_round(statement, replace(anywhere, frame=inside).under(at_hand)):
            self.owe_all(f"{name} goes on", invariant(end.frame.env, some.more), end.frame)
        after = havoc(path, changed)
        return [self.known_after(name, invariant(after.frame.env, collection), path=after)]

    def one_round(self, statement: ast.While | ast.For, path: Path) -> list[Path]:
        """Return the ends of a round, each of which an invariant must describe.

        A round that returns or raises has an end that none describes: it is unsupported.
        """
        ends = self.block(statement.body, [path])
        if not all(end.open for end in ends):
            raise unsupported(statement, path.frame, "a round that leaves the function: ")
        return ends

    def known_after(
        self, name: str, invariant: list[Clause], over: z3.BoolRef = TRUE, *, path: Path
    ) -> Path:
        """Return the path after a loop, of whose variables is known that the loop is over."""
        known = z3.And(*(fact for _, fact in invariant), over)
        self.facts.assumed.append((f"after {name}", z3.Implies(path.frame.when, known)))
        return path

    def invariant_of(self, statement: ast.stmt, path: Path) -> tuple[Invariant, str]:
        """Return the invariant of a loop, and a name for it; without one it is unsupported."""
        key = self.key_of(statement, path)
        if key not in self.invariants or self.among > 0:
            raise unsupported(statement, path.frame, "a loop without an invariant: ")
        return self.invariants[key], f"loop {key[1]} of {path.frame.function}"

    def key_of(self, statement: ast.stmt, path: Path) -> tuple[str, int]:
        """Return what the invariant of a loop is found by: its function, and which loop it is."""
        module, name = path.frame.module, path.frame.function
        position = loop_positions(self.source.function(module, name))[statement.lineno]
        return f"{module}.{name}", position

    def owe_all(self, what: str, facts: list[Clause], frame: Frame) -> None:
        """Owe every part of an invariant."""
        for name, fact in facts:
            self.owe(f"{what}: {name}", frame, fact)

    def step_For(self, statement: ast.For, path: Path) -> list[Path]:
        """A loop over a collection, of whichever kind it is."""
        if statement.orelse:
            raise unsupported(statement, path.frame)
        if mutations(statement) or self.key_of(statement, path) in self.invariants:
            return self.rounds(statement, path)
        known = alternatives(self.read(statement.iter, path.frame))
        if known is not None:
            ways = [self.unrolled(statement, items, path.under(guard)) for guard, items in known]
            return [end for way in ways for end in way]
        union = accumulates(statement)
        if union is not None:
            return [self.accumulate(statement, union, path)]
        return self.search(statement, path)

    def accumulate(self, statement: ast.For, union: tuple[str, ast.expr], path: Path) -> Path:
        """Return the path after `for x in xs: s = s | f(x)`: a union over all."""
        name, expression = union
        element = membership.drawn(self.read(statement.iter, path.frame))
        inside = self.bind(statement.target, element.value, path.frame.under(element.guard))
        with self.one_of_many():
            part = self.read(expression, inside)
        before = path.frame.env[name]
        kind = membership.member_kind(before)

        def has(value: Symbolic) -> z3.BoolRef:
            among = exists(element, membership.contains(part, value))
            return z3.Or(membership.contains(before, value), among)

        grown = Bag(set_of(kind, lambda term: has(Term(term, kind))).draw, has)
        return replace(path, frame=path.frame.binding(name, grown))

    def unrolled(self, statement: ast.For, values: Iterable[typing.Any], path: Path) -> list[Path]:
        """Return the paths of a loop over what is known one by one: a round for each."""
        paths = [path]
        for value in values:
            bound = [
                replace(one, frame=self.bind(statement.target, value, one.frame))
                if one.open
                else one
                for one in paths
            ]
            paths = self.block(statement.body, bound)
        return paths

    def search(self, statement: ast.For, path: Path) -> list[Path]:
        """Return the paths of a loop that only returns, yields or goes on."""
        element, ends = self.round(statement, path)
        if any(end.raised or changes_more(end, path) for end in ends):
            raise unsupported(statement, path.frame, "a loop that changes something: ")
        if any(end.yielded for end in ends):
            return [self.yielding(statement, (element, ends), path)]
        returning = [end for end in ends if not end.open]
        if len(returning) > 1:
            raise unsupported(statement, path.frame, "a loop that returns in several ways: ")
        if len(returning) == 0:
            return [path]
        end = returning[0]
        self.facts.choose(element, end.taken)
        found = exists(element, end.taken)
        returned = replace(path.under(found), returned=end.returned)
        return [returned, path.under(z3.Not(found))]

    def round(self, statement: ast.For, path: Path) -> tuple[Drawn, list[Path]]:
        """Return an arbitrary element of what a loop is over, and the paths of its round."""
        element = membership.drawn(self.read(statement.iter, path.frame))
        inside = self.bind(statement.target, element.value, path.frame.under(element.guard))
        begin = replace(path, frame=inside, taken=TRUE, yielded=())
        with self.one_of_many():
            return element, self.block(statement.body, [begin])

    def yielding(self, statement: ast.For, first: tuple[Drawn, list[Path]], path: Path) -> Path:
        """Return the path after a loop that yields, in some rounds, some things."""
        if not all(end.open for end in first[1]):
            raise unsupported(statement, path.frame, "a loop that yields and returns: ")
        rounds = [first]

        def draw() -> Drawn:
            again = self.again(lambda: self.round(statement, path))
            element, ends = rounds.pop() if rounds else again()
            parts = [
                (z3.And(end.taken, when), items) for end in ends for when, items in end.yielded
            ]
            item = membership.drawn_from_any(parts)
            guard = z3.And(element.guard, item.guard)
            return Drawn((*element.binders, *item.binders), guard, item.value)

        return replace(path, yielded=(*path.yielded, (path.taken, Bag(draw))))


def progress(collection: typing.Any) -> Progress:
    """Return any round of a loop: a sequence goes by its places, a set in no order, each once."""
    element = membership.drawn(collection)
    if isinstance(collection, Seq):
        (place,) = element.binders
        nothing, done, more = (Seq(n, collection.at) for n in (z3.IntVal(0), place, place + 1))
        return Progress(nothing, done, element, more)
    kind = membership.member_kind(collection)
    some = fresh_set(kind, "done")
    among = membership.drawn(some)
    supposed = forall(among, membership.contains(collection, among.value))
    new = z3.Not(membership.contains(some, element.value))
    one_more = membership.union(some, Items((element.value,)))
    return Progress(empty_set(kind), some, element, one_more, supposed, new)


def changes_more(end: Path, before: Path) -> bool:
    """Return whether an open path changed a variable that was there before the round."""
    env = end.frame.env
    known = before.frame.env.items()
    return end.open and any(env.get(name) is not value for name, value in known)


def alternatives(collection: typing.Any) -> list[tuple[z3.BoolRef, list[typing.Any]]] | None:
    """Return the elements in each case where in each case they are known, or nothing."""
    found = [(guard, one_by_one(items)) for guard, items in guarded(collection)]
    known = [(guard, items) for guard, items in found if items is not None]
    return known if len(known) == len(found) else None


def one_by_one(collection: typing.Any) -> list[typing.Any] | None:
    """Return the elements of a tuple whose length is known, or nothing."""
    if isinstance(collection, Ref) and isinstance(collection.target, tuple):
        return [Ref(item) for item in collection.target]
    return list(collection.values) if isinstance(collection, Items) else None


def changed_names(loop: ast.AST) -> set[str]:
    """Return the variables that a loop assigns or changes in place."""
    names = assigned(loop)
    for call in mutations(loop):
        owner = typing.cast(ast.Attribute, call.func).value
        names |= {owner.id} if isinstance(owner, ast.Name) else set()
    return names


def assigned(loop: ast.AST) -> set[str]:
    """Return the names that a loop assigns."""
    stored = (node for node in ast.walk(loop) if isinstance(node, ast.Name))
    return {node.id for node in stored if isinstance(node.ctx, ast.Store)}


def mutations(loop: ast.AST) -> list[ast.Call]:
    """Return the calls in a loop that change a variable in place."""
    return [
        node
        for node in ast.walk(loop)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in MUTATORS
    ]


def accumulates(statement: ast.For) -> tuple[str, ast.expr] | None:
    """Return the variable and the part of a loop whose body is `s = s | part`."""
    match statement.body:
        case [
            ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.BinOp(left=ast.Name(id=left), op=ast.BitOr(), right=part),
            )
        ] if name == left:
            return name, part
        case _:
            return None


def havoc(path: Path, names: set[str]) -> Path:
    """Return the path with the variables that the loop changes replaced by arbitrary ones."""
    frame = path.frame
    for name, value in path.frame.env.items():
        if name in names:
            frame = frame.binding(name, arbitrary(value, name))
    return replace(path, frame=frame)


def arbitrary(value: typing.Any, name: str) -> typing.Any:
    """Return any value of the same type."""
    if isinstance(value, Term):
        return Term(fresh(value.kind, name), value.kind)
    if isinstance(value, Dict) and value.item_kind is not None:
        place = z3.FreshConst(z3.BoolSort(), name)
        return mapping_at(str(place), (), (value.key_kind, value.item_kind))
    if isinstance(value, Bag | Dict):
        return fresh_set(membership.member_kind(value), name)
    message = f"a loop that changes `{name}`"
    raise Unsupported(message)


@cache
def loop_positions(function: ast.FunctionDef) -> dict[int, int]:
    """Return the position of each loop of the function in reading order, by line."""
    lines = [node.lineno for node in ast.walk(function) if isinstance(node, ast.While | ast.For)]
    return {line: position for position, line in enumerate(sorted(lines))}


def empty_set(kind: object) -> Bag:
    """Return the empty set."""
    return set_of(kind, lambda _term: FALSE)
