"""The compiled form that production asks: what `policy.evaluate` says, in a few lookups.

Of each principal it keeps the roles assigned to it; of each action and resource, for every role,
the claims that the role holds or inherits. Both are compiled when first asked for and forgotten
when a change touches them, so that following a change costs what it touches. P-INDEX: the answer
equals the reference's. An index has one owner: whoever asks it also lets it follow.
"""

from typing import Final, NamedTuple

from grantproof.core.candidates import Candidate, compile_claim
from grantproof.core.certificate import issue
from grantproof.core.constraints import Context, Situation
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
    Holder,
    Unmet,
    Verdict,
    decide,
    grants_of,
    near,
    situation,
)

UNKNOWN_PRINCIPAL: Final = UnknownPrincipal()
SUSPENDED: Final = Suspended()
UNKNOWN_RESOURCE: Final = UnknownResource()
NO_ROLE: Final = NoRole()

# Actions that no claim names share the entries of one key: only `Any` can match them.
UNNAMED: Final = ""
UNNAMED_ADMINISTRATIVE: Final = "!"


class Meeting(NamedTuple):
    """A holder with active roles and the grants it asks for; `until` as in a verdict."""

    holder: Holder
    grants: Grants
    roles: tuple[RoleId, ...]
    until: int | None


class Index:
    """Answers requests on one organization at its current revision, `state`."""

    __slots__ = ("_below", "_candidates", "_grants", "_holders", "_named", "_unregistered", "state")

    def __init__(self, state: Organization) -> None:
        self.state = state
        self._holders: dict[str, Holder] = {}
        self._grants: dict[str, dict[str, Grants]] = {}
        self._unregistered: dict[str, dict[str, Grants]] = {}
        self._candidates: dict[ClaimId, Candidate] = {}
        self._below: dict[RoleId, frozenset[RoleId]] = {}
        self._named: dict[str, int] = {}
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
        ways = near(met.grants, met.roles)
        matching = [way.candidate.claim for way in ways if not way.roles.isdisjoint(met.roles)]
        return matching, situation(met.holder, met.grants, context)

    def ask(self, request: Request, context: Context) -> Verdict:
        """Return the verdict; a certificate of an allow is made by `decide` on demand."""
        holder = self._holders.get(request.principal)
        entries = self._grants.get(request.action)
        if holder is not None and entries is not None and request.active_roles is None:
            roles = holder.ready
            grants = entries.get(request.resource)
            if roles is not None and grants is not None:
                kind = request.kind
                if kind is None or kind == grants.target.kind:
                    return decide(holder, grants, roles, context)
        return self._ask_closely(request, context)

    def _ask_closely(self, request: Request, context: Context) -> Verdict:
        met = self._meet(request, context.instant)
        if isinstance(met, Verdict):
            return met
        verdict = decide(met.holder, met.grants, met.roles, context)
        return verdict if met.until is None else verdict._replace(until=met.until)

    def _meet(self, request: Request, instant: int) -> Meeting | Verdict:
        """Return who and what meet in the request, or why nothing does."""
        holder = self._holders.get(request.principal) or self._compile_holder(request.principal)
        if holder is None:
            return Verdict(UNKNOWN_PRINCIPAL)
        if not holder.principal.active:
            return Verdict(SUSPENDED)
        grants = self._find_grants(request)
        if grants is None:
            return Verdict(UNKNOWN_RESOURCE)
        until = _next_boundary(holder, instant) if holder.timed else None
        if holder.timed or request.active_roles is not None:
            roles, clash = self._active(request, instant)
        else:
            roles, clash = holder.steady, holder.clash
        if clash is not None:
            return Verdict(clash, until)
        if not roles:
            return Verdict(NO_ROLE, until)
        return Meeting(holder, grants, roles, until)

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
            self._holders.pop(principal, None)
        for action, resources in old.resources:
            for key in self._keys(action):
                entries = self._grants.get(key)
                if entries is not None and resources is None:
                    entries.clear()
                elif entries is not None and resources is not None:
                    for resource in resources:
                        entries.pop(resource, None)
        if old.kinds:
            for key in tuple(self._unregistered):
                self._unregistered[key].clear()

    def _keys(self, action: str | None) -> tuple[str, ...]:
        return tuple(self._grants) if action is None else (action,)

    def _count_action(self, claim: Claim, step: int) -> None:
        if not isinstance(claim.action, Exactly):
            return
        action = str(claim.action.value)
        count = self._named.get(action, 0) + step
        if count > 0:
            self._named[action] = count
        else:
            self._named.pop(action, None)
            self._grants.pop(action, None)
            self._unregistered.pop(action, None)

    def _key(self, action: str) -> str:
        if action in self._named:
            return action
        return UNNAMED_ADMINISTRATIVE if action in ADMINISTRATIVE_ACTIONS else UNNAMED

    def _compile_holder(self, principal: PrincipalId) -> Holder | None:
        stored = self.state.principals.get(principal)
        if stored is None:
            return None
        assigned = _assignments(self.state, principal)
        steady = tuple(sorted({role for role, validity in assigned if validity == ALWAYS}))
        timed = tuple((role, validity) for role, validity in assigned if validity != ALWAYS)
        active = closure(steady, self.state.roles.parents)
        clash = session_clash(self.state, active)
        simple = stored.active and len(timed) == 0 and clash is None and len(steady) > 0
        holder = Holder(stored, steady, timed, clash, steady if simple else None)
        self._holders[str(principal)] = holder
        return holder

    def _find_grants(self, request: Request) -> Grants | None:
        key = self._key(request.action)
        entries = self._grants.get(key)
        grants = None if entries is None else entries.get(request.resource)
        if grants is None:
            return self._compile_grants(request, key)
        kind = request.kind
        return grants if kind is None or kind == grants.target.kind else None

    def _compile_grants(self, request: Request, key: str) -> Grants | None:
        target = resolve(self.state, request)
        if target is None:
            return None
        registered = len(target.lineage) > 0
        memo = self._grants if registered else self._unregistered
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

    def _holding(self, role: RoleId) -> frozenset[RoleId]:
        """Return the roles that hold what the role holds: itself and its descendants."""
        below = self._below.get(role)
        if below is None:
            below = self._below[role] = closure({role}, self.state.roles.children)
        return below

    def _candidate(self, claim: Claim) -> Candidate:
        candidate = self._candidates.get(claim.id)
        if candidate is None:
            candidate = self._candidates[claim.id] = compile_claim(claim)
        return candidate

    def _active(
        self, request: Request, instant: int
    ) -> tuple[tuple[RoleId, ...], SessionClash | None]:
        active = active_roles(self.state, request, instant)
        return tuple(active), session_clash(self.state, active)


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
