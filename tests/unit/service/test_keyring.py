"""The keyring: made, recognized, expired, revoked; and what a look may miss."""

import threading
import time
from collections.abc import Callable

import pytest
from typing_extensions import override

from grantproof.adapters.memory import MemoryKeys, MemoryStore
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service import keyring as module
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE, Scope
from grantproof.service.credentials import DEMO_TEXT, Key, Mark, well_formed
from grantproof.service.demo import ACME, install
from grantproof.service.keyring import (
    KeyRequest,
    Keyring,
    MadeBefore,
    NewKey,
    NoSuchPrincipal,
    TooManyKeys,
)
from grantproof.service.pap import AdministrationPoint, NoOrganization
from grantproof.service.receipts import RECEIPT_SECONDS, KeyReceipt, KeyReused, Once
from grantproof.service.snapshots import Snapshots
from tests.api.service import services_over

BY = Author("os:root")
ALICE = PrincipalId("alice")
OPERATORS = KeyRequest(None, None, EVERY_SCOPE)


class Hand:
    """A clock that stands where it is put."""

    def __init__(self) -> None:
        self.instant = 1_000

    def now(self) -> int:
        """Where it stands."""
        return self.instant


class Counting:
    """Chance that counts: the first draw is all zeros, the next all ones."""

    def __init__(self) -> None:
        self.drawn = -1

    def draw(self, count: int) -> bytes:
        """Bytes that are all the number of the draw."""
        self.drawn += 1
        return bytes([self.drawn]) * count


@pytest.fixture
def store() -> MemoryStore:
    """A store with `acme` in it."""
    made = MemoryStore()
    install(services_over(made).administration)
    return made


@pytest.fixture
def clock() -> Hand:
    """A clock to be set."""
    return Hand()


@pytest.fixture
def ring(store: MemoryStore, clock: Hand) -> Keyring:
    """A keyring on the store."""
    return Keyring(store.keys, Snapshots(store), clock=clock, chance=Counting())


def made(ring: Keyring, wanted: KeyRequest = OPERATORS) -> bytes:
    """The text of a new key, which the keyring has seen."""
    new = ring.create(wanted, by=BY)
    assert isinstance(new, NewKey)
    ring.look()
    return new.text.encode()


def test_a_key_is_recognized_by_its_text_only(ring: Keyring) -> None:
    """Made of 256 random bits and recognized; with any other secret it is nobody's."""
    text = made(ring)
    assert well_formed(text)
    caller = ring.caller(text)
    assert caller is not None
    assert (caller.organization, caller.scopes) == (None, EVERY_SCOPE)
    assert caller.author == Author("key:000000000000")
    for other in (text[:-1], text + b"0", text.upper(), text[:20] + b"B" + text[21:], b"", b"gp_"):
        assert ring.caller(other) is None


def test_only_a_hash_is_stored(ring: Keyring, store: MemoryStore) -> None:
    """Nothing of the secret is in what is kept."""
    text = made(ring).decode()
    (kept,) = store.keys.page(limit=9)
    assert text[16:59] not in repr(kept)
    assert text.startswith(f"gp_{kept.prefix}_")


def test_a_key_counts_until_before_it_expires(ring: Keyring, clock: Hand) -> None:
    """Without another look at the store."""
    text = made(ring, KeyRequest(None, None, EVERY_SCOPE, expires_at=1_010))
    for instant, counts in ((1_009, True), (1_010, False), (1_011, False)):
        clock.instant = instant
        assert (ring.caller(text) is not None) == counts


@pytest.mark.parametrize("expires_at", [999, 1_000])
def test_a_key_that_is_expired_already_is_not_made(
    ring: Keyring, store: MemoryStore, expires_at: int
) -> None:
    """One second later it may be."""
    with pytest.raises(Illegal, match="must be in the future"):
        ring.create(KeyRequest(None, None, EVERY_SCOPE, expires_at=expires_at), by=BY)
    assert store.keys.page(limit=9) == ()
    assert made(ring, KeyRequest(None, None, EVERY_SCOPE, expires_at=1_001))


