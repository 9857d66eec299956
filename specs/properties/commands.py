"""What a command does, read from the source, when nothing refuses it."""

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import z3

from grantproof.core import commands
from grantproof.core.commands.language import SingleCommand
from grantproof.core.commands.references import Deletion
from grantproof.core.organization import Organization
from specs.definitions.hierarchy import acyclic, preorder
from specs.definitions.indexes import indexes
from specs.definitions.references import references
from specs.kernel.interpreter import Interpreter
from specs.kernel.proof import Theorem
from specs.kernel.shapes import argument, forget_typing, typing_axioms
from specs.kernel.sorts import Object
from specs.kernel.source import Source
from specs.kernel.vacuity import BY_DEFINITION
from specs.kernel.values import Clause, Made, Symbolic, coerce, guarded
from specs.kernel.view import View
from specs.obligations import interpreter
from specs.properties.registry import LEMMAS, Statement

DELETIONS: Final = typing.get_args(Deletion)
COMMANDS: Final = tuple(one for one in typing.get_args(SingleCommand) if one not in DELETIONS)
"""The commands that are proved: a deletion removes a number of facts that is not known."""


@dataclass
class Change:
    """A command on a state: `accepted` if nothing refuses it, `after` is the state it leaves."""

    running: Interpreter
    state: Symbolic
    command: Symbolic
    accepted: z3.BoolRef
    after: Symbolic
    known: list[Clause] = field(default_factory=list)


def proposed(source: Source, command: type) -> Change:
    """Return what the source of `commands` makes of any command of the class."""
    running = interpreter(source)
    state, change = argument("state", Organization), argument("command", command)
    single = typing.cast(types.FunctionType, vars(commands)["_single"])
    result = running.run(single, [state, change], z3.BoolVal(True))
    for accepted, item in guarded(result):
        if isinstance(item, Made) and item.kind is vars(commands)["_Proposal"]:
            graphs = [(View(state).field(name), name) for name in ("roles", "groups")]
            supposed = [*indexes(state), *references(state), *(acyclic(*graph) for graph in graphs)]
            supposed += [law for graph, _ in graphs for law in preorder(graph.parents.value)]
            after = argument("after", Organization)
            known = coerce(after, Object) == coerce(item.fields["after"], Object)
            running.facts.assumed.append(("what is proposed", z3.Implies(accepted, known)))
            return Change(running, state, change, accepted, after, supposed)
    raise LookupError


def by_definition(clauses: list[Clause]) -> list[Clause]:
    """Return the clauses under names that say that they only define a symbol."""
    return [(BY_DEFINITION + name, clause) for name, clause in clauses]


def about_commands(
    property_id: str,
    of: Callable[[type, Change], list[Clause]],
    *,
    classes: tuple[type, ...] = COMMANDS,
    owed: bool = False,
) -> None:
    """State for each class of commands what `of` gives of an accepted one.

    With `owed` also what the source owes on the way, and that a command can be accepted at all; one
    property, P-REF, is enough for that: the others suppose only definitions besides.
    """
    module = of.__module__.removeprefix("specs.")
    for command in classes:
        name = f"{module}.{command.__name__}"
        about = partial(_theorem, property_id, name, of=of, command=command, owed=owed)
        LEMMAS[name] = Statement(property_id, about)


def _theorem(
    property_id: str,
    name: str,
    source: Source,
    *,
    of: Callable[[type, Change], list[Clause]],
    command: type,
    owed: bool,
) -> Theorem:
    forget_typing()
    change = proposed(source, command)
    goals = [(told, z3.Implies(change.accepted, goal)) for told, goal in of(command, change)]
    facts = change.running.facts
    hypotheses = (*change.known, *facts.axioms(), *typing_axioms())
    names = tuple(facts.names.values())
    every = (*goals, *(facts.owed if owed else ()))
    scene = ("the command is accepted", change.accepted)
    shown = "" if owed else f"properties.p_ref.{command.__name__}"
    theorem = Theorem(property_id, name, hypotheses, every, names)
    return replace(theorem, scene=(scene,), possible_as=shown)
