"""Signatures by Ed25519 (RFC 8032), over keys and signatures in hexadecimal digits."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Ed25519Signer:
    """A `Signer` whose private key is made of a seed of 32 bytes.

    The library is imported by whoever signs or checks: nobody else waits for it.
    """

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    @property
    def public_key(self) -> str:
        """What signatures are checked with."""
        return self._private().public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> str:
        """Return the signature of the message."""
        return self._private().sign(message).hex()

    def signed(self, message: bytes, signature: str, *, public_key: str) -> bool:
        """Return whether the signature is that of the message; false for what is none."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - see above
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - see above

        try:
            known = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
            known.verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def _private(self) -> "Ed25519PrivateKey":
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - see above

        return ed25519.Ed25519PrivateKey.from_private_bytes(self._seed)
