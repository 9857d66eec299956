"""What is the same of two functions: read from both texts, for all arguments at once.

Both are run on the same arguments and must end alike; or, where a loop stands in the way, both
must do what the definition says, which says all. A callee that is the same stands as its
definition, one that is not is read with its caller.
"""

import ast
import collections.abc
import time
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, is_dataclass, replace
from types import FunctionType
from typing import Final

import z3

from specs.against.decoding import Undecodable, decoded
from specs.definitions.registry import REGISTRY, Defined
from specs.definitions.symbols import SYMBOLS
from specs.definitions.world import world
from specs.kernel.interpreter import Contract, Interpreter, yields
from specs.kernel.loops import mutations
from specs.kernel.membership import same
from specs.kernel.proof import Theorem, decided, possible
from specs.kernel.shapes import argument, forget_typing, read_field, typing_axioms
from specs.kernel.sorts import Object, Unsupported, fields_of, tag_is
from specs.kernel.source import Source
from specs.kernel.statements import Path
from specs.kernel.vacuity import enough, small, terms
from specs.kernel.values import (
    NOTHING,
    Clause,
    Facts,
    Symbolic,
    Term,
    before,
    guarded,
)
from specs.obligations import INVARIANTS, interpreter, parameters, theorem
from specs.run import UNREADABLE, verdict

SEARCHES: Final[tuple[dict[str, bool | int], ...]] = ({}, {"smt.mbqi.max_cexs": 20})
SEARCH_LIMIT: Final = 5_000_000
WORK_LIMIT: Final = 10_000_000
WITNESS_SECONDS_MAX: Final = 10
ONE_SEED: Final = (0,)
ORDERED: Final = (
    tuple,
    list,
    collections.abc.Iterable,
    collections.abc.Iterator,
    collections.abc.Sequence,
)


@dataclass(frozen=True)
class Question:
    """Two readings of one function, on the same arguments, and what must hold of their ends."""

    theorem: Theorem
    arguments: dict[str, Symbolic]
    literals: dict[str, z3.ExprRef]


@dataclass(frozen=True)
class Reader:
    """How the functions are read: the two sources, and what stands for which callee.

    `used` gathers the definitions that stood for a callee. `gone` are classes that only one
    revision has, and `fields` the new fields with their defaults: compared is what both can say.
    """

    old: Source
    new: Source
    equal: Callable[[str], bool]
    exact: Callable[[str], bool]
    gone: tuple[type, ...] = ()
    fields: tuple[tuple[type, str, Symbolic], ...] = ()
    used: set[str] = field(default_factory=set)

    def contracts(self, besides: str) -> dict[str, Contract]:
        """Return what stands for the callees that are the same in both revisions."""
        known = interpreter(self.new).contracts
        return {
            name: self._noted(name, stands)
            for name, stands in known.items()
            if name != besides
            and (self.equal(name) if name in REGISTRY else self.exact(name) and name in SYMBOLS)
        }

    def _noted(self, name: str, stands: Contract) -> Contract:
        def noting(*arguments: typing.Any) -> typing.Any:
            if name in REGISTRY:
                self.used.add(name)
            return stands(*arguments)

        return noting

    def world(self) -> Iterator[Clause]:
        """Yield that there is nothing that only one of the revisions knows."""
        one = z3.Const("anything", Object)
        for cls in self.gone:
            yield (f"no {cls.__name__}", z3.ForAll([one], z3.Not(tag_is(one, cls))))
        for cls, name, default in self.fields:
            as_it_is = same(read_field(Facts(), Term(one, cls), name), default)
            told = z3.ForAll([one], z3.Implies(tag_is(one, cls), as_it_is))
            yield (f"{cls.__name__}.{name} is as it is by default", told)


def question(function: FunctionType, reader: Reader, *, legal: bool) -> Question:
    """Return what is to be shown of a function in two sources. Raises what reading raises."""
    forget_typing()
    name = f"{function.__module__}.{function.__qualname__}"
    entry = REGISTRY.get(name)
    facts = Facts()
    arguments = {key: argument(key, kind) for key, kind in parameters(function).items()}
    given = list(arguments.values())
    contracts = reader.contracts(name)
    ends = [
        ends_of(Interpreter(source, facts, contracts, INVARIANTS), function, given)
        for source in (reader.old, reader.new)
    ]
    if signature(reader.old, function) != signature(reader.new, function):
        message = f"{name} takes other parameters"
        raise Unsupported(message)
    goals = [goal for old in ends[0] for new in ends[1] for goal in alike(old, new)]
    supposed = [] if entry is None or entry.requires is None else entry.requires(*given)
    if legal:
        supposed = [*supposed, *legality(given)]
    hypotheses = (*world(given), *supposed, *reader.world(), *facts.axioms(), *typing_axioms())
    told = Theorem(name, name, hypotheses, (*goals, *facts.owed), tuple(facts.names.values()))
    return Question(told, arguments, facts.names)


def signature(source: Source, function: FunctionType) -> list[str]:
    """Return the parameters of a function as a source has them."""
    args = source.function(function.__module__, function.__qualname__).args
    return [one.arg for one in (*args.posonlyargs, *args.args, *args.kwonlyargs)]


def ends_of(
    running: Interpreter, function: FunctionType, arguments: list[Symbolic]
) -> list[tuple[z3.BoolRef, bool, Symbolic]]:
    """Return how a function can end: when, whether it raises, and with which value."""
    node = running.source.function(function.__module__, function.__qualname__)
    if yields(node):
        return [(z3.BoolVal(True), False, running.run(function, arguments, z3.BoolVal(True)))]
    return [
        (path.frame.when, path.raised, _value(path))
        for path in running.paths(function, arguments)
        if not path.excluded
    ]


