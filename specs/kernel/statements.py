"""Reads statements: each splits or ends the paths through a function."""

import ast
import typing
from dataclasses import dataclass, replace
from functools import cache

import z3

from specs.kernel import expressions as of
from specs.kernel import membership
from specs.kernel.calls import Calls
from specs.kernel.expressions import Frame, Ref
from specs.kernel.reader import unsupported
from specs.kernel.values import (
    FALSE,
    NOTHING,
    TRUE,
    Cases,
    Items,
    Term,
    both,
    cases,
    exists,
    set_of,
    where_there,
)


@dataclass(frozen=True)
class Path:
    """A path through a function: its frame, what it yielded, and how it ended if it has.

    Of an excluded one it is owed already that nothing takes it.
    """

    frame: Frame
    taken: z3.BoolRef = TRUE
    returned: typing.Any = None
    raised: bool = False
    excluded: bool = False
    yielded: tuple[tuple[z3.BoolRef, typing.Any], ...] = ()

    def under(self, condition: z3.BoolRef) -> "Path":
        """Return the path where the condition holds too."""
        return replace(self, frame=self.frame.under(condition), taken=both(self.taken, condition))

    @property
    def open(self) -> bool:
        """Whether the path is still in the function."""
        return self.returned is None and not self.raised


class Statements(Calls):
    """Statements on paths to paths."""

    def block(self, body: list[ast.stmt], paths: list[Path]) -> list[Path]:
        """Return the paths after the statements; those that ended stay as they are."""
        for statement in body:
            following: list[Path] = []
            for path in paths:
                following.extend(self.step(statement, path) if path.open else [path])
            paths = following
        return paths

    def step(self, statement: ast.stmt, path: Path) -> list[Path]:
        """Return the paths after one statement."""
        method = getattr(self, f"step_{type(statement).__name__}", None)
        if method is None:
            raise unsupported(statement, path.frame)
        return typing.cast(list[Path], method(statement, path))

    def step_Expr(self, statement: ast.Expr, path: Path) -> list[Path]:
        """A docstring, a `yield`, a case that cannot be, or a set that grows."""
        match statement.value:
            case ast.Constant():
                return [path]
            case ast.Yield(value=ast.expr() as value):
                item = Items((self.read(value, path.frame),))
                return [replace(path, yielded=(*path.yielded, (path.taken, item)))]
            case ast.YieldFrom(value=value):
                items = self.read(value, path.frame)
                return [replace(path, yielded=(*path.yielded, (path.taken, items)))]
            case ast.Call(func=ast.Name(id="assert_never")):
                self.owe("a case that cannot be", path.frame, FALSE)
                return [replace(path, raised=True, excluded=True)]
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="add"), args=[value]):
                item = Items((self.read(value, path.frame),))
                grown = membership.union(self.own(name, path, statement), item)
                return [replace(path, frame=path.frame.binding(name, grown))]
            case _:
                raise unsupported(statement, path.frame)

    def step_Pass(self, _statement: ast.Pass, path: Path) -> list[Path]:
        """Nothing."""
        return [path]

    def step_Return(self, statement: ast.Return, path: Path) -> list[Path]:
        """The end of the path, with its value."""
        value = NOTHING if statement.value is None else self.read(statement.value, path.frame)
        return [replace(path, returned=value)]

    def step_Raise(self, _statement: ast.Raise, path: Path) -> list[Path]:
        """The end of the path, without a value."""
        return [replace(path, raised=True)]

    def step_Assign(self, statement: ast.Assign, path: Path) -> list[Path]:
        """A variable bound; `x = s.pop()` changes the set too."""
        popped = popped_from(statement)
        if popped is not None:
            return [self.pop(statement, popped, path)]
        if len(statement.targets) != 1:
            raise unsupported(statement, path.frame)
        value = self.read(statement.value, path.frame)
        return [replace(path, frame=self.bind(statement.targets[0], value, path.frame))]

    def step_AnnAssign(self, statement: ast.AnnAssign, path: Path) -> list[Path]:
        """A variable bound; its annotation says nothing here."""
        if statement.value is None:
            return [path]
        value = self.read(statement.value, path.frame)
        return [replace(path, frame=self.bind(statement.target, value, path.frame))]

    def pop(self, statement: ast.Assign, name: str, path: Path) -> Path:
        """Return the path after `x = s.pop()`: some member, and the set without it."""
        before = self.own(name, path, statement)
        element = membership.drawn(before)
        self.owe(f"pop from `{name}`, not from nothing", path.frame, exists(element, TRUE))
        frame = self.bind(statement.targets[0], element.value, path.frame)
        rest = without(before, typing.cast(Term, element.value).expr)
        return replace(path, frame=frame.binding(name, rest)).under(element.guard)

    def own(self, name: str, path: Path, statement: ast.stmt) -> typing.Any:
        """Return the set of a variable that is changed in place: no other name may have it."""
        function = self.source.function(path.frame.module, path.frame.function)
        if not is_own(function, name):
            raise unsupported(statement, path.frame, "a set that others may have: ")
        return path.frame.env[name]

    def step_If(self, statement: ast.If, path: Path) -> list[Path]:
        """Two paths, each read under its condition."""
        test = self.condition(statement.test, path.frame)
        if z3.is_true(test) or z3.is_false(test):
            return self.block(statement.body if z3.is_true(test) else statement.orelse, [path])
        yes, no = path.under(test), path.under(z3.Not(test))
        yes = replace(yes, frame=self.refined(statement.test, yes.frame, holds=True))
        no = replace(no, frame=self.refined(statement.test, no.frame, holds=False))
        return [*self.block(statement.body, [yes]), *self.block(statement.orelse, [no])]

    def step_Match(self, statement: ast.Match, path: Path) -> list[Path]:
        """A path a case, each read where no earlier one matched."""
        subject = self.read(statement.subject, path.frame)
        ended: list[Path] = []
        for case in statement.cases:
            matched, frame = self.pattern(case.pattern, subject, path.frame)
            if case.guard is not None and not z3.is_false(matched):
                guard = self.condition(case.guard, frame.under(matched))
                matched = z3.And(matched, guard)
            if z3.is_false(matched):
                continue
            taken = replace(path, frame=frame).under(matched)
            ended.extend(self.block(case.body, [taken]))
            if z3.is_true(matched):
                return ended
            path = path.under(z3.Not(matched))
        return [*ended, path]

    def pattern(
        self, pattern: ast.pattern, subject: typing.Any, frame: Frame
    ) -> tuple[z3.BoolRef, Frame]:
        """Return when the pattern matches, and the frame with what it binds."""
        match pattern:
            case ast.MatchAs(pattern=None, name=None):
                return TRUE, frame
            case ast.MatchOr(patterns=patterns):
                return self.alternatives(patterns, subject, frame)
            case ast.MatchSingleton(value=None):
                return membership.same(subject, NOTHING), frame
            case ast.MatchValue(value=value):
                return membership.same(subject, self.read(value, frame)), frame
            case ast.MatchClass(kwd_patterns=[]):
                return self.class_pattern(pattern, subject, frame)
            case _:
                raise unsupported(pattern, frame, "pattern ")

    def alternatives(
        self, patterns: list[ast.pattern], subject: typing.Any, frame: Frame
    ) -> tuple[z3.BoolRef, Frame]:
        """Return when one of the patterns matches, which bind the same names."""
        found = [self.pattern(inner, subject, frame) for inner in patterns]
        possible = [(matched, then) for matched, then in found if not z3.is_false(matched)]
        if len(possible) == 0:
            return FALSE, frame
        if len(possible) == 1:
            return possible[0]
        bound = {name for _, then in possible for name in then.env.keys() - frame.env.keys()}
        for name in bound:
            values = ((matched, then.env[name]) for matched, then in possible)
            frame = frame.binding(name, cases(*values))
        return z3.Or([matched for matched, _ in possible]), frame

    def class_pattern(
        self, pattern: ast.MatchClass, subject: typing.Any, frame: Frame
    ) -> tuple[z3.BoolRef, Frame]:
        """Return when the subject is of the class, and the frame with the fields it binds."""
        target = typing.cast(type, typing.cast(Ref, self.read(pattern.cls, frame)).target)
        matched = of.isinstance_of(self.facts, subject, of.classes_of(target))
        if z3.is_false(matched):
            return matched, frame
        narrowed = narrow(subject, target)
        names = getattr(target, "__match_args__", ())
        for name, inner in zip(names, pattern.patterns, strict=False):
            if not isinstance(inner, ast.MatchAs) or inner.pattern is not None:
                raise unsupported(pattern, frame, "pattern ")
            if inner.name is not None:
                value = self.field(narrowed, name, frame.under(matched))
                frame = frame.binding(inner.name, value)
        return matched, frame


