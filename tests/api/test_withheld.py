"""Contracts where it counts: what is withheld charges nothing, and what is withdrawn is not asked.

The index at fault is one that believes a principal to hold a role which the state does not give.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql.database import open_database
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId
from grantproof.core.index import Index
from grantproof.core.model import Assignment, Delta
from grantproof.core.organization import advance
from grantproof.service.cases import replayed
from grantproof.service.demo import ACME
from grantproof.service.ports import Store
from tests.api.service import OPERATORS, READ_DOCS, Api, Json, running, serving
from tests.api.test_consume import CONSUME, EXPORT, QUOTA, consume, give, usage
from tests.api.test_contracts import ONLY_CERTIFICATES, ONLY_SHADOW, checked, kept
from tests.api.test_decision_log import becomes, metric

CAROL: Json = {**EXPORT, "principal_id": "carol"}
CAROL_READS: Json = {**READ_DOCS, "principal_id": "carol"}
CAROL_VIEWS = Assignment(PrincipalId("carol"), RoleId("viewer"))
CAROL_SUBMITS = Assignment(PrincipalId("carol"), RoleId("submitter"))
ALICE_PAYS = Assignment(PrincipalId("alice"), RoleId("finance"))
NEVER_ON_ITS_OWN: Json = {"contracts_shadow": 0, "contracts_certificates": 0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where cases are kept."""
    return tmp_path / "cases"


