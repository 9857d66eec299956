"""Collections come in pages: all of them together are the collection, whatever their size."""

from urllib.parse import quote

import pytest

from tests.api.service import Api, Json, problem

ORG = "/v1/orgs/acme"
COLLECTIONS = ("principals", "groups", "roles", "memberships", "nestings", "assignments", "events")
NAMES = ("a", "B", "a.b", "a+b", "Z9", "_x", "a:b@c=d~e$")


@pytest.fixture(scope="module")
def full(steady: Api) -> Api:
    """`acme` with a handful of everything, ids that need quoting among them."""
    for name in NAMES:
        for path, body in (
            ("principals", {"id": name}),
            ("groups", {"id": name}),
            ("roles", {"id": name, "parents": ["viewer"]}),
            ("memberships", {"principal": name, "group": name}),
            ("assignments", {"principal": name, "role": name}),
            ("assignments", {"group": name, "role": name}),
        ):
            assert steady.post(f"{ORG}/{path}", json=body).status_code == 201
        if name != "a":
            nesting = {"group": name, "container": "a"}
            assert steady.post(f"{ORG}/nestings", json=nesting).status_code == 201
    return steady


def pages(api: Api, collection: str, limit: int) -> list[list[Json]]:
    """Every page of a collection."""
    found: list[list[Json]] = []
    after: str | None = None
    while True:
        cursor = "" if after is None else f"&after={quote(after, safe='')}"
        answer = api.get(f"{ORG}/{collection}?limit={limit}{cursor}").json()
        found.append(answer["items"])
        after = answer["next"]
        if after is None:
            return found


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_all_pages_together_are_the_collection(full: Api, collection: str) -> None:
    """For every page size: nothing twice, nothing missing, all in one order."""
    whole = full.get(f"{ORG}/{collection}?limit=1000").json()
    assert (whole["next"], len(whole["items"]) > 5) == (None, True)
    for limit in (1, 2, 3, len(whole["items"]) - 1, len(whole["items"])):
        parts = pages(full, collection, limit)
        assert [item for part in parts for item in part] == whole["items"]
        assert all(len(part) == limit for part in parts[:-1])
        assert 0 < len(parts[-1]) <= limit


def test_a_page_names_the_revision_it_shows(full: Api) -> None:
    """In the body and as the entity tag."""
    answer = full.get(f"{ORG}/roles?limit=1")
    assert answer.headers["etag"] == f'"{answer.json()["revision"]}"'


def test_ids_that_need_quoting_are_found_at_their_locations(full: Api) -> None:
    """Every character that an id may hold survives the address."""
    for name in NAMES:
        assert full.get(f"{ORG}/principals/{quote(name, safe='')}").json()["id"] == name


@pytest.mark.parametrize("listed", ["", "/acme/roles", "/acme/sessions", "/acme/usage"])
def test_an_empty_cursor_is_none(full: Api, listed: str) -> None:
    """A form whose field is left empty asks for the first page, whatever is listed."""
    place = f"/v1/orgs{listed}"
    answer = full.get(f"{place}?after=")
    assert (answer.status_code, answer.json()) == (200, full.get(place).json())


def test_a_cursor_from_nowhere_is_no_error(full: Api) -> None:
    """A cursor is a place in the order, whether or not something is there; it has a length."""
    assert full.get(f"{ORG}/roles?after=zzzz").json()["items"] == []
    assert full.get(f"{ORG}/assignments?after=zzzz").json()["items"] == []
    problem(full.get(f"{ORG}/roles?after={'x' * 1025}"), 400, "invalid")
