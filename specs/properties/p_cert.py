"""P-CERT: the lemma on paths that the checker's proof uses, by induction on the later place."""

import z3

from grantproof.core.identifiers import RoleId
from grantproof.core.organization import Organization
from specs.definitions.certificate import follows
from specs.definitions.hierarchy import preorder, reaches
from specs.kernel.shapes import located
from specs.kernel.sorts import Name
from specs.kernel.values import Seq, coerce
from specs.properties.registry import Stated, some, states


@states("P-CERT")
def path_lemma() -> Stated:
    """On a path that follows edges a place reaches itself, and the next of what it reaches."""
    parents = some(Organization, "state").roles.parents.value
    path = located("path", (), tuple[RoleId, ...])
    if not isinstance(path, Seq):
        raise TypeError
    i, j = z3.Ints("i j")
    low, at, following = (coerce(path.at(place), Name) for place in (i, j, j + 1))
    inside = z3.And(i >= 0, i <= j, j + 1 < path.length)
    known = [*preorder(parents), ("the path follows edges", follows(path, parents))]
    step = z3.Implies(z3.And(inside, reaches(parents, low, at)), reaches(parents, low, following))
    return known, [("base", reaches(parents, low, low)), ("step", step)]
