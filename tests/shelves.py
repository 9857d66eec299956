"""Snapshot files as tests need them: written at once, and what is in one as a state."""

from pathlib import Path

from grantproof.adapters.snapshot_files import SnapshotFiles
from grantproof.core.identifiers import OrganizationId
from grantproof.service.ports import Store
from grantproof.service.shelf import KeptState
from grantproof.service.versions import Versioned

SECRET = b"s" * 32


def at_once() -> bool:
    """A pace that never rests."""
    return True


def shelf_in(folder: Path, secret: bytes = SECRET) -> SnapshotFiles:
    """The shelf in a folder."""
    return SnapshotFiles(folder, secret)


def kept(shelf: SnapshotFiles, seen: Versioned) -> Path:
    """Where the state is kept from now on."""
    assert shelf.keep(seen, at_once)
    return shelf.path(seen.state.id)


def found(shelf: SnapshotFiles, organization: OrganizationId) -> KeptState:
    """What is kept of an organization, of which something is."""
    there = shelf.find(organization)
    assert there is not None
    return there


def seen_in(store: Store, organization: OrganizationId) -> Versioned:
    """What the store has of an organization that is there."""
    there = store.load_versioned(organization)
    assert there is not None
    return there
