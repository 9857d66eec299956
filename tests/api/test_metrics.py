"""The metrics count what was asked, exactly, and tell nothing of whom it was about."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NoReturn

import pytest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from grantproof.adapters.clock import stopwatch
from grantproof.adapters.memory import MemoryStore
from grantproof.api.access import PUBLIC
from grantproof.api.counting import OTHER
from grantproof.api.front import PATHS
from grantproof.core.limits import CHARGE_ATTEMPTS_MAX
from grantproof.policyfile.answers import CODES
from grantproof.service.credentials import key_text, secret_of
from grantproof.service.meter import Uncharged
from grantproof.service.ports import StoreUnavailable
from grantproof.service.solving import ENDINGS
from tests.api.routes import EVERY
from tests.api.service import (
    OPERATORS,
    READ_DOCS,
    Api,
    Json,
    ask,
    bearer,
    problem,
    raw,
    running,
    serving,
)
from tests.api.test_consume import EXPORT, QUOTA, consume, give
from tests.api.test_decision_log import becomes
from tests.unit.adapters.test_telemetry import Samples, families, samples
from tests.unit.test_metrics_page import PAGE, rows

NIGHT: Final = {"hour": 22}
ITEM: Final = {name: said for name, said in READ_DOCS.items() if name != "org_id"}
MARK: Final = "ZqMark"
HOSTILE: Final = (
    MARK,
    f'{MARK}"}} 1',
    f"{MARK}\n{MARK} 2",
    f"{MARK}\\",
    f"/{MARK}/../",
    "é" + MARK,
)
DECISIONS: Final = "grantproof_decisions_total"
REQUESTS: Final = "grantproof_requests_total"
SERIES_MAX: Final = 10_000
UNKNOWN: Final = key_text("f" * 12, secret_of(bytes(32)))


@pytest.fixture
def counted(store: MemoryStore) -> Iterator[Api]:
    """An operator, in whose organization viewers may export the documents twice a day."""
    with serving(store, OPERATORS) as client:
        give(client, "quota", QUOTA)
        yield client


def scraped(api: Api) -> Samples:
    """All that is told now."""
    return samples(api.get("/metrics").text)


def added(api: Api, act: Callable[[], object], *names: str) -> dict[tuple[str, ...], float]:
    """What an act adds to metrics, by the values of their labels; not what stays."""
    before = scraped(api)
    act()
    after = scraped(api)
    return {
        tuple(value for _, value in series[1]): value - before.get(series, 0)
        for series, value in after.items()
        if series[0] in names and value != before.get(series, 0)
    }


def allowed(count: int) -> dict[tuple[str, ...], float]:
    """So many allows."""
    return {("allow", ""): count}


def test_single_decisions_are_counted_by_their_true_reason(counted: Api) -> None:
    """An absent organization included; what is no question is no decision."""

    def act() -> None:
        for changed in ({}, {}, {}, NIGHT, NIGHT, {"principal_id": "nobody"}):
            assert ask(counted, **changed).status_code == 200
        ask(counted, org_id="nowhere")
        ask(counted, action="write")
        assert ask(counted, hour="ten").status_code == 400
        assert raw(counted, "/evaluate", b"{").status_code == 400

    assert added(counted, act, DECISIONS) == {
        **allowed(3),
        ("deny", "constraint_failed"): 2,
        ("deny", "unknown_principal"): 1,
        ("deny", "unknown_organization"): 1,
        ("deny", "no_matching_claim"): 1,
    }


def test_each_item_of_a_batch_is_counted_but_a_malformed_one(counted: Api) -> None:
    """In an absent organization too."""
    items = [ITEM, {"action": 1}, {**ITEM, **NIGHT}, ITEM, {**ITEM, "principal_id": "\x00"}]

    def act(organization: str) -> None:
        batch = {"org_id": organization, "items": items}
        assert counted.post("/evaluate/batch", json=batch).status_code == 200

    found = added(counted, lambda: act("acme"), DECISIONS)
    assert found == {**allowed(2), ("deny", "constraint_failed"): 1}
    found = added(counted, lambda: act("nowhere"), DECISIONS)
    assert found == {("deny", "unknown_organization"): 3}


def test_a_batch_that_waits_for_counters_is_counted_once(counted: Api) -> None:
    """What was decided before they were read is decided again, and answered once."""
    export = {name: said for name, said in EXPORT.items() if name != "org_id"}
    batch = {"org_id": "acme", "items": [{**ITEM, "principal_id": "nobody"}, export, ITEM]}
    services = running(counted).services
    assert services.meters.followed() == ()
    found = added(counted, lambda: counted.post("/evaluate/batch", json=batch), DECISIONS)
    assert found == {**allowed(2), ("deny", "unknown_principal"): 1}
    assert services.meters.followed() == ("acme",)


def test_what_is_consumed_and_what_is_explained_is_counted(counted: Api) -> None:
    """Allows, then a deny by the counter; an explanation decides too."""

    def act() -> None:
        assert [consume(counted)["decision"] for _ in range(3)] == ["Allow", "Allow", "Deny"]
        for changed in ({}, NIGHT, {"principal_id": "nobody"}):
            explained = counted.post("/explain", json={**READ_DOCS, **changed})
            assert explained.status_code == 200, explained.text
        problem(
            counted.post("/explain", json={**READ_DOCS, "org_id": "nowhere"}),
            403,
            "forbidden_organization",
        )
        consume(counted, org_id="nowhere")
        # An allow by a claim that counts nothing.
        consume(counted, action="read", hour=10, region="us-east-1")

    names = (DECISIONS, "grantproof_charges_total", "grantproof_charge_retries_total")
    assert added(counted, act, *names) == {
        **allowed(4),
        ("deny", "constraint_failed"): 2,
        ("deny", "unknown_principal"): 1,
        ("deny", "unknown_organization"): 1,
        ("charged",): 2,
        ("uncharged",): 2,
    }


def test_what_is_told_again_is_neither_decided_nor_charged_again(counted: Api) -> None:
    """The key used for another request is rejected."""
    key = {"Idempotency-Key": "once"}

    def act() -> None:
        for _ in range(3):
            assert counted.post("/evaluate/consume", json=EXPORT, headers=key).status_code == 200
        other = counted.post(
            "/evaluate/consume", json={**EXPORT, "principal_id": "bob"}, headers=key
        )
        problem(other, 422, "idempotency_key_reused")

    found = added(counted, act, DECISIONS, "grantproof_charges_total")
    assert found == {**allowed(1), ("charged",): 1, ("rejected",): 1}


def test_lost_charges_are_retried_and_given_up(
    counted: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No decision is answered then; a store that fails is told apart."""
    names = (DECISIONS, "grantproof_charges_total", "grantproof_charge_retries_total")

    def lost() -> None:
        problem(counted.post("/evaluate/consume", json=EXPORT), 503, "contended")

    def failing() -> None:
        assert counted.post("/evaluate/consume", json=EXPORT).status_code == 503

    def gone(*_: object, **__: object) -> None:
        raise StoreUnavailable("gone")

    monkeypatch.setattr(store.meter, "charge", lambda *_, **__: Uncharged.FULL)
    assert added(counted, lost, *names) == {("conflict",): 1, (): CHARGE_ATTEMPTS_MAX - 1}
    monkeypatch.setattr(store.meter, "charge", gone)
    assert added(counted, failing, *names) == {("unavailable",): 1}


