"""What a compiled index keeps, whom that serves and how seldom it is compiled. P-INDEX."""

import pytest

from grantproof.core import index as index_module
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    CreateClaim,
    DeleteClaim,
)
from grantproof.core.constraints import Context
from grantproof.core.identifiers import RoleId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.model import (
    ALWAYS,
    Any,
    Assignment,
    Exactly,
    Fact,
    Principal,
    Validity,
)
from grantproof.core.policy import Deny, SessionClash, evaluate
from tests.organizations import (
    ANN,
    C1,
    C2,
    CLERK,
    DOCS,
    HEAD,
    NOON,
    PAIR,
    READ,
    STAFF,
    WRITE,
    asks,
    claim,
    dynamic,
    essence,
    groups,
    library,
    made_of,
    outcome,
    pair,
    people,
    roles,
)

BASE: tuple[Fact, ...] = (*people(ANN), *groups(STAFF), *roles(CLERK, HEAD), *library())
ABOVE = type(CLERK)("x")
HELD = Assignment(ANN, CLERK)


def says_what_is_right(index: Index, request: Request, context: Context = NOON) -> bool:
    """Whether the index decides as the reference does, asked for the first time and again."""
    expected = essence(evaluate(index.state, request, context))
    return [essence(index.decide(request, context)) for _ in range(2)] == [expected] * 2


