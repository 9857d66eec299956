"""Sessions: the roles that a principal has chosen, kept for a while, and who may choose which.

NIST/ANSI INCITS 359 CreateSession, AddActiveRole and DropActiveRole. A session is no fact of the
organization. What may be chosen is judged by the predicates of the decision itself, and a request
in a session is one with its roles as `active_roles`: so the decision needs no rule for sessions.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from grantproof.core.commands.language import ChangeSet, Command, DeletePrincipal
from grantproof.core.duty import active_roles, dynamic_clash
from grantproof.core.errors import AlreadyExists, Illegal, Missing, OverLimit
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId, SessionId
from grantproof.core.limits import (
    ACTOR_LENGTH_MAX,
    INSTANT_MAX,
    INSTANT_MIN,
    ROLES_PER_SESSION_MAX,
    SESSION_SECONDS_MAX,
)
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from grantproof.core.policy import SessionClash, Suspended


@dataclass(frozen=True, slots=True)
class Session:
    """A principal's chosen roles, from `created_at` until before `expires_at` (epoch seconds).

    `opened_by` names the caller who opened it. `version` counts its changes, from 1.
    """

    id: SessionId
    principal: PrincipalId
    roles: frozenset[RoleId]
    created_at: int
    expires_at: int
    opened_by: str
    version: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no session; raises `Illegal`."""
        if len(self.roles) > ROLES_PER_SESSION_MAX:
            raise Illegal("roles", f"must be at most {ROLES_PER_SESSION_MAX}")
        if not INSTANT_MIN <= self.created_at <= INSTANT_MAX:
            raise Illegal("created_at", f"must be {INSTANT_MIN} to {INSTANT_MAX} seconds")
        if self.expires_at > INSTANT_MAX:
            raise Illegal("expires_at", f"must be at most {INSTANT_MAX} seconds")
        if not 0 < self.expires_at - self.created_at <= SESSION_SECONDS_MAX:
            rule = f"must be 1 to {SESSION_SECONDS_MAX} seconds after the session is opened"
            raise Illegal("expires_at", rule)
        if len(self.opened_by) > ACTOR_LENGTH_MAX:
            raise Illegal("opened_by", "is too long")
        if self.version < 1:
            raise Illegal("version", "must be at least 1")

    def lasts(self, instant: int) -> bool:
        """Return whether it has not expired at the instant."""
        return instant < self.expires_at

    def having(self, roles: AbstractSet[RoleId]) -> "Session":
        """Return its next version, with these roles chosen."""
        return replace(self, roles=frozenset(roles), version=self.version + 1)


@dataclass(frozen=True, slots=True)
class NoSession:
    """The principal has no such session: it never was, has ended, or is somebody else's."""


@dataclass(frozen=True, slots=True)
class NotHeld:
    """The principal does not hold the roles, not even inherited, at the instant (epoch seconds)."""

    principal: PrincipalId
    roles: tuple[RoleId, ...]
    instant: int


SessionRefusal = Missing | AlreadyExists | Suspended | NotHeld | SessionClash | OverLimit
"""Why a session is not opened, widened or narrowed: the witness, as a value."""

TOO_MANY_ROLES: Final = OverLimit("roles of a session", ROLES_PER_SESSION_MAX)
NO_ROLES: Final[frozenset[RoleId]] = frozenset()
CHOOSING: Final = Action("choose")
"""Fills a request of which only the principal and the roles are looked at."""


def refused_to_choose(
    state: Organization,
    principal: PrincipalId,
    new: frozenset[RoleId],
    *,
    instant: int,
    chosen: frozenset[RoleId] = NO_ROLES,
) -> SessionRefusal | None:
    """Return why a session of the principal may not have `new` roles beside those `chosen`.

    New ones must be held at the instant, inherited ones count. What is active then must break no
    dynamic set, as the decision sees it: of the chosen ones only those still held. P-DSD.
    """
    stored = state.principals.get(principal)
    if stored is None:
        return Missing("principal", (principal,))
    if not stored.active:
        return Suspended()
    for role in sorted(new):
        if role not in state.roles:
            return Missing("role", (role,))
    lacking = new - effective_roles(state, principal, instant)
    if len(lacking) > 0:
        return NotHeld(principal, tuple(sorted(lacking)), instant)
    if len(chosen | new) > ROLES_PER_SESSION_MAX:
        return TOO_MANY_ROLES
    return session_clash(state, session_roles(state, principal, chosen | new, instant=instant))


def refused_to_add(
    state: Organization, session: Session, role: RoleId, *, instant: int
) -> SessionRefusal | None:
    """Return why the session may not have one role more [AddActiveRole]."""
    if role in session.roles:
        return AlreadyExists("active role", (session.id, role))
    new = frozenset({role})
    return refused_to_choose(state, session.principal, new, instant=instant, chosen=session.roles)


def refused_to_drop(session: Session, role: RoleId) -> Missing | None:
    """Return why the session cannot lose the role [DropActiveRole]: it was not chosen."""
    return None if role in session.roles else Missing("active role", (session.id, role))


def session_roles(
    state: Organization,
    principal: PrincipalId,
    chosen: frozenset[RoleId] | None,
    *,
    instant: int,
) -> frozenset[RoleId]:
    """Return the roles active in a session that chose these [SessionRoles]; all without one."""
    organization = ResourceId(f"organization:{state.id}")
    request = Request(principal, CHOOSING, organization, active_roles=chosen)
    return active_roles(state, request, instant)


def session_clash(state: Organization, active: frozenset[RoleId]) -> SessionClash | None:
    """Return what of the active roles breaks a dynamic set, as a decision says it; or nothing."""
    sod_set = dynamic_clash(state, active)
    if sod_set is None:
        return None
    return SessionClash(sod_set.id, tuple(sorted(sod_set.roles & active)), sod_set.n)


def in_force(request: Request, session: Session | None, instant: int) -> bool:
    """Return whether the session counts for the request: it lasts, and is its principal's."""
    return session is not None and session.principal == request.principal and session.lasts(instant)


def within(request: Request, session: Session | None, instant: int) -> Request:
    """Return the request with the session's roles, or with none where there is no such session.

    With none active it is denied, whatever the organization says. What the request itself chose is
    not looked at: nobody may give both.
    """
    if session is not None and in_force(request, session, instant):
        return replace(request, active_roles=session.roles)
    return replace(request, active_roles=NO_ROLES)


def ended_by(command: Command) -> frozenset[PrincipalId]:
    """Return whose sessions end with the command: of principals that it deletes.

    Also of one that the same command makes anew: nobody inherits a session with an id.
    """
    commands = command.commands if isinstance(command, ChangeSet) else (command,)
    return frozenset(one.principal for one in commands if isinstance(one, DeletePrincipal))