def test_requests_are_counted_by_route_and_status(counted: Api) -> None:
    """Under the template of a route; what is none, or not looked for, under one name."""
    health = {"Authorization": ""}

    def act() -> None:
        ask(counted)
        ask(counted, hour="ten")
        raw(counted, "/explain", b"{")
        counted.get("/evaluate")
        counted.get("/v1/orgs/acme/roles")
        counted.get("/v1/orgs/acme/roles/editor")
        counted.head("/v1/orgs/acme/roles/viewer")
        counted.get("/v1/orgs/acme/roles/nothing")
        counted.put("/v1/orgs/acme/roles")
        counted.post("/v1/orgs/acme/roles", json={"id": "new"})
        counted.get("/v1/nothing/acme")
        counted.get("/livez", headers=health)
        counted.get("/docs", headers=health)
        counted.get("/v1/orgs/acme", headers=bearer("wrong"))

    assert added(counted, act, REQUESTS) == {
        ("/evaluate", "200"): 1,
        ("/evaluate", "400"): 1,
        ("/evaluate", "405"): 1,
        ("/explain", "400"): 1,
        ("/v1/orgs/{org}/roles", "200"): 1,
        ("/v1/orgs/{org}/roles", "201"): 1,
        ("/v1/orgs/{org}/roles", "405"): 1,
        ("/v1/orgs/{org}/roles/{role}", "200"): 2,
        ("/v1/orgs/{org}/roles/{role}", "404"): 1,
        ("/livez", "200"): 1,
        ("/docs", "200"): 1,
        ("/metrics", "200"): 1,
        (OTHER, "404"): 1,
        (OTHER, "401"): 1,
    }


def test_durations_are_counted_by_route_and_class(counted: Api) -> None:
    """As many as there were requests, in seconds."""
    name = "grantproof_request_duration_seconds"

    def act() -> None:
        for _ in range(3):
            ask(counted)
        ask(counted, hour="ten")

    found = added(counted, act, f"{name}_count")
    assert found == {("/evaluate", "2xx"): 3, ("/evaluate", "4xx"): 1, ("/metrics", "2xx"): 1}
    spent = added(counted, act, f"{name}_sum")
    assert 0 < spent["/evaluate", "2xx"] < 60


