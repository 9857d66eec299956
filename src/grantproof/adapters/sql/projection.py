"""The current facts of an organization as rows: changed by a delta, or erased.

The tables are a projection of the events. What is added and removed under the same key is an
update, so that nothing which refers to it is touched.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Update,
    and_,
    bindparam,
    delete,
    insert,
    text,
    update,
)

from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import ENTITIES, MAPPINGS, Mapping, Values
from grantproof.core.commands import Event
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Fact
from grantproof.service.ports import StoreUnusable
from grantproof.service.versions import edited

BATCH_ROWS: Final = 10_000
"""How many rows are handed to the database at once; a delta of any size is written in batches."""

UNHURRIED: Final = text("SET LOCAL statement_timeout = 0")

FINDS: Final = "finds_"
"""Begins the parameters that find a row, to tell them from those that change it."""

Key = tuple[object, ...]


def write_delta(connection: Connection, event: Event) -> None:
    """Change the rows as the event's delta says, and touch those of entities that change with it.

    Nodes arrive before the edges that name them, and leave after; every reference holds throughout.
    Raises `StoreUnusable` when a row to be changed or removed is not there.
    """
    removed, added = _by_type(event.delta.removed), _by_type(event.delta.added)
    changes = [
        _change(mapping, event, removed=removed[mapping.fact], added=added[mapping.fact])
        for mapping in MAPPINGS
        if mapping.fact in removed or mapping.fact in added
    ]
    for change in changes:
        _insert(connection, change)
        _update(connection, change)
    _touch(connection, event)
    for change in reversed(changes):
        _delete(connection, change)


def erase(connection: Connection, organization: OrganizationId) -> None:
    """Remove every current row of the organization."""
    if connection.dialect.name == "postgresql":
        # However long one table takes: given up, a large organization could never be deleted.
        connection.execute(UNHURRIED)
    for mapping in reversed(MAPPINGS):
        mine = mapping.table.c.organization_id == organization
        connection.execute(delete(mapping.table).where(mine))


@dataclass(frozen=True, slots=True)
class _Change:
    """What an event does to one table: rows go, rows are replaced, the other `added` are new."""

    mapping: Mapping
    event: Event
    added: Sequence[Fact]
    gone: frozenset[Key]
    replaced: frozenset[Key]


def _change(
    mapping: Mapping, event: Event, *, removed: Sequence[Fact], added: Sequence[Fact]
) -> _Change:
    leaving = frozenset(_key(mapping, values) for values in _values(mapping, removed))
    # Nothing leaves in most changes, the largest included: then the keys are not looked at.
    arriving = _values(mapping, added) if len(leaving) > 0 else ()
    replaced = leaving & {_key(mapping, values) for values in arriving}
    return _Change(mapping, event, added, leaving - replaced, replaced)


def _by_type(facts: Iterable[Fact]) -> defaultdict[type, list[Fact]]:
    found: defaultdict[type, list[Fact]] = defaultdict(list)
    for fact in facts:
        found[type(fact)].append(fact)
    return found


def _values(mapping: Mapping, facts: Iterable[Fact]) -> Iterator[Values]:
    for fact in facts:
        yield from mapping.write(fact)


def _key(mapping: Mapping, values: Values) -> Key:
    return tuple(values[name] for name in mapping.key)


def _insert(connection: Connection, change: _Change) -> None:
    mapping, event = change.mapping, change.event
    stamp = {"organization_id": event.organization, "revision": event.revision}
    rows = (
        values | stamp
        for values in _values(mapping, change.added)
        if len(change.replaced) == 0 or _key(mapping, values) not in change.replaced
    )
    _execute(connection, insertion(mapping), rows)


def _update(connection: Connection, change: _Change) -> None:
    mapping, event = change.mapping, change.event
    if len(change.replaced) == 0:
        return
    rows = (
        values | {"revision": event.revision} | _finding(change, key)
        for values in _values(mapping, change.added)
        if (key := _key(mapping, values)) in change.replaced
    )
    found = _execute(connection, replacement(mapping), rows)
    _expect(change, len(change.replaced), found)


def _delete(connection: Connection, change: _Change) -> None:
    rows = (_finding(change, key) for key in change.gone)
    found = _execute(connection, removal(change.mapping), rows)
    _expect(change, len(change.gone), found)


def _touch(connection: Connection, event: Event) -> None:
    """Write the revision into the rows of entities that change although their own fact stays."""
    names_of: defaultdict[type, list[str]] = defaultdict(list)
    for entity in edited(event.delta):
        names_of[entity.fact].append(entity.id)
    for fact, names in names_of.items():
        mapping = ENTITIES[fact]
        touched = _Change(mapping, event, (), frozenset(), frozenset((name,) for name in names))
        rows = ({"revision": event.revision} | _finding(touched, key) for key in touched.replaced)
        found = _execute(connection, touch(mapping), rows)
        _expect(touched, len(names), found)


def _finding(change: _Change, key: Key) -> Values:
    found: Values = {f"{FINDS}organization_id": change.event.organization}
    names = (f"{FINDS}{name}" for name in change.mapping.key)
    return found | dict(zip(names, key, strict=True))


def _expect(change: _Change, expected: int, found: int) -> None:
    if found != expected:
        raise StoreUnusable(
            f"the stored organization `{change.event.organization}` lacks rows of table"
            f" `{change.mapping.table.name}`, so it was edited by hand: {RESTORE}"
        )


def _execute(
    connection: Connection, statement: Insert | Update | Delete, rows: Iterator[Values]
) -> int:
    """Execute the statement for every row, in batches; return how many rows it changed."""
    changed = 0
    while batch := list(islice(rows, BATCH_ROWS)):
        changed += connection.execute(statement, batch).rowcount
    return changed


@cache
def insertion(mapping: Mapping) -> Insert:
    """Return the statement that adds a row."""
    return insert(mapping.table)


@cache
def replacement(mapping: Mapping) -> Update:
    """Return the statement that changes the row of a key."""
    changing = [name for name in mapping.columns if name not in mapping.key]
    values: Values = {name: bindparam(name) for name in (*changing, "revision")}
    return update(mapping.table).where(_found(mapping)).values(**values)


@cache
def touch(mapping: Mapping) -> Update:
    """Return the statement that says of the row of a key when it last changed."""
    return update(mapping.table).where(_found(mapping)).values(revision=bindparam("revision"))


@cache
def removal(mapping: Mapping) -> Delete:
    """Return the statement that removes the row of a key."""
    return delete(mapping.table).where(_found(mapping))


def _found(mapping: Mapping) -> ColumnElement[bool]:
    columns = mapping.table.c
    return and_(
        *(columns[name] == bindparam(FINDS + name) for name in ("organization_id", *mapping.key))
    )
