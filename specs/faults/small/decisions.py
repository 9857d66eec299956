"""Executable properties of a decision: `evaluate` beside the oracle, one question at a time."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Final

from grantproof.core import model as m
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import SingleCommand
from grantproof.core.duty import active_roles
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import Action, PrincipalId
from grantproof.core.index import Index
from grantproof.core.messages import reason_message
from grantproof.core.policy import Allow, Decision, Deny, evaluate
from specs.faults.small import words
from specs.faults.small.acts import Question, commands, questions
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.worlds import NOW, OFFICE, Facts
from tests.properties import oracle

Held = tuple[PrincipalId, int]
UNKNOWN: Final = frozenset({"organization", "principal", "suspended", "resource", "no role"})
WHY: Final = {
    "organization": "unknown organization",
    "principal": "unknown principal",
    "suspended": "principal is suspended",
    "resource": "unknown resource",
    "session": "roles that may not be active together are",
    "no role": "no active role",
    "no claim": "no matching claim",
    "constraint": "a constraint does not hold",
}
"""The reasons of the oracle, in words."""


def in_words(decision: Decision) -> str:
    """Return a decision in words."""
    if isinstance(decision, Allow):
        return f"Allow, by the claim {decision.certificate.claim.id}"
    return f"Deny: {reason_message(decision.reason)}"


def unsound(small: Small, question: Question) -> Objection | None:
    """Object to an Allow that no chain supports. P-SOUND."""
    decision = evaluate(small.state, *question)
    if isinstance(decision, Deny):
        return None
    answer = oracle.ask(small.world, *question)
    if answer.granted is not None:
        return None
    return Objection(f"Deny: {_why(answer)}", in_words(decision))


def incomplete(small: Small, question: Question) -> Objection | None:
    """Object to a Deny although some chain supports an Allow. P-COMPLETE."""
    decision = evaluate(small.state, *question)
    if isinstance(decision, Allow):
        return None
    granted = oracle.ask(small.world, *question).granted
    return (
        None if granted is None else Objection(f"Allow, by the claim {granted}", in_words(decision))
    )


def either(small: Small, question: Question) -> Objection | None:
    """Object to a wrong answer, in either direction."""
    return unsound(small, question) or incomplete(small, question)


def by_default(small: Small, question: Question) -> Objection | None:
    """Object to an Allow where something that the request names is unknown. P-DENY-DEFAULT."""
    why = oracle.ask(small.world, *question).why
    return unsound(small, question) if why != () and why[0] in UNKNOWN else None


def clashing(small: Small, question: Question) -> Objection | None:
    """Object to roles that a session cannot have, and to an Allow while too many are. P-DSD."""
    request, context = question
    roles = oracle.active(small.world, request, context.instant)
    found = active_roles(small.state, request, context.instant)
    if found != roles:
        return Objection(f"active: {_listed(roles)}", f"active: {_listed(found)}")
    decision = evaluate(small.state, request, context)
    if isinstance(decision, Deny) or oracle.clash(small.world, roles) == ():
        return None
    return Objection(f"Deny: {_listed(roles)} may not be active together", in_words(decision))


def misheld(small: Small, held: Held) -> Objection | None:
    """Object to effective roles that are not the ends of all chains. P-CLOSURE."""
    found = effective_roles(small.state, *held)
    must = oracle.effective(small.world, *held)
    return None if found == must else Objection(f"holds {_listed(must)}", f"holds {_listed(found)}")


def misled(small: Small, command: SingleCommand) -> Objection | None:
    """Object to an index that, after following a change, answers unlike the reference. P-INDEX."""
    index = Index(small.state)
    asked = [question for question in questions(small.facts) if question[1] == NOW]
    for question in asked:
        index.ask(*question)
    outcome = apply(small.state, command, actor="eve", instant=0)
    if not isinstance(outcome, Accepted):
        return None
    index.follow(outcome.state, outcome.event.delta)
    for question in asked:
        decision = evaluate(outcome.state, *question)
        said = index.ask(*question).answer
        if said != (decision.certificate.claim if isinstance(decision, Allow) else decision.reason):
            asking = f"{words.question(*question)} "
            return Objection(
                asking + in_words(decision), asking + in_words(index.decide(*question))
            )
    return None


def asked_about(action: str, *respects: str) -> Callable[[Facts], Iterator[Question]]:
    """Return the questions about an action whose context is changed in one of the respects."""

    def ask(facts: Facts) -> Iterator[Question]:
        for request, context in questions(facts):
            same = [getattr(context, name) == getattr(NOW, name) for name in NOW.__slots__]
            changed = [name for name, alike in zip(NOW.__slots__, same, strict=True) if not alike]
            if request.action == Action(action) and set(changed) <= set(respects):
                yield request, context

    return ask


def holders(facts: Facts) -> Iterator[Held]:
    """Yield everybody at every boundary."""
    people = [fact.id for fact in facts if isinstance(fact, m.Principal)]
    yield from product(people, (0, 499, 500, 999, 1_000))


def _asks(
    objection: Callable[[Small, Question], Objection | None],
    acts: Callable[[Facts], Iterator[Question]] = questions,
) -> Property:
    return Property((OFFICE,), acts, objection, lambda question: words.question(*question))


def _why(answer: oracle.Answer) -> str:
    return WHY[str(answer.why[0])]


def _listed(roles: frozenset[str]) -> str:
    return ", ".join(sorted(roles)) or "nothing"


PROPERTIES = {
    "P-SOUND": _asks(unsound),
    "P-COMPLETE": _asks(incomplete),
    "P-DENY-DEFAULT": _asks(by_default),
    "P-DSD": _asks(clashing),
    "P-WINDOW": _asks(either, asked_about("write", "hour", "weekday")),
    "P-GEO": _asks(either, asked_about("sign", "region")),
    "P-RADIUS": _asks(either, asked_about("visit", "position")),
    "P-QUOTA-MONO": _asks(either, asked_about("sign", "usage")),
    "P-RATE-MONO": _asks(either, asked_about("spend", "rate")),
    "P-ATTR": _asks(either, asked_about("spend", "attributes")),
    "P-CLOSURE": Property(
        (OFFICE,), holders, misheld, lambda held: f"which roles has {held[0]} at {held[1]}?"
    ),
    "P-INDEX": Property((OFFICE,), commands, misled, words.command),
}
