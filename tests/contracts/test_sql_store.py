"""What a store in a SQL database promises beyond the contract: it lasts, and it doubts its rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from grantproof.adapters.sql import SqlStore, loading, projection
from grantproof.adapters.sql.rows import Row
from grantproof.core.attributes import attributes
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
from grantproof.service.ports import StoreUnusable
from grantproof.service.receipts import Once, Receipt
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
from tests.databases import Database, opened

ACME = OrganizationId("acme")
SEALED = {"event", "event_personal", "audit_key"}
NOT_FACTS = {"organization", "api_key", "key_receipt", "receipt", "consumption", *SEALED}


@pytest.fixture
def store(database: Database) -> Iterator[SqlStore]:
    """The store on that database."""
    made = opened(database.address)
    yield made
    made.close()


@pytest.fixture
def furnished(furnished_database: Database) -> Iterator[SqlStore]:
    """The store on that database."""
    made = opened(furnished_database.address)
    yield made
    made.close()


def held(store: SqlStore) -> Organization:
    """The organization `acme`, which is there."""
    state = store.load(ACME)
    assert state is not None
    return state


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


def test_what_was_committed_is_there_after_reopening(database: Database) -> None:
    """State and events outlive the store that wrote them."""
    first = opened(database.address)
    state = created(first, ACME)
    events = first.events(ACME, limit=1000)
    first.close()
    second = opened(database.address)
    assert second.load(ACME) == state
    assert second.events(ACME, limit=1000) == events
    commit_all(second, state, [CreateRole(RoleId("later"))])
    second.close()


def test_two_stores_on_one_database_see_each_other(database: Database, store: SqlStore) -> None:
    """What one store commits, another on the same database reads at once."""
    other = opened(database.address)
    state = created(store, ACME)
    assert other.load(ACME) == state
    lost = happening(state, CreateRole(RoleId("lost")))
    state = commit_all(other, state, [CreateRole(RoleId("won"))])
    assert not store.commit(lost)
    assert store.load(ACME) == state
    other.close()


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
    assert counts == [16, 16]


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


def test_a_row_says_which_revision_last_changed_it(database: Database, store: SqlStore) -> None:
    """New and edited rows carry the revision of their event, all others keep theirs."""
    state = created(store, ACME, [CreatePrincipal(ANN), CreatePrincipal(PrincipalId("bob"))])
    commit_all(store, state, [SetPrincipalAttributes(ANN, attributes({"edited": True}))])
    rows = database.query("SELECT id, revision FROM principal ORDER BY id")
    assert rows == [("ann", 3), ("bob", 2)]


def test_a_deleted_organization_leaves_only_its_events(
    furnished_database: Database, furnished: SqlStore
) -> None:
    """Every row of facts goes; its own row says when, and one more event says who did it."""
    rows_of = furnished_database.rows_of
    fact_tables = sorted(set(Row.metadata.tables) - NOT_FACTS)
    assert all(rows_of(name) > 0 for name in fact_tables)
    events = rows_of("event")
    assert furnished.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert [name for name in fact_tables if rows_of(name) > 0] == []
    assert rows_of("event") == events + 1 > 1
    who = "SELECT actor FROM event_personal ORDER BY revision DESC LIMIT 1"
    assert furnished_database.query(who) == [(ACTOR,)]
    left = furnished_database.query("SELECT id, deleted_at FROM organization")
    assert left == [(ACME, INSTANT)]


def test_a_deleted_organization_leaves_no_receipt(database: Database, store: SqlStore) -> None:
    """They are about what is gone."""
    receipt = Receipt(ACME, ACTOR, Once("k", "d"), 0, INSTANT)
    assert store.create(ACME, time_zone="UTC", actor=ACTOR, instant=INSTANT, receipt=receipt)
    assert database.rows_of("receipt") == 1
    assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert database.rows_of("receipt") == 0


# ---------------------------------------------------------------- rules


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE event SET instant = 7 WHERE revision = 2",
        "DELETE FROM event WHERE revision = 2",
        "DELETE FROM event",
    ],
)
def test_events_cannot_be_rewritten(
    furnished_database: Database, furnished: SqlStore, statement: str
) -> None:
    """The database itself refuses to change or remove what happened, past other rules too."""
    events = furnished.events(ACME, limit=1000)
    for edit in (furnished_database.execute, furnished_database.by_hand):
        with pytest.raises(furnished_database.refusal, match="events are never"):
            edit(statement)
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
    furnished_database: Database, furnished: SqlStore, statement: str
) -> None:
    """Even past the store, a row of another organization or of nothing is refused."""
    assert furnished.create(OrganizationId("other"), time_zone="UTC", actor=ACTOR, instant=INSTANT)
    with pytest.raises(furnished_database.refusal):
        furnished_database.execute(statement)


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
        ("UPDATE principal SET id = 'a n' WHERE id = 'ann'", "`principal`, row `a n`: `principal"),
        (
            "UPDATE principal SET revision = 99 WHERE id = 'ann'",
            "`principal`, row `ann`: `revision`",
        ),
        ("UPDATE principal SET active = 2 WHERE id = 'ann'", "`principal`, row `ann`: `active`"),
        ("UPDATE principal SET attributes = '' WHERE id = 'ann'", "`principal`, row `ann`: "),
        ("UPDATE principal SET attributes = '[]' WHERE id = 'ann'", "`principal`, row `ann`: "),
        (
            "UPDATE principal SET attributes = '{\"a\": 1.5}' WHERE id = 'ann'",
            "`principal`, row `ann`: ",
        ),
        (
            "UPDATE resource SET kind_id = 'role' WHERE id = 'docs'",
            "`resource`, row `docs`: `kind`",
        ),
        (
            "UPDATE resource SET kind_id = 'x' WHERE id = 'docs'",
            "`resource`, row `docs`: `x`, to which it refers",
        ),
        ("UPDATE sod_set SET n = 1 WHERE id = 'one-hat'", "`sod_set`, row `one-hat`: `n`"),
        ("UPDATE sod_set SET mode = '' WHERE id = 'one-hat'", "`sod_set`, row `one-hat`: `mode`"),
        ("DELETE FROM sod_set_role WHERE sod_set_id = 'one-hat'", "`sod_set`, row `one-hat`: `n`"),
        ("DELETE FROM sod_set WHERE id = 'one-hat'", "`sod_set_role`, row `one-hat`: "),
        ("UPDATE assignment SET valid_until = -1", "`assignment`, row `ann`, `writer`: `until`"),
        ("DELETE FROM role WHERE id = 'reader'", "`inheritance`, row `writer`, `reader`: `reader`"),
        ("UPDATE organization SET time_zone = ''", "`organization`, row `acme`: `time_zone`"),
        ("UPDATE organization SET administered = 3", "`organization`, row `acme`: `administered`"),
        ("UPDATE organization SET revision = -1", "`organization`, row `acme`: `revision`"),
    ],
)
def test_an_illegal_row_is_named(
    furnished_database: Database, furnished: SqlStore, statement: str, said: str
) -> None:
    """Loading what a hand has made illegal fails with its table, its key and the broken rule."""
    furnished_database.without_checks()
    furnished_database.by_hand(statement)
    with pytest.raises(StoreUnusable) as caught:
        furnished.load(ACME)
    assert said in str(caught.value)
    assert str(caught.value).endswith(": restore it from a backup")
    assert "\n" not in str(caught.value)


def test_rows_may_come_in_any_number_of_batches(
    furnished_database: Database, furnished: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state is the same, and an illegal row is named in whichever it comes."""
    at_once = furnished.load_versioned(ACME)
    monkeypatch.setattr(loading, "ROWS_AT_ONCE", 1)
    one_by_one = furnished.load_versioned(ACME)
    assert at_once is not None
    assert one_by_one is not None
    assert (one_by_one.state, one_by_one.versions) == (at_once.state, at_once.versions)
    furnished_database.without_checks()
    last = "UPDATE principal SET active = 2 WHERE id = (SELECT max(id) FROM principal)"
    furnished_database.by_hand(last)
    name = max(at_once.state.principals)
    with pytest.raises(StoreUnusable, match=f"`principal`, row `{name}`: `active`"):
        furnished.load(ACME)