@pytest.fixture(params=["memory", "sqlite"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store of either kind."""
    if request.param == "memory":
        return MemoryStore()
    return open_database(str(tmp_path / "it.db"), create=True, key_file=None)


@pytest.fixture(params=["shadow", "certificate"])
def contract(request: pytest.FixtureRequest) -> str:
    """The contract that is looked at, always; the other one never is."""
    return str(request.param)


def only(contract: str) -> Json:
    """The settings under which every decision is looked at by one contract alone."""
    return ONLY_SHADOW if contract == "shadow" else ONLY_CERTIFICATES


def followed(api: Api) -> Index:
    """The index of `acme`, which is followed."""
    index = running(api).following.known("acme")
    assert index is not None
    return index


def owned(api: Api, change: Callable[[], None]) -> None:
    """Run the change where the indexes are asked."""
    assert api.portal is not None
    api.portal.call(change)


def damage(api: Api, *held: Assignment) -> Index:
    """Let the index and its state hold what was never given, at the revision that they had."""
    index = followed(api)
    delta = Delta(added=held)
    false = replace(advance(index.state, delta), revision=index.state.revision)
    owned(api, lambda: index.follow(false, delta))
    return index


@contextmanager
def believing(api: Api, held: Assignment, question: Json) -> Iterator[None]:
    """Inside, the index has it that a role is held which the state does not give."""
    assert api.post("/evaluate", json=question).status_code == 200
    true = followed(api).state
    index = damage(api, held)
    # What it believes is remembered when it is asked, and outlives the state that it came from.
    assert api.post("/evaluate", json=question).json()["decision"] == "Allow"
    index.state = true
    yield
    owned(api, lambda: index.follow(true, Delta(removed=(held,))))


def assert_withheld(answer: Json) -> None:
    """It is a deny for that reason, which nobody is to keep, and proves nothing."""
    assert (answer["decision"], answer["reason_code"]) == ("Deny", "withheld"), answer
    assert answer["valid_until"] == answer["decided_at"]
    assert answer.get("certificate") is None


def test_a_metered_use_that_is_withheld_charges_nothing(
    any_store: Store, folder: Path, contract: str
) -> None:
    """Counted, kept as a case with the counters it saw, and the key is free to be used again."""
    keyed = {"Idempotency-Key": "once"}
    with serving(any_store, OPERATORS, cases=folder, **only(contract)) as api:
        give(api, "quota", QUOTA)
        assert consume(api)["decision"] == "Allow"
        before = usage(api)
        with believing(api, CAROL_VIEWS, CAROL):
            checks, _ = checked(api, contract)
            assert_withheld(consume(api, principal_id="carol", explain=True))
            assert_withheld(api.post(CONSUME, json=CAROL, headers=keyed).json())
            assert checked(api, contract) == (checks + 2, 2)
            assert usage(api) == before == [("alice", "quota", "day", 1, 2)]
            assert consume(api)["decision"] == "Allow"
        again = api.post(CONSUME, json=CAROL, headers=keyed).json()
        assert again["reason_code"] == "no_matching_claim"
        assert usage(api) == [("alice", "quota", "day", 2, 2)]
        assert becomes(lambda: len(kept(folder)) == 2)
    for case in kept(folder):
        assert (case.contract, case.found) == (contract, "Allow by `quota`")
        assert case.asked is not None
        assert case.asked.readings == {}
        assert replayed(case) is None


def test_a_contended_use_that_is_withheld_charges_no_claim(
    any_store: Store, folder: Path, contract: str
) -> None:
    """The first claim is one that is not held: neither it nor the one behind it is charged."""
    with serving(any_store, OPERATORS, cases=folder, **only(contract)) as api:
        give(api, "quota", QUOTA)
        others = {
            "id": "a-first",
            "role": "finance",
            "action": "export",
            "resource": "docs",
            "constraints": [{**QUOTA, "limit": 9}],
        }
        assert api.post("/v1/orgs/acme/claims", json=others).status_code == 201
        assert [consume(api)["claim_id"] for _ in range(2)] == ["quota", "quota"]
        full = [("alice", "quota", "day", 2, 2)]
        assert usage(api) == full
        with believing(api, ALICE_PAYS, {**EXPORT, "usage": 0, "rate": 0}):
            assert_withheld(consume(api))
            assert checked(api, contract)[1] == 1
            assert usage(api) == full
            # Who does hold the role is charged for it meanwhile.
            assert consume(api, principal_id="carol")["claim_id"] == "a-first"
        assert consume(api)["reason_code"] == "constraint_failed"
        assert usage(api) == [*full, ("carol", "a-first", "day", 1, 9)]
        assert becomes(lambda: len(kept(folder)) == 1)
    (case,) = kept(folder)
    assert case.found == "Allow by `a-first`"
    if contract == "shadow":
        assert case.expected == "Deny, ConstraintFailed"


def test_of_a_batch_only_the_item_at_fault_changes(
    any_store: Store, folder: Path, contract: str
) -> None:
    """Those before and after it are answered as ever, allowed, denied and malformed ones too."""

    def item(**fields: Any) -> Json:
        return {name: said for name, said in fields.items() if name != "org_id"}

    wrong = [2, 4]
    items = [
        item(**EXPORT),
        item(**READ_DOCS, explain=True),
        item(**CAROL_READS, explain=True),
        {"typo": 1},
        item(**CAROL),
        item(**{**READ_DOCS, "hour": 22}),
        item(**{**EXPORT, "principal_id": "bob"}),
    ]

    def answered(api: Api) -> list[Json]:
        told = api.post("/evaluate/batch", json={"org_id": "acme", "items": items}).json()
        found = [{**one, "meter_age": 0, "decided_at": 0} for one in told["items"]]
        return [settled(one) for one in found]

    def settled(one: Json) -> Json:
        proof = one.get("certificate")
        return one if proof is None else {**one, "certificate": {**proof, "instant": 0}}

    with serving(any_store, OPERATORS, cases=folder, **only(contract)) as api:
        give(api, "quota", QUOTA)
        before = answered(api)
        assert [before[place]["reason_code"] for place in wrong] == ["no_matching_claim"] * 2
        with believing(api, CAROL_VIEWS, CAROL):
            amid = answered(api)
        assert [amid[place]["reason_code"] for place in wrong] == ["withheld"] * 2
        assert {amid[place]["decision"] for place in wrong} == {"Deny"}
        same = [place for place in range(len(items)) if place not in wrong]
        assert [amid[place] for place in same] == [before[place] for place in same]
        assert [before[place].get("decision") for place in same] == [
            *("Allow", "Allow", None, "Deny", "Allow")
        ]
        assert checked(api, contract)[1] == len(wrong)
        assert answered(api) == before
        assert usage(api) == []
        assert becomes(lambda: len(kept(folder)) == len(wrong))


# ---------------------------------------------------------------- withdrawn while it is asked


def withdrawn(api: Api) -> None:
    """Check the whole state in this thread, which finds it at fault."""
    found = running(api).services.snapshots.recheck(ACME)
    assert [one.invariant for one in found] == ["static-duty-holds"]


@pytest.mark.parametrize(
    ("moment", "question"), [("read", CAROL), ("heads", CAROL), ("heads", CAROL_READS)]
)
def test_who_asks_while_it_is_withdrawn_is_not_answered_by_it(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, moment: str, question: Json
) -> None:
    """Whether it was waiting for the counters, or for what other writers did, to be read."""
    with serving(store, OPERATORS, **NEVER_ON_ITS_OWN) as api:
        give(api, "quota", QUOTA)
        assert consume(api, principal_id="carol")["decision"] == "Deny"
        revision = followed(api).state.revision
        damage(api, CAROL_VIEWS, CAROL_SUBMITS)
        due = iter([True])
        place: Any = store.meter if moment == "read" else store
        plain = getattr(place, moment)

        def meanwhile(*given: Any, **named: Any) -> Any:
            if next(due, False):
                withdrawn(api)
            return plain(*given, **named)

        monkeypatch.setattr(place, moment, meanwhile)
        if moment == "read":
            answer = consume(api, principal_id="carol")
        else:
            followed(api).state = replace(followed(api).state, revision=revision - 1)
            answer = api.post("/evaluate", json={**question, "at_least_revision": revision}).json()
        assert next(due, False) is False
        assert (answer["decision"], answer["reason_code"]) == ("Deny", "no_matching_claim")
        assert answer["revision"] == revision
        assert usage(api) == []


def test_what_is_withdrawn_as_soon_as_it_is_found_is_not_asked(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A use that no counter bears on is answered at once: by what was read anew, too."""
    with serving(store, OPERATORS, **NEVER_ON_ITS_OWN) as api:
        assert api.post("/evaluate", json=CAROL_READS).json()["decision"] == "Deny"
        damage(api, CAROL_VIEWS, CAROL_SUBMITS)
        due, snapshots = iter([True]), running(api).services.snapshots
        plain = snapshots.load

        def found(organization: OrganizationId) -> Index | None:
            index = plain(organization)
            if next(due, False):
                withdrawn(api)
            return index

        monkeypatch.setattr(snapshots, "load", found)
        asked = {name: said for name, said in CAROL_READS.items() if name != "usage"}
        answer = api.post(CONSUME, json=asked).json()
        assert next(due, False) is False
        assert (answer["decision"], answer["reason_code"]) == ("Deny", "no_matching_claim")


def test_once_it_is_withdrawn_nobody_is_allowed_by_it(any_store: Store) -> None:
    """Of many who ask at once, alone, in batches and consuming, whoever comes later is denied."""
    gone, enough = threading.Event(), threading.Event()
    lot = {name: said for name, said in CAROL.items() if name != "org_id"}
    batch = {"org_id": "acme", "items": [lot, lot]}
    ways = (("/evaluate", CAROL), ("/evaluate/batch", batch), (CONSUME, CAROL), (CONSUME, CAROL))
    # Which way, whether it was asked after the withdrawal, and the decision.
    found = list[tuple[str, bool, str]]()
    with serving(any_store, OPERATORS, **NEVER_ON_ITS_OWN, contracts_state_seconds=0) as api:
        give(api, "quota", {**QUOTA, "limit": 100_000})
        assert consume(api, principal_id="carol")["decision"] == "Deny"

        def asking(path: str, body: Json) -> None:
            while not enough.is_set():
                later = gone.is_set()
                told = api.post(path, json=body).json()
                found.extend((path, later, one["decision"]) for one in told.get("items", [told]))

        def all_saw(later: bool, decision: str) -> bool:
            return all((path, later, decision) in found for path, _ in ways)

        damage(api, CAROL_VIEWS, CAROL_SUBMITS)
        with ThreadPoolExecutor(len(ways)) as pool:
            asked = [pool.submit(asking, path, body) for path, body in ways]
            try:
                assert becomes(lambda: all_saw(False, "Allow"))
                withdrawn(api)
                gone.set()
                assert becomes(lambda: all_saw(True, "Deny"))
            finally:
                enough.set()
        assert [one.result() for one in asked] == [None] * len(ways)
        assert not any(later and decision == "Allow" for _, later, decision in found)
        charged = sum(path == CONSUME and decision == "Allow" for path, _, decision in found)
        assert [line[3] for line in usage(api)] == [charged]
        assert metric(api, "grantproof_organizations_withdrawn_total") == 1
