"""What every store promises of the API keys that it keeps."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.credentials import Key, digest
from grantproof.service.ports import Store

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
