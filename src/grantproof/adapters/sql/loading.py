"""Reading an organization as it is stored, row by row, through the core's own constructors."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

from immutables import Map, MapMutation
from sqlalchemy import Connection, CursorResult, select

from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import MAPPINGS, Mapping, Reading, Stored
from grantproof.adapters.sql.rows import table
from grantproof.core.errors import Illegal
from grantproof.core.gathering import Gathering
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Fact
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

    def take(self, mapping: Mapping, read: Read, rows: Iterable[Stored]) -> None:
        """Take the fact of each row, and note in `changes` when entities changed."""
        add, known = self.gathering.adding(mapping.fact), self.known
        told = self.changes.get(mapping.fact)
        revisions: dict[int, int] = {}
        for row in rows:
            try:
                fact = read(row, known)
                add(fact)
                if told is not None:
                    revision = self._changed_at(row)
                    told[_name(fact)] = revisions.setdefault(revision, revision)
            except KeyError as error:
                rule = f"`{error.args[0]}`, to which it refers, is not there"
                raise _illegal(self.empty, mapping, row, rule=rule) from error
            except (TypeError, Unreadable, ValueError) as error:
                raise _illegal(self.empty, mapping, row, rule=str(error)) from error

    def _changed_at(self, row: Stored) -> int:
        revision: int = row[-1]
        if not 0 < revision <= self.empty.revision:
            raise Illegal(REVISION, "must be one that the organization has had")
        return revision


def _name(fact: Fact) -> str:
    entity = entity_of(fact)
    if entity is None:
        message = f"{type(fact).__name__} is no entity's own fact"
        raise TypeError(message)
    return entity.id


def _illegal(state: Organization, mapping: Mapping, row: Stored, *, rule: str) -> StoreUnusable:
    key = row[: len(mapping.key)]
    return unusable(state.id, mapping.table.name, key=key, rule=rule)
