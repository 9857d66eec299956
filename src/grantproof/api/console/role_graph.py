"""The roles of an organization as a graph, and one role: what it may do, who holds it, and why."""

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Final

from fastapi import Query
from starlette.responses import Response

from grantproof.api.access import ADMINISTRATION
from grantproof.api.console import around
from grantproof.api.console.drawing import draw, rows
from grantproof.api.console.places import ORGANIZATION, address
from grantproof.api.console.visits import Visiting
from grantproof.api.problems import Fault, Refused, invalid, not_found
from grantproof.api.replies import CURSOR, SEPARATOR
from grantproof.api.strictness import strict_router
from grantproof.core.duty import exceeds, sets_naming
from grantproof.core.hierarchy import closure, effective_roles
from grantproof.core.identifiers import ClaimId, PrincipalId, RoleId
from grantproof.core.limits import (
    CLAIMS_PER_ROLE_MAX,
    PARENTS_PER_ROLE_MAX,
    ROLE_DEPTH_MAX,
    STRING_LENGTH_MAX,
)
from grantproof.core.model import Claim, SodSet
from grantproof.core.organization import Organization
from grantproof.core.paths import longest_chain
from grantproof.policyfile.fields import RoleField
from grantproof.service import review, standard_review
from grantproof.service.access_review import Access, Sought, access
from grantproof.service.claim_text import claim_head, constraint_text

LISTED: Final = 50
"""So many roles, claims or holders stand on a page."""
SUGGESTED_MAX: Final = 500
"""Of no more are names suggested while they are typed; of more a list would be no help."""
DEPTH_OF_ONE: Final = 2
"""How far around one role is drawn on its own page."""
PATH_MAX: Final = 65
"""As many roles as an inheritance may be deep, and one."""
KEY_PARTS: Final = 4
"""Of what a way in which a role is held is known by."""

router = strict_router(
    f"{ORGANIZATION}/roles", tag="console", access=ADMINISTRATION, in_document=False
)

Text = Annotated[str, Query(max_length=STRING_LENGTH_MAX)]
Path = Annotated[str, Query(max_length=PATH_MAX * 130, description="roles to light up, in order")]
Depth = Annotated[int, Query(ge=1, le=around.DEPTH_MAX, description="how many steps around")]

LEGEND: Final = (
    ("", "inherits from, downwards"),
    ("tie", "may not be held or active together"),
    ("lit", "stands out"),
)


@dataclass(frozen=True, slots=True)
class Inherited:
    """A claim of a role, and the way to it: from the role itself to the one that has it."""

    claim: Claim
    head: str
    constraints: tuple[str, ...]
    path: tuple[RoleId, ...]


@dataclass(frozen=True, slots=True)
class Duty:
    """A set that keeps roles apart. `own` are those that the role has by itself, inherited too."""

    sod_set: SodSet
    own: tuple[RoleId, ...]
    others: tuple[RoleId, ...]
    impossible: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """How much there is of what is bounded."""

    name: str
    used: int
    most: int


@router.get("")
def role_graph(
    visit: Visiting,
    *,
    role: Text = "",
    depth: Depth = around.DEPTH_DEFAULT,
    holder: Text = "",
    path: Path = "",
    duty: Text = "yes",
    q: Text = "",
    after: Text = "",
) -> Response:
    """Show the roles as a graph: all, or those around one of them; and as a list."""
    state = visit.state
    instant = visit.here.services.decisions.instant()
    faults = {"role": "", "holder": ""}
    centre = _known_role(state, role.strip(), faults)
    lit = _roles_of(state, holder.strip(), instant=instant, faults=faults)
    lit_path = _path(state, path)
    part = around.whole(state)
    if centre is not None:
        part = around.around(state, centre, depth, first=lit_path)
    sets = sets_naming(state, part.roles) if duty else ()
    drawn = around.picture(state, part, lit=lit, path=lit_path, sets=sets)
    listed = review.page(
        (one for one in state.roles if q.strip() in one), after=after or None, limit=LISTED
    )
    return visit.page(
        "role-graph.html",
        status=400 if any(faults.values()) else 200,
        state=state,
        svg=draw(drawn),
        words=list(rows(drawn)),
        part=part,
        legend=LEGEND,
        faults=faults,
        asked={"role": role.strip(), "holder": holder.strip(), "path": path},
        depth=depth,
        depths=range(1, around.DEPTH_MAX + 1),
        duty=duty,
        suggested_roles=suggested(state.roles),
        suggested_principals=suggested(state.principals),
        q=q.strip(),
        listed=[_summary(state, RoleId(one)) for one in listed.keys],
        more_after=listed.more_after,
    )


