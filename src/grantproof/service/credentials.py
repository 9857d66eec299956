"""API keys: what one looks like, what is stored of it, and the port that stores it.

A key is `gp_`, a public prefix, 256 random bits and a checksum. Stored is the SHA-256 of the whole
text. A slow hash, as for passwords, would add nothing: nobody can guess 256 random bits, however
quickly a guess is tried. The checksum lets scanners of source code tell a key from chance, and lets
a mistyped one be refused without a look at the store.
"""

import hashlib
import re
import zlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any, Final, Protocol

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.limits import (
    ACTOR_LENGTH_MAX,
    INSTANT_MAX,
    INSTANT_MIN,
    KEY_LABEL_LENGTH_MAX,
)
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE, WITHIN_ORGANIZATION, Caller, Scope
from grantproof.service.receipts import KeyReceipt

MARK: Final = b"gp_"
"""How every key begins, and no token does."""
PREFIX_LENGTH: Final = 12
PREFIX_AT: Final = slice(len(MARK), len(MARK) + PREFIX_LENGTH)
PREFIX: Final = re.compile(r"[0-9a-z]{12}")
SECRET_BYTES: Final = 32
"""256 random bits."""

SHAPE: Final = re.compile(rb"(gp_[0-9a-z]{12}_[A-Za-z0-9_-]{43})([0-9a-f]{8})")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")

PREFIX_OF_DEMO: Final = "acmedemo0000"
"""The prefix of the one key that everybody knows; no other is ever made with it."""
SECRET_OF_DEMO: Final = "everybody-knows-the-demo-key-of-acme-------"  # noqa: S105 - no secret


def key_text(prefix: str, secret: str) -> str:
    """Return the text of a key, which is shown once; `secret` is 43 characters of base64url."""
    head = f"gp_{prefix}_{secret}"
    return f"{head}{_checksum(head.encode())}"


def secret_of(random: bytes) -> str:
    """Return random bytes as the secret of a key."""
    return urlsafe_b64encode(random).rstrip(b"=").decode()


def well_formed(text: bytes) -> bool:
    """Return whether the text could be a key: its shape and its checksum are those of one."""
    found = SHAPE.fullmatch(text)
    return found is not None and _checksum(found[1]).encode() == found[2]


def digest(text: bytes) -> bytes:
    """Return what is kept of a key's text."""
    return hashlib.sha256(text).digest()


def _checksum(head: bytes) -> str:
    return f"{zlib.crc32(head):08x}"


DEMO_TEXT: Final = key_text(PREFIX_OF_DEMO, SECRET_OF_DEMO)


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is stored: everything but its text.

    Without a principal it is an operator's: of one organization, or, when `organization` is nothing
    too, of all. `digest` is the SHA-256 of its text in hexadecimal. Instants are epoch seconds; it
    counts until before `expires_at` and until it is revoked.
    """

    prefix: str
    digest: str
    organization: OrganizationId | None
    principal: PrincipalId | None
    scopes: frozenset[Scope]
    label: str
    created_at: int
    created_by: str
    expires_at: int | None = None
    revoked_at: int | None = None
    revoked_by: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no key; raises `Illegal`."""
        for rule, kept in _rules(self):
            if not kept:
                field, _, words = rule.partition(" ")
                raise Illegal(field, words)

    @property
    def caller(self) -> Caller:
        """Who calls with it."""
        if self.prefix == PREFIX_OF_DEMO:
            author = Author("demo")
        elif self.principal is None:
            author = Author(f"key:{self.prefix}")
        else:
            author = Author(f"principal:{self.principal}", self.principal)
        return Caller.with_scopes(self.organization, self.scopes, author=author)


def key_document(key: Key) -> dict[str, Any]:
    """Return a key as programs are shown it at every door, without anything secret."""
    return {
        "prefix": key.prefix,
        "org_id": key.organization,
        "principal_id": key.principal,
        "scopes": sorted(key.scopes),
        "label": key.label,
        "created_at": key.created_at,
        "created_by": key.created_by,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
    }


def _rules(key: Key) -> tuple[tuple[str, bool], ...]:
    """Return each rule, after the name of its field, and whether the key keeps it."""
    bound = key.organization is not None
    instants = (key.created_at, key.expires_at, key.revoked_at)
    return (
        ("prefix must be 12 digits or lower-case letters", _fits(PREFIX, key.prefix)),
        ("digest must be 64 hexadecimal digits", _fits(DIGEST, key.digest)),
        ("principal_id needs `org_id`", bound or key.principal is None),
        ("scopes must not be empty", len(key.scopes) > 0),
        (
            "scopes must not include `operate` for a key of one organization",
            key.scopes <= (WITHIN_ORGANIZATION if bound else EVERY_SCOPE),
        ),
        (
            f"label must have at most {KEY_LABEL_LENGTH_MAX} printable characters",
            len(key.label) <= KEY_LABEL_LENGTH_MAX and key.label.isprintable(),
        ),
        ("created_by is too long", len(key.created_by) <= ACTOR_LENGTH_MAX),
        (
            f"expires_at must be {INSTANT_MIN} to {INSTANT_MAX} seconds",
            all(one is None or INSTANT_MIN <= one <= INSTANT_MAX for one in instants),
        ),
        (
            "revoked_at needs `revoked_by`",
            (key.revoked_at is None) == (key.revoked_by is None),
        ),
    )


def _fits(shape: re.Pattern[str], text: str) -> bool:
    return shape.fullmatch(text) is not None


Mark = tuple[int, int, int, int]
"""How many keys were ever made, how many of them revoked, and when the last was made and revoked.

Equal only if nothing changed; not if the store was put back, and as much was done again later.
"""


class Keys(Protocol):
    """API keys, in the same store as the organizations; safe to use from several threads.

    Several processes may hold the same keys. A key is never deleted and its prefix never used
    again. Any method may raise `StoreError`; then nothing was changed.
    """

    def create(self, key: Key, *, receipt: KeyReceipt | None = None) -> bool:
        """Store a new key, and return true; false when its prefix or digest was ever used.

        The receipt is kept in the same transaction, and those that it outdates are forgotten. Where
        one is kept under its key already, and not outdated, nothing is stored: that is false too.
        """
        ...

    def receipt(self, *, actor: str, key: str, after: int) -> KeyReceipt | None:
        """Return the receipt of the actor under the key, unless its instant is not past `after`."""
        ...

    def find(self, prefix: str) -> Key | None:
        """Return the key with that prefix, revoked or not; nothing when there is none."""
        ...

    def revoke(self, prefix: str, *, actor: str, instant: int) -> bool:
        """Revoke a key for good; false when there is none, or it is revoked already."""
        ...

    def mark(self) -> Mark:
        """Return what tells whether anything has changed since."""
        ...

    def usable(self) -> tuple[Mark, tuple[Key, ...]]:
        """Return every key that is not revoked, in the order of the prefixes; and the mark then.

        Raises `StoreUnusable` when what is stored is no legal key.
        """
        ...

    def page(self, *, after: str = "", limit: int) -> tuple[Key, ...]:
        """Return keys in the order of their prefixes, after `after`, at most `limit`."""
        ...
