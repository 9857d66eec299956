"""Contracts in production: a fault of our own is denied, refused or not served, and kept."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from grantproof.adapters.case_files import SUFFIX
from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.sql.database import open_database
from grantproof.core import certificate, commands, policy
from grantproof.core.commands.language import Command
from grantproof.core.constraints import Context
from grantproof.core.identifiers import ClaimId, OrganizationId, PrincipalId, RoleId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.model import Assignment, Delta
from grantproof.core.organization import Organization, with_fact
from grantproof.core.policy import NoRole
from grantproof.core.ways import Verdict
from grantproof.policyfile.wire import Unreadable
from grantproof.service import cases
from grantproof.service.case_text import read_case
from grantproof.service.cases import Case, replayed
from grantproof.service.demo import ACME
from grantproof.service.ports import Store
from tests.api.service import OPERATORS, READ_DOCS, Api, Json, ask, problem, running, serving
from tests.api.test_decision_log import becomes, metric

WRONG = {**READ_DOCS, "principal_id": "carol"}
ONLY_SHADOW: Json = {"contracts_shadow": 1.0, "contracts_certificates": 0}
ONLY_CERTIFICATES: Json = {"contracts_shadow": 0, "contracts_certificates": 1.0}
ALL: Json = {"contracts_shadow": 1.0, "contracts_certificates": 1.0}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where cases are kept."""
    return tmp_path / "cases"


