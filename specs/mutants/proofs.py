"""Which theorem finds a mutant out: asked in turn, the cheapest first, until one fails.

The theorem that says what the function means is asked first, and those about the command; then all
that read its source. Of a theorem only the goals that the change touches are tried, for a short
time: a counterexample is found soon or not at all. What that leaves is decided in full.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import z3

from specs.kernel.proof import Theorem, limited
from specs.kernel.source import Source
from specs.kernel.vacuity import refutes
from specs.kernel.values import Clause, before
from specs.mutants.changes import Mutant
from specs.mutants.walk import is_near
from specs.run import UNREADABLE, verdict
from specs.theorems import statements

SEED: Final = 0
TRIES: Final = (300_000, 3_000_000)
"""How much of Z3's work a goal is tried for: all of them shortly first."""
NUMBERED: Final = re.compile(r"!\d+")


@dataclass(frozen=True)
class Unchanged:
    """A theorem about the source as it is: what marks all of it, and each of its goals."""

    whole: bytes
    goals: frozenset[bytes]


@dataclass(frozen=True)
class Touched:
    """A theorem about the mutant, and those of its goals that are not as they were."""

    stated: Theorem
    goals: tuple[Clause, ...]


def untested(_: Mutant) -> str:
    """Find nothing out: what is held to proofs alone."""
    return ""


def killed(
    mutant: Mutant,
    theorems: Mapping[str, Unchanged],
    tested: Callable[[Mutant], str] = untested,
) -> str:
    """Return by which verdict of which theorem the mutant is found out, or nothing.

    The nearest theorems are asked first, and in full before any other: they are few, and one of
    them nearly always sees it; so does the only one that there is. `tested` is asked after the
    short search in them; where there are none, before all others, which take longer to read.
    """
    alone = len(theorems) == 1
    near = {name: stated for name, stated in theorems.items() if alone or is_near(mutant, name)}
    far = {name: stated for name, stated in theorems.items() if name not in near}
    return killed_by(mutant, near, tested) or killed_by(mutant, far)


def killed_by(
    mutant: Mutant,
    theorems: Mapping[str, Unchanged],
    tested: Callable[[Mutant], str] = untested,
) -> str:
    """Return by which of these theorems, asked in their order, the mutant is found out, or nothing.

    `tested` is asked after the short search in all of them.
    """
    touched: dict[str, Touched] = {}
    for name, unchanged in theorems.items():
        try:
            found = changed(mutant, name, unchanged)
        except UNREADABLE:
            return f"unsupported by {name}"
        if found is not None:
            touched[name] = found
            if objected(found, TRIES[0]):
                return f"refuted by {name}"
    return tested(mutant) or killed_at_length(mutant, touched)


def killed_at_length(mutant: Mutant, touched: Mapping[str, Touched]) -> str:
    """Return by which verdict of a touched theorem the mutant is found out, or nothing."""
    for work in TRIES[1:]:
        for name, found in touched.items():
            if objected(found, work):
                return f"refuted by {name}"
    return decided(mutant, touched)


def decided(mutant: Mutant, theorems: Iterable[str]) -> str:
    """Return the first verdict on one of the theorems that is not `proved`, or nothing."""
    patches = {mutant.module: mutant.text}
    results = (verdict(name, patches, seeds=(SEED,)) for name in theorems)
    return next((f"{one.verdict} by {one.name}" for one in results if not one.holds), "")


def changed(mutant: Mutant, name: str, unchanged: Unchanged) -> Touched | None:
    """Return what the change touches of a theorem, or nothing where it is the same theorem."""
    stated = statements()[name].about(Source({mutant.module: mutant.text}))
    if mark([*stated.hypotheses, *stated.goals]) == unchanged.whole:
        return None
    touched = [goal for goal in stated.goals if mark([goal]) not in unchanged.goals]
    return Touched(stated, tuple(touched) or stated.goals)


def as_it_is(name: str) -> Unchanged:
    """Return what marks a theorem about the source as it is."""
    stated = statements()[name].about(Source())
    goals = frozenset(mark([goal]) for goal in stated.goals)
    return Unchanged(mark([*stated.hypotheses, *stated.goals]), goals)


def mark(clauses: Iterable[Clause]) -> bytes:
    """Return what is the same for clauses that say the same in the same words."""
    return sha256(spelled(clauses).encode()).digest()


def spelled(clauses: Iterable[Clause]) -> str:
    """Return clauses as text in which fresh names are numbered in the order of their occurrence."""
    numbers: dict[str, str] = {}

    def again(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"!{len(numbers)}")

    return NUMBERED.sub(again, "\n".join(f"{name}: {fact.sexpr()}" for name, fact in clauses))


def objected(found: Touched, work: int) -> bool:
    """Return whether a short search finds a counterexample to one of the goals."""
    return any(fails(found.stated, goal, work) for goal in found.goals)


def fails(stated: Theorem, goal: Clause, work: int) -> bool:
    """Return whether a world is found, any or one of a few names, in which the goal fails."""
    known = before(stated.hypotheses, goal)
    solver = limited(z3.Solver(), SEED, work)
    solver.add([*(condition for _, condition in known), z3.Not(goal[1])])
    answer = solver.check()
    if answer != z3.unknown:
        return bool(answer == z3.sat)
    return refutes(known, goal, stated.names, limits=(work,))
