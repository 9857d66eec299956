"""A refused change: the reason in one line, and the witness that shows it.

For people on a terminal the witness is a small tree below the line, where it says more than the
line does; for programs it is the object that HTTP gives them.
"""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.output import Tree
from grantproof.cli.shown import moment
from grantproof.core.errors import (
    BreaksSod,
    HeldRole,
    NamedByGuardrail,
    NamedBySodSet,
    Refusal,
    RefusedAt,
    SingleRefusal,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.messages import held_message, refusal_message, session_message
from grantproof.policyfile.witnesses import (
    Witness,
    kind_of,
    session_kind_of,
    session_witness_of,
    single,
    witness_of,
)

if TYPE_CHECKING:
    from grantproof.core.sessions import SessionRefusal
    from grantproof.service.guarding import Broken, Unjudged


def refused(refusal: SingleRefusal, *, place: str = "") -> Stop:
    """Return the end of a command whose change is refused; `place` says where it is asked for."""
    reason = refusal_message(refusal)
    document = refused_document(reason, kind_of(refusal), witness_of(refusal))
    return Stop(ExitCode.NO, f"{place}{reason}", document=document, tree=witness_tree(refusal))


def refused_change(refusal: Refusal, *, several: bool) -> Stop:
    """Return the end of a change of one command, or of `several`, of which one is refused."""
    if isinstance(refusal, RefusedAt) and several:
        return refused(refusal.refusal, place=f"command {refusal.position}: ")
    return refused(single(refusal))


def unwilling(refusal: "SessionRefusal") -> Stop:
    """Return the end of a command whose session is not opened or changed."""
    reason = session_message(refusal)
    return refused_session(reason, session_kind_of(refusal), session_witness_of(refusal))


def refused_session(reason: str, code: str, witness: Witness) -> Stop:
    """Return what `unwilling` does, of a refusal that was told."""
    return Stop(ExitCode.NO, reason, document=refused_document(reason, code, witness))


def refused_document(reason: str, code: str, witness: Witness) -> Witness:
    """Return a refusal for programs: the same members whatever was refused."""
    return {"outcome": "refused", "error": reason, "code": code, "witness": witness}


def guard_refused(refused: "Broken | Unjudged", *, place: str = "") -> Stop:
    """Return the end of a command whose change a guardrail forbids, or nobody can tell."""
    from grantproof.service.guarding import Unjudged

    line = f"{place}{refused.message}"
    if isinstance(refused, Unjudged):
        return Stop(ExitCode.UNDETERMINED, f"{line}: nothing was changed")
    document = refused_document(refused.message, "breaks_guardrail", refused.witness)
    would = tuple(map(allowed_tree, refused.witness["requests"]))
    return Stop(ExitCode.NO, line, document=document, tree=Tree("this would be allowed", would))


def allowed_tree(shown: Witness) -> Tree:
    """Return a request that is or would be allowed, how, and in which context."""
    request, certificate = shown["request"], shown["certificate"]
    groups = (f"group {group}" for group in certificate["groups"])
    path = " -> ".join([*groups, *certificate["roles"]])
    context = json.dumps(shown["context"])
    return Tree(
        f"{request['principal_id']}: {request['action']} {request['resource_id']}",
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
