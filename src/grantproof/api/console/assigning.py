"""The assignments of an organization: who holds which role, from and until when, and how so."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import Depends, Query
from starlette.responses import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.console.moments import Told, Zone
from grantproof.api.console.places import ORGANIZATION, address
from grantproof.api.console.timeline import DIGITS_MAX, entry_at, number
from grantproof.api.console.visits import Visit, Visiting
from grantproof.api.console.wanted import ASSIGN, GROUP, PRINCIPAL, REVOKE
from grantproof.api.problems import Fault, Refused, invalid
from grantproof.api.replies import CURSOR, CURSOR_LENGTH_MAX, SEPARATOR
from grantproof.api.strictness import strict_router
from grantproof.core.authority import unauthorized
from grantproof.core.commands.language import RevokeGroupRole, RevokeRole, SingleCommand
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.limits import STRING_LENGTH_MAX
from grantproof.core.model import Validity
from grantproof.core.organization import Organization
from grantproof.service import review
from grantproof.service.callers import Scope
from grantproof.service.event_text import event_text
from grantproof.service.expiring import SECONDS_A_DAY
from grantproof.service.history import Entry
from grantproof.service.origins import SEARCHED_MAX, Key, origins
from grantproof.service.pip import NOTHING_SUPPLIED, situate

LISTED: Final = 50
"""So many assignments stand on a page."""
SOON_DAYS: Final = 30
KEY_PARTS: Final = 3

Stage = Literal["valid", "expiring", "expired", "not begun"]
STAGES: Final[dict[str, frozenset[Stage]]] = {
    "": frozenset({"valid", "expiring", "expired", "not begun"}),
    "now": frozenset({"valid", "expiring"}),
    "expiring": frozenset({"expiring"}),
    "expired": frozenset({"expired"}),
    "later": frozenset({"not begun"}),
}
"""Which assignments are meant, by the choice of a form."""
CHOICES: Final = (
    ("", "at any time"),
    ("now", "now"),
    ("expiring", f"now, and ending within {SOON_DAYS} days"),
    ("expired", "no longer: ended and still stored"),
    ("later", "not yet: beginning later"),
)
SOON: Final = SOON_DAYS * SECONDS_A_DAY

router = strict_router(
    f"{ORGANIZATION}/assignments", tag="console", access=ADMINISTRATION, in_document=False
)

Text = Annotated[str, Query(max_length=STRING_LENGTH_MAX)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What was typed to find assignments: parts of ids, and a choice of `STAGES`."""

    who: str
    role: str
    when: str

    @property
    def given(self) -> dict[str, str]:
        """Those that are not empty, as they stand in an address."""
        named = {"who": self.who, "role": self.role, "when": self.when}
        return {name: text for name, text in named.items() if text}


@dataclass(frozen=True, slots=True)
class Origin:
    """The event that made an assignment."""

    revision: int
    when: Told
    actor: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """An assignment as the page shows it; `revoke` is where it is revoked, if the visitor may."""

    kind: str
    holder: str
    role: str
    start: Told | None
    end: Told | None
    stage: Stage
    origin: Origin | None
    revoke: str | None
    again: str | None


@dataclass(frozen=True, slots=True)
class Through:
    """A role that a principal holds through groups, the nearest first."""

    role: str
    groups: tuple[str, ...]
    stage: Stage


async def filtering(*, who: Text = "", role: Text = "", when: Text = "") -> Filters:
    """Return what was typed; raises `Refused` for what is no choice."""
    if when not in STAGES:
        raise Refused(invalid([Fault("when", "must be one of the list")]))
    return Filters(who.strip(), role.strip(), when)


@router.get("")
def assignments(
    visit: Visiting,
    filters: Annotated[Filters, Depends(filtering)],
    *,
    after: Annotated[str, Query(max_length=CURSOR_LENGTH_MAX)] = "",
    made: Annotated[str, Query(max_length=DIGITS_MAX)] = "",
) -> Response:
    """List assignments, those of groups first, with the event that made each."""
    state, zone = visit.state, Zone(visit.state.time_zone)
    now = visit.here.services.decisions.instant()
    found = review.page(_keys(state, filters, now), after=_cursor(after), limit=LISTED)
    keys: list[Key] = [(kind, holder, role) for kind, holder, role in found.keys]
    came = origins(visit.here.services.store, state.id, keys, until=state.revision)
    rows = [_row(visit, key, came.get(key), zone=zone, now=now) for key in keys]
    more = None
    if found.more_after is not None:
        end = SEPARATOR.join(found.more_after)
        more = address("orgs", state.id, "assignments", **filters.given, after=end)
    return visit.page(
        "assignments.html",
        filters=filters,
        given=filters.given,
        choices=CHOICES,
        rows=rows,
        through=_through(state, filters, now),
        more=more,
        is_first=after == "",
        zone=zone,
        done=None if made == "" else _done(visit, made),
        may_change=visit.may(Scope.ADMINISTER),
        searched_max=SEARCHED_MAX,
    )


