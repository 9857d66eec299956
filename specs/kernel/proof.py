"""Obligations and their verdicts: proved, refuted, or undetermined, which is never a pass.

Each obligation is decided with three random seeds, under a limit of work. The first starts from all
hypotheses; the others have to find a proof again, each from those that the first proof used.
"""

import math
import time
from dataclasses import dataclass, replace
from typing import Final, Literal

import z3

from specs.kernel.vacuity import PATIENT, satisfiable
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
class Proof:
    """A goal that is proved, and the hypotheses that the proof used."""

    goal: Clause
    used: tuple[Clause, ...]


@dataclass(frozen=True)
class Answer:
    """What Z3 says of all goals: the verdict, a model or a reason, and the proof of each goal."""

    verdict: Verdict
    detail: str = ""
    proofs: tuple[Proof, ...] = ()

    @property
    def used(self) -> frozenset[str]:
        """The names of the hypotheses that some proof uses."""
        return frozenset(name for proof in self.proofs for name, _ in proof.used)


def decide(theorem: Theorem, seeds: tuple[int, ...] = SEEDS, *, whole: bool = False) -> Result:
    """Return the verdict: proved only if every goal is, by every seed, and not vacuously.

    With `whole` every seed starts from all hypotheses, as the first one always does.
    """
    started = time.perf_counter()
    answer = decided(theorem, seeds[0])
    used = answer.used
    for seed in seeds[1:]:
        if answer.verdict == "proved":
            answer = decided(theorem, seed) if whole else again(answer, seed)
            used |= answer.used
    if not theorem.goals:
        answer = Answer("vacuous", "there is nothing to prove")
    elif answer.verdict == "proved" and not theorem.possible_as and not possible(theorem):
        answer = Answer("vacuous", "no world found in which the hypotheses hold")
    names = frozenset(name for name, _ in theorem.hypotheses)
    seconds = time.perf_counter() - started
    result = Result(theorem.property_id, theorem.name, answer.verdict, len(theorem.goals), seconds)
    unused = tuple(sorted(names - used))
    told = replace(result, detail=answer.detail, used=names & used, unused=unused)
    return replace(told, possible_as=theorem.possible_as)


def possible(theorem: Theorem, absent: tuple[type, ...] = ()) -> bool:
    """Return whether there is a world that the theorem is about, without objects of some class."""
    return satisfiable((*theorem.hypotheses, *theorem.scene), theorem.names, absent=absent)


def decided(theorem: Theorem, seed: int, work: int = WORK_LIMIT) -> Answer:
    """Return what one seed says of all goals, or of the first that it does not prove.

    What is owed comes first, in the order of the source, each before what is assumed later.
    """
    solver, supposed = limited(z3.Solver(), seed, work), dict[str, Clause]()
    solver.set("unsat_core", True)
    later = [one for one in theorem.hypotheses if isinstance(one, Dated)]
    for clause in theorem.hypotheses:
        if not isinstance(clause, Dated):
            suppose(solver, supposed, clause)
    proofs: list[Proof] = []
    for goal in sorted(theorem.goals, key=date):
        while later and later[0].at < date(goal):
            suppose(solver, supposed, later.pop(0))
        solver.push()
        open_ = unproved(solver, goal)
        if open_ is not None:
            return open_
        proofs.append(Proof(goal, tuple(supposed[str(one)] for one in solver.unsat_core())))
        solver.pop()
        if theorem.stepwise:
            suppose(solver, supposed, goal)
    return Answer("proved", proofs=tuple(proofs))


def again(answer: Answer, seed: int) -> Answer:
    """Return what another seed says of each goal that was proved, supposing what its proof used."""
    solver = limited(z3.SimpleSolver(), seed)
    for proof in answer.proofs:
        solver.push()
        solver.add([hypothesis for _, hypothesis in proof.used])
        open_ = unproved(solver, proof.goal)
        if open_ is not None:
            return replace(open_, detail=f"with seed {seed}, {open_.detail}")
        solver.pop()
    return answer


def unproved(solver: z3.Solver, goal: Clause) -> Answer | None:
    """Return why the goal does not follow from what is supposed, or nothing where it does."""
    name, condition = goal
    solver.add(z3.Not(condition))
    verdict = solver.check()
    if verdict == z3.unsat:
        return None
    if verdict == z3.sat:
        return Answer("refuted", f"{name}: {told(solver.model())}")
    return Answer("undetermined", f"{name}: {solver.reason_unknown()}")


def date(clause: Clause) -> float:
    """Return how much had been assumed when the clause came up: all, where it is of no date."""
    return clause.at if isinstance(clause, Dated) else math.inf


def limited(solver: z3.Solver, seed: int, work: int = WORK_LIMIT) -> z3.Solver:
    """Return the solver with the seed and the limits set."""
    for option, value in PATIENT.items():
        solver.set(option, value)
    solver.set("timeout", TIME_LIMIT_MS)
    solver.set("rlimit", work)
    solver.set("random_seed", seed)
    return solver


def suppose(solver: z3.Solver, supposed: dict[str, Clause], clause: Clause) -> None:
    """Suppose the clause too, tracked under a number and its name."""
    tracked = f"{len(supposed)}|{clause[0]}"
    supposed[tracked] = clause
    solver.assert_and_track(clause[1], tracked)


def told(model: z3.ModelRef) -> str:
    """Return a model as text, without what only tracks hypotheses."""
    shown = [known for known in model.decls() if "|" not in known.name()]
    return ", ".join(f"{known.name()} = {model[known]}" for known in shown)
