"""What some people can bring about: questions of reachability, from text or of an organization.

A search may take long, whatever counts bound it: of an organization it is made apart, within limits
of time and memory, where there is a solver to ask.
"""

from collections.abc import Iterable
from functools import partial

from grantproof.analysis.reachability import collusion, rules
from grantproof.analysis.reachability.problem import CanAssign, CanRevoke, Goal, Problem
from grantproof.analysis.reachability.question import Holds, MayDo, Question
from grantproof.core.identifiers import Action, PrincipalId, ResourceId, RoleId
from grantproof.core.organization import Organization
from grantproof.policyfile.arbac_text import ArbacDocument
from grantproof.service.pip import Supplied, situate, uncounted
from grantproof.service.solving import Answering, Undetermined


def by_rules(
    document: ArbacDocument, *, role: RoleId | None, user: PrincipalId | None
) -> rules.Answer:
    """Return whether somebody can come to hold the role that the document names as its goal.

    `role` is asked about instead, and of `user` alone, where they are given. Raises `Illegal` for
    one that the document does not declare.
    """
    return rules.reach(problem_of(document, role=role, user=user))


def problem_of(
    document: ArbacDocument, *, role: RoleId | None = None, user: PrincipalId | None = None
) -> Problem:
    """Return the problem that the document states, with another goal where one is given."""
    held: dict[PrincipalId, set[RoleId]] = {name: set() for name in document.users}
    for name, assigned in document.assignments:
        held[name].add(assigned)
    return Problem(
        roles=frozenset(document.roles),
        users={name: frozenset(held[name]) for name in held},
        can_assign=tuple(
            CanAssign(rule.admin, rule.positive, rule.negative, rule.role)
            for rule in document.can_assign
        ),
        can_revoke=tuple(CanRevoke(*pair) for pair in document.can_revoke),
        goal=Goal(document.goal if role is None else role, user),
    )


def in_organization(
    state: Organization,
    goal: Holds | MayDo,
    *,
    people: Iterable[PrincipalId],
    principal: PrincipalId,
    instant: int,
    hour: int | None,
    weekday: int | None,
    solver: Answering,
) -> collusion.Answer | Undetermined:
    """Return whether the people can bring about that the principal meets the goal.

    The solver does the work; where it has no answer within its limits, that is returned.

    Their changes are made at the instant (epoch seconds), and at the hour and on the weekday that
    it has in the organization's time zone, unless others are supposed. As with every change, nobody
    says from where it comes.
    """
    supplied = Supplied(hour=hour, weekday=weekday)
    context = situate(instant, state.time_zone, supplied)
    question = Question(frozenset(people), principal, goal, context)
    return solver.ask(partial(collusion.collude, state, question))


def may_do(
    state: Organization,
    action: Action,
    resource: ResourceId,
    *,
    instant: int,
    kind: str | None,
    supplied: Supplied,
) -> MayDo:
    """Return the goal of a request in the context supplied; nothing has been used as yet."""
    context = situate(instant, state.time_zone, uncounted(supplied))
    return MayDo(action, resource, context, kind)
