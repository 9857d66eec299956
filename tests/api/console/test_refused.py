"""Changes that are refused on a page: the witness in words, drawn, and what to do next."""

import re
from typing import Any

import pytest

from grantproof.service.guarding import Guard
from grantproof.service.solving import Undetermined
from tests.api.console.browsing import words
from tests.api.console.changes import EVIL, ORG, asked, form, made
from tests.api.service import (
    Api,
    revision,
    running,
)


def test_separation_of_duty_is_shown_in_words_and_drawn(api: Api) -> None:
    """409: which set, which roles, through what, what is new about it, and what to do."""
    answer = asked(api, holder="carol", role="submitter")
    assert answer.status_code == 409
    seen = words(answer)
    assert "Refused: nothing was changed." in seen
    assert (
        "submitter conflicts with finance: carol would hold 2 roles of finance-or-submitter" in seen
    )
    assert "separation-of-duty set finance-or-submitter forbids 2 of its roles together" in seen
    assert "Revoke one of the roles that are held already" in seen
    assert "do=revoke&amp;kind=principal&amp;holder=carol&amp;role=finance" in answer.text
    drawn = answer.text[answer.text.index("<svg") : answer.text.index("</svg>")]
    assert re.findall(r"<title>([^<]*)</title>", drawn) == [
        "principal carol",
        "role submitter",
        "role finance",
        "set finance-or-submitter",
    ]
    assert drawn.count('class="edge new"') == 1
    assert drawn.count("<line") == 4
    assert 'name="revision"' not in answer.text


def test_the_way_through_groups_and_roles_is_drawn(api: Api) -> None:
    """From the principal outward, and the step that is asked for is the new one."""
    for path, body in (
        ("groups", {"id": "inner"}),
        ("groups", {"id": "outer"}),
        ("nestings", {"group": "inner", "container": "outer"}),
        ("memberships", {"principal": "carol", "group": "inner"}),
        ("roles", {"id": "clerk", "parents": ["submitter"]}),
    ):
        assert api.post(f"{ORG}/{path}", json=body).status_code == 201
    answer = asked(api, kind="group", holder="outer", role="clerk")
    assert answer.status_code == 409
    assert "group inner -> group outer -> clerk -> submitter" in words(answer)
    titles = re.findall(r"<title>([^<]*)</title>", answer.text.partition("<svg")[2])
    assert titles[:5] == [
        "principal carol",
        "group inner",
        "group outer",
        "role clerk",
        "role submitter",
    ]
    lines = re.findall(r'class="edge( new)?"', answer.text)
    assert lines == ["", "", " new", "", "", "", ""]
    # The principal holds the other one directly: that is what can be revoked.
    assert "Revoke finance from principal carol" in words(answer)
    assert "Revoke clerk" not in words(answer)


def test_a_breach_is_refused_again_when_the_form_is_sent(api: Api) -> None:
    """Whatever a form has in it: the change is checked where it is made."""
    fields = form(asked(api, holder="alice", role="editor"))
    answer = made(api, {**fields, "holder": "carol", "role": "submitter", "reason": EVIL})
    assert answer.status_code == 409
    assert "submitter conflicts with finance" in words(answer)
    assert "<script>alert" not in answer.text
    assert revision(api) == 1


@pytest.fixture
def guarded(api: Api) -> Api:
    """The demo, in which dave is a guest, guests never write, and a scribe does."""
    for path, body in (
        ("principals", {"id": "dave"}),
        ("groups", {"id": "guests"}),
        ("memberships", {"principal": "dave", "group": "guests"}),
        ("roles", {"id": "scribe"}),
        ("claims", {"id": "write-it", "role": "scribe", "action": "write", "resource": "docs"}),
        (
            "guardrails",
            {
                "id": "guests-write-nothing",
                "type": "forbidden",
                "access": {"action": "write", "resource": "docs", "attributes": {}},
                "who": [{"group": "guests"}],
            },
        ),
    ):
        answer = api.post(f"{ORG}/{path}", json=body)
        assert answer.status_code == 201, answer.text
    return api


def test_a_guardrail_that_would_break_is_shown_drawn(guarded: Api) -> None:
    """With the request that would be allowed, through which role and claim, in which context."""
    answer = asked(guarded, holder="dave", role="scribe")
    assert answer.status_code == 409
    seen = words(answer)
    assert "guardrail guests-write-nothing forbids that dave may write docs by claim" in seen
    assert "through scribe, claim write-it" in seen
    titles = re.findall(r"<title>([^<]*)</title>", answer.text.partition("<svg")[2])
    assert titles == [
        "principal dave",
        "role scribe",
        "claim write-it",
        "guardrail guests-write-nothing",
    ]
    assert "If the guardrail is wrong" in seen


def test_which_guardrails_judged_is_told(guarded: Api) -> None:
    """Those that were proved to hold, and how many it cannot break."""
    gives = words(asked(guarded, holder="alice", role="scribe"))
    assert "Guardrails: guests-write-nothing : proved to hold." in gives
    takes = words(asked(guarded, do="revoke", holder="bob", role="editor"))
    assert "1 guardrail that it cannot break: it only takes access away." in takes
    assert "proved to hold" not in takes


class Hung:
    """A solver that never answers in time."""

    def ask(self, work: Any) -> Undetermined:  # noqa: ARG002 - it never begins
        """Return that there was no answer."""
        return Undetermined("time", "no answer in 10 s")


def test_what_no_solver_judged_is_not_made_and_may_be_tried_again(
    guarded: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503; the form that is left has the same key and the same reason."""
    fields = {**form(asked(guarded, holder="alice", role="scribe")), "reason": "ticket 7"}
    before = revision(guarded)
    with monkeypatch.context() as patched:
        administration = running(guarded).services.administration
        patched.setattr(administration, "_guard", Guard(Hung()))
        answer = made(guarded, fields)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert "is not known: no answer in 10 s" in words(answer)
    assert form(answer) == fields
    assert revision(guarded) == before
    assert made(guarded, form(answer)).status_code == 303


@pytest.mark.parametrize(
    ("typed", "status", "message"),
    [
        ({"holder": "nobody", "role": "viewer"}, 409, "principal nobody does not exist"),
        ({"holder": "alice", "role": "nothing"}, 409, "role nothing does not exist"),
        ({"holder": "alice", "role": "viewer"}, 409, "exists already"),
        ({"do": "revoke", "holder": "alice", "role": "editor"}, 404, "does not exist"),
    ],
)
def test_other_refusals_are_told_as_the_api_tells_them(
    steady: Api, typed: dict[str, str], status: int, message: str
) -> None:
    """The status and the words of the problem; what was typed stays in the form."""
    answer = asked(steady, **typed)
    assert answer.status_code == status
    assert message in words(answer)
    assert f'value="{typed["holder"]}"' in answer.text
