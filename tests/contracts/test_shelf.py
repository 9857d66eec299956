"""Starting from a snapshot file over every store: as if it had been read, or not at all.

What is kept is only ever a beginning: the store says what has happened since, and whether it is of
its history.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from grantproof.adapters.snapshot_files import SnapshotFiles
from grantproof.bootstrap import Services, assemble
from grantproof.core.commands.language import Command, CreateRole, DeleteRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.core.invariants import Violation
from grantproof.service import shelf as module
from grantproof.service import snapshots as following
from grantproof.service.authors import Author
from grantproof.service.ports import Store, StoreUnavailable
from grantproof.service.shelf import ShelfCounts
from grantproof.service.snapshots import Snapshots
from grantproof.service.versions import Versioned
from tests.contracts.histories import ACTOR, INSTANT, commit_all, created
from tests.databases import Database, Databases, opened
from tests.shelves import kept, seen_in, shelf_in

ACME, LOST = OrganizationId("acme"), RoleId("lost")
BY = Author("tester")


@pytest.fixture
def shelf(tmp_path: Path) -> SnapshotFiles:
    """A shelf on which nothing is yet."""
    return shelf_in(tmp_path)


def started(store: Store, shelf: SnapshotFiles) -> Versioned:
    """What a process follows that starts now."""
    found = Snapshots(store, shelf=shelf).seen(ACME)
    assert found is not None
    return found


def same(one: Versioned, other: Versioned) -> bool:
    """Whether both are the same in every part, the seal too."""
    return (one.state, one.versions, one.seal) == (other.state, other.versions, other.seal)


@pytest.mark.parametrize("behind", [0, 1, 2, 3, 7])
def test_a_start_from_a_file_is_as_if_all_had_been_read(
    store: Store,
    shelf: SnapshotFiles,
    behind: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many events have come since, also more than are read at once; facts are not read."""
    monkeypatch.setattr(module, "EVENTS_PAGE_MAX", 3)
    state = created(store, ACME)
    kept(shelf, seen_in(store, ACME))
    more: list[Command] = [CreateRole(RoleId(f"more-{number}")) for number in range(behind - 1)]
    commit_all(store, state, [*more, DeleteRole(RoleId("Reader"))][:behind])
    now = seen_in(store, ACME)
    with monkeypatch.context() as patch:
        patch.setattr(store, "load_versioned", None)
        assert same(started(store, shelf), now)
    assert shelf.tally() == ShelfCounts(used=1, written=1)


def test_who_starts_from_a_file_follows_on(store: Store, shelf: SnapshotFiles) -> None:
    """It stands at an event and not only at a revision: what comes later is taken, and decided."""
    created(store, ACME)
    kept(shelf, seen_in(store, ACME))
    services = assemble(store, shelf=shelf)
    services.snapshots.load(ACME)
    services.administration.propose(ACME, CreateRole(RoleId("later")), by=BY)
    now = services.snapshots.seen(ACME)
    assert now is not None
    assert same(now, seen_in(store, ACME))
    assert RoleId("later") in now.state.roles


