"""Reading a history backward, the newest first: every store gives the same entries."""

from dataclasses import replace

import pytest

from grantproof.core.commands.language import ChangeSet, Command, CreatePrincipal, CreateRole
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.organization import Organization, advance
from grantproof.service import history
from grantproof.service.history import EVERYTHING, EventQuery, look_back
from grantproof.service.ports import Store
from tests.contracts.histories import ACTOR, INSTANT, created, event
from tests.organizations import ACME

MANY = 12
"""More than are looked at for one page, in these tests."""


@pytest.fixture
def filled(store: Store) -> Store:
    """A store with a founding and twelve changes, of which each third is of a change set."""
    state = created(store, ACME, [])
    for number in range(1, MANY + 1):
        state = _changed(store, state, number)
    return store


def test_the_newest_come_first(filled: Store) -> None:
    """Those before a revision, in the reverse order of their revisions, as many as are wanted."""
    found = filled.entries(ACME, EventQuery(before=9), limit=3)
    assert [one.revision for one in found] == [8, 7, 6]


def test_backward_and_forward_are_the_same_entries(filled: Store) -> None:
    """Every field of every entry, whichever way it is read."""
    forward = filled.entries(ACME, EVERYTHING, limit=100)
    backward = filled.entries(ACME, EventQuery(before=MANY + 1), limit=100)
    assert [one.revision for one in forward] == list(range(MANY + 1))
    assert backward == forward[::-1]


def test_the_last_few_of_a_short_history_are_all_of_it(filled: Store) -> None:
    """Who asks for the last so many says a revision, which may be before there was any."""
    found = filled.entries(ACME, EventQuery(after=MANY - 20), limit=100)
    assert [one.revision for one in found] == list(range(MANY + 1))


def test_what_is_wanted_is_between_both_ends(filled: Store) -> None:
    """Neither `after` nor `before` itself."""
    found = filled.entries(ACME, EventQuery(after=3, before=7), limit=100)
    assert [one.revision for one in found] == [6, 5, 4]


@pytest.mark.parametrize(
    ("query", "revisions"),
    [
        (EventQuery(text="P-1"), [12, 11, 10, 1]),
        (EventQuery(text="p-10"), [10]),
        (EventQuery(text="because"), [12, 9, 6, 3]),
        (EventQuery(text='say "SO"'), [12, 9, 6, 3]),
        (EventQuery(text="tester"), list(range(MANY, 0, -1))),
        (EventQuery(text="createrole"), [12, 9, 6, 3]),
        (EventQuery(text="commands"), []),
        (EventQuery(text="%"), []),
        (EventQuery(text="é"), [12, 9, 6, 3]),
        (EventQuery(command="CreateRole"), [12, 9, 6, 3]),
        (EventQuery(subject="p-7"), [7]),
        (EventQuery(actor="tester", since=1_009), [12, 10]),
    ],
)
def test_every_filter_works_backward(
    filled: Store, query: EventQuery, revisions: list[int]
) -> None:
    """Text is sought in what is said, by whom and why; not in the names of members."""
    found = filled.entries(ACME, replace(query, before=MANY + 1), limit=100)
    assert [one.revision for one in found] == revisions


def test_a_history_is_looked_through_page_by_page(filled: Store) -> None:
    """Each page says before which revision the next one begins, the last one that none does."""
    before: int | None = MANY + 1
    pages: list[list[int]] = []
    while before is not None:
        found = look_back(filled, ACME, EventQuery(text="p-"), before=before, limit=5)
        pages.append([one.revision for one in found.entries])
        before = found.more_before
    assert pages == [[12, 11, 10, 9, 8], [7, 6, 5, 4, 3], [2, 1]]


def test_no_more_is_searched_than_may_be(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where to look next is told although nothing was found, until there is nothing left."""
    for module in (history, "grantproof.adapters.memory.store", "grantproof.adapters.sql.reading"):
        named = module if isinstance(module, str) else module.__name__
        monkeypatch.setattr(f"{named}.EVENTS_SEARCHED_MAX", 5)
    founding = EventQuery(command="Found")
    first = look_back(filled, ACME, founding, before=MANY + 1, limit=5)
    assert (first.entries, first.more_before) == ((), 8)
    second = look_back(filled, ACME, founding, before=8, limit=5)
    assert (second.entries, second.more_before) == ((), 3)
    last = look_back(filled, ACME, founding, before=3, limit=5)
    assert ([one.revision for one in last.entries], last.more_before) == ([0], None)


@pytest.mark.parametrize("limit", [1, 1_000])
def test_what_is_deleted_is_followed_no_further(filled: Store, limit: int) -> None:
    """However far behind somebody is, who would else follow for long what is not there any more."""
    followed = filled.continued(ACME, after=0, seal=None, limit=1)
    assert followed is not None
    ((seal, _),) = followed
    assert filled.delete(ACME, actor=ACTOR, instant=INSTANT)
    assert filled.continued(ACME, after=1, seal=seal, limit=limit) is None


def test_nobody_else_is_told(filled: Store) -> None:
    """An organization without a history has no entries, whichever way."""
    other = type(ACME)("other")
    assert filled.entries(other, EventQuery(before=5), limit=5) == ()
    assert filled.entries(ACME, EventQuery(before=0), limit=5) == ()


def _changed(store: Store, state: Organization, number: int) -> Organization:
    single = CreatePrincipal(PrincipalId(f"p-{number}"))
    command: Command = single
    reason = None
    if number % 3 == 0:
        command = ChangeSet((single, CreateRole(RoleId(f"r-{number}"))))
        reason = 'because they say "so", résumé'
    made = replace(event(state, command), instant=1_000 + number, actor="Tester", reason=reason)
    if number % 2 == 0:
        made = replace(made, actor="tester")
    assert store.commit(made) is not None
    return advance(state, made.delta)
