"""What a store promises of versions: which revision last changed each entity; in every store."""

import pytest

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignRole,
    ChangeSet,
    Command,
    CreateGroup,
    CreatePrincipal,
    CreateRole,
    DeleteRole,
    RemoveParent,
    SingleCommand,
)
from grantproof.core.identifiers import GroupId, OrganizationId, RoleId
from grantproof.core.model import Group, Principal, Role
from grantproof.service.ports import Store
from grantproof.service.versions import Entity, Versioned, Versions
from tests.contracts.histories import (
    ACTOR,
    ANN,
    HISTORY,
    INSTANT,
    commit_all,
    created,
    empty,
    random_history,
)

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
CHILD, BASE, TOP = RoleId("child"), RoleId("base"), RoleId("top")
ROLES: list[SingleCommand] = [CreateRole(BASE), CreateRole(TOP), CreateRole(CHILD)]


def versions(store: Store, organization: OrganizationId = ACME) -> Versions:
    """The versions of an organization that is there."""
    found = store.load_versioned(organization)
    assert found is not None
    assert found.state == store.load(organization)
    assert found.versions.revision == found.state.revision
    return found.versions


def folded(store: Store, organization: OrganizationId = ACME) -> Versions:
    """What the events make of them."""
    found = Versions()
    for event in store.events(organization, limit=10_000):
        found = found.after(event.delta)
    return found


def roles(store: Store) -> dict[str, int]:
    """The revision that last changed each role."""
    return dict(versions(store).of_type[Role])


def test_what_is_not_there_has_no_versions(store: Store) -> None:
    """Neither what never was nor what is no more; what is new has none yet."""
    assert store.load_versioned(ACME) is None
    created(store, ACME, [])
    assert store.load_versioned(ACME) == Versioned(empty(ACME), Versions())
    assert store.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert store.load_versioned(ACME) is None


def test_versions_are_those_that_the_events_make(store: Store) -> None:
    """After every change of a history with every kind of fact."""
    state, expected = empty(ACME), Versions()
    created(store, ACME, [])
    for command in HISTORY:
        state = commit_all(store, state, [command])
        expected = expected.after(store.events(ACME, after=state.revision - 1, limit=1)[0].delta)
        assert versions(store) == expected
    assert all(len(found) > 0 for found in expected.of_type.values())


def test_versions_of_random_histories_too(store: Store) -> None:
    """Edits, cascades and change sets in any order."""
    state = empty(ACME)
    created(store, ACME, [])
    for command in random_history(7, attempts=1_000):
        outcome = apply(state, command, actor=ACTOR, instant=INSTANT)
        if isinstance(outcome, Accepted):
            assert store.commit(outcome.event)
            state = outcome.state
            if state.revision % 25 == 0:
                assert versions(store) == folded(store)
    assert versions(store) == folded(store)
    assert state.revision > 100


def test_a_parent_that_comes_or_goes_changes_the_child_alone(store: Store) -> None:
    """Although of the edge that went no row is left."""
    state = created(store, ACME, ROLES)
    state = commit_all(store, state, [AddParent(CHILD, BASE), AddParent(CHILD, TOP)])
    assert roles(store) == {"base": 1, "top": 2, "child": 5}
    state = commit_all(store, state, [RemoveParent(CHILD, BASE)])
    assert roles(store) == {"base": 1, "top": 2, "child": 6}
    commit_all(store, state, [DeleteRole(TOP, cascade=True)])
    assert roles(store) == {"base": 1, "child": 7}


def test_a_role_that_is_made_with_its_parents_is_new_once(store: Store) -> None:
    """One change makes role and edges; another takes both away."""
    state = created(store, ACME, ROLES[:1])
    state = commit_all(store, state, [ChangeSet((CreateRole(CHILD), AddParent(CHILD, BASE)))])
    assert roles(store) == {"base": 1, "child": 2}
    commit_all(store, state, [DeleteRole(CHILD, cascade=True)])
    assert roles(store) == {"base": 1}


@pytest.mark.parametrize("at_once", [False, True])
def test_what_is_made_again_is_of_the_revision_that_made_it_again(
    store: Store, at_once: bool
) -> None:
    """In one change too, where something of it was lost: the edge to its parent."""
    state = created(store, ACME, [*ROLES, AddParent(CHILD, BASE)])
    steps: list[SingleCommand] = [DeleteRole(CHILD, cascade=True), CreateRole(CHILD)]
    commands: list[Command] = [ChangeSet(tuple(steps))] if at_once else [*steps]
    commit_all(store, state, commands)
    assert roles(store)["child"] == (5 if at_once else 6)


def test_links_change_no_entity(store: Store) -> None:
    """A membership or an assignment is shown by the collection that lists it."""
    makers: list[SingleCommand] = [CreatePrincipal(ANN), CreateGroup(GroupId("g")), *ROLES]
    state = created(store, ACME, makers)
    before = versions(store)
    commit_all(store, state, [AddMember(ANN, GroupId("g")), AssignRole(ANN, BASE)])
    after = versions(store)
    assert (after.of_type, after.revision) == (before.of_type, before.revision + 2)
    assert (after[Entity(Principal, "ann")], after[Entity(Group, "g")]) == (1, 2)


def test_versions_of_two_organizations_are_apart(store: Store) -> None:
    """The same role in another organization keeps its own."""
    created(store, OTHER, ROLES)
    commit_all(store, created(store, ACME, ROLES), [AddParent(CHILD, BASE)])
    assert versions(store, OTHER)[Entity(Role, "child")] == 3
    assert versions(store)[Entity(Role, "child")] == 4
