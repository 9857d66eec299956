"""The composition root: the only place where use cases meet the technology they run on."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from grantproof.adapters.chance import SystemChance
from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.signing import Ed25519Signer
from grantproof.adapters.sql.database import open_database
from grantproof.service.audit import AuditPoint
from grantproof.service.demo import install
from grantproof.service.keyring import Keyring
from grantproof.service.pap import AdministrationPoint
from grantproof.service.pdp import DecisionPoint
from grantproof.service.ports import Clock, Store
from grantproof.service.snapshots import Owner, Snapshots, here
from grantproof.service.tokens import Tokens
from grantproof.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, wired: what a door needs and all it may touch.

    `tokens` is nothing where no issuer is trusted.
    """

    store: Store
    snapshots: Snapshots
    decisions: DecisionPoint
    administration: AdministrationPoint
    keyring: Keyring
    tokens: Tokens | None = None
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
    keyring = Keyring(store.keys, snapshots, clock=clock, chance=SystemChance(), demo=settings.demo)
    if settings.demo:
        install(administration)
        keyring.install_demo()
    decisions = DecisionPoint(clock)
    tokens = _tokens(settings, clock)
    ledger = store.ledger
    audit = AuditPoint(ledger, Ed25519Signer(ledger.key.signing_seed), clock=clock)
    return Services(store, snapshots, decisions, administration, keyring, tokens, audit)


def _tokens(settings: Settings, clock: Clock) -> Tokens | None:
    if settings.jwt_issuer is None or settings.jwt_audience is None:
        return None
    # Imported only here: most commands need no cryptography, and it takes long to load.
    from grantproof.adapters.key_sets import from_address, from_file  # noqa: PLC0415 - see above
    from grantproof.adapters.tokens import Expected, JwtTokens  # noqa: PLC0415 - see above

    expected = Expected(settings.jwt_issuer, settings.jwt_audience, settings.jwt_algorithms_pinned)
    fetch: Callable[[], bytes]
    if settings.jwt_jwks_file is not None:
        fetch = partial(from_file, settings.jwt_jwks_file)
    else:
        fetch = partial(from_address, settings.jwt_jwks_url or "")
    return JwtTokens(expected, fetch, clock=clock)
