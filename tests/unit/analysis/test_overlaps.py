"""Which claims speak about an access, on which resources, and who is nearest to a role."""

import pytest

from grantproof.analysis.lawful import nearest, roles_ever
from grantproof.analysis.overlaps import ANY_ACTION, Overlaps, common_action
from grantproof.core.attributes import Operator, Path, PrincipalIdentity, Root, attributes
from grantproof.core.constraints import Attribute
from grantproof.core.guardrails import Access
from grantproof.core.identifiers import Action, AttributeName, ResourceId
from grantproof.core.model import (
    ADMINISTER,
    ActionPattern,
    Any,
    Assignment,
    Exactly,
    GroupAssignment,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    OfKind,
    Resource,
    ResourcePattern,
    Validity,
    Within,
)
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    CHIEF,
    CLERK,
    CLUB,
    DOCS,
    EVE,
    FILE,
    FOLDER,
    HEAD,
    PLAN,
    READ,
    WRITE,
    claim,
    groups,
    library,
    made_of,
    people,
    roles,
)

MAIL = ResourceId("mail")
ROLE = ResourceId("role:clerk")
OWN = Attribute(Path(Root.RESOURCE, AttributeName("owner")), Operator.EQ, PrincipalIdentity())


@pytest.mark.parametrize(
    ("one", "other", "common"),
    [
        (Exactly(READ), Exactly(READ), READ),
        (Exactly(READ), Exactly(WRITE), None),
        (Exactly(READ), Any(), READ),
        (Exactly(ADMINISTER), Any(), None),
        (Exactly(ADMINISTER), Exactly(ADMINISTER), ADMINISTER),
        (Any(), Any(), ANY_ACTION),
    ],
)
def test_two_patterns_have_an_action_in_common_or_none(
    one: ActionPattern, other: ActionPattern, common: Action | None
) -> None:
    """In either order; `*` has no administrative action."""
    assert (common_action(one, other), common_action(other, one)) == (common, common)


PATTERNS: dict[str, ResourcePattern] = {
    "docs": Exactly(DOCS),
    "plan": Exactly(PLAN),
    "mail": Exactly(MAIL),
    "role": Exactly(ROLE),
    "docs/**": Within(DOCS),
    "plan/**": Within(PLAN),
    "role/**": Within(ROLE),
    "files": OfKind("file"),
    "folders": OfKind("folder"),
    "roles": OfKind("role"),
    "*": Any(),
    "nowhere": Exactly(ResourceId("nowhere")),
    "unknown": OfKind("unknown"),
}
MEANT: dict[str, set[str]] = {
    "docs": {"docs"},
    "plan": {"docs/plan"},
    "mail": {"mail"},
    "role": {"role:clerk"},
    "docs/**": {"docs", "docs/plan"},
    "plan/**": {"docs/plan"},
    "role/**": {"role:clerk"},
    "files": {"docs/plan", "mail", "any-file"},
    "folders": {"docs", "any-folder"},
    "roles": {"role:clerk"},
    "*": {"docs", "docs/plan", "mail", "role:clerk", "organization:acme", "any-file", "any-folder"},
    "nowhere": set(),
    "unknown": set(),
}


@pytest.mark.parametrize("asked", PATTERNS)
def test_what_a_claim_shares_with_an_access_is_what_both_mean(asked: str) -> None:
    """Of any two patterns; where nothing is read of resources, one of those stands for all."""
    facts = (*roles(CLERK), *library(), Resource(MAIL, FILE))
    for name, pattern in PATTERNS.items():
        state = made_of(*facts, claim(resource=pattern))
        grants = Overlaps(state).grants(Access(Exactly(READ), PATTERNS[asked]))
        both = MEANT[name] & MEANT[asked]
        assert [str(one.place.resource) for one in grants][:1] == ordered(both)[:1], (name, asked)
        assert len(grants) <= 1
        apart = {kind: attributes({"owner": kind}) for kind in ("docs", "docs/plan", "mail")}
        told = made_of(
            *roles(CLERK),
            KindDeclaration(FILE),
            KindDeclaration(FOLDER),
            Resource(DOCS, FOLDER, attributes=apart["docs"]),
            Resource(PLAN, FILE, DOCS, apart["docs/plan"]),
            Resource(MAIL, FILE, attributes=apart["mail"]),
            claim(OWN, resource=pattern),
        )
        each = Overlaps(told).grants(Access(Exactly(READ), PATTERNS[asked]))
        found = {str(one.place.resource) for one in each}
        assert found & set(apart) == both & set(apart)
        assert len(found - set(apart)) == min(1, len(both - set(apart)))


def ordered(names: set[str]) -> list[str]:
    """Registered ids, implicit ones, then those that are not registered."""
    return sorted(names, key=lambda name: (name.startswith("any-"), ":" in name, name))


def test_the_names_of_unregistered_resources_are_not_taken() -> None:
    """What stands for an unregistered resource is another id than any that is registered."""
    state = made_of(
        *roles(CLERK), *library(), Resource(ResourceId("any-file"), FOLDER), claim(resource=Any())
    )
    only = ("kind:file",)
    (grant,) = Overlaps(state).grants(Access(Any(), Any()), only=only)
    assert (grant.place.resource, grant.place.kind) == ("any-file-2", "file")


def test_the_nearest_holder_comes_first() -> None:
    """Direct ways before those through groups, short before long, then by id; each once."""
    state = made_of(
        *people(ANN, BOB, EVE),
        *groups(CLUB, BOARD),
        *roles(CLERK, HEAD, CHIEF),
        Inheritance(HEAD, CLERK),
        Inheritance(CHIEF, HEAD),
        Assignment(EVE, CHIEF, Validity(5)),
        GroupAssignment(BOARD, CLERK),
        GroupAssignment(CLUB, HEAD),
        Nesting(CLUB, BOARD),
        Membership(BOB, BOARD),
        Membership(ANN, CLUB),
        Membership(EVE, CLUB),
    )
    assert list(nearest(state, CLERK)) == [EVE, BOB, ANN]
    assert list(nearest(state, CHIEF)) == [EVE]
    assert roles_ever(state, {ANN}) == {CLERK, HEAD}
    assert roles_ever(state, {EVE}) == {CLERK, HEAD, CHIEF}