def test_refused_credentials_are_counted_once_each(counted: Api) -> None:
    """Missing, malformed, unknown, at either kind of route; a scope that lacks is none of them."""
    wrong: list[Json] = [
        {"Authorization": "Basic x"},
        bearer("x"),
        bearer("gp_" + "x" * 43),
        bearer("a.b.c"),
    ]

    def act() -> None:
        for headers in wrong:
            assert counted.get("/v1/orgs", headers=headers).status_code == 401
            told = counted.post("/evaluate", json=READ_DOCS, headers=headers)
            assert told.status_code == 401
        del counted.headers["Authorization"]
        assert counted.get("/v1/orgs").status_code == 401

    key = counted.headers["Authorization"]

    def act_and_return() -> None:
        act()
        counted.headers["Authorization"] = key

    found = added(counted, act_and_return, "grantproof_credentials_refused_total")
    assert found == {(): 2 * len(wrong) + 1}


def test_changes_are_counted(counted: Api, store: MemoryStore) -> None:
    """What the snapshot comes to is told with them."""
    names = ("grantproof_changes_total", "grantproof_snapshot_entities")
    followed = ("grantproof_organizations_followed", "grantproof_snapshot_revisions")

    def act() -> None:
        for _ in range(2):
            counted.post("/v1/orgs/acme/roles", json={"id": "new"})
        stale = {"If-Match": '"1"'}
        assert counted.delete("/v1/orgs/acme/roles/new", headers=stale).status_code == 412
        assert counted.post("/v1/orgs", json={"id": "other"}).status_code == 201

    assert added(counted, act, *names) == {
        ("accepted",): 2,
        ("rejected",): 1,
        ("conflict",): 1,
        ("role",): 1,
    }
    now = scraped(counted)
    revisions = sum(
        store.revision(one) or 0 for one in running(counted).services.snapshots.followed()
    )
    assert [now[name, ()] for name in followed] == [1, revisions]


