"""Changes that the rules refuse: 409, the witness, and nothing changed."""

from typing import Any

import pytest

from tests.api.service import Api, Json, problem

ORG = "/v1/orgs/acme"
COLLECTIONS = (
    "principals",
    "groups",
    "roles",
    "kinds",
    "resources",
    "claims",
    "sod-sets",
    "memberships",
    "nestings",
    "assignments",
    "events",
)


def everything(api: Api) -> list[Json]:
    """All that the organization shows."""
    return [api.get(f"{ORG}/{collection}?limit=1000").json() for collection in COLLECTIONS]


def prepare(api: Api) -> None:
    """Groups `inner` in `outer`, with carol inside."""
    for path, body in (
        ("groups", {"id": "inner"}),
        ("groups", {"id": "outer"}),
        ("nestings", {"group": "inner", "container": "outer"}),
        ("memberships", {"principal": "carol", "group": "inner"}),
    ):
        assert api.post(f"{ORG}/{path}", json=body).status_code == 201


CASES: list[tuple[str, str, Any, str, Json]] = [
    (
        "POST",
        "roles/viewer/parents",
        {"parent": "editor"},
        "would_cycle",
        {"noun": "role", "cycle": ["viewer", "editor", "viewer"]},
    ),
    (
        "POST",
        "nestings",
        {"group": "outer", "container": "inner"},
        "would_cycle",
        {"noun": "group", "cycle": ["outer", "inner", "outer"]},
    ),
    (
        "POST",
        "roles",
        {"id": "self", "parents": ["self"]},
        "would_cycle",
        {"noun": "role", "cycle": ["self", "self"], "position": 1},
    ),
    (
        "POST",
        "assignments",
        {"principal": "nobody", "role": "viewer"},
        "missing",
        {"noun": "principal", "ids": ["nobody"]},
    ),
    (
        "POST",
        "assignments",
        {"group": "nobody", "role": "viewer"},
        "missing",
        {"noun": "group", "ids": ["nobody"]},
    ),
    (
        "POST",
        "assignments",
        {"principal": "alice", "role": "rival:admin"},
        "missing",
        {"noun": "role", "ids": ["rival:admin"]},
    ),
    (
        "POST",
        "resources",
        {"id": "x", "kind": "none"},
        "missing",
        {"noun": "kind", "ids": ["none"]},
    ),
    (
        "POST",
        "resources",
        {"id": "x", "kind": "document", "parent": "x"},
        "missing",
        {"noun": "resource", "ids": ["x"]},
    ),
    (
        "POST",
        "claims",
        {"id": "c", "role": "viewer", "action": "read", "resource": "organization:rival"},
        "missing",
        {"noun": "resource", "ids": ["organization:rival"]},
    ),
    (
        "POST",
        "guardrails",
        {
            "id": "g",
            "type": "forbidden",
            "access": {"action": "read", "resource": "*"},
            "who": [{"role": "none"}],
        },
        "missing",
        {"noun": "resource", "ids": ["role:none"]},
    ),
    (
        "POST",
        "sod-sets",
        {"id": "s", "roles": ["viewer", "none"], "n": 2},
        "missing",
        {"noun": "role", "ids": ["none"]},
    ),
    (
        "POST",
        "memberships",
        {"principal": "alice", "group": "none"},
        "missing",
        {"noun": "group", "ids": ["none"]},
    ),
    (
        "POST",
        "assignments",
        {"principal": "alice", "role": "viewer"},
        "already_exists",
        {"noun": "assignment", "ids": ["alice", "viewer"]},
    ),
    (
        "DELETE",
        "roles/viewer",
        None,
        "still_referenced",
        {"noun": "role", "id": "viewer", "count": 4},
    ),
    (
        "DELETE",
        "roles/finance?cascade=true",
        None,
        "named_by_sod_set",
        {"role": "finance", "sod_sets": ["finance-or-submitter"]},
    ),
    ("DELETE", "kinds/document", None, "still_referenced", {"noun": "kind", "id": "document"}),
    (
        "POST",
        "assignments",
        {"group": "outer", "role": "submitter"},
        "breaks_sod",
        {
            "sod_set": "finance-or-submitter",
            "n": 2,
            "principal": "carol",
            "roles": ["submitter", "finance"],
            "held": [
                {"groups": ["inner", "outer"], "roles": ["submitter"]},
                {"groups": [], "roles": ["finance"]},
            ],
        },
    ),
    (
        "POST",
        "roles/finance/parents",
        {"parent": "submitter"},
        "breaks_sod",
        {"principal": "carol", "n": 2},
    ),
    (
        "POST",
        "sod-sets",
        {"id": "both", "roles": ["viewer", "editor"], "n": 2},
        "breaks_sod",
        {"sod_set": "both", "principal": "bob"},
    ),
]


