"""Trying a decision: the answer of the service with its evidence, and nothing consumed by it."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.api.console import answered
from grantproof.api.console.role_graph import SUGGESTED_MAX
from grantproof.core import metering
from grantproof.core.attributes import Literal, Operator, Path, Root
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    CreateGroup,
    CreatePrincipal,
    CreateResource,
    CreateSodSet,
    SuspendPrincipal,
)
from grantproof.core.constraints import Attribute, MaxUsage
from grantproof.core.identifiers import (
    AttributeName,
    GroupId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.model import Resource, SodSet, Validity
from grantproof.core.policy import NoMatchingClaim
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.pdp import Answer, DecisionPoint
from grantproof.service.solving import Undetermined
from tests.api.console.browsing import look, post, told, words
from tests.api.console.changing import change, claim
from tests.api.console.test_role_graph import drawn
from tests.api.service import OPERATORS, Api, evaluate, running, serving

TRY = "/console/orgs/acme/try"
BOB = {"principal_id": "bob", "action": "read", "resource_id": "docs"}
ALICE = {**BOB, "principal_id": "alice"}
WRITES = {**ALICE, "action": "write"}
FAR = 4_102_444_800
"""The year 2100, in epoch seconds: a Friday."""


def ask(api: Api, **fields: str) -> Response:
    """The answer to a question in the address."""
    return look(api, f"{TRY}?{urlencode(fields)}")


def verdict(response: Response) -> str:
    """What the page says first: the answer, who may or may not do what, and why not."""
    assert response.status_code == 200, response.text
    pattern = r'<h2 id="answer">(.*?)</h2>\s*<p class="why">(.*?)</p>'
    found = re.search(pattern, response.text, re.DOTALL)
    assert found is not None, words(response)
    return f"{found[1]}: {' '.join(re.sub('<[^>]*>', '', unescape(found[2])).split())}"


def way(response: Response) -> list[str]:
    """What the drawn way says: boxes and arrows in words, of which those missing are marked."""
    part = response.text.partition('id="way-caption"')[2].partition("<details>")[2]
    lines = part.partition("</details>")[0]
    found = re.findall(r"<li>(.*?)(?:<ul>|</li>)", lines, re.DOTALL)
    return [" ".join(unescape(re.sub("<[^>]*>", "", one)).split()) for one in found]


@pytest.fixture
def acme(store: MemoryStore) -> Iterator[Api]:
    """An operator who may do everything, before whom `acme` is served."""
    with serving(store, OPERATORS) as client:
        yield client


def test_the_form_comes_empty(steady: Api) -> None:
    """With what there is to choose from, and without an answer."""
    page = look(steady, TRY)
    assert page.status_code == 200
    assert 'id="answer"' not in page.text
    for name in ("alice", "bob", "read", "write", "docs", "document"):
        assert f'<option value="{name}"></option>' in page.text
    assert "aria-invalid" not in page.text


def test_an_allow_is_shown_with_its_certificate(steady: Api) -> None:
    """As a way of which each step is told, and among the roles."""
    page = ask(steady, **BOB, hour="10")
    assert verdict(page) == "Allow: bob may read docs."
    assert way(page) == [
        "principal bob",
        "assigned for good role editor",
        "role editor",
        "inherits from role viewer",
        "role viewer",
        "has claim read docs",
        "claim read docs (viewer-read-docs)",
        "is on resource docs",
        "resource docs",
    ]
    said = words(page)
    assert "hours 9-17 holds saw hour 10" in said
    assert "the independent checker accepts the certificate" in said
    graph = Response(200, text=page.text.partition('id="graph-caption"')[2])
    assert drawn(graph, "lit") == ["editor", "viewer"]
    assert f'href="{TRY[:-3]}roles?role=editor&amp;path=editor%2Cviewer"' in page.text


def test_the_answer_is_that_of_the_service(steady: Api) -> None:
    """Decision, reason, revision, and until when it holds."""
    for fields in ({}, {"hour": 22}, {"principal_id": "dave"}, {"action": "write"}):
        wanted = evaluate(steady, usage=None, **fields)
        given = {**ALICE, "hour": "10", "region": "us-east-1"}
        page = ask(steady, **{**given, **{name: str(value) for name, value in fields.items()}})
        reason = "." if wanted["reason"] is None else f": {wanted['reason']}."
        assert verdict(page).startswith(f"{wanted['decision']}: ")
        assert verdict(page).endswith(reason)
        assert f"Revision {wanted['revision']} " in words(page)
        if wanted["valid_until"] is None:
            assert "time alone never changes it" in words(page)
        else:
            assert "then time alone may change it" in words(page)


def test_the_way_goes_through_groups_and_into_resources(acme: Api) -> None:
    """From the group that the role is assigned to, and down to the resource that was asked for."""
    staff, eve = GroupId("staff"), PrincipalId("eve")
    inside = Resource(ResourceId("docs/plan"), Kind("document"), ResourceId("docs"))
    change(
        acme,
        CreateGroup(staff),
        CreatePrincipal(eve),
        AddMember(eve, staff),
        AssignGroupRole(staff, RoleId("finance"), Validity(None, FAR)),
        CreateResource(inside),
    )
    made = acme.post(
        "/v1/orgs/acme/claims",
        json={"id": "all", "role": "finance", "action": "read", "resource": "docs/**"},
    )
    assert made.status_code == 201, made.text
    page = ask(acme, principal_id="eve", action="read", resource_id="docs/plan")
    assert verdict(page) == "Allow: eve may read docs/plan."
    assert way(page) == [
        "principal eve",
        "is in group staff",
        "group staff",
        "assigned until 2100-01-01T00:00:00Z role finance",
        "role finance",
        "has claim read docs/**",
        "claim read docs/** (all)",
        "is on resource docs",
        "resource docs",
        "contains resource docs/plan",
        "resource docs/plan",
    ]
    assert "The claim all has no constraint" in words(page)


def test_a_deny_shows_the_constraint_that_fails(steady: Api) -> None:
    """With what it saw, and another hour to ask at; asked so, it is an allow."""
    page = ask(steady, **ALICE, hour="22", weekday="2")
    assert verdict(page) == (
        "Deny: alice may not read docs: time window 9-17 does not hold at hour 22 on Wed."
    )
    assert way(page)[-3:] == [
        "claim read docs (hours 9-17 fails)",
        "is on resource docs",
        "resource docs",
    ]
    assert "hours 9-17 fails saw hour 22 on Wed" in words(page)
    again = re.search(r'<a href="([^"]*)">Ask that</a>', page.text)
    assert again is not None
    assert verdict(look(steady, unescape(again[1]))) == "Allow: alice may read docs."


def test_a_deny_shows_the_role_that_is_missing(steady: Api) -> None:
    """And in which context it would do."""
    page = ask(steady, **WRITES)
    assert verdict(page) == "Deny: alice may not write docs: no matching claim."
    assert way(page)[:2] == ["principal alice", "does not hold it role editor (missing)"]
    said = words(page)
    assert "assign the role editor to alice; and ask with region us-east-1" in said
    assert "editor not active" in said


def test_what_would_be_refused_is_told_as_such(acme: Api) -> None:
    """Carol holds what static separation of duty keeps from submitters."""
    change(acme, claim("submitter", "submit", "docs"))
    page = ask(acme, principal_id="carol", action="submit", resource_id="docs")
    said = words(page)
    assert "would be refused assign the role submitter to carol" in said
    assert "finance-or-submitter" in said


@pytest.mark.parametrize(
    ("fields", "reason", "first", "last"),
    [
        ({"principal_id": "nobody"}, "unknown principal", "no such principal", "resource docs"),
        (
            {"resource_id": "nothing"},
            "unknown resource: register it, or name a declared `resource_kind`",
            "principal alice",
            "no such resource",
        ),
        ({"action": "burn"}, "no matching claim", "principal alice", "resource docs"),
    ],
)
def test_what_nothing_helps_is_drawn_too(
    steady: Api, fields: dict[str, str], reason: str, first: str, last: str
) -> None:
    """Who or what is unknown, and what no claim speaks of."""
    page = ask(steady, **{**ALICE, **fields})
    assert verdict(page).endswith(f": {reason}.")
    told_way = way(page)
    assert first in told_way[0]
    assert last in told_way[-1]
    assert "(missing)" in "".join(told_way) or "nobody" in told_way[0]
    assert "would change it" in words(page) or fields.get("principal_id") == "nobody"


def test_a_suspended_principal_is_told(acme: Api) -> None:
    """And that it would have to be resumed."""
    change(acme, SuspendPrincipal(PrincipalId("alice")))
    page = ask(acme, **ALICE, hour="10")
    assert verdict(page).endswith("principal is suspended.")
    assert way(page)[0] == "principal alice (suspended)"
    assert "resume alice" in words(page)


def test_roles_that_clash_are_told_with_the_ones_to_choose(acme: Api) -> None:
    """Of dynamic separation of duty: asked in a session of one of them it is allowed."""
    pair = frozenset({RoleId("viewer"), RoleId("finance")})
    change(
        acme,
        AssignRole(PrincipalId("alice"), RoleId("finance")),
        CreateSodSet(SodSet(SodSetId("apart"), pair, 2, "dynamic")),
    )
    page = ask(acme, **ALICE, hour="10")
    assert "may not be active together" in verdict(page)
    assert "ask with active roles viewer" in words(page)
    again = re.search(r'<a href="([^"]*)">Ask that</a>', page.text)
    assert again is not None
    assert verdict(look(acme, unescape(again[1]))).startswith("Allow")
    other = ask(acme, **ALICE, hour="10", active_roles="finance")
    assert way(other)[1] == "assigned, but not active here role viewer (missing)"


def test_a_stored_session_can_be_tried(acme: Api) -> None:
    """With its roles; one that there is not is told as such."""
    body = {"principal": "bob", "roles": ["viewer"]}
    session = acme.post("/v1/orgs/acme/sessions", json=body)
    assert session.status_code == 201, session.text
    name = session.json()["id"]
    page = ask(acme, **BOB, hour="10", session_id=name)
    assert verdict(page).startswith("Allow")
    assert "Of these active viewer" in words(page)
    assert name not in page.text.partition("Link to this question")[0].rpartition("<a ")[2]
    assert "without session id" in words(page)
    absent = ask(acme, **BOB, hour="10", session_id="none")
    assert "session: the principal has none of this id" in verdict(absent)


def test_another_moment_can_be_supposed(acme: Api) -> None:
    """Of which hour and weekday are too, and at which an assignment may have begun."""
    change(acme, AssignRole(PrincipalId("carol"), RoleId("viewer"), Validity(FAR)))
    carol = {**ALICE, "principal_id": "carol"}
    assert verdict(ask(acme, **carol, hour="10")).startswith("Deny")
    page = ask(acme, **carol, instant="2100-01-01 10:30")
    assert verdict(page).startswith("Allow")
    assert "Decided at 2100-01-01 10:30 UTC" in words(page)
    assert "saw hour 10 on Fri" in words(page)


def test_attributes_and_counts_can_be_supposed(acme: Api) -> None:
    """As the claim asks for them, whoever is trusted with them elsewhere."""
    wanted = Attribute(Path(Root.CONTEXT, AttributeName("ticket")), Operator.EQ, Literal(7))
    change(acme, claim("viewer", "export", "docs", wanted, MaxUsage(5)))
    fields = {**ALICE, "action": "export"}
    assert verdict(ask(acme, **fields, attributes="ticket=7")).startswith("Allow")
    page = ask(acme, **fields, attributes="ticket=7", usage="5")
    assert verdict(page).endswith("usage 5 is not below 5 a total.")
    page = ask(acme, **fields, attributes='ticket="7"')
    assert 'context.ticket eq 7 fails saw "7" and 7' in words(page)


def test_nothing_is_consumed_or_counted(acme: Api) -> None:
    """However often it is tried: neither the claim's counter nor the decisions of the service."""
    change(acme, claim("viewer", "export", "docs", MaxUsage(2)))
    fields = {**ALICE, "action": "export"}
    counts = running(acme).services.decisions.outcomes.counts
    before = dict(counts)
    for _ in range(4):
        page = ask(acme, **fields)
        assert verdict(page).startswith("Allow")
        assert "usage < 2/total holds saw 0" in words(page)
        assert "the counters change" in words(page)
    assert dict(counts) == before
    assert acme.get("/v1/orgs/acme/usage").json()["items"] == []


