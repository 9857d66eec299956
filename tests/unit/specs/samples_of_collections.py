"""Samples, as in `samples`, of what is said of sets, tuples and mappings, and of loops."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from immutables import Map

from grantproof.core.relation import Graph
from specs.kernel.loops import Invariant
from specs.kernel.membership import same, union
from specs.kernel.values import Clause
from tests.unit.specs.samples import LIMIT, Circle, Crate, Doubled, Inputs, Shape, on

WORDS: Final = ("a", "b")
FEW: Final = frozenset({"a", "b"})
NOBODY: Final[Map[str, int]] = Map()
EMPTY: Final = frozenset[str]()
A: Final = frozenset({"a"})
FULL, OPEN = Crate(3), Crate(None)

STRINGS: Final[tuple[Inputs, ...]] = ((EMPTY,), (A,), (frozenset({"c"}),), (FEW,))
SETS: Final[tuple[Inputs, ...]] = (
    (EMPTY, EMPTY),
    (EMPTY, A),
    (A, EMPTY),
    (A, A),
    (A, FEW),
    (FEW, A),
    (A, frozenset({"b", "c"})),
    (FEW, frozenset({"b", "c"})),
)
PATHS: Final[tuple[Inputs, ...]] = (
    ((),),
    (("a",),),
    (("a", "b"),),
    (("b", "a", "b"),),
    (("c", "c"),),
)
MAPS: Final[tuple[Map[str, int], ...]] = (Map(), Map({"a": 1}), Map({"a": 0, "b": 3}))
MAPPINGS: Final[tuple[Inputs, ...]] = tuple((mapping,) for mapping in MAPS)
ENTRIES: Final[tuple[Inputs, ...]] = tuple((m, key) for m in MAPS for key in ("a", "b", "c"))
NO_NODES: Final[Graph[str]] = Graph()
GRAPHS: Final = (
    NO_NODES,
    NO_NODES.with_node("a"),
    NO_NODES.with_node("a").with_node("b").with_edge("a", "b"),
)

# ---------------------------------------------------------------- sets and tuples


@on(*((word,) for word in ("a", "b", "c", "")))
def known(word: str) -> bool:
    """`in` a constant set, `not in` a constant tuple."""
    return word in FEW and not word not in WORDS


@on(*((word, number) for word in ("a", "c") for number in (1, 4)))
def listed(word: str, number: int) -> bool:
    """`in` a set and a list written here."""
    return word in {"a", "b"} or number in [LIMIT, LIMIT + 1]


@on(*((members, word) for (members,) in STRINGS for word in ("a", "b")))
def member(members: frozenset[str], word: str) -> bool:
    """`in` a set of which nothing is known."""
    return word in members


@on(*((path, word) for (path,) in PATHS for word in ("a", "b")))
def place(path: tuple[str, ...], word: str) -> bool:
    """`in` a tuple of any length."""
    return word in path


@on(("a", A), ("b", A), ("a", EMPTY), owing=(("a", "a"), (1, A)))
def inside(
    value: bool | int | str | frozenset[str],
    several: bool | int | str | frozenset[str],
) -> bool:
    """`in` an attribute value: owed that it is a set, and that the other is a string."""
    return value in several  # type: ignore[operator]  # it is owed that it is a set


@on(*((graph, word) for graph in GRAPHS for word in ("a", "b")))
def node(graph: Graph[str], word: str) -> bool:
    """`in` and `len` of an object that has its own, and a constant set."""
    return word in graph and len(graph) >= 1


@on(*SETS)
def either_set(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """`|`."""
    return one | other


@on(*SETS)
def both_sets(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """`&`."""
    return one & other


@on(*SETS)
def one_without(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """`-`."""
    return one - other


@on(*SETS)
def subset(one: frozenset[str], other: frozenset[str]) -> bool:
    """`<=` and `==` of sets."""
    return one <= other and one != other


@on(*((one, other, number) for one, other in SETS for number in (1, 2)))
def shared(one: frozenset[str], other: frozenset[str], number: int) -> bool:
    """A count compared."""
    return len(one & other) >= number


@on(*STRINGS)
def some(members: frozenset[str]) -> bool:
    """A count against 0."""
    return len(members) > 0 and not len(members) == 0  # noqa: SIM201 - both forms are samples


@on(*PATHS)
def long(path: tuple[str, ...]) -> bool:
    """The length of a tuple."""
    return len(path) > 1


@on(*STRINGS)
def copied(members: frozenset[str]) -> bool:
    """Sets, tuples and iterators have the members of what they are made from."""
    return set(members) == frozenset(tuple(sorted(members))) and "a" in iter(members)


@on(*PATHS)
def unrepeated(path: tuple[str, ...]) -> bool:
    """`dict.fromkeys`: the same members."""
    return "a" in dict.fromkeys(path)


@on((1, "a"), (2, "b"))
def first(number: int, word: str) -> int:
    """An element of a pair, by its position from either end."""
    pair = (number, word)
    return (LIMIT, pair[0])[-1]


@on((("a",),), (("a", "b"),), owing=(((),),))
def ends(path: tuple[str, ...]) -> bool:
    """The first and the last: owed that they are there."""
    return path[0] == path[-1]


@on(*((path, word) for (path,) in PATHS for word in ("b", "c")))
def spread(path: tuple[str, ...], word: str) -> bool:
    """A tuple with everything of another one in it."""
    return word in ("b", *path)


@on(((),), (("a",),), (("a", "a"),))
def rest(path: tuple[str, ...]) -> bool:
    """Some of a tuple: which, is not said."""
    return all(word in FEW for word in path[1:])


# ---------------------------------------------------------------- quantifiers


@on(*STRINGS, (frozenset({"a", "c"}),))
def all_known(members: frozenset[str]) -> bool:
    """`all`; of nothing too."""
    return all(word in FEW for word in members)


@on(*STRINGS, (frozenset({"a", "c"}),))
def any_known(members: frozenset[str]) -> bool:
    """`any`; not of nothing."""
    return any(word in FEW for word in members)


@on(*SETS)
def common(one: frozenset[str], other: frozenset[str]) -> list[str]:
    """A list drawn from two collections under conditions."""
    return [word for word in one if word in FEW for again in other if again == word]


@on(*STRINGS)
def others(members: frozenset[str]) -> set[str]:
    """A set drawn from one."""
    return {word for word in members if word != "a"}


@on(*PATHS)
def rising(path: tuple[str, ...]) -> bool:
    """`pairwise`: each with the next."""
    return all(one != other for one, other in pairwise(path))


@on(*STRINGS)
def is_known(members: frozenset[str]) -> bool:
    """`map` of a function."""
    return all(map(in_few, members))


def in_few(word: str) -> bool:
    """Whether the word is known."""
    return word in FEW


@on((A,), owing=((EMPTY,),))
def least(members: frozenset[str]) -> str:
    """`min`: some element, owed to be there."""
    return min(members)


@on((A, "x"), (EMPTY, "x"))
def next_or(members: frozenset[str], otherwise: str) -> str:
    """`next` with a default."""
    return next(iter(members), otherwise)


@on((A,), owing=((EMPTY,),))
def next_one(members: frozenset[str]) -> str:
    """`next` without one: owed that there is an element."""
    return next(word for word in members)


@on(((),), (((("a",),),)), ((("a",), ("b",)),), owing=((((),),), ((("a",), ()),)))
def all_begin(paths: tuple[tuple[str, ...], ...]) -> bool:
    """`map` of a function: owed of each that it can be applied."""
    return all(map(begins, paths))


def begins(path: tuple[str, ...]) -> bool:
    """Whether the first word is known."""
    return path[0] in FEW


@on(
    (FULL, (FULL,)),
    (FULL, (FULL, OPEN)),
    (OPEN, (OPEN,)),
)
def another_is_open(crate: Crate, others: tuple[Crate, ...]) -> bool:
    """What a test has said of a variable is not said of another one of that name."""
    if crate.limit is None:
        return False
    return any(crate.limit is None for crate in others)


@on((FULL, FULL), (FULL, OPEN), (OPEN, FULL))
def is_open_then(crate: Crate, other: Crate) -> bool:
    """Nor of what the variable is bound to afterwards."""
    if crate.limit is None:
        return True
    crate = other
    return crate.limit is None


# ---------------------------------------------------------------- mappings


@on(*ENTRIES)
def found(mapping: Map[str, int], key: str) -> int | None:
    """`get` without a default."""
    return mapping.get(key)


@on(*ENTRIES)
def found_or(mapping: Map[str, int], key: str) -> int:
    """`get` with a default."""
    return mapping.get(key, LIMIT)


@on((MAPS[1], "a"), (MAPS[2], "b"), owing=((MAPS[0], "a"), (MAPS[1], "b")))
def looked_up(mapping: Map[str, int], key: str) -> int:
    """A lookup: owed that the key is there."""
    return mapping[key]


@on(*ENTRIES)
def looked_up_if(mapping: Map[str, int], key: str) -> bool:
    """A lookup that is read only where the key is there."""
    return key in mapping and mapping[key] > 0


@on(*ENTRIES)
def with_entry(mapping: Map[str, int], key: str) -> Map[str, int]:
    """`set`."""
    return mapping.set(key, LIMIT)


@on((MAPS[1], "a"), (MAPS[2], "b"), owing=((MAPS[0], "a"), (MAPS[1], "b")))
def without_entry(mapping: Map[str, int], key: str) -> Map[str, int]:
    """`delete`: owed that the key is there."""
    return mapping.delete(key)


@on(*MAPPINGS)
def positive(mapping: Map[str, int]) -> bool:
    """`items`, `keys`, `values`."""
    has_a = any(key == "a" and number > 0 for key, number in mapping.items())
    return has_a or "b" in mapping.keys() or 0 in mapping.values()  # noqa: SIM118 - a sample


@on(*MAPPINGS)
def filled(mapping: Map[str, int]) -> bool:
    """A mapping as a condition."""
    if mapping:  # noqa: SIM103 - a condition is the sample
        return True
    return False


@on(*ENTRIES)
def from_nothing(mapping: Map[str, int], key: str) -> bool:
    """Mappings without entries, one of them a constant, and equality."""
    return mapping in (Map(), NOBODY) or mapping.set(key, 1) == mapping


# ---------------------------------------------------------------- loops


@on(*STRINGS)
def search(members: frozenset[str]) -> bool:
    """A loop that looks for something."""
    for word in members:  # noqa: SIM110 - a loop is the sample
        if word in FEW:
            return True
    return False


@on(*((number,) for number in (-1, 0, 1, 2)))
def unrolled(number: int) -> int:
    """A loop over what is known one by one."""
    counted = number
    for step in (1, LIMIT):
        if counted > 0:
            counted = counted + step
    return counted


@on(*SETS)
def gathered(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    """A loop that forms a union."""
    seen = one
    for word in other:
        seen = seen | {word, "z"}
    return seen


@on((A, EMPTY), (FEW, A))
def yielded(one: frozenset[str], other: frozenset[str]) -> bool:
    """What a generator yields, in loops, from others, and at once."""
    return "b" in yielding(one, other)


@on((A,), (EMPTY,), owing=((FEW,),))
def yielded_or_raised(members: frozenset[str]) -> bool:
    """A generator that may raise: owed that it does not."""
    return "a" in raising(members)


def raising(members: frozenset[str]) -> Iterator[str]:
    """Yield the words, unless there is one that must not be."""
    if "b" in members:
        raise ValueError
    yield from members


def yielding(one: frozenset[str], other: frozenset[str]) -> Iterator[str]:
    """Yield the words of both, but only known ones of the first."""
    for word in one:
        if word in FEW:
            yield word
    yield from other
    yield "c"


@on((EMPTY, EMPTY), (A, EMPTY), (A, A), (EMPTY, A), (A, FEW))
def emptied(start: frozenset[str], members: frozenset[str]) -> bool:
    """A loop while a set has members, by its invariant."""
    seen = set(start)
    left = set(members)
    while left:
        word = left.pop()
        seen.add(word)
    return seen == start | members


@on(*STRINGS)
def visited(members: frozenset[str]) -> bool:
    """A loop over a set that changes another, by its invariant."""
    seen = set(members) - members
    for word in members:
        seen.add(word)
    return seen == members


def what_is_left(env: dict[str, Any], _done: Any) -> list[Clause]:
    """What is seen and what is left is all there is."""
    return [("all", same(union(env["seen"], env["left"]), union(env["start"], env["members"])))]


def what_is_done(env: dict[str, Any], done: Any) -> list[Clause]:
    """What is done is seen."""
    return [("done", same(env["seen"], done))]


INVARIANTS: Final[dict[tuple[str, int], Invariant]] = {
    (f"{__name__}.emptied", 0): what_is_left,
    (f"{__name__}.visited", 0): what_is_done,
}

# ---------------------------------------------------------------- what is refused


def anything(
    number: int,
    maybe: int | None,
    word: str,
    *,
    value: bool | int | str | frozenset[str],
    members: frozenset[str],
    path: tuple[str, ...],
    mapping: Map[str, int],
    circle: Circle,
    shape: Shape,
    doubled: Doubled,
) -> bool:
    """Stand for a function whose body the translator may refuse: each in turn is put here."""
    raise NotImplementedError