def test_a_revoked_key_is_nobodys_at_once(ring: Keyring) -> None:
    """Where it was revoked, without another look; and it can be done once."""
    text = made(ring)
    assert ring.revoke("000000000000", by=BY)
    assert ring.caller(text) is None
    assert not ring.revoke("000000000000", by=BY)
    ring.look()
    assert ring.caller(text) is None


def test_what_another_process_does_is_seen_at_the_next_look(
    ring: Keyring, store: MemoryStore
) -> None:
    """Made there, revoked there."""
    ring.look()
    other = services_over(store).keyring
    new = other.create(OPERATORS, by=BY)
    assert isinstance(new, NewKey)
    text = new.text.encode()
    assert (ring.caller(text), ring.knows(text)) == (None, False)
    ring.look()
    assert ring.caller(text) is not None
    assert other.revoke(new.key.prefix, by=BY)
    assert ring.caller(text) is not None
    ring.look()
    assert ring.caller(text) is None


class Overtaken(MemoryKeys):
    """Keys of which the list is read, and only then something happens."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = object

    @override
    def usable(self) -> tuple[Mark, tuple[Key, ...]]:
        found = super().usable()
        self.meanwhile()
        return found


def test_a_look_that_a_revocation_overtakes_does_not_undo_it(store: MemoryStore) -> None:
    """The list was read before the revocation and is adopted after it: the key stays nobody's."""
    keys = Overtaken()
    ring = Keyring(keys, Snapshots(store), clock=Hand(), chance=Counting())
    text = made(ring)
    assert ring.caller(text) is not None
    assert isinstance(ring.create(OPERATORS, by=BY), NewKey)
    revoking = threading.Thread(target=ring.revoke, args=("000000000000",), kwargs={"by": BY})

    def meanwhile() -> None:
        revoking.start()
        while keys.mark()[1] == 0:
            time.sleep(0.001)

    keys.meanwhile = meanwhile
    ring.look()
    revoking.join()
    assert ring.caller(text) is None


@pytest.mark.parametrize(
    ("organization", "principal", "missing"),
    [
        ("nobody", None, NoOrganization()),
        ("nobody", "alice", NoOrganization()),
        ("acme", "dave", NoSuchPrincipal()),
    ],
)
def test_a_key_names_what_exists(
    ring: Keyring, store: MemoryStore, organization: str, principal: str | None, missing: object
) -> None:
    """Nothing is made for an organization or a principal that is not there."""
    whose = None if principal is None else PrincipalId(principal)
    wanted = KeyRequest(OrganizationId(organization), whose, frozenset({Scope.EVALUATE}))
    assert ring.create(wanted, by=BY) == missing
    assert store.keys.page(limit=9) == ()


def test_a_taken_prefix_is_drawn_again(store: MemoryStore) -> None:
    """Another key is never replaced; when every draw is taken, chance is broken."""
    rings = [
        Keyring(store.keys, Snapshots(store), clock=Hand(), chance=Counting()) for _ in range(2)
    ]
    made(rings[0])
    second = rings[1].create(OPERATORS, by=BY)
    assert isinstance(second, NewKey)
    assert second.key.prefix == "02" * 6

    class Stuck(Counting):
        @override
        def draw(self, count: int) -> bytes:
            return bytes(count)

    stuck = Keyring(store.keys, Snapshots(store), clock=Hand(), chance=Stuck())
    with pytest.raises(RuntimeError, match="is chance broken"):
        stuck.create(OPERATORS, by=BY)


