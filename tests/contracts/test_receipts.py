"""What a store promises of receipts; the same for every store."""

from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import OrganizationId, RoleId
from grantproof.service.ports import Store
from grantproof.service.receipts import RECEIPT_SECONDS, Once, Receipt
from tests.contracts.histories import ACTOR, INSTANT, created, empty, event

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
ONCE = Once("key", "digest")
BEFORE = INSTANT - 1


def receipt(
    revision: int = 1, instant: int = INSTANT, once: Once = ONCE, actor: str = ACTOR
) -> Receipt:
    """That the actor made the revision at the instant."""
    return Receipt(ACME, actor, once, revision, instant)


def commit(store: Store, kept: Receipt) -> bool:
    """Make a role at the receipt's revision, and keep the receipt."""
    state = store.load(ACME)
    assert state is not None
    made = event(state, CreateRole(RoleId(f"r{kept.revision}")))
    return store.commit(made, receipt=kept) is not None


def found(store: Store, key: str = "key", *, actor: str = ACTOR) -> Receipt | None:
    """The receipt under the key, whatever its age."""
    return store.receipt(ACME, actor=actor, key=key, after=0)


def test_a_receipt_is_kept_with_its_change(store: Store) -> None:
    """And found by organization, actor and key together."""
    created(store, ACME, [])
    assert found(store) is None
    assert commit(store, receipt())
    assert found(store) == receipt()
    assert found(store, "other") is None
    assert found(store, actor="somebody") is None
    assert store.receipt(OTHER, actor=ACTOR, key="key", after=0) is None


def test_a_new_organization_keeps_a_receipt_too(store: Store) -> None:
    """Where it is not created, none is kept."""
    first, second = receipt(0), receipt(0, once=Once("second", "d"))
    for kept, expected in ((first, True), (second, False)):
        made = store.create(ACME, time_zone="UTC", actor=ACTOR, instant=INSTANT, receipt=kept)
        assert made is expected
    assert (found(store), found(store, "second")) == (first, None)


def test_a_change_that_is_not_committed_keeps_no_receipt(store: Store) -> None:
    """The receipt is of the change, and goes where it goes."""
    created(store, ACME, [])
    late = event(empty(ACME, "UTC"), CreateRole(RoleId("r")))
    assert store.commit(late, receipt=receipt())
    assert not store.commit(late, receipt=receipt(once=Once("second", "d")))
    assert found(store, "second") is None


def test_an_old_receipt_is_not_found(store: Store) -> None:
    """`after` is the last instant that is too old."""
    created(store, ACME, [])
    commit(store, receipt())
    assert store.receipt(ACME, actor=ACTOR, key="key", after=BEFORE) == receipt()
    assert store.receipt(ACME, actor=ACTOR, key="key", after=INSTANT) is None


def test_a_receipt_replaces_an_older_one_under_its_key(store: Store) -> None:
    """A key is free again after a day, and forgotten is what nobody asks for any more."""
    created(store, ACME, [])
    other = Once("other", "d")
    commit(store, receipt())
    commit(store, receipt(2, INSTANT + 1, other))
    later = receipt(3, INSTANT + RECEIPT_SECONDS, Once("third", "d"))
    commit(store, later)
    assert (found(store), found(store, "other"), found(store, "third")) == (
        None,
        receipt(2, INSTANT + 1, other),
        later,
    )
    again = receipt(4, INSTANT + RECEIPT_SECONDS, Once("other", "e"))
    commit(store, again)
    assert found(store, "other") == again
    assert found(store, "third") == later


def test_a_deleted_organization_has_no_receipts(store: Store) -> None:
    """Nor does its id, which is never used again."""
    created(store, ACME, [])
    commit(store, receipt())
    assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert found(store) is None
