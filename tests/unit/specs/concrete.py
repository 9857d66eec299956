"""Runs a translation on concrete values: in a world that has what an example names, and no more.

Every name, object and set of strings of the example is a value of its own, and there is one more of
each that the example knows nothing of. What the example says of them is put into the formulas of
the translation, whose quantifiers are written out over what there is. Mostly a constant remains; Z3
decides what does not, which has no quantifiers.
"""

import ast
import dataclasses
import enum
import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from types import FunctionType
from typing import Any, Final, Literal, cast

import z3

from grantproof.core.geodesy import Position
from grantproof.core.geodesy import distance as measured
from specs.definitions.constraints import distance
from specs.kernel.interpreter import Interpreter
from specs.kernel.loops import Invariant
from specs.kernel.membership import CARD, class_of, drawn
from specs.kernel.shapes import STRUCTURES, argument, forget_typing, read_field
from specs.kernel.sorts import (
    IN_STRINGS,
    FrozenStrings,
    Name,
    Object,
    Value,
    enum_sort,
    fields_of,
    sort_of,
    tag_is,
)
from specs.kernel.source import Source
from specs.kernel.vacuity import terms
from specs.kernel.values import (
    FALSE,
    TRUE,
    Bag,
    Cases,
    Dict,
    Facts,
    Items,
    Made,
    Nothing,
    Seq,
    Symbolic,
    Term,
    exists,
    forall,
    wrap,
)
from specs.obligations import parameters

Verdict = Literal["agrees", "differs", "undetermined", "owes", "impossible"]
"""`differs` and `undetermined` speak about the result. `owes`: an obligation is not met, as where
running it raises. `impossible`: the translation does not allow the arguments at all."""

MISUSE: Final = (AttributeError, IndexError, KeyError, StopIteration, TypeError, ValueError)
"""What running raises where an obligation is not met."""
STANDING: Final = {"grantproof.core.geodesy.distance": lambda _running, _when, *at: distance(*at)}
"""What stands as a symbol here too: the world knows what running it gives."""
PLAIN: Final = (bool, int, str, frozenset)
THINGS_MAX: Final = 64
TIME_LIMIT_MS: Final = 20_000
QUANTIFIERS: Final = z3.Probe("has-quantifiers")
Pair = tuple[z3.ExprRef, z3.ExprRef]


@cache
def things(sort: z3.SortRef) -> list[z3.ExprRef]:
    """Values of a sort of which nothing is known but that they differ, as Z3's models have them."""
    constants = [z3.FreshConst(sort) for _ in range(THINGS_MAX)]
    solver = z3.Solver()
    solver.add(z3.Distinct(*constants))
    if solver.check() != z3.sat:
        raise TimeoutError
    return [solver.model().eval(constant) for constant in constants]


