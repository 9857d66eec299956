"""What happened, as people and programs read it: entries, what to look for, and pages of them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import EVENTS_SEARCHED_MAX
from grantproof.policyfile.wire import encode_command, encode_delta
from grantproof.service.audit_chain import NO_FACTS
from grantproof.service.authors import Author

BEFORE_ALL: Final = -1
"""The revision after which every event comes, the founding included."""

SUBTREE: Final = "/**"
OF_KIND: Final = "kind:"
NOT_IDS: Final = frozenset({"type", "attributes", "constraints", "mode", "time_zone"})
"""Members of a command or a fact that name no entity."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is read: the founding is revision 0, the dissolution the last.

    `actor` and `reason` are nothing once they are erased, at `erased_at`; `instant` and `erased_at`
    are epoch seconds. `command` and `delta` are JSON; `mac` is the seal, where there is one.
    """

    organization: str
    revision: int
    kind: str
    instant: int
    actor: str | None
    reason: str | None
    request_id: str | None
    erased_at: int | None
    command: str
    delta: str
    mac: str | None = None


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which entries are wanted: those after a revision for which everything that is named holds.

    `since` is the first instant and `until` the one before which it ends, in epoch seconds.
    `command` is the type of the command or of one in its change set. `subject` is an id that is
    named in the command or in what it did. With `before` only those before that revision are
    wanted, the newest first. `text` is part of who made it, why, or of what the command says,
    whether in small or in capital letters.
    """

    after: int = BEFORE_ALL
    actor: str | None = None
    since: int | None = None
    until: int | None = None
    command: str | None = None
    subject: str | None = None
    before: int | None = None
    text: str | None = None


EVERYTHING: Final = EventQuery()


class History(Protocol):
    """What happened to organizations, those that are no more included."""

    def latest(self, organization: OrganizationId) -> int | None:
        """Return the revision of the last event, or nothing when there never was one."""
        ...

    def entries(
        self, organization: OrganizationId, query: EventQuery, *, limit: int
    ) -> tuple[Entry, ...]:
        """Return wanted entries in the order of their revisions, at most `limit`.

        Looks at no more than the `EVENTS_SEARCHED_MAX` events after `query.after`; with
        `query.before` at no more than so many before that, and returns the newest first.
        """
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at the history found; `more_after` is where to look next, if there is more."""

    entries: tuple[Entry, ...]
    more_after: int | None


def look(
    history: History, organization: OrganizationId, query: EventQuery, *, limit: int, latest: int
) -> Look:
    """Return at most `limit` wanted entries; `latest` is the last revision known."""
    found = history.entries(organization, query, limit=limit + 1)
    if len(found) > limit:
        return Look(found[:limit], found[limit - 1].revision)
    searched = query.after + EVENTS_SEARCHED_MAX
    return Look(found, searched if searched < latest else None)


@dataclass(frozen=True, slots=True)
class LookBack:
    """What a look backward found, the newest first; `more_before` is where to look next."""

    entries: tuple[Entry, ...]
    more_before: int | None


def look_back(
    history: History, organization: OrganizationId, query: EventQuery, *, before: int, limit: int
) -> LookBack:
    """Return at most `limit` wanted entries before a revision, the newest first."""
    found = history.entries(organization, replace(query, before=before), limit=limit + 1)
    if len(found) > limit:
        return LookBack(found[:limit], found[limit - 1].revision)
    searched = max(before - EVENTS_SEARCHED_MAX, query.after + 1)
    return LookBack(found, searched if searched > 0 else None)


def everything(
    history: History, organization: OrganizationId, query: EventQuery, *, limit: int
) -> Iterator[Entry]:
    """Yield every wanted entry that there is now, read `limit` at a time."""
    latest = history.latest(organization)
    after: int | None = query.after
    while after is not None and latest is not None and after < latest:
        wanted = replace(query, after=after)
        page = look(history, organization, wanted, limit=limit, latest=latest)
        yield from page.entries
        after = page.more_after


def entry(
    organization: str,
    revision: int,
    kind: str,
    *,
    instant: int,
    by: Author,
    command: str,
    delta: str = NO_FACTS,
) -> Entry:
    """Return the entry of something that happened, of which nothing is erased and no seal known."""
    told = (by.actor, by.reason, by.request_id)
    return Entry(organization, revision, kind, instant, *told, None, command, delta)


def entry_of(event: Event) -> Entry:
    """Return the entry of a change."""
    return entry(
        event.organization,
        event.revision,
        "change",
        instant=event.instant,
        by=Author(event.actor, request_id=event.request_id, reason=event.reason),
        command=encode_command(event.command),
        delta=encode_delta(event.delta),
    )


def matches(entry: Entry, query: EventQuery) -> bool:
    """Return whether the entry is wanted."""
    if entry.revision <= query.after:
        return False
    if query.since is not None and entry.instant < query.since:
        return False
    if query.until is not None and entry.instant >= query.until:
        return False
    if query.actor is not None and entry.actor != query.actor:
        return False
    if query.before is not None and entry.revision >= query.before:
        return False
    if query.command is not None and query.command not in command_types(entry):
        return False
    if query.text is not None and not says(entry, query.text):
        return False
    return query.subject is None or query.subject in subjects(entry)


def command_types(entry: Entry) -> tuple[str, ...]:
    """Return the type of the command, and those of the commands in a change set."""
    told = json.loads(entry.command)
    return (told["type"], *(step["type"] for step in told.get("commands", ())))


def says(entry: Entry, text: str) -> bool:
    """Return whether the text is part of who made it, why, or of what the command says."""
    told = (entry.actor or "", entry.reason or "", *_texts(json.loads(entry.command)))
    return any(text.casefold() in one.casefold() for one in told)


def subjects(entry: Entry) -> frozenset[str]:
    """Return every id that is named in the command or in what it did."""
    return frozenset(_named([json.loads(entry.command), json.loads(entry.delta)]))


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a document, the names of its members apart."""
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            yield from _texts(list(value.values()))
        case _:
            return


def _named(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
            yield value.removesuffix(SUBTREE).removeprefix(OF_KIND)
        case list():
            for item in value:
                yield from _named(item)
        case dict():
            for name, member in value.items():
                if name not in NOT_IDS:
                    yield from _named(member)
        case _:
            return
