"""The timeline: events newest first, found by filters, sealed; and the page of one of them."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from httpx2 import Response

from grantproof.adapters.clock import SystemClock
from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.signing import Ed25519Signer
from grantproof.adapters.sql import SqlStore
from grantproof.api.console import sealing, timeline
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import RoleId
from grantproof.core.limits import EVENTS_SEARCHED_MAX
from grantproof.service import event_text, history
from grantproof.service.audit import AuditPoint
from grantproof.service.authors import Author
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.ports import StoreUnavailable
from tests.api.console.browsing import look, told, words
from tests.api.service import OPERATORS, Api, running, services_over, serving
from tests.databases import opened

ORG = "/v1/orgs/acme"
HERE = "/console/orgs/acme/events"
EVIL = "<script>alert(1)</script>\"'&"


def asked(api: Api, **typed: str) -> Response:
    """The page for what was typed."""
    answer = look(api, HERE, params=typed)
    assert answer.status_code == 200, words(answer)
    return answer


def revisions(answer: Response) -> list[int]:
    """The revisions of the events on a page, from above."""
    return [
        int(one) for one in re.findall(r'<span class="badge">revision (\d+)</span>', answer.text)
    ]


def past(api: Api) -> Api:
    """The demo after four more changes, with a reason that people wrote."""
    why = {"Grantproof-Reason": EVIL}
    body = {"principal": "alice", "role": "editor"}
    assert api.post(f"{ORG}/assignments", json=body, headers=why).status_code == 201
    for name in ("mallory", "nina", "oscar"):
        assert api.post(f"{ORG}/principals", json={"id": name}).status_code == 201
    return api


def test_the_newest_event_stands_first(api: Api) -> None:
    """In words, with who, when and why; each with the way to what it granted."""
    answer = asked(past(api))
    seen = words(answer)
    assert revisions(answer) == [5, 4, 3, 2, 1, 0]
    assert "added principal oscar" in seen
    assert f"“{EVIL}”" in seen
    assert "<script>alert" not in answer.text
    assert re.search(r'<time datetime="\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00">', answer.text)
    assert 'href="/console/orgs/acme/diff?from=4&amp;to=5"' in answer.text
    assert answer.text.count("/diff?from=") == 5


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ({"text": "MALLORY"}, [3]),
        ({"text": "alert"}, [2]),
        ({"text": EVIL}, [2]),
        ({"actor": "demo"}, [5, 4, 3, 2, 1, 0]),
        ({"actor": "dem"}, []),
        ({"command": "AssignRole"}, [2, 1]),
        ({"command": "Found"}, [0]),
        ({"subject": "alice"}, [2, 1]),
        ({"subject": EVIL}, []),
        ({"since": "2020-01-01T00:00", "command": "CreatePrincipal"}, [5, 4, 3, 1]),
        ({"until": "2020-01-01T00:00"}, []),
        ({"since": "4000000000"}, []),
    ],
)
def test_events_are_found(api: Api, typed: dict[str, str], found: list[int]) -> None:
    """All that is typed must be so; it stays in the form."""
    answer = asked(past(api), **typed)
    assert revisions(answer) == found
    assert "<script>alert" not in answer.text
    assert '<details class="card" open>' in answer.text
    if not found:
        assert "No event is of this kind." in words(answer)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"since": "yesterday"}, "since"),
        ({"until": EVIL}, "until"),
        ({"command": "Steal"}, "command"),
        ({"command": EVIL}, "command"),
    ],
)
def test_what_cannot_be_read_is_told_and_stays(
    steady: Api, typed: dict[str, str], field: str
) -> None:
    """400: nothing is found, and nothing is lost."""
    answer = look(steady, HERE, params={"text": "keep me", **typed})
    assert answer.status_code == 400
    assert f"<code>{field}</code>" in answer.text
    assert 'value="keep me"' in answer.text
    assert revisions(answer) == []
    assert "<script>alert" not in answer.text


def test_pages_follow_one_another(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the newest to the founding, once each; the filters go along."""
    monkeypatch.setattr(timeline, "LISTED", 2)
    answer = asked(past(api), actor="demo")
    seen = revisions(answer)
    for _ in range(len(seen) + 4):
        href = re.search(r'rel="next" href="([^"]*)"', answer.text)
        if href is None:
            break
        assert "actor=demo" in href[1]
        answer = look(api, href[1].replace("&amp;", "&"))
        seen += revisions(answer)
    assert seen == [5, 4, 3, 2, 1, 0]


