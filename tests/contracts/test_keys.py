"""What every store promises of the API keys that it keeps."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.credentials import Key, digest
from grantproof.service.ports import Store
from grantproof.service.receipts import RECEIPT_SECONDS, KeyReceipt, Once

ACME = OrganizationId("acme")


def key(prefix: str = "0123456789ab", **changed: object) -> Key:
    """A key with that prefix, of an organization that the stores have."""
    made = Key(
        prefix,
        digest(prefix.encode()).hex(),
        ACME,
        PrincipalId("ann"),
        frozenset({Scope.EVALUATE, Scope.TRUSTED_CONTEXT}),
        "łabel; -- '\"",
        created_at=10,
        created_by="os:root",
        expires_at=20,
    )
    return replace(made, **changed)  # type: ignore[arg-type]  # fields are given by name


@pytest.fixture(autouse=True)
def acme(store: Store) -> None:
    """The organization that the keys are of."""
    assert store.create(ACME, time_zone="UTC", actor="x", instant=1)


def test_a_key_is_kept_as_it_was_made(store: Store) -> None:
    """Every field, with an organization and without."""
    operators = key(
        "b" * 12, organization=None, principal=None, scopes=EVERY_SCOPE, expires_at=None
    )
    for made in (operators, key()):
        assert store.keys.create(made)
    assert store.keys.usable()[1] == (key(), operators)
    assert store.keys.page(limit=9) == (key(), operators)


def test_a_prefix_and_a_digest_are_used_once(store: Store) -> None:
    """Also those of a revoked key; what is stored stays."""
    assert store.keys.create(key())
    assert not store.keys.create(key(label="another"))
    assert not store.keys.create(replace(key("c" * 12), digest=key().digest))
    assert store.keys.revoke(key().prefix, actor="x", instant=11)
    assert not store.keys.create(key())
    assert [one.label for one in store.keys.page(limit=9)] == [key().label]


def test_a_revoked_key_is_kept_but_not_usable(store: Store) -> None:
    """It says when it was revoked and by whom; that is done once."""
    assert store.keys.create(key())
    assert store.keys.revoke(key().prefix, actor="os:ann", instant=15)
    assert not store.keys.revoke(key().prefix, actor="os:bob", instant=16)
    assert not store.keys.revoke("nothing", actor="os:bob", instant=16)
    assert store.keys.usable()[1] == ()
    assert store.keys.page(limit=9) == (key(revoked_at=15, revoked_by="os:ann"),)


def test_the_mark_moves_with_every_change_and_with_nothing_else(store: Store) -> None:
    """So that whoever has seen a mark need not look again until it moves."""
    marks = [store.keys.mark()]
    changes: list[Callable[[], bool]] = [
        lambda: store.keys.create(key()),
        lambda: store.keys.create(key("b" * 12)),
        lambda: store.keys.revoke(key().prefix, actor="x", instant=15),
    ]
    for change in changes:
        assert change()
        marks.append(store.keys.mark())
    assert len(set(marks)) == len(marks)
    assert not store.keys.create(key())
    assert not store.keys.revoke(key().prefix, actor="x", instant=15)
    store.keys.page(limit=9)
    assert store.keys.usable()[0] == store.keys.mark() == marks[-1]


def test_keys_come_in_pages(store: Store) -> None:
    """In the order of their prefixes; all pages together are all of them."""
    prefixes = [f"{number:012x}" for number in (3, 1, 4, 15, 9, 2)]
    for prefix in prefixes:
        assert store.keys.create(key(prefix))
    found: list[str] = []
    page = store.keys.page(limit=4)
    while page:
        found.extend(one.prefix for one in page)
        page = store.keys.page(after=found[-1], limit=4)
    assert found == sorted(prefixes)
    assert store.keys.page(limit=0) == ()


def test_a_deleted_organization_leaves_its_keys(store: Store) -> None:
    """They tell what was; an organization that is gone is reached by none."""
    assert store.keys.create(key())
    assert store.delete(ACME, actor="x", instant=12)
    assert store.keys.page(limit=9) == (key(),)


# ---------------------------------------------------------------- receipts


ONCE = Once("mine", "digest")


def receipt(
    prefix: str, instant: int = 10, once: Once = ONCE, actor: str = "os:root"
) -> KeyReceipt:
    """That the actor asked for the key of that prefix."""
    return KeyReceipt(actor, once, prefix, instant)


def kept(store: Store, name: str = "mine", *, after: int = 0) -> KeyReceipt | None:
    """The receipt of the root under the key."""
    return store.keys.receipt(actor="os:root", key=name, after=after)


def test_a_receipt_is_kept_with_its_key(store: Store) -> None:
    """It is its actor's own, under its name, and so old."""
    assert kept(store) is None
    assert store.keys.create(key(), receipt=receipt(key().prefix))
    assert kept(store) == kept(store, after=9) == receipt(key().prefix)
    assert kept(store, after=10) is None
    assert kept(store, "other") is None
    assert store.keys.receipt(actor="os:ann", key="mine", after=0) is None


def test_under_one_receipt_one_key_is_made(store: Store) -> None:
    """What comes second stores nothing, whatever it asks; another actor is another."""
    second = key("b" * 12)
    assert store.keys.create(key(), receipt=receipt(key().prefix))
    for once in (ONCE, Once("mine", "another digest")):
        late = receipt(second.prefix, 9 + RECEIPT_SECONDS, once)
        assert not store.keys.create(second, receipt=late)
    assert kept(store) == receipt(key().prefix)
    assert store.keys.page(limit=9) == (key(),)
    assert store.keys.create(second, receipt=receipt(second.prefix, actor="os:ann"))


def test_a_key_that_is_not_made_leaves_no_receipt(store: Store) -> None:
    """Its prefix was taken, so the idempotency key is still free."""
    assert store.keys.create(key())
    assert not store.keys.create(key(label="another"), receipt=receipt(key().prefix))
    assert kept(store) is None


def test_receipts_are_forgotten_after_a_day(store: Store) -> None:
    """Under its own name an older one is replaced, the others go with it."""
    made = [key(letter * 12) for letter in "abc"]
    assert store.keys.create(made[0], receipt=receipt(made[0].prefix))
    assert store.keys.create(made[1], receipt=receipt(made[1].prefix, 10, Once("other", "d")))
    later = receipt(made[2].prefix, 10 + RECEIPT_SECONDS, Once("mine", "d"))
    assert store.keys.create(made[2], receipt=later)
    assert (kept(store), kept(store, "other")) == (later, None)


def test_a_key_is_found_by_its_prefix(store: Store) -> None:
    """As it is now, revoked or not."""
    assert store.keys.find(key().prefix) is None
    assert store.keys.create(key())
    assert store.keys.find(key().prefix) == key()
    assert store.keys.revoke(key().prefix, actor="os:ann", instant=15)
    assert store.keys.find(key().prefix) == key(revoked_at=15, revoked_by="os:ann")


def test_of_threads_that_race_under_one_receipt_one_makes_a_key(store: Store) -> None:
    """On a database, of processes too: the receipt is in the transaction of the key."""
    made = [key(f"{number:012x}") for number in range(8)]
    with ThreadPoolExecutor(len(made)) as pool:
        done = pool.map(lambda one: store.keys.create(one, receipt=receipt(one.prefix)), made)
        won = [one for one, stored in zip(made, done, strict=True) if stored]
    assert store.keys.page(limit=9) == tuple(won)
    assert kept(store) == receipt(won[0].prefix)
    assert len(won) == 1
