"""Sessions that a process keeps: read once, confirmed while used, not answered from too long."""

from collections.abc import Callable, Collection, Mapping

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import CreatePrincipal
from grantproof.core.identifiers import OrganizationId, PrincipalId, SessionId
from grantproof.core.limits import (
    COUNTER_GRACE_SECONDS,
    SESSION_STALENESS_SECONDS_MAX,
    SESSIONS_PRUNED_MAX,
)
from grantproof.core.sessions import Session
from grantproof.service import kept_sessions as module
from grantproof.service.kept_sessions import CONFIRM_SECONDS, PRUNE_SECONDS, KeptSessions
from grantproof.service.session_store import SessionStore, Writing
from tests.contracts.histories import ANN, BOB, INSTANT, created

ACME = OrganizationId("acme")
HOUR = 3_600


def session(name: str = "s1", principal: PrincipalId = ANN) -> Session:
    """A session of an hour, without roles."""
    return Session(SessionId(name), principal, frozenset(), INSTANT, INSTANT + HOUR, "portal")


class Keeping:
    """A store with Ann and Bob, what is kept of its sessions, and clocks that are set by hand."""

    def __init__(self, kept_max: int = 10) -> None:
        self.store = MemoryStore()
        self.state = created(self.store, ACME, [CreatePrincipal(ANN), CreatePrincipal(BOB)])
        self.sessions: SessionStore = self.store.sessions
        self.seconds, self.instant = 100.0, INSTANT
        self.reads = list[list[str]]()
        self.meanwhile: Callable[[], None] = lambda: None
        real = self.sessions.read

        def noted(
            organization: OrganizationId, wanted: Collection[SessionId]
        ) -> Mapping[SessionId, Session]:
            self.reads.append(sorted(wanted))
            found = real(organization, wanted)
            self.meanwhile()
            return found

        self.sessions.read = noted  # type: ignore[method-assign, assignment]  # wraps the method
        self.kept = KeptSessions(
            self.sessions,
            clock=self,
            seconds=lambda: self.seconds,
            on_owner=lambda change: change(),
            max_staleness=SESSION_STALENESS_SECONDS_MAX,
            kept_max=kept_max,
        )

    def now(self) -> int:
        """The instant that is set."""
        return self.instant

    def open(self, one: Session) -> Session:
        """Let another process open the session."""
        state = self.state
        done = self.sessions.open(ACME, one, revision=state.revision, most=99)
        assert done is Writing.DONE
        return one

    def read(self, *names: str) -> None:
        """Read the sessions."""
        self.kept.read(ACME, [SessionId(name) for name in names])

    def known(self, name: str = "s1") -> Session | None:
        """What is known of a session, of which something is."""
        kept = self.kept.find(ACME, name)
        assert kept is not None
        return kept.session

    def is_unread(self, name: str = "s1") -> bool:
        """Whether a session has to be read."""
        return self.kept.find(ACME, name) is None


@pytest.fixture
def keeping() -> Keeping:
    """Nothing is kept yet."""
    return Keeping()


def test_what_is_read_is_kept_until_it_is_too_old(keeping: Keeping) -> None:
    """One that is not there is kept as such; what was never read is unread."""
    keeping.open(session())
    assert keeping.is_unread()
    keeping.read("s1", "none")
    assert keeping.known() == session()
    assert keeping.known("none") is None
    assert keeping.kept.find("other", "s1") is None
    keeping.seconds += SESSION_STALENESS_SECONDS_MAX
    assert keeping.known() == session()
    keeping.seconds += 0.01
    assert keeping.is_unread()
    assert keeping.is_unread("none")


def test_what_is_read_is_as_old_as_the_beginning_of_the_look(keeping: Keeping) -> None:
    """Whoever ended it while the store was slow is not waited for all over again."""
    keeping.open(session())

    def slowly() -> None:
        keeping.seconds += 1.0

    keeping.meanwhile = slowly
    keeping.read("s1")
    keeping.seconds += SESSION_STALENESS_SECONDS_MAX - 1.0
    assert keeping.known() == session()
    keeping.seconds += 0.01
    assert keeping.is_unread()


def test_it_is_never_kept_longer_than_the_named_maximum(keeping: Keeping) -> None:
    """Whatever else may be old for longer; a shorter time is kept to."""
    for wanted, expected in ((300.0, SESSION_STALENESS_SECONDS_MAX), (0.5, 0.5)):
        kept = KeptSessions(
            keeping.sessions,
            clock=keeping,
            seconds=lambda: keeping.seconds,
            on_owner=lambda change: change(),
            max_staleness=wanted,
        )
        kept.read(ACME, [SessionId("s1")])
        keeping.seconds += expected
        assert kept.find(ACME, "s1") is not None
        keeping.seconds += 0.01
        assert kept.find(ACME, "s1") is None


