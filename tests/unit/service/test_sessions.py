"""Sessions opened, changed and ended: decided on the state they are written at, once, bounded."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.bootstrap import Services
from grantproof.core.commands.language import (
    AssignRole,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
    DeletePrincipal,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.errors import AlreadyExists, Illegal, Missing
from grantproof.core.identifiers import OrganizationId, RoleId, SessionId, SodSetId
from grantproof.core.limits import (
    SESSION_ATTEMPTS_MAX,
    SESSION_SECONDS_MAX,
    SESSIONS_PER_PRINCIPAL_MAX,
)
from grantproof.core.model import SodSet
from grantproof.core.policy import SessionClash
from grantproof.core.sessions import NotHeld, Session, session_roles
from grantproof.service.authors import Author
from grantproof.service.pap import Contended, NoOrganization
from grantproof.service.receipts import InProgress, KeyReused, Once, Retold
from grantproof.service.session_store import Writing
from grantproof.service.sessions import TOO_MANY, OneAnswer, Outcome, Unwilling, Wanted, Written
from tests.api.service import services_over
from tests.contracts.histories import ANN, INSTANT, created

ACME = OrganizationId("acme")
CLERK, HEAD, CHIEF = (RoleId(name) for name in ("clerk", "head", "chief"))
APART = SodSet(SodSetId("apart"), frozenset({HEAD, CHIEF}), 2, "dynamic")
BY = Author("portal")
FACTS: list[SingleCommand] = [
    CreatePrincipal(ANN),
    *(CreateRole(role) for role in (CLERK, HEAD, CHIEF)),
    *(AssignRole(ANN, role) for role in (CLERK, HEAD, CHIEF)),
    CreateSodSet(APART),
]


@pytest.fixture
def store() -> MemoryStore:
    """A store in which Ann is a clerk, a head and a chief; heads and chiefs are apart."""
    made = MemoryStore()
    created(made, ACME, FACTS)
    return made


@pytest.fixture
def services(store: MemoryStore) -> Services:
    """The use cases over it."""
    return services_over(store)


def opened(services: Services, *roles: RoleId, once: str | None = None) -> Outcome:
    """What becomes of a session of Ann's that is wanted."""
    answer = None if once is None else OneAnswer(Once(once, "digest"), lambda one: one.id)
    wanted = Wanted(ANN, frozenset(roles))
    return services.sessions.open(ACME, wanted, by=BY, answer=answer)


def session(services: Services, *roles: RoleId) -> Session:
    """A new session of Ann's."""
    found = opened(services, *roles)
    assert isinstance(found, Written), found
    return found.session


def elsewhere(store: MemoryStore, command: SingleCommand) -> None:
    """Let another process change the organization."""
    services_over(store).administration.propose(ACME, command, by=Author("other"))


def test_an_id_is_drawn_and_nobody_can_guess_it(services: Services) -> None:
    """128 random bits each."""
    ids = {session(services).id for _ in range(5)}
    assert len(ids) == 5
    assert {len(one) for one in ids} == {32}


def test_what_is_decided_is_decided_on_the_state_that_is_current(
    services: Services, store: MemoryStore
) -> None:
    """What another process has changed is caught up with before anything is said or written."""
    session(services, HEAD)
    elsewhere(store, RevokeRole(ANN, HEAD))
    found = opened(services, HEAD)
    assert isinstance(found, Unwilling)
    assert isinstance(found.refusal, NotHeld)
    elsewhere(store, AssignRole(ANN, HEAD))
    assert isinstance(opened(services, HEAD), Written)
    elsewhere(store, DeletePrincipal(ANN, cascade=True))
    assert opened(services) == Unwilling(Missing("principal", (ANN,)))


@pytest.mark.parametrize("count", [-1, 0, 1])
def test_a_principal_has_so_many_sessions(
    services: Services, store: MemoryStore, count: int
) -> None:
    """One more than there may be is refused."""
    for _ in range(SESSIONS_PER_PRINCIPAL_MAX + count - 1):
        opened(services)
    last = opened(services)
    assert last == Unwilling(TOO_MANY) if count > 0 else isinstance(last, Written)
    kept = store.sessions.page(ACME, instant=0, limit=SESSIONS_PER_PRINCIPAL_MAX + 2)
    assert len(kept) == SESSIONS_PER_PRINCIPAL_MAX + min(count, 0)


@pytest.mark.parametrize(
    ("seconds", "legal"),
    [(0, False), (1, True), (SESSION_SECONDS_MAX, True), (SESSION_SECONDS_MAX + 1, False)],
)
def test_a_session_lasts_up_to_its_bound(seconds: int, legal: bool) -> None:
    """A longer or shorter one cannot be wanted."""
    if legal:
        assert Wanted(ANN, frozenset(), seconds).seconds == seconds
        return
    with pytest.raises(Illegal):
        Wanted(ANN, frozenset(), seconds)


