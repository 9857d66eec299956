"""The timeline: everything that ever happened to an organization, the newest first.

Each event in words, who made it, when and why, and whether the chain that seals them is whole. An
event has a page of its own with the command as it was asked and what it did.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Path, Query
from starlette.responses import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.console.moments import Told, Zone
from grantproof.api.console.places import ORGANIZATION, address
from grantproof.api.console.sealing import Chain, chain_of
from grantproof.api.console.visits import Visit, Visiting
from grantproof.api.events import COMMANDS, REVISION_MAX
from grantproof.api.problems import Fault, Refused, invalid, not_found
from grantproof.api.strictness import strict_router
from grantproof.core.errors import Illegal
from grantproof.core.limits import ACTOR_LENGTH_MAX, EVENTS_SEARCHED_MAX, STRING_LENGTH_MAX
from grantproof.service.event_text import event_text, facts_of
from grantproof.service.history import Entry, EventQuery, look_back

LISTED: Final = 50
"""So many events stand on a page."""
COMMAND_LETTERS_MAX: Final = 20_000
"""So much of a command is shown as it was asked."""
DIGITS_MAX: Final = len(str(REVISION_MAX))

router = strict_router(
    f"{ORGANIZATION}/events", tag="console", access=ADMINISTRATION, in_document=False
)

Text = Annotated[str, Query(max_length=STRING_LENGTH_MAX)]


@dataclass(frozen=True, slots=True)
class Filters:
    """What was typed to find events; what is empty says nothing."""

    actor: str = ""
    command: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""
    text: str = ""

    def query(self, zone: Zone) -> EventQuery:
        """Return which events are meant; raises `Illegal`."""
        if self.command and self.command not in COMMANDS:
            raise Illegal("command", "must be one of the list")
        return EventQuery(
            actor=self.actor or None,
            since=zone.typed("since", self.since),
            until=zone.typed("until", self.until),
            command=self.command or None,
            subject=self.subject or None,
            text=self.text or None,
        )

    @property
    def given(self) -> dict[str, str]:
        """Those that are not empty, as they stand in an address."""
        names = ("actor", "command", "subject", "since", "until", "text")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


async def filtering(
    *,
    actor: Annotated[str, Query(max_length=ACTOR_LENGTH_MAX)] = "",
    command: Text = "",
    subject: Text = "",
    since: Text = "",
    until: Text = "",
    text: Text = "",
) -> Filters:
    """Return what was typed, without white space around it."""
    return Filters(*(one.strip() for one in (actor, command, subject, since, until, text)))


Wanted = Annotated[Filters, Depends(filtering)]


@dataclass(frozen=True, slots=True)
class Row:
    """An event as the timeline shows it."""

    revision: int
    when: Told
    actor: str | None
    what: str
    reason: str | None
    seal: str | None
    """What is wrong with its seal; empty where nothing is, nothing where that is not known."""


@router.get("")
def timeline(
    visit: Visiting,
    filters: Wanted,
    *,
    before: Annotated[str, Query(max_length=DIGITS_MAX)] = "",
    check: Annotated[str, Query(max_length=DIGITS_MAX, pattern="^(chain)?$")] = "",
) -> Response:
    """List events that are wanted, the newest first, and say how far they are sealed."""
    zone = Zone(visit.state.time_zone)
    end = visit.state.revision + 1 if before == "" else number("before", before)
    try:
        query, fault = filters.query(zone), None
    except Illegal as broken:
        query, fault = None, broken
    entries: tuple[Entry, ...] = ()
    more: int | None = None
    if query is not None:
        store = visit.here.services.store
        found = look_back(store, visit.state.id, query, before=end, limit=LISTED)
        entries, more = found.entries, found.more_before
    chain = chain_of(visit, asked=check == "chain")
    given = filters.given
    base = ("orgs", visit.state.id, "events")
    return visit.page(
        "timeline.html",
        status=200 if fault is None else 400,
        zone=zone.name,
        filters=filters,
        fault=fault,
        given=given,
        commands=sorted(COMMANDS),
        rows=[_row(entry, zone, chain) for entry in entries],
        chain=chain,
        check=address(*base, **given, check="chain", before=before or None),
        more=None if more is None else address(*base, **given, before=more),
        is_first=before == "",
        searched_max=EVENTS_SEARCHED_MAX,
    )


@router.get("/{revision}")
def event(visit: Visiting, revision: Annotated[str, Path(max_length=DIGITS_MAX)]) -> Response:
    """Show one event: the command as it was asked, and the facts that it added and removed."""
    wanted = number("revision", revision)
    entry = entry_at(visit, wanted)
    if entry is None:
        raise Refused(not_found("revision", revision))
    zone = Zone(visit.state.time_zone)
    removed, added = facts_of(entry)
    command = json.dumps(json.loads(entry.command), indent=2, ensure_ascii=False)
    erased = None if entry.erased_at is None else zone.told(entry.erased_at)
    chain = chain_of(visit, asked=False)
    return visit.page(
        "event.html",
        row=_row(entry, zone, chain, exact=True),
        chain=chain,
        entry=entry,
        erased=erased,
        command=command[:COMMAND_LETTERS_MAX],
        letters_more=max(0, len(command) - COMMAND_LETTERS_MAX),
        removed=removed,
        added=added,
        latest=visit.state.revision,
    )


def entry_at(visit: Visit, revision: int) -> Entry | None:
    """Return the event of a revision that the page may know of; raises `StoreError`."""
    if revision > visit.state.revision:
        return None
    query = EventQuery(after=revision - 1)
    found = visit.here.services.store.entries(visit.state.id, query, limit=1)
    return next((one for one in found if one.revision == revision), None)


def number(field: str, text: str) -> int:
    """Return the revision that a part of an address is; raises `Refused` for anything else."""
    if not (text.isascii() and text.isdigit()):
        raise Refused(invalid([Fault(field, "must be a revision: a whole number")]))
    return int(text)


def _row(entry: Entry, zone: Zone, chain: Chain, *, exact: bool = False) -> Row:
    return Row(
        entry.revision,
        zone.told(entry.instant, exact=exact),
        entry.actor,
        event_text(entry),
        entry.reason,
        chain.of(entry.revision),
    )
