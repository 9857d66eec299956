"""What a store promises, sentence by sentence; the same suite for every store."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from typing import get_args

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.commands import Accepted, Event, apply
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateGroup,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    SetPrincipalAttributes,
    SetResourceAttributes,
    SingleCommand,
)
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import (
    Action,
    ClaimId,
    GroupId,
    Kind,
    OrganizationId,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.limits import (
    ACTOR_LENGTH_MAX,
    ID_LENGTH_MAX,
    INSTANT_MAX,
    TIME_ZONE_LENGTH_MAX,
)
from grantproof.core.model import Claim, Delta, Exactly, Fact, Group, Resource, Role
from grantproof.core.organization import Organization, advance, facts
from grantproof.service.ports import OrganizationSummary, Store
from tests.contracts.histories import (
    ACTOR,
    ANN,
    DOCS,
    DOCUMENT,
    FIRST_HISTORY,
    FOLDER,
    HISTORY,
    INSTANT,
    PLAN,
    READER,
    commit_all,
    created,
    empty,
    event,
    fold,
    random_history,
)

ACME, OTHER = OrganizationId("acme"), OrganizationId("other")
EVERY = 10_000
"""More events than any test makes."""


def create(store: Store, organization: OrganizationId = ACME, time_zone: str = "UTC") -> bool:
    """Create an organization as anybody would."""
    return store.create(organization, time_zone=time_zone, actor=ACTOR, instant=INSTANT)


def delete(store: Store, organization: OrganizationId = ACME) -> bool:
    """Delete an organization as anybody would."""
    return store.delete(organization, actor=ACTOR, instant=INSTANT)


def summary_ids(store: Store) -> list[str]:
    """The ids of all organizations, as listed."""
    return [summary.id for summary in store.summaries(limit=100)]


# ---------------------------------------------------------------- organizations


def test_a_new_organization_is_empty_at_revision_0(store: Store) -> None:
    """What was created is loaded as the empty organization in its time zone."""
    assert create(store, time_zone="Europe/Berlin")
    assert store.load(ACME) == empty(ACME, "Europe/Berlin")
    assert store.revision(ACME) == 0


def test_an_id_in_use_is_not_created_again(store: Store) -> None:
    """Creating what exists is false and leaves it as it is."""
    state = created(store, ACME)
    assert not create(store, time_zone="Europe/Berlin")
    assert store.load(ACME) == state


def test_an_id_once_used_is_never_used_again(store: Store) -> None:
    """A deleted organization's id is taken for ever."""
    created(store, ACME, HISTORY[:3])
    assert delete(store)
    assert not create(store)
    assert store.load(ACME) is None


@pytest.mark.parametrize("time_zone", ["", "x" * (TIME_ZONE_LENGTH_MAX + 1)])
def test_an_illegal_organization_is_not_stored(store: Store, time_zone: str) -> None:
    """What could not be loaded again is refused before anything is written."""
    with pytest.raises(Illegal):
        create(store, time_zone=time_zone)
    assert summary_ids(store) == []
    assert create(store, time_zone="x" * TIME_ZONE_LENGTH_MAX)


def test_what_is_deleted_is_gone(store: Store) -> None:
    """A deleted organization has no state, no revision and no place in the list."""
    created(store, ACME)
    assert delete(store)
    assert store.load(ACME) is None
    assert store.revision(ACME) is None
    assert summary_ids(store) == []


def test_deleting_keeps_the_events(store: Store) -> None:
    """What happened in a deleted organization can still be read, to the last event."""
    state = created(store, ACME)
    before = store.events(ACME, limit=EVERY)
    assert delete(store)
    assert store.events(ACME, limit=EVERY) == before
    assert fold(ACME, before) == state


def test_deleting_what_is_not_there_is_false(store: Store) -> None:
    """An absent and a deleted organization cannot be deleted."""
    assert not delete(store)
    assert create(store)
    assert delete(store)
    assert not delete(store)


def test_a_deleted_organization_takes_no_changes(store: Store) -> None:
    """A change that was decided before the deletion is lost."""
    state = created(store, ACME, HISTORY[:3])
    late = event(state, CreateRole(RoleId("late")))
    assert delete(store)
    assert not store.commit(late)
    assert len(store.events(ACME, limit=EVERY)) == 3


def test_absent_organizations_are_nothing(store: Store) -> None:
    """Of what never existed there is no state, no revision, no event; no change is taken."""
    assert store.load(ACME) is None
    assert store.revision(ACME) is None
    assert store.events(ACME, limit=EVERY) == ()
    assert not store.commit(event(empty(ACME), CreateRole(READER)))


