"""POST /evaluate/consume and what it counts: limits, refusals, and what `evaluate` says of it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Response
from structlog.testing import capture_logs

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import DeleteClaim
from grantproof.core.identifiers import ClaimId
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from grantproof.service.meter import Charged, Uncharged
from grantproof.service.ports import StoreUnavailable
from grantproof.service.receipts import Consumption
from tests.api.service import (
    OPERATORS,
    Api,
    Json,
    fields_at_fault,
    problem,
    raw,
    services_over,
    serving,
)

QUOTA: Json = {"type": "max_usage", "limit": 2, "period": "day"}
RATE: Json = {"type": "rate_limit", "per_minute": 3}
EXPORT: Json = {
    "org_id": "acme",
    "principal_id": "alice",
    "action": "export",
    "resource_id": "docs",
}
CONSUME = "/evaluate/consume"
USAGE = "/v1/orgs/acme/usage"
PATIENCE_SECONDS = 20


@pytest.fixture
def metered(store: MemoryStore) -> Iterator[Api]:
    """The demo, in which viewers may export the documents twice a day."""
    with serving(store, demo=True, follow_seconds=0.05) as client:
        give(client, "quota", QUOTA)
        yield client


def give(api: Api, claim: str, *constraints: Json) -> None:
    """Let viewers export the documents, under the constraints."""
    body = {
        "id": claim,
        "role": "viewer",
        "action": "export",
        "resource": "docs",
        "constraints": list(constraints),
    }
    response = api.post("/v1/orgs/acme/claims", json=body)
    assert response.status_code == 201, response.text


def consume(api: Api, **changed: Any) -> Json:
    """The answer to an export that is counted."""
    response = api.post(CONSUME, json={**EXPORT, **changed})
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def decisions(api: Api, times: int, **changed: Any) -> list[str]:
    """What becomes of so many exports in a row."""
    return [consume(api, **changed)["decision"] for _ in range(times)]


def usage(api: Api, **filters: str) -> list[tuple[str, str, str, int, int | None]]:
    """What is counted: principal, claim, span, count and limit."""
    items = api.get(USAGE, params=filters).json()["items"]
    return [(i["principal"], i["claim"], i["span"], i["used"], i["limit"]) for i in items]


def test_a_use_is_counted_until_the_limit(metered: Api) -> None:
    """Two allows and then a deny that says what was used; a deny counts nothing."""
    first = consume(metered)
    assert first == {
        "decision": "Allow",
        "reason": None,
        "reason_code": None,
        "revision": first["revision"],
        "decided_at": first["decided_at"],
        "valid_until": None,
        "claim_id": "quota",
        "meter_age": 0,
    }
    assert decisions(metered, 3) == ["Allow", "Deny", "Deny"]
    denied = consume(metered)
    assert denied["reason"] == "usage 2 is not below 2 a day"
    assert (denied["reason_code"], denied["claim_id"]) == ("constraint_failed", "quota")
    assert usage(metered) == [("alice", "quota", "day", 2, 2)]


def test_the_certificate_says_what_the_use_found(metered: Api) -> None:
    """The count before this use: the first found 0, the second 1; a deny has no certificate."""
    seen = [consume(metered, explain=True)["certificate"] for _ in range(3)]
    assert seen[2] is None
    assert [one["observations"][0]["saw"] for one in seen[:2]] == [[0], [1]]
    assert all(one["observations"][0]["held"] for one in seen[:2])


def test_the_certificate_says_what_the_charge_found(
    metered: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two uses that read the same count, the second to be charged found one more."""
    give(metered, "a-first", {**QUOTA, "limit": 9})
    assert consume(metered)["claim_id"] == "a-first"
    due, plain = iter([True]), store.meter.charge

    def charge(*given: Any, **named: Any) -> Any:
        if next(due, False):
            plain(*given, **named)
        return plain(*given, **named)

    monkeypatch.setattr(store.meter, "charge", charge)
    found = consume(metered, explain=True)["certificate"]["observations"][0]
    assert (found["saw"], found["held"]) == ([2], True)
    assert usage(metered) == [("alice", "a-first", "day", 3, 9)]


