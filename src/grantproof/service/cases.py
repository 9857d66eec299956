"""Cases: what was found wrong in production, with all that is needed to see it again elsewhere.

A case holds the state, the question or the command, what was expected and what was found. Its
written form is one JSON document; `replayed` puts what it says through the code of today.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from grantproof.core import certificate, policy
from grantproof.core.agreement import unfaithful
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import Command
from grantproof.core.constraints import Context
from grantproof.core.footprint import broken
from grantproof.core.index import Index
from grantproof.core.invariants import Violation, valid
from grantproof.core.matching import Request
from grantproof.core.metering import Readings, certify, check, choose, evaluate
from grantproof.core.model import Claim, Delta
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, Reason
from grantproof.core.ways import Unmet

Contract = Literal["change", "state", "certificate", "shadow"]
CONTRACTS: Final[tuple[Contract, ...]] = ("change", "state", "certificate", "shadow")


@dataclass(frozen=True, slots=True)
class Asked:
    """A decision's question. `readings` are the counters it looked at; nothing, if it did not."""

    state: Organization
    request: Request
    context: Context
    readings: Readings | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change: what was asked for, and the delta that came of it."""

    command: Command
    delta: Delta


@dataclass(frozen=True, slots=True)
class Case:
    """Something found wrong, on `state` at an instant (epoch seconds).

    `expected` and `found` say it in a line each. A case of a decision has `asked`, one of a change
    `proposal`; of a whole state there is neither.
    """

    contract: Contract
    state: Organization
    instant: int | None
    expected: str
    found: str
    asked: Asked | None = None
    proposal: Proposal | None = None


@dataclass(frozen=True, slots=True)
class CaseCounts:
    """How many cases were kept since the start, and how many for which there was no room."""

    kept: int
    dropped: int


class Cases(Protocol):
    """Keeps cases behind whoever found them; never raises, never fills the disk."""

    def keep(self, case: Case) -> None:
        """Take a case; it is kept, or counted as dropped."""
        ...

    def tally(self) -> CaseCounts:
        """Return what became of the cases until now."""
        ...

    def close(self) -> None:
        """Keep what was taken, within a bounded time."""
        ...


class NoCases:
    """Keeps none: for a process whose caller is told everything."""

    def keep(self, case: Case) -> None:
        """Let it go."""

    def tally(self) -> CaseCounts:
        """Return that nothing was kept."""
        return CaseCounts(0, 0)

    def close(self) -> None:
        """Do nothing."""


def reference(asked: Asked) -> Claim | Reason:
    """Return the outcome by the reference: the claim of the certificate, or the reason."""
    state, request, context = asked.state, asked.request, asked.context
    if asked.readings is None:
        decision = policy.evaluate(state, request, context)
    else:
        decision = evaluate(state, request, context, readings=asked.readings)
    return decision.certificate.claim if isinstance(decision, Allow) else decision.reason


def certified(asked: Asked, claim: Claim) -> bool:
    """Return whether a certificate can be issued for the claim, and passes the checker."""
    state, request, context = asked.state, asked.request, asked.context
    readings = asked.readings
    if readings is None:
        issued = certificate.issue(state, request, context, claim=claim)
        return certificate.check(state, request, context, certificate=issued)
    proof = certify(state, request, context, claim=claim, readings=readings)
    return check(state, request, context, readings=readings, certificate=proof)


def indexed(asked: Asked) -> Claim | Reason:
    """Return the outcome by an index made for the question."""
    return answered(Index(asked.state), asked)


def answered(index: Index, asked: Asked) -> Claim | Reason:
    """Return the outcome by an index of the question's state, as production finds it."""
    request, context = asked.request, asked.context
    answer = index.ask(request, context).answer
    contested = isinstance(answer, Unmet | Claim)
    if asked.readings is not None and contested:
        matching, situation = index.contest(request, context)
        return choose(matching, situation, readings=asked.readings)
    return index.nearest(request, context) if isinstance(answer, Unmet) else answer


def change_violations(
    before: Organization, after: Organization, delta: Delta
) -> tuple[Violation, ...]:
    """Return what is wrong with a change: with what it is said to do, and with what it leaves."""
    strange = [
        Violation("as-it-says", ids) for ids in dict.fromkeys(unfaithful(before, after, delta))
    ]
    return (*strange, *broken(before, after, delta))


def replayed(case: Case) -> str | None:
    """Return what is wrong when the case is gone through again, in a line; nothing if all is well.

    Raises nothing of the code that it tries: a check that fails is wrong too.
    """
    try:
        return _replayed(case)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return f"the check fails: {type(error).__name__} {error}"


def _replayed(case: Case) -> str | None:
    if case.proposal is not None:
        outcome = apply(
            case.state, case.proposal.command, actor="replay", instant=case.instant or 0
        )
        if not isinstance(outcome, Accepted):
            return None
        return told(change_violations(case.state, outcome.state, outcome.event.delta))
    if case.asked is None:
        return told(valid(case.state))
    outcome_now = indexed(case.asked)
    if case.contract == "shadow":
        expected = reference(case.asked)
        return None if expected == outcome_now else f"{named(outcome_now)}, not {named(expected)}"
    if isinstance(outcome_now, Claim) and not certified(case.asked, outcome_now):
        return f"{named(outcome_now)} has no certificate that the checker accepts"
    return None


def told(violations: Sequence[Violation]) -> str | None:
    """Return the violations in a line, or nothing when there is none."""
    shown = "; ".join(f"{one.invariant} at {', '.join(one.ids)}" for one in violations[:SHOWN_MAX])
    more = len(violations) - SHOWN_MAX
    if more > 0:
        return f"{shown}; and {more} more"
    return shown or None


def named(outcome: Claim | Reason) -> str:
    """Return an outcome in a word or two."""
    if isinstance(outcome, Claim):
        return f"Allow by `{outcome.id}`"
    return f"Deny, {type(outcome).__name__}"


SHOWN_MAX: Final = 10
