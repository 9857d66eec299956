"""What some people can bring about: questions of reachability, from text or an organization."""

from collections.abc import Mapping

from grantproof.analysis.reachability.problem import CanAssign, CanRevoke, Goal, Problem, Roles
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.policyfile.arbac_text import ArbacDocument


def problem_of(
    document: ArbacDocument, *, role: RoleId | None = None, user: PrincipalId | None = None
) -> Problem:
    """Return the problem that the document states; `role` and `user` go before its own goal.

    Raises `Illegal` for a role or a user that the document does not declare.
    """
    held: dict[PrincipalId, set[RoleId]] = {name: set() for name in document.users}
    for name, assigned in document.assignments:
        held[name].add(assigned)
    users: Mapping[PrincipalId, Roles] = {name: frozenset(held[name]) for name in held}
    return Problem(
        roles=frozenset(document.roles),
        users=users,
        can_assign=tuple(
            CanAssign(rule.admin, rule.positive, rule.negative, rule.role)
            for rule in document.can_assign
        ),
        can_revoke=tuple(CanRevoke(*pair) for pair in document.can_revoke),
        goal=Goal(document.goal if role is None else role, user),
    )