class World:
    """What there is in an example: collected from its values first, then fixed."""

    def __init__(self, values: Iterable[Any]) -> None:
        self.names: dict[str, z3.ExprRef] = {}
        self.objects: dict[Any, z3.ExprRef] = {}
        self.strings: dict[frozenset[str], z3.ExprRef] = {}
        self.numbers: set[int] = set(range(-1, 9))
        for value in values:
            self.collect(value)

    def collect(self, value: Any) -> None:
        """Let there be what the value consists of."""
        if value is None or isinstance(value, bool | enum.Enum):
            return
        if isinstance(value, int):
            self.numbers |= {value - 1, value, value + 1}
        elif isinstance(value, str):
            self.names.setdefault(str(value), things(Name)[len(self.names)])
        elif dataclasses.is_dataclass(value):
            if not isinstance(value, STRUCTURES):
                self.objects.setdefault(value, things(Object)[len(self.objects)])
            for field in fields_of(class_of_value(value)):
                self.collect(getattr(value, field))
        else:
            self.collect_members(value)

    def collect_members(self, value: Any) -> None:
        """Let there be what a collection has; a set of strings may be an attribute's value."""
        members = [*value.keys(), *value.values()] if isinstance(value, Mapping) else list(value)
        self.numbers |= set(range(-1, len(members) + 1))
        for member in members:
            self.collect(member)
        if isinstance(value, frozenset) and all(isinstance(one, str) for one in members):
            self.strings.setdefault(value, things(FrozenStrings)[len(self.strings)])

    @cached_property
    def universe(self) -> dict[z3.SortRef, list[z3.ExprRef]]:
        """Everything of each sort, and one more; of the numbers those that make a difference."""
        plain = {
            Name: things(Name)[: len(self.names) + 1],
            Object: things(Object)[: len(self.objects) + 1],
            FrozenStrings: things(FrozenStrings)[: len(self.strings) + 1],
            z3.BoolSort(): [TRUE, FALSE],
            z3.IntSort(): [z3.IntVal(number) for number in sorted(self.numbers)],
        }
        wrapped = {
            Value.a_bool: z3.BoolSort(),
            Value.an_int: z3.IntSort(),
            Value.a_str: Name,
            Value.a_frozenset: FrozenStrings,
        }
        values = [make(one) for make, sort in wrapped.items() for one in plain[sort]]
        return {**plain, Value: values}

    def facts(self) -> Iterator[z3.BoolRef]:
        """Yield what is known: of each object its class and fields, of each set its members."""
        for members, constant in self.strings.items():
            listed = [self.names[str(one)] for one in members]
            for name in self.universe[Name]:
                yield IN_STRINGS(name, constant) == z3.BoolVal(among(name, listed))
        for value, constant in self.objects.items():
            yield tag_is(constant, type(value))
            term = Term(constant, type(value))
            for field in fields_of(class_of_value(value)):
                yield self.is_value(read_field(Facts(), term, field), getattr(value, field))
        yield from self.distances()

    def distances(self) -> Iterator[z3.BoolRef]:
        """Yield how far apart every two places are."""
        places = [one for one in self.objects if isinstance(one, Position)]
        for here, there in itertools.product(places, repeat=2):
            way = distance(*(Made(Position, angles(one)) for one in (here, there)))
            yield self.is_value(way, measured(here, there))

    # ------------------------------------------------------------ what a value is

    def is_value(self, symbolic: Symbolic, value: Any) -> z3.BoolRef:
        """Whether a symbolic value is the concrete one."""
        if isinstance(symbolic, Cases):
            ways = (z3.And(guard, self.is_value(item, value)) for guard, item in symbolic.items)
            return z3.Or(*ways)
        if isinstance(symbolic, Nothing) or value is None:
            return z3.BoolVal(isinstance(symbolic, Nothing) and value is None)
        if isinstance(symbolic, Term):
            constant = self.constant(value, symbolic.expr.sort())
            return FALSE if constant is None else symbolic.expr == constant
        if isinstance(symbolic, Made):
            same_class = z3.BoolVal(class_of(symbolic) is type(value))
            fields = symbolic.fields.items()
            return z3.And(same_class, *(self.is_value(f, getattr(value, at)) for at, f in fields))
        return z3.And(*self.same_collection(symbolic, value))

    def constant(self, value: Any, sort: z3.SortRef) -> z3.ExprRef | None:
        """The term of the sort that a plain value is, or nothing where it is of another type."""
        if sort == Value:
            kind = next((cls for cls in PLAIN if isinstance(value, cls)), None)
            return None if kind is None else self.attribute_value(value, kind)
        known: dict[z3.SortRef, Callable[[], z3.ExprRef | None]] = {
            Name: lambda: self.names.get(str(value)) if isinstance(value, str) else None,
            Object: lambda: self.objects.get(value),
            FrozenStrings: lambda: self.strings.get(value),
            z3.BoolSort(): lambda: z3.BoolVal(value) if isinstance(value, bool) else None,
            z3.IntSort(): lambda: z3.IntVal(value) if type(value) is int else None,
        }
        if isinstance(value, enum.Enum):
            own, members = enum_sort(type(value))
            return members[value.name] if own == sort else None
        return known[sort]() if sort in known else None

    def attribute_value(self, value: Any, kind: type) -> z3.ExprRef:
        """The attribute value that a concrete one is."""
        if kind is frozenset:
            return Value.a_frozenset(self.strings[value])
        return wrap(Term(self.constant(value, sort_of(kind)), kind))

    def same_collection(self, symbolic: Symbolic, value: Any) -> Iterator[z3.BoolRef]:
        """Yield that a collection is the concrete one; in what is no tuple, order plays no part."""
        ordered = isinstance(value, tuple | list)
        match symbolic:
            case Items(values=items) if ordered:
                yield z3.BoolVal(len(items) == len(value))
                yield from (self.is_value(a, b) for a, b in zip(items, value, strict=False))
            case Seq(length=length, at=at) if ordered:
                yield length == len(value)
                yield from (self.is_value(at(z3.IntVal(i)), one) for i, one in enumerate(value))
            case Dict(key_kind=kind, has=has, get=get, item_kind=item_kind):
                yield from self.same_members(has, list(value), sort_of(kind))
                for key in value if item_kind not in {None, type(None)} else ():
                    yield self.is_value(get(self.constant(key, sort_of(kind))), value[key])
            case Bag(has=has) if has is not None and isinstance(drawn(symbolic).value, Term):
                one = cast(Term, drawn(symbolic).value)
                yield from self.same_members(
                    lambda member: has(Term(member, one.kind)), list(value), one.expr.sort()
                )
            case _:
                yield from self.same_drawn(symbolic, list(value))

    def same_members(
        self, has: Callable[[z3.ExprRef], z3.BoolRef], members: list[Any], sort: z3.SortRef
    ) -> Iterator[z3.BoolRef]:
        """Yield of everything that there is whether it is a member."""
        listed = [cast(z3.ExprRef, self.constant(member, sort)) for member in members]
        for one in self.universe[sort]:
            yield has(one) == z3.BoolVal(among(one, listed))

    def same_drawn(self, collection: Symbolic, members: list[Any]) -> Iterator[z3.BoolRef]:
        """Yield that all that can be drawn is a member, and that each member can be drawn."""
        one = drawn(collection)
        yield forall(one, z3.Or(*(self.is_value(one.value, member) for member in members)))
        for member in members:
            another = drawn(collection)
            yield exists(another, self.is_value(another.value, member))