@pytest.fixture(params=["memory", "sqlite"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store of either kind."""
    if request.param == "memory":
        yield MemoryStore()
    else:
        store = open_database(str(tmp_path / "it.db"), create=True, key_file=None)
        yield store


def kept(folder: Path) -> list[Case]:
    """The cases that were kept, in order."""
    return [read_case(path.read_bytes(), nowhere) for path in sorted(folder.glob(f"*{SUFFIX}"))]


def nowhere(organization: OrganizationId, revision: int) -> Organization:
    """There is no database to take a state from."""
    raise Unreadable(f"no state of {organization} at {revision}")


def too_generous(self: Index, request: Request, context: Context) -> Verdict:
    """An index that grants everything by the first claim."""
    del request, context
    return Verdict(self.state.claims[ClaimId("viewer-read-docs")])


def checked(api: Api, contract: str) -> tuple[float, float]:
    """How many checks there were of a contract, and how many failed."""
    labels = f'{{contract="{contract}"}}'
    return (
        metric(api, f"grantproof_contract_checks_total{labels}"),
        metric(api, f"grantproof_contract_violations_total{labels}"),
    )


def test_a_wrong_allow_of_the_index_is_denied_and_its_case_replays(
    folder: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference says no: so does the answer, alone and in a batch, and consuming too."""
    with serving(
        store, OPERATORS, cases=folder, contracts_shadow=1.0, contracts_certificates=0
    ) as api:
        item = {name: said for name, said in WRONG.items() if name != "org_id"}
        batch = {"org_id": "acme", "items": [item]}
        assert ask(api, **WRONG).json()["reason_code"] == "no_matching_claim"
        with monkeypatch.context() as patched:
            patched.setattr(Index, "ask", too_generous)
            answers: list[Json] = [
                ask(api, **WRONG, explain=True).json(),
                api.post("/evaluate/batch", json=batch).json()["items"][0],
                api.post("/evaluate/consume", json={**WRONG, "usage": None}).json(),
            ]
        for answer in answers:
            assert (answer["decision"], answer["reason_code"]) == ("Deny", "withheld"), answer
            assert answer["valid_until"] == answer["decided_at"] or "items" in answer
            assert answer.get("certificate") is None
        assert store.meter.usage(ACME, instant=0, limit=10) == ()
        assert becomes(lambda: len(kept(folder)) == 3)
        assert checked(api, "shadow") == (4, 3)
    case = kept(folder)[0]
    assert (case.expected, case.found) == ("Deny, NoMatchingClaim", "Allow by `viewer-read-docs`")
    assert replayed(case) is None
    monkeypatch.setattr(Index, "ask", too_generous)
    assert replayed(case) == "Allow by `viewer-read-docs`, not Deny, NoMatchingClaim"


def test_a_wrong_deny_stays_a_deny(
    folder: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reference would allow: nobody is let in by it, and the difference is kept."""
    with serving(store, OPERATORS, cases=folder, **ALL) as api:
        assert ask(api).json()["decision"] == "Allow"
        monkeypatch.setattr(Index, "ask", lambda *_: Verdict(NoRole()))
        assert ask(api).json()["reason_code"] == "no_role"
        assert checked(api, "shadow") == (2, 1)
        assert checked(api, "certificate") == (1, 0)


def test_an_allow_without_a_certificate_is_denied(
    folder: Path, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether none can be issued, or the checker does not accept it."""
    with serving(
        store, OPERATORS, cases=folder, contracts_shadow=0, contracts_certificates=1.0
    ) as api:
        assert ask(api).json()["decision"] == "Allow"
        with monkeypatch.context() as patched:
            patched.setattr(Index, "ask", too_generous)
            assert ask(api, **WRONG).json()["reason_code"] == "withheld"
        monkeypatch.setattr(certificate, "check", lambda *_, **__: False)
        assert ask(api).json()["reason_code"] == "withheld"
        assert checked(api, "certificate") == (3, 2)
    case = kept(folder)[1]
    assert replayed(case) is not None
    monkeypatch.undo()
    assert replayed(case) is None


def test_a_change_that_breaks_an_invariant_is_refused(
    any_store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refusal that forgets separation of duty: 500 with a code of its own, nothing is stored."""
    with serving(any_store, OPERATORS, cases=folder) as api:
        before = any_store.load(ACME)
        with monkeypatch.context() as patched:
            patched.setattr(commands, "refusal", lambda *_: None)
            told = api.post(
                "/v1/orgs/acme/assignments", json={"principal": "carol", "role": "submitter"}
            )
        problem(told, 500, "contract_broken")
        assert any_store.load(ACME) == before
        assert ask(api).json()["decision"] == "Allow"
        assert checked(api, "change")[1] == 1
        assert becomes(lambda: len(kept(folder)) == 1)
    (case,) = kept(folder)
    assert replayed(case) is None
    monkeypatch.setattr(commands, "refusal", lambda *_: None)
    assert replayed(case) == "static-duty-holds at finance-or-submitter, carol"


def half_done(_: Organization, command: Command) -> Delta:
    """A delta that forgets what was asked for, and gives somebody else a role."""
    del command
    return Delta(added=(Assignment(PrincipalId("bob"), RoleId("ghost")),))


def test_a_change_that_leaves_a_reference_to_nothing_is_refused(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a delta says, what it leaves is looked at."""
    with serving(store, OPERATORS) as api:
        before = store.load(ACME)
        monkeypatch.setattr(commands, "delta", half_done)
        problem(api.post("/v1/orgs/acme/roles", json={"id": "new"}), 500, "contract_broken")
        assert store.load(ACME) == before


def test_a_check_that_fails_itself_lets_nothing_through(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a change, of a decision and of a certificate."""

    def fails(*_: object, **__: object) -> None:
        raise RecursionError

    with serving(store, OPERATORS, **ALL) as api:
        assert ask(api).json()["decision"] == "Allow"
        monkeypatch.setattr(cases, "broken", fails)
        monkeypatch.setattr(policy, "evaluate", fails)
        problem(api.post("/v1/orgs/acme/roles", json={"id": "new"}), 500, "contract_broken")
        assert ask(api).json()["reason_code"] == "withheld"


def test_a_state_that_is_not_valid_is_not_served_from_memory(
    store: MemoryStore, folder: Path
) -> None:
    """The background check finds it, takes it out, and what is stored is read and checked anew."""
    with serving(store, OPERATORS, cases=folder, contracts_state_seconds=0.05) as api:
        assert ask(api).json()["decision"] == "Allow"
        index = running(api).following.known("acme")
        assert index is not None
        both = (Assignment(PrincipalId("alice"), RoleId(role)) for role in ("finance", "submitter"))
        for held in both:
            index.state = with_fact(index.state, held)
        withdrawn = "grantproof_organizations_withdrawn_total"
        assert becomes(lambda: metric(api, withdrawn) == 1)
        assert ask(api).json()["decision"] == "Allow"
        again = running(api).following.known("acme")
        assert again is not None
        assert again is not index
        assert checked(api, "state")[1] == 1
    (case,) = kept(folder)
    assert replayed(case) == "static-duty-holds at finance-or-submitter, alice"


def test_a_store_that_is_not_valid_is_never_served(tmp_path: Path, folder: Path) -> None:
    """What breaks an invariant when it is loaded is refused, and counted."""
    place = tmp_path / "it.db"
    store = open_database(str(place), create=True, key_file=None)
    with serving(store, OPERATORS) as api:
        assert ask(api).json()["decision"] == "Allow"
    with closing(sqlite3.connect(place)) as broken:
        broken.execute(
            "UPDATE sod_set_role SET role_id = CASE role_id"
            " WHEN 'finance' THEN 'editor' ELSE 'viewer' END"
        )
        broken.commit()
    store = open_database(str(place), create=False, key_file=None)
    with serving(store, OPERATORS, cases=folder) as api:
        problem(ask(api), 500, "store_unusable")
        assert checked(api, "state")[1] >= 1
        assert becomes(lambda: len(kept(folder)) >= 1)


def test_the_folder_of_cases_has_a_limit(
    store: MemoryStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first are kept, the rest counted; also after a restart."""
    monkeypatch.setattr(Index, "ask", too_generous)
    for _ in range(2):
        with serving(store, OPERATORS, cases=folder, cases_max=2, **ALL) as api:
            for _ in range(2):
                assert ask(api, **WRONG).json()["decision"] == "Deny"
            assert becomes(lambda: metric(api, 'grantproof_cases_total{outcome="dropped"}') >= 2)
        assert len(kept(folder)) == 2
    assert {path.suffix for path in folder.iterdir()} == {".json"}


def test_without_shares_nothing_is_looked_at(store: MemoryStore) -> None:
    """Then a wrong index is believed: so it is the looking that helps above."""
    silent: Json = {"contracts_shadow": 0, "contracts_certificates": 0}
    with serving(store, OPERATORS, **silent) as api, pytest.MonkeyPatch.context() as patched:
        patched.setattr(Index, "ask", too_generous)
        assert ask(api, **WRONG).json()["decision"] == "Allow"
        assert checked(api, "shadow") == checked(api, "certificate") == (0, 0)
