"""The compiled form that production asks: what `policy.evaluate` says, in a few lookups.

Of each principal it keeps the roles assigned to it; of each action and resource, for every role,
the claims that the role holds or inherits. Both are compiled when first asked for and forgotten
when a change touches them, so that following a change costs what it touches. P-INDEX: the answer
equals the reference's. An index has one owner: whoever asks it also lets it follow.
"""

from collections.abc import Iterable
from dataclasses import replace
from enum import Enum
from typing import Final, NamedTuple

from grantproof.core.candidates import Candidate, compile_claim
from grantproof.core.certificate import issue
from grantproof.core.constraints import HOURS_PER_DAY, Constraint, Context, Situation, all_hold
from grantproof.core.duty import active_roles
from grantproof.core.hierarchy import closure, groups_of
from grantproof.core.identifiers import ClaimId, PrincipalId, RoleId
from grantproof.core.matching import Request, Target, action_matches, claims_on, resolve
from grantproof.core.model import (
    ADMINISTRATIVE_ACTIONS,
    ALWAYS,
    Claim,
    Delta,
    Exactly,
    Inheritance,
    Principal,
    Role,
    Validity,
)
from grantproof.core.organization import Organization
from grantproof.core.policy import (
    Allow,
    ConstraintFailed,
    Decision,
    Deny,
    NoRole,
    SessionClash,
    Suspended,
    UnknownPrincipal,
    UnknownResource,
    nearest_failure,
)
from grantproof.core.sessions import session_clash
from grantproof.core.staleness import Stale, stale
from grantproof.core.ways import (
    Grants,
    Looking,
    Ready,
    Table,
    Unmet,
    Verdict,
    decide,
    grants_of,
    matching,
    nobody_looks,
)

UNKNOWN_PRINCIPAL: Final = UnknownPrincipal()
SUSPENDED: Final = Suspended()
UNKNOWN_RESOURCE: Final = UnknownResource()
NO_ROLE: Final = NoRole()


class Unnamed(Enum):
    """Actions that no claim names share the entries of a key: only `Any` can match them."""

    PLAIN = "plain"
    ADMINISTRATIVE = "administrative"


Key = str | Unnamed


class Holder(NamedTuple):
    """The roles of a principal of whom more has to be asked before any of them counts.

    `steady` roles are assigned for ever, `timed` ones for a while. `clash` is what the steady roles
    alone do to dynamic separation of duty.
    """

    steady: tuple[str, ...]
    timed: tuple[tuple[RoleId, Validity], ...]
    clash: SessionClash | None


class Meeting(NamedTuple):
    """A principal with active roles and the grants it asks for; `until` as in a verdict."""

    principal: Principal
    grants: Grants
    roles: tuple[str, ...]
    until: int | None


