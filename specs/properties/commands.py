"""What a command does, read from the source, when nothing refuses it."""

import types
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import z3

from grantproof.core import commands
from grantproof.core import model as m
from grantproof.core.commands import language as c
from grantproof.core.commands.delta import delta
from grantproof.core.commands.references import Deletion
from grantproof.core.commands.refusal import AGAINST, gaining
from grantproof.core.identifiers import PrincipalId
from grantproof.core.organization import Organization
from specs.definitions.deletions import ENTITY, nested
from specs.definitions.hierarchy import acyclic, preorder
from specs.definitions.indexes import indexes
from specs.definitions.references import references
from specs.kernel.interpreter import Interpreter
from specs.kernel.proof import Theorem
from specs.kernel.shapes import argument, forget_typing, typing_axioms
from specs.kernel.sorts import Object
from specs.kernel.source import Source
from specs.kernel.vacuity import BY_DEFINITION
from specs.kernel.values import (
    FALSE,
    Clause,
    Made,
    Symbolic,
    Term,
    coerce,
    fresh_set,
    guarded,
    implied,
)
from specs.kernel.view import View
from specs.obligations import interpreter
from specs.properties.p_induct import CHANGED, left_by, only
from specs.properties.registry import LEMMAS, Statement

DELETIONS: Final = typing.get_args(Deletion)
COMMANDS: Final[tuple[type, ...]] = typing.get_args(c.SingleCommand)
"""The commands of the language; a change set is some of them in turn."""
PLAIN: Final[dict[type, tuple[type, ...]]] = {
    **{command: (fact, m.KindDeclaration) for command, (fact, _) in ENTITY.items()},
    **dict.fromkeys((c.SuspendPrincipal, c.ResumePrincipal), (m.Principal,)),
    c.SetPrincipalAttributes: (m.Principal,),
    c.SetResourceAttributes: (m.Resource, m.KindDeclaration),
    c.ChangeSodSet: (m.SodSet, m.Role),
    c.CreateGuardrail: (),
    c.CreateClaim: (m.Role,),
    **dict.fromkeys((c.AddParent, c.CreateSodSet), (m.Role,)),
    c.NestGroup: (m.Group,),
    c.AddMember: (m.Principal, m.Group),
    c.RemoveMember: (m.Principal, m.Group, m.Membership),
    c.AssignRole: (m.Principal, m.Role),
    c.AssignGroupRole: (m.Group, m.Role),
}
"""What there is in the plainest world in which the command is accepted: so it is found sooner."""
Grounds = tuple[Callable[..., object], ...]
Ground = tuple[z3.BoolRef, Symbolic]
"""When a ground for refusal is looked into, and what comes of it: a witness, or nothing."""


@dataclass
class Change:
    """A command on a state: `accepted` if nothing refuses it, `after` is the state it leaves.

    `grounds` has, by function, what comes of looking into each ground for refusal, `owed` what that
    owes. `more` says that a statement supposes more than definitions, so that it has to show that
    it is about something.
    """

    running: Interpreter
    state: Symbolic
    command: Symbolic
    after: Symbolic
    accepted: z3.BoolRef = FALSE
    known: list[Clause] = field(default_factory=list)
    grounds: dict[str, Ground] = field(default_factory=dict)
    owed: list[Clause] = field(default_factory=list[Clause])
    affected: Symbolic = field(default_factory=lambda: fresh_set(PrincipalId, "affected"))
    done: list[Symbolic] = field(default_factory=list)
    more: bool = False

    def does(self, running: Interpreter, when: z3.BoolRef, *given: typing.Any) -> Symbolic:
        """Return what the source says that the command does: the same whenever it is asked."""
        self.done.append(running.run(typing.cast(types.FunctionType, delta), given, when))
        return self.done[0]

    def leaves(self, running: Interpreter, when: z3.BoolRef, *given: typing.Any) -> Symbolic:
        """Return the state that the change leaves: one state, whenever it is asked for."""
        state, change = given
        if state is not self.state or change is not self.done[0]:
            raise LookupError
        left = coerce(left_by(running, when, *given), Object)
        same = z3.Implies(when, coerce(self.after, Object) == left)
        running.facts.assumed.append(("what is proposed", same))
        return self.after

    def looked_into(self, name: str, otherwise: Callable[..., Symbolic]) -> Callable[..., Symbolic]:
        """Return the contract of a ground for refusal that keeps what comes of it."""

        def stand_in(running: Interpreter, when: z3.BoolRef, *given: typing.Any) -> Symbolic:
            before = len(running.facts.owed)
            found = otherwise(running, when, *given)
            self.grounds[name] = when, found
            self.owed += running.facts.owed[before:]
            return found

        return stand_in


