"""P-AUDIT and P-REPLAY on the database itself: what a hand does to it is seen, and where.

Each tampering is one that somebody with full access to the database can do, past triggers and
references; nobody there has the key.
"""

# ruff: noqa: S608 - the statements are put together from our own tables only

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.adapters.clock import SystemClock
from grantproof.adapters.signing import Ed25519Signer
from grantproof.adapters.sql import SqlStore
from grantproof.adapters.sql.mapping import MAPPINGS
from grantproof.adapters.sql.rows import TRIGGERS, Row
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.service.audit import AuditPoint
from grantproof.service.audit_chain import Checkpoint
from tests.contracts.histories import (
    ACTOR,
    HISTORY,
    INSTANT,
    commit_all,
    created,
    empty,
    fold,
    random_history,
)
from tests.databases import Database, Databases, opened

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
LAST = 6
"""The last revision of `acme`; the event at it has a request id and a reason."""


def audit_of(store: SqlStore) -> AuditPoint:
    """The audit of a store."""
    signer = Ed25519Signer(store.ledger.key.signing_seed)
    return AuditPoint(store.ledger, signer, clock=SystemClock())


@pytest.fixture(scope="module")
def sealed(databases: Databases) -> Iterator[Database]:
    """Two organizations with a past, and a deleted one; an author of `acme` is erased."""
    database = databases.copied(databases.empty)
    store = opened(database.address)
    state = created(store, ACME, HISTORY[: LAST - 1])
    last = apply(
        state,
        CreateRole(RoleId("late")),
        actor="ann",
        instant=INSTANT + 9,
        request_id="r-1",
        reason="ticket 7",
    )
    assert isinstance(last, Accepted)
    assert store.commit(last.event)
    created(store, OTHER, HISTORY[:3])
    created(store, OrganizationId("gone"), HISTORY[:2])
    assert store.delete(OrganizationId("gone"), actor="eve", instant=INSTANT, reason="left")
    audit_of(store).erase(ACME, revision=2)
    store.close()
    yield database
    databases.drop(database)


@pytest.fixture
def path(sealed: Database, databases: Databases) -> Iterator[Database]:
    """A copy to be tampered with."""
    made = databases.copied(sealed)
    yield made
    databases.drop(made)


@pytest.fixture
def store(path: Database) -> Iterator[SqlStore]:
    """The store on it."""
    made = opened(path.address)
    yield made
    made.close()


def tamper(database: Database, *statements: str) -> None:
    """Do what nobody should, past every rule of the database."""
    database.without_checks()
    for trigger in TRIGGERS:
        database.without_trigger(trigger)
    database.by_hand(*statements)


def found(store: SqlStore, organization: str = ACME, mark: Checkpoint | None = None) -> list[int]:
    """The revisions at which the chain is found to be wrong."""
    verdict = audit_of(store).verify(organization, checkpoint=mark)
    return [fault.revision for fault in verdict.faults]


def mark_of(store: SqlStore, organization: str = ACME) -> Checkpoint:
    """A checkpoint of the organization."""
    mark = audit_of(store).checkpoint(organization)
    assert isinstance(mark, Checkpoint)
    return mark


def columns(table: str) -> list[tuple[str, bool]]:
    """The columns of a table that are no part of its key, and whether each is a number."""
    declared = Row.metadata.tables[table].columns
    return [(each.name, "INT" in str(each.type).upper()) for each in declared]


CHANGES = [
    (table, name, number, revision)
    for table in ("event", "event_personal")
    for name, number in columns(table)
    for revision in range(LAST + 1)
]
"""Every column of every row."""


def test_what_nobody_touched_is_whole(store: SqlStore) -> None:
    """P-AUDIT: without tampering nothing is found, of no organization, erased authors included."""
    audit = audit_of(store)
    verdicts = [audit.verify(name) for name in audit.organizations()]
    assert [(one.organization, one.length, one.faults) for one in verdicts] == [
        ("acme", LAST + 1, ()),
        ("gone", 4, ()),
        ("other", 4, ()),
    ]
    assert [one.erased for one in verdicts] == [1, 0, 0]


