"""Assigning and revoking on a page: shown first, refused with the witness, made once."""

from collections.abc import Iterator
from html import unescape
from typing import Any, NoReturn

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import CreatePrincipal
from grantproof.core.identifiers import PrincipalId
from grantproof.service.authors import Author
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from grantproof.service.keyring import KeyRequest
from grantproof.service.ports import StoreUncertain
from grantproof.service.solving import Undetermined
from tests.api.console.browsing import look, post, told, words
from tests.api.console.changes import EVIL, HERE, ORG, asked, form, held, made
from tests.api.service import (
    OPERATORS,
    Api,
    bearer,
    new_key,
    revision,
    running,
    services_over,
    serving,
)

WRITING = frozenset({Scope.REVIEW, Scope.ADMINISTER})


# ---------------------------------------------------------------- what would come of it


def test_the_form_stands_there_for_whoever_has_typed_nothing(steady: Api) -> None:
    """With the ids that there are, offered for choice; there is nothing to post yet."""
    answer = look(steady, HERE)
    assert answer.status_code == 200
    assert '<option value="submitter">' in answer.text
    assert '<option value="carol">' in answer.text
    assert 'method="post"' not in answer.text.partition("<main")[2]


def test_what_it_would_bring_about_is_shown_and_not_done(api: Api) -> None:
    """The fact, who gains what with the reasons before and after, and what was checked."""
    answer = asked(api, holder="alice", role="editor")
    assert answer.status_code == 200
    seen = words(answer)
    assert "Comes: principal alice holds role editor" in seen
    assert "The new state allows more: 1 request gained. It is proved that nothing is lost." in seen
    assert "denied: no matching claim" in seen
    assert "allowed by claim editor-write-docs: write docs (region us-east-1) (editor)" in seen
    assert "Separation of duty: no set names what it gives." in seen
    assert "this organization has none" in seen
    assert (revision(api), sorted(held(api, "alice"))) == (1, ["viewer"])


def test_a_set_that_names_what_is_given_is_told(api: Api) -> None:
    """Also where it is kept."""
    assert "Separation of duty: finance-or-submitter : kept." in words(
        asked(api, holder="alice", role="finance")
    )


def test_a_revocation_shows_who_loses_what(api: Api) -> None:
    """By claim before, and why no more."""
    seen = words(asked(api, do="revoke", holder="bob", role="editor"))
    assert "Goes: principal bob holds role editor" in seen
    assert "Who loses what" in seen
    assert seen.index("allowed by claim") < seen.index("denied: no active role")


def test_times_are_of_the_organization_and_told_in_utc(store: MemoryStore) -> None:
    """What is typed without an offset is a time there; what is shown says both."""
    with serving(store, OPERATORS) as api:
        api.post("/v1/orgs", json={"id": "paris", "time_zone": "Europe/Paris"})
        for path, name in (("principals", "ann"), ("roles", "clerk")):
            assert api.post(f"/v1/orgs/paris/{path}", json={"id": name}).status_code == 201
        typed = {"holder": "ann", "role": "clerk", "from": "2027-07-01T09:00"}
        answer = look(api, HERE.replace("acme", "paris"), params=typed)
        seen = words(answer)
        assert "2027-07-01 09:00 CEST (07:00 UTC)" in seen
        assert "from 2027-07-01T07:00:00Z" in seen
        assert '<time datetime="2027-07-01T07:00:00+00:00">' in answer.text


