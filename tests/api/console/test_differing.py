"""The difference of two revisions on a page: who gained, who lost, and how sure that is."""

from dataclasses import replace
from typing import Any, NoReturn

import pytest
from httpx2 import Response

from grantproof.adapters.memory import MemoryStore
from grantproof.analysis.findings import (
    Actions,
    Difference,
    Direction,
    Scope,
    Subject,
    Unsettled,
    Verdict,
)
from grantproof.analysis.findings import Count as Counted
from grantproof.analysis.populations import Numbering
from grantproof.api.console import differing
from grantproof.api.console.differing import COMPLETE, INCOMPLETE, PROOF, proof_of
from grantproof.core.identifiers import Action, PrincipalId, ResourceId
from grantproof.service import callers
from grantproof.service.demo import ACME
from grantproof.service.difference_told import Side, Told, told
from grantproof.service.keyring import KeyRequest
from grantproof.service.ports import StoreUnavailable
from grantproof.service.solving import EndingCounts, Endings, Undetermined
from tests.api.console.browsing import look, words
from tests.api.console.browsing import told as told_on_page
from tests.api.service import OPERATORS, Api, running, serving

ORG = "/v1/orgs/acme"
HERE = "/console/orgs/acme/diff"


def between(api: Api, first: str = "", last: str = "") -> Response:
    """The page for the two revisions."""
    return look(api, HERE, params={"from": first, "to": last})


def moved(api: Api) -> Api:
    """The demo after two changes: alice is an editor, and bob is none any more."""
    body = {"principal": "alice", "role": "editor"}
    assert api.post(f"{ORG}/assignments", json=body).status_code == 201
    gone = api.delete(f"{ORG}/assignments?principal=bob&role=editor")
    assert gone.status_code == 204
    return api


def test_a_gain_is_shown_with_an_example_and_both_reasons(api: Api) -> None:
    """Denied before, allowed after: by which claim, through which roles."""
    answer = between(moved(api), "1", "2")
    seen = words(answer)
    assert answer.status_code == 200
    assert "The new state allows more: 1 request gained." in seen
    assert f"It is proved that nothing is lost. {COMPLETE}" in seen
    assert "Who gains what 1 request in 1 class" in seen
    assert "In revision 1 In revision 2 alice write docs alice write docs" in seen
    assert seen.index("denied: no matching claim") < seen.index("allowed by claim editor-write")
    assert "Who loses what" not in seen


def test_a_loss_is_shown_the_other_way_round(api: Api) -> None:
    """Allowed before, denied after."""
    seen = words(between(moved(api), "2", "3"))
    assert "The new state allows less: 3 requests lost." in seen
    assert "It is proved that nothing is gained." in seen
    assert seen.index("allowed by claim") < seen.index("denied: no active role")
    assert "Who gains what" not in seen


def test_both_at_once(api: Api) -> None:
    """Over several revisions, between any two that there are."""
    seen = words(between(moved(api), "1", "3"))
    assert "allows more and less" in seen
    assert "Who gains what" in seen
    assert "Who loses what" in seen


def test_nothing_is_proved_to_be_nothing(api: Api) -> None:
    """What allows the same is told so, proved."""
    for first, last in (("2", "2"), ("0", "0")):
        seen = words(between(moved(api) if first == "2" else api, first, last))
        assert "Both allow the same. It is proved for every context and every time." in seen


def test_without_revisions_it_is_the_last_change(api: Api) -> None:
    """What was before against what is; with an end only, what led there."""
    moved(api)
    assert "In revision 2 In revision 3" in words(between(api))
    assert "In revision 1 In revision 2" in words(between(api, last="2"))
    assert "In revision 1 In revision 3" in words(between(api, first="1"))


def test_both_events_are_named_with_links(api: Api) -> None:
    """Who made the revisions, and what they did; and the ways to the changes around."""
    answer = between(moved(api), "1", "2")
    seen = words(answer)
    assert "demo: made 18 changes at once" in seen
    assert "demo: assigned role editor to principal alice" in seen
    for href in ("/events/1", "/events/2", "/diff?from=0&amp;to=1", "/diff?from=2&amp;to=3"):
        assert f'href="/console/orgs/acme{href}"' in answer.text
    assert 'href="/console/orgs/acme/diff?from=1&amp;to=3"' in answer.text


@pytest.mark.parametrize(
    ("first", "last", "status", "code", "message"),
    [
        ("", "2", 404, "not_found", "revision 2 does not exist"),
        ("2", "", 404, "not_found", "revision 2 does not exist"),
        ("1", "0", 400, "invalid", "must not be after to"),
        ("x", "", 400, "invalid", "must be a revision"),
        ("", "-1", 400, "invalid", "must be a revision"),
        ("²", "", 400, "invalid", "must be a revision"),
        ("9" * 30, "", 400, "invalid", "at most"),
    ],
)
def test_a_revision_that_is_none_is_told(
    steady: Api, *, first: str, last: str, status: int, code: str, message: str
) -> None:
    """As the API tells it."""
    assert message in told_on_page(between(steady, first, last), status, code).replace("`", "")