NOBODY_ELSE = type(ANN)("eve")
CONDITIONS: dict[str, tuple[Fact, ...]] = {
    "suspended": (Principal(ANN, active=False), HELD),
    "without roles": (),
    "with a role for a while": (HELD, Assignment(ANN, HEAD, Validity(0, 2_000))),
    "with a role from now on": (HELD, Assignment(ANN, HEAD, Validity(1_000))),
    "with a role that is over": (HELD, Assignment(ANN, HEAD, Validity(0, 1_000))),
    "with roles that clash": (HELD, Assignment(ANN, HEAD), Assignment(ANN, ABOVE)),
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("granted", [CLERK, HEAD])
def test_p_index_what_another_asked_before_is_no_answer(condition: str, granted: RoleId) -> None:
    """P-INDEX: what is compiled of the resource says nothing of who asks."""
    facts = (*BASE, *people(NOBODY_ELSE), *roles(ABOVE), Assignment(NOBODY_ELSE, CLERK))
    trio = pair(2, HEAD, ABOVE, type(CLERK)("x"))
    index = Index(made_of(*facts, claim(role=granted), dynamic(trio), *CONDITIONS[condition]))
    for request in (asks(NOBODY_ELSE), asks(), asks(action=WRITE), asks()):
        assert says_what_is_right(index, request)


def test_p_index_a_clash_names_the_active_roles_of_the_set() -> None:
    """P-INDEX: not what else is active, nor what else is in the set."""
    trio = dynamic(pair(2, CLERK, HEAD, ABOVE))
    also = type(CLERK)("also")
    facts = (*BASE, *roles(ABOVE, also), trio, HELD, Assignment(ANN, HEAD), Assignment(ANN, also))
    index = Index(made_of(*facts, claim()))
    assert index.decide(asks(), NOON) == Deny(SessionClash(PAIR, (CLERK, HEAD), 2))
    assert says_what_is_right(index, asks())


@pytest.mark.parametrize("validity", [ALWAYS, Validity(0, 2_000)])
@pytest.mark.parametrize("active", [(), (CLERK,), (HEAD,), (CLERK, HEAD)])
def test_p_index_a_session_has_the_roles_that_are_chosen(
    active: tuple[RoleId, ...], validity: Validity
) -> None:
    """P-INDEX: before and after the same was asked without a session."""
    facts = (*BASE, claim(), Assignment(ANN, CLERK, validity), Assignment(ANN, HEAD))
    index = Index(made_of(*facts))
    for request in (asks(active=active), asks(), asks(active=active), asks()):
        assert says_what_is_right(index, request)


@pytest.mark.parametrize("kind", [None, "file", "folder", "ghost"])
def test_p_index_a_resource_is_of_its_kind_whenever_that_is_asked(kind: str | None) -> None:
    """P-INDEX: in a session too, and of what is compiled already."""
    index = Index(made_of(*BASE, claim(), HELD))
    for active in (None, (CLERK,)):
        for request in (asks(kind=kind, active=active), asks(), asks(kind=kind, active=active)):
            assert says_what_is_right(index, request)


def test_a_validity_that_is_open_has_one_boundary() -> None:
    """From a start on, until an end."""
    found = []
    for validity in (Validity(2_000), Validity(end=2_000), Validity(10)):
        index = Index(made_of(*BASE, claim(), Assignment(ANN, CLERK, validity)))
        found.append(index.ask(asks(), NOON).until)
    assert found == [2_000, 2_000, None]


class Counted:
    """A function of the module `index`, and how often it was called."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self._inner = getattr(index_module, name)
        self.calls = 0
        monkeypatch.setattr(index_module, name, self)

    def __call__(self, *arguments: object) -> object:
        self.calls += 1
        return self._inner(*arguments)


def test_what_is_compiled_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Principals, resources and what is between them: each once, however often it is asked."""
    held_for_a_while = Assignment(NOBODY_ELSE, CLERK, Validity(0, 2_000))
    index = Index(made_of(*BASE, *people(NOBODY_ELSE), claim(), HELD, held_for_a_while))
    holders, grants = Counted(monkeypatch, "groups_of"), Counted(monkeypatch, "grants_of")
    for request in (asks(), asks(kind="file"), asks(active=(CLERK,)), asks(kind="folder")):
        assert says_what_is_right(index, request)
    assert says_what_is_right(index, asks(NOBODY_ELSE))
    # The reference, which `decide` asks for certificates, has functions of its own.
    assert (holders.calls, grants.calls) == (2, 1)


def test_who_is_ready_is_answered_without_a_closer_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an active principal without timed roles, asked again, with or without the kind."""
    index = Index(made_of(*BASE, claim(), HELD))
    first = index.ask(asks(), NOON)

    def never(*_: object) -> object:
        message = "not to be looked at closely"
        raise AssertionError(message)

    monkeypatch.setattr(Index, "_meet", never)
    assert [index.ask(asks(kind=kind), NOON) for kind in (None, "file")] == [first, first]


def test_actions_that_no_claim_names_have_no_name_in_the_table() -> None:
    """So that nobody who asks the table finds what stands for all of them by a name."""
    index = Index(made_of(*BASE, claim(), claim(action=Any(), id=C2), HELD))
    for action in (READ, WRITE, type(READ)("assign")):
        index.ask(asks(action=action), NOON)
    assert [name for name in index.table if isinstance(name, str)] == [READ]


def test_a_change_makes_forget_only_what_it_touches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A claim on the folder leaves what is known of the file, under the same action."""
    state = made_of(*BASE, claim(), HELD)
    index = Index(state)
    index.ask(asks(), NOON)
    result = outcome(state, CreateClaim(claim(id=C2, resource=Exactly(DOCS))))
    assert isinstance(result, Accepted), result
    index.follow(result.state, result.event.delta)
    grants = Counted(monkeypatch, "grants_of")
    index.ask(asks(), NOON)
    assert grants.calls == 0


def test_an_action_that_is_named_no_more_shares_with_the_unnamed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the last claim that names it is gone, nothing is kept of it alone."""
    state = made_of(*BASE, claim(), claim(id=C2), HELD)
    index = Index(state)
    grants = Counted(monkeypatch, "grants_of")
    compiled = []
    for gone in (C1, C2):
        result = outcome(state, DeleteClaim(gone))
        assert isinstance(result, Accepted), result
        state = result.state
        index.follow(state, result.event.delta)
        index.ask(asks(action=WRITE), NOON)
        index.ask(asks(), NOON)
        compiled.append(grants.calls)
    assert compiled == [2, 2]


def test_roles_are_kept_as_the_same_plain_strings() -> None:
    """Of principals and of claims, whoever named them: what is identical is found fastest."""
    bob = type(ANN)("bob")
    twin = Assignment(bob, type(CLERK)(str(CLERK)))
    index = Index(made_of(*BASE, *people(bob), HELD, twin, claim(role=CLERK)))
    assert says_what_is_right(index, asks())
    assert says_what_is_right(index, asks(bob))
    ((holding, *_),) = index.table[str(READ)][str(asks().resource)].ways
    kept = [*index.ready[str(ANN)], *index.ready[str(bob)], *holding]
    assert {(type(role), id(role)) for role in kept} == {(str, id(kept[0]))}
    assert kept == [CLERK] * 3
