"""Reading an organization as it is stored, row by row, through the core's own constructors."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from immutables import Map, MapMutation
from sqlalchemy import Connection, CursorResult, select

from grantproof.adapters.sql.columns import NO_ATTRIBUTES_TEXT
from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import MAPPINGS, Mapping, Reading, Stored, read_flag
from grantproof.adapters.sql.rows import table
from grantproof.core.errors import Illegal
from grantproof.core.evolving import each_like
from grantproof.core.gathering import Gathering, near
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.model import Fact, Principal
from grantproof.core.organization import Organization
from grantproof.policyfile.wire import Unreadable
from grantproof.service.collector import collector_paused
from grantproof.service.ports import StoreUnusable
from grantproof.service.versions import (
    ENTITY_FACTS,
    Revisions,
    Versioned,
    Versions,
    entity_of,
)

SOD_SET: Final = table("sod_set")
SOD_SET_ROLE: Final = table("sod_set_role")

REVISION: Final = "revision"
"""The last column that is read of each row, after those of its mapping."""

ROWS_AT_ONCE: Final = 10_000
"""How many rows are handed over by the database at once."""

USUAL: Final = Principal(PrincipalId("usual"))
"""What most principals are like, but for their ids: active, without attributes."""

RolesOfSodSets = dict[str, list[str]]
Read = Callable[[Stored, Reading], Fact]
Changes = dict[type[Fact], MapMutation[str, int]]
"""By the type and the id of each entity, the revision that last changed it."""


def with_stored_facts(connection: Connection, empty: Organization) -> Versioned:
    """Return `empty`, which has no facts yet, with all that are stored. One query for each table.

    Raises `StoreUnusable` that names the first illegal row, its table and the rule it breaks.
    """
    roles_of = _roles_of_sod_sets(connection, empty.id)
    changes: Changes = {fact: Revisions().mutate() for fact in ENTITY_FACTS}
    with collector_paused():
        loading = _Loading(empty, Gathering(), Reading(), changes)
        for mapping in MAPPINGS:
            if mapping.read is None:
                continue
            with _rows(connection, empty.id, mapping) as found:
                if mapping.fact is Principal:
                    loading.take_principals(mapping, mapping.read, found.partitions())
                    continue
                rows: Iterable[Stored] = chain.from_iterable(found.partitions())
                if mapping.table is SOD_SET:
                    rows = ((*row[:-1], roles_of.pop(row[0], ()), row[-1]) for row in rows)
                loading.take(mapping, mapping.read, rows)
        versions = Versions(
            empty.revision, Map({fact: changes[fact].finish() for fact in ENTITY_FACTS})
        )
        state = loading.gathering.organization(empty)
    if len(roles_of) > 0:
        key = (min(roles_of),)
        raise unusable(empty.id, SOD_SET_ROLE.name, key=key, rule="its set is not there")
    return Versioned(state, versions)


def unusable(organization: str, table_name: str, *, key: Stored, rule: str) -> StoreUnusable:
    """Return the error that names a row that must not be, and the rule that it breaks."""
    row = ", ".join(f"`{part}`" for part in key)
    return StoreUnusable(
        f"the stored organization `{organization}` is illegal, table `{table_name}`, row {row}:"
        f" {rule}: {RESTORE}"
    )


def _rows(
    connection: Connection, organization: OrganizationId, mapping: Mapping
) -> CursorResult[Any]:
    columns = (mapping.table.c[name] for name in (*mapping.columns, REVISION))
    mine = mapping.table.c.organization_id == organization
    query = select(*columns).where(mine)
    return connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))


def _roles_of_sod_sets(connection: Connection, organization: OrganizationId) -> RolesOfSodSets:
    columns = (SOD_SET_ROLE.c.sod_set_id, SOD_SET_ROLE.c.role_id)
    mine = SOD_SET_ROLE.c.organization_id == organization
    roles_of: RolesOfSodSets = defaultdict(list)
    for sod_set, role in connection.execute(select(*columns).where(mine)):
        roles_of[sod_set].append(role)
    return roles_of


@dataclass(frozen=True, slots=True)
class _Loading:
    """An organization that is being loaded, and when its entities changed."""

    empty: Organization
    gathering: Gathering
    known: Reading
    changes: Changes
    revisions: dict[int, int] = field(default_factory=dict)

    def take(self, mapping: Mapping, read: Read, rows: Iterable[Stored]) -> None:
        """Take the fact of each row, and note in `changes` when entities changed."""
        add, known = self.gathering.adding(mapping.fact), self.known
        told = self.changes.get(mapping.fact)
        for row in rows:
            try:
                fact = read(row, known)
                add(fact)
                if told is not None:
                    told[_name(fact)] = self._changed_at(row[-1])
            except KeyError as error:
                rule = f"`{error.args[0]}`, to which it refers, is not there"
                raise _illegal(self.empty, mapping, row, rule=rule) from error
            except (TypeError, Unreadable, ValueError) as error:
                raise _illegal(self.empty, mapping, row, rule=str(error)) from error

    def take_principals(
        self, mapping: Mapping, read: Read, batches: Iterable[Sequence[Stored]]
    ) -> None:
        """Do what `take` does, in half of its time: of principals there are most, nearly alike."""
        people = _People()
        for rows in batches:
            try:
                self._read_principals(people, rows)
            except (TypeError, ValueError):
                # It tells which row it is, and raises for it.
                self.take(mapping, read, rows)
        order = list(near(people.ids))
        ids = [people.ids[place] for place in order]
        themselves = map(people.themselves.__getitem__, order)
        self.gathering.principals.update(zip(ids, themselves, strict=True))
        revisions = map(people.revisions.__getitem__, order)
        self.changes[Principal].update(zip(ids, revisions, strict=True))

    def _read_principals(self, people: "_People", rows: Sequence[Stored]) -> None:
        names, active, attributes, changed = zip(*rows, strict=True)
        ids = PrincipalId.each(names)
        themselves = each_like(USUAL, "id", ids)
        for place, (flag, text) in enumerate(zip(active, attributes, strict=True)):
            if text != NO_ATTRIBUTES_TEXT or flag != 1:
                held = self.known.attributes[text]
                themselves[place] = Principal(ids[place], read_flag("active", flag), held)
        for revision in set(changed):
            self._changed_at(revision)
        people.ids += ids
        people.themselves += themselves
        people.revisions += map(self.revisions.__getitem__, changed)
        self.known.principals.update(zip(ids, ids, strict=True))

    def _changed_at(self, revision: int) -> int:
        """Return the revision, which is one value for all that it changed last."""
        found = self.revisions.get(revision)
        if found is None:
            if not 0 < revision <= self.empty.revision:
                raise Illegal(REVISION, "must be one that the organization has had")
            found = self.revisions[revision] = revision
        return found


@dataclass(slots=True)
class _People:
    """The principals that were read, column by column; each is in the maps at the end."""

    ids: list[PrincipalId] = field(default_factory=list)
    themselves: list[Principal] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)


def _name(fact: Fact) -> str:
    entity = entity_of(fact)
    if entity is None:
        message = f"{type(fact).__name__} is no entity's own fact"
        raise TypeError(message)
    return entity.id


def _illegal(state: Organization, mapping: Mapping, row: Stored, *, rule: str) -> StoreUnusable:
    key = row[: len(mapping.key)]
    return unusable(state.id, mapping.table.name, key=key, rule=rule)
