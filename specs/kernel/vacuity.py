"""Whether hypotheses can be true together: a model is found in a world of a few names and objects.

There counting is counting: `card` of a set is the number of the names that it has, so the axiom on
it holds by itself and is left out. Undetermined counts as no.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import z3

from grantproof.core.model import Exactly, OfKind, Principal, Resource, SodSet, Within
from grantproof.core.organization import Organization
from specs.kernel.membership import CARD
from specs.kernel.sorts import TAG, Name, Object, tag_number
from specs.kernel.values import CHOICE, Clause

COUNTING: Final = "what counts has a member"
NAMES_MIN: Final = 2
SEARCHES: Final[tuple[dict[str, bool | int], ...]] = (
    {"smt.ematching": False, "smt.macro_finder": True},
    {},
    {"smt.ematching": False},
    {"smt.mbqi.max_cexs": 20, "smt.macro_finder": True},
    {"smt.mbqi.max_cexs": 20},
    {"smt.ematching": False, "smt.mbqi.max_cexs": 20},
    {"smt.ematching": False, "smt.macro_finder": True, "smt.mbqi.max_cexs": 5},
)
"""How a model is looked for, in turn; none is best for all, and what is found is found soon."""
PATIENT: Final = {"smt.delay_units": True}
"""How Z3 goes about whatever it is asked: to begin anew at everything that it finds to hold always,
as it would, takes much of its time."""
SEARCH_LIMITS: Final = (6_000_000, 6_000_000, 15_000_000, 60_000_000)
"""How long: in units of Z3's work, of which there are some 5 million a second on any machine."""
SEVERAL: Final = {
    Organization: 3,
    **dict.fromkeys((Principal, Resource, SodSet, Exactly, Within, OfKind), 2),
}
"""How many objects there are of a class, so that a change of a state or an entity can be seen, and
so that there is a pattern for each name."""
BY_DEFINITION: Final = "by definition: "
"""How the names of hypotheses begin that only define a symbol; a definition can always be made."""


def holds_anyway(name: str) -> bool:
    """Return whether the hypothesis of that name can be made true in every world.

    What only defines a symbol can, and the choice of one where there is one: of a new constant.
    """
    return name in {COUNTING, CHOICE} or name.startswith(BY_DEFINITION)


def refutes(
    known: Iterable[Clause],
    goal: Clause,
    literals: Iterable[z3.ExprRef] = (),
    *,
    limits: Iterable[int] = SEARCH_LIMITS,
) -> bool:
    """Return whether there is a world in which all that is known holds, and the goal does not.

    The goal may speak of what is chosen or defined: so that holds there, too.
    """
    name, condition = goal
    against = (*known, (f"not {name}", z3.Not(condition)))
    return satisfiable(against, literals, limits, left_out=COUNTING.__eq__)


def satisfiable(
    hypotheses: Iterable[Clause],
    literals: Iterable[z3.ExprRef] = (),
    limits: Iterable[int] = SEARCH_LIMITS,
    *,
    absent: Iterable[type] = (),
    left_out: Callable[[str], bool] = holds_anyway,
) -> bool:
    """Return whether there is a world in which the hypotheses hold, but for those left out.

    It has objects of every class that they speak of, but none of those `absent`.
    """
    names = enough(literals)
    told = [fact for name, fact in hypotheses if not left_out(name)]
    counted = z3.Sum([z3.If(z3.Select(z3.Var(0, CARD.domain(0)), name), 1, 0) for name in names])
    spoken = list(terms(told))
    facts = [
        *small(names, spoken, absent),
        *(z3.substitute_funs(fact, (CARD, counted)) for fact in told),
    ]
    plainer = [*facts, *plain(spoken)]
    for seed, limit in enumerate(limits):
        within = {"random_seed": seed, "rlimit": limit}
        if searched(plainer, within) == z3.sat:
            return True
        answer = searched(facts, within)
        if answer != z3.unknown:
            return bool(answer == z3.sat)
    return False


def enough(literals: Iterable[z3.ExprRef]) -> list[z3.ExprRef]:
    """Return the names that a world has: those that are spoken of, and as many as it needs."""
    names = list(literals)
    return [*names, *(z3.Const(f"name {n}", Name) for n in range(NAMES_MIN - len(names)))]


def searched(facts: list[z3.BoolRef], within: dict[str, int]) -> z3.CheckSatResult:
    """Return whether the facts have a model, as the first search says that comes to an end."""
    answer = z3.unknown
    for options in SEARCHES:
        solver = z3.Solver()
        for option, value in {**PATIENT, **options, **within}.items():
            solver.set(option, value)
        solver.add(facts)
        answer = solver.check()
        if answer != z3.unknown:
            break
    return answer


def small(
    names: list[z3.ExprRef], spoken: Iterable[z3.ExprRef], absent: Iterable[type]
) -> Iterator[z3.BoolRef]:
    """Yield that there are these names, and a few objects of each class spoken of and of none."""
    tags = [-1, *sorted(set(tags_of(spoken)) - {tag_number(cls) for cls in absent})]
    several = {tag_number(cls): number for cls, number in SEVERAL.items()}
    numbered = [(tag, number) for tag in tags for number in range(several.get(tag, 1))]
    objects = [z3.Const(f"object {tag} {number}", Object) for tag, number in numbered]
    yield z3.Distinct(*names)
    yield from (TAG(one) == tag for one, (tag, _) in zip(objects, numbered, strict=True))
    yield from (only(names), only(objects))


def plain(spoken: Iterable[z3.ExprRef]) -> Iterator[z3.BoolRef]:
    """Yield that nothing has attributes: such a world is found sooner, where it is one."""
    for function in {term.decl() for term in spoken}:
        if function.name().endswith(".attributes.has"):
            at = [z3.FreshConst(function.domain(place)) for place in range(function.arity())]
            yield z3.ForAll(at, z3.Not(function(*at)))


def only(members: list[z3.ExprRef]) -> z3.BoolRef:
    """Return that there is nothing of the sort but the members."""
    anything = z3.FreshConst(members[0].sort())
    return z3.ForAll([anything], z3.Or([anything == member for member in members]))


def tags_of(spoken: Iterable[z3.ExprRef]) -> Iterator[int]:
    """Yield the tag of every class that is spoken of."""
    for term in spoken:
        if z3.is_eq(term) and z3.is_app(term.arg(0)) and term.arg(0).decl().eq(TAG):
            yield term.arg(1).as_long()


def terms(formulas: Iterable[z3.ExprRef]) -> Iterator[z3.ExprRef]:
    """Yield every application inside the formulas once, quantified parts included."""
    waiting, met = list(formulas), set[int]()
    while waiting:
        term = waiting.pop()
        if term.get_id() not in met:
            met.add(term.get_id())
            waiting.extend(term.children())
            if z3.is_app(term):
                yield term
