"""Contracts that stay on: the core's promises, checked in production on what it really does.

A change is checked between `apply` and the commit, a decision before it is answered, a state when
it is loaded and again and again. What breaks a contract is refused, denied or not served; it is
counted and kept as a case. A check that itself fails counts as broken: nothing is waved through.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from grantproof.core.commands import Accepted
from grantproof.core.invariants import Violation, valid
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import Reason
from grantproof.core.withheld import Withheld
from grantproof.service.cases import (
    CONTRACTS,
    Asked,
    Case,
    CaseCounts,
    Cases,
    Contract,
    NoCases,
    Proposal,
    certified,
    change_violations,
    named,
    reference,
    told,
)
from grantproof.service.sampling import Chance, NoChance, Sampler, Subsample

SHADOW_FAILED: Final = "the reference fails"


@dataclass(frozen=True, slots=True)
class Shares:
    """Which share (0 to 1) of changes and of decisions is checked, and of decisions made twice."""

    changes: float = 1.0
    certificates: float = 0.0
    shadow: float = 0.0


@dataclass(frozen=True, slots=True)
class ContractCounts:
    """Checks and violations since the start, by contract; what became of the cases; who is out.

    `withdrawn` is how often an organization that was being served was taken out of service.
    """

    checks: dict[Contract, int]
    violations: dict[Contract, int]
    withdrawn: int
    cases: CaseCounts


class Unfinished(Exception):
    """A check that ended without an answer: nothing is known, and it is made again later."""


WholeCheck = Callable[[Organization], tuple[Violation, ...]]
"""Checks a whole state; may raise `Unfinished`."""


class Contracts:
    """Checks what it is given, and remembers what it found. Safe to use from several threads."""

    def __init__(
        self,
        shares: Shares = Shares(),
        *,
        chance: Chance | None = None,
        cases: Cases | None = None,
    ) -> None:
        source = NoChance() if chance is None else chance
        self.cases: Cases = NoCases() if cases is None else cases
        self.inspection = Inspection(self, shares, source)
        self._changes = Sampler(shares.changes, source)
        self._until_change = self._changes.gap()
        self._lock = threading.Lock()
        self._checks: dict[Contract, int] = dict.fromkeys(CONTRACTS, 0)
        self._violations: dict[Contract, int] = dict.fromkeys(CONTRACTS, 0)
        self._withdrawn = 0

    def tally(self) -> ContractCounts:
        """Return what was checked, and found, until now."""
        with self._lock:
            counts = dict(self._checks), dict(self._violations), self._withdrawn
        return ContractCounts(*counts, self.cases.tally())

    def broken_by(self, before: Organization, accepted: Accepted) -> tuple[Violation, ...]:
        """Return what is wrong with a change that was accepted and not committed; often nothing."""
        if not self._is_change_due():
            return ()
        event = accepted.event
        try:
            found = change_violations(before, accepted.state, event.delta)
        except Exception as error:  # noqa: BLE001 - a check that fails has not passed
            found = (unchecked(error),)
        self.count("change", broken=len(found) > 0)
        if len(found) > 0:
            proposal = Proposal(event.command, event.delta)
            line = told(found) or ""
            self.cases.keep(
                Case("change", before, event.instant, "a valid state", line, proposal=proposal)
            )
        return found

    def broken_in(self, state: Organization, check: WholeCheck = valid) -> tuple[Violation, ...]:
        """Return every violation of a whole state; takes long for a large one.

        Raises `Unfinished` where the check does.
        """
        try:
            found = check(state)
        except Unfinished:
            raise
        except Exception as error:  # noqa: BLE001 - a check that fails has not passed
            found = (unchecked(error),)
        self.count("state", broken=len(found) > 0)
        if len(found) > 0:
            self.cases.keep(Case("state", state, None, "a valid state", told(found) or ""))
        return found

    def count(self, contract: Contract, *, broken: bool) -> None:
        """Count a check, and whether the contract was broken."""
        with self._lock:
            self._checks[contract] += 1
            self._violations[contract] += broken

    def count_withdrawn(self) -> None:
        """Count that an organization was taken out of service."""
        with self._lock:
            self._withdrawn += 1

    def _is_change_due(self) -> bool:
        with self._lock:
            self._until_change -= 1
            if self._until_change > 0:
                return False
            self._until_change = self._changes.gap()
            return True


class Inspection:
    """Which decisions are looked at, and what then becomes of them.

    Whoever decides takes one from `left` for each decision, and calls `look` when none is left. A
    number lost between threads shifts the sample and nothing else.
    """

    __slots__ = ("_certificates", "_contracts", "_looks", "_shadows", "left")

    def __init__(self, contracts: Contracts, shares: Shares, chance: Chance) -> None:
        self._contracts = contracts
        share = max(shares.certificates, shares.shadow)
        self._looks = Sampler(share, chance)
        # A look costs more than either check: so one is made for both where both are due.
        self._certificates = Subsample(shares.certificates, of=share, chance=chance)
        self._shadows = Subsample(shares.shadow, of=share, chance=chance)
        self.left = self._looks.gap()

    def look(self, asked: Asked, outcome: Claim | Reason) -> Claim | Reason | Withheld:
        """Return the outcome as it may be answered: as it is, or as a deny of its own."""
        self.left = self._looks.gap()
        certificate, shadow = self._certificates.takes(), self._shadows.takes()
        withheld: Withheld | None = None
        if shadow:
            withheld = self._shadowed(asked, outcome)
        if certificate and isinstance(outcome, Claim):
            withheld = self._certified(asked, outcome) or withheld
        return outcome if withheld is None else withheld

    def _shadowed(self, asked: Asked, outcome: Claim | Reason) -> Withheld | None:
        """Ask the reference too; withhold an allow that it does not give."""
        try:
            expected: Claim | Reason | None = reference(asked)
        except Exception:  # noqa: BLE001 - a check that fails has not passed
            expected = None
        self._contracts.count("shadow", broken=expected != outcome)
        if expected == outcome:
            return None
        wanted = SHADOW_FAILED if expected is None else named(expected)
        self._keep("shadow", asked, wanted, found=named(outcome))
        agreed = isinstance(expected, Claim)
        return None if agreed or not isinstance(outcome, Claim) else Withheld("shadow")

    def _certified(self, asked: Asked, claim: Claim) -> Withheld | None:
        """Withhold an allow without a certificate that the checker accepts."""
        try:
            whole = certified(asked, claim)
        except Exception:  # noqa: BLE001 - a check that fails has not passed
            whole = False
        self._contracts.count("certificate", broken=not whole)
        if whole:
            return None
        self._keep(
            "certificate", asked, "a certificate that the checker accepts", found=named(claim)
        )
        return Withheld("certificate")

    def _keep(self, contract: Contract, asked: Asked, expected: str, *, found: str) -> None:
        case = Case(contract, asked.state, asked.context.instant, expected, found, asked=asked)
        self._contracts.cases.keep(case)


def unchecked(error: Exception) -> Violation:
    """Return the violation of a check that failed itself."""
    return Violation("unchecked", (type(error).__name__,))
