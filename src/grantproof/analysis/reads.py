"""What the constraints of a question read of what is stored: all else makes no difference."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from immutables import Map

from grantproof.core.attributes import (
    Attributes,
    Literal,
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
    names: dict[Root, set[AttributeName]] = {root: set() for root in Root}
    literals, identity = set[str](), False
    for constraint in constraints:
        if isinstance(constraint, Attribute):
            for side in (constraint.path, constraint.operand):
                match side:
                    case Path(root, name):
                        names[root].add(name)
                    case Literal(value):
                        literals |= texts_in(value)
                    case PrincipalIdentity():
                        identity = True
                    case _:
                        pass
    principal, resource = frozenset(names[Root.PRINCIPAL]), frozenset(names[Root.RESOURCE])
    if identity:
        people = (one.attributes for one in state.principals.values())
        things = (one.attributes for one in state.resources.values())
        literals.update(_texts_stored(people, principal), _texts_stored(things, resource))
    return Reads(principal, resource, frozenset(literals) if identity else None)


def _texts_stored(stored: Iterable[Attributes], names: frozenset[AttributeName]) -> Iterator[str]:
    for attributes in stored:
        for name in names:
            yield from texts_in(attributes.get(name))


def texts_in(value: Value | None) -> frozenset[str]:
    """Return the strings that the value is or holds."""
    if isinstance(value, frozenset):
        return value
    return frozenset({value}) if isinstance(value, str) else frozenset()


def restricted(attributes: Attributes, names: frozenset[AttributeName]) -> Attributes:
    """Return the attributes of these names."""
    return Map({name: attributes[name] for name in names if name in attributes})


def reads_stored(constraint: Constraint) -> bool:
    """Return whether the constraint reads anything that is stored, or who asks."""
    if not isinstance(constraint, Attribute):
        return False
    return any(
        isinstance(side, PrincipalIdentity)
        or (isinstance(side, Path) and side.root in {Root.PRINCIPAL, Root.RESOURCE})
        for side in (constraint.path, constraint.operand)
    )