def test_it_may_be_unknown_what_would_help(acme: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deny stands, and what is undetermined is told as such."""
    solver = running(acme).services.solver
    late = Undetermined("time", "it took longer than 1 s")
    monkeypatch.setattr(type(solver), "ask", lambda *_: late)
    page = ask(acme, **WRITES)
    assert verdict(page) == "Deny: alice may not write docs: no matching claim."
    said = words(page)
    assert "Undetermined. What would make it Allow is not known: it took longer than 1 s" in said
    assert "No role could be assigned" not in said


def test_an_allow_that_the_checker_refuses_is_none(
    acme: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is allowed on a certificate that does not pass."""
    monkeypatch.setattr(metering, "check", lambda *_, **__: False)
    page = ask(acme, **BOB, hour="10")
    assert verdict(page).startswith("Deny")
    assert answered.DISAGREE in verdict(page)
    assert "accepts the certificate" not in words(page)


def test_an_answer_that_the_reference_does_not_give_is_none(
    acme: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an allow of the index alone, nor a deny of it alone."""
    decide = DecisionPoint.decide_entered

    def denying(point: DecisionPoint, *args: Any, **kwargs: Any) -> Answer:
        return decide(point, *args, **kwargs)._replace(outcome=NoMatchingClaim())

    with monkeypatch.context() as patched:
        patched.setattr(DecisionPoint, "decide_entered", denying)
        assert answered.DISAGREE in verdict(ask(acme, **BOB, hour="10"))
    allowed = running(acme).services.snapshots.load(ACME)
    assert allowed is not None
    granting = next(iter(allowed.state.claims.values()))

    def allowing(point: DecisionPoint, *args: Any, **kwargs: Any) -> Answer:
        return decide(point, *args, **kwargs)._replace(outcome=granting)

    def uncertified(*_: object, **__: object) -> None:
        return None

    monkeypatch.setattr(DecisionPoint, "decide_entered", allowing)
    monkeypatch.setattr(DecisionPoint, "certify", uncertified)
    page = ask(acme, **WRITES)
    assert verdict(page).startswith("Deny")
    assert answered.DISAGREE in verdict(page)


def test_the_form_is_posted_and_its_link_asks_the_same(acme: Api) -> None:
    """But for what may be private, of which the address has nothing."""
    fields = {**BOB, "hour": "10", "region": "us-east-1", "attributes": "secret=1", "rate": ""}
    page = post(acme, TRY, fields)
    assert verdict(page) == "Allow: bob may read docs."
    assert ">secret=1</textarea>" in page.text
    link = re.search(r'<a href="([^"]*)">Link to this question</a>', page.text)
    assert link is not None
    assert "secret" not in link[1]
    assert "without attributes" in words(page)
    again = look(acme, unescape(link[1]))
    assert verdict(again) == verdict(page)
    assert 'value="us-east-1"' in again.text


def test_with_private_fields_no_address_asks_again(acme: Api) -> None:
    """A remedy is told in words; a link to it would lack them."""
    page = post(acme, TRY, {**ALICE, "hour": "22", "attributes": "secret=1"})
    assert "ask with" in words(page)
    assert "Ask that" not in page.text


def test_faults_are_told_at_their_fields(acme: Api) -> None:
    """All at once, 400, with what was typed as text; the rest of the form is open."""
    evil = '"><script>alert(1)</script>'
    page = post(acme, TRY, {**BOB, "principal_id": "", "hour": evil, "attributes": evil})
    assert page.status_code == 400
    assert "<script>alert" not in page.text
    assert re.findall(r'id="(\w+)-fault"', page.text) == ["principal_id", "hour", "attributes"]
    assert page.text.count('aria-invalid="true"') == 3
    for name in ("hour", "attributes"):
        assert f'aria-describedby="{name}-fault {name}-help" aria-invalid="true"' in page.text
    assert unescape(page.text).count(evil) == 2
    assert 'value="docs"' in page.text
    assert "<details open>" in page.text
    assert 'id="answer"' not in page.text
    assert 'role="alert"' in page.text


def test_an_address_with_half_a_question_is_told(steady: Api) -> None:
    """400, and what is wanted."""
    page = ask(steady, principal_id="alice")
    assert page.status_code == 400
    assert re.findall(r'id="(\w+)-fault"', page.text) == ["action", "resource_id"]


def test_what_is_no_field_is_refused(acme: Api) -> None:
    """In the address and in the form, and one that comes twice."""
    told(look(acme, f"{TRY}?stray=1"), 400, "invalid")
    told(post(acme, TRY, {**BOB, "stray": "1"}), 400, "invalid")
    told(post(acme, TRY, {**BOB, "hour": ["1", "2"]}), 400, "invalid")
    told(post(acme, TRY, BOB, headers={"Sec-Fetch-Site": "cross-site"}), 403, "cross_site")


def test_of_many_names_none_is_suggested(acme: Api) -> None:
    """A list of thousands is no help, and would be sent each time."""
    people = [PrincipalId(f"p{number:03d}") for number in range(SUGGESTED_MAX)]
    change(acme, *map(CreatePrincipal, people))
    page = look(acme, TRY)
    assert '<datalist id="principals">' not in page.text
    assert '<datalist id="actions">' in page.text


@pytest.mark.parametrize("scope", [Scope.EVALUATE, Scope.REVIEW])
def test_trying_takes_what_explaining_takes(store: MemoryStore, scope: Scope) -> None:
    """Both scopes: to ask for decisions, and to know what exists."""
    with serving(store, KeyRequest(ACME, None, frozenset({scope}))) as half:
        told(look(half, TRY), 403, "insufficient_scope")
        told(post(half, TRY, BOB), 403, "insufficient_scope")
    both = frozenset({Scope.EVALUATE, Scope.REVIEW})
    with serving(store, KeyRequest(ACME, None, both)) as whole:
        assert verdict(ask(whole, **BOB, hour="10")).startswith("Allow")
        told(look(whole, "/console/orgs/other/try"), 403, "forbidden_organization")