class Index:
    """Answers requests on one organization at its current revision, `state`.

    `ready` and `table` are what `ways.decide` reads: whoever asks often may ask it directly, and
    here what it has no answer to.
    """

    __slots__ = (
        "_below",
        "_candidates",
        "_holders",
        "_named",
        "_plain",
        "_unregistered",
        "ready",
        "state",
        "table",
    )

    def __init__(self, state: Organization) -> None:
        self.state = state
        self.ready: dict[str, tuple[str, ...]] = {}
        self._holders: dict[str, Holder] = {}
        self.table: dict[Key, dict[str, Grants]] = {}
        self._unregistered: dict[Key, dict[str, Grants]] = {}
        self._candidates: dict[ClaimId, Candidate] = {}
        self._below: dict[RoleId, frozenset[str]] = {}
        self._named: dict[str, int] = {}
        self._plain: dict[RoleId, str] = {}
        for claim in state.claims.values():
            self._count_action(claim, 1)

    def decide(self, request: Request, context: Context) -> Decision:
        """Return the decision of `policy.evaluate`, with a certificate of its own."""
        answer = self.ask(request, context).answer
        match answer:
            case Claim():
                return Allow(issue(self.state, request, context, claim=answer))
            case Unmet():
                return Deny(self.nearest(request, context))
            case _:
                return Deny(answer)

    def nearest(self, request: Request, context: Context) -> ConstraintFailed:
        """Return the reason of a verdict `Unmet` that was just given on the same question."""
        return nearest_failure(*self.contest(request, context))

    def contest(self, request: Request, context: Context) -> tuple[list[Claim], Situation]:
        """Return the claims that match, in their order, and what their constraints see.

        Only after a verdict on the same question that is `Unmet` or a claim.
        """
        met = self._meet(request, context.instant)
        if isinstance(met, Verdict):
            message = "no claim matches this question, so none is contested"
            raise TypeError(message)
        return matching(met.grants, met.roles), _situation(met, context)

    def ask(self, request: Request, context: Context) -> Verdict:
        """Return the verdict; a certificate of an allow is made by `decide` on demand."""
        if request.active_roles is None:
            found = _decide((self.ready, self.table), request, context)
            if found is not None:
                return found
        met = self._meet(request, context.instant)
        if isinstance(met, Verdict):
            return met

        def look(constraints: tuple[Constraint, ...]) -> bool:
            return all_hold(constraints, _situation(met, context))

        ready = {str(request.principal): met.roles}
        table = {str(request.action): {str(request.resource): met.grants}}
        found = _decide((ready, table), request, context, looking=look)
        if found is None:
            message = "who and what have met are in the tables"
            raise TypeError(message)
        return found if met.until is None else replace(found, until=met.until)

    def _meet(self, request: Request, instant: int) -> Meeting | Verdict:
        """Return who and what meet in the request, or why nothing does."""
        principal = self.state.principals.get(request.principal)
        if principal is None:
            return Verdict(UNKNOWN_PRINCIPAL)
        if not principal.active:
            return Verdict(SUSPENDED)
        grants = self._find_grants(request)
        if grants is None:
            return Verdict(UNKNOWN_RESOURCE)
        held = self._held(request.principal)
        until = _next_boundary(held, instant) if held.timed else None
        if held.timed or request.active_roles is not None:
            roles, clash = self._active(request, instant)
        else:
            roles, clash = held.steady, held.clash
        if clash is not None:
            return Verdict(clash, until)
        if not roles:
            return Verdict(NO_ROLE, until)
        return Meeting(principal, grants, roles, until)

    def follow(self, after: Organization, delta: Delta) -> None:
        """Move to `after`, the state that the delta makes of this one."""
        if any(isinstance(fact, Inheritance | Role) for fact in (*delta.removed, *delta.added)):
            self._below.clear()
        for fact in delta.removed:
            self._forget(stale(self.state, fact))
            if isinstance(fact, Claim):
                self._candidates.pop(fact.id, None)
                self._count_action(fact, -1)
        self.state = after
        for fact in delta.added:
            self._forget(stale(after, fact))
            if isinstance(fact, Claim):
                self._count_action(fact, 1)

    def _forget(self, old: Stale) -> None:
        for principal in old.principals:
            self.ready.pop(principal, None)
            self._holders.pop(principal, None)
        for action, resources in old.resources:
            for key in self._keys(action):
                entries = self.table.get(key)
                if entries is not None and resources is None:
                    entries.clear()
                elif entries is not None and resources is not None:
                    for resource in resources:
                        entries.pop(resource, None)
        if old.kinds:
            for key in tuple(self._unregistered):
                self._unregistered[key].clear()

    def _keys(self, action: str | None) -> tuple[Key, ...]:
        return tuple(self.table) if action is None else (action,)

    def _count_action(self, claim: Claim, step: int) -> None:
        if not isinstance(claim.action, Exactly):
            return
        action = str(claim.action.value)
        count = self._named.get(action, 0) + step
        if count > 0:
            self._named[action] = count
        else:
            self._named.pop(action, None)
            self.table.pop(action, None)
            self._unregistered.pop(action, None)

    def _key(self, action: str) -> Key:
        if action in self._named:
            return action
        return Unnamed.ADMINISTRATIVE if action in ADMINISTRATIVE_ACTIONS else Unnamed.PLAIN

    def _held(self, principal: PrincipalId) -> Holder:
        """Return the roles of a principal that exists and is active."""
        ready = self.ready.get(principal)
        if ready is not None:
            return Holder(ready, (), None)
        return self._holders.get(principal) or self._compile_holder(principal)

    def _compile_holder(self, principal: PrincipalId) -> Holder:
        assigned = _assignments(self.state, principal)
        lasting = sorted({role for role, validity in assigned if validity == ALWAYS})
        timed = tuple((role, validity) for role, validity in assigned if validity != ALWAYS)
        clash = session_clash(self.state, closure(lasting, self.state.roles.parents))
        steady = self._shared(lasting)
        holder = Holder(steady, timed, clash)
        if len(steady) > 0 and len(timed) == 0 and clash is None:
            self.ready[str(principal)] = steady
        else:
            self._holders[str(principal)] = holder
        return holder

    def _find_grants(self, request: Request) -> Grants | None:
        key = self._key(request.action)
        entries = self.table.get(key)
        grants = None if entries is None else entries.get(request.resource)
        if grants is None:
            return self._compile_grants(request, key)
        kind = request.kind
        return grants if kind is None or kind == grants.target.kind else None

    def _compile_grants(self, request: Request, key: Key) -> Grants | None:
        target = resolve(self.state, request)
        if target is None:
            return None
        registered = len(target.lineage) > 0
        memo = self.table if registered else self._unregistered
        entries = memo.setdefault(key, {})
        name = str(request.resource) if registered else str(target.kind)
        found = entries.get(name)
        if found is None:
            found = self._grants_on(request, target)
            entries[name] = found
        return found

    def _grants_on(self, request: Request, target: Target) -> Grants:
        held = (
            (self._candidate(claim), self._holding(claim.role))
            for claim in claims_on(self.state, target)
            if action_matches(claim.action, request.action)
        )
        return grants_of(target, held)

    def _holding(self, role: RoleId) -> frozenset[str]:
        """Return the roles that hold what the role holds: itself and its descendants."""
        below = self._below.get(role)
        if below is None:
            below = frozenset(self._shared(closure({role}, self.state.roles.children)))
            self._below[role] = below
        return below

    def _shared(self, roles: Iterable[RoleId]) -> tuple[str, ...]:
        """Return the roles, each always as the same plain string: those are found fastest."""
        plain = self._plain
        return tuple(plain.setdefault(role, str(role)) for role in roles)

    def _candidate(self, claim: Claim) -> Candidate:
        candidate = self._candidates.get(claim.id)
        if candidate is None:
            candidate = self._candidates[claim.id] = compile_claim(claim)
        return candidate

    def _active(
        self, request: Request, instant: int
    ) -> tuple[tuple[str, ...], SessionClash | None]:
        active = active_roles(self.state, request, instant)
        return tuple(active), session_clash(self.state, active)


def _decide(
    tables: tuple[Ready, Table],
    request: Request,
    context: Context,
    *,
    looking: Looking = nobody_looks,
) -> Verdict | None:
    return decide(
        *tables,
        request.principal,
        request.action,
        request.resource,
        request.kind,
        HOURS_PER_DAY * context.weekday + context.hour,
        context.region,
        context.usage,
        context.rate,
        looking,
    )


def _situation(met: Meeting, context: Context) -> Situation:
    """Return what constraints see."""
    stored = met.principal
    return Situation(context, stored.id, stored.attributes, met.grants.target.attributes)


def _assignments(
    state: Organization, principal: PrincipalId
) -> tuple[tuple[RoleId, Validity], ...]:
    direct = state.assignments.of(principal).items()
    through_groups = (
        pair
        for group in groups_of(state, principal)
        for pair in state.group_assignments.of(group).items()
    )
    return (*direct, *through_groups)


def _next_boundary(holder: Holder, instant: int) -> int | None:
    boundaries = (edge for _, validity in holder.timed for edge in (validity.start, validity.end))
    return min((edge for edge in boundaries if edge is not None and edge > instant), default=None)