def test_nobody_sees_what_was_kept_before_the_store_was_asked(
    store: Store, shelf: SnapshotFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the store is asked the organization is not followed: nothing old is handed out."""
    state = created(store, ACME)
    kept(shelf, seen_in(store, ACME))
    commit_all(store, state, [CreateRole(LOST)])
    snapshots = Snapshots(store, shelf=shelf)
    real, known = store.continued, list[object]()

    def spying(organization: OrganizationId, *, after: int, seal: str | None, limit: int) -> object:
        known.append(snapshots.get(organization))
        return real(organization, after=after, seal=seal, limit=limit)

    monkeypatch.setattr(store, "continued", spying)
    index = snapshots.load(ACME)
    assert index is not None
    assert LOST in index.state.roles
    assert known == [None]


def test_from_what_is_too_far_behind_nobody_starts(
    store: Store, shelf: SnapshotFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many events as the bound are caught up with, one more are not; the file stays."""
    monkeypatch.setattr(module, "EVENTS_BEHIND_MAX", 2)
    monkeypatch.setattr(module, "ENTITIES_AN_EVENT", 1_000)
    state = created(store, ACME)
    path = kept(shelf, seen_in(store, ACME))
    state = commit_all(store, state, [CreateRole(RoleId("a")), CreateRole(RoleId("b"))])
    started(store, shelf)
    assert shelf.tally().used == 1
    commit_all(store, state, [CreateRole(RoleId("c"))])
    with capture_logs() as logs:
        assert same(started(store, shelf), seen_in(store, ACME))
    assert [line["why"] for line in logs] == [module.FAR_BEHIND]
    assert shelf.tally() == ShelfCounts(used=1, written=1, ignored=1)
    assert path.exists()


def test_what_is_large_may_be_farther_behind(
    store: Store, shelf: SnapshotFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By as many events as it has entities, where each takes as long; by one more it may not."""
    monkeypatch.setattr(module, "EVENTS_BEHIND_MAX", 0)
    monkeypatch.setattr(module, "ENTITIES_AN_EVENT", 1)
    state = created(store, ACME)
    kept(shelf, seen_in(store, ACME))
    count = module.entities(state)
    assert count == shelf_count(shelf) > 10
    state = commit_all(store, state, [CreateRole(RoleId(f"n{at}")) for at in range(count)])
    started(store, shelf)
    assert shelf.tally().used == 1
    commit_all(store, state, [CreateRole(RoleId("last"))])
    started(store, shelf)
    assert shelf.tally() == ShelfCounts(used=1, written=1, ignored=1)


def shelf_count(shelf: SnapshotFiles) -> int:
    """How many entities the file says that it has."""
    there = shelf.find(ACME)
    assert there is not None
    return there.entities


@pytest.mark.parametrize(("behind", "renewed"), [(5, False), (6, True)])
def test_who_follows_from_far_behind_reads_anew(
    store: Store, behind: int, renewed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In place of following event by event; what comes out is equal, and follows on."""
    monkeypatch.setattr(module, "EVENTS_BEHIND_MAX", 5)
    monkeypatch.setattr(module, "ENTITIES_AN_EVENT", 1_000)
    monkeypatch.setattr(following, "EVENTS_PAGE_MAX", 2)
    state = created(store, ACME)
    gone, moved = list[object](), list[str]()
    snapshots = Snapshots(store)
    snapshots.heed(lambda organization, who: gone.append((organization, who)))
    snapshots.watch(moved.append)
    before = snapshots.load(ACME)
    more = [CreateRole(RoleId(f"more-{number}")) for number in range(behind)]
    state = commit_all(store, state, more)
    snapshots.catch_up(ACME)
    assert snapshots.head(ACME) == store.heads((ACME,))[ACME]
    now = snapshots.seen(ACME)
    assert now is not None
    assert same(now, seen_in(store, ACME))
    assert (snapshots.get(ACME) is not before) == renewed
    assert gone == ([(ACME, None)] if renewed else [])
    assert ACME in moved
    commit_all(store, state, [CreateRole(RoleId("later"))])
    snapshots.catch_up(ACME)
    assert RoleId("later") in snapshots.seen(ACME).state.roles  # type: ignore[union-attr]  # it is


@pytest.mark.parametrize("meanwhile", ["moved", "deleted"])
def test_reading_anew_puts_nothing_back(
    store: Store, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another thread brings farther meanwhile stays, and what is gone is dropped."""
    monkeypatch.setattr(module, "EVENTS_BEHIND_MAX", 0)
    monkeypatch.setattr(module, "ENTITIES_AN_EVENT", 1_000)
    monkeypatch.setattr(following, "EVENTS_PAGE_MAX", 2)
    state = created(store, ACME)
    snapshots = Snapshots(store)
    before = snapshots.load(ACME)
    state = commit_all(store, state, [CreateRole(RoleId(f"more-{at}")) for at in range(3)])
    stored, real = seen_in(store, ACME), store.load_versioned

    def reading(organization: OrganizationId) -> Versioned | None:
        monkeypatch.setattr(store, "load_versioned", real)
        if meanwhile == "deleted":
            store.delete(ACME, actor=ACTOR, instant=INSTANT)
            return None
        commit_all(store, state, [CreateRole(RoleId("newest"))])
        with monkeypatch.context() as patch:
            patch.setattr(module, "EVENTS_BEHIND_MAX", 100)
            snapshots.catch_up(organization)
        return stored

    monkeypatch.setattr(store, "load_versioned", reading)
    snapshots.catch_up(ACME)
    assert snapshots.get(ACME) is (before if meanwhile == "moved" else None)
    assert meanwhile == "deleted" or snapshots.seen(ACME) == seen_in(store, ACME)


def test_of_a_deleted_organization_nothing_is_answered_or_kept(
    store: Store, shelf: SnapshotFiles
) -> None:
    """Deleted while nobody served it, or while it was followed."""
    created(store, ACME)
    path = kept(shelf, seen_in(store, ACME))
    snapshots = Snapshots(store, shelf=shelf)
    snapshots.load(ACME)
    assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
    copy = path.read_bytes()
    assert Snapshots(store, shelf=shelf).load(ACME) is None
    assert not path.exists()
    path.write_bytes(copy)
    snapshots.catch_up(ACME)
    assert snapshots.get(ACME) is None
    assert not path.exists()


def test_a_store_that_cannot_be_asked_is_an_error_and_the_file_stays(
    store: Store, shelf: SnapshotFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is answered from a file alone."""
    created(store, ACME)
    path = kept(shelf, seen_in(store, ACME))

    def down(*_: object, **__: object) -> None:
        raise StoreUnavailable

    for question in ("heads", "continued"):
        with monkeypatch.context() as patch:
            patch.setattr(store, question, down)
            snapshots = Snapshots(store, shelf=shelf)
            with pytest.raises(StoreUnavailable):
                snapshots.load(ACME)
            assert snapshots.get(ACME) is None
    assert path.exists()


def test_events_that_do_not_fit_the_file_are_no_end(store: Store, shelf: SnapshotFiles) -> None:
    """It is passed over with a line, and all facts are read."""
    state = created(store, ACME)
    now, gone = seen_in(store, ACME), RoleId("Reader")
    without = replace(now.state, roles=now.state.roles.without_node(gone))
    kept(shelf, replace(now, state=without))
    commit_all(store, state, [DeleteRole(gone)])
    with capture_logs() as logs:
        assert same(started(store, shelf), seen_in(store, ACME))
    assert [line["why"] for line in logs] == [module.UNFIT]


def test_what_was_found_invalid_is_not_started_from_again(
    store: Store, shelf: SnapshotFiles
) -> None:
    """It is read anew, and checked, before anything is answered about it."""
    created(store, ACME)
    path = kept(shelf, seen_in(store, ACME))
    snapshots = Snapshots(store, shelf=shelf)
    snapshots.load(ACME)
    assert snapshots.recheck(ACME, lambda _: (Violation("within-limits", ("x",)),))
    assert snapshots.get(ACME) is None
    assert not path.exists()
    assert snapshots.recheck(ACME) == ()


@contextmanager
def process(database: Database, shelf: SnapshotFiles) -> Iterator[Services]:
    """What a process on the database has, which starts from the shelf."""
    store = opened(database.address)
    yield assemble(store, shelf=shelf)
    store.close()


@pytest.mark.parametrize("since", [(), ("one",), ("one", "two"), ("one", "two", "three")])
def test_a_file_of_a_future_that_was_lost_is_not_started_from(
    databases: Databases, furnished_database: Database, tmp_path: Path, since: tuple[str, ...]
) -> None:
    """The store was put back, and has fewer events by now, as many, or more: the file goes."""
    earlier, shelf = databases.copied(furnished_database), shelf_in(tmp_path)
    with process(furnished_database, shelf) as services:
        for role in ("lost", "lost-too"):
            services.administration.propose(ACME, CreateRole(RoleId(role)), by=BY)
        path = kept(shelf, seen_in(services.store, ACME))
    databases.put_back(furnished_database, earlier)
    databases.drop(earlier)
    with process(furnished_database, shelf_in(tmp_path / "none")) as other:
        for role in since:
            other.administration.propose(ACME, CreateRole(RoleId(role)), by=BY)
    with process(furnished_database, shelf) as services:
        found = services.snapshots.seen(ACME)
        assert found is not None
        assert same(found, seen_in(services.store, ACME))
        assert LOST not in found.state.roles
    assert not path.exists()
    assert shelf.tally() == ShelfCounts(written=1, ignored=1)