@pytest.mark.parametrize(("table", "column", "number", "revision"), CHANGES)
def test_every_change_of_a_row_is_found(
    table: str, column: str, number: bool, revision: int, *, path: Database, store: SqlStore
) -> None:
    """P-AUDIT: whichever column of whichever row is edited, it is found at that row."""
    expression = f"coalesce({column}, 0) + 1000" if number else f"coalesce({column}, '') || 'x'"
    where = f"organization_id = 'acme' AND revision = {revision}"
    tamper(path, f"UPDATE {table} SET {column} = {expression} WHERE {where}")
    faults = found(store)
    assert faults[:1] == [revision], (table, column)


@pytest.mark.parametrize("column", ["salt", "actor", "reason"])
def test_whatever_is_emptied_is_found(column: str, path: Database, store: SqlStore) -> None:
    """P-AUDIT: what is taken away of an author, without an erasure, is missed there."""
    where = f"organization_id = 'acme' AND revision = {LAST}"
    tamper(path, f"UPDATE event_personal SET {column} = NULL WHERE {where}")
    assert found(store) == [LAST]


@pytest.mark.parametrize("table", ["event", "event_personal"])
@pytest.mark.parametrize("revision", range(LAST + 1))
def test_every_removal_of_a_row_is_found(
    table: str, revision: int, path: Database, store: SqlStore
) -> None:
    """P-AUDIT: whichever row goes is missed, the first and the last included."""
    tamper(path, f"DELETE FROM {table} WHERE organization_id = 'acme' AND revision = {revision}")
    assert found(store)[:1] == [revision]


@pytest.mark.parametrize("revision", [-1, LAST + 1, LAST + 2, 99])
def test_every_insertion_of_a_row_is_found(revision: int, path: Database, store: SqlStore) -> None:
    """P-AUDIT: a row that was forged after another one is found, wherever it is put."""
    tamper(
        path,
        "INSERT INTO event SELECT organization_id, "
        f"{revision}, kind, instant, request_id, command, delta, commitment, key_id, mac"
        f" FROM event WHERE organization_id = 'acme' AND revision = {LAST}",
        "INSERT INTO event_personal"
        f" SELECT organization_id, {revision}, salt, actor, reason, erased_at, erasure"
        f" FROM event_personal WHERE organization_id = 'acme' AND revision = {LAST}",
    )
    assert len(found(store)) > 0


@pytest.mark.parametrize("one", range(LAST))
def test_every_swap_of_rows_is_found(one: int, path: Database, store: SqlStore) -> None:
    """P-AUDIT: two events that change places are found at the first of them."""
    moves = [(one, 1_000), (one + 1, one), (1_000, one + 1)]
    tamper(
        path,
        *(
            f"UPDATE {table} SET revision = {to} WHERE organization_id = 'acme' AND revision = {of}"
            for table in ("event", "event_personal")
            for of, to in moves
        ),
    )
    assert found(store)[:1] == [one]


@pytest.mark.parametrize("kept", range(1, LAST + 1))
def test_a_cut_tail_is_found(kept: int, path: Database, store: SqlStore) -> None:
    """P-AUDIT: without the last events the organization's own row knows of more."""
    cut = f"WHERE organization_id = 'acme' AND revision >= {kept}"
    tamper(path, f"DELETE FROM event_personal {cut}", f"DELETE FROM event {cut}")
    assert found(store) == [kept]


