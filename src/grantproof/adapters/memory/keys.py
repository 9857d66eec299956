"""API keys in memory, as `MemoryStore` keeps them."""

import threading
from dataclasses import replace

from grantproof.service.credentials import Key, Mark
from grantproof.service.receipts import KeyReceipt


class MemoryKeys:
    """The `Keys` of a store in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: dict[str, Key] = {}
        self._receipts: dict[tuple[str, str], KeyReceipt] = {}

    def create(self, key: Key, *, receipt: KeyReceipt | None = None) -> bool:
        """Keep a new key, and return true; false when it or the receipt's key was used before."""
        with self._lock:
            if key.prefix in self._keys or self._has_digest(key.digest):
                return False
            if receipt is not None:
                name, kept = (receipt.actor, receipt.once.key), self._receipts.items()
                current = {k: one for k, one in kept if one.instant > receipt.outdated}
                if name in current:
                    return False
                self._receipts = {**current, name: receipt}
            self._keys[key.prefix] = key
            return True

    def receipt(self, *, actor: str, key: str, after: int) -> KeyReceipt | None:
        """Return the receipt of the actor under the key, unless its instant is not past `after`."""
        with self._lock:
            found = self._receipts.get((actor, key))
        return found if found is not None and found.instant > after else None

    def find(self, prefix: str) -> Key | None:
        """Return the key with that prefix, revoked or not; nothing when there is none."""
        with self._lock:
            return self._keys.get(prefix)

    def revoke(self, prefix: str, *, actor: str, instant: int) -> bool:
        """Revoke a key for good; false when there is none, or it is revoked already."""
        with self._lock:
            key = self._keys.get(prefix)
            if key is None or key.revoked_at is not None:
                return False
            self._keys[prefix] = replace(key, revoked_at=instant, revoked_by=actor)
            return True

    def mark(self) -> Mark:
        """Return what tells whether anything has changed since."""
        with self._lock:
            return self._mark()

    def usable(self) -> tuple[Mark, tuple[Key, ...]]:
        """Return every key that is not revoked, in the order of the prefixes; and the mark then."""
        with self._lock:
            found = (key for key in self._keys.values() if key.revoked_at is None)
            return self._mark(), tuple(sorted(found, key=lambda key: key.prefix))

    def page(self, *, after: str = "", limit: int) -> tuple[Key, ...]:
        """Return keys in the order of their prefixes, after `after`, at most `limit`."""
        with self._lock:
            found = sorted(prefix for prefix in self._keys if prefix > after)
            return tuple(self._keys[prefix] for prefix in found[: max(limit, 0)])

    def _mark(self) -> Mark:
        made = [key.created_at for key in self._keys.values()]
        revoked = [key.revoked_at for key in self._keys.values() if key.revoked_at is not None]
        return len(made), len(revoked), max(made, default=0), max(revoked, default=0)

    def _has_digest(self, digest: str) -> bool:
        return any(key.digest == digest for key in self._keys.values())
