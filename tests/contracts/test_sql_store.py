"""What a store in a SQL database promises beyond the contract: it lasts, and it doubts its rows."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, event

from grantproof.adapters.sql import SqlStore, database, open_database, projection
from grantproof.adapters.sql.database import open_engine
from grantproof.adapters.sql.migrations import KNOWN
from grantproof.adapters.sql.rows import Row
from grantproof.core.attributes import attributes
from grantproof.core.commands import Event
from grantproof.core.commands.language import (
    ChangeSet,
    CreatePrincipal,
    CreateRole,
    DeletePrincipal,
    SetPrincipalAttributes,
)
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.core.model import Assignment, Delta, Principal, Role
from grantproof.core.organization import Organization, advance
from grantproof.service.ports import StoreUnavailable, StoreUnusable
from tests.contracts.histories import (
    ACTOR,
    ANN,
    HISTORY,
    INSTANT,
    READER,
    commit_all,
    created,
    empty,
    fold,
)
from tests.contracts.histories import event as happening
from tests.copies import copied

ACME = OrganizationId("acme")


@pytest.fixture
def path(tmp_path: Path, empty_database: Path) -> Path:
    """A database without organizations."""
    return copied(empty_database, tmp_path / "grantproof.db")


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    """The store on that database."""
    made = open_database(path)
    yield made
    made.close()


@pytest.fixture
def furnished_path(tmp_path: Path, furnished_database: Path) -> Path:
    """A database whose organization `acme` has every kind of fact."""
    return copied(furnished_database, tmp_path / "furnished.db")


@pytest.fixture
def furnished(furnished_path: Path) -> Iterator[SqlStore]:
    """The store on that database."""
    made = open_database(furnished_path)
    yield made
    made.close()


def held(store: SqlStore) -> Organization:
    """The organization `acme`, which is there."""
    state = store.load(ACME)
    assert state is not None
    return state


def by_hand(path: Path, *statements: str) -> None:
    """Edit the database past the store and past its own rules, as nobody should."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        for statement in statements:
            connection.execute(statement)


@contextmanager
def counted_queries() -> Iterator[list[str]]:
    """The statements that are executed meanwhile, transaction control left out."""
    statements = list[str]()

    def note(*arguments: object) -> None:
        statement = str(arguments[2])
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield statements
    event.remove(Engine, "before_cursor_execute", note)


# ---------------------------------------------------------------- lasting


def test_what_was_committed_is_there_after_reopening(path: Path) -> None:
    """State and events outlive the store that wrote them."""
    first = open_database(path)
    state = created(first, ACME)
    events = first.events(ACME, limit=1000)
    first.close()
    second = open_database(path)
    assert second.load(ACME) == state
    assert second.events(ACME, limit=1000) == events
    commit_all(second, state, [CreateRole(RoleId("later"))])
    second.close()


def test_two_stores_on_one_file_see_each_other(path: Path, store: SqlStore) -> None:
    """What one store commits, another on the same file reads at once."""
    other = open_database(path)
    state = created(store, ACME)
    assert other.load(ACME) == state
    lost = happening(state, CreateRole(RoleId("lost")))
    state = commit_all(other, state, [CreateRole(RoleId("won"))])
    assert not store.commit(lost)
    assert store.load(ACME) == state
    other.close()


def test_a_closed_database_is_one_file(path: Path) -> None:
    """After the last store is closed the database and its key are left to be copied."""
    made = open_database(path)
    created(made, ACME)
    made.close()
    assert {entry.name for entry in path.parent.iterdir()} == {path.name, f"{path.name}.audit-key"}


