"""What reviewers decided, read from the file that they were sent, and the change that this makes.

A decision is about an assignment as it reaches one principal. What the change would take must be
exactly what was marked: a row that is kept, or that nobody marked, is never taken along.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from pydantic_core import PydanticCustomError

from grantproof.core.commands import Rejected, apply
from grantproof.core.commands.language import (
    ChangeSet,
    RemoveMember,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.errors import Illegal
from grantproof.core.hierarchy import closure, groups_of, members_of
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.model import Validity
from grantproof.core.organization import Organization
from grantproof.policyfile.fields import read_instant
from grantproof.service.access_review import group_of
from grantproof.service.review import holdings
from grantproof.service.spreadsheet import rows

KEEP: Final = "keep"
REVOKE: Final = "revoke"
NEEDED: Final = (
    *("organization", "revision", "principal", "role", "group", "from", "until", "decision"),
)
"""The columns that are read; all others are for the reviewer."""


@dataclass(frozen=True, slots=True)
class Held:
    """An assignment as it reaches a principal: its own, or that of a group it is in."""

    principal: PrincipalId
    group: GroupId | None
    role: RoleId

    def __str__(self) -> str:
        """Return it in words."""
        through = "" if self.group is None else f" through group `{self.group}`"
        return f"role `{self.role}` of `{self.principal}`{through}"


@dataclass(frozen=True, slots=True)
class Decided:
    """A row: which assignment, as it was when the file was written, and what was decided of it."""

    line: int
    held: Held
    validity: Validity
    revoked: bool


@dataclass(frozen=True, slots=True)
class Review:
    """A file of one organization at one revision, and the lines at which it makes no sense."""

    organization: str
    revision: int
    decided: tuple[Decided, ...]
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Revocation:
    """The change that takes what was marked, what is gone already, and why it cannot be made.

    With `faults` there are no commands. Each fault and each of `gone` names its line.
    """

    commands: tuple[SingleCommand, ...] = ()
    gone: tuple[str, ...] = ()
    faults: tuple[str, ...] = field(default=())


def read_review(lines: Iterable[str]) -> Review:
    """Return what the file says; raises `ValueError` for what is no such file."""
    found = rows(lines)
    number, header = next(found, (1, ()))
    columns = {name.strip().lower(): place for place, name in enumerate(header)}
    missing = [name for name in NEEDED if name not in columns]
    if missing:
        message = f"line {number}: the header must name the column `{missing[0]}`"
        raise ValueError(message)
    return _read(found, {name: columns[name] for name in NEEDED}, width=len(header))


def _read(
    found: Iterator[tuple[int, Iterable[str]]], columns: Mapping[str, int], *, width: int
) -> Review:
    decided, faults, source = list[Decided](), list[str](), None
    for number, some in found:
        cells = [*some]
        if len(cells) != width:
            faults.append(f"line {number}: must have {width} cells, as the header has")
            continue
        row = {name: cells[place].strip() for name, place in columns.items()}
        here = (row["organization"], row["revision"])
        source = here if source is None else source
        try:
            if here != source:
                faults.append(f"line {number}: is of another organization or revision")
                continue
            decided.append(_decided(number, row))
        except (Illegal, ValueError) as error:
            faults.append(f"line {number}: {_message(error)}")
    if source is None:
        return Review("", 0, (), tuple(faults))
    name, revision = source
    if not revision.isdecimal():
        message = f"the revision `{revision}` must be a number"
        raise ValueError(message)
    return Review(name, int(revision), tuple(decided), tuple(faults))


def _decided(number: int, row: Mapping[str, str]) -> Decided:
    decision = row["decision"].lower()
    if decision not in {"", KEEP, REVOKE}:
        message = f"the decision `{row['decision']}` must be `{KEEP}`, `{REVOKE}` or nothing"
        raise ValueError(message)
    group = GroupId(row["group"]) if row["group"] else None
    held = Held(PrincipalId(row["principal"]), group, RoleId(row["role"]))
    return Decided(
        number, held, Validity(*map(_instant, (row["from"], row["until"]))), decision == REVOKE
    )


def _instant(text: str) -> int | None:
    return cast(int, read_instant(text)) if text else None


def _message(error: Exception) -> str:
    return error.message() if isinstance(error, PydanticCustomError) else str(error)


def revocation(state: Organization, review: Review) -> Revocation:
    """Return the change that the decisions amount to on the state, or why there is none.

    A direct assignment is revoked. Of what comes through a group the principal is taken out of each
    group that leads to it; where nobody in the group shall have it, the group's assignment goes.
    """
    faults = [*review.faults, *_ahead(state, review), *_contradictions(review.decided)]
    marked: dict[Held, int] = {}
    gone: list[str] = []
    for one in review.decided:
        stored = _validity(state, one.held)
        if stored is None:
            gone.append(f"line {one.line}: {one.held} is gone already")
        elif one.revoked and stored != one.validity:
            faults.append(f"line {one.line}: {one.held} was assigned anew since: export again")
        elif one.revoked:
            marked.setdefault(one.held, one.line)
    commands = tuple(_commands(state, marked))
    if not faults and commands:
        faults = list(_taken_along(state, commands, marked=marked, review=review))
    return Revocation(() if faults else commands, tuple(gone), tuple(faults))


def _ahead(state: Organization, review: Review) -> Iterator[str]:
    if review.organization not in {"", state.id}:
        yield f"the file is of organization `{review.organization}`, not of `{state.id}`"
    elif review.revision > state.revision:
        yield f"the file is of revision {review.revision}, which `{state.id}` has not reached"


def _contradictions(decided: Iterable[Decided]) -> Iterator[str]:
    """Yield where rows of one assignment, such as those of its claims, decide differently."""
    first: dict[Held, Decided] = {}
    for one in decided:
        other = first.setdefault(one.held, one)
        if one.revoked != other.revoked:
            verb = "revokes" if one.revoked else "does not revoke"
            yield f"line {one.line}: {verb} {one.held}, unlike line {other.line}: mark both alike"


def _validity(state: Organization, held: Held) -> Validity | None:
    if held.group is None:
        return state.assignments.of(held.principal).get(held.role)
    if held.principal not in state.principals or held.group not in groups_of(state, held.principal):
        return None
    return state.group_assignments.of(held.group).get(held.role)


def _commands(state: Organization, marked: Mapping[Held, int]) -> Iterator[SingleCommand]:
    shared: defaultdict[tuple[GroupId, RoleId], list[PrincipalId]] = defaultdict(list)
    for held in marked:
        if held.group is None:
            yield RevokeRole(held.principal, held.role)
        else:
            shared[held.group, held.role].append(held.principal)
    leaving: dict[tuple[PrincipalId, GroupId], None] = {}
    for (group, role), principals in shared.items():
        if members_of(state, (group,)) == frozenset(principals):
            yield RevokeGroupRole(group, role)
            continue
        inside = closure((group,), state.groups.children)
        for principal in principals:
            own = (one for one in state.memberships.of(principal) if one in inside)
            leaving.update(dict.fromkeys((principal, one) for one in sorted(own)))
    yield from (RemoveMember(principal, group) for principal, group in leaving)


def _taken_along(
    state: Organization,
    commands: tuple[SingleCommand, ...],
    *,
    marked: Mapping[Held, int],
    review: Review,
) -> Iterator[str]:
    """Yield what the commands would take from a principal that no row revokes."""
    outcome = apply(state, ChangeSet(commands), actor="review", instant=0)
    if isinstance(outcome, Rejected):
        # Why is told by whoever proposes it, in the words of every other refusal.
        return
    lines = {one.held: one.line for one in reversed(review.decided)}
    for principal in sorted({held.principal for held in marked}):
        lost = _held(state, principal) - _held(outcome.state, principal) - marked.keys()
        line = min(at for held, at in marked.items() if held.principal == principal)
        for held in sorted(lost, key=str):
            why = f"line {lines[held]} does not" if held in lines else "no line does"
            yield (
                f"line {line}: to revoke this would also take {held}, which {why} revoke:"
                " mark it too, or change the groups first"
            )


def _held(state: Organization, principal: PrincipalId) -> frozenset[Held]:
    return frozenset(
        Held(principal, GroupId(group_of(one)) if one.groups else None, one.role)
        for one in holdings(state, principal)
    )
