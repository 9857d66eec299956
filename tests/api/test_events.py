"""GET events: what happened, in order."""

from tests.api.service import Api

ORG = "/v1/orgs/acme"


def test_events_tell_what_was_asked_and_what_it_did(api: Api) -> None:
    """Each with its revision, instant and actor, the command and the facts."""
    api.post(f"{ORG}/roles", json={"id": "auditor"})
    answer = api.get(f"{ORG}/events?after=1").json()
    (event,) = answer["items"]
    assert event == {
        "revision": 2,
        "instant": event["instant"],
        "actor": "demo",
        "command": {"type": "CreateRole", "role": "auditor"},
        "delta": {"added": [{"type": "Role", "id": "auditor"}], "removed": []},
    }
    assert (answer["next"], answer["revision"]) == (None, 2)


def test_events_after_the_last_are_none(api: Api) -> None:
    """Who has seen all asks again later."""
    assert api.get(f"{ORG}/events?after=1").json()["items"] == []