def test_others_have_their_own_count(metered: Api) -> None:
    """What alice used is not used up for bob, who inherits the same claim."""
    assert decisions(metered, 3) == ["Allow", "Allow", "Deny"]
    assert decisions(metered, 3, principal_id="bob") == ["Allow", "Allow", "Deny"]


def test_the_next_claim_is_charged_when_the_first_is_full(metered: Api) -> None:
    """In the order of ids, each as often as its limits allow, quotas and rates together."""
    give(metered, "spare", {**QUOTA, "limit": 9}, RATE)
    claims = [consume(metered).get("claim_id") for _ in range(6)]
    assert claims[:5] == ["quota", "quota", "spare", "spare", "spare"]
    assert consume(metered)["reason"] in {
        "usage 2 is not below 2 a day",
        "rate 3 is not below 3 a minute",
    }
    assert ("alice", "spare", "day", 3, 9) in usage(metered)


def test_an_unmetered_claim_is_not_charged(metered: Api) -> None:
    """It goes before all metered ones, so nothing is counted and no age is told."""
    give(metered, "zz-free")
    answers = [consume(metered) for _ in range(4)]
    assert {(one["decision"], one["claim_id"]) for one in answers} == {("Allow", "zz-free")}
    assert all("meter_age" not in one for one in answers)
    assert usage(metered) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"principal_id": "dave"}, "unknown_principal"),
        ({"resource_id": "secret"}, "unknown_resource"),
        ({"action": "shred"}, "no_matching_claim"),
        ({"active_roles": []}, "no_role"),
    ],
)
def test_what_is_denied_for_another_reason_counts_nothing(
    metered: Api, changed: Json, code: str
) -> None:
    """The same reasons as those of `evaluate`."""
    assert consume(metered, **changed)["reason_code"] == code
    assert usage(metered) == []


def test_a_suspended_principal_uses_nothing(metered: Api) -> None:
    """It is denied, and what it used before is kept for when it is back."""
    assert decisions(metered, 1) == ["Allow"]
    metered.patch("/v1/orgs/acme/principals/alice", json={"active": False})
    assert consume(metered)["reason_code"] == "suspended"
    assert usage(metered) == [("alice", "quota", "day", 1, 2)]
    metered.patch("/v1/orgs/acme/principals/alice", json={"active": True})
    assert decisions(metered, 2) == ["Allow", "Deny"]


@pytest.mark.parametrize("field", ["usage", "rate"])
def test_nobody_supplies_what_the_server_counts(metered: Api, field: str) -> None:
    """Not even a caller that is trusted with the context; the answer names the field."""
    response = metered.post(CONSUME, json={**EXPORT, field: 0})
    told = problem(response, 400, "invalid")
    assert fields_at_fault(told) == [field]
    assert "leave it out" in told["detail"]
    assert usage(metered) == []


def test_an_untrusted_caller_supplies_no_hour(operator: Api) -> None:
    """As with `evaluate`."""
    problem(operator.post(CONSUME, json={**EXPORT, "hour": 10}), 403, "untrusted_context")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"org_id":"acme"}'])
def test_a_body_that_is_no_question_is_refused(metered: Api, body: bytes) -> None:
    """In the words of every other route."""
    assert raw(metered, CONSUME, body).status_code == 400


def test_another_organization_is_absent(metered: Api, operator: Api) -> None:
    """The same answer as that of `evaluate`, and nothing is counted anywhere."""
    assert consume(metered, org_id="other")["reason_code"] == "unknown_organization"
    assert consume(operator, org_id="other")["reason_code"] == "unknown_organization"


