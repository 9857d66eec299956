"""The semantic difference of two states as a document, the same at every door."""

from itertools import islice
from typing import Final

from grantproof.analysis.findings import Change, Count, Difference, Scope, Unsettled
from grantproof.core.messages import reason_message
from grantproof.policyfile.answers import CODES, Certificate
from grantproof.policyfile.contexts import Written, write_context

MEMBERS_SHOWN: Final = 10
"""So many members of a class are named where not all are asked for."""


def difference_document(found: Difference, *, everything: bool) -> Written:
    """Return the difference for programs; with `everything` each class names all its members."""
    return {
        "verdict": found.verdict.value,
        "gained": _count(found.gained),
        "lost": _count(found.lost),
        "gains": [_change(change, everything=everything) for change in found.gains],
        "losses": [_change(change, everything=everything) for change in found.losses],
        "undetermined": [_unsettled(one, everything=everything) for one in found.undetermined],
    }


def _count(count: Count) -> dict[str, int]:
    return {"classes": count.classes, "requests": count.requests}


def _change(change: Change, *, everything: bool) -> Written:
    return {
        **_scope(change.scope, everything=everything),
        "context": write_context(change.context),
        "certificate": Certificate.of(change.certificate).written(),
        "reason": reason_message(change.reason),
        "reason_code": CODES[type(change.reason)],
    }


def _unsettled(one: Unsettled, *, everything: bool) -> Written:
    scope = _scope(one.scope, everything=everything)
    return {"direction": one.direction.value, **scope, "why": one.why}


def _scope(scope: Scope, *, everything: bool) -> Written:
    """Return whose requests these are: the first of them, and with --all every one."""
    most = None if everything else MEMBERS_SHOWN
    example = scope.example
    return {
        "principal_count": len(scope.principals),
        "principals": list(map(str, islice(scope.principals, most))),
        "actions": list(map(str, scope.actions.named)),
        "other_actions": scope.actions.other is not None,
        "resource_count": len(scope.subjects),
        "resources": [
            {
                "resource_id": str(subject.resource) if subject.registered else None,
                "resource_kind": subject.kind,
            }
            for subject in scope.subjects[:most]
        ],
        "example": {
            "principal_id": str(example.principal),
            "action": str(example.action),
            "resource_id": str(example.resource),
            "resource_kind": example.kind,
        },
    }
