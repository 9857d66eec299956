"""What a command can write and what an invariant reads, both computed from the production source.

What is written comes from running `delta`, and then what keeps each class of facts, symbolically.
What is read comes from the syntax: an organization may only be looked into or handed on; one that
is used in any other way is read whole.
"""

import ast
import dataclasses
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from types import FunctionType
from typing import Final

import z3

from grantproof.core import commands, organization
from grantproof.core import model as m
from grantproof.core.commands.delta import delta
from grantproof.core.organization import Organization
from specs.definitions.commands import PROPOSAL, proposed
from specs.kernel.membership import drawn
from specs.kernel.shapes import argument
from specs.kernel.sorts import Unsupported, union_members
from specs.kernel.source import Source
from specs.kernel.values import Cases, Dict, Items, Made, Symbolic, Term, guarded
from specs.kernel.view import View
from specs.obligations import interpreter, parameters

FIELDS: Final = tuple(one.name for one in dataclasses.fields(Organization))
FACTS: Final[tuple[type, ...]] = typing.get_args(m.Fact)
WHOLE: Final = frozenset(FIELDS)
READ_HERE: Final = (
    "grantproof.core.commands.delta._deletes",
    "grantproof.core.commands.references.dependents",
)
"""The functions whose own source is run, though a definition could stand for them."""
NAMED: Final = "Organization"
"""How a parameter that takes an organization is annotated."""


@dataclass(frozen=True)
class Footprint:
    """The facts that a command may remove and add, and the fields that these write."""

    removed: frozenset[type]
    added: frozenset[type]
    shrunk: frozenset[str]
    grown: frozenset[str]

    @property
    def written(self) -> frozenset[str]:
        """The fields that the command may change."""
        return self.shrunk | self.grown


@dataclass
class Footprints:
    """What the source says that commands write and invariants read."""

    source: Source = field(default_factory=Source)
    _kept: dict[tuple[str, type], frozenset[str]] = field(default_factory=dict)
    _written: dict[type, Footprint] = field(default_factory=dict)

    def of(self, command: type) -> Footprint:
        """Return what any command of the class may do, once nothing refuses it."""
        if command not in self._written:
            self._written[command] = self._of(command)
        return self._written[command]

    def _of(self, command: type) -> Footprint:
        running = interpreter(self.source)
        for name in READ_HERE:
            del running.contracts[name]
        given = [argument("state", Organization), argument("command", command)]
        change = running.run(typing.cast(FunctionType, delta), given, z3.BoolVal(True))
        removed, added = set[type](), set[type]()
        for _, one in guarded(change):
            removed |= classes_in(View(one).removed.value)
            added |= classes_in(View(one).added.value)
        shrunk = [self.keeping("without_fact", fact) for fact in removed]
        grown = [self.keeping("with_fact", fact) for fact in added]
        fields = (frozenset[str]().union(*some) for some in (shrunk, grown))
        return Footprint(frozenset(removed), frozenset(added), *fields)

    def keeping(self, function: str, fact: type) -> frozenset[str]:
        """Return the fields that adding or removing a fact of the class may change."""
        if (function, fact) not in self._kept:
            state, given = argument("state", Organization), argument("fact", fact)
            production = typing.cast(FunctionType, vars(organization)[function])
            left = interpreter(self.source).run(production, [state, given], z3.BoolVal(True))
            found = (changed(state, one) for _, one in guarded(left))
            self._kept[function, fact] = frozenset[str]().union(*found)
        return self._kept[function, fact]

    @cached_property
    def always(self) -> frozenset[str]:
        """The fields that `apply` itself may change, besides what the command does."""
        production = typing.cast(FunctionType, commands.apply)
        given = [argument(name, kind) for name, kind in parameters(production).items()]
        outcome = typing.cast(Term, proposed(given[0], given[1]))
        before = View(Term(outcome.expr, PROPOSAL)).after.value
        found = frozenset[str]()
        for path in interpreter(self.source).paths(production, given):
            for _, one in guarded(typing.cast(Symbolic, path.returned)):
                if isinstance(one, Made) and one.kind is commands.Accepted:
                    found |= changed(before, one.fields["state"])
        return found

    def read_by(self, function: FunctionType) -> frozenset[str]:
        """Return the fields of an organization that the function, or what it calls, reads."""
        met = set[str]()
        waiting = [(function.__module__, function.__qualname__)]
        found = set[str]()
        while waiting:
            module, qualified = waiting.pop()
            if f"{module}.{qualified}" not in met:
                met.add(f"{module}.{qualified}")
                for one in self._uses(module, qualified):
                    if isinstance(one, str):
                        found.add(one)
                    else:
                        waiting.append((one.__module__, one.__qualname__))
        return frozenset(found)

    def _uses(self, module: str, qualified: str) -> Iterator[str | FunctionType]:
        """Yield the fields read of the function's organizations, and whom they are handed to."""
        node = self.source.function(module, qualified)
        names = organizations(node, qualified)
        if not names:
            message = f"no parameter of {module}.{qualified} is annotated as an {NAMED}"
            raise Unsupported(message)
        above = {child: one for one in ast.walk(node) for child in ast.iter_child_nodes(one)}
        for one in ast.walk(node):
            if isinstance(one, ast.Name) and one.id in names and isinstance(one.ctx, ast.Load):
                yield from self._use(module, one, above[one])

    def _use(self, module: str, name: ast.Name, user: ast.AST) -> Iterator[str | FunctionType]:
        match user:
            case ast.Attribute(attr=attribute) if attribute in FIELDS:
                yield attribute
            case ast.Attribute(attr=attribute) if isinstance(
                method := vars(Organization).get(attribute), FunctionType
            ):
                yield method
            case ast.Call(func=ast.Name(id=called), args=args) if name in args:
                function = vars(self.source.module(module)).get(called)
                if isinstance(function, FunctionType) and self._takes(function, args.index(name)):
                    yield function
                else:
                    yield from FIELDS
            case _:
                yield from FIELDS

    def _takes(self, function: FunctionType, place: int) -> bool:
        """Whether the argument at the place is an organization that is looked into as one."""
        if not function.__module__.startswith("grantproof."):
            return False
        node = self.source.function(function.__module__, function.__qualname__)
        given = [*node.args.posonlyargs, *node.args.args]
        named = organizations(node, function.__qualname__)
        return place < len(given) and given[place].arg in named