def _value(path: Path) -> Symbolic:
    return NOTHING if path.returned is None else path.returned


def alike(
    old: tuple[z3.BoolRef, bool, Symbolic], new: tuple[z3.BoolRef, bool, Symbolic]
) -> Iterator[Clause]:
    """Yield that two ways to end are not taken together, unless they end alike."""
    together = z3.And(old[0], new[0])
    if old[1] != new[1]:
        yield ("one raises and the other does not", z3.Not(together))
    elif not old[1]:
        yield ("both give the same", z3.Implies(together, same(old[2], new[2])))


def legality(arguments: list[Symbolic]) -> Iterator[Clause]:
    """Yield that the arguments are values that can be made: their constructors do not refuse."""
    for value in (*arguments, *_contexts(arguments)):
        for guard, one in guarded(value):
            if not isinstance(one, Term) or not isinstance(one.kind, type):
                continue
            entry = REGISTRY.get(f"{one.kind.__module__}.{one.kind.__qualname__}.__post_init__")
            if entry is not None and entry.refusing:
                told = z3.Implies(guard, z3.Not(entry.meaning(one)))
                yield (f"a legal {one.kind.__name__}", told)


def _contexts(arguments: list[Symbolic]) -> Iterator[Symbolic]:
    for value in arguments:
        if isinstance(value, Term) and getattr(value.kind, "__name__", "") == "Situation":
            yield read_field(Facts(), value, "context")


def loops(reader: Reader, function: FunctionType) -> bool:
    """Return whether either text has a loop that goes by an invariant."""
    name = f"{function.__module__}.{function.__qualname__}"
    nodes = [
        node
        for source in (reader.old, reader.new)
        for node in ast.walk(source.function(function.__module__, function.__qualname__))
    ]
    if any(isinstance(node, ast.While) for node in nodes):
        return True
    changing = any(isinstance(node, ast.For) and mutations(node) for node in nodes)
    return changing or any(key == name for key, _ in INVARIANTS)


def directly(function: FunctionType, reader: Reader) -> tuple[bool, str, Question | None]:
    """Return whether the readings end alike, why not, and the question where the solver objects."""
    if loops(reader, function):
        return False, "it has a loop that goes by an invariant", None
    told, asked = "", None
    for legal in (False, True):
        try:
            asked = question(function, reader, legal=legal)
            answer = decided(asked.theorem, ONE_SEED[0], WORK_LIMIT)
        except (*UNREADABLE, RecursionError) as problem:
            return False, told or f"not translated: {problem}", None
        if answer.verdict == "proved":
            return speaks(reader, asked.theorem), "no world found that it speaks of", None
        told = f"{answer.verdict}: {answer.detail.partition(':')[0]}"
    return False, told, asked


def by_definition(entry: Defined, reader: Reader) -> tuple[bool, str]:
    """Return whether the old text does what the definition says, and why not."""

    def reading(source: Source) -> Interpreter:
        return Interpreter(source, Facts(), reader.contracts(""), INVARIANTS)

    try:
        stated = theorem(entry, reader.old, reading)
        stated = replace(stated, hypotheses=(*reader.world(), *stated.hypotheses))
        answer = decided(stated, ONE_SEED[0], WORK_LIMIT)
    except (*UNREADABLE, RecursionError) as problem:
        return False, f"not translated: {problem}"
    proved = answer.verdict == "proved" and speaks(reader, stated)
    return proved, f"{answer.verdict}: {answer.detail.partition(':')[0]}"


def speaks(reader: Reader, stated: Theorem) -> bool:
    """Return whether there is a world without what only one revision knows.

    Without such a restriction the hypotheses are those of the theorems of `specs`, which looks.
    """
    return not (reader.gone or reader.fields) or possible(stated, reader.gone)


def witnesses(asked: Question) -> Iterator[dict[str, typing.Any]]:
    """Yield arguments on which the solver says that the readings end apart, as values of the core.

    Looked for among all, then in a small world; none need be found.
    """
    until = time.monotonic() + WITNESS_SECONDS_MAX
    for clause in asked.theorem.goals:
        if time.monotonic() > until:
            return
        known = before(asked.theorem.hypotheses, clause)
        told = [*(fact for _, fact in known), z3.Not(clause[1])]
        spoken = list(terms(told))
        names = enough(asked.theorem.names)
        for some in (told, [*small(names, spoken, ()), *told]):
            for options in SEARCHES:
                model = modelled(some, options)
                if model is not None:
                    try:
                        yield decoded(model, asked.literals, asked.arguments)
                    except Undecodable:
                        continue
                    break


def modelled(facts: list[z3.BoolRef], options: dict[str, bool | int]) -> z3.ModelRef | None:
    """Return a model of the facts, if a short search finds one."""
    solver = z3.Solver()
    for option, value in {"rlimit": SEARCH_LIMIT, **options}.items():
        solver.set(option, value)
    solver.add(facts)
    return solver.model() if solver.check() == z3.sat else None


def unordered(value: object, seen: tuple[object, ...] = ()) -> bool:
    """Return whether values of the type are the same when they have the same members.

    Of a tuple, a list or whatever else has an order the translation does not read the order.
    """
    if value in seen or typing.get_origin(value) is typing.Literal:
        return True
    origin = typing.get_origin(value) or value
    if origin in ORDERED:
        return False
    inner = list(typing.get_args(value))
    if isinstance(origin, type) and is_dataclass(origin):
        inner += fields_of(value).values()
    return all(unordered(one, (*seen, value)) for one in inner)


def holds_now(name: str) -> bool:
    """Return whether the new source does what the definition says."""
    return verdict(name, None, ONE_SEED).verdict == "proved"