@router.get("/{role}")
def one_role(
    visit: Visiting,
    role: RoleField,
    *,
    claims_after: Text = "",
    holders_after: Text = "",
) -> Response:
    """Show one role: its claims and where they come from, its holders, what it may not go with."""
    state = visit.state
    if role not in state.roles:
        raise Refused(not_found("role", role))
    instant = visit.here.services.decisions.instant()
    part = around.around(state, role, DEPTH_OF_ONE)
    drawn = around.picture(state, part, sets=sets_naming(state, part.roles))
    claims, more_claims = _claims(state, role, after=claims_after)
    duties = _duties(state, role)
    holders, more_holders = _holders(state, role, instant=instant, after=holders_after)
    return visit.page(
        "role.html",
        state=state,
        role=role,
        svg=draw(drawn),
        words=list(rows(drawn)),
        part=part,
        legend=LEGEND[:2],
        parents=sorted(state.roles.parents[role]),
        children=sorted(state.roles.children[role]),
        claims=claims,
        claims_of_all=len(standard_review.role_permissions(state, role)),
        more_claims=more_claims,
        holders=holders,
        more_holders=more_holders,
        duties=duties[:LISTED],
        more_duties=max(0, len(duties) - LISTED),
        limits=_limits(state, role),
        instant=instant,
        is_first={"claims": claims_after == "", "holders": holders_after == ""},
    )


def suggested(names: Collection[str]) -> list[str]:
    """Return the names to choose from, in order; none where they are too many to be a help."""
    return sorted(names) if len(names) <= SUGGESTED_MAX else []


def graph_address(state: Organization, path: tuple[RoleId, ...]) -> str:
    """Return where the roles of the path are lit up in the graph."""
    return address("orgs", state.id, "roles", role=path[0], path=SEPARATOR.join(path))


def _known_role(state: Organization, name: str, faults: dict[str, str]) -> RoleId | None:
    if name == "":
        return None
    if name not in state.roles:
        faults["role"] = "there is no such role"
        return None
    return RoleId(name)


def _roles_of(
    state: Organization, name: str, *, instant: int, faults: dict[str, str]
) -> frozenset[RoleId]:
    """Return what the principal that is named holds at the instant; none where none is named."""
    if name == "":
        return frozenset()
    if name not in state.principals:
        faults["holder"] = "there is no such principal"
        return frozenset()
    return effective_roles(state, PrincipalId(name), instant)


def _path(state: Organization, written: str) -> tuple[RoleId, ...]:
    """Return the roles that an address lights up; those that are gone meanwhile are left out."""
    names = written.split(SEPARATOR) if written else []
    if len(names) > PATH_MAX:
        raise Refused(invalid([Fault("path", f"must name at most {PATH_MAX} roles")]))
    return tuple(RoleId(name) for name in names if name in state.roles)


def _summary(state: Organization, role: RoleId) -> dict[str, object]:
    return {
        "id": role,
        "parents": sorted(state.roles.parents[role])[:LISTED],
        "children": len(state.roles.children[role]),
        "claims": len(state.claims_by_role.get(role, ())),
        "principals": len(state.assignments.to(role)),
        "groups": len(state.group_assignments.to(role)),
    }


def _claims(state: Organization, role: RoleId, *, after: str) -> tuple[list[Inherited], str | None]:
    """Return a page of the claims of the role, inherited ones too, and where the next begins."""
    names = (claim.id for claim in standard_review.role_permissions(state, role))
    found = review.page(names, after=after or None, limit=LISTED)
    paths = review.shortest_paths((role,), state.roles.parents)
    claims = (state.claims[ClaimId(name)] for name in found.keys)
    told = [
        Inherited(
            claim,
            claim_head(claim),
            tuple(map(constraint_text, claim.constraints)),
            paths[claim.role],
        )
        for claim in claims
    ]
    return told, found.more_after


def _holders(
    state: Organization, role: RoleId, *, instant: int, after: str
) -> tuple[list[Access], str | None]:
    """Return a page of the ways in which principals hold the role, and where the next begins."""
    key = tuple(after.split(SEPARATOR)) if after else ()
    if key and len(key) != KEY_PARTS:
        raise Refused(CURSOR)
    ways = access(state, Sought(role=role), instant=instant, after=key)
    found = list(islice(ways, LISTED + 1))
    shown = found[:LISTED]
    return shown, SEPARATOR.join(shown[-1].key) if len(found) > LISTED else None


def _duties(state: Organization, role: RoleId) -> list[Duty]:
    """Return the sets that name the role or something that it inherits from."""
    own = closure({role}, state.roles.parents)
    return [
        Duty(
            sod_set,
            own=tuple(sorted(sod_set.roles & own)),
            others=tuple(sorted(sod_set.roles - own)),
            impossible=exceeds(sod_set, own),
        )
        for sod_set in sets_naming(state, sorted(own))
    ]


def _limits(state: Organization, role: RoleId) -> list[Limit]:
    return [
        Limit("claims of its own", len(state.claims_by_role.get(role, ())), CLAIMS_PER_ROLE_MAX),
        Limit("parents", len(state.roles.parents[role]), PARENTS_PER_ROLE_MAX),
        Limit("steps of inheritance", longest_chain(role, state.roles.parents), ROLE_DEPTH_MAX),
    ]
