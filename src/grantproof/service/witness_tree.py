"""The witness of a refused change, worded: a line, and below it what shows it.

The same at every door: a terminal prints it as a tree, the console draws it.
"""

import json
from collections.abc import Iterable

from grantproof.core.errors import (
    BreaksSod,
    HeldRole,
    NamedByGuardrail,
    NamedBySodSet,
    SingleRefusal,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.messages import held_message
from grantproof.policyfile.witnesses import Witness
from grantproof.service.claim_text import moment
from grantproof.service.trees import Tree


def allowed_tree(shown: Witness) -> Tree:
    """Return a request that is or would be allowed, how, and in which context."""
    request, certificate = shown["request"], shown["certificate"]
    groups = (f"group {group}" for group in certificate["groups"])
    path = " -> ".join([*groups, *certificate["roles"]])
    context = json.dumps(shown["context"])
    chosen = request.get("active_roles")
    session = "" if chosen is None else f" in a session of {', '.join(chosen)}"
    return Tree(
        f"{request['principal_id']}: {request['action']} {request['resource_id']}{session}",
        (
            Tree(f"through {path}, claim {certificate['claim']['id']}"),
            Tree(f"in the context {context}"),
        ),
    )


def witness_tree(refusal: SingleRefusal) -> Tree | None:
    """Return what the one line says too densely or leaves out, or nothing."""
    match refusal:
        case BreaksSod():
            return _breach(refusal)
        case StillReferenced():
            references = (f"{one.noun} {' of '.join(one.ids)}" for one in refusal.references)
            return _listed(f"{refusal.noun} {refusal.id} is referred to by", references)
        case NamedBySodSet():
            return _listed(f"role {refusal.role} is named by", refusal.sod_sets)
        case NamedByGuardrail():
            return _listed(f"{refusal.noun} {refusal.id} is named by", refusal.guardrails)
        case WouldCycle():
            return _listed(f"{refusal.noun} cycle", refusal.cycle)
        case _:
            return None


def _breach(breach: BreaksSod) -> Tree:
    when = "" if breach.instant is None else f" from {moment(breach.instant)}"
    ways = tuple(Tree(f"role {held.roles[-1]}", (Tree(_way(held)),)) for held in breach.held)
    forbidden = f"separation-of-duty set {breach.sod_set} forbids {breach.n} of its roles together"
    return Tree(f"principal {breach.principal} would hold{when}", (*ways, Tree(forbidden)))


def _way(held: HeldRole) -> str:
    direct = len(held.groups) == 0 and len(held.roles) == 1
    return "assigned directly" if direct else f"through {held_message(held)}"


def _listed(label: str, names: Iterable[str]) -> Tree:
    return Tree(label, tuple(map(Tree, names)))
