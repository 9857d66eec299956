"""The composition root: the only place where use cases meet the technology they run on."""

from dataclasses import dataclass

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.sql.database import open_database
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

    def close(self) -> None:
        """Release the store."""
        self.store.close()


def compose(settings: Settings, *, on_owner: Owner = here, create: bool = True) -> Services:
    """Open the store and wire the use cases; raises `StoreError` when it cannot be opened.

    A store that is not there is created, or without `create` refused.
    """
    clock = SystemClock()
    store = open_database(settings.database_url, create=create)
    snapshots = Snapshots(store, on_owner=on_owner)
    administration = AdministrationPoint(store, snapshots, clock=clock, backoff=JitteredBackoff())
    if settings.demo:
        install(administration)
    return Services(store, snapshots, DecisionPoint(clock), administration)
