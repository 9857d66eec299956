"""What the constraints of a question read of what is stored: all else makes no difference."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from immutables import Map

from grantproof.core.attributes import (
    Attributes,
    Literal,
    Operand,
    Path,
    PrincipalIdentity,
    Root,
    Value,
)
from grantproof.core.constraints import Attribute, Constraint
from grantproof.core.identifiers import (
    AttributeName,
)
from grantproof.core.organization import Organization

NO_NAMES: Final[frozenset[AttributeName]] = frozenset()


@dataclass(frozen=True, slots=True)
class Reads:
    """What constraints read of what is stored: attributes of both ends, and who it is.

    `texts` are the strings that an id may be compared with: a principal of another id is like any
    other. It is nothing where no constraint reads the id.
    """

    principal: frozenset[AttributeName] = NO_NAMES
    resource: frozenset[AttributeName] = NO_NAMES
    texts: frozenset[str] | None = None


NOTHING: Final = Reads()


def reads(state: Organization, constraints: Iterable[Constraint]) -> Reads:
    """Return what the constraints read of what the organization stores."""
    sides = tuple(_sides(constraints))
    principal, resource = _named(sides, Root.PRINCIPAL), _named(sides, Root.RESOURCE)
    if not any(isinstance(side, PrincipalIdentity) for side in sides):
        return Reads(principal, resource)
    texts = set[str]()
    for side in sides:
        if isinstance(side, Literal):
            texts |= texts_in(side.value)
    for one in state.principals.values():
        texts.update(texts_held(restricted(one.attributes, principal)))
    for thing in state.resources.values():
        texts.update(texts_held(restricted(thing.attributes, resource)))
    return Reads(principal, resource, frozenset(texts))


def read_of_resources(constraints: Iterable[Constraint]) -> frozenset[AttributeName]:
    """Return the attributes of resources that the constraints read."""
    return _named(_sides(constraints), Root.RESOURCE)


def is_personal(constraints: Iterable[Constraint]) -> bool:
    """Return whether a constraint reads what is stored of the principal, or who it is."""
    return any(
        isinstance(side, PrincipalIdentity)
        or (isinstance(side, Path) and side.root is Root.PRINCIPAL)
        for side in _sides(constraints)
    )


def reads_stored(constraints: Iterable[Constraint]) -> bool:
    """Return whether a constraint reads anything that is stored, or who asks."""
    some = tuple(constraints)
    return is_personal(some) or len(read_of_resources(some)) > 0


def _sides(constraints: Iterable[Constraint]) -> Iterator[Operand]:
    """Yield what the constraints on attributes compare."""
    for one in constraints:
        if isinstance(one, Attribute):
            yield from (one.path, one.operand)


def _named(sides: Iterable[Operand], root: Root) -> frozenset[AttributeName]:
    return frozenset(side.name for side in sides if isinstance(side, Path) and side.root is root)


def texts_held(held: Attributes) -> Iterator[str]:
    """Yield the strings that are or are held by the values of the attributes."""
    for value in held.values():
        yield from texts_in(value)


def texts_in(value: Value) -> frozenset[str]:
    """Return the strings that the value is or holds."""
    if isinstance(value, frozenset):
        return value
    return frozenset({value}) if isinstance(value, str) else frozenset()


def restricted(attributes: Attributes, names: frozenset[AttributeName]) -> Attributes:
    """Return the attributes of these names."""
    return Map({name: attributes[name] for name in names if name in attributes})
