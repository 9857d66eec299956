"""Answers on what can be brought about, as programs are told them: the same at every door."""

from typing import Any, assert_never

from grantproof.analysis.reachability import collusion, rules
from grantproof.analysis.reachability.invariant import Invariant, NeverMet
from grantproof.analysis.reachability.powers import Powers
from grantproof.analysis.reachability.problem import Roles, Step
from grantproof.analysis.reachability.question import Change
from grantproof.analysis.reachability.replay import command_of
from grantproof.analysis.reachability.verdicts import (
    Exhausted,
    Reachable,
    Undetermined,
    Unreachable,
)
from grantproof.service.plan_documents import command_document

Taken = Step | Change
Answer = rules.Answer | collusion.Answer
Proof = Invariant | NeverMet | Powers | Exhausted


def document(answer: Answer) -> dict[str, Any]:
    """Return the answer as programs are told it."""
    match answer:
        case Reachable(steps, shortest):
            written = [_written(step) for step in steps]
            return {"verdict": "reachable", "shortest": shortest, "steps": written}
        case Unreachable(how, evidence):
            return {"verdict": "unreachable", "how": how, "evidence": _evidence(evidence)}
        case Undetermined(why):
            return {"verdict": "undetermined", "why": why}
        case _:
            assert_never(answer)


def _written(step: Taken) -> dict[str, Any]:
    command = command_of(step) if isinstance(step, Step) else step.command
    return {"author": step.author, "command": command_document(command)}


def _evidence(evidence: Proof) -> dict[str, Any]:
    match evidence:
        case Exhausted(states):
            return {"states": states}
        case Powers(givable, structural, timeless):
            return {"givable": sorted(givable), "structural": structural, "timeless": timeless}
        case Invariant():
            return {
                "positive": sorted(evidence.positive),
                "negative": sorted(evidence.negative),
                "admins": sorted(evidence.admins),
                "anyone": sorted(map(sorted, evidence.anyone)),
                "goal_user": sorted(map(sorted, evidence.goal_user)),
            }
        case NeverMet(anyone, goal_user):
            return {"anyone": _conditions(anyone), "goal_user": _conditions(goal_user)}
        case _:
            assert_never(evidence)


def _conditions(found: frozenset[tuple[Roles, Roles]]) -> list[dict[str, list[str]]]:
    pairs = sorted((sorted(held), sorted(unheld)) for held, unheld in found)
    return [{"held": list(held), "unheld": list(unheld)} for held, unheld in pairs]