@pytest.mark.parametrize(("method", "path", "body", "code", "witness"), CASES)
def test_a_refusal_shows_its_witness_and_changes_nothing(
    api: Api, method: str, path: str, body: Any, code: str, witness: Json
) -> None:
    """The status is 409, the witness is evidence, and every collection is what it was."""
    prepare(api)
    before = everything(api)
    told = problem(api.request(method, f"{ORG}/{path}", json=body), 409, code)
    assert told["witness"]["kind"] == code
    assert witness.items() <= told["witness"].items()
    assert everything(api) == before


def test_separation_of_duty_in_words_and_in_evidence(api: Api) -> None:
    """The fourth check of the demo: the set, both roles and both paths; carol as before."""
    before = api.get(f"{ORG}/principals/carol/roles").json()["effective"]
    response = api.post("/principals/carol/roles", json={"role_id": "submitter"})
    told = problem(response, 409, "breaks_sod")
    assert told["error"].startswith("separation of duty: submitter conflicts with finance")
    assert told["witness"] == {
        "kind": "breaks_sod",
        "sod_set": "finance-or-submitter",
        "n": 2,
        "principal": "carol",
        "instant": None,
        "held": [
            {"groups": [], "roles": ["submitter"]},
            {"groups": [], "roles": ["finance"]},
        ],
        "roles": ["submitter", "finance"],
    }
    assert api.get(f"{ORG}/principals/carol/roles").json()["effective"] == before


def test_the_last_administrator_stays(api: Api) -> None:
    """An organization that has had an administrator is never left without."""
    grant = {"id": "run", "role": "boss", "action": "administer", "resource": "organization:acme"}
    for path, body in (
        ("roles", {"id": "boss"}),
        ("claims", grant),
        ("assignments", {"principal": "alice", "role": "boss"}),
    ):
        assert api.post(f"{ORG}/{path}", json=body).status_code == 201
    told = problem(api.delete(f"{ORG}/principals/alice?cascade=true"), 409, "last_administrator")
    assert told["witness"] == {"kind": "last_administrator", "organization": "acme"}


def test_a_change_set_is_all_or_nothing(api: Api) -> None:
    """Its commands take effect together under one revision, or the one at fault is named."""
    make = [
        {"type": "CreateRole", "role": "auditor"},
        {"type": "AddParent", "role": "auditor", "parent": "viewer"},
    ]
    answer = api.post(f"{ORG}/changes", json={"commands": make})
    assert (answer.status_code, answer.json()) == (200, {"revision": 2})
    before = everything(api)
    commands = [{"type": "CreateRole", "role": "other"}, *make]
    told = problem(api.post(f"{ORG}/changes", json={"commands": commands}), 409, "already_exists")
    assert told["witness"]["position"] == 1
    assert told["error"].startswith("command 1: ")
    assert everything(api) == before


def test_a_change_set_takes_what_events_show(api: Api) -> None:
    """The commands of an event, sent as they are shown, are understood."""
    event = api.get(f"{ORG}/events?after=0").json()["items"][0]
    told = problem(
        api.post(f"{ORG}/changes", json={"commands": event["command"]["commands"]}),
        409,
        "already_exists",
    )
    assert told["witness"]["position"] == 0


def test_what_a_guardrail_names_goes_with_no_cascade(api: Api) -> None:
    """The witness says what is named, even inside of what is deleted, and by which guardrails."""
    access = {"action": "burn", "resource": "docs"}
    made = {"id": "calm", "type": "forbidden", "access": access, "who": [{"role": "viewer"}]}
    assert api.post(f"{ORG}/guardrails", json=made).status_code == 201
    for path, noun, name in (
        ("roles/viewer", "role", "viewer"),
        ("kinds/document", "resource", "docs"),
    ):
        for query in ("", "?cascade=true"):
            told = problem(api.delete(f"{ORG}/{path}{query}"), 409, "named_by_guardrail")
            witness = {"kind": "named_by_guardrail", "noun": noun, "id": name}
            assert told["witness"] == {**witness, "guardrails": ["calm"]}
            assert (
                told["error"] == f"{noun} `{name}` is named by guardrail `calm`: delete that first"
            )
