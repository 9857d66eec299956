"""The semantic difference of two states, as commands show it: a table for people, a document."""

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from grantproof.cli.output import Table, tell, tell_coloured, tell_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grantproof.analysis.findings import Change, Count, Difference, Scope, Unsettled
    from grantproof.core.organization import Organization

SHOWN: Final = 20
MEMBERS_SHOWN: Final = 10


def compared(
    before: "Organization", after: "Organization", *, now: int, limit: int | None = SHOWN
) -> "Difference":
    """Return who gains and who loses what; of each at most `limit` changes are shown."""
    from grantproof.analysis.difference import difference
    from grantproof.analysis.solving import Solver
    from grantproof.service.pip import calendar

    return difference(
        before, after, Solver(calendar=calendar(after.time_zone)), now=now, limit=limit
    )


def tell_difference(found: "Difference") -> None:
    """Print who gains and who loses what, and of whom it is not known."""
    from grantproof.service.difference_text import headline, unsettled_line

    tell(headline(found))
    for word, changes, count in (
        ("gains", found.gains, found.gained),
        ("loses", found.losses, found.lost),
    ):
        if len(changes) > 0:
            tell()
            tell_table(Table((word, "action", "resource", "example", "because"), _rows(changes)))
        if count.classes > len(changes):
            tell(f"and {count.classes - len(changes):,} more: see --all or --limit")
    for one in found.undetermined:
        tell(unsettled_line(one))


def _rows(changes: "Iterable[Change]") -> list[list[str]]:
    from grantproof.service.difference_text import because, circumstances, may, where, who

    return [
        [
            who(change.scope),
            may(change.scope.actions),
            where(change.scope.subjects),
            f"{change.scope.example.principal} at {circumstances(change.context)}",
            because(change),
        ]
        for change in changes
    ]


def tell_effect(found: "Difference") -> None:
    """Print who gains and who loses what, a line each, without examples."""
    from grantproof.service.difference_text import headline, may, unsettled_line, where, who

    tell(headline(found))
    for word, colour, changes, count in (
        ("loses", "red", found.losses, found.lost),
        ("gains", "green", found.gains, found.gained),
    ):
        for change in changes:
            scope = change.scope
            access = f"{may(scope.actions)} {where(scope.subjects)}"
            tell_coloured(f"{word}: {who(scope)} {access}", colour)
        if count.classes > len(changes):
            tell(f"and {count.classes - len(changes):,} more: see `grantproof policy diff`")
    for one in found.undetermined:
        tell(unsettled_line(one))


def difference_document(found: "Difference", *, everything: bool) -> dict[str, Any]:
    """Return the difference for programs; with `everything` each class names all its members."""
    return {
        "verdict": found.verdict.value,
        "gained": _count(found.gained),
        "lost": _count(found.lost),
        "gains": [_change(change, everything=everything) for change in found.gains],
        "losses": [_change(change, everything=everything) for change in found.losses],
        "undetermined": [_unsettled(one, everything=everything) for one in found.undetermined],
    }


def _count(count: "Count") -> dict[str, int]:
    return {"classes": count.classes, "requests": count.requests}


def _change(change: "Change", *, everything: bool) -> dict[str, Any]:
    from grantproof.core.messages import reason_message
    from grantproof.policyfile.answers import CODES, Certificate
    from grantproof.policyfile.contexts import write_context

    return {
        **_scope(change.scope, everything=everything),
        "context": write_context(change.context),
        "certificate": Certificate.of(change.certificate).model_dump(mode="json", by_alias=True),
        "reason": reason_message(change.reason),
        "reason_code": CODES[type(change.reason)],
    }


def _unsettled(one: "Unsettled", *, everything: bool) -> dict[str, Any]:
    scope = _scope(one.scope, everything=everything)
    return {"direction": one.direction.value, **scope, "why": one.why}


def _scope(scope: "Scope", *, everything: bool) -> dict[str, Any]:
    """Return whose requests these are: the first of them, and with --all every one."""
    most = None if everything else MEMBERS_SHOWN
    example = scope.example
    return {
        "principal_count": len(scope.principals),
        "principals": list(islice(scope.principals, most)),
        "actions": list(scope.actions.named),
        "other_actions": scope.actions.other is not None,
        "resource_count": len(scope.subjects),
        "resources": [
            {
                "resource_id": subject.resource if subject.registered else None,
                "resource_kind": subject.kind,
            }
            for subject in scope.subjects[:most]
        ],
        "example": {
            "principal_id": example.principal,
            "action": example.action,
            "resource_id": example.resource,
            "resource_kind": example.kind,
        },
    }