def angles(place: Position) -> dict[str, Symbolic]:
    """The fields of a place, as terms."""
    return {name: Term(z3.IntVal(getattr(place, name)), int) for name in ("latitude", "longitude")}


def class_of_value(value: object) -> Any:
    """The class of an object, to ask for its fields."""
    return type(value)


def among(one: z3.ExprRef, listed: list[z3.ExprRef]) -> bool:
    """Whether a term is one of those listed."""
    return any(one.eq(other) for other in listed)


class Closed:
    """Formulas as they are in a world: what is known put in, quantifiers written out."""

    def __init__(self, world: World, facts: Iterable[z3.BoolRef], templates: Iterable[str]) -> None:
        self.universe = world.universe
        self.constants = [(z3.Const(f"'{text}'", Name), one) for text, one in world.names.items()]
        self.possible = True
        known: dict[z3.FuncDeclRef, dict[z3.ExprRef, z3.ExprRef]] = {}
        for fact in facts:
            told = z3.simplify(z3.substitute(fact, *self.constants))
            self.possible = self.possible and not z3.is_false(told)
            for term, value in equations(told):
                before = known.setdefault(term.decl(), {}).setdefault(term, value)
                self.possible = self.possible and before.eq(value)
        plain = (pairs for one, pairs in known.items() if one.arity() == 0)
        self.constants += [pair for pairs in plain for pair in pairs.items()]
        self.functions = [
            (one, table(one, pairs)) for one, pairs in known.items() if one.arity() > 0
        ]
        self.functions += [formatted(template, world.names) for template in templates]
        member = (z3.Select(z3.Var(0, CARD.domain(0)), one) for one in self.universe[Name])
        self.functions.append((CARD, z3.Sum([z3.If(inside, 1, 0) for inside in member])))

    def read(self, formula: z3.BoolRef) -> z3.BoolRef:
        """Return what is left of the formula: mostly a constant."""
        about = z3.substitute_funs(z3.substitute(formula, *self.constants), *self.functions)
        return z3.simplify(self.expand(z3.simplify(about)))

    def expand(self, formula: z3.ExprRef) -> z3.ExprRef:
        """Return the formula without quantifiers."""
        if not quantified(formula):
            return formula
        if z3.is_quantifier(formula):
            return self.instances(formula)
        parts = formula.children()
        return z3.substitute(formula, *((part, self.expand(part)) for part in parts))

    def instances(self, formula: z3.QuantifierRef) -> z3.ExprRef:
        """Return the conjunction or disjunction over all that there is."""
        if formula.is_lambda():
            raise NotImplementedError
        sorts = [formula.var_sort(place) for place in range(formula.num_vars())]
        drawn_ones = [z3.FreshConst(sort) for sort in sorts]
        body = z3.substitute_vars(formula.body(), *reversed(drawn_ones))
        # Numbers first: mostly they say from which of several collections the rest is drawn.
        in_order = sorted(drawn_ones, key=lambda one: one.sort() != z3.IntSort())
        plain = TRUE if formula.is_forall() else FALSE
        parts = self.written_out(body, in_order, plain=plain)
        return z3.And(*parts) if formula.is_forall() else z3.Or(*parts)

    def written_out(
        self, body: z3.ExprRef, some: list[z3.ExprRef], *, plain: z3.BoolRef
    ) -> Iterator[z3.ExprRef]:
        """Yield the body for all values of the constants, but those where it is plainly so."""
        if body.eq(plain):
            return
        if not some:
            yield self.expand(body)
            return
        first, *rest = some
        for value in self.universe[first.sort()]:
            instance = z3.simplify(z3.substitute(body, (first, value)))
            yield from self.written_out(instance, rest, plain=plain)

    def bounds(self, *formulas: z3.BoolRef) -> Iterator[z3.BoolRef]:
        """Yield of each name and object that is left open that it is one of those there are."""
        for one in terms(formulas):
            if one.num_args() == 0 and one.sort() in {Name, Object, FrozenStrings}:
                yield z3.Or(*(one == thing for thing in self.universe[one.sort()]))


