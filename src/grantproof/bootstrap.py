"""The composition root: the only place where use cases meet the technology they run on."""

from dataclasses import dataclass

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.sql.database import open_database
from grantproof.service.consume import ConsumptionPoint
from grantproof.service.demo import install
from grantproof.service.meters import Meters
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
    meters: Meters
    consumption: ConsumptionPoint

    def close(self) -> None:
        """Release the store."""
        self.store.close()


def compose(settings: Settings, *, on_owner: Owner = here, create: bool = True) -> Services:
    """Open the store and wire the use cases; raises `StoreError` when it cannot be opened.

    A store that is not there is created, or without `create` refused.
    """
    services = assemble(open_database(settings.database_url, create=create), on_owner=on_owner)
    if settings.demo:
        install(services.administration)
    return services


def assemble(store: Store, *, on_owner: Owner = here) -> Services:
    """Wire the use cases over a store."""
    clock, backoff = SystemClock(), JitteredBackoff()
    snapshots = Snapshots(store, on_owner=on_owner)
    meters = Meters(store.meter, clock=clock, on_owner=on_owner)
    decisions = DecisionPoint(clock, meters)
    administration = AdministrationPoint(store, snapshots, clock=clock, backoff=backoff)
    consumption = ConsumptionPoint(
        store.meter, snapshots, decisions, backoff=backoff, on_owner=on_owner
    )
    return Services(store, snapshots, decisions, administration, meters, consumption)