def test_the_age_of_snapshots_grows_while_they_cannot_be_followed(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And begins anew with the first round in which nothing fails."""
    rounds: list[object] = []

    def gone(organizations: object) -> int:
        rounds.append(organizations)
        raise StoreUnavailable("gone")

    with serving(store, OPERATORS, follow_seconds=0.01) as api:
        ask(api)
        freshness = running(api).following.freshness

        def moment() -> tuple[float, float]:
            """The earliest and the latest that it can be, however long it takes to ask."""
            before, age = stopwatch(), freshness.age()
            return before - age, stopwatch() - age

        with monkeypatch.context() as patched:
            patched.setattr(store, "heads", gone)
            assert becomes(lambda: len(rounds) > 0)
            earliest, latest = moment()
            assert becomes(lambda: len(rounds) > 10)
            # The moment stays where it was, however many rounds fail.
            later = moment()
            assert earliest <= later[1]
            assert later[0] <= latest
            assert scraped(api)["grantproof_snapshot_age_seconds", ()] > 0.09
        assert becomes(lambda: moment()[0] > latest)


def test_metrics_are_told_while_the_store_is_away(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An outage is when they are wanted; whoever asks has been known, and nothing else is told."""

    def gone(*_: object) -> NoReturn:
        raise StoreUnavailable("gone")

    with serving(store, OPERATORS, follow_seconds=0.01, max_staleness=0.2) as api:
        # Where others have the processor for so long, it is not current all the time.
        assert becomes(lambda: api.post("/evaluate", json=READ_DOCS).status_code == 200)
        assert becomes(lambda: scraped(api)["grantproof_organizations_not_current", ()] == 0)
        monkeypatch.setattr(store, "heads", gone)
        for name in ("usable", "mark"):
            monkeypatch.setattr(store.keys, name, gone)
        with capture_logs():
            assert becomes(lambda: api.get("/v1/orgs/acme").status_code == 503)
            assert becomes(lambda: scraped(api)["grantproof_organizations_not_current", ()] == 1)
            assert scraped(api)["grantproof_snapshot_age_seconds", ()] > 0.2
            # It is not ready either, though the store answers something else.
            problem(api.get("/readyz"), 503, "not_current")
            stranger = api.get("/metrics", headers={"Authorization": f"Bearer {UNKNOWN}"})
        assert stranger.status_code == 503


def test_the_age_is_told_while_nothing_is_followed(store: MemoryStore) -> None:
    """Rounds succeed, for there is nothing to fail."""
    with serving(store, OPERATORS, follow_seconds=0.01) as api:
        assert api.delete("/v1/orgs/acme").status_code == 204
        time.sleep(0.15)
        assert becomes(lambda: 0 <= scraped(api)["grantproof_snapshot_age_seconds", ()] < 0.1)
        assert scraped(api)["grantproof_organizations_followed", ()] == 0


def test_the_shadow_tells_differences(store: MemoryStore) -> None:
    """None, when all is well; as many evaluations as decisions when all are made twice."""
    names = ("grantproof_shadow_evaluations_total", "grantproof_shadow_differences_total")
    with serving(store, OPERATORS, contracts_shadow=1.0) as api:
        before = scraped(api)
        for _ in range(3):
            ask(api)
        after = scraped(api)
    assert [after[name, ()] - before[name, ()] for name in names] == [3, 0]


def test_what_is_not_verified_is_told_as_that(counted: Api) -> None:
    """Without a report."""
    assert scraped(counted)["grantproof_verified", ()] == 0


def known_values() -> dict[str, set[str] | re.Pattern[str]]:
    """What each label may be."""
    return {
        "route": {route.template for route in EVERY} | PUBLIC | {OTHER},
        "status": re.compile(r"[2-5]\d\d"),
        "status_class": re.compile(r"[2-5]xx"),
        "outcome": re.compile(r"[a-z]+"),
        "reason": {"", *CODES.values()},
        "contract": {"change", "state", "certificate", "shadow"},
        "ending": set(ENDINGS),
        "kind": {"principal", "group", "role", "resource", "claim", "sod_set", "guardrail"},
        "generation": {"0", "1", "2"},
        "le": re.compile(r"[\d.e-]+|\+Inf"),
        "source": re.compile(r"[0-9a-f]{12}"),
        "version": re.compile(r"[\w.+]+"),
        **dict.fromkeys(("implementation", "major", "minor", "patchlevel"), re.compile(r"\w+")),
    }


def fits(known: set[str] | re.Pattern[str], value: str) -> bool:
    """Whether a value is one that is known, or looks like one."""
    return value in known if isinstance(known, set) else known.fullmatch(value) is not None


def test_no_label_is_ever_what_somebody_sent(store: MemoryStore) -> None:
    """Hostile ids in every place of every route, with and without a credential that is one."""
    with serving(store, OPERATORS) as api:
        for place, route in enumerate(EVERY):
            # Every route gets some of the marks, the decision routes all of them.
            some = HOSTILE if route.template in PATHS else (HOSTILE * 2)[place % len(HOSTILE) :][:2]
            for mark in some:
                sent(api, route.method, route.template, mark, known=True)
            sent(api, route.method, route.template, some[0], known=False)
        for mark in HOSTILE:
            sent(api, "GET", f"/{MARK}", mark, known=True)
            sent(api, MARK.upper(), "/v1/orgs", mark, known=True)
            sent(api, MARK.upper(), "/evaluate", mark, known=True)
        text = api.get("/metrics").text
    assert MARK.lower() not in text.lower()
    known = known_values()
    found = list(text_string_to_metric_families(text))
    told = [
        (label, value) for one in found for s in one.samples for label, value in s.labels.items()
    ]
    assert [pair for pair in told if not fits(known[pair[0]], pair[1])] == []
    assert len(told) < SERIES_MAX
    decided = [value for (name, _), value in samples(text).items() if name == DECISIONS]
    assert sum(decided) >= len(HOSTILE)


def sent(api: Api, method: str, template: str, mark: str, *, known: bool) -> None:
    """Send the mark in every place of a request."""
    address = re.sub(r"{[^}]*}", lambda _: quoted(mark), template)
    question = {**dict.fromkeys(("principal_id", "action", "resource_id"), mark), "region": mark}
    bodies: list[Json] = [
        {"id": mark, "role_id": mark, MARK: mark},
        {**question, "org_id": mark},
        {**question, "org_id": "acme"},
        {"org_id": "acme", "items": [question, {MARK: mark}]},
    ]
    headers = {"Idempotency-Key": MARK, "X-Request-ID": MARK, "If-Match": f'"{MARK}"'}
    if not known:
        headers |= bearer(MARK)
    for body in bodies if template in PATHS else bodies[:1]:
        api.request(method, address, json=body, headers=headers, params={"after": mark})


def quoted(mark: str) -> str:
    """The mark as a part of a path."""
    return "".join(f"%{byte:02X}" for byte in mark.encode())


def test_the_service_tells_what_the_page_does(store: MemoryStore, tmp_path: Path) -> None:
    """No part is left out where it is all put together."""
    log, snapshots = tmp_path / "log", tmp_path / "snapshots"
    with serving(store, OPERATORS, decision_log=log, snapshots=snapshots) as api:
        found = families(api.get("/metrics").text)
    told = rows(PAGE)
    assert {name: one.type for name, one in found.items()} == {
        name: told[name].type for name in told if name in found or name.startswith("grantproof_")
    }
