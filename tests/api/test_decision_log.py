"""The decision log at the door: every decision has its entry, and no entry changes a decision."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.api import recording
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from tests.api.service import OPERATORS, READ_DOCS, Api, Json, ask, problem, serving

NIGHT = {**READ_DOCS, "hour": 22}
NOBODY = {**READ_DOCS, "principal_id": "nobody", "attributes": {"email": "a@b"}}
ITEM = {name: said for name, said in READ_DOCS.items() if name != "org_id"}
BATCH = {"org_id": "acme", "items": [ITEM, {"action": 1}, {**ITEM, "hour": 22}]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the decisions are logged."""
    return tmp_path / "decisions"


@pytest.fixture
def full(folder: Path, store: MemoryStore) -> Callable[..., Any]:
    """Opens a service whose log has a queue for one entry, and cannot write."""
    return lambda overflow: serving(
        store, OPERATORS, decision_log=folder, decision_log_queue=1, decision_log_overflow=overflow
    )


def records(folder: Path) -> list[Json]:
    """What was logged, a line a request, in order."""
    texts = [path.read_text() for path in sorted(folder.iterdir())]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def entries(folder: Path) -> list[Json]:
    """The decisions that were logged, in order."""
    return [one for record in records(folder) for one in record["decisions"] if one is not None]


def metric(api: Api, name: str) -> float:
    """The value of a metric."""
    lines = api.get("/metrics").text.splitlines()
    (value,) = [line.rpartition(" ")[2] for line in lines if line.startswith(f"{name} ")]
    return float(value)


def fill(api: Api, folder: Path) -> None:
    """Let one entry wait for a folder that is gone."""
    shutil.rmtree(folder)
    assert ask(api).status_code == 200


def test_a_decision_is_logged_with_who_asked_what(folder: Path, store: MemoryStore) -> None:
    """Everything that the answer rests on, under the id of the request."""
    with serving(store, OPERATORS, decision_log=folder) as api:
        api.post("/evaluate", json=READ_DOCS, headers={"X-Request-ID": "r-1"})
    (record,) = records(folder)
    assert record.pop("instant") > 1_700_000_000
    assert record.pop("actor").startswith("key:")
    assert record == {
        "request_id": "r-1",
        "organization": "acme",
        "revision": 1,
        "decisions": [{"asked": READ_DOCS, "decision": "Allow", "claim": "viewer-read-docs"}],
    }


def test_what_is_asked_of_nothing_is_logged_too(folder: Path, store: MemoryStore) -> None:
    """An organization that is not there has no revision; the moment is told all the same."""
    with serving(store, OPERATORS, decision_log=folder) as api:
        answer = api.post("/evaluate", json={**READ_DOCS, "org_id": "nowhere"}).json()
    (record,) = records(folder)
    assert (record["organization"], record["revision"]) == ("nowhere", 0)
    assert record["instant"] == answer["decided_at"]
    assert [one["reason"] for one in record["decisions"]] == ["unknown_organization"]


def test_a_decision_in_a_session_is_logged_with_the_roles_that_it_had(
    folder: Path, store: MemoryStore
) -> None:
    """By each route that decides; none where there is no such session."""
    counted = {name: said for name, said in READ_DOCS.items() if name != "usage"}
    with serving(store, OPERATORS, decision_log=folder) as api:
        wanted = {"principal": "alice", "roles": ["viewer"]}
        name = api.post("/v1/orgs/acme/sessions", json=wanted).json()["id"]
        for session in (name, "never"):
            asked = {**counted, "session_id": session}
            api.post("/evaluate", json=asked)
            api.post("/evaluate/consume", json=asked)
            item = {k: said for k, said in asked.items() if k != "org_id"}
            api.post("/evaluate/batch", json={"org_id": "acme", "items": [item]})
    logged = [entry["asked"] for entry in entries(folder)]
    assert [(one["session_id"], one["active_roles"]) for one in logged] == [
        *[(name, ["viewer"])] * 3,
        *[("never", [])] * 3,
    ]
    reasons = [entry.get("reason") for entry in entries(folder)]
    assert reasons == [None] * 3 + ["no_session"] * 3


