"""A shelf in a folder: one file for each organization, sealed under a key that lies elsewhere.

Whoever can write the folder but has no key can only take files away, or put older ones back, which
the store then judges. A file appears whole or not at all, for nobody but its owner.
"""

import hashlib
import hmac
import os
import secrets
import stat
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from grantproof.core.identifiers import OrganizationId
from grantproof.service import snapshot_reading, snapshot_writing
from grantproof.service.shelf import Damaged, KeptState, Pace, ShelfCounts
from grantproof.service.snapshot_rows import FORMAT
from grantproof.service.versions import Versioned

SUFFIX: Final = ".snapshot"
DRAFT_SUFFIX: Final = ".part"
DRAFT_SECONDS_MAX: Final = 3_600
"""A draft that was touched longer ago belongs to a process that has died."""

FILE_BYTES_MAX: Final = 4 * 1024**3
MAGIC: Final = f"{FORMAT}\n".encode()
MAC_BYTES: Final = hashlib.sha256().digest_size
NAME_BYTES: Final = 16

NO_FILE: Final = "it is no file"
TOO_LARGE: Final = "it is too large"
OF_ANOTHER: Final = "it is of another organization"
OF_ANOTHER_VERSION: Final = "it is of another version"
NOT_OURS: Final = "it was changed, or sealed under another key"

log = structlog.get_logger(__name__)


class SnapshotFiles:
    """A `Shelf` in a folder of files. Raises `OSError` when the folder cannot be used.

    `secret` is for this purpose alone; databases with different keys may share a folder.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._folder = folder
        self._secret = secret
        self._tally = ShelfCounts()
        self._lock = threading.Lock()
        # They hold who may do what, which is personal data: nobody else reads them.
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for draft in folder.glob(f"*{DRAFT_SUFFIX}"):
            with suppress(OSError):
                if time.time() - draft.stat().st_mtime > DRAFT_SECONDS_MAX:
                    draft.unlink()

    def path(self, organization: str) -> Path:
        """Return where the state of an organization is kept: a name that tells nothing."""
        name = hmac.digest(self._secret, b"name " + organization.encode(), hashlib.sha256)
        return self._folder / f"{name[:NAME_BYTES].hex()}{SUFFIX}"

    def find(self, organization: OrganizationId) -> KeptState | None:
        """Return what is kept of the organization, if it is whole and ours."""
        try:
            content = memoryview(_content(self.path(organization)))
            body = self._opened(content)
            said = snapshot_reading.header(body)
            if said.organization != organization:
                raise Damaged(OF_ANOTHER)
        except FileNotFoundError:
            log.debug("no snapshot file", organization=organization)
            return None
        except (Damaged, OSError) as error:
            self.ignore(organization, _told(error))
            return None
        reading = partial(snapshot_reading.read, body)
        return KeptState(said.revision, said.seal, said.entities, reading)

    def use(self, kept: KeptState, now: Versioned) -> None:
        """Note that what was kept is served, after it has caught up with the store."""
        self._count(used=1)
        log.info(
            "started from a snapshot file",
            organization=now.state.id,
            revision=now.state.revision,
            events=now.state.revision - kept.revision,
        )

    def ignore(self, organization: OrganizationId, why: str) -> None:
        """Note that what was kept is not served, and why."""
        self._count(ignored=1)
        log.warning("snapshot file ignored", organization=organization, why=why)

    def keep(self, seen: Versioned, pace: Pace) -> bool:
        """Keep the state in place of the one before, or nothing; return whether it is kept."""
        organization = seen.state.id
        path = self.path(organization)
        draft = path.with_suffix(f".{secrets.token_hex(8)}{DRAFT_SUFFIX}")
        try:
            whole = self._draft(draft, seen, pace)
            if whole:
                draft.replace(path)
                _settle(self._folder)
        except Exception as error:  # noqa: BLE001 - serving goes on without a file
            self._count(failed=1)
            log.error("snapshot file not written", organization=organization, why=_told(error))
            return False
        finally:
            with suppress(OSError):
                draft.unlink()
        if whole:
            self._count(written=1)
        return whole

    def discard(self, organization: OrganizationId) -> None:
        """Remove what is kept of the organization."""
        with suppress(OSError):
            self.path(organization).unlink()

    def tally(self) -> ShelfCounts:
        """Return what was done until now."""
        with self._lock:
            return self._tally

    def _opened(self, content: memoryview) -> memoryview:
        """Return what is sealed in the content; raises `Damaged` unless the seal is ours."""
        if content[: len(MAGIC)] != MAGIC:
            raise Damaged(OF_ANOTHER_VERSION)
        sealed, mac = content[:-MAC_BYTES], content[-MAC_BYTES:]
        if not hmac.compare_digest(hmac.digest(self._secret, sealed, hashlib.sha256), mac):
            raise Damaged(NOT_OURS)
        return sealed[len(MAGIC) :]

    def _draft(self, draft: Path, seen: Versioned, pace: Pace) -> bool:
        """Write the draft; return whether it is whole."""
        mac = hmac.new(self._secret, MAGIC, hashlib.sha256)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(MAGIC)
            for part in snapshot_writing.parts(seen):
                if not pace():
                    return False
                mac.update(part)
                file.write(part)
            file.write(mac.digest())
            file.flush()
            os.fsync(file.fileno())
        return True

    def _count(self, *, used: int = 0, written: int = 0, ignored: int = 0, failed: int = 0) -> None:
        with self._lock:
            now = self._tally
            self._tally = ShelfCounts(
                now.used + used, now.written + written, now.ignored + ignored, now.failed + failed
            )


def _content(path: Path) -> bytes:
    """Return what is in a file; raises `OSError`, and `Damaged` for what is none."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise Damaged(NO_FILE)
        if about.st_size > FILE_BYTES_MAX:
            raise Damaged(TOO_LARGE)
        return file.read(FILE_BYTES_MAX)


def _settle(folder: Path) -> None:
    """Let the names in a folder outlive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or type(error).__name__
    return str(error) or type(error).__name__
