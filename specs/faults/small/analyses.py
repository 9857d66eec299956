"""Executable property of the analysis: what it says is what trying everything finds. P-ANALYSIS.

Each act is a question of its own kind. A few are enough for each: what a search is told wrongly, it
is told wrongly of the smallest organization that has it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import z3

from grantproof.analysis import abilities
from grantproof.analysis.difference import difference
from grantproof.analysis.encoding import Encoding
from grantproof.analysis.formulas import Formula, Stored, conditions, true_in
from grantproof.analysis.guarding import judge_change
from grantproof.analysis.guardrails import judge
from grantproof.analysis.reachability.problem import CanAssign, CanRevoke, Goal, Problem
from grantproof.analysis.reachability.rules import reach
from grantproof.analysis.reachability.verdicts import Reachable
from grantproof.analysis.remedies import remedies
from grantproof.analysis.solving import Found, Solution, Solver, Span, Undetermined
from grantproof.analysis.verdicts import Holds, Violated
from grantproof.core import constraints as c
from grantproof.core import model as m
from grantproof.core.attributes import NO_ATTRIBUTES, Literal, Operator, Path, Root
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands import language as do
from grantproof.core.guardrails import Access, Forbidden, Guardrail, MemberOf, Reserved
from grantproof.core.identifiers import Action, AttributeName, GuardrailId, RoleId
from grantproof.core.matching import Request, resolve
from specs.faults.small import words
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.worlds import (
    ANN,
    BOB,
    CLERK,
    DOCS,
    FILE,
    FOLDER,
    HEAD,
    NOW,
    PLAN,
    READ,
    STAFF,
    VIEWER,
    WRITE,
    Facts,
    claim,
)
from tests.properties.differences import brute_force
from tests.properties.everything import Everything

INSTANT: Final = NOW.instant
MORNING, AFTERNOON = c.TimeWindow(9, 12), c.TimeWindow(12, 17)
WEEKEND: Final = c.TimeWindow(9, 12, frozenset({5, 6}))
WORKDAYS: Final = c.TimeWindow(9, 12, frozenset(range(5)))
AMOUNT: Final = Path(Root.CONTEXT, AttributeName("amount"))
AT_MOST, AT_LEAST = (
    c.Attribute(AMOUNT, operator, Literal(100)) for operator in (Operator.LE, Operator.GE)
)
ONE, TWO = (c.Attribute(AMOUNT, Operator.EQ, Literal(number)) for number in (1, 2))
READING: Final = Access(READ, m.Exactly(PLAN))
LAW: Final = Guardrail(GuardrailId("law"), Forbidden(READING))
HOUSE: Final[Facts] = (
    *(m.Principal(name) for name in (ANN, BOB)),
    m.Group(STAFF),
    *(m.Role(name) for name in (VIEWER, CLERK, HEAD)),
    m.Inheritance(CLERK, VIEWER),
    *(m.KindDeclaration(kind) for kind in (FOLDER, FILE)),
    m.Resource(DOCS, FOLDER),
    m.Resource(PLAN, FILE, DOCS),
    claim(VIEWER, READ, m.Within(DOCS)),
    claim(HEAD, WRITE, m.Exactly(PLAN), MORNING),
    m.Assignment(ANN, CLERK),
    m.GroupAssignment(STAFF, HEAD),
)
"""An organization in which ann reads, and whoever comes to the staff writes in the morning."""
EMPTY_DESKS: Final[Facts] = (*(fact for fact in HOUSE if not isinstance(fact, m.Assignment)), LAW)
"""An organization in which nobody reads the plan, as its guardrail says."""


@dataclass(frozen=True)
class Together:
    """Is there a context in which all of these constraints hold?"""

    constraints: tuple[c.Constraint, ...]


@dataclass(frozen=True)
class Kept:
    """Does the guardrail hold?"""

    guardrail: Guardrail


@dataclass(frozen=True)
class Changed:
    """Do the guardrails that are kept hold after the command, told by what it touches?"""

    command: do.SingleCommand


@dataclass(frozen=True)
class Overtaken:
    """Is one refused where both break a guardrail, one made while the other is judged?"""

    command: do.SingleCommand
    meanwhile: do.SingleCommand


@dataclass(frozen=True)
class Compared:
    """Who gains or loses what by the command?"""

    command: do.SingleCommand


@dataclass(frozen=True)
class Able:
    """Is somebody ever allowed it?"""

    request: Request


@dataclass(frozen=True)
class Helped:
    """What would help, says a solver that knows nothing?"""

    request: Request


@dataclass(frozen=True)
class Reached:
    """Can the viewer come to the role that no viewer may have?"""

    goal: RoleId


def wrong(small: Small, act: object) -> Objection | None:
    """Object to an answer that is not the one of trying everything."""
    return OBJECTIONS[type(act)](small, act)


def _together(_: Small, act: Together) -> Objection | None:
    formula = conditions(act.constraints, Stored(ANN, NO_ATTRIBUTES, NO_ATTRIBUTES))
    everything = Everything(Small(()).state, act.constraints)
    must = any(true_in(formula, context) for context in everything.contexts)
    asked = z3.SimpleSolver()
    asked.add(*Encoding(formula).assertions)
    encoded = asked.check() == z3.sat
    solution = Solver().decide(formula)
    found = isinstance(solution, Found) and true_in(formula, solution.context)
    if (encoded, found) == (must, must) and isinstance(solution, Found) is must:
        return None
    said = f"the solver is told of {'one' if encoded else 'none'}, and {_solved(solution, formula)}"
    return Objection("there is one" if must else "there is none", said)


def _solved(solution: Solution, formula: Formula) -> str:
    if isinstance(solution, Found):
        right = true_in(formula, solution.context)
        return f"gives one in which they {'hold' if right else 'do not hold'}"
    return f"answers {type(solution).__name__.lower()}"


def _kept(small: Small, act: Kept) -> Objection | None:
    violated = Everything(small.state, ()).violated(act.guardrail)
    verdict = judge(small.state, act.guardrail, Solver(), now=INSTANT)
    if isinstance(verdict, Violated if violated else Holds):
        return None
    return Objection(_broken(broken=violated), f"it is judged: {type(verdict).__name__}")


def _changed(small: Small, act: Changed) -> Objection | None:
    outcome = apply(small.state, act.command, actor="eve", instant=INSTANT)
    if not isinstance(outcome, Accepted) or Everything(small.state, ()).violated(LAW):
        return None
    violated = Everything(outcome.state, ()).violated(LAW)
    verdicts = judge_change(
        small.state,
        outcome.state,
        outcome.event.delta,
        guardrails=(LAW,),
        solver=Solver(),
        now=INSTANT,
    )
    verdict = verdicts[LAW.id]
    if isinstance(verdict, Violated if violated else Holds):
        return None
    return Objection(_broken(broken=violated), f"it is judged: {type(verdict).__name__}")


def _overtaken(small: Small, act: Overtaken) -> Objection | None:
    # Imported only here: all other questions do without the service, which takes long to load.
    from specs.faults.small.overtaking import both_made  # noqa: PLC0415 - see above

    after = both_made(small.facts, act.command, act.meanwhile)
    if after is None or not Everything(after, ()).violated(LAW):
        return None
    return Objection("one of them is refused", "both are made")


def _compared(small: Small, act: Compared) -> Objection | None:
    outcome = apply(small.state, act.command, actor="eve", instant=INSTANT)
    if not isinstance(outcome, Accepted):
        return None
    must = len(brute_force(small.state, outcome.state)) > 0
    found = difference(small.state, outcome.state, Solver(), now=INSTANT)
    said = len(found.gains) + len(found.losses) > 0
    if must is said:
        return None
    return Objection("somebody does" if must else "nobody does", found.verdict.value)


def _able(small: Small, act: Able) -> Objection | None:
    request, state = act.request, small.state
    target = resolve(state, request)
    if target is None:
        return None
    everything = Everything(state, ())
    must = any(
        len(everything.granted(replace(request, principal=one, active_roles=chosen), instant)) > 0
        for one in state.principals
        for chosen in (None, *(frozenset({role}) for role in state.roles))
        for instant in everything.instants
    )
    question = abilities.Question(request.action, target)
    found = abilities.who_can(state, question, Solver(), now=INSTANT)
    if must is any(isinstance(one, abilities.Able) for one in found):
        return None
    return Objection("somebody is" if must else "nobody is", "nobody" if must else "somebody")


class _Ignorant(Solver):
    """Knows no answer."""

    def solve(self, formula: Formula, span: Span) -> Solution:
        del formula, span
        return Undetermined("no idea")


def _helped(small: Small, act: Helped) -> Objection | None:
    solver, night = _Ignorant(), c.Context(0, 3, 2, 1970)
    found = remedies(small.state, act.request, night, solver=solver)
    known = remedies(small.state, act.request, night, solver=Solver())
    if len(found) == len(known):
        return None
    return Objection(f"{len(known)} claims would, or it is not known", f"{len(found)} are told")


def _reached(small: Small, act: Reached) -> Objection | None:
    state = small.state
    held = {one: frozenset(state.assignments.of(one)) for one in state.principals}
    if held.get(ANN) != frozenset({CLERK}) or act.goal not in state.roles:
        return None
    problem = Problem(
        roles=frozenset(state.roles),
        users=held,
        can_assign=(CanAssign(None, frozenset(), frozenset({CLERK}), act.goal),),
        can_revoke=(CanRevoke(None, CLERK),),
        goal=Goal(act.goal, ANN),
    )
    found = reach(problem)
    if isinstance(found, Reachable):
        return None
    return Objection("yes, once the other is revoked", type(found).__name__.lower())


def _broken(*, broken: bool) -> str:
    return "it is broken" if broken else "it holds"


OBJECTIONS: Final[dict[type, Callable[..., Objection | None]]] = {
    Together: _together,
    Kept: _kept,
    Changed: _changed,
    Overtaken: _overtaken,
    Compared: _compared,
    Able: _able,
    Helped: _helped,
    Reached: _reached,
}


def acts(facts: Facts) -> Iterator[object]:
    """Yield what is asked of either organization."""
    if facts == EMPTY_DESKS:
        yield Changed(do.AssignRole(BOB, VIEWER))
        yield Changed(do.RevokeGroupRole(STAFF, HEAD))
        yield Overtaken(do.AssignRole(BOB, HEAD), do.AddParent(HEAD, VIEWER))
        yield Overtaken(do.AssignRole(BOB, VIEWER), do.RevokeGroupRole(STAFF, HEAD))
        return
    for constraints in (
        (MORNING,),
        (MORNING, AFTERNOON),
        (WEEKEND, WORKDAYS),
        (AT_MOST, AT_LEAST),
        (ONE, TWO),
    ):
        yield Together(constraints)
    yield from map(Kept, (LAW, Guardrail(LAW.id, Reserved(READING, frozenset({MemberOf(STAFF)})))))
    yield from map(Compared, (do.AddMember(BOB, STAFF), do.AddMember(ANN, STAFF)))
    yield Able(Request(ANN, Action("read"), PLAN))
    yield Helped(Request(BOB, Action("write"), PLAN))
    yield Reached(HEAD)


def tell(act: object) -> str:
    """Return a question in words."""
    match act:
        case Together(constraints):
            asked = " and ".join(map(words.condition, constraints))
            return f"is there a context in which {asked}?"
        case Kept(Guardrail(rule=rule)):
            only = " but the staff" if isinstance(rule, Reserved) else ""
            return f"nobody{only} may ever read {PLAN}: is that so?"
        case Changed(command):
            return f"{words.command(command)}; nobody may ever read {PLAN}: is that kept?"
        case Overtaken(command, meanwhile):
            first, other = words.command(command), words.command(meanwhile)
            return f"{first}; while that is judged: {other}; nobody may ever read {PLAN}"
        case Compared(command):
            return f"{words.command(command)}: does anybody gain or lose anything?"
        case Able(request):
            return f"is anybody ever allowed to {request.action} {request.resource}?"
        case Helped(request):
            asked = f"{request.principal} to {request.action} {request.resource}"
            return f"what would allow {asked} at night, if the solver has no answer?"
        case _:
            return "nobody may be head and clerk, and clerks are revoked: can ann be head?"


PROPERTIES = {"P-ANALYSIS": Property((HOUSE, EMPTY_DESKS), acts, wrong, tell)}
