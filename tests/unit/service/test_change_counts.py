"""The administration point counts what becomes of changes, each of them once, and its retries."""

from collections.abc import Callable
from typing import get_args

import pytest

from grantproof.core.commands import Accepted
from grantproof.core.commands.language import AssignRole, CreateRole, RevokeRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.core.limits import COMMIT_ATTEMPTS_MAX
from grantproof.service.attempts import AttemptCounts
from grantproof.service.contracts import Contracts
from grantproof.service.pap import ENDINGS, Contended, Proposed, Terms, Unsound
from grantproof.service.ports import StoreUnavailable
from grantproof.service.receipts import KeyReused, Once, Repeated
from tests.organizations import BOB, CLERK, HEAD
from tests.unit.service.test_pap import BY_EVE, GIVE, OPERATOR, TENANT, Here, here

__all__ = ["here"]


def counted(here: Here, act: Callable[[], object]) -> dict[str, int]:
    """What an act adds to the counts, `retries` among them; not what stays."""
    before, _ = flat(here.point.attempts.tally()), act()
    after = flat(here.point.attempts.tally())
    return {name: after[name] - before[name] for name in after if after[name] != before[name]}


def flat(tally: AttemptCounts) -> dict[str, int]:
    """Outcomes and retries together."""
    return {**tally.outcomes, "retries": tally.retries}


def test_every_ending_is_counted_but_what_is_told_again() -> None:
    """The table has all that a proposal may end with."""
    assert set(ENDINGS) == set(get_args(Proposed)) - {Repeated}


def test_changes_are_counted_by_what_became_of_them(here: Here) -> None:
    """Accepted, rejected by a rule, by a right, for want of the organization; stale."""
    assert counted(here, lambda: here.propose(GIVE)) == {"accepted": 1}
    assert counted(here, lambda: here.propose(GIVE)) == {"rejected": 1}
    assert counted(here, lambda: here.propose(AssignRole(BOB, HEAD), BY_EVE)) == {"rejected": 1}
    stale = Terms(at=frozenset({0}))
    revoke = RevokeRole(BOB, CLERK)
    assert counted(here, lambda: here.propose(revoke, OPERATOR, stale)) == {"conflict": 1}
    assert counted(here, lambda: here.propose(revoke, OPERATOR)) == {"accepted": 1}
    nowhere = OrganizationId("nowhere")
    assert counted(here, lambda: here.point.propose(nowhere, GIVE, by=OPERATOR)) == {"rejected": 1}


def test_making_and_ending_an_organization_are_changes(here: Here) -> None:
    """An id that was used before is rejected, as is what is not there."""
    other = OrganizationId("other")

    def found() -> bool:
        return here.point.found(other, time_zone="UTC", by=OPERATOR)

    def dissolve() -> bool:
        return here.point.dissolve(other, by=OPERATOR)

    assert [counted(here, act) for act in (found, found, dissolve, dissolve)] == [
        {"accepted": 1},
        {"rejected": 1},
        {"accepted": 1},
        {"rejected": 1},
    ]


def test_a_lost_race_is_a_retry_and_one_change(here: Here) -> None:
    """The change is counted once, however often it was tried."""

    def other() -> None:
        made = here.other.propose(TENANT, CreateRole(RoleId("new")), by=OPERATOR)
        assert isinstance(made, Accepted)

    here.store.meanwhile = iter([other])
    assert counted(here, lambda: here.propose(GIVE)) == {"accepted": 1, "retries": 1}


def test_races_lost_until_the_bound_are_a_conflict(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every attempt after the first is a retry."""
    monkeypatch.setattr(here.store, "commit", lambda *_, **__: None)
    found = counted(here, lambda: here.propose(GIVE))
    assert found == {"conflict": 1, "retries": COMMIT_ATTEMPTS_MAX - 1}
    assert here.propose(GIVE) == Contended(COMMIT_ATTEMPTS_MAX)


def test_a_store_that_fails_is_unavailable(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every kind of change; the error goes on."""
    other = OrganizationId("other")

    def gone(*_: object, **__: object) -> bool:
        raise StoreUnavailable("gone")

    for name in ("commit", "create", "delete"):
        monkeypatch.setattr(here.store, name, gone)
    for act in (
        lambda: here.propose(GIVE),
        lambda: here.point.found(other, time_zone="UTC", by=OPERATOR),
        lambda: here.point.dissolve(TENANT, by=OPERATOR),
    ):

        def failing(act: Callable[[], object] = act) -> None:
            with pytest.raises(StoreUnavailable):
                act()

        assert counted(here, failing) == {"unavailable": 1}


def test_what_is_told_again_is_not_counted_again(here: Here) -> None:
    """The same key with another request is rejected."""
    terms = Terms(once=Once("key", "digest"))
    again = Terms(once=Once("key", "other"))
    assert counted(here, lambda: here.propose(GIVE, terms=terms)) == {"accepted": 1}
    assert isinstance(here.propose(GIVE, terms=terms), Repeated)
    assert counted(here, lambda: here.propose(GIVE, terms=terms)) == {}
    assert isinstance(here.propose(GIVE, terms=again), KeyReused)
    assert counted(here, lambda: here.propose(GIVE, terms=again)) == {"rejected": 1}


def test_a_change_that_the_service_finds_unsound_is_counted_as_that(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a fault of ours, and no rejection."""
    monkeypatch.setattr(Contracts, "broken_by", lambda *_: (object(),))
    assert isinstance(here.propose(GIVE), Unsound)
    assert counted(here, lambda: here.propose(GIVE)) == {"unsound": 1}


def test_the_same_key_under_way_is_a_conflict(here: Here) -> None:
    """The second call does not wait for the first."""
    terms = Terms(once=Once("key", "digest"))
    inner: list[dict[str, int]] = []

    def meanwhile() -> None:
        inner.append(counted(here, lambda: here.propose(GIVE, terms=terms)))

    here.store.meanwhile = iter([meanwhile])
    here.propose(GIVE, terms=terms)
    assert inner == [{"conflict": 1}]
