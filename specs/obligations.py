"""From a definition to what must be proved: every path of the function's source says the same.

Callees that are defined themselves stand as their definitions; the rest run as their own source.
"""

import sys
import typing
from collections.abc import Callable
from types import FunctionType

import z3

from specs.definitions import facts
from specs.definitions.registry import REGISTRY, Defined
from specs.definitions.symbols import SYMBOLS
from specs.definitions.world import INVARIANTS as CLOSURE
from specs.definitions.world import world
from specs.kernel.interpreter import Interpreter
from specs.kernel.membership import same
from specs.kernel.proof import Theorem
from specs.kernel.shapes import argument, forget_typing, typing_axioms
from specs.kernel.sorts import Unsupported
from specs.kernel.source import Source
from specs.kernel.statements import Path
from specs.kernel.values import NOTHING, PROMISED, Clause, Facts, Symbolic

INVARIANTS = CLOSURE | facts.INVARIANTS


def interpreter(source: Source) -> Interpreter:
    """Return an interpreter in which every defined function stands as its definition."""
    contracts = {name: _contract(entry) for name, entry in REGISTRY.items()}
    contracts |= {name: _symbol(stands) for name, stands in SYMBOLS.items()}
    return Interpreter(source, Facts(), contracts, INVARIANTS)


def theorem(
    entry: Defined, source: Source, reading: Callable[[Source], Interpreter] = interpreter
) -> Theorem:
    """Return what must be proved of a function: its meaning on every path, and what it owes.

    `reading` says what stands for which callee: the definitions, unless it says otherwise.
    """
    forget_typing()
    running = reading(source)
    arguments = [argument(name, kind) for name, kind in parameters(entry.function).items()]
    paths = running.paths(entry.function, arguments)
    goals: list[Clause] = []
    for number, path in enumerate(paths):
        goals += _right(entry, path, f"path {number}", arguments=arguments)
    supposed = [] if entry.requires is None else entry.requires(*arguments)
    hypotheses = (*world(arguments), *supposed, *running.facts.axioms(), *typing_axioms())
    names = tuple(running.facts.names.values())
    goals += running.facts.owed
    return Theorem(entry.property_id, entry.name, hypotheses, tuple(goals), names)


def parameters(function: FunctionType) -> dict[str, object]:
    """Return the type of each parameter; of `self`, the class that the function belongs to."""
    hints = typing.get_type_hints(function)
    owner, _, _ = function.__qualname__.rpartition(".")
    own = {"self": getattr(sys.modules[function.__module__], owner)} if owner else {}
    return own | {name: kind for name, kind in hints.items() if name != "return"}


def _right(entry: Defined, path: Path, name: str, *, arguments: list[Symbolic]) -> list[Clause]:
    if path.raised and not entry.refusing:
        # A callee stands as its definition, which never raises: so its source may not, either.
        return [] if path.excluded else [(f"{name} is not taken", z3.Not(path.frame.when))]
    value = NOTHING if path.returned is None else path.returned
    if entry.refusing:
        right = [(name, entry.meaning(*arguments) == z3.BoolVal(path.raised))]
    elif entry.relational:
        right = [(name, entry.meaning(value, *arguments))]
    else:
        right = [(name, same(value, entry.meaning(*arguments)))]
    if entry.promises is not None:
        right += [(f"{name}: {told}", goal) for told, goal in entry.promises(value, *arguments)]
    return [(told, z3.Implies(path.frame.when, goal)) for told, goal in right]


def _symbol(stands: Callable[..., typing.Any]) -> Callable[..., typing.Any]:
    def stand_in(_running: Interpreter, _when: z3.BoolRef, *arguments: typing.Any) -> typing.Any:
        return stands(*arguments)

    return stand_in


def _contract(entry: Defined) -> Callable[..., typing.Any]:
    def stand_in(running: Interpreter, when: z3.BoolRef, *arguments: typing.Any) -> typing.Any:
        if entry.requires is not None:
            owed: list[Clause] = entry.requires(*arguments)
            running.facts.owed.extend((name, z3.Implies(when, goal)) for name, goal in owed)
        if entry.relational and entry.summary is None:
            result = _any_right(entry, running, when, arguments=arguments)
        else:
            result = (entry.summary or entry.called)(*arguments)
        promised = [] if entry.promises is None else entry.promises(result, *arguments)
        running.facts.assumed.extend(
            (PROMISED + name, z3.Implies(when, fact)) for name, fact in promised
        )
        return result

    return stand_in


def _any_right(
    entry: Defined, running: Interpreter, when: z3.BoolRef, *, arguments: tuple[typing.Any, ...]
) -> Symbolic:
    name = entry.function.__name__
    if running.among > 0:
        message = f"{name} gives one of many"
        raise Unsupported(message)
    result = argument(f"what {name} gives", typing.get_type_hints(entry.function)["return"])
    meant = z3.Implies(when, entry.meaning(result, *arguments))
    running.facts.assumed.append((f"{name} gives what is right", meant))
    return result