def test_what_is_too_far_back_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many changes are undone, and no more."""
    moved(api)
    monkeypatch.setattr(differing, "EVENTS_SEARCHED_MAX", 2)
    assert between(api, "1", "2").status_code == 200
    told_on_page(between(api, "0", "1"), 400, "invalid")


class Hung:
    """A solver that never answers in time."""

    def ask(self, work: Any) -> Undetermined:  # noqa: ARG002 - it never begins
        """Return that there was no answer."""
        return Undetermined("time", "no answer in 10 s")

    def stop(self) -> None:
        """Have nothing to end."""

    def tally(self) -> EndingCounts:
        """Return that nothing was ever begun."""
        return Endings().tally()


def test_no_answer_is_no_pass(api: Api) -> None:
    """503 as in the API, told as not determined, with the form to ask again."""
    here = running(api)
    application: Any = api.app
    application.administration.state.running = replace(
        here, services=replace(here.services, solver=Hung())
    )
    answer = between(api, "0", "1")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    seen = words(answer)
    assert "Not determined. the answer is not known: no answer in 10 s." in seen
    assert "proved" not in seen
    assert 'id="from"' in answer.text


def test_a_time_zone_that_changed_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours are compared as they are told."""
    monkeypatch.setattr(
        differing,
        "state_at",
        lambda _, state, revision: replace(
            state, revision=revision, time_zone="Europe/Paris" if revision == 0 else "UTC"
        ),
    )
    assert "The time zone was Europe/Paris and is UTC" in words(between(api, "0", "1"))


def test_looking_takes_the_scope_of_review(store: MemoryStore) -> None:
    """And the organization of the caller."""
    some = frozenset({callers.Scope.EVALUATE, callers.Scope.ADMINISTER})
    with serving(store, KeyRequest(ACME, None, some)) as api:
        told_on_page(between(api), 403, "insufficient_scope")
    with serving(MemoryStore(), OPERATORS) as api:
        answer = look(api, HERE.replace("acme", "absent"))
        told_on_page(answer, 403, "forbidden_organization")


def test_a_store_that_is_away_is_told(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503, and nothing is compared."""

    def away(*_: object, **__: object) -> NoReturn:
        message = "gone"
        raise StoreUnavailable(message)

    monkeypatch.setattr(store, "events", away)
    told_on_page(between(api, "0", "1"), 503, "store_unavailable")


# ---------------------------------------------------------------- how sure it is

NOTHING = Side((), "0 requests in 0 classes", 0)


def found(verdict: Verdict, *unsettled: str) -> Told:
    """A difference in words, of which only this matters."""
    return Told(verdict, "", NOTHING, NOTHING, unsettled)


@pytest.mark.parametrize("verdict", list(Verdict))
def test_every_verdict_says_how_sure_it_is(verdict: Verdict) -> None:
    """Complete only where nothing is open; only equality looks good."""
    look_of, sentence, rest = proof_of(found(verdict))
    assert (look_of, sentence) == PROOF[verdict]
    assert (look_of == "good") == (verdict is Verdict.EQUAL)
    assert rest == ("" if verdict is Verdict.EQUAL else COMPLETE)
    assert proof_of(found(verdict, "who knows"))[2] == INCOMPLETE


def unsettled(direction: Direction) -> Unsettled:
    """Something of which nobody knows."""
    ids = Numbering([PrincipalId("ann")])
    people = ids.principals(ids.mask([PrincipalId("ann")]))
    subjects = (Subject(ResourceId("docs")),)
    return Unsettled(direction, Scope(people, Actions((Action("read"),)), subjects), "too hard")


def test_what_is_not_known_is_listed_and_counted() -> None:
    """No more than there is room for, and never left out silently."""
    several = tuple(unsettled(Direction.GAIN) for _ in range(4))
    nothing = Difference(Verdict.UNDETERMINED, (), (), Counted(), Counted(), several)
    lines = told(nothing, limit=2).unsettled
    line = "it is not known who gains this: ann: read on docs: too hard"
    assert lines == (line, line, "and 2 more that are not known")
    assert told(nothing, limit=4).unsettled == (line,) * 4


def test_an_undetermined_difference_is_shown_so(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not known stands on the page, escaped, and nothing says that it is proved."""
    told_so = found(Verdict.UNDETERMINED, "<script>alert(1)</script> perhaps")
    solver = running(api).services.solver
    monkeypatch.setattr(solver, "ask", lambda _: told_so)
    answer = between(api, "0", "1")
    seen = words(answer)
    assert "The solver gave up on requests that decide it." in seen
    assert INCOMPLETE in seen
    assert "<script>alert(1)</script> perhaps" in seen
    assert "<script>alert" not in answer.text
    assert "proved" not in seen
