"""What every store promises about ids: their case counts, and each is taken once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    CreateGroup,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    CreateSodSet,
    DeleteClaim,
    DeleteGroup,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    NestGroup,
    RemoveMember,
    RemoveParent,
    RevokeGroupRole,
    RevokeRole,
    SetPrincipalAttributes,
    SingleCommand,
    UnnestGroup,
)
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import Claim, Exactly, Resource, SodSet
from grantproof.service.ports import Store
from tests.contracts.histories import ACTOR, INSTANT, commit_all, created, empty

ACME = OrganizationId("acme")
CASES = ("ann", "Ann", "ANN")

READ = Exactly(Action("read"))
PLACES: list[SingleCommand] = [
    *(CreatePrincipal(PrincipalId(name)) for name in CASES),
    *(CreateGroup(GroupId(name)) for name in CASES),
    *(CreateRole(RoleId(name)) for name in CASES),
    *(CreateKind(Kind(name)) for name in CASES),
    *(CreateResource(Resource(ResourceId(name), Kind(name))) for name in CASES),
    *(
        CreateClaim(Claim(ClaimId(name), RoleId(name), READ, Exactly(ResourceId(name))))
        for name in CASES
    ),
    *(
        CreateSodSet(SodSet(SodSetId(name), frozenset({RoleId(name), RoleId("ANN")}), 2, "dynamic"))
        for name in CASES[:2]
    ),
]
"""One of every entity under each name, each under its own."""

EDGES: list[tuple[SingleCommand, SingleCommand]] = [
    (
        AddMember(PrincipalId("ann"), GroupId("Ann")),
        RemoveMember(PrincipalId("ann"), GroupId("Ann")),
    ),
    (
        AddMember(PrincipalId("Ann"), GroupId("ann")),
        RemoveMember(PrincipalId("Ann"), GroupId("ann")),
    ),
    (NestGroup(GroupId("ann"), GroupId("ANN")), UnnestGroup(GroupId("ann"), GroupId("ANN"))),
    (NestGroup(GroupId("Ann"), GroupId("ANN")), UnnestGroup(GroupId("Ann"), GroupId("ANN"))),
    (AddParent(RoleId("ann"), RoleId("ANN")), RemoveParent(RoleId("ann"), RoleId("ANN"))),
    (AddParent(RoleId("Ann"), RoleId("ANN")), RemoveParent(RoleId("Ann"), RoleId("ANN"))),
    (AssignRole(PrincipalId("ann"), RoleId("Ann")), RevokeRole(PrincipalId("ann"), RoleId("Ann"))),
    (AssignRole(PrincipalId("Ann"), RoleId("Ann")), RevokeRole(PrincipalId("Ann"), RoleId("Ann"))),
    (
        AssignGroupRole(GroupId("ann"), RoleId("ann")),
        RevokeGroupRole(GroupId("ann"), RoleId("ann")),
    ),
    (
        AssignGroupRole(GroupId("Ann"), RoleId("ann")),
        RevokeGroupRole(GroupId("Ann"), RoleId("ann")),
    ),
]
"""Edges that differ by case only, and what removes each."""


def test_every_entity_and_edge_keeps_its_case(store: Store) -> None:
    """What differs by case only is different, wherever an id is kept."""
    state = created(store, ACME, (*PLACES, *(add for add, _ in EDGES)))
    loaded = store.load(ACME)
    assert loaded == state
    assert loaded is not None
    for entities in (
        loaded.principals,
        loaded.groups,
        loaded.roles,
        loaded.resources_of_kind,
        loaded.resources,
        loaded.claims,
    ):
        assert sorted(entities) == sorted(CASES)
    assert sorted(loaded.sod_sets) == ["Ann", "ann"]


def test_removing_an_edge_leaves_those_of_another_case(store: Store) -> None:
    """Each edge goes alone."""
    state = created(store, ACME, (*PLACES, *(add for add, _ in EDGES)))
    for _, remove in EDGES:
        state = commit_all(store, state, [remove])
        assert store.load(ACME) == state


@pytest.mark.parametrize(
    "delete",
    [
        DeletePrincipal(PrincipalId("Ann"), cascade=True),
        DeleteGroup(GroupId("Ann"), cascade=True),
        DeleteClaim(ClaimId("Ann")),
        DeleteSodSet(SodSetId("Ann"), cascade=True),
        DeleteResource(ResourceId("Ann"), cascade=True),
    ],
)
def test_deleting_an_entity_leaves_those_of_another_case(
    store: Store, delete: SingleCommand
) -> None:
    """Each entity goes alone, with what names it in its own case."""
    state = created(store, ACME, (*PLACES, *(add for add, _ in EDGES)))
    after = commit_all(store, state, [delete])
    assert store.load(ACME) == after != state


def test_deleting_a_role_or_kind_leaves_those_of_another_case(store: Store) -> None:
    """So do roles and kinds, once nothing but their own case names them."""
    state = created(store, ACME, (*PLACES, DeleteSodSet(SodSetId("Ann"))))
    for delete in (
        DeleteRole(RoleId("Ann"), cascade=True),
        DeleteKind(Kind("Ann"), cascade=True),
    ):
        state = commit_all(store, state, [delete])
        assert store.load(ACME) == state
    assert sorted(map(str, state.roles)) == ["ANN", "ann"]
    assert sorted(map(str, state.resources_of_kind)) == ["ANN", "ann"]


def test_an_edit_leaves_those_of_another_case(store: Store) -> None:
    """Changing one principal changes no other."""
    state = created(store, ACME, PLACES)
    edit = SetPrincipalAttributes(PrincipalId("Ann"), attributes({"edited": True}))
    after = commit_all(store, state, [edit])
    assert store.load(ACME) == after


def test_organizations_differ_by_case(store: Store) -> None:
    """Each has its own facts and events, and goes alone."""
    upper = OrganizationId("Acme")
    state = created(store, ACME, PLACES)
    created(store, upper, [])
    assert store.load(upper) == empty(upper)
    assert store.events(upper, limit=10) == ()
    assert store.delete(upper, actor=ACTOR, instant=INSTANT)
    assert store.load(ACME) == state


def test_of_threads_that_create_the_same_id_one_does(store: Store) -> None:
    """The others are told that it is taken, and nothing fails."""
    threads, rounds = 4, 10
    start = Barrier(threads)

    def create(number: int) -> bool:
        start.wait()
        name = OrganizationId(f"org-{number // threads}")
        return store.create(name, time_zone="UTC", actor=ACTOR, instant=INSTANT)

    with ThreadPoolExecutor(threads) as pool:
        made = list(pool.map(create, range(threads * rounds)))
    assert sum(made) == rounds
    assert len(store.summaries(limit=100)) == rounds
