"""One small function for each construct that the translator reads, with inputs at its boundaries.

Those on collections and loops are in `samples_of_collections`. `SAMPLES` has the inputs on which
the translation must agree with running, `OWING` those on which running raises, and the translation
must owe it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import FunctionType
from typing import Any, Final, ParamSpec, TypeVar, assert_never, cast

from grantproof.core.identifiers import RoleId

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Inputs = tuple[Any, ...]

SAMPLES: Final[dict[FunctionType, tuple[Inputs, ...]]] = {}
OWING: Final[dict[FunctionType, tuple[Inputs, ...]]] = {}

LIMIT: Final = 3


def on(
    *inputs: Inputs, owing: tuple[Inputs, ...] = ()
) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Keep the decorated function as a sample with these inputs."""

    def keep(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        SAMPLES[cast(FunctionType, function)] = inputs
        OWING[cast(FunctionType, function)] = owing
        return function

    return keep


class Colour(StrEnum):
    """An enumeration."""

    RED = "red"
    GREEN = "green"
    BLUE = "blue"


@dataclass(frozen=True)
class Circle:
    """A class with a default, a method and a property."""

    radius: int
    colour: Colour = Colour.RED

    def within(self, limit: int) -> bool:
        """Whether it fits."""
        return self.radius <= limit

    @property
    def is_point(self) -> bool:
        """Whether there is nothing of it."""
        return self.radius == 0


@dataclass(frozen=True)
class Square:
    """Another class of the union."""

    side: int


@dataclass(frozen=True)
class Doubled:
    """A class that derives a field itself."""

    number: int
    twice: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "twice", 2 * self.number)


@dataclass(frozen=True)
class Crate:
    """A class with a field that may be nothing."""

    limit: int | None = None


@dataclass(frozen=True)
class Nowhere:
    """A class without fields."""


Solid = Circle | Square
Shape = Circle | Square | Nowhere
UNIT: Final = Circle(1)
SHAPES: Final[tuple[Shape, ...]] = (Circle(0), Circle(3, Colour.BLUE), Square(3), Nowhere())
NUMBERS: Final = tuple((number,) for number in (-1, 0, 1, 2, 3, 4))
PAIRS: Final = ((1, 2), (2, 2), (3, 2), (-1, 0))
TRUTHS: Final = ((True, True), (True, False), (False, True), (False, False))

# ---------------------------------------------------------------- numbers and truth


@on(*PAIRS)
def less(one: int, other: int) -> bool:
    """`<`."""
    return one < other


@on(*PAIRS)
def at_most(one: int, other: int) -> bool:
    """`<=`."""
    return one <= other


@on(*PAIRS)
def more(one: int, other: int) -> bool:
    """`>`."""
    return one > other


@on(*PAIRS)
def at_least(one: int, other: int) -> bool:
    """`>=`."""
    return one >= other


@on(*PAIRS)
def equal(one: int, other: int) -> bool:
    """`==`."""
    return one == other


@on(*PAIRS)
def different(one: int, other: int) -> bool:
    """`!=`."""
    return one != other


@on(*NUMBERS)
def between(number: int) -> bool:
    """A chain, and a constant of the module."""
    return 0 < number <= LIMIT


@on(*PAIRS)
def total(one: int, other: int) -> int:
    """`+`, `-` and the negative of a number."""
    return one + -other - 1


@on(*TRUTHS)
def connectives(one: bool, other: bool) -> bool:
    """`and`, `or`, `not`."""
    return (one and not other) or (not one and other)


@on((None,), (0,), (2,), (3,))
def known_and_small(number: int | None) -> bool:
    """What stands on the right of `and` is read where the left holds."""
    return number is not None and number < LIMIT


@on((None,), (0,), (2,), (3,))
def unknown_or_small(number: int | None) -> bool:
    """What stands on the right of `or` is read where the left fails."""
    return number is None or number < LIMIT


@on((3,), (2,), owing=((None,),))
def small(number: int | None) -> bool:
    """A number where there may be none: owed."""
    return number < LIMIT  # type: ignore[operator]  # it is owed that it is a number


@on((None, 0), (None, 1), (1, 0), (0, 0))
def either(number: int | None, otherwise: int) -> int:
    """`x if c else y`."""
    return otherwise if number is None else number + 1


@on((Colour.RED,), (Colour.BLUE,))
def red(colour: Colour) -> bool:
    """A member of an enumeration."""
    return colour is Colour.RED


@on(("a",), ("b",), ("",))
def text(name: str) -> bool:
    """A text."""
    return name == "a"


@on((True,), (1,), ("a",), (frozenset({"a"}),))
def whole(value: bool | int | str | frozenset[str]) -> bool:
    """`type(x) is`."""
    return type(value) is int


@on(*((one, other) for one in (True, 1, "a", "b", frozenset({"a"})) for other in (1, "a", True)))
def alike(
    one: bool | int | str | frozenset[str],
    other: bool | int | str | frozenset[str],
) -> bool:
    """`type(x) is type(y)`, and values of one type compared."""
    return type(one) is type(other) and one == other


