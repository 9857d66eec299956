"""The part of a problem that bears on its goal: the rest changes neither the answer nor its length.

Forward, a rule that needs a role which nobody can ever hold is dropped. Backward, from the goal, a
role matters `positive` when holding it may help and `negative` when not holding it may. Slicing
from the goal is Jha, Li, Tripunitara, Wang, Winsborough 2008 and Ferrara, Madhusudan, Parlato 2013;
two polarities keep shortest sequences too. Take one to the goal and drop every assignment of a role
that is not positive and every revocation of one that is not negative. By induction, each state of
what is left has at least the positive and at most the negative roles of the state it stands for. So
each remaining step is allowed, and the end meets the goal.
"""

from dataclasses import dataclass, replace

from grantproof.analysis.reachability.problem import CanAssign, CanRevoke, Problem, Roles
from grantproof.core.identifiers import RoleId


@dataclass(frozen=True, slots=True)
class Slice:
    """A problem with only the rules that matter, and which roles matter how.

    `never` are the roles that nobody can come to hold. Seniors of a role of any of the three sets
    are in that set too.
    """

    problem: Problem
    positive: Roles
    negative: Roles
    never: Roles


def sliced(problem: Problem) -> Slice:
    """Return the part of the problem that bears on its goal."""
    possible = possible_roles(problem)
    forward = replace(
        problem,
        can_assign=tuple(
            replace(rule, negative=rule.negative & possible)
            for rule in problem.can_assign
            if _available(rule.admin, possible) and rule.positive <= possible
        ),
        can_revoke=tuple(
            rule
            for rule in problem.can_revoke
            if _available(rule.admin, possible) and rule.target in possible
        ),
    )
    positive, negative = relevant(forward)
    kept = replace(
        forward,
        can_assign=tuple(rule for rule in forward.can_assign if rule.target in positive),
        can_revoke=tuple(rule for rule in forward.can_revoke if rule.target in negative),
    )
    return Slice(kept, positive, negative, problem.roles - possible)


def possible_roles(problem: Problem) -> Roles:
    """Return the roles that somebody might come to hold, if nothing forbade and all were one."""
    held = set(problem.effective(role for roles in problem.users.values() for role in roles))
    waiting = list(problem.can_assign)
    grown = True
    while grown:
        grown = False
        later: list[CanAssign] = []
        for rule in waiting:
            if _available(rule.admin, held) and rule.positive <= held:
                grown = grown or rule.target not in held
                held |= problem.effective({rule.target})
            else:
                later.append(rule)
        waiting = later
    return frozenset(held)


def relevant(problem: Problem) -> tuple[Roles, Roles]:
    """Return the roles that may help the goal by being held, and by not being held."""
    assigning: dict[RoleId, list[CanAssign]] = {}
    for rule in problem.can_assign:
        assigning.setdefault(rule.target, []).append(rule)
    revoking: dict[RoleId, list[CanRevoke]] = {}
    for revocation in problem.can_revoke:
        revoking.setdefault(revocation.target, []).append(revocation)
    positive: set[RoleId] = set()
    negative: set[RoleId] = set()
    work = [(role, True) for role in problem.seniors({problem.goal.role})]
    while work:
        role, wanted = work.pop()
        known = positive if wanted else negative
        if role in known:
            continue
        known.add(role)
        if wanted:
            for rule in assigning.get(role, ()):
                needed = rule.positive | _one(rule.admin)
                work.extend((senior, True) for senior in problem.seniors(needed))
                work.extend((senior, False) for senior in problem.seniors(rule.negative))
        else:
            for revocation in revoking.get(role, ()):
                seniors = problem.seniors(_one(revocation.admin))
                work.extend((senior, True) for senior in seniors)
    return frozenset(positive), frozenset(negative)


def _one(role: RoleId | None) -> Roles:
    return frozenset() if role is None else frozenset({role})


def _available(admin: RoleId | None, held: "Roles | set[RoleId]") -> bool:
    return admin is None or admin in held