def quantified(formula: z3.ExprRef) -> bool:
    """Whether there is a quantifier in the formula."""
    if z3.is_quantifier(formula):
        return True
    goal = z3.Goal()
    goal.add(formula if z3.is_bool(formula) else formula == z3.FreshConst(formula.sort()))
    return bool(QUANTIFIERS(goal))


def equations(fact: z3.BoolRef) -> Iterator[Pair]:
    """Yield each term of which a fact says what it is, with what it is."""
    if z3.is_and(fact):
        for part in fact.children():
            yield from equations(part)
    elif z3.is_not(fact) and is_open(fact.arg(0)):
        yield fact.arg(0), FALSE
    elif z3.is_eq(fact) and any(map(is_open, fact.children())):
        one, other = fact.children()
        yield (one, other) if is_open(one) else (other, one)
    elif is_open(fact):
        yield fact, TRUE
    elif not z3.is_true(fact) and not z3.is_false(fact):
        raise NotImplementedError(str(fact))


def is_open(term: z3.ExprRef) -> bool:
    """Whether a term is one that the world may say something of, and no value."""
    declared = term.decl()
    return declared.kind() == z3.Z3_OP_UNINTERPRETED and "!val!" not in declared.name()


def table(function: z3.FuncDeclRef, known: dict[z3.ExprRef, z3.ExprRef]) -> z3.ExprRef:
    """Return the function as cases: what is known where it is known, itself elsewhere."""
    places = [z3.Var(n, function.domain(n)) for n in range(function.arity())]
    cases = function(*places)
    for term, value in known.items():
        here = [place == at for place, at in zip(places, term.children(), strict=True)]
        cases = z3.If(z3.And(*here), value, cases)
    return cases


def formatted(template: str, names: dict[str, z3.ExprRef]) -> tuple[z3.FuncDeclRef, z3.ExprRef]:
    """Return the function that a formatted string is, and its cases: the texts that there are."""
    holes = template.count("{}")
    function = z3.Function(f"format {template}", *[Name] * holes, Name)
    known = {
        function(*(names[text] for text in texts)): names[template.format(*texts)]
        for texts in itertools.product(names, repeat=holes)
        if template.format(*texts) in names
    }
    return function, table(function, known)


