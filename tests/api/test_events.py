"""GET events: what happened, in order, to whom it may concern, and as soon as it happens."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NoReturn

import pytest
from structlog.testing import capture_logs

from grantproof.adapters.memory import MemoryStore
from grantproof.api import waiting
from grantproof.api.app import Application
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.core.limits import REASON_LENGTH_MAX, WAIT_SECONDS_MAX
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from grantproof.service.ports import StoreUnavailable
from tests.api.service import Api, Json, fields_at_fault, problem, services_over, serving

ORG = "/v1/orgs/acme"
LONG = 30
"""Seconds that no test waits unless it fails."""


def events(api: Api, query: str = "") -> Json:
    """A page of events."""
    response = api.get(f"{ORG}/events{query}")
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def revisions(api: Api, query: str) -> list[int]:
    """The revisions of the events on a page."""
    return [event["revision"] for event in events(api, query)["items"]]


@contextmanager
def asked(api: Api, query: str) -> Iterator["Future[Json]"]:
    """A page of events that is asked for meanwhile, by a request that has begun to wait."""
    application: Any = api.app
    assert isinstance(application, Application)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(events, api, query)
        places = application._waiting  # noqa: SLF001 - to see that the request waits
        limit = time.monotonic() + LONG
        while places._places == 0:  # noqa: SLF001 - the same
            assert time.monotonic() < limit
            assert not asking.done()
            time.sleep(0.005)
        yield asking


# ---------------------------------------------------------------- what they tell


def test_events_tell_what_was_asked_and_what_it_did(api: Api) -> None:
    """Each with its revision, instant and actor, the request, the command and the facts."""
    api.post(f"{ORG}/roles", json={"id": "auditor"}, headers={"X-Request-ID": "r-1"})
    answer = events(api, "?after=1")
    (event,) = answer["items"]
    assert event == {
        "revision": 2,
        "instant": event["instant"],
        "actor": "demo",
        "reason": None,
        "request_id": "r-1",
        "command": {"type": "CreateRole", "role": "auditor"},
        "delta": {"added": [{"type": "Role", "id": "auditor"}], "removed": []},
    }
    assert (answer["next"], answer["revision"]) == (None, 2)


def test_events_after_the_last_are_none(api: Api) -> None:
    """Who has seen all asks again later."""
    assert events(api, "?after=1")["items"] == []


def test_the_founding_is_the_first_event(api: Api) -> None:
    """Without `after` the history begins at its beginning."""
    founding, *others = events(api)["items"]
    assert (founding["revision"], founding["command"]) == (0, {"type": "Found", "time_zone": "UTC"})
    assert [event["revision"] for event in others] == [1]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("ticket 4711", "ticket 4711"),
        ("100% sure", "100% sure"),
        ("%C3%9Cbergabe %F0%9F%94%91", "Übergabe \U0001f511"),
        ("x" * REASON_LENGTH_MAX, "x" * REASON_LENGTH_MAX),
    ],
)
def test_a_reason_stands_in_the_event(api: Api, header: str, reason: str) -> None:
    """Whoever changes something may say why, in any script."""
    headers = {"Grantproof-Reason": header}
    api.post(f"{ORG}/roles", json={"id": "auditor"}, headers=headers).raise_for_status()
    (event,) = events(api, "?after=1")["items"]
    assert event["reason"] == reason


@pytest.mark.parametrize(
    "header", ["", "%FF", "%0A", "\u00dc", "a%00b", "x" * (REASON_LENGTH_MAX + 1)]
)
def test_a_reason_that_is_none_changes_nothing(api: Api, header: str) -> None:
    """Empty, too long or not printable: the header is named, and nothing is done."""
    headers = [(b"Grantproof-Reason", header.encode("latin-1"))]
    told = problem(api.post(f"{ORG}/roles", json={"id": "r"}, headers=headers), 400, "invalid")
    assert fields_at_fault(told) == ["Grantproof-Reason"]
    assert revisions(api, "?after=1") == []


def test_two_reasons_are_none(api: Api) -> None:
    """Nobody guesses which is meant."""
    headers = [("Grantproof-Reason", "a"), ("Grantproof-Reason", "b")]
    problem(api.post(f"{ORG}/roles", json={"id": "r"}, headers=headers), 400, "invalid")


def test_a_new_organization_tells_who_and_why(operator: Api) -> None:
    """The founding is a change like any other."""
    headers = {"Grantproof-Reason": "new customer", "X-Request-ID": "r-2"}
    operator.post("/v1/orgs", json={"id": "new"}, headers=headers).raise_for_status()
    (event,) = operator.get("/v1/orgs/new/events").json()["items"]
    assert event["actor"].startswith("key:")
    assert event["reason"] == "new customer"
    assert event["request_id"] == "r-2"


# ---------------------------------------------------------------- which of them


@pytest.fixture(scope="module")
def eventful() -> Iterator[Api]:
    """An organization with a few events by two people, at two instants."""
    store = MemoryStore()
    with serving(store, demo=True) as client:
        for role in ("r2", "r3"):
            client.post(f"{ORG}/roles", json={"id": role}).raise_for_status()
        services = services_over(store)
        services.administration.propose(ACME, CreateRole(RoleId("r4")), by=Author("eve"))
        client.post(f"{ORG}/assignments", json={"principal": "bob", "role": "r2"})
        client.delete(f"{ORG}/roles/r2?cascade=true").raise_for_status()
        yield client


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?after=1", [2, 3, 4, 5, 6]),
        ("?after=1&actor=eve", [4]),
        ("?after=1&actor=nobody", []),
        ("?command=Found", [0]),
        ("?command=ChangeSet", [1]),
        ("?command=CreateSodSet", [1]),
        ("?command=DeleteRole", [6]),
        ("?subject=r2", [2, 5, 6]),
        ("?subject=bob", [1, 5, 6]),
        ("?subject=acme", []),
        ("?subject=AssignRole", []),
        ("?after=2&subject=bob&command=DeleteRole", [6]),
        ("?since=0&until=1", []),
        ("?since=1&limit=2", [0, 1]),
    ],
)
def test_events_can_be_looked_for(eventful: Api, query: str, found: list[int]) -> None:
    """By who, when, what and whom; everything that is named must hold."""
    assert revisions(eventful, query) == found


def test_pages_of_what_is_looked_for_leave_nothing_out(eventful: Api) -> None:
    """Each page begins after the last event of the one before."""
    seen, after = [], ""
    while True:
        page = events(eventful, f"?subject=r2&limit=1{after}")
        seen += [event["revision"] for event in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert seen == [2, 5, 6]


def test_a_look_costs_only_so_much(eventful: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where much is searched and nothing found, the page is empty and says where to go on."""
    monkeypatch.setattr("grantproof.service.history.EVENTS_SEARCHED_MAX", 3)
    monkeypatch.setattr("grantproof.adapters.memory.store.EVENTS_SEARCHED_MAX", 3)
    page = events(eventful, "?actor=eve")
    assert (page["items"], page["next"]) == ([], "2")
    page = events(eventful, "?actor=eve&after=2")
    assert [event["revision"] for event in page["items"]] == [4]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?command=Nonsense", "command"),
        ("?since=-1", "since"),
        ("?until=x", "until"),
        (f"?wait={WAIT_SECONDS_MAX + 1}", "wait"),
        ("?wait=-1", "wait"),
        ("?whom=bob", "whom"),
        (f"?after={2**63}", "after"),
    ],
)
def test_what_cannot_be_looked_for_is_named(eventful: Api, query: str, field: str) -> None:
    """A filter that is not understood is never left out silently."""
    told = problem(eventful.get(f"{ORG}/events{query}"), 400, "invalid")
    assert fields_at_fault(told) == [field]


