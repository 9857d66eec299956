"""An issuer of tokens for tests: its keys, what it publishes, and tokens of every kind."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from grantproof.adapters.clock import SystemClock
from grantproof.adapters.tokens import (
    Expected,
    JwtTokens,
)
from grantproof.service.tokens import KeySetUnavailable
from grantproof.settings import JWT_ALGORITHMS

Json = dict[str, Any]
ISSUER, AUDIENCE = "https://issuer.example", "grantproof"
PINNED: Final = frozenset(JWT_ALGORITHMS)


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


@dataclass(frozen=True, slots=True)
class FromNow:
    """An instant, told by its distance from when the claims are written."""

    seconds: float


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
    return {
        claim: now + value.seconds if isinstance(value, FromNow) else value
        for claim, value in whole.items()
        if value is not None
    }


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


def segment(said: object) -> bytes:
    """A part of a token, written by hand."""
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return urlsafe_b64encode(text).rstrip(b"=")


def signed_by_hand(body: bytes) -> bytes:
    """Header and claims as they are, with the signature that belongs to them."""
    algorithm = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256)
    return body + b"." + segment(algorithm.sign(body, secret("ES256", "")))
