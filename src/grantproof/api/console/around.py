"""What of a role graph is drawn: all of it, or what is nearest to one role, and how it is told.

Only what can be laid out and looked at is drawn, however many roles there are; what is left out is
counted. Ancestors and descendants are found as everywhere, by `service.review`.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import islice, pairwise
from typing import Final

from grantproof.api.console.drawing import Link, Node, Picture, Tie
from grantproof.api.console.layering import EDGES_MAX, NODES_MAX, fits
from grantproof.api.console.places import address
from grantproof.core.identifiers import RoleId
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization
from grantproof.service.review import shortest_paths

TIES_MAX: Final = 60
"""So many dashed lines are drawn; of more, those of the first sets."""
DEPTH_MAX: Final = 8
DEPTH_DEFAULT: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """The roles that are drawn, in order, and how many are not.

    `centre` is the role that they are around, if they are around one. `too_many` says that
    some within the depth had to be left out.
    """

    roles: tuple[RoleId, ...]
    centre: RoleId | None
    left_out: int
    too_many: bool = False


def whole(state: Organization) -> Part:
    """Return all roles, or where they are too many to be drawn, those with the most links."""
    parents, children = state.roles.parents, state.roles.children
    wanted = nsmallest(
        NODES_MAX, state.roles, key=lambda role: (-len(parents[role]) - len(children[role]), role)
    )
    return _part(state, wanted, None)


def around(
    state: Organization, centre: RoleId, depth: int, *, first: Sequence[RoleId] = ()
) -> Part:
    """Return the role, what it inherits from and what inherits from it, up to so many steps away.

    Of more than can be drawn, the nearest are kept; the roles of `first` come before all others,
    and are among them however far they are.
    """
    near = {role: 0 for role in first if role in state.roles}
    for links in (state.roles.parents, state.roles.children):
        for role, path in shortest_paths((centre,), links).items():
            if len(path) - 1 <= depth:
                near.setdefault(role, len(path) - 1)
    near[centre] = -1
    part = _part(state, nsmallest(NODES_MAX, near, key=lambda role: (near[role], role)), centre)
    return replace(part, too_many=len(part.roles) < len(near))


def _part(state: Organization, wanted: Sequence[RoleId], centre: RoleId | None) -> Part:
    """Return as many of the wanted roles as can be drawn, those in front first."""
    # What fits goes on fitting when something is taken away, so the most is found by halves.
    counts = range(1, len(wanted) + 1)
    most = bisect_left(counts, 1, key=lambda count: not _fits(state, wanted, count))
    return Part(tuple(sorted(wanted[:most])), centre, len(state.roles) - most)


def picture(
    state: Organization,
    part: Part,
    *,
    lit: Iterable[RoleId] = (),
    path: Sequence[RoleId] = (),
    sets: Iterable[SodSet] = (),
) -> Picture:
    """Return the drawing of the part.

    The roles of `lit` stand out, and so does the `path` with its arrows. The roles of a set are
    tied together.
    """
    drawn = frozenset(part.roles)
    stands_out = frozenset(lit) | frozenset(path)
    steps = frozenset(pairwise(path))
    lights = frozenset(lit)
    nodes = tuple(
        Node(
            id=role,
            label=role,
            note=note_of(state, role),
            href=address("orgs", state.id, "roles", role),
            mark="lit" if role in stands_out else "",
            centre=role == part.centre,
        )
        for role in part.roles
    )
    links = tuple(
        Link(role, parent, mark="lit" if _is_lit((role, parent), steps, lights) else "")
        for role, parent in _edges(state, part.roles, drawn)
    )
    ties = tuple(islice(_ties(sets, drawn), TIES_MAX))
    return Picture(f"roles of {state.id}", nodes, links, ties)


def note_of(state: Organization, role: RoleId) -> str:
    """Return what a box says of a role: its own claims, and to how many it is assigned itself."""
    claims = len(state.claims_by_role.get(role, ()))
    given = len(state.assignments.to(role)) + len(state.group_assignments.to(role))
    return f"{claims:,} {'claim' if claims == 1 else 'claims'} · {given:,} assigned"


def _is_lit(
    edge: tuple[RoleId, RoleId],
    steps: frozenset[tuple[RoleId, RoleId]],
    lights: frozenset[RoleId],
) -> bool:
    return edge in steps or (edge[0] in lights and edge[1] in lights)


def _fits(state: Organization, roles: Sequence[RoleId], count: int) -> bool:
    drawn = roles[:count]
    edges = tuple(islice(_edges(state, drawn, frozenset(drawn)), EDGES_MAX + 1))
    return fits(count, edges)


def _edges(
    state: Organization, roles: Iterable[RoleId], drawn: frozenset[RoleId]
) -> Iterable[tuple[RoleId, RoleId]]:
    return (
        (role, parent)
        for role in roles
        for parent in sorted(state.roles.parents[role])
        if parent in drawn
    )


def _ties(sets: Iterable[SodSet], drawn: frozenset[RoleId]) -> Iterable[Tie]:
    for sod_set in sets:
        label = f"separation of duty {sod_set.id}"
        for one, other in pairwise(sorted(sod_set.roles & drawn)):
            yield Tie(one, other, label)
