"""Tokens: what is believed, and every attack on one that is not."""

import json

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from grantproof.adapters.tokens import (
    LEEWAY_SECONDS,
    JwtTokens,
)
from grantproof.core.limits import TOKEN_BYTES_MAX
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.tokens import Unverified, Verified
from grantproof.settings import JWT_ALGORITHMS
from tests.unit.adapters.issuing import (
    AUDIENCE,
    ISSUER,
    FromNow,
    Issuer,
    Json,
    claims,
    published,
    secret,
    segment,
    signed,
    signed_by_hand,
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
        {"exp": FromNow(-LEEWAY_SECONDS + 15)},
        {"iat": FromNow(LEEWAY_SECONDS - 15)},
        {"nbf": FromNow(LEEWAY_SECONDS - 15)},
        {"exp": FromNow(60.5)},
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
        {"exp": FromNow(-LEEWAY_SECONDS - 5)},
        {"exp": None},
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": 10**400},
        {"exp": float("inf")},
        {"iat": FromNow(LEEWAY_SECONDS + 60)},
        {"iat": None},
        {"iat": "1"},
        {"nbf": FromNow(LEEWAY_SECONDS + 60)},
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