def test_heads_are_those_of_what_is_there(store: Store) -> None:
    """Of as many as are asked for; what is absent or gone is left out."""
    many = [OrganizationId(f"org-{number}") for number in range(501)]
    for one in many[:3]:
        create(store, one)
    commit_all(store, empty(many[1]), HISTORY[:2])
    delete(store, many[2])
    heads = store.heads(many)
    assert {one: revision for one, (revision, _) in heads.items()} == {"org-0": 0, "org-1": 2}
    for name, head in heads.items():
        found = store.load_versioned(OrganizationId(name))
        assert found is not None
        assert head == (found.state.revision, found.seal)
    assert store.heads([]) == {}


def test_organizations_are_listed_by_id(store: Store) -> None:
    """The list is ordered by id, upper case first, whatever the order of creation."""
    for name in ("b", "a", "C", "A", "a.b", "a-b", "_"):
        assert create(store, OrganizationId(name))
    assert summary_ids(store) == ["A", "C", "_", "a", "a-b", "a.b", "b"]


def test_a_summary_says_revision_and_time_zone(store: Store) -> None:
    """A list shows the current revision."""
    assert create(store, time_zone="Asia/Tokyo")
    commit_all(store, empty(ACME, "Asia/Tokyo"), HISTORY[:3])
    assert store.summaries(limit=1) == (OrganizationSummary(ACME, 3, "Asia/Tokyo"),)


def test_pages_of_organizations_leave_nothing_out(store: Store) -> None:
    """Each page starts after the last id of the one before and holds at most `limit`."""
    names = [f"org-{number}" for number in range(7)]
    for name in names:
        create(store, OrganizationId(name))
    seen: list[str] = []
    last: OrganizationId | None = None
    while page := store.summaries(after=last, limit=3):
        assert len(page) <= 3
        seen += [summary.id for summary in page]
        last = page[-1].id
    assert seen == names
    assert store.summaries(limit=0) == ()


# ---------------------------------------------------------------- facts


def test_a_loaded_organization_is_the_fold_of_its_events(store: Store) -> None:
    """State, stored facts and events say the same after every change."""
    state = empty(ACME)
    assert create(store)
    for command in HISTORY:
        state = commit_all(store, state, [command])
        assert store.load(ACME) == state
    assert fold(ACME, store.events(ACME, limit=EVERY)) == state


def test_the_history_has_every_kind_of_fact(store: Store) -> None:
    """The example that the others rely on leaves no fact out."""
    state = created(store, ACME)
    administered = commit_all(store, state, administration())
    assert {type(fact) for fact in facts(administered)} == set(get_args(Fact))


def administration() -> list[SingleCommand]:
    """What makes an organization administered."""
    claim = Claim(
        ClaimId("admin"),
        READER,
        Exactly(Action("administer")),
        Exactly(ResourceId(f"organization:{ACME}")),
    )
    return [CreateClaim(claim), AssignRole(ANN, READER)]


def test_having_been_administered_is_kept(store: Store) -> None:
    """The fact that there was an administrator is stored like any other, and goes like it."""
    state = commit_all(store, created(store, ACME), administration())
    assert state.administered
    assert store.load(ACME) == state
    change = replace(
        event(state, CreateRole(RoleId("r"))),
        delta=Delta(
            removed=tuple(
                fact
                for fact in facts(state)
                if fact not in set(facts(replace(state, administered=False)))
            )
        ),
    )
    assert store.commit(change)
    assert store.load(ACME) == replace(state, administered=False, revision=state.revision + 1)


@pytest.mark.parametrize("seed", range(3))
def test_random_histories_are_kept(store: Store, seed: int) -> None:
    """Edits, cascades and change sets in any order leave what the core says, and no more."""
    state = empty(ACME)
    assert create(store)
    accepted, edits = set[type](), 0
    for command in random_history(seed, attempts=2_000):
        outcome = apply(state, command, actor=ACTOR, instant=INSTANT)
        if isinstance(outcome, Accepted):
            assert store.commit(outcome.event)
            state = outcome.state
            accepted.add(type(command))
            edits += len(outcome.event.delta.removed) > 0 < len(outcome.event.delta.added)
        if state.revision % 50 == 0:
            assert store.load(ACME) == state
    assert store.load(ACME) == state
    assert fold(ACME, store.events(ACME, limit=EVERY)) == state
    # A history in which nothing is possible would show nothing.
    assert ChangeSet in accepted
    assert len(accepted) > len(get_args(SingleCommand)) * 4 // 5
    assert edits > 20


