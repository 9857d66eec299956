"""Tokens of an issuer: JSON Web Tokens (RFC 7519, RFC 8725), read by the issuer's published keys.

What a token says of how to check it is not believed: algorithms are pinned, a key is found by its
id among those fetched from the one configured place, and each key serves one algorithm only.
"""

import binascii
import hashlib
import json
import re
import threading
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
import structlog
from jwt.types import Options

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.limits import INSTANT_MAX, TOKEN_BYTES_MAX
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.ports import Clock
from grantproof.service.tokens import KeySetUnavailable, Unverified, Verified

LEEWAY_SECONDS: Final = 30
"""How far the clocks of the issuer and ours may be apart."""
REFETCH_SECONDS: Final = 300
"""The age at which the issuer's keys are fetched again."""
UNKNOWN_KEY_SECONDS: Final = 10
"""How soon after a fetch a token with an unknown key may cause the next one."""
KEEP_SECONDS_MAX: Final = 3_600
"""How long keys are used while newer ones cannot be fetched."""
REMEMBERED_MAX: Final = 10_000
"""How many verified tokens are remembered, so that their signature is checked once."""
KEYS_PER_SET_MAX: Final = 100
RSA_BITS_MIN: Final = 2_048

ORGANIZATION_CLAIM: Final = "org"
SCOPE_CLAIM: Final = "scope"
REQUIRED: Final = ("exp", "iat", "iss", "aud", "sub", ORGANIZATION_CLAIM)
TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""What a token may say it is, if it says so; at+jwt is RFC 9068's access token."""

KINDS: Final[Mapping[tuple[str, str | None], str]] = {
    ("RSA", None): "RS256",
    ("EC", "P-256"): "ES256",
    ("OKP", "Ed25519"): "EdDSA",
}
"""The one algorithm that a kind of key and its curve serve. Symmetric keys are none of them."""


SHAPE: Final = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")

Fetch = Callable[[], bytes]
Json = dict[str, Any]
KeySet = Mapping[str, jwt.PyJWK]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Expected:
    """What every token must say: who issued it, for whom, signed by which algorithms."""

    issuer: str
    audience: str
    algorithms: frozenset[str]


class JwtTokens:
    """A `Tokens` for one issuer.

    `fetch` returns the issuer's JSON Web Key Set (RFC 7517) or raises `KeySetUnavailable`.
    `seconds` is a clock that only moves forward, for ages. One thread at a time may fetch; any may
    read.
    """

    def __init__(
        self,
        expected: Expected,
        fetch: Fetch,
        *,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._expected = expected
        self._fetch = fetch
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._keys: KeySet = {}
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._remembered: dict[bytes, Verified] = {}

    def read(self, text: bytes) -> Verified | Unverified:
        """Return what the token says, or why it is not believed; waits for nothing."""
        if len(text) > TOKEN_BYTES_MAX:
            return Unverified.INVALID
        if not self._has_recent_keys():
            return Unverified.NO_KEYS
        name = hashlib.sha256(text).digest()
        known = self._remembered.get(name)
        if known is not None:
            return known if self._clock.now() < known.until else Unverified.INVALID
        remembered = self._remembered
        found = self._verified(text)
        if isinstance(found, Verified):
            if len(remembered) >= REMEMBERED_MAX:
                remembered.clear()
            # If keys were fetched meanwhile, this is the memory of the old ones and is gone.
            remembered[name] = found
        return found

    def remembers(self, text: bytes) -> bool:
        """Return whether the token was verified here already, so that reading it costs little."""
        return hashlib.sha256(text).digest() in self._remembered

    def fetch_due(self, *, unknown_key: bool) -> bool:
        """Return whether the issuer's keys should be fetched now."""
        if self._tried_at is None:
            return True
        hurried = unknown_key or not self._has_recent_keys()
        return self._seconds() - self._tried_at >= (
            UNKNOWN_KEY_SECONDS if hurried else REFETCH_SECONDS
        )

    def fetch(self) -> None:
        """Fetch the issuer's keys; keeps those it has when that fails, and may take seconds."""
        with self._lock:
            self._tried_at = began = self._seconds()
            try:
                keys = read_key_set(self._fetch(), self._expected.algorithms)
            except KeySetUnavailable as error:
                log.error("keys of the issuer not fetched", error=str(error))
                return
            self._keys, self._fetched_at = keys, began
            # What a key signed that the issuer has withdrawn since is not believed any longer.
            self._remembered = {}

    def _has_recent_keys(self) -> bool:
        fetched_at = self._fetched_at
        return fetched_at is not None and self._seconds() - fetched_at <= KEEP_SECONDS_MAX

    def _verified(self, text: bytes) -> Verified | Unverified:
        found = SHAPE.fullmatch(text)
        header = None if found is None else _members(found[1])
        # Looked at before the signature, so that a claim said twice never means two things.
        if found is None or header is None or _members(found[2]) is None:
            return Unverified.INVALID
        if not _is_ours(header, self._expected.algorithms):
            return Unverified.INVALID
        key = self._keys.get(header["kid"])
        if key is None:
            return Unverified.UNKNOWN_KEY
        if key.algorithm_name != header["alg"]:
            return Unverified.INVALID
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._expected.issuer,
                audience=self._expected.audience,
                leeway=LEEWAY_SECONDS,
                options=Options(require=list(REQUIRED)),
            )
            return _verified_claims(claims)
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError):
            return Unverified.INVALID