def organizations(node: ast.FunctionDef, qualified: str) -> set[str]:
    """Return the parameters that take an organization."""
    declared = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    own = {"self"} if qualified.startswith(f"{NAMED}.") else set[str]()
    return own | {
        one.arg
        for one in declared
        if one.annotation is not None and ast.unparse(one.annotation).strip("'\"") == NAMED
    }


def classes_in(facts: Symbolic) -> set[type]:
    """Return the classes of the facts that may be among some."""
    if isinstance(facts, Items):
        return set[type]().union(*map(classes_of, facts.values))
    if isinstance(facts, Cases):
        return set[type]().union(*(classes_in(some) for _, some in facts.items))
    return classes_of(drawn(facts).value)


def classes_of(fact: Symbolic) -> set[type]:
    """Return the classes that a fact may be of; the source fails where one is no fact."""
    found = set[object]()
    for _, one in guarded(fact):
        found |= set(union_members(one.kind)) if isinstance(one, Made | Term) else {type(one)}
    if not found <= set(FACTS):
        message = f"no facts: {found - set(FACTS)}"
        raise Unsupported(message)
    return typing.cast(set[type], found)


def changed(before: Symbolic, after: Symbolic) -> frozenset[str]:
    """Return the fields of an organization that are not, as they stand, what they were."""
    return frozenset(
        name
        for name in FIELDS
        if not stays(View(before).field(name).value, View(after).field(name).value)
    )


def stays(before: Symbolic, after: Symbolic) -> bool:
    """Return whether a value is plainly the one that was there."""
    match before, after:
        case Term(expr=one), Term(expr=other):
            return bool(z3.eq(one, other))
        case Dict(found_at=one), Dict(found_at=other):
            return one == other != ""
        case Made(fields=one), Made(fields=other):
            return one.keys() == other.keys() and all(
                stays(value, other[name]) for name, value in one.items()
            )
        case _:
            return False
