"""A refused change: the reason in one line, and the witness that shows it.

For people on a terminal the witness is a small tree below the line, where it says more than the
line does; for programs it is an object whose fields are those of the refusal.
"""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from typing import Any

from grantproof.cli.exits import ExitCode, Stop
from grantproof.cli.output import Tree, code_of
from grantproof.cli.shown import moment
from grantproof.core.errors import (
    BreaksSod,
    HeldRole,
    NamedBySodSet,
    SingleRefusal,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.messages import held_message, refusal_message


def refused(refusal: SingleRefusal, *, place: str = "") -> Stop:
    """Return the end of a command whose change is refused; `place` says where it is asked for."""
    reason = refusal_message(refusal)
    document = {"outcome": "refused", "error": reason, **refusal_document(refusal)}
    line = f"{place}{reason}"
    return Stop(ExitCode.NO, line, document=document, tree=witness_tree(refusal))


def refusal_document(refusal: SingleRefusal) -> dict[str, Any]:
    """Return the refusal for programs, as HTTP gives it: its `code`, and the evidence."""
    code = code_of(refusal)
    evidence = {"kind": code, **_plain(refusal)}
    if isinstance(refusal, BreaksSod):
        evidence["roles"] = [way.roles[-1] for way in refusal.held]
    return {"code": code, "witness": evidence}


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


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    return [_plain(member) for member in value] if isinstance(value, tuple) else value
