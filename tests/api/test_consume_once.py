"""`Idempotency-Key` on POST /evaluate/consume: a use is counted once and its answer kept."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql import open_database
from grantproof.api.conditions import IDEMPOTENCY_KEY
from grantproof.service.demo import ACME
from grantproof.service.meter import Charged, Uncharged
from grantproof.service.meters import Meters
from grantproof.service.receipts import RECEIPT_SECONDS, Consumption
from grantproof.service.snapshots import here
from tests.api.service import (
    OPERATORS,
    Api,
    Json,
    bearer,
    fields_at_fault,
    new_key,
    problem,
    serving,
)
from tests.api.test_consume import CONSUME, EXPORT, QUOTA, decisions, give, usage

KEY = {IDEMPOTENCY_KEY: "8e03978e-40d5-43dd-bc93-6894a57f9324"}
PATIENCE_SECONDS = 10
COUNTED_ONCE = [("alice", "quota", "day", 1, 2)]


@pytest.fixture
def metered(store: MemoryStore) -> Iterator[Api]:
    """The demo, in which viewers may export the documents twice a day."""
    with serving(store, demo=True) as client:
        give(client, "quota", QUOTA)
        yield client


def ask(api: Api, headers: Any = KEY, **changed: Any) -> Response:
    """The response to an export that is to be counted once."""
    return api.post(CONSUME, json={**EXPORT, **changed}, headers=headers)


def allowed(response: Response) -> Json:
    """The answer, which is an allow."""
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    assert answer["decision"] == "Allow"
    return answer


@pytest.mark.parametrize("explain", [False, True])
def test_the_same_use_under_a_key_is_counted_once(metered: Api, *, explain: bool) -> None:
    """And answered the same, byte for byte, when all is used up and when the claim is gone."""
    first = ask(metered, explain=explain)
    assert ("certificate" in allowed(first)) is explain
    assert ask(metered, explain=explain).content == first.content
    assert usage(metered) == COUNTED_ONCE
    assert decisions(metered, 2) == ["Allow", "Deny"]
    assert ask(metered, explain=explain).content == first.content
    assert metered.delete("/v1/orgs/acme/claims/quota").status_code in {200, 204}
    assert ask(metered, explain=explain).content == first.content


def test_another_question_under_a_key_is_422(metered: Api) -> None:
    """Another body, if only by a space, or another query: nothing is counted."""
    allowed(ask(metered))
    problem(ask(metered, principal_id="bob"), 422, "idempotency_key_reused")
    body, headers = json.dumps(EXPORT, indent=1), {**KEY, "Content-Type": "application/json"}
    spaced = metered.post(CONSUME, content=body, headers=headers)
    problem(spaced, 422, "idempotency_key_reused")
    queried = metered.post(f"{CONSUME}?a=b", json=EXPORT, headers=KEY)
    problem(queried, 422, "idempotency_key_reused")
    assert usage(metered) == COUNTED_ONCE


def test_a_key_is_its_callers_own(metered: Api, store: MemoryStore) -> None:
    """Of two callers who happen on one key, each is counted."""
    allowed(ask(metered))
    other = bearer(new_key(store, OPERATORS))
    allowed(ask(metered, {**KEY, **other}))
    assert usage(metered) == [("alice", "quota", "day", 2, 2)]


def test_what_counts_nothing_uses_up_no_key(metered: Api) -> None:
    """A deny may be asked again, and is counted when it has become an allow."""
    assert decisions(metered, 2) == ["Allow", "Allow"]
    assert ask(metered).json()["decision"] == "Deny"
    assert metered.delete("/v1/orgs/acme/usage", params={"claim": "quota"}).status_code == 200
    first = ask(metered)
    allowed(first)
    assert ask(metered).content == first.content
    assert usage(metered) == COUNTED_ONCE


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_is_none_is_refused(metered: Api, key: str) -> None:
    """Visible characters, up to 255, and given once; nothing is counted."""
    refused = ask(metered, {IDEMPOTENCY_KEY: key})
    assert fields_at_fault(problem(refused, 400, "invalid")) == ["idempotency-key"]
    twice = ask(metered, [(IDEMPOTENCY_KEY, "a"), (IDEMPOTENCY_KEY, "b")])
    assert fields_at_fault(problem(twice, 400, "invalid")) == ["idempotency-key"]
    assert usage(metered) == []
    allowed(ask(metered, {IDEMPOTENCY_KEY: "~" * 255}))


def test_while_the_first_is_at_work_the_second_is_409(
    metered: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Come again: then there is an answer, that of the first."""
    charge, reached, go_on = store.meter.charge, threading.Event(), threading.Event()

    def slow(*given: Any, **named: Any) -> Charged | Uncharged | Consumption:
        reached.set()
        assert go_on.wait(PATIENCE_SECONDS)
        return charge(*given, **named)

    monkeypatch.setattr(store.meter, "charge", slow)
    answers: list[Response] = []
    first = threading.Thread(target=lambda: answers.append(ask(metered)))
    first.start()
    assert reached.wait(PATIENCE_SECONDS)
    second = ask(metered)
    problem(second, 409, "idempotency_in_progress")
    assert second.headers["retry-after"] == "1"
    go_on.set()
    first.join()
    assert ask(metered).content == answers[0].content
    assert usage(metered) == COUNTED_ONCE


def test_a_kept_answer_outlives_the_process(tmp_path: Path) -> None:
    """What was counted by the first process is told again by the next."""
    told = []
    for first in (True, False):
        with serving(open_database(tmp_path / "grantproof.db"), demo=True) as api:
            if first:
                give(api, "quota", QUOTA)
            told.append(ask(api).content)
            assert usage(api) == COUNTED_ONCE
    assert told[0] == told[1]


class At:
    """A clock that stands."""

    def __init__(self, instant: int) -> None:
        self._instant = instant

    def now(self) -> int:
        """The instant."""
        return self._instant


def test_old_answers_are_forgotten_with_old_counters(metered: Api, store: MemoryStore) -> None:
    """A day after the use, by any server, and no second before."""
    instant = allowed(ask(metered))["decided_at"]
    left = []
    for now in (instant + RECEIPT_SECONDS - 1, instant + RECEIPT_SECONDS):
        Meters(store.meter, clock=At(now), on_owner=here).prune()
        found = store.meter.consumption(ACME, actor="demo", key=KEY[IDEMPOTENCY_KEY], after=0)
        left.append(found is not None)
    assert left == [True, False]