def test_connections_are_set_up_to_keep_promises(path: Path, store: SqlStore) -> None:
    """Commits reach the disk, references are checked, readers do not wait for writers."""
    created(store, ACME, HISTORY[:1])
    engine = open_engine(path)
    with engine.connect() as connection:
        found = {
            pragma: connection.exec_driver_sql(f"PRAGMA {pragma}").scalar()
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()
    full, on = 2, 1
    assert found == {
        "journal_mode": "wal",
        "synchronous": full,
        "foreign_keys": on,
        "busy_timeout": database.BUSY_SECONDS_MAX * 1000,
    }


# ---------------------------------------------------------------- costs


def test_loading_takes_as_many_queries_for_many_facts_as_for_few(store: SqlStore) -> None:
    """The number of queries depends on the number of tables only."""
    small, large = OrganizationId("small"), OrganizationId("large")
    created(store, small, HISTORY)
    state = created(store, large, HISTORY)
    many = tuple(CreatePrincipal(PrincipalId(f"p{number}")) for number in range(3_000))
    commit_all(store, state, [ChangeSet(many)])
    counts = []
    for organization in (small, large):
        with counted_queries() as queries:
            store.load(organization)
        counts.append(len(queries))
    assert counts == [14, 14]


def test_a_change_larger_than_a_batch_is_one_change(
    furnished: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More facts than fit a batch are written, edited and removed as one revision each."""
    monkeypatch.setattr(projection, "BATCH_ROWS", 7)
    ids = [PrincipalId(f"p{number}") for number in range(50)]
    state = held(furnished)
    commands = [
        ChangeSet(tuple(CreatePrincipal(each) for each in ids)),
        ChangeSet(tuple(SetPrincipalAttributes(each, attributes({"n": 1})) for each in ids)),
        ChangeSet(tuple(DeletePrincipal(each) for each in ids)),
    ]
    for command in commands:
        state = commit_all(furnished, state, [command])
        assert furnished.load(ACME) == state


def test_a_row_says_which_revision_last_changed_it(path: Path, store: SqlStore) -> None:
    """New and edited rows carry the revision of their event, all others keep theirs."""
    state = created(store, ACME, [CreatePrincipal(ANN), CreatePrincipal(PrincipalId("bob"))])
    commit_all(store, state, [SetPrincipalAttributes(ANN, attributes({"edited": True}))])
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute("SELECT id, revision FROM principal ORDER BY id").fetchall()
    assert rows == [("ann", 3), ("bob", 2)]


def test_a_deleted_organization_leaves_only_its_events(
    furnished_path: Path, furnished: SqlStore
) -> None:
    """Every row of facts goes; its own row says when, and one more event says who did it."""
    others = {"organization", "event", "event_personal", "audit_key"}
    fact_tables = sorted(set(Row.metadata.tables) - others)
    assert all(rows_of(furnished_path, name) > 0 for name in fact_tables)
    events = rows_of(furnished_path, "event")
    assert furnished.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert [name for name in fact_tables if rows_of(furnished_path, name) > 0] == []
    assert rows_of(furnished_path, "event") == events + 1 > 1
    with closing(sqlite3.connect(furnished_path)) as connection:
        left = connection.execute("SELECT id, deleted_at FROM organization").fetchall()
        who = "SELECT actor FROM event_personal ORDER BY revision DESC LIMIT 1"
        assert connection.execute(who).fetchone() == (ACTOR,)
    assert left == [(ACME, INSTANT)]


def rows_of(path: Path, name: str) -> int:
    """How many rows a table has."""
    with closing(sqlite3.connect(path)) as connection:
        query = f'SELECT count(*) FROM "{name}"'  # noqa: S608 - a name of our own tables
        (count,) = connection.execute(query).fetchone()
    return int(count)


# ---------------------------------------------------------------- schema


def test_the_migrations_make_the_tables_of_the_models(path: Path) -> None:
    """What the versions create, statement for statement, is what the row classes declare."""
    declared = path.with_name("declared.db")
    engine = open_engine(declared)
    Row.metadata.create_all(engine)
    engine.dispose()
    assert schema(path, besides="alembic_version") == schema(declared, besides="")


def schema(path: Path, *, besides: str) -> dict[str, str]:
    """The statements that made the tables and indexes, by name."""
    query = "SELECT name, sql FROM sqlite_master WHERE type <> 'trigger' AND sql IS NOT NULL"
    with closing(sqlite3.connect(path)) as connection:
        found = dict(connection.execute(query).fetchall())
    return {name: " ".join(sql.split()) for name, sql in found.items() if name != besides}


def test_the_known_versions_are_those_of_alembic() -> None:
    """The list that spares loading Alembic says the same as the folder of versions."""
    configuration = Config()
    configuration.set_main_option("script_location", "grantproof.adapters.sql:migrations")
    versions = ScriptDirectory.from_config(configuration).walk_revisions()
    assert tuple(script.revision for script in versions)[::-1] == KNOWN


def test_every_reference_is_indexed() -> None:
    """Removing an entity looks up what refers to it; no table is read as a whole for that."""
    for table in Row.metadata.tables.values():
        indexed = [[column.name for column in index.columns] for index in table.indexes]
        indexed.append([column.name for column in table.primary_key])
        for reference in table.foreign_key_constraints:
            columns = list(reference.column_keys)
            assert any(index[: len(columns)] == columns for index in indexed), (table, columns)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET instant = 7 WHERE revision = 2",
        "DELETE FROM event WHERE revision = 2",
        "DELETE FROM event",
    ],
)
def test_events_cannot_be_rewritten(
    furnished_path: Path, furnished: SqlStore, statement: str
) -> None:
    """The database itself refuses to change or remove what happened."""
    events = furnished.events(ACME, limit=1000)
    with pytest.raises(sqlite3.IntegrityError, match="events are never"):
        by_hand(furnished_path, statement)
    assert furnished.events(ACME, limit=1000) == events


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO assignment VALUES ('acme', 'ann', 'nobody', NULL, NULL, 1)",
        "INSERT INTO assignment VALUES ('other', 'ann', 'reader', NULL, NULL, 1)",
        "INSERT INTO inheritance VALUES ('acme', 'reader', 'reader', 1)",
        "INSERT INTO nesting VALUES ('acme', 'staff', 'nowhere', 1)",
        "INSERT INTO sod_set VALUES ('acme', 's', 1, 'static', 1)",
        "INSERT INTO principal VALUES ('acme', 'p', 2, '{}', 1)",
        "INSERT INTO principal VALUES ('acme', 'ann', 1, '{}', 1)",
        "INSERT INTO claim VALUES ('acme', 'c', 'reader', NULL, 'any', 'docs', '[]', 1)",
        "UPDATE assignment SET valid_from = 9, valid_until = 9",
        "DELETE FROM role WHERE id = 'reader'",
        "DELETE FROM kind",
    ],
)
def test_the_database_repeats_the_rules(
    furnished_path: Path, furnished: SqlStore, statement: str
) -> None:
    """Even past the store, a row of another organization or of nothing is refused."""
    assert furnished.create(OrganizationId("other"), time_zone="UTC", actor=ACTOR, instant=INSTANT)
    with closing(sqlite3.connect(furnished_path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(statement)


# ---------------------------------------------------------------- doubt


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (
            "UPDATE claim SET resource = 'a b' WHERE id = 'read'",
            "`claim`, row `read`: `resource_id`",
        ),
        ("UPDATE claim SET pattern = 'near' WHERE id = 'read'", "`claim`, row `read`: `pattern`"),
        ("UPDATE claim SET constraints = '[{' WHERE id = 'write'", "`claim`, row `write`: "),
        ("UPDATE claim SET constraints = '[1]' WHERE id = 'write'", "`claim`, row `write`: "),
        ("UPDATE claim SET constraints = '{}' WHERE id = 'write'", "`claim`, row `write`: "),
        ("UPDATE principal SET active = 2 WHERE id = 'ann'", "`principal`, row `ann`: `active`"),
        ("UPDATE principal SET attributes = '' WHERE id = 'ann'", "`principal`, row `ann`: "),
        ("UPDATE principal SET attributes = '[]' WHERE id = 'ann'", "`principal`, row `ann`: "),
        (
            "UPDATE principal SET attributes = '{\"a\": 1.5}' WHERE id = 'ann'",
            "`principal`, row `ann`: ",
        ),
        ("UPDATE resource SET kind_id = 'role'", "`resource`, row `docs`: `kind`"),
        ("UPDATE resource SET kind_id = 'x'", "`resource`, row `docs`: `x`, to which it refers"),
        ("UPDATE sod_set SET n = 1", "`sod_set`, row `one-hat`: `n`"),
        ("UPDATE sod_set SET mode = 'lax'", "`sod_set`, row `one-hat`: `mode`"),
        ("DELETE FROM sod_set_role", "`sod_set`, row `one-hat`: `n`"),
        ("DELETE FROM sod_set WHERE id = 'one-hat'", "`sod_set_role`, row `one-hat`: "),
        ("UPDATE assignment SET valid_until = -1", "`assignment`, row `ann`, `writer`: `until`"),
        ("DELETE FROM role WHERE id = 'reader'", "`inheritance`, row `writer`, `reader`: `reader`"),
        ("UPDATE organization SET time_zone = ''", "`organization`, row `acme`: `time_zone`"),
        ("UPDATE organization SET administered = 3", "`organization`, row `acme`: `administered`"),
        ("UPDATE organization SET revision = -1", "`organization`, row `acme`: `revision`"),
    ],
)
def test_an_illegal_row_is_named(
    furnished_path: Path, furnished: SqlStore, statement: str, said: str
) -> None:
    """Loading what a hand has made illegal fails with its table, its key and the broken rule."""
    by_hand(furnished_path, statement)
    with pytest.raises(StoreUnusable) as caught:
        furnished.load(ACME)
    assert said in str(caught.value)
    assert str(caught.value).endswith(": restore it from a backup")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("column", ["command", "delta"])
@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"removed": []}'])
def test_an_unreadable_event_is_named(
    furnished_path: Path, furnished: SqlStore, column: str, text: str
) -> None:
    """Reading an event that a hand has spoilt fails with its organization and revision."""
    by_hand(
        furnished_path,
        "DROP TRIGGER event_is_never_changed",
        f"UPDATE event SET {column} = '{text}' WHERE revision = 2",  # noqa: S608 - texts from above
    )
    with pytest.raises(StoreUnusable, match="table `event`, row `acme`, `2`: "):
        furnished.events(ACME, limit=10)
    assert len(furnished.events(ACME, limit=1)) == 1


@pytest.mark.parametrize(
    "delta",
    [
        Delta(removed=(Role(RoleId("absent")),)),
        Delta(
            removed=(Principal(PrincipalId("nobody")),), added=(Principal(PrincipalId("nobody")),)
        ),
        Delta(added=(Role(READER),)),
        Delta(added=(Assignment(PrincipalId("nobody"), READER),)),
        Delta(removed=(Role(READER),)),
    ],
)
def test_a_change_that_the_rows_contradict_is_not_written(
    furnished: SqlStore, delta: Delta
) -> None:
    """When the stored facts are not those that were changed, nothing of the change is kept."""
    state = held(furnished)
    change = replace(happening(state, CreateRole(RoleId("new"))), delta=delta)
    with pytest.raises(StoreUnusable, match="edited by hand"):
        furnished.commit(change)
    assert furnished.load(ACME) == state
    assert len(furnished.events(ACME, limit=1000)) == state.revision


def test_damage_that_only_the_database_sees_is_told(
    furnished_path: Path, furnished: SqlStore
) -> None:
    """A whole check finds nothing in a sound file, and a dangling reference in a spoilt one."""
    assert furnished.damage() == ()
    by_hand(furnished_path, "DELETE FROM principal WHERE id = 'ann'")
    assert set(furnished.damage()) == {
        "table `assignment` refers to a missing row of `principal`",
        "table `membership` refers to a missing row of `principal`",
    }


# ---------------------------------------------------------------- unavailable


def test_a_locked_database_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer that waits too long gives up with what to do; readers do not wait."""
    monkeypatch.setattr(database, "BUSY_SECONDS_MAX", 0.05)
    store = open_database(path)
    state = created(store, ACME, HISTORY[:2])
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="is locked by another program: try again"):
            store.commit(happening(state, CreateRole(READER)))
        assert store.load(ACME) == state
    assert store.commit(happening(state, CreateRole(READER)))
    store.close()


def test_a_full_disk_is_unavailable_and_changes_nothing(furnished: SqlStore) -> None:
    """A change that does not fit is not written at all."""
    state = held(furnished)

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1")

    event.listen(Engine, "connect", limit)
    event.listen(Engine, "checkout", limit)
    many = tuple(Principal(PrincipalId(f"p{number}")) for number in range(3_000))
    change = Event(ACME, state.revision + 1, INSTANT, ACTOR, CreateRole(READER), Delta(added=many))
    with pytest.raises(StoreUnavailable, match="free some space"):
        furnished.commit(change)
    event.remove(Engine, "connect", limit)
    event.remove(Engine, "checkout", limit)
    assert furnished.load(ACME) == state


def test_events_fold_to_what_is_stored_after_many_changes(furnished: SqlStore) -> None:
    """The projection is what a replay of the events gives, revision for revision."""
    state = held(furnished)
    events = furnished.events(ACME, limit=1000)
    assert fold(ACME, events) == furnished.load(ACME) == state
    replayed = empty(ACME)
    for happened in events:
        replayed = advance(replayed, happened.delta)
        assert replayed.revision == happened.revision
