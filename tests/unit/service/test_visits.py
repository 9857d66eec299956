"""Visits: sealed, dated, and for no other purpose."""

import pytest

from grantproof.adapters.sealing import NONCE_BYTES, AesGcmSealer
from grantproof.service.audit_chain import AuditKey
from grantproof.service.visits import CREDENTIAL_BYTES_MAX, VISIT_SECONDS_MAX, Visits
from tests.unit.service.test_keyring import Hand

SECRET = bytes(range(32))


def test_the_credential_of_a_visit_is_had_until_it_ends() -> None:
    """By whoever has the secret: another process as well as this one."""
    clock = Hand()
    kept = Visits(AesGcmSealer(SECRET), clock).begun(b"gp_key")
    assert kept is not None
    other = Visits(AesGcmSealer(SECRET), clock)
    assert other.credential(kept) == b"gp_key"
    clock.instant += VISIT_SECONDS_MAX - 1
    assert other.credential(kept) == b"gp_key"
    clock.instant += 1
    assert other.credential(kept) is None


def test_a_visit_from_the_future_never_began() -> None:
    """A clock that was wrong when it was sealed prolongs nothing."""
    clock = Hand()
    visits = Visits(AesGcmSealer(SECRET), clock)
    kept = visits.begun(b"gp_key") or ""
    clock.instant -= 1
    assert visits.credential(kept) is None


def test_what_was_touched_or_is_none_is_no_visit() -> None:
    """Every character of it counts, and so does the secret."""
    visits = Visits(AesGcmSealer(SECRET), Hand())
    kept = visits.begun(b"gp_key") or ""
    for place, character in enumerate(kept[:-1]):
        touched = kept[:place] + ("A" if character != "A" else "B") + kept[place + 1 :]
        assert visits.credential(touched) is None
    quoted = f'"{kept}"'
    for none in ("", "A", "é", "====", quoted, "A" * 100, kept[:-8], kept * 2, "A" * 1_000_000):
        assert visits.credential(none) is None
    assert Visits(AesGcmSealer(SECRET[::-1]), Hand()).credential(kept) is None


def test_a_credential_that_no_browser_would_keep_begins_none() -> None:
    """At the limit it does."""
    visits = Visits(AesGcmSealer(SECRET), Hand())
    assert visits.begun(b"x" * (CREDENTIAL_BYTES_MAX + 1)) is None
    kept = visits.begun(b"x" * CREDENTIAL_BYTES_MAX)
    assert kept is not None
    assert visits.credential(kept) == b"x" * CREDENTIAL_BYTES_MAX


def test_what_is_sealed_tells_nothing_and_is_never_the_same() -> None:
    """Not even that the same was sealed twice."""
    sealer = AesGcmSealer(SECRET)
    first, second = (sealer.seal(b"the same", purpose=b"one") for _ in range(2))
    assert first != second
    assert first[:NONCE_BYTES] != second[:NONCE_BYTES]
    assert b"the same" not in first


@pytest.mark.parametrize("purpose", [b"", b"other", b"one "])
def test_what_was_sealed_for_one_purpose_serves_no_other(purpose: bytes) -> None:
    """The purpose is bound in."""
    sealer = AesGcmSealer(SECRET)
    sealed = sealer.seal(b"content", purpose=b"one")
    assert sealer.opened(sealed, purpose=b"one") == b"content"
    assert sealer.opened(sealed, purpose=purpose) is None


def test_the_secret_of_visits_is_of_the_audit_key_and_no_other_secret() -> None:
    """The same for all who have the key file, and one that tells nothing of the others."""
    key, same, other = AuditKey(SECRET), AuditKey(SECRET), AuditKey(SECRET[::-1])
    assert key.visit_secret == same.visit_secret
    secrets = {key.visit_secret, other.visit_secret, key.signing_seed, key.shelf_secret, SECRET}
    assert len(secrets) == 5
    assert len(key.visit_secret) == 32
