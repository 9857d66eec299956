"""Replaying: the events folded from nothing, and each stored row held against what they make.

This does not go through the code that writes the rows at a commit, so that each checks the other.
P-REPLAY.
"""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, select

from grantproof.adapters.sql.mapping import ENTITIES, MAPPINGS, Mapping, Stored
from grantproof.adapters.sql.rows import table
from grantproof.core.model import Administered, Delta
from grantproof.policyfile.wire import Unreadable, decode_delta
from grantproof.service.audit_chain import Content, founded_in
from grantproof.service.ports import Difference
from grantproof.service.versions import edited

ROWS_AT_ONCE: Final = 1_000

ORGANIZATION: Final = table("organization")
EVENT: Final = table("event")

CONTENT: Final = (
    EVENT.c.organization_id,
    EVENT.c.revision,
    EVENT.c.kind,
    EVENT.c.instant,
    EVENT.c.request_id,
    EVENT.c.command,
    EVENT.c.delta,
    EVENT.c.commitment,
)
"""In the order of the fields of `Content`."""

Key = tuple[object, ...]
Rows = dict[Key, tuple[object, ...]]
"""Rows by key: the values of a mapping's columns, then the revision that last changed them."""


class Projection:
    """What the events of one organization make, row by row."""

    def __init__(self) -> None:
        self.tables: dict[str, Rows] = {mapping.table.name: {} for mapping in MAPPINGS}
        self.organization: dict[str, object] = {"deleted_at": None, "administered": 0}

    def follow(self, event: Content) -> None:
        """Let one more event happen; raises `Unreadable`."""
        self.organization["revision"] = event.revision
        match event.kind:
            case "found":
                zone = {"time_zone": founded_in(event), "created_at": event.instant}
                self.organization.update(zone)
            case "dissolve":
                self.organization["deleted_at"] = event.instant
                for rows in self.tables.values():
                    rows.clear()
            case _:
                self._change(decode_delta(event.delta), event.revision)

    def _change(self, delta: Delta, revision: int) -> None:
        for fact in delta.removed:
            for mapping in MAPPINGS:
                if isinstance(fact, mapping.fact):
                    self._remove(mapping, fact)
            if isinstance(fact, Administered):
                self.organization["administered"] = 0
        for fact in delta.added:
            for mapping in MAPPINGS:
                if isinstance(fact, mapping.fact):
                    self._add(mapping, fact, revision)
            if isinstance(fact, Administered):
                self.organization["administered"] = 1
        for entity in edited(delta):
            rows = self.tables[ENTITIES[entity.fact].table.name]
            rows[entity.id,] = (*rows[entity.id,][:-1], revision)

    def _remove(self, mapping: Mapping, fact: object) -> None:
        rows = self.tables[mapping.table.name]
        for values in mapping.write(fact):
            rows.pop(tuple(values[name] for name in mapping.key), None)

    def _add(self, mapping: Mapping, fact: object, revision: int) -> None:
        rows = self.tables[mapping.table.name]
        for values in mapping.write(fact):
            key = tuple(values[name] for name in mapping.key)
            rows[key] = (*(values[name] for name in mapping.columns), revision)


def differences(connection: Connection, organization: str) -> Iterator[Difference]:
    """Yield every stored row of the organization that is not what its events make of it."""
    made = Projection()
    for event in _events(connection, organization):
        try:
            made.follow(event)
        except Unreadable as error:
            yield Difference("event", (str(event.revision),), f"cannot be read: {error}")
            return
    yield from _organization_differences(connection, organization, made)
    for mapping in MAPPINGS:
        yield from _table_differences(connection, organization, mapping, made=made)


def _events(connection: Connection, organization: str) -> Iterator[Content]:
    mine = EVENT.c.organization_id == organization
    query = select(*CONTENT).where(mine).order_by(EVENT.c.revision)
    rows = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    return (Content(*row) for row in rows)


def _organization_differences(
    connection: Connection, organization: str, made: Projection
) -> Iterator[Difference]:
    names: tuple[str, ...] = ("revision", "time_zone", "administered", "created_at", "deleted_at")
    columns = (ORGANIZATION.c[name] for name in names)
    row = connection.execute(select(*columns).where(ORGANIZATION.c.id == organization)).first()
    key = (organization,)
    if row is None:
        yield Difference(ORGANIZATION.name, key, "is not there")
        return
    if made.organization["deleted_at"] is not None:
        # What is deleted has no facts, and whether it was administered no longer matters.
        names = tuple(name for name in names if name != "administered")
    told = ((name, made.organization.get(name), getattr(row, name)) for name in names)
    what = _what(told)
    if what is not None:
        yield Difference(ORGANIZATION.name, key, what)


def _table_differences(
    connection: Connection, organization: str, mapping: Mapping, *, made: Projection
) -> Iterator[Difference]:
    name, expected = mapping.table.name, dict(made.tables[mapping.table.name])
    columns = (*mapping.columns, "revision")
    mine = mapping.table.c.organization_id == organization
    keys = [mapping.table.c[part] for part in mapping.key]
    query = select(*(mapping.table.c[part] for part in columns)).where(mine).order_by(*keys)
    positions = [columns.index(part) for part in mapping.key]
    for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query):
        key = tuple(row[position] for position in positions)
        wanted = expected.pop(key, None)
        if wanted is None:
            yield Difference(name, _shown(key), "is there, and no event made it")
        elif wanted != tuple(row):
            what = _what(zip(columns, wanted, row, strict=True))
            yield Difference(name, _shown(key), what or "is of another type")
    for key in sorted(expected, key=_shown):
        yield Difference(name, _shown(key), "is not there, and an event made it")


def _what(told: Iterator[tuple[str, object, object]] | Stored) -> str | None:
    """Return how stored values differ from made ones, or nothing."""
    found = [
        f"`{name}` is {_text(stored)}, the events make it {_text(made)}"
        for name, made, stored in told
        if made != stored
    ]
    return ", ".join(found) or None


def _text(value: object) -> str:
    return "nothing" if value is None else f"`{value}`"


def _shown(key: Key) -> tuple[str, ...]:
    return tuple(map(str, key))