def test_two_organizations_with_the_same_ids_are_apart(store: Store) -> None:
    """Changing or deleting one organization leaves another with the same ids alone."""
    acme, other = created(store, ACME), created(store, OTHER)
    commit_all(store, acme, [DeletePrincipal(ANN, cascade=True)])
    assert store.load(OTHER) == other
    assert delete(store, ACME)
    assert store.load(OTHER) == other
    assert fold(OTHER, store.events(OTHER, limit=EVERY)) == other


def test_the_extremes_of_an_event_are_kept(store: Store) -> None:
    """The longest ids and actor, the last instant and any script come back unchanged."""
    organization = OrganizationId("o" * ID_LENGTH_MAX)
    assert create(store, organization)
    actor = ("\U0001f511é\x7f'" * ACTOR_LENGTH_MAX)[:ACTOR_LENGTH_MAX]
    command = CreatePrincipal(PrincipalId("Z" * ID_LENGTH_MAX))
    outcome = apply(empty(organization), command, actor=actor, instant=INSTANT_MAX)
    assert isinstance(outcome, Accepted)
    assert store.commit(outcome.event)
    assert store.events(organization, limit=1) == (outcome.event,)
    assert store.load(organization) == outcome.state


# ---------------------------------------------------------------- edits


def test_an_edited_entity_keeps_what_refers_to_it(store: Store) -> None:
    """Replacing a principal or a resource leaves its assignments and children in place."""
    state = created(store, ACME)
    edits: list[SingleCommand] = [
        SetPrincipalAttributes(ANN, attributes({"edited": True})),
        SetResourceAttributes(DOCS, attributes({})),
    ]
    after = commit_all(store, state, edits)
    assert store.load(ACME) == after


def test_a_parent_may_come_after_its_child_in_one_change(store: Store) -> None:
    """Editing what was created in the same change set moves it behind what refers to it."""
    child = Resource(ResourceId("b"), FOLDER, ResourceId("a"))
    command = ChangeSet(
        (
            CreateKind(FOLDER),
            CreateResource(Resource(ResourceId("a"), FOLDER)),
            CreateResource(child),
            SetResourceAttributes(ResourceId("a"), attributes({"edited": 1})),
        )
    )
    happened = event(empty(ACME), command)
    assert happened.delta.added[1] == child
    assert store.load(ACME) is None
    assert created(store, ACME, [command]) == store.load(ACME)


def test_a_resource_may_move_from_what_goes_to_what_comes(store: Store) -> None:
    """One change deletes a tree and its kind, and sets part of it up elsewhere."""
    state = created(store, ACME, FIRST_HISTORY)
    new_kind, new_parent = Kind("paper"), ResourceId("archive")
    command = ChangeSet(
        (
            DeleteResource(DOCS, cascade=True),
            DeleteKind(DOCUMENT, cascade=True),
            CreateKind(new_kind),
            CreateResource(Resource(new_parent, FOLDER)),
            CreateResource(Resource(PLAN, new_kind, new_parent)),
        )
    )
    assert commit_all(store, state, [command]) == store.load(ACME)


def test_a_role_may_be_replaced_with_all_that_names_it(store: Store) -> None:
    """Deleting and creating the same ids in one change is an edit of each."""
    claim = Claim(ClaimId("c"), READER, Exactly(Action("read")), Exactly(ResourceId("role:reader")))
    state = created(
        store,
        ACME,
        [
            CreatePrincipal(ANN),
            CreateRole(READER),
            CreateClaim(claim),
            AssignRole(ANN, READER),
        ],
    )
    command = ChangeSet(
        (
            DeleteRole(READER, cascade=True),
            CreateRole(READER),
            CreateClaim(replace(claim, action=Exactly(Action("write")))),
        )
    )
    after = commit_all(store, state, [command])
    assert store.load(ACME) == after


def test_a_change_without_facts_is_still_a_revision(store: Store) -> None:
    """An accepted command that changes no fact leaves its event and moves the revision."""
    state = created(store, ACME, [CreatePrincipal(ANN)])
    command = SetPrincipalAttributes(ANN, attributes({}))
    assert event(state, command).delta == Delta()
    after = commit_all(store, state, [command])
    assert store.load(ACME) == after
    assert store.revision(ACME) == 2


