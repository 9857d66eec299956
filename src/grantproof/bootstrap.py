"""The composition root: the only place where use cases meet the technology they run on."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from grantproof.adapters.apart import Apart, Limits, Solvers
from grantproof.adapters.case_files import CaseFiles, CaseRules
from grantproof.adapters.chance import SystemChance
from grantproof.adapters.clock import JitteredBackoff, SystemClock, stopwatch
from grantproof.adapters.decision_files import DecisionFiles, FileRules
from grantproof.adapters.sealing import AesGcmSealer
from grantproof.adapters.signing import Ed25519Signer
from grantproof.adapters.snapshot_files import SnapshotFiles
from grantproof.adapters.sql import backups
from grantproof.adapters.sql.addresses import shown
from grantproof.adapters.sql.database import open_database
from grantproof.adapters.sql.failures import UNWRITABLE
from grantproof.adapters.tracing import CannotTrace, Tracing, is_wanted, otlp
from grantproof.adapters.verification import Verification, verification
from grantproof.core.invariants import valid
from grantproof.core.limits import SESSION_STALENESS_SECONDS_MAX
from grantproof.service.audit import AuditPoint
from grantproof.service.audit_chain import KEY_BYTES, AuditKey
from grantproof.service.consume import ConsumptionPoint
from grantproof.service.contracts import Contracts, Shares
from grantproof.service.decision_log import DecisionLog
from grantproof.service.demo import install
from grantproof.service.guarding import Guard
from grantproof.service.kept_sessions import KeptSessions
from grantproof.service.keyring import Keyring
from grantproof.service.meters import Meters
from grantproof.service.pap import AdministrationPoint
from grantproof.service.pdp import DecisionPoint
from grantproof.service.ports import Clock, FileUnavailable, Store, StoreError
from grantproof.service.sessions import SessionPoint
from grantproof.service.shelf import Shelf
from grantproof.service.snapshots import Owner, Snapshots, here
from grantproof.service.solving import Solver
from grantproof.service.tokens import Tokens
from grantproof.service.visits import Visits
from grantproof.settings import Settings, without_query, written_as

if TYPE_CHECKING:
    from grantproof.adapters.telemetry import Telemetry

MIB: Final = 1_048_576
SOLVER_NICENESS: Final = 10
"""Decisions come first, but somebody waits for an answer too."""


@dataclass(frozen=True, slots=True)
class Services:
    """The use cases, wired: what a door needs and all it may touch.

    `tokens` is nothing where no issuer is trusted, `decision_log` where none is kept,
    `telemetry` and `verification` where nobody is served, `audit` over a store that seals no
    events, `shelf` where no snapshot files are kept.
    """

    store: Store
    snapshots: Snapshots
    decisions: DecisionPoint
    administration: AdministrationPoint
    meters: Meters
    consumption: ConsumptionPoint
    kept_sessions: KeptSessions
    sessions: SessionPoint
    keyring: Keyring
    contracts: Contracts
    solver: Solver
    visits: Visits
    tokens: Tokens | None = None
    decision_log: DecisionLog | None = None
    telemetry: "Telemetry | None" = None
    audit: AuditPoint | None = None
    shelf: Shelf | None = None
    verification: Verification | None = None

    def close(self) -> None:
        """End what is worked on apart, write what is logged, and release the store."""
        self.solver.stop()
        if self.decision_log is not None:
            self.decision_log.close()
        self.contracts.cases.close()
        self.store.close()


def compose(
    settings: Settings,
    *,
    on_owner: Owner = here,
    create: bool = True,
    serving: bool = False,
    installs: bool = True,
) -> Services:
    """Open the store and wire the use cases; raises `StoreError` when it cannot be opened.

    A store that is not there is created, or without `create` refused. What is `serving` others
    logs their decisions, if the settings say where. The demo is installed if it `installs`.
    """
    store = open_database(settings.database_url, create=create, key_file=settings.audit_key_file)
    tokens = _tokens(settings, SystemClock())
    try:
        contracts = contracts_of(settings, serving=serving)
        shelf = _shelf(settings, store.ledger.key) if serving else None
    except FileUnavailable:
        store.close()
        raise
    assembled = assemble(
        store,
        on_owner=on_owner,
        tokens=tokens,
        demo=settings.demo,
        contracts=contracts,
        shelf=shelf,
        solver=solver_of(settings, logged=serving),
        max_staleness=settings.max_staleness,
    )
    signer = Ed25519Signer(store.ledger.key.signing_seed)
    audit = AuditPoint(store.ledger, signer, clock=SystemClock())
    # One secret for all who serve the same database: what one seals another can open.
    visits = visits_under(store.ledger.key.visit_secret)
    services = replace(assembled, audit=audit, visits=visits)
    if settings.demo and installs:
        install(services.administration)
        services.keyring.install_demo()
    if not serving:
        return services
    try:
        return for_serving(services, settings)
    except StoreError:
        services.close()
        raise


def for_serving(services: Services, settings: Settings) -> Services:
    """Return the services with what only a server needs; raises `StoreError`."""
    # Imported only here: no other command has anybody to tell numbers to.
    from grantproof.adapters.telemetry import Telemetry  # noqa: PLC0415 - see above

    telemetry = Telemetry()
    telemetry.watch_contracts(services.contracts.tally)
    telemetry.watch_decisions(services.decisions.outcomes.tally)
    telemetry.watch_changes(services.administration.attempts.tally)
    telemetry.watch_charges(services.consumption.attempts.tally)
    telemetry.watch_solver(services.solver.tally)
    checked = verification(settings.verification_report)
    telemetry.tell_verification(verified=checked.verified, source=checked.source)
    decision_log = _decision_log(settings)
    if decision_log is not None:
        telemetry.watch_decision_log(decision_log.tally)
    if services.shelf is not None:
        telemetry.watch_snapshot_files(services.shelf.tally)
    return replace(services, decision_log=decision_log, telemetry=telemetry, verification=checked)


def assemble(
    store: Store,
    *,
    on_owner: Owner = here,
    tokens: Tokens | None = None,
    demo: bool = False,
    contracts: Contracts | None = None,
    shelf: Shelf | None = None,
    solver: Solver | None = None,
    max_staleness: float = SESSION_STALENESS_SECONDS_MAX,
) -> Services:
    """Wire the use cases over a store; with `demo` the key of the demo is believed.

    Every change is checked, and no decision, unless `contracts` say otherwise; the solver has the
    limits that it has without settings, unless there is a `solver`. Sessions that were read longer
    than `max_staleness` seconds ago are not answered from. Visits are sealed under a secret that
    nobody else has.
    """
    clock, backoff = SystemClock(), JitteredBackoff()
    kept = Contracts() if contracts is None else contracts
    snapshots = Snapshots(store, on_owner=on_owner, contracts=kept, shelf=shelf)
    meters = Meters(store.meter, clock=clock, on_owner=on_owner)
    decisions = DecisionPoint(clock, meters, contracts=kept)
    solving = solver_of(Settings.model_construct()) if solver is None else solver
    administration = AdministrationPoint(
        store, snapshots, clock=clock, backoff=backoff, contracts=kept, guard=Guard(solving)
    )
    consumption = ConsumptionPoint(
        store.meter, snapshots, decisions, backoff=backoff, on_owner=on_owner
    )
    kept_sessions = KeptSessions(
        store.sessions,
        clock=clock,
        seconds=stopwatch,
        on_owner=on_owner,
        max_staleness=max_staleness,
    )
    snapshots.heed(kept_sessions.forget)
    sessions = SessionPoint(
        store, snapshots, kept_sessions, clock=clock, chance=SystemChance(), backoff=backoff
    )
    keyring = Keyring(store.keys, snapshots, clock=clock, chance=SystemChance(), demo=demo)
    return Services(
        store,
        snapshots,
        decisions,
        administration,
        meters,
        consumption,
        kept_sessions,
        sessions,
        keyring,
        kept,
        solving,
        visits_under(SystemChance().draw(KEY_BYTES)),
        tokens,
        shelf=shelf,
    )


def visits_under(secret: bytes) -> Visits:
    """Return what begins visits of browsers, and reads those begun under the same secret."""
    return Visits(AesGcmSealer(secret), SystemClock())


def shown_settings(settings: Settings) -> dict[str, str]:
    """Return each setting by its name, as it may be printed: nothing in them is secret."""
    written = settings.model_dump(mode="json")
    hidden = {
        "database_url": shown(settings.database_url),
        "jwt_jwks_url": without_query(settings.jwt_jwks_url),
    }
    return {
        name: "" if value is None else hidden.get(name) or written_as(value)
        for name, value in written.items()
    }


def tracing_of(environment: Mapping[str, str]) -> Tracing | None:
    """Return what traces requests, if the environment asks for it; raises `CannotTrace`."""
    return otlp() if is_wanted(environment) else None


def check_tracing(environment: Mapping[str, str]) -> str | None:
    """Return why the traces that the environment asks for cannot be made; nothing if they can."""
    try:
        is_wanted(environment)
    except CannotTrace as error:
        return str(error)
    return None


def valid_apart(*, seconds_max: float) -> Apart:
    """Return what checks whole states in a process of its own, each in at most so long."""
    return Apart(valid, seconds_max=seconds_max)


def solver_of(settings: Settings, *, logged: bool = True) -> Solver:
    """Return what answers questions apart, within the limits that the settings say.

    It has no process until something is asked of it. Only what is `logged` tells in the log what
    has no answer: a command is answered with it.
    """
    limits = Limits(
        settings.solver_seconds_max,
        memory_bytes=settings.solver_memory_mib_max * MIB,
        niceness=SOLVER_NICENESS,
    )
    return Solvers(limits, at_once=settings.solvers_max, logged=logged)


def contracts_of(settings: Settings, *, serving: bool = True) -> Contracts:
    """Return the contracts as the settings want them; raises `FileUnavailable` for the folder.

    Only what is `serving` tells in the log what it found: others answer with it.
    """
    shares = Shares(
        settings.contracts_changes, settings.contracts_certificates, settings.contracts_shadow
    )
    try:
        cases = CaseFiles(CaseRules(settings.cases, settings.cases_max, logged=serving))
    except OSError as error:
        message = f"the folder `{settings.cases}` of cases cannot be used: {error.strerror}"
        raise FileUnavailable(message) from error
    return Contracts(shares, chance=SystemChance(), cases=cases)


def _shelf(settings: Settings, key: AuditKey) -> Shelf | None:
    if settings.snapshots is None:
        return None
    try:
        return SnapshotFiles(settings.snapshots, key.shelf_secret)
    except OSError as error:
        folder = settings.snapshots
        message = f"the folder `{folder}` of snapshots cannot be used: {error.strerror}"
        raise FileUnavailable(message) from error


def _decision_log(settings: Settings) -> DecisionLog | None:
    if settings.decision_log is None:
        return None
    rules = FileRules(
        settings.decision_log,
        queue_max=settings.decision_log_queue,
        keep_days=settings.decision_log_days,
        redaction=settings.decision_log_redaction,
    )
    try:
        return DecisionFiles(rules)
    except OSError as error:
        folder = settings.decision_log
        message = f"the folder `{folder}` of the decision log cannot be used: {error.strerror}"
        raise FileUnavailable(message) from error


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


back_up = backups.back_up
draft_of = backups.draft_of
put_in_place = backups.put_in_place


def database_file(settings: Settings) -> Path | None:
    """Return the file of the database, or nothing when a server keeps it; raises `StoreError`."""
    return backups.file_of(settings.database_url)


def why_read_only(settings: Settings) -> str | None:
    """Return why a database that is there takes no changes, if it is a file that nobody may write.

    Raises `StoreError`. SQLite makes files beside it for each change, so the folder counts too.
    """
    file = database_file(settings)
    if file is None or all(os.access(one, os.W_OK) for one in (file, file.absolute().parent)):
        return None
    return f"the database `{file}` {UNWRITABLE}"


def audit_key_file(settings: Settings) -> Path | None:
    """Return where the audit key lies, or nothing when it should be named and is not."""
    database = database_file(settings)
    if database is None:
        return settings.audit_key_file
    return backups.key_of(database, settings.audit_key_file)


def pointed_at(settings: Settings, copy: Path) -> Settings:
    """Return the settings with another file for a database, whose key is still the same."""
    found = {"database_url": str(copy), "audit_key_file": audit_key_file(settings), "demo": False}
    return settings.model_copy(update=found)