def narrow(subject: typing.Any, target: type) -> typing.Any:
    """Return the subject as an instance of the class it has been matched with."""
    if isinstance(subject, Term):
        members = [
            member
            for member in typing.get_args(subject.kind) or (subject.kind,)
            if (typing.get_origin(member) or member) is target
        ]
        return Term(subject.expr, members[0] if members else target)
    if isinstance(subject, Cases):
        return cases(*((guard, narrow(item, target)) for guard, item in where_there(subject)))
    return subject


def popped_from(statement: ast.Assign) -> str | None:
    """Return the variable of `x = variable.pop()`."""
    match statement.value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="pop"), args=[]):
            return name
        case _:
            return None


@cache
def is_own(function: ast.FunctionDef, name: str) -> bool:
    """Return whether every set that a variable has is made for it and given no other name."""
    bound, made = 0, 0
    for node in ast.walk(function):
        match node:
            case ast.Name(id=found, ctx=ast.Store()) | ast.arg(arg=found) | ast.MatchAs(name=found):
                bound += found == name
            case ast.Assign(value=ast.Name(id=found)) | ast.AnnAssign(value=ast.Name(id=found)):
                bound += found == name
            case (
                ast.Assign(targets=[ast.Name(id=found)], value=value)
                | ast.AnnAssign(target=ast.Name(id=found), value=value)
            ):
                made += found == name and makes_set(value)
            case _:
                continue
    return bound == made > 0


def makes_set(value: ast.expr | None) -> bool:
    """Return whether an expression makes a set that was not there before."""
    match value:
        case ast.Set() | ast.SetComp() | ast.BinOp():
            return True
        case ast.Call(func=ast.Name(id="set") | ast.Subscript(value=ast.Name(id="set"))):
            return True
        case _:
            return False


def without(collection: typing.Any, item: z3.ExprRef) -> typing.Any:
    """Return the set without one member."""
    kind = membership.member_kind(collection)
    return set_of(
        kind,
        lambda term: z3.And(membership.contains(collection, Term(term, kind)), term != item),
    )