@pytest.mark.parametrize(
    ("typed", "field", "rule"),
    [
        ({"holder": "al ice"}, "holder", "must match"),
        ({"holder": ""}, "holder", "must not be empty"),
        ({"role": ""}, "role", "must not be empty"),
        ({"role": EVIL}, "role", "must match"),
        ({"from": "tomorrow"}, "from", "must be a day, and a time"),
        ({"until": "2027-02-30T09:00"}, "until", "must be a day, and a time"),
        ({"from": "2027-03-01T09:00", "until": "2027-03-01T09:00"}, "from", "must be before"),
        ({"until": "9999999999999"}, "until", "between the years 1970 and 9999"),
        ({"kind": "robot"}, "kind", "must be"),
        ({"do": "steal"}, "do", "must be"),
        ({"replace": "perhaps"}, "replace", "must be"),
    ],
)
def test_what_cannot_be_read_is_told_and_stays(
    steady: Api, typed: dict[str, str], field: str, rule: str
) -> None:
    """400, with the field at fault and all that was typed still in the form, escaped."""
    answer = asked(steady, **{"holder": "alice", "role": "editor", **typed})
    assert answer.status_code == 400
    assert f"<code>{field}</code>" in answer.text
    assert rule in words(answer)
    for text in typed.values():
        if text and field not in {"kind", "do", "replace"}:
            assert text in unescape(answer.text)
    assert "<script>alert" not in answer.text
    assert 'name="revision"' not in answer.text


