"""A refused change as a page shows it: in words, drawn, and what to do next.

The words are those of every door. What is drawn is how a principal would come to each role that it
may not hold together: down from the principal, through groups and roles, to the set that forbids
it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grantproof.api.console.drawing import NAME_SIZE, shortened
from grantproof.api.console.places import address
from grantproof.api.console.wanted import GROUP, PRINCIPAL, REVOKE, Wanted
from grantproof.api.problems import Problem
from grantproof.core.errors import BreaksSod
from grantproof.policyfile.witnesses import Witness, refusal_of, single
from grantproof.service.trees import Tree
from grantproof.service.witness_tree import allowed_tree, witness_tree

COLUMN: Final = 152
BOX: Final = 140
WIDE: Final = 290
HEIGHT: Final = 40
STEP: Final = 68
MARGIN: Final = 10
PADDING: Final = 8
"""So far a name stays from the sides of its box; what does not fit is told beside the drawing."""
COLUMNS_MAX: Final = 6
"""So many ways are drawn side by side; the words tell all of them."""

ANOTHER_TIME: Final = "It can be tried again: what was typed is kept, and it is made once only."
NEXT: Final[Mapping[str, tuple[str, ...]]] = {
    "breaks_sod": (
        "Revoke one of the roles that are held already, and assign this one then.",
        "Or choose times that do not overlap: only what is held at the same instant counts.",
        "Or assign another role, one that the set does not name.",
    ),
    "breaks_guardrail": (
        "Assign a role that gives less, or for somebody whom the guardrail does not mean.",
        "If the guardrail is wrong, whoever administers the organization changes that first.",
    ),
    "already_exists": ("Tick “replace” to give the assignment that is there another time.",),
    "missing": ("Look at how the id is written, or add what is missing first.",),
    "not_found": ("Nothing is left to do: the assignment is gone already.",),
    "not_permitted": ("Ask somebody who may: the overview of administration tells who.",),
    "last_administrator": ("Assign the role to another administrator first.",),
    "over_limit": ("Revoke what is not used any more, or use a group.",),
    "contended": (ANOTHER_TIME,),
    "guardrail_undetermined": (ANOTHER_TIME,),
    "idempotency_in_progress": (ANOTHER_TIME,),
    "store_unavailable": (ANOTHER_TIME,),
}
"""What to do next, by the code of the problem."""


@dataclass(frozen=True, slots=True)
class Box:
    """A box of a drawing: its place, what it says whole and as far as it fits, and its kind."""

    x: int
    y: int
    width: int
    kind: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line from the lower edge of a box to the upper edge of another; `new` by the change."""

    x1: int
    y1: int
    x2: int
    y2: int
    new: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes and lines in an area of that size; `title` says what is to be seen."""

    width: int
    height: int
    title: str
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: int


@dataclass(frozen=True, slots=True)
class Link:
    """Where something can be done about it."""

    label: str
    href: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A refused change: the problem, what shows it, drawn where it can be, and what to do next."""

    problem: Problem
    trees: tuple[Tree, ...] = ()
    drawing: Drawing | None = None
    steps: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


Way = tuple[tuple[str, str], ...]
"""Steps from a holder to a role or a claim: each its kind and its id."""


def shown(problem: Problem, asked: Wanted, organization: str) -> Shown:
    """Return how the problem of a change that was asked for is shown."""
    steps, new = NEXT.get(problem.code, ()), (str(asked.holder), str(asked.role))
    witness = problem.witness
    if witness is None:
        return Shown(problem, steps=steps)
    if problem.code == "breaks_guardrail":
        trees = tuple(map(allowed_tree, witness["requests"]))
        return Shown(problem, trees, _guardrail(witness, new), steps)
    refusal = refusal_of(witness)
    cause = None if refusal is None else single(refusal)
    if isinstance(cause, BreaksSod):
        links = tuple(_links(cause, new, organization))
        tree = witness_tree(cause)
        return Shown(problem, () if tree is None else (tree,), _breach(cause, new), steps, links)
    return Shown(problem, steps=steps)


def _links(breach: BreaksSod, new: tuple[str, str], organization: str) -> Iterator[Link]:
    """Yield where each of the assignments that are there already is revoked."""
    for held in breach.held:
        kind, holder = (GROUP, held.groups[-1]) if held.groups else (PRINCIPAL, breach.principal)
        role = held.roles[0]
        if (holder, role) != new:
            to = ("orgs", organization, "assignments", "change")
            href = address(*to, do=REVOKE, kind=kind, holder=holder, role=role)
            yield Link(f"Revoke {role} from {kind} {holder}", href)


def _breach(breach: BreaksSod, new: tuple[str, str]) -> Drawing:
    ways = [
        (*(("group", group) for group in held.groups), *(("role", role) for role in held.roles))
        for held in breach.held
    ]
    title = f"how {breach.principal} would hold {len(ways)} roles of {breach.sod_set}"
    end = ("set", breach.sod_set)
    return _drawn(("principal", breach.principal), ways, end, title=title, new=new)


def _guardrail(witness: Witness, new: tuple[str, str]) -> Drawing:
    certificates = [request["certificate"] for request in witness["requests"]]
    ways = [
        (
            *(("group", group) for group in one["groups"]),
            *(("role", role) for role in one["roles"]),
            ("claim", one["claim"]["id"]),
        )
        for one in certificates
    ]
    who = witness["requests"][0]["request"]["principal_id"]
    name = witness["guardrail"]["id"]
    title = f"how {who} would come to what {name} forbids"
    return _drawn(("principal", who), ways, ("guardrail", name), title=title, new=new)


def _drawn(
    start: tuple[str, str],
    ways: Sequence[Way],
    end: tuple[str, str],
    *,
    title: str,
    new: tuple[str, str],
) -> Drawing:
    """Return the ways side by side, from one start above to one end below.

    The step from the holder of the new assignment to its role is marked as new.
    """
    drawn = ways[:COLUMNS_MAX]
    deepest = max(map(len, drawn))
    width = COLUMN * len(drawn) + MARGIN
    height = STEP * (deepest + 1) + HEIGHT + 2 * MARGIN
    middle = width // 2
    wide = min(WIDE, width - 2 * MARGIN)
    top = _box(middle, 0, start, width=wide)
    bottom = _box(middle, deepest + 1, end, width=wide)
    boxes, lines = [top], list[Line]()
    for column, way in enumerate(drawn):
        centre = MARGIN // 2 + COLUMN * column + COLUMN // 2
        above, before = top, start
        for depth, step in enumerate(way, start=1):
            box = _box(centre, depth, step)
            lines.append(_line(above, box, new=(before[1], step[1]) == new and step[0] == "role"))
            boxes.append(box)
            above, before = box, step
        lines.append(_line(above, bottom, new=False))
    return Drawing(
        width, height, title, (*boxes, bottom), tuple(lines), left_out=len(ways) - len(drawn)
    )


def _box(centre: int, depth: int, named: tuple[str, str], *, width: int = BOX) -> Box:
    kind, name = named
    text = shortened(name, size=NAME_SIZE, width=width - 2 * PADDING)
    x, y = centre - width // 2, MARGIN + STEP * depth
    return Box(x, y, width, kind, f"{kind} {name}", text)


def _line(above: Box, below: Box, *, new: bool) -> Line:
    begin, end = above.x + above.width // 2, below.x + below.width // 2
    return Line(begin, above.y + HEIGHT, end, below.y, new)