def test_a_stranger_learns_nothing_of_what_exists(stranger: Api) -> None:
    """Reasons that tell what exists read as if no claim matched."""
    assert consume(stranger, principal_id="dave")["reason_code"] == "no_matching_claim"


def test_many_who_consume_at_once_pass_no_limit(metered: Api) -> None:
    """Exactly as many are allowed as the quota says."""
    give(metered, "spare", {**QUOTA, "limit": 5})

    def use(_: int) -> str:
        return str(consume(metered)["decision"])

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(use, range(24)))
    assert found.count("Allow") == 7
    assert [line[3:] for line in usage(metered)] == [(2, 2), (5, 5)]


# ---------------------------------------------------------------- evaluate, explain


def test_evaluate_reads_the_meter_and_counts_nothing(metered: Api) -> None:
    """It follows what was consumed, says how old that is, and never changes it."""
    just_read = followed(metered, lambda answer: answer["meter_age"] == 0)
    assert just_read["decision"] == "Allow"
    assert [metered.post("/evaluate", json=EXPORT).json()["decision"] for _ in range(3)] == [
        "Allow"
    ] * 3
    assert decisions(metered, 2) == ["Allow", "Allow"]
    told = followed(metered, denied)
    assert (told["decision"], told["reason"]) == ("Deny", "usage 2 is not below 2 a day")
    assert told["meter_age"] >= 0
    assert told["valid_until"] is None
    assert usage(metered) == [("alice", "quota", "day", 2, 2)]


def denied(answer: Json) -> bool:
    """Whether nothing more is allowed."""
    return bool(answer["decision"] == "Deny")