def test_what_would_come_of_it_may_be_unknown(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it says so, and the change can be made: every check of it was."""
    monkeypatch.setattr(
        running(api).services.solver, "ask", lambda _: Undetermined("time", "no answer in 10 s")
    )
    answer = asked(api, holder="alice", role="editor")
    assert answer.status_code == 200
    assert "is not known: the answer is not known: no answer in 10 s" in words(answer)
    assert made(api, form(answer)).status_code == 303


# ---------------------------------------------------------------- made


def test_what_was_shown_is_made_with_the_reason(api: Api) -> None:
    """And the browser goes on to the list, which says what was done."""
    fields = {**form(asked(api, holder="alice", role="editor")), "reason": f"leave of bob {EVIL}"}
    answer = made(api, fields)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        "/console/orgs/acme/assignments?made=2",
    )
    assert sorted(held(api, "alice")) == ["editor", "viewer"]
    (event,) = api.get(f"{ORG}/events?after=1").json()["items"]
    assert (event["reason"], event["actor"]) == (f"leave of bob {EVIL}", "demo")
    page = look(api, answer.headers["location"])
    assert "Done. Revision 2 : assigned role editor to principal alice." in words(page)
    assert "<script>alert" not in page.text
    assert "leave of bob" in words(page)


def test_a_form_that_is_sent_twice_is_one_change(api: Api) -> None:
    """A double click, or a page that is sent again: the same answer, and one event."""
    fields = form(asked(api, holder="alice", role="editor"))
    first, second = made(api, fields), made(api, fields)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["location"] == second.headers["location"]
    assert revision(api) == 2


def test_the_key_of_a_form_is_for_what_was_shown(api: Api) -> None:
    """With something else in the form it is refused, and nothing is changed."""
    fields = form(asked(api, holder="alice", role="editor"))
    assert made(api, fields).status_code == 303
    answer = made(api, {**fields, "role": "finance"})
    assert answer.status_code == 422
    assert "was used for another request" in words(answer)
    assert revision(api) == 2


def test_each_form_has_a_key_of_its_own(api: Api) -> None:
    """So that the same can be asked again another day."""
    fields = form(asked(api, holder="alice", role="editor"))
    assert form(asked(api, holder="alice", role="editor"))["key"] != fields["key"]


def test_an_assignment_can_be_given_other_times(api: Api) -> None:
    """In one change, when that is asked for; without it the page says how."""
    typed = {"holder": "bob", "role": "editor", "until": "2030-01-01T00:00"}
    refused = asked(api, **typed)
    assert refused.status_code == 409
    assert "exists already" in words(refused)
    assert "Tick “replace”" in words(refused)
    shown = asked(api, **typed, replace="yes")
    assert "Goes: principal bob holds role editor Comes: principal bob holds" in words(shown)
    assert made(api, form(shown)).status_code == 303
    assert held(api, "bob") == {"editor": (None, 1_893_456_000)}
    assert revision(api) == 2


def test_a_group_is_given_a_role_and_loses_it(api: Api) -> None:
    """By the same forms."""
    api.post(f"{ORG}/groups", json={"id": "staff"})
    typed = {"kind": "group", "holder": "staff", "role": "viewer"}
    assert made(api, form(asked(api, **typed))).status_code == 303
    assert "group staff holds role viewer" in words(asked(api, do="revoke", **typed))
    assert made(api, form(asked(api, do="revoke", **typed))).status_code == 303
    kinds = [each["command"]["type"] for each in api.get(f"{ORG}/events?after=2").json()["items"]]
    assert kinds == ["AssignGroupRole", "RevokeGroupRole"]


@pytest.mark.parametrize(
    ("reason", "rule"),
    [("x" * 1_025, "must have 1 to 1024 characters"), ("a\x00b", "must be printable text")],
)
def test_a_reason_that_cannot_be_kept_is_told(api: Api, reason: str, rule: str) -> None:
    """What was typed stays, and there is a form to go on with."""
    fields = form(asked(api, holder="alice", role="editor"))
    answer = made(api, {**fields, "reason": reason})
    assert answer.status_code == 400
    assert f"reason {rule}" in words(answer)
    assert (form(answer)["role"], form(answer)["reason"]) == ("editor", reason)
    assert revision(api) == 1


# ---------------------------------------------------------------- meanwhile


def test_what_has_changed_since_is_shown_and_asked_again(api: Api) -> None:
    """412: nothing is made on another revision than the one shown, and nothing typed is lost."""
    fields = {**form(asked(api, holder="alice", role="editor")), "reason": "leave of bob"}
    api.post(f"{ORG}/principals", json={"id": "mallory"})
    answer = made(api, fields)
    assert answer.status_code == 412
    seen = words(answer)
    assert "the organization has moved on from revision 1 to 2" in seen
    assert "revision 2 : demo added principal mallory" in seen
    assert (revision(api), sorted(held(api, "alice"))) == (2, ["viewer"])
    again = form(answer)
    assert (again["revision"], again["reason"], again["role"]) == ("2", "leave of bob", "editor")
    assert again["key"] != fields["key"]
    assert made(api, again).status_code == 303
    assert revision(api) == 3


def test_what_another_process_has_changed_is_seen(api: Api, store: MemoryStore) -> None:
    """The page that asks again is of the revision that won, not of the one known before."""
    fields = form(asked(api, holder="alice", role="editor"))
    services_over(store).administration.propose(
        ACME, CreatePrincipal(PrincipalId("mallory")), by=Author("elsewhere")
    )
    answer = made(api, fields)
    assert answer.status_code == 412
    assert "elsewhere added principal mallory" in words(answer)
    assert form(answer)["revision"] == "2"


def test_what_is_refused_by_now_is_told_with_its_own_status(api: Api) -> None:
    """Somebody else made alice a submitter, whom finance is refused then."""
    fields = form(asked(api, holder="alice", role="finance"))
    api.post(f"{ORG}/assignments", json={"principal": "alice", "role": "submitter"})
    answer = made(api, fields)
    assert answer.status_code == 409
    seen = words(answer)
    assert "has moved on from revision 1 to 2" in seen
    assert "conflicts with submitter" in seen


def test_many_changes_since_are_counted(api: Api) -> None:
    """The latest are told, and how many more there are."""
    fields = form(asked(api, holder="alice", role="editor"))
    for number in range(12):
        api.post(f"{ORG}/principals", json={"id": f"p-{number}"})
    seen = words(made(api, fields))
    assert "added principal p-11" in seen
    assert "added principal p-1 " not in seen
    assert "And 2 more." in seen


def test_a_store_that_may_have_made_it_can_be_asked_again(
    api: Api, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503: made or not, under the same key it is made once."""
    fields = form(asked(api, holder="alice", role="editor"))
    commit = store.commit

    def lost(*given: Any, **more: Any) -> NoReturn:
        commit(*given, **more)
        message = "the connection went while it committed"
        raise StoreUncertain(message)

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit", lost)
        answer = made(api, fields)
    assert answer.status_code == 503
    assert "the change was made or not" in words(answer)
    assert form(answer) == {**fields, "reason": ""}
    again = made(api, form(answer))
    assert (again.status_code, again.headers["location"]) == (
        303,
        "/console/orgs/acme/assignments?made=2",
    )
    assert store.revision(ACME) == 2


# ---------------------------------------------------------------- who may


@pytest.fixture
def reader(store: MemoryStore) -> Iterator[Api]:
    """A caller that may look and change nothing."""
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.REVIEW}))) as client:
        yield client


