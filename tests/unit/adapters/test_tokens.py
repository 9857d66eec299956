"""Tokens: what is believed, every attack on one that is not, and keys that change."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from structlog.testing import capture_logs

from grantproof.adapters import tokens as module
from grantproof.adapters.clock import SystemClock
from grantproof.adapters.tokens import (
    KEEP_SECONDS_MAX,
    LEEWAY_SECONDS,
    REFETCH_SECONDS,
    UNKNOWN_KEY_SECONDS,
    Expected,
    JwtTokens,
    read_key_set,
)
from grantproof.core.limits import TOKEN_BYTES_MAX
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.tokens import KeySetUnavailable, Unverified, Verified
from grantproof.settings import JWT_ALGORITHMS

Json = dict[str, Any]
ISSUER, AUDIENCE = "https://issuer.example", "grantproof"
PINNED: Final = frozenset(JWT_ALGORITHMS)
INVALID = Unverified.INVALID


@cache
def secret(algorithm: str, name: str) -> Any:
    """A private key for the algorithm; the same again under the same name."""
    match algorithm:
        case "RS256":
            return rsa.generate_private_key(65_537, 1_024 if name == "small" else 2_048)
        case "ES256":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def published(kid: str, algorithm: str = "ES256", *, name: str = "", **changed: object) -> Json:
    """The public key as an issuer publishes it; a change to nothing leaves the member out."""
    kinds = {"RS256": jwt.algorithms.RSAAlgorithm, "ES256": jwt.algorithms.ECAlgorithm}
    kind: Any = kinds.get(algorithm, jwt.algorithms.OKPAlgorithm)
    written: Json = json.loads(kind.to_jwk(secret(algorithm, name).public_key()))
    whole = {**written, "kid": kid, "use": "sig", "alg": algorithm, **changed}
    whole.pop("key_ops", None) if "key_ops" not in changed else None
    return {member: value for member, value in whole.items() if value is not None}


def claims(**changed: object) -> Json:
    """Claims that are believed; a change to nothing leaves the claim out."""
    now = int(time.time())
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "org": "acme",
        "scope": "openid evaluate review",
        "iat": now,
        "exp": now + 600,
        **changed,
    }
    return {claim: value for claim, value in whole.items() if value is not None}


def signed(
    said: Json, algorithm: str = "ES256", *, name: str = "", header: Mapping[str, object] = {}
) -> bytes:
    """A token that says this, signed by the secret of that algorithm and name."""
    whole = {"kid": "one", **header}
    kept = {member: value for member, value in whole.items() if value is not None}
    return jwt.encode(said, secret(algorithm, name), algorithm, headers=kept).encode()


class Issuer:
    """Publishes keys, counts how often they are fetched, and can be away."""

    def __init__(self, *keys: Json) -> None:
        self.keys = list(keys)
        self.fetched = 0
        self.away = False
        self.seconds = 0.0

    def fetch(self) -> bytes:
        """What it publishes."""
        self.fetched += 1
        if self.away:
            message = "nobody answers"
            raise KeySetUnavailable(message)
        return json.dumps({"keys": self.keys}).encode()

    def tokens(self, algorithms: frozenset[str] = PINNED) -> JwtTokens:
        """What reads its tokens, with the keys fetched."""
        made = JwtTokens(
            Expected(ISSUER, AUDIENCE, algorithms),
            self.fetch,
            clock=SystemClock(),
            seconds=lambda: self.seconds,
        )
        made.fetch()
        return made


@pytest.fixture
def issuer() -> Issuer:
    """An issuer with one key."""
    return Issuer(published("one"))


@pytest.fixture
def tokens(issuer: Issuer) -> JwtTokens:
    """What reads its tokens."""
    return issuer.tokens()


def segment(said: object) -> bytes:
    """A part of a token, written by hand."""
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return urlsafe_b64encode(text).rstrip(b"=")


def signed_by_hand(body: bytes) -> bytes:
    """Header and claims as they are, with the signature that belongs to them."""
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    return body + b"." + segment(algorithm.sign(body, secret("ES256", "")))


# ---------------------------------------------------------------- what is believed


@pytest.mark.parametrize("algorithm", JWT_ALGORITHMS)
def test_a_token_of_the_issuer_is_believed(algorithm: str) -> None:
    """By each of the algorithms: whose it is, of which organization, and what for."""
    tokens = Issuer(published("one", algorithm)).tokens()
    said = claims()
    found = tokens.read(signed(said, algorithm))
    assert found == Verified(
        Caller.with_scopes(
            "acme",  # type: ignore[arg-type]  # an id is the string that it is
            {Scope.EVALUATE, Scope.REVIEW},
            author=Author("principal:alice", "alice"),  # type: ignore[arg-type]  # the same
        ),
        said["exp"] + LEEWAY_SECONDS,
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": ["other", AUDIENCE]},
        {"exp": int(time.time()) - LEEWAY_SECONDS + 15},
        {"iat": int(time.time()) + LEEWAY_SECONDS - 15},
        {"nbf": int(time.time()) + LEEWAY_SECONDS - 15},
        {"exp": time.time() + 60.5},
        {"extra": {"nested": [1]}},
    ],
)
def test_what_is_within_the_rules_is_believed(tokens: JwtTokens, changed: Json) -> None:
    """One of several audiences, clocks that are a little apart, claims of no concern to us."""
    assert isinstance(tokens.read(signed(claims(**changed))), Verified)


def test_no_token_makes_an_operator(tokens: JwtTokens) -> None:
    """`operate` is not for credentials that others hand out; unknown scopes are not ours."""
    found = tokens.read(signed(claims(scope=" ".join((*Scope, "everything", "")))))
    assert isinstance(found, Verified)
    assert found.caller.scopes == WITHIN_ORGANIZATION
    none = tokens.read(signed(claims(scope=None)))
    assert isinstance(none, Verified)
    assert none.caller.scopes == frozenset()


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt", None])
def test_a_token_may_say_that_it_is_one(tokens: JwtTokens, kind: str | None) -> None:
    """An access token, or nothing."""
    assert isinstance(tokens.read(signed(claims(), header={"typ": kind})), Verified)


# ---------------------------------------------------------------- attacks


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"iss": None},
        {"aud": "other"},
        {"aud": []},
        {"aud": [AUDIENCE + "x"]},
        {"aud": {AUDIENCE: 1}},
        {"aud": None},
        {"exp": int(time.time()) - LEEWAY_SECONDS - 5},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 10**400},
        {"exp": float("inf")},
        {"iat": int(time.time()) + LEEWAY_SECONDS + 60},
        {"iat": None},
        {"iat": "1"},
        {"nbf": int(time.time()) + LEEWAY_SECONDS + 60},
        {"nbf": "1"},
        {"sub": None},
        {"sub": ""},
        {"sub": "a b"},
        {"sub": "auth0|1"},
        {"sub": 7},
        {"org": None},
        {"org": ""},
        {"org": "a b"},
        {"org": ["acme"]},
        {"org": "x" * 129},
        {"scope": ["evaluate"]},
        {"scope": 1},
    ],
)
def test_a_token_that_says_something_else_is_not_believed(tokens: JwtTokens, changed: Json) -> None:
    """Another issuer or audience, another time, nobody or nothing that can be named."""
    said = claims(**changed)
    # The library that writes tokens checks some of it itself.
    header = segment({"alg": "ES256", "kid": "one", "typ": "JWT"})
    body = header + b"." + segment(said)
    assert tokens.read(signed_by_hand(body)) is INVALID


def test_what_was_written_by_hand_could_have_been_believed(tokens: JwtTokens) -> None:
    """The attacks above fail for what they say, not for how they were written."""
    body = segment({"alg": "ES256", "kid": "one", "typ": "JWT"}) + b"." + segment(claims())
    assert isinstance(tokens.read(signed_by_hand(body)), Verified)


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", "HS256", "HS512", "ES384"])
def test_an_algorithm_that_is_not_pinned_is_not_believed(tokens: JwtTokens, algorithm: str) -> None:
    """Whatever stands where the signature should; `none` needs none."""
    body = segment({"alg": algorithm, "kid": "one"}) + b"." + segment(claims())
    for signature in (b"", b"AA", signed(claims()).rpartition(b".")[2]):
        assert tokens.read(body + b"." + signature) is INVALID


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_public_key_is_no_secret_to_sign_with(algorithm: str) -> None:
    """HS256 keyed with what everybody can read, in each form that a library might take it in."""
    import hashlib  # noqa: PLC0415 - only here
    import hmac  # noqa: PLC0415 - only here

    tokens = Issuer(published("one", algorithm)).tokens()
    public = secret(algorithm, "").public_key()
    forms = (
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        json.dumps(published("one", algorithm)).encode(),
        b"",
    )
    for named in ("HS256", algorithm):
        body = segment({"alg": named, "kid": "one"}) + b"." + segment(claims())
        for form in forms:
            signature = segment(hmac.new(form, body, hashlib.sha256).digest())
            assert tokens.read(body + b"." + signature) is INVALID


def test_a_key_serves_its_own_algorithm_only() -> None:
    """A token that names the key of another algorithm is not believed."""
    tokens = Issuer(published("one", "ES256"), published("two", "RS256")).tokens()
    assert tokens.read(signed(claims(), "RS256", header={"kid": "one"})) is INVALID
    assert tokens.read(signed(claims(), "ES256", header={"kid": "two"})) is INVALID
    assert isinstance(tokens.read(signed(claims(), "RS256", header={"kid": "two"})), Verified)


def test_only_the_algorithms_of_the_settings_are_pinned() -> None:
    """A key for another one is as good as none."""
    issuer = Issuer(published("one", "ES256"), published("two", "RS256"))
    tokens = issuer.tokens(frozenset({"ES256"}))
    assert tokens.read(signed(claims(), "RS256", header={"kid": "two"})) is INVALID
    assert isinstance(tokens.read(signed(claims())), Verified)


@pytest.mark.parametrize(
    "kid",
    ["two", "", "ONE", "one ", "../one", "/dev/null", "one' OR '1'='1", "https://x.example/k", "0"],
)
def test_a_key_id_is_looked_up_and_nothing_else(tokens: JwtTokens, kid: str) -> None:
    """No path, address or query is made of it."""
    assert tokens.read(signed(claims(), header={"kid": kid})) is Unverified.UNKNOWN_KEY


@pytest.mark.parametrize(
    "header",
    [
        {"kid": 1},
        {"kid": None},
        {"kid": ["one"]},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False},
        {"typ": "dpop+jwt"},
        {"typ": "id_token"},
        {"typ": 1},
    ],
)
def test_a_header_that_asks_for_more_is_not_believed(tokens: JwtTokens, header: Json) -> None:
    """Extensions that must be understood, tokens for other ends, keys that have no id."""
    whole = {"alg": "ES256", "kid": "one", **header}
    kept = {member: value for member, value in whole.items() if value is not None}
    body = segment(kept) + b"." + segment(claims())
    assert tokens.read(signed_by_hand(body)) is INVALID


def test_a_token_that_brings_its_own_key_is_not_believed_for_it(tokens: JwtTokens) -> None:
    """`jwk`, `jku`, `x5u` and `x5c` are not looked at, whoever signed."""
    brought = {
        "jwk": published("one", name="attacker"),
        "jku": "https://attacker.example/keys",
        "x5u": "https://attacker.example/chain",
        "x5c": ["AAAA"],
    }
    assert tokens.read(signed(claims(), name="attacker", header=brought)) is INVALID
    assert isinstance(tokens.read(signed(claims(), header=brought)), Verified)


def test_a_token_that_was_touched_is_not_believed(tokens: JwtTokens) -> None:
    """Any character of header or claims exchanged, and any number of characters cut off."""
    whole = signed(claims())
    untouched = whole.rindex(b".")
    for at in range(untouched):
        other = b"A" if whole[at : at + 1] != b"A" else b"B"
        found = tokens.read(whole[:at] + other + whole[at + 1 :])
        assert found in {INVALID, Unverified.UNKNOWN_KEY}, at
    for length in range(len(whole)):
        assert tokens.read(whole[:length]) in {INVALID, Unverified.UNKNOWN_KEY}, length
    assert isinstance(tokens.read(whole), Verified)


def test_claims_of_one_token_do_not_fit_the_signature_of_another(tokens: JwtTokens) -> None:
    """Nor do those that nobody signed."""
    header, _, signature = signed(claims()).split(b".")
    other = segment(claims(sub="bob", scope="administer"))
    assert tokens.read(b".".join((header, other, signature))) is INVALID
    assert tokens.read(b".".join((header, other, b""))) is INVALID
    assert tokens.read(signed(claims(), name="attacker")) is INVALID


@pytest.mark.parametrize(
    "body",
    [
        b'{"alg":"ES256","kid":"one"}|{"sub":"alice","sub":"bob",%s}',
        b'{"alg":"ES256","kid":"one"}|{"org":"rival","org":"acme",%s}',
        b'{"alg":"ES256","kid":"one"}|{"extra":{"a":1,"a":2},%s}',
        b'{"alg":"none","alg":"ES256","kid":"one"}|{%s}',
        b'{"alg":"ES256","kid":"two","kid":"one"}|{%s}',
    ],
)
def test_what_is_said_twice_is_not_believed(tokens: JwtTokens, body: bytes) -> None:
    """Two readers might take two different meanings."""
    header, _, said = body.partition(b"|")
    rest = json.dumps(claims()).encode()[1:-1]
    whole = segment(header) + b"." + segment(said % rest)
    assert tokens.read(signed_by_hand(whole)) is INVALID


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b".",
        b"..",
        b"a.b.c",
        b"a.b.c.d",
        b"\xff\xfe",
        b"e30.e30.e30",
        segment([]) + b"." + segment({}) + b".AA",
        segment(b"[" * 6_000) + b".e30.AA",
        segment({"alg": "ES256", "kid": "one"}) + b"." + segment(b"[" * 4_000) + b".AA",
        segment({"alg": "ES256", "kid": "one"}) + b"." + segment("text") + b".AA",
        segment({"alg": {}, "kid": "one"}) + b".e30.AA",
        segment({"alg": ["ES256"], "kid": "one"}) + b".e30.AA",
    ],
)
def test_what_is_no_token_is_not_believed(tokens: JwtTokens, text: bytes) -> None:
    """However malformed, it is one answer and no error."""
    assert tokens.read(text) is INVALID


def test_a_token_has_a_limit(tokens: JwtTokens) -> None:
    """Up to the limit it is read; one byte more, and it is not looked at."""
    short = signed(claims(pad="x" * 1_000))
    sizes = {len(signed(claims(pad="x" * size))): size for size in range(5_700, 6_000)}
    assert isinstance(tokens.read(short), Verified)
    fits = max(size for size in sizes if size <= TOKEN_BYTES_MAX)
    too_long = min(size for size in sizes if size > TOKEN_BYTES_MAX)
    assert too_long - fits < 3
    assert isinstance(tokens.read(signed(claims(pad="x" * sizes[fits]))), Verified)
    assert tokens.read(signed(claims(pad="x" * sizes[too_long]))) is INVALID


# ---------------------------------------------------------------- the keys of the issuer

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
    due: Callable[[], bool] = lambda: tokens.fetch_due(unknown_key=True)  # noqa: E731 - asked thrice
    assert not due()
    issuer.seconds = UNKNOWN_KEY_SECONDS - 1
    assert not due()
    issuer.seconds = UNKNOWN_KEY_SECONDS
    assert due()
    tokens.fetch()
    assert isinstance(tokens.read(text), Verified)
    assert isinstance(tokens.read(signed(claims())), Verified)
    assert not due()


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
