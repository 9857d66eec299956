"""An inductive invariant of a problem that excludes its goal, and the check that it is one.

The check reads the problem and the invariant alone, not the slice or the search that found it. It
is the definition, with one lemma. Say that roles `low` are *below* `high` when `high` has every
positive role of `low`, and `low` every negative role of `high`. A condition is *tracked* when all
its seniors are in the set of its polarity; one that is not counts as met. If `low` is below `high`
and a rule applies to `low`, then every tracked condition of it is met at `high`, and the results
are below each other again. So it is enough to look at what rules make of the sets of the invariant.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from grantproof.analysis.reachability.problem import CanRevoke, Problem, Roles, Rule


@dataclass(frozen=True, slots=True)
class Invariant:
    """Always, each user's assigned roles are below one of `anyone`.

    Those of the goal's user, if it names one, are below one of `goal_user`. `admins` are the roles
    by which somebody may act; of tracked roles no others are ever held by anybody.
    """

    positive: Roles
    negative: Roles
    admins: Roles
    anyone: frozenset[Roles]
    goal_user: frozenset[Roles]


@dataclass(frozen=True, slots=True)
class NeverMet:
    """Nobody ever meets one of `anyone`, nor the goal's user, if it names one, one of `goal_user`.

    Each says which roles are held and which are not. Only for rules without inheritance.
    """

    anyone: frozenset[tuple[Roles, Roles]]
    goal_user: frozenset[tuple[Roles, Roles]]


def gaps(problem: Problem, proof: NeverMet) -> tuple[str, ...]:
    """Return why the conditions do not show that the goal is out of reach: nothing if they do.

    Nobody may meet one to begin with. And whoever meets one after a step must have met one before,
    or the step must have taken an administrative role that nobody ever holds.
    """
    goal, aimed = problem.goal, proof.anyone | proof.goal_user
    final = proof.anyone if goal.user is None else aimed
    nothing: Roles = frozenset()
    found = ["there is inheritance"] if any(problem.parents.values()) else []
    if (frozenset({goal.role}), nothing) not in final:
        found.append("the goal is not among the conditions")
    for user, roles in problem.users.items():
        if any(
            held <= roles and unheld.isdisjoint(roles)
            for held, unheld in (final if user == goal.user else proof.anyone)
        ):
            found.append(f"`{user}` meets a condition to begin with")
    absent = {role for role in problem.roles if (frozenset({role}), nothing) in proof.anyone}
    for kept in (proof.anyone, final):
        for held, unheld in kept:
            found.extend(
                f"a step at `{rule.target}` leads to a condition from outside"
                for rule in problem.rules
                if rule.admin not in absent
                for before in _before(rule, held, unheld)
                if not _implied(before, kept)
            )
    return tuple(found)


def _before(rule: Rule, held: Roles, unheld: Roles) -> Iterator[tuple[Roles, Roles]]:
    """Yield what must have been for the rule to have made the condition true."""
    if isinstance(rule, CanRevoke):
        if rule.target in unheld:
            yield held, unheld - {rule.target}
        return
    needed, avoided = (held - {rule.target}) | rule.positive, unheld | rule.negative
    if rule.target in held and rule.target not in unheld and needed.isdisjoint(avoided):
        yield needed, avoided


def _implied(before: tuple[Roles, Roles], kept: frozenset[tuple[Roles, Roles]]) -> bool:
    """Return whether who meets `before` meets one of the conditions that are kept."""
    if before in kept:
        return True
    needed, avoided = before
    return any(held <= needed and unheld <= avoided for held, unheld in kept)


def violations(problem: Problem, invariant: Invariant) -> tuple[str, ...]:
    """Return why the invariant does not show that the goal is out of reach: nothing if it does."""
    goal, tracked = problem.goal, _tracked(problem, invariant.positive)
    aimed = invariant.anyone if goal.user is None else invariant.goal_user
    found = [
        f"`{user}` begins outside"
        for user, assigned in problem.users.items()
        if not _inside(invariant, aimed if user == goal.user else invariant.anyone)(assigned)
    ]
    if goal.role not in tracked:
        found.append("the goal is not tracked")
    if any(goal.role in problem.effective(roles) for roles in aimed):
        found.append("the goal is inside")
    acting = tracked & {rule.admin for rule in problem.rules}
    for roles in invariant.anyone | aimed:
        beyond = (acting & problem.effective(roles)) - invariant.admins
        found.extend(f"`{admin}` is held and does not count as acting" for admin in sorted(beyond))
    for kept in (invariant.anyone, aimed):
        found.extend(_escapes(problem, invariant, kept))
    return tuple(found)


def _escapes(problem: Problem, invariant: Invariant, kept: frozenset[Roles]) -> Iterator[str]:
    """Yield each rule that leads from a set of the invariant to roles that are below none."""
    positive = _tracked(problem, invariant.positive)
    negative = _tracked(problem, invariant.negative)
    # An administrative role that is not tracked counts as held.
    absent = positive - invariant.admins
    assigning = [
        (rule.positive & positive, rule.negative & negative, rule.target)
        for rule in problem.can_assign
        if rule.target in invariant.positive and rule.admin not in absent
    ]
    revoking = frozenset(
        rule.target
        for rule in problem.can_revoke
        if rule.target in invariant.negative and rule.admin not in absent
    )
    inside = _inside(invariant, kept)
    for roles in kept:
        effective = problem.effective(roles)
        for wanted, unwanted, target in assigning:
            applies = wanted <= effective and unwanted.isdisjoint(effective)
            if applies and not inside(roles | {target}):
                yield f"to assign `{target}` leads out"
        for target in sorted(revoking & roles):
            if not inside(roles - {target}):
                yield f"to revoke `{target}` leads out"


def _inside(invariant: Invariant, kept: Iterable[Roles]) -> Callable[[Roles], bool]:
    """Return the question whether roles are below one of the sets that are kept."""
    positive, negative = invariant.positive, invariant.negative
    # What is below another agrees with it on the roles of both polarities.
    alike: dict[Roles, list[Roles]] = {}
    for roles in kept:
        alike.setdefault(roles & positive & negative, []).append(roles)

    def inside(low: Roles) -> bool:
        candidates = alike.get(low & positive & negative, ())
        return any(low & positive <= high and high & negative <= low for high in candidates)

    return inside


def _tracked(problem: Problem, among: Roles) -> Roles:
    """Return the roles all of whose seniors are among these."""
    return frozenset(role for role in among if problem.seniors({role}) <= among)