def test_keys_have_a_limit(ring: Keyring, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to the limit they are made, and none beyond."""
    monkeypatch.setattr(module, "KEYS_MAX", 2)
    made(ring)
    made(ring)
    assert ring.create(OPERATORS, by=BY) == TooManyKeys()


def test_the_key_of_the_demo_counts_in_the_demo_only(store: MemoryStore, clock: Hand) -> None:
    """Whatever is stored: everybody knows it. It is of `acme`, and may do nothing elsewhere."""
    rings = {
        demo: Keyring(store.keys, Snapshots(store), clock=clock, chance=Counting(), demo=demo)
        for demo in (True, False)
    }
    rings[True].install_demo()
    rings[True].install_demo()
    for ring in rings.values():
        ring.look()
    caller = rings[True].caller(DEMO_TEXT.encode())
    assert caller is not None
    assert (caller.organization, caller.author) == (ACME, Author("demo"))
    assert Scope.OPERATE not in caller.scopes
    assert rings[False].caller(DEMO_TEXT.encode()) is None
    assert rings[False].is_empty()


def test_a_revoked_demo_key_stays_revoked(store: MemoryStore, clock: Hand) -> None:
    """Starting the demo again does not bring it back."""
    ring = Keyring(store.keys, Snapshots(store), clock=clock, chance=Counting(), demo=True)
    ring.install_demo()
    assert ring.revoke("acmedemo0000", by=BY)
    ring.install_demo()
    ring.look()
    assert ring.caller(DEMO_TEXT.encode()) is None


def test_a_suspended_principal_keeps_its_key(ring: Keyring, store: MemoryStore) -> None:
    """The credential says who calls; what a suspended principal may do is decided elsewhere."""
    text = made(ring, KeyRequest(ACME, ALICE, frozenset({Scope.EVALUATE})))
    administration: AdministrationPoint = services_over(store).administration
    from grantproof.core.commands.language import SuspendPrincipal  # noqa: PLC0415 - only here

    administration.propose(ACME, SuspendPrincipal(ALICE), by=BY)
    caller = ring.caller(text)
    assert caller is not None
    assert caller.author == Author("principal:alice", ALICE)


# ---------------------------------------------------------------- once


ONCE = Once("key", "digest")


class Late(MemoryKeys):
    """Keys of which a receipt is looked for, and only then something happens, once."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], object] = object

    @override
    def receipt(self, *, actor: str, key: str, after: int) -> KeyReceipt | None:
        found = super().receipt(actor=actor, key=key, after=after)
        meanwhile, self.meanwhile = self.meanwhile, object
        meanwhile()
        return found


def test_of_two_processes_with_one_key_one_makes_an_api_key(store: MemoryStore) -> None:
    """The other finds what was made; of the text it knows nothing."""
    keys, chance = Late(), Counting()
    ring, other = (Keyring(keys, Snapshots(store), clock=Hand(), chance=chance) for _ in range(2))
    won: list[object] = []
    keys.meanwhile = lambda: won.append(other.create(OPERATORS, by=BY, once=ONCE))
    lost = ring.create(OPERATORS, by=BY, once=ONCE)
    (made_first,) = won
    assert isinstance(made_first, NewKey)
    assert lost == MadeBefore(made_first.key)
    assert keys.page(limit=9) == (made_first.key,)
    keys.meanwhile = lambda: ring.create(OPERATORS, by=BY, once=Once("next", "this"))
    assert other.create(OPERATORS, by=BY, once=Once("next", "that")) == KeyReused()


def test_a_key_of_a_request_is_its_actors_own_and_lasts_a_day(
    ring: Keyring, clock: Hand, store: MemoryStore
) -> None:
    """Others may use the same, and so may the actor when it is forgotten."""
    first = ring.create(OPERATORS, by=BY, once=ONCE)
    assert isinstance(first, NewKey)
    assert isinstance(ring.create(OPERATORS, by=Author("os:ann"), once=ONCE), NewKey)
    clock.instant += RECEIPT_SECONDS - 1
    assert ring.create(OPERATORS, by=BY, once=ONCE) == MadeBefore(first.key)
    assert ring.create(OPERATORS, by=BY, once=Once("key", "another")) == KeyReused()
    clock.instant += 1
    assert isinstance(ring.create(OPERATORS, by=BY, once=ONCE), NewKey)
    assert len(store.keys.page(limit=9)) == 3


def test_what_was_made_once_is_told_when_it_could_not_be_made_any_more(
    ring: Keyring, clock: Hand
) -> None:
    """Its end has passed since, and it was revoked: the answer is what it was."""
    wanted = KeyRequest(None, None, EVERY_SCOPE, expires_at=clock.instant + 1)
    first = ring.create(wanted, by=BY, once=ONCE)
    assert isinstance(first, NewKey)
    ring.revoke(first.key.prefix, by=BY)
    clock.instant += 1
    assert ring.create(wanted, by=BY, once=ONCE) == MadeBefore(first.key)
