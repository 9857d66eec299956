"""One suite for all that decides: a client, an asynchronous client and the embedded engine.

The same questions get the same answers, whichever is asked; only the clients know a request.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

import pytest
from msgspec.structs import replace

from grantproof.adapters.clock import SystemClock
from grantproof.adapters.memory import MemoryStore
from grantproof.client import (
    Allow,
    AsyncClient,
    CallerError,
    Client,
    Deny,
    Engine,
    Options,
    Question,
    Said,
)
from grantproof.client.results import Decision
from grantproof.core.commands.language import ChangeSet
from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.organization_document import to_change_set
from grantproof.service.authors import Author
from tests.api.service import OPERATORS, new_key, services_over, serving
from tests.in_process import InProcess
from tests.policies import accepted

NOON: Final = 1_795_262_400
"""A Saturday in November 2026, at noon."""
SHOP: Final = OrganizationId("shop")
SECONDS: Final = 60.0
"""No call takes so long, unless the machine is very busy."""

POLICY: Final = """\
apiVersion: grantproof/v1
kind: Organization
id: shop
kinds: [{id: order}]
resources: [{id: orders, kind: order}, {id: orders/1, kind: order, parent: orders}]
roles: [{id: clerk}, {id: chief, parents: [clerk]}, {id: teller}]
groups: [{id: staff}]
sod_sets: [{id: session, roles: [chief, teller], n: 2, mode: dynamic}]
claims:
- {id: see, role: clerk, action: read, resource: orders/**}
- id: sign
  role: chief
  action: sign
  resource: kind:order
  constraints: [{type: time_window, start: 8, end: 18}]
- id: export
  role: clerk
  action: export
  resource: orders
  constraints: [{type: max_usage, limit: 3, period: day}]
- id: move
  role: clerk
  action: move
  resource: orders
  constraints:
  - {type: geo_fence, regions: [eu]}
  - {type: attribute, path: context.level, op: ge, operand: 3}
principals: [{id: ann}, {id: bob}, {id: cat}, {id: eve, active: false}]
memberships: [{principal: bob, group: staff}]
assignments:
- {principal: ann, role: chief}
- {principal: cat, role: chief}
- {principal: cat, role: teller}
- {principal: eve, role: clerk}
- {group: staff, role: clerk}
- {group: staff, role: chief, until: 1795262460}
"""

QUESTIONS: Final = [
    Question("ann", "read", "orders"),
    Question("ann", "read", "orders/1"),
    Question("ann", "read", "orders/2"),
    Question("ann", "read", "orders/2", Said(resource_kind="order")),
    Question("ann", "sign", "orders/2", Said(resource_kind="order")),
    Question("bob", "sign", "orders"),
    Question("ann", "sign", "orders", Said(hour=7)),
    Question("ann", "sign", "orders", Said(hour=9, weekday=6)),
    Question("ann", "burn", "orders"),
    Question("zoe", "read", "orders"),
    Question("eve", "read", "orders"),
    Question("cat", "read", "orders"),
    Question("cat", "read", "orders", Said(active_roles=("chief",))),
    Question("cat", "sign", "orders", Said(active_roles=("clerk",))),
    Question("cat", "read", "orders", Said(active_roles=())),
    Question("ann", "move", "orders"),
    Question("ann", "move", "orders", Said(region="eu")),
    Question("ann", "move", "orders", Said(region="eu", attributes={"level": 3})),
    Question("ann", "move", "orders", Said(region="eu", attributes={"level": "3"})),
    Question("ann", "move", "orders", Said(region="us", attributes={"level": 2})),
    Question("ann", "export", "orders", Said(usage=2, rate=0)),
    Question("ann", "export", "orders", Said(usage=3, rate=0)),
    Question("ann", "read", "orders", Said(explain=True)),
    Question("bob", "sign", "orders/1", Said(explain=True)),
    Question("ann", "burn", "orders", Said(explain=True)),
]


def illegally(**said: Any) -> Said:
    """What no checker of types lets anybody say."""
    return cast("Said", said)


ILLEGAL: Final = [
    Question("", "read", "orders"),
    Question("ann", "re ad", "orders"),
    Question("ann", "read", "orders", Said(hour=24)),
    Question("ann", "read", "orders", Said(region="")),
    Question("ann", "read", "orders", Said(position="here")),
    Question("ann", "read", "orders", Said(resource_kind="?")),
    Question("ann", "read", "orders", Said(active_roles=("?",))),
    Question("ann", "read", "orders", illegally(attributes={"level": 1.5})),
    Question("ann", "read", "orders", illegally(usge=3)),
]

Ask = Callable[[Question], Decision]
AskMany = Callable[[list[Question]], tuple[Decision, ...]]
Decides = tuple[Ask, AskMany]


def fields(question: Question) -> tuple[str, str, str]:
    """Who, what and on which."""
    return question.principal, question.action, question.resource


@pytest.fixture(scope="module")
def at_noon() -> Iterator[None]:
    """It stays noon."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SystemClock, "now", lambda _clock: NOON)
        yield


@pytest.fixture(scope="module")
def options(at_noon: None) -> Iterator[tuple[str, Options]]:
    """A key of a service in process that has the policy, and how it is reached."""
    del at_noon
    store = MemoryStore()
    document = accepted(POLICY)
    with serving(store) as api:
        administration = services_over(store).administration
        assert administration.found(SHOP, time_zone="UTC", by=Author("test"))
        commands = ChangeSet(to_change_set(document))
        administration.propose(SHOP, commands, by=Author("test"))
        key = new_key(store, OPERATORS)
        yield key, Options(timeout_seconds=SECONDS, transport=InProcess(api))


@pytest.fixture(scope="module")
def client(options: tuple[str, Options]) -> Iterator[Decides]:
    """The client for threads."""
    key, chosen = options
    with Client("http://localhost", key, organization="shop", options=chosen) as asked:
        yield lambda one: asked.decide(*fields(one), **one.said), asked.decide_many


@pytest.fixture(scope="module")
def async_client(options: tuple[str, Options]) -> Iterator[Decides]:
    """The client for an event loop."""
    key, chosen = options
    with asyncio.Runner() as runner:
        asked = AsyncClient("http://localhost", key, organization="shop", options=chosen)
        yield (
            lambda one: runner.run(asked.decide(*fields(one), **one.said)),
            lambda many: runner.run(asked.decide_many(many)),
        )
        runner.run(asked.close())


@pytest.fixture(scope="module")
def engine() -> Decides:
    """The engine in process."""
    asked = Engine.from_text(POLICY, wall=lambda: NOON)
    return lambda one: asked.decide(*fields(one), **one.said), asked.decide_many


@pytest.fixture(params=["client", "async_client", "engine"])
def decides(request: pytest.FixtureRequest) -> Decides:
    """Each in turn."""
    found: Decides = request.getfixturevalue(request.param)
    return found


def same(decision: Decision) -> Any:
    """The decision without what tells who made it: the request, and the count of revisions."""
    assert isinstance(decision, Allow | Deny)
    if isinstance(decision, Deny):
        return replace(decision, request_id=None, revision=0)
    proof = None if decision.certificate is None else {**decision.certificate, "revision": 0}
    return replace(decision, request_id=None, revision=0, certificate=proof)


EXPECTED: Final = [
    *["see", "see", "unknown_resource", "no_matching_claim", "sign", "sign"],
    *["constraint_failed", "sign", "no_matching_claim", "unknown_principal", "suspended"],
    *["session_clash", "see", "no_matching_claim", "no_role"],
    *["constraint_failed", "constraint_failed", "move", "constraint_failed", "constraint_failed"],
    *["export", "constraint_failed", "see", "sign", "no_matching_claim"],
]
"""The claim of an allow, the code of a deny."""


def test_each_question_has_its_answer(decides: Decides) -> None:
    """The claim that allows, or the reason."""
    ask, _ = decides
    found = [ask(question) for question in QUESTIONS]
    told = [one.claim if isinstance(one, Allow) else getattr(one, "code", "") for one in found]
    assert told == EXPECTED
    assert {one.decided_at for one in found if isinstance(one, Allow | Deny)} == {NOON}


def test_many_have_the_answers_that_each_has(decides: Decides) -> None:
    """At one revision, in order."""
    ask, ask_many = decides
    found = ask_many(QUESTIONS)
    assert [same(one) for one in found] == [same(ask(question)) for question in QUESTIONS]
    assert len({one.revision for one in found if isinstance(one, Allow | Deny)}) == 1
    assert ask_many([]) == ()


@pytest.mark.parametrize("question", ILLEGAL)
def test_an_illegal_question_is_the_callers_error(question: Question, decides: Decides) -> None:
    """Of the same code and status."""
    ask, _ = decides
    with pytest.raises(CallerError) as raised:
        ask(question)
    assert (raised.value.code, raised.value.status) == ("invalid", 400)


@pytest.mark.parametrize("question", QUESTIONS)
def test_all_say_the_same(
    question: Question, client: Decides, async_client: Decides, engine: Decides
) -> None:
    """Word for word: the reason, the times and the certificate."""
    answers = [same(ask(question)) for ask, _ in (client, async_client, engine)]
    assert answers[0] == answers[1] == answers[2]


def test_what_the_server_counts_an_engine_does_not_know(
    client: Decides, async_client: Decides, engine: Decides
) -> None:
    """The one difference, and it fails closed."""
    question = Question("ann", "export", "orders")
    first, second, third = (ask(question) for ask, _ in (client, async_client, engine))
    assert isinstance(first, Allow)
    assert (first.meter_age, second.allowed, third.allowed) == (0, True, False)
    assert isinstance(third, Deny)
    assert (third.code, third.claim) == ("constraint_failed", "export")