def test_what_is_used_is_confirmed_and_what_is_not_is_forgotten(keeping: Keeping) -> None:
    """In one batch, not more often than once a second; a change elsewhere shows then."""
    keeping.open(session())
    keeping.open(session("s2"))
    keeping.read("s1", "s2", "idle")
    keeping.known()
    keeping.known("s2")
    keeping.sessions.end(ACME, session().id, instant=INSTANT)
    keeping.kept.confirm()
    assert len(keeping.reads) == 1
    assert keeping.known() == session()
    keeping.seconds += CONFIRM_SECONDS
    keeping.kept.confirm()
    assert keeping.reads[1:] == [["s1", "s2"]]
    assert keeping.known() is None
    keeping.seconds += SESSION_STALENESS_SECONDS_MAX + 0.01
    keeping.kept.confirm()
    assert keeping.reads[2:] == [["s1"]]
    assert keeping.known() is None
    assert len(keeping.kept) == 1


def test_what_this_process_changes_shows_at_once(keeping: Keeping) -> None:
    """A session that is opened need not be read; of two changes the later one stays."""
    keeping.open(session())
    keeping.kept.put(ACME, session(), began=keeping.kept.now())
    second = session().having(frozenset())
    third = second.having(frozenset())
    keeping.kept.put(ACME, third, began=keeping.kept.now())
    keeping.kept.put(ACME, second, began=keeping.kept.now())
    assert keeping.known() == third
    keeping.kept.end(ACME, third.id, began=keeping.kept.now())
    keeping.kept.put(ACME, third.having(frozenset()), began=keeping.kept.now())
    assert keeping.known() is None
    assert keeping.reads == []


def test_a_change_that_overtakes_a_look_stays(keeping: Keeping) -> None:
    """What was read before the change was made is not believed after it."""
    keeping.open(session())
    keeping.read("s1")
    keeping.meanwhile = lambda: keeping.kept.end(ACME, session().id, began=keeping.seconds)
    keeping.read("s1", "none")
    assert keeping.known() is None
    assert keeping.known("none") is None


def test_of_two_looks_the_one_that_began_later_counts(keeping: Keeping) -> None:
    """Whichever ends first."""
    keeping.open(session())

    def overtake() -> None:
        keeping.meanwhile = lambda: None
        keeping.sessions.end(ACME, session().id, instant=INSTANT)
        keeping.seconds += 1
        keeping.read("s1")

    keeping.meanwhile = overtake
    keeping.read("s1")
    assert keeping.known() is None


def test_a_deleted_principal_leaves_nothing(keeping: Keeping) -> None:
    """Neither what was kept nor what is being read; the sessions of others stay."""
    keeping.open(session())
    keeping.open(session("b", BOB))
    keeping.read("s1", "b")
    keeping.kept.forget(ACME, {ANN})
    assert keeping.is_unread()
    assert keeping.known("b") == session("b", BOB)
    keeping.meanwhile = lambda: keeping.kept.forget(ACME, {ANN})
    keeping.read("s1")
    assert keeping.is_unread()
    keeping.meanwhile = lambda: None
    keeping.read("s1", "b")
    keeping.kept.forget(OrganizationId("other"), None)
    assert keeping.known() == session()
    keeping.kept.forget(ACME, None)
    assert keeping.is_unread()
    assert keeping.is_unread("b")


def test_no_more_than_so_many_are_kept() -> None:
    """At the bound all are; above it the one that was read first goes."""
    for count, kept in ((2, 2), (3, 3), (4, 3)):
        keeping = Keeping(kept_max=3)
        for number in range(count):
            keeping.read(f"s{number}")
        unread = [keeping.is_unread(f"s{number}") for number in range(count)]
        assert unread == [True] * (count - kept) + [False] * kept


def test_a_look_that_fails_leaves_what_was_known(keeping: Keeping) -> None:
    """And the next one counts again."""
    keeping.open(session())
    keeping.read("s1")

    def fail() -> None:
        raise LookupError

    keeping.meanwhile = fail
    with pytest.raises(LookupError):
        keeping.read("s1")
    assert keeping.known() == session()


def test_what_expired_is_pruned_now_and_then(
    keeping: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long after, for clocks that are behind; at once again while there is more."""
    keeping.open(session())
    ends = session().expires_at + COUNTER_GRACE_SECONDS
    asked = list[int]()
    real = keeping.sessions.prune

    def prune(*, until: int, limit: int) -> int:
        asked.append(until)
        return real(until=until, limit=limit)

    monkeypatch.setattr(keeping.sessions, "prune", prune)
    keeping.instant = ends - 1
    keeping.kept.prune()
    keeping.instant = ends - 1 + PRUNE_SECONDS - 1
    keeping.kept.prune()
    assert asked == [ends - 1 - COUNTER_GRACE_SECONDS]
    assert keeping.sessions.page(ACME, instant=INSTANT, limit=9) == (session(),)
    monkeypatch.setattr(module, "SESSIONS_PRUNED_MAX", 1)
    keeping.instant = ends - 1 + PRUNE_SECONDS
    keeping.kept.prune()
    keeping.kept.prune()
    assert len(asked) == 3
    assert keeping.sessions.page(ACME, instant=INSTANT, limit=9) == ()
    assert SESSIONS_PRUNED_MAX > 1
