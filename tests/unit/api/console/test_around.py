"""What of a role graph is drawn: all, or the nearest, never more than can be looked at."""

from collections.abc import Iterable
from itertools import pairwise

from grantproof.api.console.around import TIES_MAX, Part, around, note_of, picture, whole
from grantproof.api.console.drawing import Tie
from grantproof.api.console.layering import NODES_MAX, fits
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    OrganizationId,
    PrincipalId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import (
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    Group,
    GroupAssignment,
    Inheritance,
    Principal,
    Role,
    SodSet,
)
from grantproof.core.organization import Organization, with_fact


def organization(roles: Iterable[str], edges: Iterable[tuple[str, str]] = ()) -> Organization:
    """An organization of roles that inherit, child first."""
    state = Organization(OrganizationId("org"))
    facts: list[Fact] = [Role(RoleId(role)) for role in roles]
    facts += [Inheritance(RoleId(child), RoleId(parent)) for child, parent in edges]
    for fact in facts:
        state = with_fact(state, fact)
    return state


def chain(length: int) -> Organization:
    """Roles of which each inherits from the next."""
    names = [f"r{number:03d}" for number in range(length)]
    return organization(names, pairwise(names))


def names(part: Part) -> list[str]:
    """The roles that are drawn."""
    return [str(role) for role in part.roles]


def test_a_small_graph_is_drawn_whole() -> None:
    """With nothing left out, also where there is no role."""
    assert whole(chain(3)) == Part((RoleId("r000"), RoleId("r001"), RoleId("r002")), None, 0)
    assert whole(organization([])) == Part((), None, 0)


def test_of_a_large_graph_the_roles_with_the_most_links_are_drawn() -> None:
    """At the bound all, above it one is left out: one without parents and children."""
    many = [f"r{number:03d}" for number in range(NODES_MAX)]
    assert len(whole(organization(many)).roles) == NODES_MAX
    part = whole(organization([*many, "z"], [("z", "r149")]))
    assert (len(part.roles), part.left_out) == (NODES_MAX, 1)
    assert {"z", "r149"} <= set(names(part))
    assert "r148" not in names(part)


def test_what_has_too_many_links_is_drawn_in_part() -> None:
    """As many roles as fit with all links between them, and one more would not."""
    roles = [f"r{number:02d}" for number in range(60)]
    state = organization(
        roles, [(one, other) for place, one in enumerate(roles) for other in roles[:place]]
    )
    for part in (whole(state), around(state, RoleId("r30"), 8)):
        drawn = picture(state, part)
        edges = [(link.upper, link.lower) for link in drawn.links]
        assert 10 < len(part.roles) < 60
        assert part.left_out == 60 - len(part.roles)
        assert fits(len(part.roles), edges)
    assert part.too_many


def test_around_a_role_are_its_ancestors_and_descendants() -> None:
    """Up to so many steps away, and no siblings."""
    state = organization("abcdex", [("a", "b"), ("b", "c"), ("c", "d"), ("d", "e"), ("x", "d")])
    assert names(around(state, RoleId("c"), 1)) == ["b", "c", "d"]
    assert names(around(state, RoleId("c"), 2)) == ["a", "b", "c", "d", "e"]
    part = around(state, RoleId("c"), 8)
    assert (part.centre, part.left_out, part.too_many) == ("c", 1, False)


def test_the_nearest_are_kept() -> None:
    """The role itself first, whatever else is there."""
    leaves = [f"r{number:03d}" for number in range(NODES_MAX + 20)]
    state = organization(
        [*leaves, "hub", "far"], [*((leaf, "hub") for leaf in leaves), ("far", "r000")]
    )
    part = around(state, RoleId("hub"), 2)
    assert "hub" in names(part)
    assert "far" not in names(part)
    assert (len(part.roles), part.left_out, part.too_many) == (NODES_MAX, 22, True)


def test_what_has_to_be_seen_comes_first() -> None:
    """However far it is; what is not there is left out."""
    state = chain(30)
    far = (RoleId("r025"), RoleId("gone"))
    assert names(around(state, RoleId("r000"), 1, first=far)) == ["r000", "r001", "r025"]


def test_boxes_lead_to_their_roles_and_say_how_much_there_is() -> None:
    """Claims of its own, and to how many principals and groups it is assigned."""
    state = chain(2)
    role = RoleId("r000")
    facts: list[Fact] = [
        Claim(ClaimId("c"), role, Exactly(Action("read")), Any()),
        Principal(PrincipalId("ann")),
        Group(GroupId("staff")),
        Assignment(PrincipalId("ann"), role),
        GroupAssignment(GroupId("staff"), role),
    ]
    for fact in facts:
        state = with_fact(state, fact)
    drawn = picture(state, around(state, role, 1))
    assert [(one.label, one.note, one.href, one.centre) for one in drawn.nodes] == [
        ("r000", "1 claim · 2 assigned", "/console/orgs/org/roles/r000", True),
        ("r001", "0 claims · 0 assigned", "/console/orgs/org/roles/r001", False),
    ]
    assert note_of(state, RoleId("r001")) == "0 claims · 0 assigned"


def test_a_path_is_lit_with_its_arrows() -> None:
    """The steps of it, not every arrow between its roles."""
    state = organization("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    path = (RoleId("a"), RoleId("b"), RoleId("c"))
    drawn = picture(state, whole(state), path=path)
    assert {one.mark for one in drawn.nodes} == {"lit"}
    assert {(one.upper, one.lower): one.mark for one in drawn.links} == {
        ("a", "b"): "lit",
        ("b", "c"): "lit",
        ("a", "c"): "",
    }


def test_roles_are_lit_with_the_arrows_between_them() -> None:
    """As of a principal, who has them all."""
    state = organization("abc", [("a", "b"), ("b", "c"), ("a", "c")])
    drawn = picture(state, whole(state), lit=[RoleId("a"), RoleId("c")])
    assert [one.mark for one in drawn.nodes] == ["lit", "", "lit"]
    assert [(one.upper, one.lower) for one in drawn.links if one.mark] == [("a", "c")]


def test_sets_tie_the_roles_that_are_drawn() -> None:
    """One line less than there are of them, and not too many lines."""
    state = organization("abcd")
    roles = frozenset(map(RoleId, "abcd"))
    part = Part((RoleId("a"), RoleId("b"), RoleId("d")), None, 1)
    pair = SodSet(SodSetId("apart"), roles, 2)
    label = "separation of duty apart"
    assert picture(state, part, sets=[pair]).ties == (Tie("a", "b", label), Tie("b", "d", label))
    many = [SodSet(SodSetId(f"s{number}"), roles, 2) for number in range(TIES_MAX)]
    assert len(picture(state, part, sets=many).ties) == TIES_MAX


def test_the_role_itself_is_there_in_any_case() -> None:
    """Also among more than can be drawn that have to be seen."""
    many = [RoleId(f"r{number:03d}") for number in range(NODES_MAX + 5)]
    part = around(organization([*many, "z"]), RoleId("z"), 1, first=many)
    assert "z" in names(part)
    assert len(part.roles) == NODES_MAX