# ---------------------------------------------------------------- waiting


def test_events_that_are_there_are_not_waited_for(api: Api) -> None:
    """The answer comes at once."""
    started = time.monotonic()
    assert revisions(api, f"?after=0&wait={LONG}") == [1]
    assert time.monotonic() - started < LONG / 2


def test_who_waits_is_told_at_once(api: Api) -> None:
    """A change through the same service wakes them, long before the next round of following."""
    with asked(api, f"?after=1&wait={LONG}") as asking:
        started = time.monotonic()
        api.post(f"{ORG}/roles", json={"id": "auditor"}).raise_for_status()
        page = asking.result(LONG)
        assert time.monotonic() - started < LONG / 2
    assert [event["revision"] for event in page["items"]] == [2]
    assert page["revision"] == 2


def test_who_waits_for_one_thing_sleeps_through_another(api: Api) -> None:
    """An event that is not wanted ends no waiting; the next that is does."""
    with asked(api, f"?after=1&wait={LONG}&subject=wanted") as asking:
        api.post(f"{ORG}/roles", json={"id": "other"}).raise_for_status()
        time.sleep(0.05)
        assert not asking.done()
        api.post(f"{ORG}/roles", json={"id": "wanted"}).raise_for_status()
        assert [event["revision"] for event in asking.result(LONG)["items"]] == [3]