@on((1, 2), owing=(("a", 2), (True, 2)))
def smaller(value: bool | int | str | frozenset[str], limit: int) -> bool:
    """An attribute value that is owed to be a number."""
    return value < limit  # type: ignore[operator]  # it is owed that it is a number


@on((True,), (1,), ("a",))
def integer(value: bool | int | str | frozenset[str]) -> bool:
    """`isinstance` of an attribute value: a bool is an int."""
    return isinstance(value, int)


@on((0,), (1,), owing=((True,), ("a",)))
def one_exactly(value: bool | int | str | frozenset[str]) -> bool:
    """Equality with an attribute value: owed to be of one type, for `True == 1`."""
    return value == 1


# ---------------------------------------------------------------- objects


@on(*((shape,) for shape in SHAPES))
def size(shape: Shape) -> int:
    """Cases of a union that bind fields, one that binds none, and one that cannot be."""
    match shape:
        case Circle(radius):
            return radius
        case Square(side) if side >= LIMIT:
            return side + 1
        case Square() | Nowhere():
            return 0
        case _:
            assert_never(shape)


@on(*((shape,) for shape in SHAPES))
def measure(shape: Shape) -> int:
    """An or-pattern that binds."""
    match shape:
        case Circle(number) | Square(number):
            return number
        case _:
            return -1


@on(*((colour, number) for colour in Colour for number in (0, 1)))
def paint(colour: Colour, number: int) -> int:
    """Values as patterns, a guard, and a wildcard."""
    match colour:
        case Colour.RED | Colour.GREEN if number > 0:
            return 1
        case Colour.RED:
            return 2
        case _:
            return LIMIT


@on((None,), (0,), (1,))
def nothing(number: int | None) -> bool:
    """`None` as a pattern, and statements that do nothing."""
    match number:
        case None:
            return True
        case _:
            pass
    return False


@on(*((shape,) for shape in SHAPES))
def round_one(shape: Shape) -> bool:
    """`isinstance`."""
    return isinstance(shape, Circle)


@on(*((shape,) for shape in SHAPES))
def solid(shape: Shape) -> bool:
    """`isinstance` of one of several."""
    return isinstance(shape, Solid)


@on(*((Circle(radius), limit) for radius in (0, 1, 2) for limit in (0, 1)))
def fits(circle: Circle, limit: int) -> bool:
    """A method, a property, and a field."""
    return circle.within(limit=limit) and not circle.is_point and circle.colour is Colour.RED


@on((0,), (1,), (2,))
def drawn_anew(radius: int) -> Circle:
    """An object constructed, one field by its default, and one like it."""
    return replace(Circle(radius), colour=Colour.BLUE) if radius > 1 else Circle(radius)


@on((0,), (1,))
def doubled(number: int) -> Doubled:
    """An object with a field that its class derives, which is not read."""
    return replace(Doubled(number), number=number + 1)


@on((Circle(1),), (Circle(1, Colour.BLUE),), (Circle(2),))
def unit(circle: Circle) -> bool:
    """Equality by class and fields, with a constant and with an object made here."""
    return circle == UNIT or circle == Circle(2)


@on((None,), (Circle(0),), (Circle(1),))
def radius_of(circle: Circle | None) -> int:
    """An early return where there is nothing; then there is something."""
    if circle is None:
        return -1
    return circle.radius


@on((Circle(1),), owing=((None,),))
def radius_there(circle: Circle | None) -> int:
    """A field of what may be nothing: owed."""
    return circle.radius  # type: ignore[union-attr]  # it is owed that it is there


@on(*NUMBERS)
def assigned(number: int) -> int:
    """Variables, one of them annotated, and branches that change one."""
    least: int = 0
    one, other = number, least
    if one < other:
        one = other
    else:
        pass
    return one + LIMIT


@on((1, 2), (2, 2))
def called(one: int, other: int) -> bool:
    """Calls by position, by name, and of a tuple's elements."""
    both = (one, other)
    return less(*both) or equal(one, other=other)


@on((0,), (1,), owing=((-1,),))
def refused(number: int) -> bool:
    """`raise` ends a path: it is owed that no call takes it."""
    if number < 0:
        raise ValueError
    return number == 0


@on((2,), (-1,), owing=((3,), (4,)))  # noqa: RET503 - the end without a value is the sample
def ended(number: int) -> int:  # type: ignore[return]  # the end without a value is the sample
    """The end of a function that must give something: owed not to be reached."""
    if number < LIMIT:
        return number


@on(("x",), ("role:x",))
def named(name: str) -> str:
    """A formatted string."""
    return f"role:{name}"


@on(("role:x", "x"), ("role:y", "x"), ("x", "x"))
def named_so(whole_name: str, name: str) -> bool:
    """A formatted string compared."""
    return whole_name == f"role:{name}"


@on((RoleId("a"),), (RoleId("b"),))
def plain(role: RoleId) -> bool:
    """An id as a string, and a string as an id."""
    return str(role) == "a" and RoleId("a") == role
