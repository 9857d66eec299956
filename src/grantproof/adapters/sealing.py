"""What only the holders of a secret can read: AES-256 in Galois/Counter mode (NIST SP 800-38D)."""

import secrets
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES: Final = 12
"""Drawn at random: one secret may seal 2^32 times before two of them are likely to be equal."""


class AesGcmSealer:
    """A `Sealer` whose secret has 32 bytes.

    The library is imported by whoever seals or opens: nobody else waits for it.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, content: bytes, *, purpose: bytes) -> bytes:
        """Return the content, sealed; never the same twice."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher().encrypt(nonce, content, purpose)

    def opened(self, sealed: bytes, *, purpose: bytes) -> bytes | None:
        """Return the content; nothing for what was not sealed so, for this purpose."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - see above

        nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher().decrypt(nonce, content, purpose)
        except (InvalidTag, ValueError):
            return None

    def _cipher(self) -> "AESGCM":
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - see above

        return AESGCM(self._secret)
