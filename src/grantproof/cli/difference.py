"""The semantic difference of two states, as commands show it: a table for people, a document."""

from typing import TYPE_CHECKING, Final

from grantproof.cli.output import Table, tell, tell_coloured, tell_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from grantproof.analysis.findings import Change, Difference
    from grantproof.core.organization import Organization

SHOWN: Final = 20


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
