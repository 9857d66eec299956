"""What only the store in memory does; the rest is in `tests/contracts`."""

from grantproof.adapters.memory import MemoryStore
from grantproof.core.identifiers import OrganizationId


def test_a_closed_memory_forgets() -> None:
    """Nothing is kept beyond the store."""
    store = MemoryStore()
    assert store.create(OrganizationId("acme"), time_zone="UTC", actor="me", instant=1)
    store.close()
    assert store.summaries(limit=1) == ()


def test_a_loaded_organization_is_shared_not_copied() -> None:
    """States are immutable, so loading twice gives the same one."""
    store, acme = MemoryStore(), OrganizationId("acme")
    assert store.create(acme, time_zone="UTC", actor="me", instant=1)
    assert store.load(acme) is store.load(acme)