@pytest.mark.parametrize("kept", range(1, LAST + 1))
def test_a_rollback_is_found_against_a_checkpoint_only(
    kept: int, path: Database, store: SqlStore
) -> None:
    """P-AUDIT: tail, length and last seal together pass for the past, except for a checkpoint."""
    mark = mark_of(store)
    cut = f"WHERE organization_id = 'acme' AND revision >= {kept}"
    head = f"(SELECT mac FROM event WHERE organization_id = 'acme' AND revision = {kept - 1})"
    tamper(
        path,
        f"DELETE FROM event_personal {cut}",
        f"DELETE FROM event {cut}",
        f"UPDATE organization SET revision = {kept - 1}, audit_head = {head} WHERE id = 'acme'",
    )
    assert found(store) == []
    assert found(store, mark=mark) == [kept]


def test_another_past_of_the_same_length_is_found_against_a_checkpoint(
    path: Database, store: SqlStore, databases: Databases
) -> None:
    """P-AUDIT: an old copy that went on differently, sealed by us, is not what the mark saw."""
    state = store.load(ACME)
    assert state is not None
    store.close()
    twin = databases.copied(path)
    commit_all(store, state, [CreateRole(RoleId("here"))])
    mark = mark_of(store)
    other = opened(twin.address)
    commit_all(other, state, [CreateRole(RoleId("there"))])
    assert found(other) == []
    assert found(other, mark=mark) == [LAST + 1]
    commit_all(store, fold(ACME, store.events(ACME, limit=99)), [CreateRole(RoleId("more"))])
    assert found(store, mark=mark) == []
    other.close()
    databases.drop(twin)


@pytest.mark.parametrize(
    "change",
    [
        "time_zone = 'Europe/Berlin'",
        "created_at = 0",
        "deleted_at = 7",
        "audit_head = ''",
        f"audit_head = '{'0' * 64}'",
        "revision = revision + 1",
        "revision = revision - 1",
    ],
)
def test_every_change_of_the_organization_is_found(
    change: str, path: Database, store: SqlStore
) -> None:
    """P-AUDIT: what its own row says is what its events say."""
    tamper(path, f"UPDATE organization SET {change} WHERE id = 'acme'")
    assert len(found(store)) > 0


def test_an_organization_that_was_removed_is_found(path: Database, store: SqlStore) -> None:
    """P-AUDIT: its row alone leaves events behind; all of it is missed by a checkpoint only."""
    mark = mark_of(store)
    tamper(path, "DELETE FROM organization WHERE id = 'acme'")
    assert found(store) == [LAST]
    path.by_hand(
        "DELETE FROM event_personal WHERE organization_id = 'acme'",
        "DELETE FROM event WHERE organization_id = 'acme'",
    )
    assert ACME not in audit_of(store).organizations()
    assert found(store, mark=mark)[:1] == [0]


@pytest.mark.parametrize("instant", ["NULL", "deleted_at - 1"])
def test_a_deletion_undone_or_moved_is_found(instant: str, path: Database, store: SqlStore) -> None:
    """P-AUDIT: a deleted organization does not come back, nor did it end at another instant."""
    tamper(path, f"UPDATE organization SET deleted_at = {instant} WHERE id = 'gone'")
    assert found(store, "gone") == [3]


def test_chains_of_two_organizations_cannot_be_exchanged(path: Database, store: SqlStore) -> None:
    """P-AUDIT: a seal belongs to one organization."""
    tamper(
        path,
        *(
            f"UPDATE {table} SET organization_id = '{to}' WHERE organization_id = '{of}'"
            for table in ("event", "event_personal")
            for of, to in (("acme", "x"), ("other", "acme"), ("x", "other"))
        ),
    )
    assert found(store)[:1] == [0]
    assert found(store, "other")[:1] == [0]


# ---------------------------------------------------------------- erasing