def proposed(source: Source, command: type, *, opened: Grounds = ()) -> Change:
    """Return what the source of `commands` makes of any command of the class.

    Of the grounds for refusal that stand as symbols, those `opened` are read instead; whom the
    command affects stands as a symbol there, for what is said of it is so whoever they are.
    """
    running = interpreter(source)
    state, given = argument("state", Organization), argument("command", command)
    change = Change(running, state, given, argument("after", Organization))
    single = typing.cast(types.FunctionType, vars(commands)["_single"])
    contracts = {**running.contracts, named(delta): change.does, CHANGED: change.leaves}
    for ground in opened:
        del contracts[named(ground)]
        contracts[named(gaining)] = lambda *_given: change.affected
    for against in AGAINST:
        name = named(against)
        read = partial(_read, typing.cast(types.FunctionType, against))
        contracts[name] = change.looked_into(against.__name__, contracts.get(name, read))
    running.contracts = contracts
    for guard, item in guarded(running.run(single, [state, given], z3.BoolVal(True))):
        if isinstance(item, Made) and item.kind is vars(commands)["_Proposal"]:
            graphs = [(View(state).field(name), name) for name in ("roles", "groups")]
            supposed = [*indexes(state), *references(state), *(acyclic(*graph) for graph in graphs)]
            supposed += [law for graph, _ in graphs for law in preorder(graph.parents.value)]
            supposed += nested(state) if command in DELETIONS else []
            return replace(change, accepted=guard, known=supposed)
    raise LookupError


def named(function: Callable[..., typing.Any]) -> str:
    """Return the dotted name of a function."""
    return f"{function.__module__}.{function.__qualname__}"


def _read(
    function: types.FunctionType, running: Interpreter, when: z3.BoolRef, *given: Term
) -> Symbolic:
    return typing.cast(Symbolic, running.run(function, given, when))


def by_definition(clauses: list[Clause]) -> list[Clause]:
    """Return the clauses under names that say that they only define a symbol."""
    return [(BY_DEFINITION + name, clause) for name, clause in clauses]


@dataclass(frozen=True)
class About:
    """What is stated of each command: goals of what comes of it, which may suppose more.

    `owed`: also what the source owes on the way. `refused`: the goals are about all that comes of a
    command, not only about what is accepted. That a command can be accepted at all is shown by what
    supposes most, P-SOD-SAFE: the others suppose only definitions besides.
    """

    property_id: str
    of: Callable[[type, Change], list[Clause]]
    owed: bool = False
    opened: Grounds = ()
    refused: bool = False


def about_commands(about: About, classes: tuple[type, ...] = COMMANDS) -> None:
    """State it for each class of commands."""
    module = about.of.__module__.removeprefix("specs.")
    for command in classes:
        name = f"{module}.{command.__name__}"
        theorem = partial(_theorem, name=name, about=about, command=command)
        LEMMAS[name] = Statement(about.property_id, theorem)


def _theorem(source: Source, *, name: str, about: About, command: type) -> Theorem:
    forget_typing()
    change = proposed(source, command, opened=about.opened)
    goals = about.of(command, change)
    if not about.refused:
        goals = [implied(change.accepted, goal) for goal in goals]
    facts = change.running.facts
    hypotheses = (*change.known, *facts.axioms(), *typing_axioms())
    names = tuple(facts.names.values())
    every = (*goals, *(facts.owed if about.owed else ()))
    scene = [("the command is accepted", change.accepted)]
    if command in PLAIN:
        scene += only(change.state, *PLAIN[command])
    shown = "" if change.more else f"properties.p_sod_kept.{command.__name__}"
    theorem = Theorem(about.property_id, name, hypotheses, every, names)
    return replace(theorem, scene=tuple(scene), possible_as=shown)