def _cursor(after: str) -> Key | None:
    if after == "":
        return None
    parts = tuple(after.split(SEPARATOR))
    if len(parts) != KEY_PARTS:
        raise Refused(CURSOR)
    return parts[0], parts[1], parts[2]


def _keys(state: Organization, filters: Filters, now: int) -> Iterator[Key]:
    """Yield the keys of the assignments that are meant, in no order."""
    who, role, stages = filters.who.casefold(), filters.role.casefold(), STAGES[filters.when]
    for kind, holder, held, validity in _all(state):
        # What was not typed is not looked at: there may be a million of them.
        if who and who not in holder.casefold():
            continue
        if role and role not in held.casefold():
            continue
        if filters.when == "" or stage_of(validity, now) in stages:
            yield (kind, holder, held)


def _all(state: Organization) -> Iterator[tuple[str, str, str, Validity]]:
    for group, role, validity in state.group_assignments.triples():
        yield GROUP, group, role, validity
    for principal, role, validity in state.assignments.triples():
        yield PRINCIPAL, principal, role, validity


def stage_of(validity: Validity, now: int) -> Stage:
    """Return what is so of an assignment now."""
    if validity.end is not None and validity.end <= now:
        return "expired"
    if validity.start is not None and validity.start > now:
        return "not begun"
    return "expiring" if validity.end is not None and validity.end - now < SOON else "valid"


def _row(visit: Visit, key: Key, entry: Entry | None, *, zone: Zone, now: int) -> Row:
    state, (kind, holder, role) = visit.state, key
    command: SingleCommand
    if kind == GROUP:
        validity = state.group_assignments.of(GroupId(holder))[RoleId(role)]
        command = RevokeGroupRole(GroupId(holder), RoleId(role))
    else:
        validity = state.assignments.of(PrincipalId(holder))[RoleId(role)]
        command = RevokeRole(PrincipalId(holder), RoleId(role))
    named = {"kind": kind, "holder": holder, "role": role}
    to = ("orgs", state.id, "assignments", "change")
    may = _may(visit, command, now)
    times = {"from": zone.field(validity.start) or None, "until": zone.field(validity.end) or None}
    return Row(
        kind,
        holder,
        role,
        None if validity.start is None else zone.told(validity.start),
        None if validity.end is None else zone.told(validity.end),
        stage_of(validity, now),
        None if entry is None else _origin(entry, zone),
        address(*to, do=REVOKE, **named) if may else None,
        address(*to, do=ASSIGN, **named, **times, replace="yes", edit="yes") if may else None,
    )


def _may(visit: Visit, command: SingleCommand, now: int) -> bool:
    """Return whether the visitor may make the change; what is not shown is refused all the same."""
    if not visit.may(Scope.ADMINISTER):
        return False
    principal = visit.caller.author.principal
    if principal is None:
        return True
    context = situate(now, visit.state.time_zone, NOTHING_SUPPLIED)
    return unauthorized(visit.state, command, principal, context=context) is None


def _origin(entry: Entry, zone: Zone) -> Origin:
    return Origin(entry.revision, zone.told(entry.instant, exact=False), entry.actor, entry.reason)


def _through(state: Organization, filters: Filters, now: int) -> tuple[Through, ...]:
    """Return what the principal that was typed, if it is one, holds through groups."""
    if filters.who not in state.principals:
        return ()
    held = review.holdings(state, PrincipalId(filters.who))
    return tuple(
        Through(str(one.role), tuple(map(str, one.groups)), stage_of(one.validity, now))
        for one in held
        if len(one.groups) > 0
    )


def _done(visit: Visit, made: str) -> tuple[int, str] | None:
    """Return the revision that was made just now, and what it did."""
    entry = entry_at(visit, number("made", made))
    return None if entry is None else (entry.revision, event_text(entry))