# ---------------------------------------------------------------- compare-and-set


def test_the_second_of_two_changes_of_one_revision_is_lost(store: Store) -> None:
    """Only one change decided at a revision is written; of the other, nothing."""
    state = created(store, ACME, HISTORY[:4])
    first, second = event(state, CreateRole(READER)), event(state, CreateGroup(GroupId("late")))
    assert store.commit(first)
    assert not store.commit(second)
    assert store.load(ACME) == advance(state, first.delta)
    assert store.events(ACME, after=4, limit=EVERY) == (first,)


@pytest.mark.parametrize("distance", [-4, -1, 1, 2, 100])
def test_only_the_next_revision_is_taken(store: Store, distance: int) -> None:
    """A change of any older or later revision writes nothing."""
    state = created(store, ACME, HISTORY[:5])
    happened = event(state, CreateRole(READER))
    assert not store.commit(replace(happened, revision=happened.revision + distance))
    assert store.load(ACME) == state
    assert store.events(ACME, after=5, limit=EVERY) == ()
    assert store.commit(happened)


def test_threads_that_race_share_out_the_revisions(store: Store) -> None:
    """Of racing threads one wins each revision; what was acknowledged is there, once."""
    assert create(store)

    def write(thread: int) -> tuple[list[Event], int]:
        won, lost = list[Event](), 0
        for number in range(12):
            while True:
                state = store.load(ACME)
                assert state is not None
                happened = event(state, CreateRole(RoleId(f"r{thread}-{number}")))
                if store.commit(happened):
                    won.append(happened)
                    break
                lost += 1
        return won, lost

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(write, range(4)))
    acknowledged = sorted((each for won, _ in outcomes for each in won), key=lambda e: e.revision)
    assert tuple(acknowledged) == store.events(ACME, limit=EVERY)
    assert [each.revision for each in acknowledged] == list(range(1, 49))
    assert store.load(ACME) == fold(ACME, acknowledged)


def test_a_load_is_of_one_revision(store: Store) -> None:
    """While another thread writes, a loaded organization is some revision, whole."""
    rounds, batch = 30, 20
    assert create(store)

    def write() -> None:
        state: Organization = empty(ACME)
        for number in range(rounds):
            roles = tuple(Role(RoleId(f"r{number}-{index}")) for index in range(batch))
            groups = tuple(Group(GroupId(f"g{number}-{index}")) for index in range(batch))
            happened = Event(
                ACME, number + 1, INSTANT, ACTOR, CreateRole(READER), Delta(added=groups + roles)
            )
            assert store.commit(happened)
            state = advance(state, happened.delta)

    seen = list[int]()
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while not writing.done():
            state = store.load(ACME)
            assert state is not None
            assert len(state.roles) == len(state.groups) == state.revision * batch
            seen.append(state.revision)
        writing.result()
    assert all(earlier <= later for earlier, later in pairwise(seen))
    assert len(seen) > 1


def test_what_was_kept_is_not_damaged(store: Store) -> None:
    """A store finds nothing wrong with what it keeps, and may be asked at any time."""
    assert store.damage() == ()
    created(store, ACME)
    assert store.damage() == ()


# ---------------------------------------------------------------- events


def test_events_come_back_as_they_were(store: Store) -> None:
    """Command, delta, actor and instant of every event are read as they were written."""
    state, written = empty(ACME), list[Event]()
    assert create(store)
    for command in HISTORY:
        written.append(event(state, command))
        state = commit_all(store, state, [command])
    assert store.events(ACME, limit=EVERY) == tuple(written)


def test_events_are_read_from_any_revision_on(store: Store) -> None:
    """Events come oldest first, after the revision given, as many as asked for."""
    state = created(store, ACME)
    every = store.events(ACME, limit=EVERY)
    assert [each.revision for each in every] == list(range(1, state.revision + 1))
    for after, limit in ((0, 1), (5, 7), (state.revision - 1, 9), (state.revision, 9), (99, 1)):
        assert store.events(ACME, after=after, limit=limit) == every[after : after + limit]
    assert store.events(ACME, limit=0) == ()


def test_each_organization_has_its_own_events(store: Store) -> None:
    """The same revision of two organizations are two events."""
    created(store, ACME, HISTORY[:2])
    created(store, OTHER, HISTORY[4:6])
    assert [each.organization for each in store.events(OTHER, limit=EVERY)] == [OTHER, OTHER]
    assert store.events(ACME, after=1, limit=1)[0].command == HISTORY[1]
