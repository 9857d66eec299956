"""Keeping what is followed on the shelf: when it has moved, in short turns, and at the end."""

import asyncio
import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from typing_extensions import override

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.snapshot_files import SnapshotFiles
from grantproof.api import shelving as module
from grantproof.api.shelving import Shelving
from grantproof.bootstrap import assemble
from grantproof.core.commands.language import CreateRole, DeleteClaim
from grantproof.core.identifiers import ClaimId, OrganizationId, RoleId
from grantproof.service.authors import Author
from grantproof.service.shelf import Pace, ShelfCounts
from grantproof.service.snapshots import Snapshots
from grantproof.service.versions import Versioned
from tests.api.service import OPERATORS, evaluate, serving
from tests.contracts.histories import ACTOR, INSTANT, created
from tests.shelves import SECRET, found, seen_in, shelf_in

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
BY = Author("tester")
SOON = 0.001


class Noting(SnapshotFiles):
    """Notes what is kept, and may be held up in the middle."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, SECRET)
        self.kept: list[tuple[str, int]] = []
        self.began = threading.Event()
        self.done = threading.Event()
        self.free = threading.Event()
        self.free.set()

    @override
    def keep(self, seen: Versioned, pace: Pace) -> bool:
        self.kept.append((seen.state.id, seen.state.revision))
        self.began.set()
        self.free.wait(10)
        whole = super().keep(seen, pace)
        self.done.set()
        return whole


class Staying(MemoryStore):
    """Is there for the next process too."""

    @override
    def close(self) -> None:
        pass


@pytest.fixture
def store() -> MemoryStore:
    """A store with two organizations."""
    made = MemoryStore()
    created(made, ACME)
    created(made, OTHER)
    return made


@contextmanager
def at_work(shelving: Shelving) -> Iterator[Shelving]:
    """Shelving whose thread ends with the test."""
    try:
        yield shelving
    finally:
        shelving.close()


def following(store: MemoryStore, *organizations: OrganizationId) -> Snapshots:
    """What follows the organizations."""
    snapshots = Snapshots(store)
    for one in organizations:
        snapshots.load(one)
    return snapshots


def test_the_end_writes_what_has_moved_and_nothing_twice(
    store: MemoryStore, tmp_path: Path
) -> None:
    """Only what is followed; a round in which nothing moved writes nothing."""
    shelf = Noting(tmp_path)
    services = assemble(store)

    async def serve() -> None:
        with at_work(Shelving(services.snapshots, shelf, seconds=SOON)) as shelving:
            services.snapshots.load(ACME)
            running = asyncio.create_task(shelving.run())
            await asyncio.to_thread(shelf.done.wait, 10)
            await asyncio.sleep(20 * SOON)
            assert len(shelf.kept) == 1
            services.administration.propose(ACME, CreateRole(RoleId("late")), by=BY)
            shelving.stop()
            await running

    before = store.revision(ACME)
    assert before is not None
    asyncio.run(serve())
    assert shelf.kept == [(ACME, before), (ACME, before + 1)]
    assert found(shelf, ACME).revision == before + 1
    assert shelf.find(OTHER) is None


def test_the_first_round_waits_its_time(store: MemoryStore, tmp_path: Path) -> None:
    """What was just started is not written at once; the end does not wait for the round."""
    shelf = Noting(tmp_path)

    async def serve() -> None:
        with at_work(Shelving(following(store, ACME), shelf, seconds=60)) as shelving:
            running = asyncio.create_task(shelving.run())
            await asyncio.sleep(10 * SOON)
            assert shelf.kept == []
            shelving.stop()
            await asyncio.wait_for(running, 10)

    asyncio.run(serve())
    assert shelf.tally() == ShelfCounts(written=1)


def test_without_a_shelf_it_ends_at_once(store: MemoryStore) -> None:
    """And nobody needs to stop it."""

    async def serve() -> None:
        with at_work(Shelving(following(store, ACME), None, seconds=60)) as shelving:
            await asyncio.wait_for(shelving.run(), 10)

    asyncio.run(serve())


def test_what_is_forgotten_while_it_is_written_is_not_kept(
    store: MemoryStore, tmp_path: Path
) -> None:
    """An organization that is deleted meanwhile leaves no file."""
    shelf = Noting(tmp_path)
    shelf.free.clear()
    snapshots = following(store, ACME)

    async def serve() -> None:
        with at_work(Shelving(snapshots, shelf, seconds=SOON)) as shelving:
            running = asyncio.create_task(shelving.run())
            await asyncio.to_thread(shelf.began.wait, 10)
            assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
            snapshots.catch_up(ACME)
            shelf.free.set()
            shelving.stop()
            await running

    asyncio.run(serve())
    assert shelf.tally().written == 1
    assert list(tmp_path.iterdir()) == []


def test_the_end_does_not_wait_for_ever(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not written in time stays as it was; further organizations are not begun."""
    monkeypatch.setattr(module, "END_SECONDS_MAX", 0.0)
    shelf = Noting(tmp_path)
    shelf.free.clear()

    async def serve() -> None:
        with at_work(Shelving(following(store, ACME, OTHER), shelf, seconds=SOON)) as shelving:
            running = asyncio.create_task(shelving.run())
            await asyncio.to_thread(shelf.began.wait, 10)
            shelving.stop()
            shelf.free.set()
            await asyncio.wait_for(running, 10)

    asyncio.run(serve())
    assert len(shelf.kept) == 1
    assert shelf.tally() == ShelfCounts()