def test_those_who_widen_one_session_at_once_never_break_a_dynamic_set(
    services: Services, store: MemoryStore
) -> None:
    """Two processes add a role each, which may not be active together: one is refused."""
    other = services_over(store)
    for _ in range(20):
        one = session(services, CLERK)

        def add(process: Services, role: RoleId, name: SessionId = one.id) -> Outcome:
            return process.sessions.add_role(ACME, name, role, by=BY)

        with ThreadPoolExecutor(2) as pool:
            found = [
                pool.submit(add, process, role)
                for process, role in ((services, HEAD), (other, CHIEF))
            ]
            outcomes = [each.result(20) for each in found]
        refused = [one for one in outcomes if isinstance(one, Unwilling)]
        assert [type(one.refusal) for one in refused] == [SessionClash]
        kept = services.sessions.find(ACME, one.id)
        state = store.load(ACME)
        assert kept is not None
        assert state is not None
        active = session_roles(state, ANN, kept.roles, instant=INSTANT)
        assert len(active & APART.roles) == 1
        services.sessions.end(ACME, one.id)


def test_whoever_loses_every_race_is_told(
    services: Services, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a bounded number of attempts; nothing was changed."""
    one, tries = session(services, CLERK), list[int]()

    def lost(*_: object, **__: object) -> Writing:
        tries.append(1)
        return Writing.STALE

    monkeypatch.setattr(store.sessions, "open", lost)
    monkeypatch.setattr("grantproof.adapters.clock.JitteredBackoff.wait", lambda *_: None)
    assert opened(services, HEAD) == Contended(SESSION_ATTEMPTS_MAX)
    assert len(tries) == SESSION_ATTEMPTS_MAX
    assert services.sessions.find(ACME, one.id) == one


def test_what_is_asked_once_is_done_once(services: Services, store: MemoryStore) -> None:
    """Told again, here and by another process; the key is not free for anything else."""
    first = opened(services, HEAD, once="key")
    assert isinstance(first, Written)
    assert opened(services, HEAD, once="key") == Retold(first.session.id)
    assert opened(services_over(store), HEAD, once="key") == Retold(first.session.id)
    answer = OneAnswer(Once("key", "another"), lambda one: one.id)
    add = services.sessions.add_role
    assert add(ACME, first.session.id, CLERK, by=BY, answer=answer) == KeyReused()
    answer = OneAnswer(Once("more", "digest"), lambda one: str(one.version))
    assert isinstance(add(ACME, first.session.id, CLERK, by=BY, answer=answer), Written)
    assert add(ACME, first.session.id, CLERK, by=BY, answer=answer) == Retold("2")
    refused = add(ACME, first.session.id, CLERK, by=BY)
    assert refused == Unwilling(AlreadyExists("active role", (first.session.id, CLERK)))


def test_a_key_that_is_being_worked_on_is_in_progress(
    services: Services, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two callers with one key, one works."""
    found, real = list[Outcome](), store.sessions.open

    def meanwhile(*given: object, **named: object) -> object:
        found.append(opened(services, HEAD, once="key"))
        call: Callable[..., object] = real
        return call(*given, **named)

    monkeypatch.setattr(store.sessions, "open", meanwhile)
    assert isinstance(opened(services, HEAD, once="key"), Written)
    assert found == [InProgress()]


def test_another_process_that_was_faster_under_a_key_is_told_again(
    services: Services, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it was looked for before: what is kept with the session is what is found."""
    other, real = services_over(store), store.sessions.open
    faster = list[Outcome]()

    def overtaken(*given: object, **named: object) -> object:
        monkeypatch.setattr(store.sessions, "open", real)
        faster.append(opened(other, HEAD, once="key"))
        call: Callable[..., object] = real
        return call(*given, **named)

    monkeypatch.setattr(store.sessions, "open", overtaken)
    found = opened(services, HEAD, once="key")
    assert isinstance(faster[0], Written)
    assert found == Retold(faster[0].session.id)
    assert len(store.sessions.page(ACME, instant=0, limit=9)) == 1


def test_there_is_nothing_in_an_organization_that_is_not_there(services: Services) -> None:
    """Neither opened nor found nor ended."""
    nowhere, name = OrganizationId("nowhere"), SessionId("s")
    wanted = Wanted(ANN, frozenset())
    assert services.sessions.open(nowhere, wanted, by=BY) == NoOrganization()
    assert services.sessions.find(nowhere, name) is None
    assert not services.sessions.end(nowhere, name)
    assert services.sessions.drop_role(nowhere, name, HEAD, by=BY) == NoOrganization()
    for change in (services.sessions.add_role, services.sessions.drop_role):
        assert change(ACME, name, HEAD, by=BY) == Unwilling(Missing("session", (name,)))
