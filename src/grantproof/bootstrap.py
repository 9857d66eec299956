"""The composition root: the only place where use cases meet the technology they run on."""

from dataclasses import dataclass

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.signing import Ed25519Signer
from grantproof.adapters.sql.database import open_database
from grantproof.service.audit import AuditPoint
from grantproof.service.demo import install
from grantproof.service.pap import AdministrationPoint
from grantproof.service.pdp import DecisionPoint
from grantproof.service.ports import Store
from grantproof.service.snapshots import Owner, Snapshots, here
from grantproof.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, wired: what a door needs and all it may touch."""

    store: Store
    snapshots: Snapshots
    decisions: DecisionPoint
    administration: AdministrationPoint
    audit: AuditPoint | None = None
    """Nothing over a store that seals no events."""

    def close(self) -> None:
        """Release the store."""
        self.store.close()


def compose(settings: Settings, *, on_owner: Owner = here, create: bool = True) -> Services:
    """Open the store and wire the use cases; raises `StoreError` when it cannot be opened.

    A store that is not there is created, or without `create` refused.
    """
    clock = SystemClock()
    store = open_database(settings.database_url, create=create, key_file=settings.audit_key_file)
    snapshots = Snapshots(store, on_owner=on_owner)
    administration = AdministrationPoint(store, snapshots, clock=clock, backoff=JitteredBackoff())
    if settings.demo:
        install(administration)
    ledger = store.ledger
    audit = AuditPoint(ledger, Ed25519Signer(ledger.key.signing_seed), clock=clock)
    return Services(store, snapshots, DecisionPoint(clock), administration, audit)