@pytest.mark.parametrize("column", ["command", "delta"])
@pytest.mark.parametrize("text", ["", "{", "null", "[]", '{"removed": []}'])
def test_an_unreadable_event_is_named(
    furnished_database: Database, furnished: SqlStore, column: str, text: str
) -> None:
    """Reading an event that a hand has spoilt fails with its organization and revision."""
    furnished_database.without_trigger("event_is_never_changed")
    furnished_database.execute(
        f"UPDATE event SET {column} = '{text}' WHERE revision = 2"  # noqa: S608 - texts from above
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
    furnished_database: Database, furnished: SqlStore
) -> None:
    """A whole check finds nothing in a sound database, and a dangling reference in a spoilt one."""
    assert furnished.damage() == ()
    furnished_database.by_hand("DELETE FROM principal WHERE id = 'ann'")
    assert set(furnished.damage()) == {
        "table `assignment` refers to a missing row of `principal`",
        "table `counter` refers to a missing row of `principal`",
        "table `membership` refers to a missing row of `principal`",
        "table `session` refers to a missing row of `principal`",
    }


def test_events_fold_to_what_is_stored_after_many_changes(furnished: SqlStore) -> None:
    """The projection is what a replay of the events gives, revision for revision."""
    state = held(furnished)
    events = furnished.events(ACME, limit=1000)
    assert fold(ACME, events) == furnished.load(ACME) == state
    replayed = empty(ACME)
    for happened in events:
        replayed = advance(replayed, happened.delta)
        assert replayed.revision == happened.revision