def test_the_true_reason_is_logged_whatever_the_caller_is_told(
    folder: Path, store: MemoryStore
) -> None:
    """A caller without review learns nothing, whoever accounts for it learns all."""
    asking = KeyRequest(ACME, None, frozenset({Scope.EVALUATE}))
    told = {**READ_DOCS, "principal_id": "nobody"}
    for name in ("hour", "usage"):
        del told[name]
    with serving(store, asking, decision_log=folder) as api:
        assert api.post("/evaluate", json=told).json()["reason_code"] == "no_matching_claim"
    assert [entry["reason"] for entry in entries(folder)] == ["unknown_principal"]


@pytest.mark.parametrize(
    "items",
    [
        BATCH["items"],
        [ITEM, {**ITEM, "resource_id": "?"}, {**ITEM, "hour": 22}],
        [ITEM, {**ITEM, "explain": True}, {**ITEM, "hour": 22}],
    ],
)
def test_every_item_of_a_batch_has_its_place(
    folder: Path, store: MemoryStore, items: list[Json]
) -> None:
    """However it was decided; a malformed one is no decision, and leaves its place empty."""
    whole = {"org_id": "acme", "items": items}
    with serving(store, OPERATORS, decision_log=folder) as api:
        answer = api.post("/evaluate/batch", json=whole, headers={"X-Request-ID": "r-1"}).json()
    (record,) = records(folder)
    assert record.pop("actor").startswith("key:")
    malformed = sum("error" in one for one in answer["items"])
    decisions = record.pop("decisions")
    assert record == {
        "instant": answer["decided_at"],
        "request_id": "r-1",
        "organization": "acme",
        "revision": 1,
        **({"malformed": malformed} if malformed > 0 else {}),
    }
    for asked, told, logged in zip(items, answer["items"], decisions, strict=True):
        if "error" in told:
            assert logged is None
        else:
            assert logged["asked"] == asked
            assert (logged["decision"], logged["claim"]) == (told["decision"], told["claim_id"])


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_position_is_redacted_wherever_it_stands_in_a_batch(
    folder: Path, store: MemoryStore, place: int
) -> None:
    """By default, and also where all of the others say nothing of the kind."""
    items = [ITEM, ITEM]
    items.insert(place, {**ITEM, "position": "48.1,11.5"})
    with serving(store, OPERATORS, decision_log=folder) as api:
        assert api.post("/evaluate/batch", json={"org_id": "acme", "items": items}).is_success
    told = [entry["asked"].get("position") for entry in entries(folder)]
    assert told == ["[redacted]" if at == place else None for at in range(3)]


def test_a_batch_that_is_answered_anew_is_logged_once(folder: Path, store: MemoryStore) -> None:
    """As where a session has to be read first, which nobody has asked for before."""
    visiting = {**ITEM, "session_id": "never"}
    items = [{"action": 1}, ITEM, visiting]
    with serving(store, OPERATORS, decision_log=folder) as api:
        assert api.post("/evaluate/batch", json={"org_id": "acme", "items": items}).is_success
    (record,) = records(folder)
    asked = [one and one["asked"] for one in record["decisions"]]
    assert (asked, record["malformed"]) == ([None, ITEM, {**visiting, "active_roles": []}], 1)


def test_a_batch_of_nothing_but_malformed_items_is_not_logged(
    folder: Path, store: MemoryStore
) -> None:
    """Nothing was decided."""
    with serving(store, OPERATORS, decision_log=folder) as api:
        whole = {"org_id": "acme", "items": [{"action": 1}] * 2}
        assert api.post("/evaluate/batch", json=whole).status_code == 200
        assert metric(api, 'grantproof_decision_log_entries_total{outcome="written"}') == 0
    assert list(folder.iterdir()) == []


