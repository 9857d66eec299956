"""Reading an organization as it is stored, row by row, through the core's own constructors."""

import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import Connection, select

from grantproof.adapters.sql.failures import RESTORE
from grantproof.adapters.sql.mapping import MAPPINGS, Mapping, Stored
from grantproof.adapters.sql.rows import table
from grantproof.core.identifiers import OrganizationId
from grantproof.core.model import Fact, Resource
from grantproof.core.organization import Organization, with_fact
from grantproof.policyfile.wire import Unreadable
from grantproof.service.ports import StoreUnusable

SOD_SET: Final = table("sod_set")
SOD_SET_ROLE: Final = table("sod_set_role")

RolesOfSodSets = dict[str, list[str]]


def with_stored_facts(connection: Connection, state: Organization) -> Organization:
    """Return `state`, which has no facts yet, with all that are stored. One query for each table.

    Raises `StoreUnusable` that names the first illegal row, its table and the rule it breaks.
    """
    roles_of = _roles_of_sod_sets(connection, state.id)
    with collector_paused():
        for mapping in MAPPINGS:
            if mapping.read is None:
                continue
            rows = _rows(connection, state.id, mapping)
            if mapping.table is SOD_SET:
                rows = ((*row, roles_of.pop(row[0], ())) for row in rows)
            state = _with_rows(state, rows, mapping=mapping, read=mapping.read)
    if len(roles_of) > 0:
        key = (min(roles_of),)
        raise unusable(state.id, SOD_SET_ROLE.name, key=key, rule="its set is not there")
    return state


def unusable(organization: str, table_name: str, *, key: Stored, rule: str) -> StoreUnusable:
    """Return the error that names a row that must not be, and the rule that it breaks."""
    row = ", ".join(f"`{part}`" for part in key)
    return StoreUnusable(
        f"the stored organization `{organization}` is illegal, table `{table_name}`, row {row}:"
        f" {rule}: {RESTORE}"
    )


@contextmanager
def collector_paused() -> Iterator[None]:
    """Look for no garbage inside: what is built there stays, and it is a lot to look through.

    Halves the time to load. Whoever finds the collector running lets it run again, so any number of
    threads may overlap.
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def _rows(
    connection: Connection, organization: OrganizationId, mapping: Mapping
) -> Iterable[Stored]:
    columns = (mapping.table.c[name] for name in mapping.columns)
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
    state: Organization,
    rows: Iterable[Stored],
    *,
    mapping: Mapping,
    read: Callable[[Stored], Fact],
) -> Organization:
    for row in rows:
        try:
            state = with_fact(state, _referring(state, read(row)))
        except KeyError as error:
            rule = f"`{error.args[0]}`, to which it refers, is not there"
            raise _illegal(state, mapping, row, rule=rule) from error
        except (TypeError, Unreadable, ValueError) as error:
            raise _illegal(state, mapping, row, rule=str(error)) from error
    return state


def _referring(state: Organization, fact: Fact) -> Fact:
    """Return the fact; raise `KeyError` for the one reference that nothing later would miss."""
    if isinstance(fact, Resource) and fact.kind not in state.resources_of_kind:
        raise KeyError(fact.kind)
    return fact


def _illegal(state: Organization, mapping: Mapping, row: Stored, *, rule: str) -> StoreUnusable:
    key = row[: len(mapping.key)]
    return unusable(state.id, mapping.table.name, key=key, rule=rule)