def followed(api: Api, wanted: Callable[[Json], bool]) -> Json:
    """The answer of `evaluate` once it is as wanted, which one of the next rounds brings about."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        answer: Json = api.post("/evaluate", json=EXPORT).json()
        if wanted(answer):
            return answer
    pytest.fail("what was consumed was not followed")


def test_what_other_processes_consume_is_followed(metered: Api, store: MemoryStore) -> None:
    """Their uses show in `evaluate` after a round, and their claims are counted with ours."""
    assert metered.post("/evaluate", json=EXPORT).json()["decision"] == "Allow"
    with serving(store, demo=True) as other:
        assert decisions(other, 2) == ["Allow", "Allow"]
        assert decisions(metered, 1) == ["Deny"]
        assert followed(metered, denied)["reason_code"] == "constraint_failed"


def test_supplied_counts_apply_to_every_claim(metered: Api) -> None:
    """A trusted caller asks what would be; the meter is then not read."""
    for number, expected in ((0, "Allow"), (1, "Allow"), (2, "Deny")):
        answer = metered.post("/evaluate", json={**EXPORT, "usage": number, "rate": 0}).json()
        assert answer["decision"] == expected
        assert "meter_age" not in answer


def test_a_batch_reads_the_meter_once(metered: Api) -> None:
    """Every item by the same counters, at one instant; those without meters say no age."""
    items = [{k: v for k, v in EXPORT.items() if k != "org_id"}] * 2
    reading = {**items[0], "action": "read", "hour": 10}
    answer = metered.post(
        "/evaluate/batch", json={"org_id": "acme", "items": [*items, reading]}
    ).json()
    assert [one["decision"] for one in answer["items"]] == ["Allow"] * 3
    assert ["meter_age" in one for one in answer["items"]] == [True, True, False]


def test_explain_shows_each_claim_its_own_count(metered: Api) -> None:
    """As `evaluate` sees it, for every claim on the request."""
    give(metered, "spare", {**QUOTA, "limit": 9})
    assert decisions(metered, 3) == ["Allow"] * 3
    told, saw = {}, {}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        told = metered.post("/explain", json=EXPORT).json()
        saw = {one["claim"]["id"]: one["observations"][0]["saw"] for one in told["claims"]}
        if saw == {"quota": [2], "spare": [1]}:
            break
    assert saw == {"quota": [2], "spare": [1]}
    assert told["certificate"]["claim"]["id"] == "spare"


# ---------------------------------------------------------------- usage


def test_usage_is_listed_in_pages(metered: Api) -> None:
    """By principal, then claim; `next` leads to the rest, and both can be filtered."""
    give(metered, "rated", RATE, {**QUOTA, "limit": 9, "period": "total"})
    for who in ("alice", "bob"):
        assert decisions(metered, 3, principal_id=who) == ["Allow"] * 3
    whole = usage(metered)
    assert [line[:3] for line in whole] == [
        (who, claim, span)
        for who in ("alice", "bob")
        for claim, span in (("quota", "day"), ("rated", "minute"), ("rated", "total"))
    ]
    page = metered.get(USAGE, params={"limit": 4}).json()
    rest = metered.get(USAGE, params={"limit": 4, "after": page["next"]}).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (4, 2, None)
    assert page["items"] + rest["items"] == metered.get(USAGE).json()["items"]
    assert usage(metered, principal="bob") == whole[3:]
    assert [line[0] for line in usage(metered, claim="quota")] == ["alice", "bob"]
    minute, total = metered.get(USAGE, params={"claim": "rated"}).json()["items"][:2]
    assert minute["until"] - minute["from"] == 60
    assert (total["from"], total["until"]) == (0, None)


def test_usage_outlives_the_limit(metered: Api) -> None:
    """A claim that lost its quota in one change shows what was used, with no limit."""
    consume(metered)
    replaced = {
        "id": "quota",
        "role": "viewer",
        "action": "export",
        "resource": "docs",
        "constraints": [RATE],
    }
    commands = [
        {"type": "DeleteClaim", "claim": "quota"},
        {"type": "CreateClaim", "claim": replaced},
    ]
    response = metered.post("/v1/orgs/acme/changes", json={"commands": commands})
    assert response.status_code < 300, response.text
    assert usage(metered) == [("alice", "quota", "day", 1, None)]


def reset(api: Api, **filters: str) -> Response:
    """The response to a reset."""
    return api.delete(USAGE, params=filters)


def test_a_reset_gives_back_what_was_used(metered: Api) -> None:
    """Of one principal; the other's stays, and what was given back can be used again."""
    for who in ("alice", "bob"):
        decisions(metered, 2, principal_id=who)
    response = reset(metered, principal="alice")
    assert (response.status_code, response.json()) == (200, {"counters": 1})
    assert usage(metered) == [("alice", "quota", "day", 0, 2), ("bob", "quota", "day", 2, 2)]
    assert decisions(metered, 3) == ["Allow", "Allow", "Deny"]
    assert decisions(metered, 1, principal_id="bob") == ["Deny"]
    assert reset(metered, claim="quota").json() == {"counters": 2}
    assert reset(metered, principal="bob", claim="quota").json() == {"counters": 1}


def test_a_reset_changes_no_revision(metered: Api) -> None:
    """Counters live outside the organization."""
    before = metered.get("/v1/orgs/acme").json()["revision"]
    decisions(metered, 2)
    reset(metered, principal="alice")
    assert metered.get("/v1/orgs/acme").json()["revision"] == before


@pytest.mark.parametrize(
    ("filters", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"principal": "no one"}, 400, "invalid"),
        ({"all": "true"}, 400, "invalid"),
        ({"principal": "dave"}, 404, "not_found"),
        ({"claim": "absent"}, 404, "not_found"),
    ],
)
def test_a_reset_names_what_is_there(
    metered: Api, filters: dict[str, str], status: int, code: str
) -> None:
    """Without a name, or with one that is not there, nothing is reset."""
    consume(metered)
    problem(reset(metered, **filters), status, code)
    assert usage(metered) == [("alice", "quota", "day", 1, 2)]