@dataclasses.dataclass(frozen=True, eq=False)
class Translation:
    """A function and what the translator makes of it, for arbitrary arguments."""

    function: FunctionType
    arguments: tuple[Symbolic, ...]
    result: Symbolic
    facts: Facts
    source: Source

    def verdict(self, *given: object) -> Verdict:
        """Return whether running the function on the arguments gives what the translation says."""
        expected = self.run(given)
        world = World([*given, *expected, *self.facts.names])
        templates = self.templates
        for template in templates:
            texts = itertools.product(tuple(world.names), repeat=template.count("{}"))
            world.collect([template.format(*some) for some in texts])
        pairs = zip(self.arguments, given, strict=True)
        told = [world.is_value(argument, value) for argument, value in pairs]
        closed = Closed(world, [*world.facts(), *told], templates)
        if not closed.possible:
            return "impossible"
        right = [closed.read(world.is_value(self.result, value)) for value in expected]
        owed = closed.read(z3.And(*(goal for _, goal in self.facts.owed)))
        supposed = closed.read(z3.And(*(fact for _, fact in self.facts.axioms())))
        if right and all(z3.is_true(one) for one in (supposed, owed, *right)):
            return "agrees"
        return judged(z3.And(supposed, *closed.bounds(supposed, owed, *right)), right, owed)

    @property
    def nodes(self) -> Iterator[ast.AST]:
        """The syntax of every function that was read."""
        for name in sorted(self.source.used):
            module = next(one for one in modules(name) if one in sys.modules)
            yield from ast.walk(self.source.function(module, name.removeprefix(f"{module}.")))

    @cached_property
    def templates(self) -> tuple[str, ...]:
        """The template of every formatted string that was read."""
        return tuple(template(node) for node in self.nodes if isinstance(node, ast.JoinedStr))

    def run(self, given: tuple[object, ...]) -> list[object]:
        """Return what running gives: a result, or nothing where it is misused."""
        try:
            named = dict(zip(parameters(self.function), given, strict=True))
            return [self.function(**named)]
        except MISUSE:
            return []


def judged(supposed: z3.BoolRef, right: list[z3.BoolRef], owed: z3.BoolRef) -> Verdict:
    """Return what follows: of the result, if running gave one, and of what is owed."""
    solver = z3.SimpleSolver()
    solver.set("timeout", TIME_LIMIT_MS)
    solver.add(supposed)

    def possible(*more: z3.BoolRef) -> bool:
        answer = solver.check(*more)
        if answer == z3.unknown:
            raise TimeoutError(solver.reason_unknown())
        return bool(answer == z3.sat)

    if not possible():
        return "impossible"
    if possible(z3.Not(owed)):
        return "owes"
    if not right or not possible(*right):
        return "differs"
    return "undetermined" if possible(z3.Not(z3.And(*right))) else "agrees"


def translated(
    function: Any,
    source: Source | None = None,
    invariants: Mapping[tuple[str, int], Invariant] | None = None,
) -> Translation:
    """Return the translation of a function, made afresh."""
    forget_typing()
    running = Interpreter(source or Source(), Facts(), STANDING, dict(invariants or {}))
    kinds = parameters(cast(FunctionType, function))
    arguments = tuple(argument(name, kind) for name, kind in kinds.items())
    result = running.run(cast(FunctionType, function), arguments, TRUE)
    return Translation(function, arguments, result, running.facts, running.source)


def template(node: ast.JoinedStr) -> str:
    """Return a formatted string with its parts left open."""
    return "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in node.values)


def modules(dotted: str) -> Iterator[str]:
    """Yield what may be the module of a function's dotted name, the longest first."""
    while "." in dotted:
        dotted, _, _ = dotted.rpartition(".")
        yield dotted


@cache
def once(function: Any) -> Translation:
    """The translation of a function, made once however many examples it is held to."""
    return translated(function)


def agrees(function: Any, *arguments: object) -> bool:
    """Whether the translation of a function gives what running it gives, and owes nothing."""
    return once(function).verdict(*arguments) == "agrees"


def others(
    translation: Translation, inputs: Iterable[tuple[Any, ...]], verdict: Verdict
) -> list[tuple[tuple[Any, ...], Verdict]]:
    """The inputs on which the verdict is another one, each with what it is."""
    found = [(some, translation.verdict(*some)) for some in inputs]
    return [(some, given) for some, given in found if given != verdict]
