"""Obligations and their verdicts: proved, refuted, or undetermined, which is never a pass.

Each obligation is decided with three random seeds, under a time limit.
"""

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

import z3

from specs.kernel.vacuity import satisfiable
from specs.kernel.values import Clause, Dated

SEEDS: Final = (0, 7, 41)
WORK_LIMIT: Final = 50_000_000
TIME_LIMIT_MS: Final = 60_000
"""For each obligation: so much of Z3's work, the same on every machine, and at most so long."""

Verdict = Literal["proved", "refuted", "undetermined", "vacuous", "unsupported"]


@dataclass(frozen=True)
class Theorem:
    """Under the hypotheses every goal holds; `names` are the strings that it speaks about.

    With `stepwise` a goal, once proved, is a hypothesis of those after it. `scene` is what the
    hypotheses must leave possible: what the theorem is about. `possible_as` names the theorem that
    shows it, where this one supposes no more than that one, what holds anyway apart.
    """

    property_id: str
    name: str
    hypotheses: tuple[Clause, ...]
    goals: tuple[Clause, ...]
    names: tuple[z3.ExprRef, ...] = ()
    stepwise: bool = False
    scene: tuple[Clause, ...] = ()
    possible_as: str = ""


@dataclass(frozen=True)
class Result:
    """The verdict on a theorem, how many goals it has, and the seconds they took.

    `detail` names the goal that is not proved, with a model where it is refuted; `used` and
    `unused` name the hypotheses that some goal needs, and that none does; `possible_as` names the
    theorem whose world is one for this, too; `reads` are the functions whose source it is about.
    """

    property_id: str
    name: str
    verdict: Verdict
    goals: int = 0
    seconds: float = 0.0
    detail: str = ""
    used: frozenset[str] = frozenset()
    unused: tuple[str, ...] = ()
    possible_as: str = ""
    reads: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Whether every goal is proved."""
        return self.verdict == "proved"


@dataclass(frozen=True)
class Answer:
    """What Z3 says of one goal: the verdict, a model or a reason, the hypotheses it used."""

    verdict: Verdict
    detail: str = ""
    used: frozenset[str] = frozenset()


def decide(theorem: Theorem, seeds: tuple[int, ...] = SEEDS) -> Result:
    """Return the verdict: proved only if every goal is, by every seed, and not vacuously."""
    started = time.perf_counter()
    used: set[str] = set()
    answer = Answer("proved")
    for seed in seeds:
        answer = decided(theorem, seed)
        used |= answer.used
        if answer.verdict != "proved":
            break
    if answer.verdict == "proved" and not theorem.possible_as and not possible(theorem):
        answer = Answer("vacuous", "no world found in which the hypotheses hold")
    unused = tuple(sorted({name for name, _ in theorem.hypotheses} - used))
    seconds = time.perf_counter() - started
    result = Result(theorem.property_id, theorem.name, answer.verdict, len(theorem.goals), seconds)
    told = replace(result, detail=answer.detail, used=frozenset(used), unused=unused)
    return replace(told, possible_as=theorem.possible_as)


def possible(theorem: Theorem) -> bool:
    """Return whether there is a world that the theorem is about."""
    return satisfiable((*theorem.hypotheses, *theorem.scene), theorem.names)


def decided(theorem: Theorem, seed: int, work: int = WORK_LIMIT) -> Answer:
    """Return what one seed says of all goals, or of the first that it does not prove.

    What is owed comes first, in the order of the source, each before what is assumed later.
    """
    solver = supposing(
        [one for one in theorem.hypotheses if not isinstance(one, Dated)], seed, work
    )
    later = [one for one in theorem.hypotheses if isinstance(one, Dated)]
    used: frozenset[str] = frozenset()
    for clause in sorted(theorem.goals, key=date):
        while later and later[0].at < date(clause):
            suppose(solver, f"assumed {later[0].at}", later.pop(0))
        name, goal = clause
        solver.push()
        solver.add(z3.Not(goal))
        verdict = solver.check()
        if verdict == z3.sat:
            return Answer("refuted", f"{name}: {told(solver.model())}")
        if verdict != z3.unsat:
            return Answer("undetermined", f"{name}: {solver.reason_unknown()}")
        used |= core(solver)
        solver.pop()
        if theorem.stepwise:
            solver.add(goal)
    return Answer("proved", used=used)


def date(clause: Clause) -> float:
    """Return how much had been assumed when the clause came up: all, where it is of no date."""
    return clause.at if isinstance(clause, Dated) else math.inf


def supposing(hypotheses: Iterable[Clause], seed: int, work: int = WORK_LIMIT) -> z3.Solver:
    """Return a solver that supposes the hypotheses and keeps track of which it uses."""
    solver = z3.Solver()
    solver.set("timeout", TIME_LIMIT_MS)
    solver.set("rlimit", work)
    solver.set("random_seed", seed)
    solver.set("unsat_core", True)
    for number, clause in enumerate(hypotheses):
        suppose(solver, str(number), clause)
    return solver


def suppose(solver: z3.Solver, number: str, clause: Clause) -> None:
    """Suppose the clause too, tracked under its number and name."""
    name, hypothesis = clause
    solver.assert_and_track(hypothesis, f"{number}|{name}")


def core(solver: z3.Solver) -> frozenset[str]:
    """Return the names of the hypotheses that the refutation used."""
    return frozenset(str(tracked).partition("|")[2] for tracked in solver.unsat_core())


def told(model: z3.ModelRef) -> str:
    """Return a model as text, without what only tracks hypotheses."""
    shown = [known for known in model.decls() if "|" not in known.name()]
    return ", ".join(f"{known.name()} = {model[known]}" for known in shown)
