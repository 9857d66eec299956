"""The claims on one action and resource, compiled: who gets through, and by which of them.

One pass over the ways in the order of claims: the first that is open to one of the roles is the
certificate's claim. P-INDEX: what comes out is what `policy.evaluate` says.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Final, Protocol

from grantproof.core.candidates import Candidate
from grantproof.core.constraints import Constraint
from grantproof.core.matching import Target
from grantproof.core.model import Claim
from grantproof.core.policy import NoMatchingClaim, Reason

NO_MATCHING_CLAIM: Final = NoMatchingClaim()

WAYS_SCANNED_MAX: Final = 16
"""Up to so many claims are looked through one by one; of more, those of the roles are found."""

Looking = Callable[[tuple[Constraint, ...]], bool]
"""Tells whether all of the constraints hold where the request is made."""


@dataclass(frozen=True, slots=True)
class Unmet:
    """Claims match and no one's constraints hold: `Index.nearest` says which came nearest."""


UNMET: Final = Unmet()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The granting claim or the reason of a deny, and what could change it.

    `until` is the next instant (epoch seconds) at which an assignment of the principal starts or
    ends; `hourly` says whether the hour, weekday or year matters, `used` and `rated` whether usage
    and rate do, `yearly` whether the year does, which nobody can supply. `allowed` says at once
    whether the answer is a claim, `claim_id` which: as a plain string, which is written fastest.
    """

    answer: Claim | Reason | Unmet
    until: int | None = None
    hourly: bool = False
    used: bool = False
    rated: bool = False
    yearly: bool = False
    allowed: bool = field(init=False)
    claim_id: str | None = field(init=False)

    def __post_init__(self) -> None:
        answer = self.answer
        claim_id = str(answer.id) if isinstance(answer, Claim) else None
        object.__setattr__(self, "claim_id", claim_id)
        object.__setattr__(self, "allowed", claim_id is not None)

    @property
    def metered(self) -> bool:
        """Whether what is counted matters."""
        return self.used or self.rated

    def hangs_on(self, usage: int | None, rate: int | None) -> bool:
        """Return whether counts that are not given bear on it: an unmetered claim needs none."""
        if not (self.used and usage is None) and not (self.rated and rate is None):
            return False
        answer = self.answer
        return isinstance(answer, Unmet) or (isinstance(answer, Claim) and answer.metered)


Way = tuple[
    frozenset[str],
    bytes | None,
    frozenset[str] | None,
    int | None,
    int | None,
    tuple[Constraint, ...],
    Verdict,
    Candidate,
]
"""A claim on one action and resource as one row: the roles that hold or inherit it, its tests.

The tests are those of its candidate: hours, regions, usage below, rate below, closer. The verdict
is the answer to whom it is open. A row without names, as only plain tuples are unpacked at once.
"""


@dataclass(frozen=True, slots=True)
class Grants:
    """The ways to one action and resource, in the order of claims.

    `by_role` finds those of a role where there are many. `plain` says that no way is looked at more
    closely. `nothing` is the verdict on who has none, `unmet` on whose constraints all fail.
    """

    ways: tuple[Way, ...]
    by_role: dict[str, list[Way]] | None
    plain: bool
    nothing: Verdict
    unmet: Verdict
    target: Target


Ready = Mapping[str, tuple[str, ...]]
"""The roles of principals of whom nothing else has to be asked."""


class Table(Protocol):
    """What was compiled, by action and resource."""

    def __getitem__(self, action: str, /) -> Mapping[str, Grants]: ...


def nobody_looks(_closer: tuple[Constraint, ...]) -> bool:
    """Return that they do not hold: what nobody looks at never grants."""
    return False


def decide(  # noqa: PLR0917 - called once a decision: keywords would cost a tenth of it
    ready: Ready,
    table: Table,
    principal: str,
    action: str,
    resource: str,
    kind: str | None,
    at: int,
    region: str | None,
    usage: int | None,
    rate: int | None,
    looking: Looking = nobody_looks,
) -> Verdict | None:
    """Return what the principal gets: the first way that is open to a role and whose tests pass.

    `at` is the hour of the week, 24 * weekday + hour. Nothing is returned about what is not in the
    tables, is of another kind or takes a closer look while nobody is `looking`. Names need not be
    legal ones: none that is not stands in a table.
    """
    try:
        roles = ready[principal]
        grants = table[action][resource]
    except KeyError:
        return None
    if kind is not None and kind != grants.target.kind:
        return None
    if not grants.plain and looking is nobody_looks:
        return None
    by_role = grants.by_role
    verdict = grants.nothing
    for holding, hours, regions, usage_below, rate_below, closer, granted, _ in (
        grants.ways if by_role is None else near(by_role, roles)
    ):
        if holding.isdisjoint(roles):
            continue
        if (
            (hours is None or hours[at])
            and (regions is None or region in regions)
            and (usage_below is None or (usage is not None and usage < usage_below))
            and (rate_below is None or (rate is not None and rate < rate_below))
            and (not closer or looking(closer))
        ):
            return granted
        verdict = grants.unmet
    return verdict


def grants_of(target: Target, held: Iterable[tuple[Candidate, frozenset[str]]]) -> Grants:
    """Compile the claims that match, each with the roles that hold or inherit it."""
    ordered = sorted(held, key=lambda pair: pair[0].order)
    nothing, unmet = _denied(
        any(candidate.hourly for candidate, _ in ordered),
        any(candidate.usage_below is not None for candidate, _ in ordered),
        any(candidate.rate_below is not None for candidate, _ in ordered),
        any(candidate.yearly for candidate, _ in ordered),
    )
    ways = tuple(_way(candidate, roles, nothing) for candidate, roles in ordered)
    by_role = _by_role(ways) if len(ways) > WAYS_SCANNED_MAX else None
    plain = all(len(candidate.closer) == 0 for candidate, _ in ordered)
    return Grants(ways, by_role, plain, nothing, unmet, target)


@cache
def _denied(*of: bool) -> tuple[Verdict, Verdict]:
    # A dozen of each for all grants: what many decisions end with is near at hand.
    return Verdict(NO_MATCHING_CLAIM, None, *of), Verdict(UNMET, None, *of)


def _way(candidate: Candidate, roles: frozenset[str], nothing: Verdict) -> Way:
    return (
        roles,
        candidate.hours,
        candidate.regions,
        candidate.usage_below,
        candidate.rate_below,
        candidate.closer,
        replace(nothing, answer=candidate.claim),
        candidate,
    )


def _by_role(ways: tuple[Way, ...]) -> dict[str, list[Way]]:
    by_role: dict[str, list[Way]] = {}
    for way in ways:
        for role in way[0]:
            by_role.setdefault(role, []).append(way)
    return by_role


def matching(grants: Grants, roles: tuple[str, ...]) -> list[Claim]:
    """Return the claims that the roles hold or inherit, in the order of claims."""
    ways = grants.ways if grants.by_role is None else near(grants.by_role, roles)
    return [candidate.claim for held, *_, candidate in ways if not held.isdisjoint(roles)]


def near(by_role: Mapping[str, list[Way]], roles: tuple[str, ...]) -> list[Way]:
    """Return the ways that one of the roles holds or inherits, in the order of claims."""
    found = {way[-1].order: way for role in roles for way in by_role.get(role, ())}
    return [found[order] for order in sorted(found)]