def test_writing_rests_most_of_the_time(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each turn so many times as long as it took; the end is waited for by no rest."""
    rested = list[float]()

    class Resting(threading.Event):
        """Notes how long somebody would rest, and lets nobody."""

        @override
        def wait(self, timeout: float | None = None) -> bool:
            rested.append(timeout or 0)
            return False

    ticks = itertools.count()
    with at_work(Shelving(following(store, ACME), None, seconds=60)) as shelving:
        monkeypatch.setattr(shelving, "_hurrying", Resting())
        monkeypatch.setattr(module, "stopwatch", lambda: 0.002 * next(ticks))
        pace = partial(shelving._pace, [0.0])  # noqa: SLF001 - what a shelf is given
        assert shelf_in(tmp_path).keep(seen_in(store, ACME), pace)
    assert len(rested) > 2
    assert rested[1:] == [pytest.approx(module.RESTS * 0.002)] * (len(rested) - 1)


def test_a_rest_ends_when_the_service_does(
    store: MemoryStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it would have been, the rest of the file is written at once."""
    monkeypatch.setattr(module, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(module, "RESTS", 10**9)
    shelf = Noting(tmp_path)

    async def serve() -> None:
        with at_work(Shelving(following(store, ACME), shelf, seconds=SOON)) as shelving:
            running = asyncio.create_task(shelving.run())
            await asyncio.to_thread(shelf.began.wait, 10)
            await asyncio.sleep(20 * SOON)
            assert shelf.tally() == ShelfCounts()
            shelving.stop()
            await asyncio.wait_for(running, 10)

    asyncio.run(serve())
    assert shelf.tally() == ShelfCounts(written=1)


def test_a_service_leaves_a_file_and_starts_from_it(tmp_path: Path) -> None:
    """With what was changed in between, and nothing that is old is ever answered from."""
    store = Staying()
    with serving(store, OPERATORS, snapshots=tmp_path) as api:
        assert evaluate(api)["decision"] == "Allow"
    revision = found(shelf_in(tmp_path), ACME).revision
    services = assemble(store)
    services.administration.propose(ACME, DeleteClaim(ClaimId("viewer-read-docs")), by=BY)
    with serving(store, OPERATORS, snapshots=tmp_path) as api:
        answer = evaluate(api)
        metrics = api.get("/metrics").text
    assert (answer["decision"], answer["revision"]) == ("Deny", revision + 1)
    assert 'grantproof_snapshot_files_total{outcome="used"} 1.0' in metrics
    assert found(shelf_in(tmp_path), ACME).revision == revision + 1
