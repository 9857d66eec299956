"""The claims on one action and resource, compiled: who gets through, and by which of them.

One pass over the ways in the order of claims: the first that is open to one of the roles is the
certificate's claim. P-INDEX: what comes out is what `policy.evaluate` says.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from grantproof.core.candidates import Candidate, passes
from grantproof.core.constraints import Context, Situation, all_hold
from grantproof.core.identifiers import RoleId
from grantproof.core.matching import Target
from grantproof.core.model import Claim, Principal, Validity
from grantproof.core.policy import NoMatchingClaim, Reason, SessionClash

NO_MATCHING_CLAIM: Final = NoMatchingClaim()

WAYS_SCANNED_MAX: Final = 16
"""Up to so many claims are looked through one by one; of more, those of the roles are found."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """Claims match and no one's constraints hold: `Index.nearest` says which came nearest."""


UNMET: Final = Unmet()


class Verdict(NamedTuple):
    """The granting claim or the reason of a deny, and what could change it.

    `until` is the next instant (epoch seconds) at which an assignment of the principal starts or
    ends; `hourly` says whether the hour, weekday or year matters, `metered` usage or rate.
    """

    answer: Claim | Reason | Unmet
    until: int | None = None
    hourly: bool = False
    metered: bool = False


@dataclass(frozen=True, slots=True)
class Holder:
    """A principal compiled: `steady` roles are assigned for ever, `timed` ones for a while.

    `clash` is what the steady roles alone do to dynamic separation of duty. `ready` are the steady
    roles of an active principal of whom nothing else has to be asked: no time, no clash.
    """

    principal: Principal
    steady: tuple[RoleId, ...]
    timed: tuple[tuple[RoleId, Validity], ...]
    clash: SessionClash | None
    ready: tuple[RoleId, ...] | None


class Way(NamedTuple):
    """A claim on one action and resource, the roles that hold or inherit it, and the verdict."""

    roles: frozenset[RoleId]
    candidate: Candidate
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Grants:
    """The ways to one action and resource, in the order of claims.

    `by_role` finds those of a role where there are many. `nothing` is the verdict on who has none,
    `unmet` on whose constraints all fail.
    """

    target: Target
    ways: tuple[Way, ...]
    by_role: dict[RoleId, list[Way]] | None
    nothing: Verdict
    unmet: Verdict


def grants_of(target: Target, held: Iterable[tuple[Candidate, frozenset[RoleId]]]) -> Grants:
    """Compile the claims that match, each with the roles that hold or inherit it."""
    ordered = sorted(held, key=lambda pair: pair[0].order)
    hourly = any(candidate.hourly for candidate, _ in ordered)
    metered = any(candidate.metered for candidate, _ in ordered)
    ways = tuple(
        Way(roles, candidate, Verdict(candidate.claim, None, hourly, metered))
        for candidate, roles in ordered
    )
    nothing = Verdict(NO_MATCHING_CLAIM, None, hourly, metered)
    by_role = _by_role(ways) if len(ways) > WAYS_SCANNED_MAX else None
    return Grants(target, ways, by_role, nothing, nothing._replace(answer=UNMET))


def _by_role(ways: tuple[Way, ...]) -> dict[RoleId, list[Way]]:
    by_role: dict[RoleId, list[Way]] = {}
    for way in ways:
        for role in way.roles:
            by_role.setdefault(role, []).append(way)
    return by_role


def near(grants: Grants, roles: tuple[RoleId, ...]) -> Iterable[Way]:
    """Return the ways that may be open to the roles, in the order of claims."""
    if grants.by_role is None:
        return grants.ways
    found = {way.candidate.order: way for role in roles for way in grants.by_role.get(role, ())}
    return [found[order] for order in sorted(found)]


def decide(  # noqa: PLR0917 - called once a decision: keywords would cost a tenth of it
    holder: Holder, grants: Grants, roles: tuple[RoleId, ...], context: Context
) -> Verdict:
    """Return what the active roles get: the first way that is open to one and whose tests pass."""
    matched = False
    for holding, candidate, verdict in (
        grants.ways if grants.by_role is None else near(grants, roles)
    ):
        if holding.isdisjoint(roles):
            continue
        if candidate.free or (
            passes(candidate, context)
            and (
                not candidate.attributes
                or all_hold(candidate.attributes, situation(holder, grants, context))
            )
        ):
            return verdict
        matched = True
    return grants.unmet if matched else grants.nothing


def situation(holder: Holder, grants: Grants, context: Context) -> Situation:
    """Return what the constraints see."""
    stored = holder.principal
    return Situation(context, stored.id, stored.attributes, grants.target.attributes)
