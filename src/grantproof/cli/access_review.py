"""Access reviews: who has what and why, the file that reviewers are sent, and what they decided."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final, Literal

import typer

from grantproof.cli.exits import ExitCode, Stop, absent, unusable, usage
from grantproof.cli.operator import Operator
from grantproof.cli.output import NOTHING, Table, complain, tell, tell_json, tell_table, tell_text
from grantproof.cli.planned import Consent, carry_out

if TYPE_CHECKING:
    from grantproof.core.organization import Organization
    from grantproof.service.access_review import Access, Sought
    from grantproof.service.expiring import Timed
    from grantproof.service.review_decisions import Review

STANDARD: Final = "-"
WITHIN_DAYS: Final = "30d"
FAULTS_SHOWN: Final = 20

OutputFile = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it.")
]
RowsOption = Annotated[
    Literal["assignments", "claims"],
    typer.Option("--rows", help="A row for each assignment that reaches somebody, or each claim."),
]
NoHistory = Annotated[
    bool,
    typer.Option("--no-history", help="Leave out when and by whom: no event has to be read."),
]
ReviewFile = Annotated[
    str, typer.Argument(metavar="FILE", help="The reviewed file; - is the standard input.")
]
Within = Annotated[
    str, typer.Option("--within", metavar="DAYS", help="How soon it has to end, such as 30d.")
]
StageOption = Annotated[
    Literal["expired", "expiring", "not_begun"] | None,
    typer.Option("--stage", help="Only those that have ended, end soon, or have not begun."),
]


@dataclass(frozen=True, slots=True)
class Seeking:
    """Whose access, to what."""

    principal: Annotated[
        str | None, typer.Option("--principal", metavar="PRINCIPAL", help="Of this one only.")
    ] = None
    role: Annotated[
        str | None, typer.Option("--role", metavar="ROLE", help="To this role only.")
    ] = None
    resource: Annotated[
        str | None, typer.Option("--resource", metavar="RESOURCE", help="On this resource only.")
    ] = None
    kind: Annotated[
        str | None, typer.Option("--kind", metavar="KIND", help="The kind of the resource.")
    ] = None
    action: Annotated[
        str | None, typer.Option("--action", metavar="ACTION", help="For this action only.")
    ] = None

    def sought(self, state: "Organization") -> "Sought":
        """Return what is sought; raises `Stop` for what there is not."""
        from grantproof.core import identifiers
        from grantproof.service.access_review import Sought
        from grantproof.service.standard_review import known

        principal = None if self.principal is None else identifiers.PrincipalId(self.principal)
        role = None if self.role is None else identifiers.RoleId(self.role)
        resource = None if self.resource is None else identifiers.ResourceId(self.resource)
        if principal is not None and principal not in state.principals:
            raise absent("principal", principal)
        if role is not None and role not in state.roles:
            raise absent("role", role)
        if resource is None and self.kind is not None:
            raise usage("--kind is that of a resource: name it with --resource")
        if resource is not None and not known(state, resource, self.kind):
            raise absent("resource", resource)
        action = None if self.action is None else identifiers.Action(self.action)
        return Sought(principal, role, resource, self.kind, action)


def access(operator: Operator, *, seeking: Seeking) -> None:
    """List who holds which role now, by which way, until when, and the claims that this gives."""
    from grantproof.service.access_review import access as ways_sought
    from grantproof.service.review_documents import way_document

    state, instant = operator.state, operator.instant()
    ways = ways_sought(state, seeking.sought(state), instant=instant)
    if operator.json:
        _tell_array(map(way_document, ways))
        return
    columns = ("principal", "status", "role", "by", "until", "role lasts until", "claim", "what")
    tell_table(Table(columns, [row for way in ways for row in _rows(way)]))


def export(
    operator: Operator,
    *,
    output: OutputFile = None,
    rows: RowsOption = "assignments",
    no_history: NoHistory = False,
) -> None:
    """Write the access review of everybody as CSV, of one revision and one instant."""
    from grantproof.service.access_csv import csv_pieces
    from grantproof.service.history import EventQuery
    from grantproof.service.provenance import retold

    state, instant, origin = operator.state, operator.instant(), None
    if not no_history:
        # The founding is in the history too, and changed nothing.
        events = operator.events(state.id, EventQuery(after=0))
        origin = retold(events, until=state.revision)
    pieces = csv_pieces(state, origin, instant=instant, rows=rows)
    if output is None or output == STANDARD:
        for piece in pieces:
            tell_text(piece)
        return
    try:
        with Path(output).open("w", encoding="utf-8", newline="") as stream:
            stream.writelines(pieces)
    except OSError as error:
        raise unusable(output, "written", error) from None
    if operator.json:
        told = {"outcome": "written", "organization": state.id, "revision": state.revision}
        tell_json({**told, "file": output})
    else:
        tell(f"wrote the access review to {output} ({state.id}, revision {state.revision})")


def apply(operator: Operator, file: ReviewFile, *, consent: Consent) -> None:
    """Revoke what reviewers marked `revoke` in an exported file: all of it as one change."""
    from grantproof.service.review_decisions import revocation

    reviewed, state = _read(file), operator.state
    found = revocation(state, reviewed)
    if found.faults:
        more = len(found.faults) - FAULTS_SHOWN
        rest = [f"and {more:,} more"] if more > 0 else []
        lines = [*found.faults[:FAULTS_SHOWN], *rest, "nothing was changed: mend the file"]
        document = {"outcome": "refused", "errors": list(found.faults), "gone": list(found.gone)}
        raise Stop(ExitCode.NO, *lines, document=document)
    for line in found.gone:
        complain(line)
    done = f"revoked what `{file}` marks"
    more_told = {"gone": list(found.gone)}
    carry_out(operator, found.commands, consent, of=state, done=done, more=more_told)


def expiring(
    operator: Operator, *, within: Within = WITHIN_DAYS, stage: StageOption = None
) -> None:
    """List assignments that end soon, have ended or have not begun, the earliest first."""
    from grantproof.service.expiring import SECONDS_A_DAY, timed
    from grantproof.service.review_documents import timed_document

    digits = within.removesuffix("d")
    if not (digits.isascii() and digits.isdecimal() and len(digits) < len("1000000")):
        raise usage(f"--within `{within}` must be a number of days, such as 30d")
    state, instant = operator.state, operator.instant()
    seconds = int(digits) * SECONDS_A_DAY
    found = sorted(
        timed(state, instant=instant, within=seconds, stage=stage), key=lambda one: one.key
    )
    if operator.json:
        _tell_array(map(timed_document, found))
        return
    columns = ("stage", "at", "holder", "role", "from", "until")
    tell_table(Table(columns, list(map(_timed_row, found))))


def _rows(way: "Access") -> Iterator[tuple[str, ...]]:
    from grantproof.cli.shown import claim_text, moment

    groups = [f"group {group}" for group in way.holding.groups]
    by = " > ".join([*groups, *way.roles])
    ends = (way.holding.validity.end, way.lasts_until)
    until = (NOTHING if end is None else moment(end) for end in ends)
    status = "active" if way.principal.active else "suspended"
    head = (way.principal.id, status, way.roles[-1], by, *until)
    for claim in way.claims:
        yield (*head, claim.id, claim_text(claim))
    if len(way.claims) == 0:
        yield (*head, NOTHING, NOTHING)


def _timed_row(timed: "Timed") -> tuple[str, ...]:
    from grantproof.cli.shown import moment, period

    holder = f"{timed.kind} {timed.holder}"
    return (timed.stage, moment(timed.instant), holder, timed.role, *period(timed.validity))


def _tell_array(documents: Iterable[Any]) -> None:
    """Print one JSON array, an item a line: as many as there are, in the memory of one."""
    import json

    between = "["
    for document in documents:
        tell_text(f"{between}\n  {json.dumps(document)}")
        between = ","
    tell_text("[]\n" if between == "[" else "\n]\n")


def _read(file: str) -> "Review":
    from grantproof.service.review_decisions import read_review

    try:
        with _opened(file) as stream:
            return read_review(stream)
    except UnicodeDecodeError:
        raise usage(f"`{file}` is not UTF-8") from None
    except ValueError as error:
        raise usage(f"`{file}`: {error}") from None


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    if file == STANDARD:
        sys.stdin.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]  # a file
        yield sys.stdin
        return
    try:
        with Path(file).open(encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise unusable(file, "read", error) from None
