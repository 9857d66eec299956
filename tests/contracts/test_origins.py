"""How assignments came about, told from the events of every store, backward."""

import pytest

from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    CreateGroup,
    CreatePrincipal,
    CreateRole,
    RevokeRole,
)
from grantproof.core.model import Validity
from grantproof.service import origins as module
from grantproof.service.origins import origins
from grantproof.service.ports import Store
from tests.contracts.histories import created
from tests.organizations import ACME, ANN, BOB, CLERK, HEAD, STAFF

ANNS = ("principal", "ann", "clerk")
STAFFS = ("group", "staff", "clerk")
HISTORY = (
    ChangeSet((CreatePrincipal(ANN), CreatePrincipal(BOB), CreateGroup(STAFF), CreateRole(CLERK))),
    AssignRole(ANN, CLERK),
    AssignGroupRole(STAFF, CLERK),
    RevokeRole(ANN, CLERK),
    CreateRole(HEAD),
    ChangeSet((AssignRole(ANN, CLERK, Validity(None, 99)), AssignRole(ANN, HEAD))),
    AddMember(BOB, STAFF),
)


def revisions(store: Store, *keys: tuple[str, str, str]) -> dict[tuple[str, str, str], int]:
    """Which revision made each."""
    found = origins(store, ACME, keys, until=len(HISTORY))
    return {key: entry.revision for key, entry in found.items()}


def test_the_latest_event_that_made_it_is_found(store: Store) -> None:
    """Not one before a revocation, nor one of another holder or role."""
    created(store, ACME, HISTORY)
    assert revisions(store, ANNS, STAFFS) == {ANNS: 6, STAFFS: 3}
    assert revisions(store, ("principal", "ann", "head")) == {("principal", "ann", "head"): 6}
    assert revisions(store, ("principal", "bob", "clerk")) == {}
    assert revisions(store) == {}


def test_what_came_later_than_what_is_shown_is_not_told(store: Store) -> None:
    """A page is of one revision."""
    created(store, ACME, HISTORY)
    found = origins(store, ACME, [ANNS], until=2)
    assert found[ANNS].revision == 2


@pytest.mark.parametrize(
    ("bound", "most", "found"),
    [
        ("SEARCHED_MAX", 4, {}),
        ("SEARCHED_MAX", 5, {STAFFS: 3}),
        ("LETTERS_MAX", 1, {}),
        ("LETTERS_MAX", 10_000, {STAFFS: 3}),
    ],
)
def test_the_search_is_bounded(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    *,
    bound: str,
    most: int,
    found: dict[tuple[str, str, str], int],
) -> None:
    """By how many events it looks at, and by how much they have done."""
    created(store, ACME, HISTORY)
    monkeypatch.setattr(module, "READ_AT_ONCE", 1)
    monkeypatch.setattr(module, bound, most)
    assert revisions(store, STAFFS) == found