def test_consuming_is_logged_and_explaining_is_not(folder: Path, store: MemoryStore) -> None:
    """An explanation decides nothing for anybody."""
    counted = {name: said for name, said in READ_DOCS.items() if name != "usage"}
    with serving(store, OPERATORS, decision_log=folder) as api:
        answer = api.post("/evaluate/consume", json=counted).json()
        assert api.post("/explain", json=READ_DOCS).status_code == 200
    (record,) = records(folder)
    assert (record["instant"], record["revision"]) == (answer["decided_at"], answer["revision"])
    assert [one["decision"] for one in record["decisions"]] == [answer["decision"]] == ["Allow"]


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"decision_log_share": 0.5},
        {"decision_log_redact": "asked.principal_id asked.attributes.email asked.hour"},
        {"decision_log_redact": "asked actor request_id claim"},
    ],
)
def test_logging_never_changes_an_answer(folder: Path, settings: Json) -> None:
    """Neither being logged, nor being sampled, nor being redacted."""
    questions = [READ_DOCS, NIGHT, NOBODY, {**READ_DOCS, "explain": True}]
    answers = []
    for log in (None, folder):
        with serving(MemoryStore(), OPERATORS, decision_log=log, **settings) as api:
            found = [api.post("/evaluate", json=question).json() for question in questions]
            found.append(api.post("/evaluate/batch", json=BATCH).json())
            answers.append([without_instants(answer) for answer in found])
    assert answers[0] == answers[1]
    text = "".join(path.read_text() for path in folder.iterdir())
    assert ("a@b" in text) <= ("asked" not in settings.get("decision_log_redact", ""))


def without_instants(answer: Json) -> Json:
    """An answer without what is of its own moment."""
    text = json.dumps(answer)
    for name in ("decided_at", "instant"):
        text = text.replace(f'"{name}": ', f'"{name}": -')
    told: Json = json.loads(text, parse_int=lambda digits: min(int(digits), 0) and -1)
    return told


def test_a_request_without_room_is_refused(
    folder: Path, full: Callable[..., Any], store: MemoryStore
) -> None:
    """503, and whatever would have been counted is not."""
    with full("refuse") as api:
        fill(api, folder)
        for route in ("/evaluate", "/evaluate/consume"):
            refused = api.post(route, json=READ_DOCS)
            assert refused.headers["retry-after"] == "1"
            problem(refused, 503, "decision_log_full")
        assert store.meter.usage(ACME, instant=0, limit=10) == ()
        folder.mkdir()
        assert becomes(lambda: ask(api).status_code == 200)


def test_entries_without_room_are_dropped_and_counted(
    folder: Path, full: Callable[..., Any]
) -> None:
    """The answers are given; the metric tells how many entries are missing."""
    with full("drop") as api:
        fill(api, folder)
        assert ask(api).status_code == 200
        assert api.post("/evaluate/batch", json=BATCH).status_code == 200
        whole = {**BATCH, "items": [ITEM, ITEM]}
        assert api.post("/evaluate/batch", json=whole).status_code == 200
        dropped = 'grantproof_decision_log_entries_total{outcome="dropped"}'
        assert metric(api, dropped) == 5
        assert metric(api, "grantproof_decision_log_waiting_entries") == 1
        folder.mkdir()
        written = 'grantproof_decision_log_entries_total{outcome="written"}'
        assert becomes(lambda: metric(api, written) == 1)


def test_a_request_waits_for_room(folder: Path, full: Callable[..., Any]) -> None:
    """As soon as there is room it is answered, and logged."""
    with full("wait") as api:
        fill(api, folder)
        opening = threading.Timer(0.3, folder.mkdir)
        opening.start()
        started = time.monotonic()
        assert ask(api).status_code == 200
        assert time.monotonic() - started > 0.2
        opening.join()
    assert len(entries(folder)) == 2


def test_a_request_does_not_wait_for_ever(
    folder: Path, full: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It fails closed: refused, not answered without its entry."""
    monkeypatch.setattr(recording, "WAIT_SECONDS_MAX", 0.1)
    with full("wait") as api:
        fill(api, folder)
        problem(ask(api), 503, "decision_log_full")


def test_metrics_take_a_credential(store: MemoryStore) -> None:
    """One that may review, of no organization; without a decision log there is nothing to tell."""
    with serving(store, KeyRequest(None, None, EVERY_SCOPE - {Scope.REVIEW})) as api:
        problem(api.get("/metrics"), 403, "insufficient_scope")
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.REVIEW}))) as api:
        problem(api.get("/metrics"), 403, "bound_caller")
    with serving(store, OPERATORS) as api:
        told = api.get("/metrics")
        assert told.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "decision_log" not in told.text


def becomes(holds: Callable[[], bool]) -> bool:
    """Whether a condition comes to hold within some seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.02)
    return False