def test_erasing_leaves_the_chain_whole(store: SqlStore, path: Database) -> None:
    """P-AUDIT: whoever is erased is in no table any more, and every other author stays."""
    before = store.events(ACME, limit=99)
    mark = mark_of(store)
    assert audit_of(store).erase(ACME, actor=ACTOR) == LAST - 1
    assert found(store, mark=mark) == []
    told = path.query("SELECT actor, salt FROM event_personal WHERE organization_id = 'acme'")
    assert [actor for actor, _ in told if actor is not None] == ["ann"]
    assert sum(salt is None for _, salt in told) == LAST
    after = store.events(ACME, limit=99)
    assert [each.actor for each in after] == ["(erased)"] * (LAST - 1) + ["ann"]
    assert [each.delta for each in after] == [each.delta for each in before]
    assert audit_of(store).erase(ACME, actor=ACTOR) == 0


def test_erasing_one_event_erases_its_reason(store: SqlStore) -> None:
    """The actor and the reason go together, the request id stays."""
    assert audit_of(store).erase(ACME, revision=LAST) == 1
    (last,) = store.events(ACME, after=LAST - 1, limit=1)
    assert (last.actor, last.reason, last.request_id) == ("(erased)", None, "r-1")
    assert found(store) == []


@pytest.mark.parametrize("revision", [1, LAST])
def test_nobody_else_can_erase(revision: int, path: Database, store: SqlStore) -> None:
    """P-AUDIT: the mark of an erasure is made with the key, and belongs to one event."""
    mark = "(SELECT erasure FROM event_personal WHERE organization_id = 'acme' AND revision = 2)"
    tamper(
        path,
        "UPDATE event_personal SET salt = NULL, actor = NULL, reason = NULL,"
        f" erased_at = {INSTANT}, erasure = {mark}"
        f" WHERE organization_id = 'acme' AND revision = {revision}",
    )
    assert found(store) == [revision]


# ---------------------------------------------------------------- replay


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_events_fold_to_the_rows(databases: Databases, seed: int) -> None:
    """P-REPLAY: after any history each row is what the events make, and so is the state."""
    database = databases.copied(databases.empty)
    store = opened(database.address)
    assert store.create(ACME, time_zone="UTC", actor=ACTOR, instant=INSTANT)
    state = empty(ACME)
    for command in random_history(seed, attempts=400):
        outcome = apply(state, command, actor=ACTOR, instant=INSTANT)
        if isinstance(outcome, Accepted):
            assert store.commit(outcome.event)
            state = outcome.state
    assert state.revision > 5
    assert list(store.ledger.differences(ACME)) == []
    assert fold(ACME, store.events(ACME, limit=1_000)) == store.load(ACME) == state
    assert found(store) == []
    store.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert list(store.ledger.differences(ACME)) == []
    assert found(store) == []
    store.close()
    databases.drop(database)


def row_changes() -> Iterator[tuple[str, str]]:
    """A statement for each column of each table of facts, and for the row as a whole."""
    for mapping in MAPPINGS:
        name = f'"{mapping.table.name}"'
        yield mapping.table.name, f"DELETE FROM {name}"
        for column in mapping.table.columns:
            if column.name != "organization_id":
                number = "INT" in str(column.type).upper()
                new = (
                    f"coalesce({column.name}, 0) + 7"
                    if number
                    else f"coalesce({column.name}, '') || 'x'"
                )
                yield mapping.table.name, f"UPDATE {name} SET {column.name} = {new}"


@pytest.mark.parametrize(("table", "statement"), [*row_changes()])
def test_every_row_that_no_event_made_is_found(
    table: str, statement: str, furnished_database: Database
) -> None:
    """P-REPLAY: a row that was removed, or any column that was edited, is told by its table."""
    store = opened(furnished_database.address)
    tamper(furnished_database, statement)
    assert table in {one.table for one in store.ledger.differences(ACME)}
    store.close()


def test_the_organizations_own_row_is_replayed_too(path: Database, store: SqlStore) -> None:
    """P-REPLAY: revision, time zone and whether it was ever administered."""
    tamper(path, "UPDATE organization SET administered = 1 WHERE id = 'acme'")
    (difference,) = store.ledger.differences(ACME)
    assert (difference.table, difference.key) == ("organization", ("acme",))
    assert difference.what == "`administered` is `1`, the events make it `0`"
