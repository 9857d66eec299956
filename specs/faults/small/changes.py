"""Executable properties of a change: what `apply` accepts and refuses, beside the oracle."""

from collections.abc import Iterator
from dataclasses import fields
from itertools import permutations, product
from typing import cast

from grantproof.core import model as m
from grantproof.core.commands import Accepted, Outcome, Rejected, apply
from grantproof.core.commands.delta import delta
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    Command,
    CreateClaim,
    CreateRole,
    SingleCommand,
)
from grantproof.core.errors import (
    AlreadyExists,
    BreaksSod,
    Missing,
    RefusedAt,
    SingleRefusal,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.messages import refusal_message
from grantproof.core.organization import Organization, changed, facts
from specs.faults.small import words
from specs.faults.small.acts import commands
from specs.faults.small.property import Objection, Property, Small, references
from specs.faults.small.worlds import CABINET, CHAIN, DESK, DRAWER, VAULT, Facts
from tests.properties import oracle

Edits = tuple[SingleCommand, ...]
SOD_WORLDS = (DESK, DRAWER)


def proposed(small: Small, command: Command) -> Outcome:
    """Return what becomes of the command."""
    return apply(small.state, command, actor="eve", instant=0)


def dangling(small: Small, command: SingleCommand) -> Objection | None:
    """Object to a change after which something refers to what is not there. P-REF."""
    try:
        outcome = proposed(small, command)
        after = list(facts(outcome.state)) if isinstance(outcome, Accepted) else []
    except KeyError as missing:
        return Objection("nothing refers to what is not there", f"it breaks off at {missing}")
    gaps = list(unresolved(after))
    if gaps:
        return Objection("nothing refers to what is not there", f"accepted: {gaps[0]}")
    if not isinstance(outcome, Accepted) or getattr(command, "cascade", True):
        return None
    if len(outcome.event.delta.removed) <= 1:
        return None
    lost = [words.sentence(fact) for fact in outcome.event.delta.removed]
    return Objection("refused, naming what refers to it", f"accepted, and gone is: {lost[0]}")


def unresolved(every: list[m.Fact]) -> Iterator[str]:
    """Yield each reference of a fact to what is not there."""
    there = {str(name) for fact in every for name in _names(fact)} | {"organization:acme"}
    for fact in every:
        named = _ends(fact) if isinstance(fact, m.Claim | m.Guardrail) else references(fact)
        yield from (f"{words.sentence(fact)}, without {end}" for end in named if end not in there)


def _names(fact: m.Fact) -> Iterator[str]:
    match fact:
        case m.Role() | m.Group() | m.SodSet():
            prefix = {"Role": "role", "Group": "group"}.get(type(fact).__name__, "sod-set")
            yield from (fact.id, f"{prefix}:{fact.id}")
        case m.Principal() | m.Resource():
            yield fact.id
        case m.KindDeclaration():
            yield fact.kind
        case _:
            return


def _ends(fact: m.Claim | m.Guardrail) -> Iterator[str]:
    if isinstance(fact, m.Claim):
        yield fact.role
        yield from _ends_of(fact.resource)
    else:
        for name in fact.names:
            yield from _ends_of(name)


def _ends_of(pattern: m.ResourcePattern) -> Iterator[str]:
    match pattern:
        case m.Exactly(value) | m.Within(value):
            yield value
        case m.OfKind(kind):
            yield kind
        case m.Any():
            return


def circular(small: Small, command: SingleCommand) -> Objection | None:
    """Object to an edge that closes a cycle, and to a refusal of one that does not. P-DAG."""
    outcome = proposed(small, command)
    after = outcome.state if isinstance(outcome, Accepted) else _forced(small, command)
    edges = frozenset({*after.roles.edges(), *after.groups.edges()})
    sound = oracle.acyclic(frozenset((str(one), str(other)) for one, other in edges))
    if isinstance(outcome, Accepted):
        return None if sound else Objection("refused: it closes a cycle", "accepted")
    if not isinstance(outcome.refusal, WouldCycle) or not sound:
        return None
    return Objection("accepted: it closes no cycle", _refused(outcome))


def misinformed(small: Small, command: Command) -> Objection | None:
    """Object to a refusal that calls missing what is there, or there what is not. P-REJECT.

    Of several commands as one, to whatever is not as when one follows the other.
    """
    outcome = proposed(small, command)
    if isinstance(command, ChangeSet):
        must, found = _ended(in_turn(small.state, command.commands)), _ended(outcome)
        return None if must == found else Objection(must, found)
    if not isinstance(outcome, Rejected):
        return None
    match outcome.refusal:
        case Missing(noun, ids) if is_there(small.state, noun, ids):
            return Objection(f"{noun} {' '.join(ids)} is there", _refused(outcome))
        case AlreadyExists(noun, ids) if not is_there(small.state, noun, ids):
            return Objection(f"there is no {noun} {' '.join(ids)}", _refused(outcome))
        case StillReferenced(_, _, listed):
            gone = [one for one in listed if not is_there(small.state, one.noun, one.ids)]
            return Objection(f"{gone[0]} is there", _refused(outcome)) if gone else None
        case _:
            return None


def in_turn(state: Organization, edits: Edits) -> Outcome:
    """Return what becomes of the commands when each is proposed on its own, after those before."""
    outcomes = list[Outcome]()
    for position, command in enumerate(edits):
        outcome = apply(state, command, actor="eve", instant=0)
        if isinstance(outcome, Rejected):
            alone = cast(SingleRefusal, outcome.refusal)
            return Rejected(RefusedAt(position, alone))
        outcomes.append(outcome)
        state = outcome.state
    return outcomes[-1]


def _ended(outcome: Outcome) -> str:
    if isinstance(outcome, Rejected):
        return _refused(outcome)
    return f"accepted: {'; '.join(map(words.sentence, facts(outcome.state)))}"


def is_there(state: Organization, noun: str, ids: tuple[str, ...]) -> bool:
    """Return whether a fact of the noun has the ids, as the oracle sees it."""
    nouns = {
        m.Assignment: "assignment",
        m.GroupAssignment: "assignment",
        m.Inheritance: "parent",
        m.KindDeclaration: "kind",
        m.SodSet: "separation-of-duty set",
    }
    for fact in facts(state):
        name = nouns.get(type(fact), type(fact).__name__.lower())
        own = [str(getattr(fact, part.name)) for part in fields(fact)][: len(ids)]
        if name == noun and own == list(ids):
            return True
    return False


def overloaded(small: Small, command: Command) -> Objection | None:
    """Object to a change after which somebody holds too much at some instant. P-SOD-SAFE."""
    outcome = proposed(small, command)
    if not isinstance(outcome, Accepted):
        return None
    found = sorted(oracle.breaches(oracle.world(outcome.state)))
    if not found:
        return None
    sod_set, principal = found[0]
    holds = f"accepted: {principal} holds too many roles of {sod_set}"
    return Objection("refused: separation of duty", holds)


def inexact(small: Small, command: SingleCommand) -> Objection | None:
    """Object to a refusal for separation of duty that nothing justifies. P-SOD-EXACT."""
    outcome = proposed(small, command)
    refused = isinstance(outcome, Rejected) and isinstance(outcome.refusal, BreaksSod)
    if isinstance(outcome, Rejected) and refused:
        if not oracle.breaches(oracle.world(_forced(small, command))):
            return Objection("accepted: nobody would hold too much", _refused(outcome))
        return None
    return overloaded(small, command)


def ordered(small: Small, edits: Edits) -> Objection | None:
    """Object to edits whose end depends on their order. P-SOD-SYM."""
    ends = {refusals(small.state, order): order for order in permutations(edits)}
    if len(ends) == 1:
        return None
    told = [f"{count} refused when {_list(order)}" for count, order in sorted(ends.items())]
    return Objection("as many are refused in one order as in the other", "; ".join(told))


def refusals(state: Organization, edits: Edits) -> int:
    """Return how many of the edits are refused, one after the other."""
    refused = 0
    for command in edits:
        outcome = apply(state, command, actor="eve", instant=0)
        if isinstance(outcome, Accepted):
            state = outcome.state
        else:
            refused += 1
    return refused


def assignments(facts_: Facts) -> Iterator[tuple[AssignRole, AssignRole]]:
    """Yield pairs of assignments to one principal."""
    people = [fact.id for fact in facts_ if isinstance(fact, m.Principal)]
    roles = [fact.id for fact in facts_ if isinstance(fact, m.Role)]
    for who, one, other in product(people, roles, roles):
        if one < other:
            yield (AssignRole(who, one), AssignRole(who, other))


def together(facts_: Facts) -> Iterator[Command]:
    """Yield every command, then two assignments to one principal as one change."""
    yield from commands(facts_)
    yield from map(ChangeSet, assignments(facts_))


def followed(facts_: Facts) -> Iterator[Command]:
    """Yield every command, then two assignments and, in the same change, what is there already."""
    yield from commands(facts_)
    for edits in assignments(facts_):
        for last in (edits[0], CreateRole(edits[0].role)):
            yield ChangeSet((*edits, last))


def foreign(facts_: Facts) -> Iterator[CreateClaim]:
    """Yield the claims on what belongs to another organization."""
    for command in commands(facts_):
        if isinstance(command, CreateClaim) and "organization:" in str(command.claim.resource):
            yield command


def _forced(small: Small, command: SingleCommand) -> Organization:
    try:
        return changed(small.state, delta(small.state, command))
    except KeyError:
        return small.state


def _refused(outcome: Rejected) -> str:
    return f"refused: {refusal_message(outcome.refusal)}"


def _list(edits: Edits) -> str:
    return " comes before ".join(words.command(edit) for edit in edits)


FREE = tuple(fact for fact in DESK if not isinstance(fact, m.Assignment))

PROPERTIES = {
    "P-REF": Property((CABINET, VAULT), commands, dangling, words.command),
    "P-TENANT": Property((CABINET,), foreign, dangling, words.command),
    "P-REJECT": Property((CABINET,), followed, misinformed, words.command),
    "P-DAG": Property((CHAIN,), commands, circular, words.command),
    "P-SOD-SAFE": Property(SOD_WORLDS, together, overloaded, words.command),
    "P-SOD-EXACT": Property(SOD_WORLDS, commands, inexact, words.command),
    "P-SOD-SYM": Property((FREE,), assignments, ordered, _list),
}