def read_key_set(text: bytes, algorithms: frozenset[str]) -> KeySet:
    """Return the usable keys of a set by their ids; raises `KeySetUnavailable` when there is none.

    A key is usable that has an id of its own, is public, is for signatures, and serves one of the
    algorithms; others are left out, since an issuer may publish them for other ends.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        message = "they are not JSON"
        raise KeySetUnavailable(message) from None
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > KEYS_PER_SET_MAX:
        message = f"they are no JSON Web Key Set of at most {KEYS_PER_SET_MAX} keys"
        raise KeySetUnavailable(message)
    ids = [one.get("kid") for one in listed if isinstance(one, dict)]
    found = {
        one["kid"]: key
        for one in listed
        if isinstance(one, dict) and isinstance(one.get("kid"), str) and ids.count(one["kid"]) == 1
        if (key := _usable(one, algorithms)) is not None
    }
    if len(found) == 0:
        message = f"none of them has an id and serves {' or '.join(sorted(algorithms))}"
        raise KeySetUnavailable(message)
    return found


def _usable(entry: Json, algorithms: frozenset[str]) -> jwt.PyJWK | None:
    kind, curve = entry.get("kty"), entry.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        return None
    algorithm = KINDS.get((kind, curve))
    purposes = entry.get("key_ops", ["verify"])
    if (
        algorithm not in algorithms
        or entry.get("alg", algorithm) != algorithm
        or entry.get("use", "sig") != "sig"
        or not isinstance(purposes, list)
        or "verify" not in purposes
        or "d" in entry
    ):
        return None
    try:
        key = jwt.PyJWK(entry, algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if algorithm == "RS256" and key.key.key_size < RSA_BITS_MIN:
        return None
    return key


def _is_ours(header: Json, algorithms: frozenset[str]) -> bool:
    """Return whether we could check a token with the header, whatever keys there are."""
    algorithm, key, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    return (
        isinstance(algorithm, str)
        and algorithm in algorithms
        and isinstance(key, str)
        and isinstance(kind, str)
        and kind.lower() in TYPES
        # Extensions that must be understood: none is.
        and "crit" not in header
        and "b64" not in header
    )


def _verified_claims(claims: Json) -> Verified | Unverified:
    scopes = claims.get(SCOPE_CLAIM, "")
    organization, principal = claims[ORGANIZATION_CLAIM], claims["sub"]
    if not all(isinstance(one, str) for one in (scopes, organization, principal)):
        return Unverified.INVALID
    # The library takes numbers that are written as strings, and truth values, for instants.
    if not all(type(claims.get(name, 0)) in {int, float} for name in ("exp", "iat", "nbf")):
        return Unverified.INVALID
    if claims["exp"] > INSTANT_MAX:
        return Unverified.INVALID
    try:
        author = Author(f"principal:{principal}", PrincipalId(principal))
        ours = {Scope(one) for one in scopes.split(" ") if one in WITHIN_ORGANIZATION}
        caller = Caller.with_scopes(OrganizationId(organization), ours, author=author)
    except Illegal:
        return Unverified.INVALID
    return Verified(caller, int(claims["exp"]) + LEEWAY_SECONDS)


def _members(segment: bytes) -> Json | None:
    """Return the object that a part of a token holds, if it says nothing twice."""
    try:
        padded = segment + b"=" * (-len(segment) % 4)
        found = json.loads(urlsafe_b64decode(padded), object_pairs_hook=_distinct)
    except (ValueError, RecursionError, binascii.Error):
        return None
    return found if isinstance(found, dict) else None


def _distinct(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a member stands there twice"
        raise ValueError(message)
    return found