def test_without_the_scope_there_is_neither_form_nor_button(reader: Api) -> None:
    """403, for looking what it would do too, and the list offers nothing."""
    told(look(reader, HERE), 403, "insufficient_scope")
    told(post(reader, HERE, {"do": "assign"}), 403, "insufficient_scope")
    assert "assignments/change" not in look(reader, "/console/orgs/acme/assignments").text


def test_who_may_change_and_not_look_is_turned_away(store: MemoryStore) -> None:
    """A page shows what exists: it takes both scopes."""
    with serving(store, KeyRequest(ACME, None, frozenset({Scope.ADMINISTER}))) as api:
        told(look(api, HERE), 403, "insufficient_scope")
        told(post(api, HERE, {"do": "assign"}), 403, "insufficient_scope")


def test_another_organization_is_the_answer_of_the_api(api: Api) -> None:
    """There or not: the same 403."""
    there = HERE.replace("acme", "other")
    told(look(api, there), 403, "forbidden_organization")
    told(post(api, there, {"do": "assign"}), 403, "forbidden_organization")


def test_a_form_from_elsewhere_is_refused(api: Api) -> None:
    """Whatever it has in it."""
    fields = form(asked(api, holder="alice", role="editor"))
    answer = post(api, HERE, fields, headers={"Sec-Fetch-Site": "cross-site"})
    told(answer, 403, "cross_site")
    assert revision(api) == 1


def test_whoever_may_not_assign_a_role_is_told_and_offered_nothing(
    store: MemoryStore,
) -> None:
    """The right of a principal is decided as for any change, and its buttons are its own."""
    with serving(store, OPERATORS) as api:
        for path, body in (
            ("roles", {"id": "clerk"}),
            (
                "claims",
                {"id": "c", "role": "clerk", "action": "revoke", "resource": "role:viewer"},
            ),
            ("assignments", {"principal": "bob", "role": "clerk"}),
        ):
            assert api.post(f"{ORG}/{path}", json=body).status_code == 201
        key = new_key(store, KeyRequest(ACME, PrincipalId("bob"), WRITING))
        api.headers.update(bearer(key))
        page = look(api, "/console/orgs/acme/assignments")
        assert "do=revoke&amp;kind=principal&amp;holder=alice&amp;role=viewer" in page.text
        assert "holder=carol" not in page.text
        assert words(page).count("not yours to change") == 3
        refused = asked(api, holder="alice", role="editor")
        assert refused.status_code == 403
        assert "bob may not assign role:editor" in words(refused)
        shown = asked(api, do="revoke", holder="alice", role="viewer")
        assert shown.status_code == 200
        assert made(api, form(shown)).status_code == 303


@pytest.mark.parametrize(
    ("broken", "field"),
    [({"revision": "x"}, "revision"), ({"revision": ""}, "revision"), ({"key": ""}, "idempotency")],
)
def test_a_form_that_nobody_showed_is_refused(api: Api, broken: dict[str, str], field: str) -> None:
    """400, and nothing is changed."""
    fields = {**form(asked(api, holder="alice", role="editor")), **broken}
    assert field in told(made(api, fields), 400, "invalid")
    assert revision(api) == 1


def test_a_field_is_given_once(api: Api) -> None:
    """Which of two would be meant nobody knows."""
    fields: dict[str, Any] = {**form(asked(api, holder="alice", role="editor"))}
    twice = post(api, HERE, {**fields, "holder": ["alice", "bob"]})
    assert "holder" in told(twice, 400, "invalid")