def test_where_nothing_was_found_so_far_the_search_goes_on(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look is bounded: then it says so, and where to go on."""
    past(api)
    for module in ("grantproof.service.history", "grantproof.adapters.memory.store"):
        monkeypatch.setattr(f"{module}.EVENTS_SEARCHED_MAX", 3)
    answer = asked(api, command="Found")
    assert revisions(answer) == []
    assert f"among the last {EVENTS_SEARCHED_MAX:,} events" in words(answer)
    href = re.search(r'rel="next" href="([^"]*)"', answer.text)
    assert href is not None
    assert revisions(look(api, href[1].replace("&amp;", "&"))) == [0]


def test_before_the_founding_there_is_nothing(steady: Api) -> None:
    """And what is no revision is refused."""
    assert "There are no older events." in words(asked(steady, before="0"))
    told(look(steady, HERE, params={"before": "x"}), 400, "invalid")
    told(look(steady, HERE, params={"check": "x"}), 400, "invalid")


# ---------------------------------------------------------------- one event


def test_an_event_tells_the_command_and_what_it_did(api: Api) -> None:
    """As it was asked, and fact by fact; with who, when, why, and the ways on."""
    answer = look(past(api), f"{HERE}/2")
    seen = words(answer)
    assert answer.status_code == 200
    assert "demo assigned role editor to principal alice." in seen
    assert "Added 1 principal alice holds role editor" in seen
    assert '"type": "AssignRole"' in seen
    assert f"Why {EVIL}" in seen
    assert "<script>alert" not in answer.text
    for href in ("/diff?from=1&amp;to=2", "/events/1", "/events/3", "/events?actor=demo"):
        assert f'href="/console/orgs/acme{href}"' in answer.text


def test_the_founding_has_no_difference(steady: Api) -> None:
    """Nothing was before it."""
    answer = look(steady, f"{HERE}/0")
    assert "founded the organization" in words(answer)
    assert "It changed nothing that is held." in words(answer)
    assert "/diff?from=" not in answer.text
    assert "no reason was given" in words(answer)


def test_much_is_told_by_its_beginning(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """With how much more there is, and where."""
    monkeypatch.setattr(event_text, "FACTS_TOLD", 2)
    monkeypatch.setattr(timeline, "COMMAND_LETTERS_MAX", 40)
    answer = look(api, f"{HERE}/1")
    seen = words(answer)
    assert "Added 18 principal alice principal bob And 16 more" in seen
    assert "more letters" in seen


@pytest.mark.parametrize(
    ("which", "status", "code"), [("2", 404, "not_found"), ("x", 400, "invalid")]
)
def test_an_event_that_is_not_there_is_told(
    steady: Api, which: str, status: int, code: str
) -> None:
    """What is to come is not there, what is no number is no revision."""
    told(look(steady, f"{HERE}/{which}"), status, code)


def test_what_is_not_known_here_yet_is_not_shown(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is of one revision, whatever another process has made since."""
    # The look of the start comes late on a busy machine, and would learn of it.
    monkeypatch.setattr(store, "heads", _away)
    services_over(store).administration.propose(
        ACME, CreateRole(RoleId("late")), by=Author("other")
    )
    assert revisions(asked(api)) == [1, 0]
    told(look(api, f"{HERE}/2"), 404, "not_found")


# ---------------------------------------------------------------- seals


@pytest.fixture
def sealed(tmp_path: Path) -> Any:
    """The application over a database, which seals its events, and the database."""
    store = opened(tmp_path / "grantproof.db")
    with serving(store, OPERATORS) as api:
        signer = Ed25519Signer(store.ledger.key.signing_seed)
        audit = AuditPoint(store.ledger, signer, clock=SystemClock())
        here, application = running(api), api.app
        assert hasattr(application, "administration")
        application.administration.state.running = replace(
            here, services=replace(here.services, audit=audit)
        )
        yield api, store


def test_a_chain_that_is_whole_is_told(sealed: tuple[Api, SqlStore]) -> None:
    """How many events were verified; each is marked, and shows its seal on its page."""
    api, store = sealed
    seen = words(asked(api))
    assert "The history is whole. All 2 events were verified just now" in seen
    assert seen.count("sealed, verified") == 2
    (entry,) = store.entries(ACME, history.EventQuery(after=0), limit=1)
    assert entry.mac is not None
    assert entry.mac in words(look(api, f"{HERE}/1"))
    assert "sealed, verified" in words(look(api, f"{HERE}/1"))


def test_a_chain_that_was_tampered_with_is_told(sealed: tuple[Api, SqlStore]) -> None:
    """Which event, and what is wrong with it, above the list and beside the event."""
    api, store = sealed
    audit = running(api).services.audit
    assert audit is not None
    assert audit.erase("acme", revision=0) == 1
    with store.ledger._connections.writing() as connection:  # noqa: SLF001 - a hand in the database
        connection.exec_driver_sql("UPDATE event_personal SET actor = 'mallory' WHERE revision = 1")
        connection.commit()
    seen = words(asked(api))
    assert "The history was tampered with." in seen
    assert "event 1: who made the event, or why, was changed" in seen
    assert seen.count("who made the event, or why, was changed") == 2
    assert seen.count("sealed, verified") == 1


def test_who_was_forgotten_is_told_as_such(sealed: tuple[Api, SqlStore]) -> None:
    """The event stays, its author and reason are gone, on purpose."""
    api, _ = sealed
    audit = running(api).services.audit
    assert audit is not None
    assert audit.erase("acme", actor="demo") == 2
    seen = words(asked(api))
    assert seen.count("by somebody whose name was erased") == 2
    assert "2 no longer tell who made them: erased on purpose." in seen
    one = words(look(api, f"{HERE}/1"))
    assert "Somebody whose name was erased made 18 changes at once" in one
    assert re.search(r"Who erased on \d{4}-\d\d-\d\d", one)
    assert "Why erased" in one
    assert "erased" in words(look(api, "/console/orgs/acme/assignments"))


def test_a_longer_chain_is_verified_when_asked(
    sealed: tuple[Api, SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a long one not here: a page must not read for ever."""
    api, _ = sealed
    monkeypatch.setattr(sealing, "AT_ONCE_MAX", 1)
    answer = asked(api, text="demo")
    assert "Verify all 2 now" in words(answer)
    assert "verified" not in words(answer)
    href = re.search(r'href="([^"]*check=chain[^"]*)"', answer.text)
    assert href is not None
    assert "text=demo" in href[1]
    checked = look(api, href[1].replace("&amp;", "&"))
    assert "The history is whole." in words(checked)
    monkeypatch.setattr(sealing, "ASKED_MAX", 1)
    seen = words(asked(api, check="chain"))
    assert "too many to be verified here" in seen
    assert "The history is whole." not in seen


def test_what_is_kept_in_memory_is_not_sealed(steady: Api) -> None:
    """And nothing says that it is."""
    seen = words(asked(steady))
    assert "they are not sealed" in seen
    assert "verified" not in seen
    assert "this store seals no events" in words(look(steady, f"{HERE}/1"))


# ---------------------------------------------------------------- who may look


@pytest.mark.parametrize("path", [HERE, f"{HERE}/1"])
def test_looking_takes_the_scope_of_review(store: MemoryStore, path: str) -> None:
    """And the organization of the caller."""
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))) as api:
        told(look(api, path), 403, "insufficient_scope")
    with serving(MemoryStore(), demo=True) as api:
        told(look(api, path.replace("acme", "other")), 403, "forbidden_organization")


@pytest.mark.parametrize("path", [HERE, f"{HERE}/1"])
def test_a_store_that_is_away_is_told(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch, *, path: str
) -> None:
    """503, never an empty history."""
    monkeypatch.setattr(store, "entries", _away)
    told(look(api, path), 503, "store_unavailable")


def _away(*_: object, **__: object) -> NoReturn:
    message = "gone"
    raise StoreUnavailable(message)
