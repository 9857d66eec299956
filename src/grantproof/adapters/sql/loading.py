"""Reading an organization as it is stored, row by row, through the core's own constructors."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from immutables import Map
from sqlalchemy import Connection, select

from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import MAPPINGS, Mapping, Stored
from grantproof.adapters.sql.rows import table
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Fact, Resource
from grantproof.core.organization import Organization, with_fact
from grantproof.policyfile.wire import Unreadable
from grantproof.service.collector import collector_paused
from grantproof.service.ports import StoreUnusable
from grantproof.service.versions import (
    ENTITY_FACTS,
    EntityFact,
    Versioned,
    Versions,
    entity_of,
)

SOD_SET: Final = table("sod_set")
SOD_SET_ROLE: Final = table("sod_set_role")

REVISION: Final = "revision"
"""The last column that is read of each row, after those of its mapping."""

RolesOfSodSets = dict[str, list[str]]
Changes = dict[type[EntityFact], dict[str, int]]
"""By the type and the id of each entity, the revision that last changed it."""


def with_stored_facts(connection: Connection, state: Organization) -> Versioned:
    """Return `state`, which has no facts yet, with all that are stored. One query for each table.

    Raises `StoreUnusable` that names the first illegal row, its table and the rule it breaks.
    """
    roles_of = _roles_of_sod_sets(connection, state.id)
    changes = {fact: dict[str, int]() for fact in ENTITY_FACTS}
    with collector_paused():
        for mapping in MAPPINGS:
            if mapping.read is None:
                continue
            rows = _rows(connection, state.id, mapping)
            if mapping.table is SOD_SET:
                rows = ((*row[:-1], roles_of.pop(row[0], ()), row[-1]) for row in rows)
            state = _with_rows(state, rows, mapping=mapping, changes=changes)
        versions = Versions(
            state.revision, Map({fact: Map(told) for fact, told in changes.items()})
        )
    if len(roles_of) > 0:
        key = (min(roles_of),)
        raise unusable(state.id, SOD_SET_ROLE.name, key=key, rule="its set is not there")
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
) -> Iterable[Stored]:
    columns = (mapping.table.c[name] for name in (*mapping.columns, REVISION))
    mine = mapping.table.c.organization_id == organization
    return connection.execute(select(*columns).where(mine))


def _roles_of_sod_sets(connection: Connection, organization: OrganizationId) -> RolesOfSodSets:
    columns = (SOD_SET_ROLE.c.sod_set_id, SOD_SET_ROLE.c.role_id)
    mine = SOD_SET_ROLE.c.organization_id == organization
    roles_of: RolesOfSodSets = defaultdict(list)
    for sod_set, role in connection.execute(select(*columns).where(mine)):
        roles_of[sod_set].append(role)
    return roles_of


def _with_rows(
    state: Organization, rows: Iterable[Stored], *, mapping: Mapping, changes: Changes
) -> Organization:
    """Return the state with the fact of each row, and note in `changes` when entities changed."""
    read = mapping.read
    if read is None:
        return state
    for row in rows:
        try:
            fact = read(row)
            state = with_fact(state, _referring(state, fact))
            entity = entity_of(fact)
            if entity is not None and entity.fact is mapping.fact:
                changes[entity.fact][entity.id] = _changed_at(row, state)
        except KeyError as error:
            rule = f"`{error.args[0]}`, to which it refers, is not there"
            raise _illegal(state, mapping, row, rule=rule) from error
        except (TypeError, Unreadable, ValueError) as error:
            raise _illegal(state, mapping, row, rule=str(error)) from error
    return state


def _changed_at(row: Stored, state: Organization) -> int:
    revision: int = row[-1]
    if not 0 < revision <= state.revision:
        raise Illegal(REVISION, "must be one that the organization has had")
    return revision


def _referring(state: Organization, fact: Fact) -> Fact:
    """Return the fact; raise `KeyError` for the one reference that nothing later would miss."""
    if isinstance(fact, Resource) and fact.kind not in state.resources_of_kind:
        raise KeyError(fact.kind)
    return fact


def _illegal(state: Organization, mapping: Mapping, row: Stored, *, rule: str) -> StoreUnusable:
    key = row[: len(mapping.key)]
    return unusable(state.id, mapping.table.name, key=key, rule=rule)