@pytest.mark.parametrize(
    "after", ["x", "a,b,c", "a,b,day,x", "a,b,week,0", "a,b,day,-1", "a,b,day,253402300800", ",,,"]
)
def test_a_cursor_that_is_none_is_refused(metered: Api, after: str) -> None:
    """A page follows a page."""
    told = problem(metered.get(USAGE, params={"after": after}), 400, "invalid")
    assert fields_at_fault(told) == ["after"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_usage_of_another_organization_is_not_told(metered: Api, method: str) -> None:
    """The one answer about what is another's."""
    response = metered.request(method, "/v1/orgs/other/usage", params={"principal": "alice"})
    problem(response, 403, "forbidden_organization")


# ---------------------------------------------------------------- what fails


def test_a_meter_that_cannot_be_reached_allows_nothing(
    metered: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller is told to come again; `evaluate` goes on with what it has read."""
    assert metered.post("/evaluate", json=EXPORT).json()["decision"] == "Allow"

    def away(*_: object, **__: object) -> Charged:
        raise StoreUnavailable("away")

    monkeypatch.setattr(store.meter, "charge", away)
    problem(metered.post(CONSUME, json=EXPORT), 503, "store_unavailable")
    monkeypatch.undo()
    assert usage(metered) == []


def test_a_meter_that_was_never_read_allows_nothing(
    metered: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without counters there is no decision on a metered claim."""

    def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(store.meter, "changed", away)
    problem(metered.post("/evaluate", json=EXPORT), 503, "store_unavailable")
    problem(metered.post("/explain", json=EXPORT), 503, "store_unavailable")
    batch = {"org_id": "acme", "items": [{k: EXPORT[k] for k in EXPORT if k != "org_id"}]}
    problem(metered.post("/evaluate/batch", json=batch), 503, "store_unavailable")


def test_losing_again_and_again_is_told(
    metered: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded number of lost races the caller hears of it, and nothing was counted."""
    monkeypatch.setattr(store.meter, "charge", lambda *_, **__: Uncharged.FULL)
    told = problem(metered.post(CONSUME, json=EXPORT), 503, "contended")
    assert "nothing was counted" in told["detail"]


def test_a_change_meanwhile_is_caught_up_with(
    metered: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A charge on a revision that is gone is made again on the one that is there."""
    charge, losses = store.meter.charge, iter([True])

    def beaten(*given: Any, **named: Any) -> Charged | Uncharged | Consumption:
        if next(losses, False):
            other = services_over(store).administration
            other.propose(ACME, DeleteClaim(ClaimId("quota")), by=Author("op"))
        return charge(*given, **named)

    monkeypatch.setattr(store.meter, "charge", beaten)
    assert consume(metered)["reason_code"] == "no_matching_claim"
    assert usage(metered) == []


def test_a_deleted_organization_is_absent_at_once(store: MemoryStore) -> None:
    """Also for a process that still follows it: the charge finds nothing to charge."""
    with serving(store, OPERATORS) as api:
        give(api, "quota", QUOTA)
        assert decisions(api, 1) == ["Allow"]
        assert api.post("/evaluate", json=EXPORT).json()["decision"] == "Allow"
        store.delete(ACME, actor="x", instant=0)
        assert consume(api)["reason_code"] == "unknown_organization"


def test_a_reset_is_logged_with_its_request(metered: Api) -> None:
    """Who reset what, and under which request id, which the caller was told too."""
    consume(metered)
    with capture_logs() as logs:
        response = metered.delete(
            USAGE, params={"claim": "quota"}, headers={"X-Request-ID": "r-reset"}
        )
    assert response.status_code == 200, response.text
    (line,) = [one for one in logs if one["event"] == "usage reset"]
    told = {name: line[name] for name in ("organization", "claim", "actor", "counters")}
    assert told == {"organization": "acme", "claim": "quota", "actor": "demo", "counters": 1}
    assert line["request_id"] == response.headers["x-request-id"] == "r-reset"
