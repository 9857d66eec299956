"""How long questions of administrative reachability take, on rules drawn at random.

`python -m bench.reachability` asks for every goal of a sample and prints one line per size.
"""

import random
import time
from collections import Counter
from dataclasses import replace
from typing import Final

from grantproof.analysis.reachability.problem import CanAssign, CanRevoke, Goal, Problem
from grantproof.analysis.reachability.rules import Answer, reach
from grantproof.analysis.reachability.verdicts import Reachable, Unreachable
from grantproof.core.identifiers import PrincipalId, RoleId

SIZES: Final = ((100, 500), (500, 2_500), (1_000, 5_000))
"""Roles and rules."""

USERS: Final = 200
"""Besides, there is one for each administrative role."""
QUESTIONS: Final = 20
SEED: Final = 1


def drawn(roles: int, rules: int, *, seed: int) -> Problem:
    """Return a problem of that size: three rules of four assign, of one role in ten each."""
    chance = random.Random(seed)
    names = [RoleId(f"r{number}") for number in range(roles)]
    admins = names[: roles // 10]

    def some(most: int) -> frozenset[RoleId]:
        return frozenset(chance.sample(names, chance.randint(0, most)))

    assigning = tuple(
        CanAssign(chance.choice(admins), some(3), some(2), chance.choice(names))
        for _ in range(rules * 3 // 4)
    )
    revoking = tuple(
        CanRevoke(chance.choice(admins), chance.choice(names)) for _ in range(rules // 4)
    )
    users = {PrincipalId(f"u{number}"): some(2) for number in range(USERS)}
    # Somebody holds each administrative role, as where administrators are appointed.
    users |= {PrincipalId(f"x{admin}"): frozenset({admin}) for admin in admins}
    return Problem(frozenset(names), users, assigning, revoking, Goal(names[-1]))


def kind(answer: Answer) -> str:
    """Return what the answer is, in a word or two."""
    match answer:
        case Reachable(_, shortest):
            return "reachable" if shortest else "reachable, not known to be shortest"
        case Unreachable(how, _):
            return f"unreachable ({how})"
        case _:
            return "undetermined"


def main() -> None:
    """Print the figures."""
    for roles, rules in SIZES:
        problem = drawn(roles, rules, seed=SEED)
        chance = random.Random(SEED)
        user = min(problem.users)
        seconds: list[float] = []
        kinds: Counter[str] = Counter()
        for goal in chance.sample(sorted(problem.roles), QUESTIONS):
            asked = replace(problem, goal=Goal(goal, user))
            began = time.perf_counter()
            kinds[kind(reach(asked))] += 1
            seconds.append(time.perf_counter() - began)
        seconds.sort()
        told = ", ".join(f"{count} {name}" for name, count in sorted(kinds.items()))
        print(
            f"{roles} roles, {rules} rules, {len(problem.users)} users:"
            f" median {seconds[len(seconds) // 2]:.2f} s, most {seconds[-1]:.2f} s; {told}"
        )


if __name__ == "__main__":
    main()