def test_another_writer_wakes_who_waits() -> None:
    """What another process commits is seen by the round of following, and told then."""
    store = MemoryStore()
    with (
        serving(store, demo=True, follow_seconds=0.02) as api,
        asked(api, f"?after=1&wait={LONG}") as asking,
    ):
        services = services_over(store)
        services.administration.propose(ACME, CreateRole(RoleId("r")), by=Author("eve"))
        (event,) = asking.result(LONG)["items"]
    assert (event["revision"], event["actor"]) == (2, "eve")


def test_waiting_ends_with_its_time(api: Api) -> None:
    """Then the page is empty, and says which revision it has seen."""
    started = time.monotonic()
    page = events(api, "?after=1&wait=1")
    assert 0.9 < time.monotonic() - started < LONG
    assert (page["items"], page["next"], page["revision"]) == ([], None, 1)


def test_waiting_ends_with_the_organization(operator: Api, store: MemoryStore) -> None:
    """Whoever waits for an organization that is deleted is told that it is not there."""
    organization = OrganizationId("acme")
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(operator.get, f"{ORG}/events?after=1&wait={LONG}")
        time.sleep(0.1)
        assert not asking.done()
        operator.delete(ORG).raise_for_status()
        problem(asking.result(LONG), 403, "forbidden_organization")
    assert store.load(organization) is None


def test_waiting_does_not_take_an_outage_for_the_end_of_the_organization(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be confirmed any more is not told to be gone: whoever waits may come again."""

    def gone(*_: object) -> NoReturn:
        raise StoreUnavailable("gone")

    with (
        ThreadPoolExecutor(1) as pool,
        serving(store, demo=True, follow_seconds=0.01, max_staleness=0.2) as api,
        capture_logs(),
    ):
        asking = pool.submit(api.get, f"{ORG}/events?after=1&wait=2")
        application: Any = api.app
        places = application._waiting  # noqa: SLF001 - to see that the request waits
        while places._places == 0 and not asking.done():  # noqa: SLF001 - the same
            time.sleep(0.005)
        monkeypatch.setattr(store, "heads", gone)
        told = asking.result(LONG)
        problem(told, 503, "not_current")
        assert told.headers["retry-after"] == "1"


def test_waiting_ends_with_the_service() -> None:
    """A service that stops waits for nobody who waits."""
    started = time.monotonic()
    with ThreadPoolExecutor(1) as pool, serving(MemoryStore(), demo=True) as api:
        with asked(api, f"?after=1&wait={LONG}") as asking:
            application: Any = api.app
            loop = application._tasks[0].get_loop()  # noqa: SLF001 - where it runs
            loop.call_soon_threadsafe(application.drain)
            assert asking.result(LONG)["items"] == []
        late = pool.submit(events, api, f"?after=1&wait={LONG}")
        assert late.result(LONG)["items"] == []
    assert time.monotonic() - started < LONG / 2


def test_only_so_many_wait(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more is told to come again; the places are free again afterwards."""
    monkeypatch.setattr(waiting, "WAITERS_MAX", 1)
    with asked(api, f"?after=1&wait={LONG}") as asking:
        refused = api.get(f"{ORG}/events?after=1&wait=1")
        problem(refused, 503, "too_many_waiting")
        assert refused.headers["retry-after"] == "1"
        api.post(f"{ORG}/roles", json={"id": "auditor"}).raise_for_status()
        asking.result(LONG)
    assert revisions(api, "?after=2&wait=1") == []


def test_who_waits_holds_no_thread(api: Api) -> None:
    """More wait than there are threads for requests, and others are answered meanwhile."""
    waiters = 60
    before = threading.active_count()
    with ThreadPoolExecutor(waiters) as pool:
        pages = [pool.submit(events, api, f"?after=1&wait={LONG}") for _ in range(waiters)]
        application: Any = api.app
        limit = time.monotonic() + LONG
        while application._waiting._places < waiters:  # noqa: SLF001 - to see that all wait
            assert time.monotonic() < limit
            time.sleep(0.01)
        api.post(f"{ORG}/roles", json={"id": "auditor"}).raise_for_status()
        assert all(page.result(LONG)["revision"] == 2 for page in pages)
    assert threading.active_count() < before + waiters
