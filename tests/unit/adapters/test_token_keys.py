"""The keys of an issuer: which are usable, how they change, and how long they are used."""

import json
import time

import pytest
from structlog.testing import capture_logs

from grantproof.adapters import tokens as module
from grantproof.adapters.clock import SystemClock
from grantproof.adapters.tokens import (
    KEEP_SECONDS_MAX,
    REFETCH_SECONDS,
    UNKNOWN_KEY_SECONDS,
    Expected,
    JwtTokens,
    read_key_set,
)
from grantproof.service.tokens import KeySetUnavailable, Unverified, Verified
from tests.unit.adapters.issuing import (
    AUDIENCE,
    ISSUER,
    PINNED,
    Issuer,
    Json,
    claims,
    published,
    signed,
)

INVALID = Unverified.INVALID


@pytest.fixture
def issuer() -> Issuer:
    """An issuer with one key."""
    return Issuer(published("one"))


@pytest.fixture
def tokens(issuer: Issuer) -> JwtTokens:
    """What reads its tokens."""
    return issuer.tokens()


UNUSABLE: list[tuple[str, Json]] = [
    ("symmetric", {"kty": "oct", "k": "AAAA", "kid": "one"}),
    ("for encryption", published("one", use="enc")),
    ("for signing only", published("one", key_ops=["sign"])),
    ("odd operations", published("one", key_ops="verify")),
    ("private", published("one", d="AAAA")),
    ("for another algorithm", published("one", alg="ES384")),
    ("of another curve", published("one", crv="P-384")),
    ("without an id", {**published("one"), "kid": None}),
    ("with an odd id", {**published("one"), "kid": 1}),
    ("off the curve", published("one", x="AAAA")),
    ("not whole", published("one", x=None)),
    ("a short RSA key", published("one", "RS256", name="small")),
    ("an odd kind", published("one", kty=["EC"])),
]


@pytest.mark.parametrize(("why", "entry"), UNUSABLE, ids=[why for why, _ in UNUSABLE])
def test_a_key_that_is_not_for_this_is_left_out(why: str, entry: Json) -> None:
    """The others are used; when none is left, that is an error."""
    assert why
    kept = read_key_set(json.dumps({"keys": [entry, published("two")]}).encode(), PINNED)
    assert set(kept) == {"two"}
    with pytest.raises(KeySetUnavailable, match="none of them has an id and serves"):
        read_key_set(json.dumps({"keys": [entry]}).encode(), PINNED)


def test_an_id_that_two_keys_have_is_nobodys() -> None:
    """Which one was meant cannot be told."""
    keys = [published("one"), published("one", name="another"), published("two")]
    assert set(read_key_set(json.dumps({"keys": keys}).encode(), PINNED)) == {"two"}


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"keys":[1]}',
        b"\xff",
        b"[" * 100_000,
        json.dumps({"keys": [{}] * 101}).encode(),
    ],
)
def test_what_is_no_key_set_is_an_error(text: bytes) -> None:
    """One line that says so, whatever was answered."""
    with pytest.raises(KeySetUnavailable):
        read_key_set(text, PINNED)


def test_a_new_key_is_found_when_a_token_names_it(issuer: Issuer, tokens: JwtTokens) -> None:
    """The next fetch may come soon after the last one, but not at once."""
    issuer.keys.append(published("two", name="two"))
    text = signed(claims(), name="two", header={"kid": "two"})
    assert tokens.read(text) is Unverified.UNKNOWN_KEY
    assert not tokens.fetch_due(unknown_key=True)
    issuer.seconds = UNKNOWN_KEY_SECONDS - 1
    assert not tokens.fetch_due(unknown_key=True)
    issuer.seconds = UNKNOWN_KEY_SECONDS
    assert tokens.fetch_due(unknown_key=True)
    tokens.fetch()
    assert isinstance(tokens.read(text), Verified)
    assert isinstance(tokens.read(signed(claims())), Verified)
    assert not tokens.fetch_due(unknown_key=True)


def test_a_withdrawn_key_is_not_believed_any_longer(issuer: Issuer, tokens: JwtTokens) -> None:
    """Not even a token that was believed before."""
    text = signed(claims())
    assert isinstance(tokens.read(text), Verified)
    issuer.keys[:] = [published("two", name="two")]
    tokens.fetch()
    assert tokens.read(text) is Unverified.UNKNOWN_KEY
    issuer.keys[:] = [published("one", name="two")]
    tokens.fetch()
    assert tokens.read(text) is INVALID


def test_keys_are_fetched_again_when_they_have_aged(issuer: Issuer, tokens: JwtTokens) -> None:
    """So that a withdrawn one is noticed."""
    issuer.seconds = REFETCH_SECONDS - 1
    assert not tokens.fetch_due(unknown_key=False)
    issuer.seconds = REFETCH_SECONDS
    assert tokens.fetch_due(unknown_key=False)


def test_keys_are_used_for_a_while_without_their_issuer(issuer: Issuer, tokens: JwtTokens) -> None:
    """Then nothing is believed, not even what was believed before."""
    text = signed(claims())
    assert isinstance(tokens.read(text), Verified)
    issuer.away = True
    issuer.seconds = KEEP_SECONDS_MAX
    with capture_logs() as logs:
        tokens.fetch()
    assert [entry["error"] for entry in logs] == ["nobody answers"]
    assert isinstance(tokens.read(text), Verified)
    issuer.seconds = KEEP_SECONDS_MAX + 1
    assert tokens.read(text) is Unverified.NO_KEYS
    issuer.away = False
    issuer.seconds = KEEP_SECONDS_MAX + UNKNOWN_KEY_SECONDS
    assert tokens.fetch_due(unknown_key=False)
    tokens.fetch()
    assert isinstance(tokens.read(text), Verified)


def test_before_the_first_fetch_nothing_is_believed(issuer: Issuer) -> None:
    """Which is another answer than that a token is none."""
    expected = Expected(ISSUER, AUDIENCE, PINNED)
    tokens = JwtTokens(expected, issuer.fetch, clock=SystemClock())
    assert tokens.fetch_due(unknown_key=False)
    assert tokens.read(signed(claims())) is Unverified.NO_KEYS


def test_a_remembered_token_ends_when_it_says() -> None:
    """Its signature is checked once, its end each time."""

    class Hand:
        instant = int(time.time())

        def now(self) -> int:
            return self.instant

    issuer, clock = Issuer(published("one")), Hand()
    expected = Expected(ISSUER, AUDIENCE, PINNED)
    tokens = JwtTokens(expected, issuer.fetch, clock=clock)
    tokens.fetch()
    text = signed(claims())
    found = tokens.read(text)
    assert isinstance(found, Verified)
    assert tokens.read(text) is found
    clock.instant = found.until - 1
    assert tokens.read(text) is found
    clock.instant = found.until
    assert tokens.read(text) is INVALID


def test_the_memory_of_tokens_has_a_limit(
    tokens: JwtTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many tokens fill no memory, and all are believed."""
    monkeypatch.setattr(module, "REMEMBERED_MAX", 3)
    for number in range(10):
        assert isinstance(tokens.read(signed(claims(jti=str(number)))), Verified)
        assert len(tokens._remembered) <= 3  # noqa: SLF001 - the memory under test
