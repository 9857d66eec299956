"""GET /v1/orgs/{org}/document: all that an organization holds, at one revision."""

import pytest

from grantproof.api.whole import wants_yaml
from grantproof.policyfile.policy_text import write_json, write_yaml
from grantproof.service.callers import Scope
from grantproof.service.demo import ACME
from tests.api.service import Api, fields_at_fault, problem, revision, running
from tests.documents import from_organization
from tests.policies import accepted

DOCUMENT = "/v1/orgs/acme/document"


def test_it_is_what_export_writes(steady: Api) -> None:
    """To the letter, in both forms, with the revision as its tag."""
    index = running(steady).services.snapshots.load(ACME)
    assert index is not None
    document = from_organization(index.state)
    told = steady.get(DOCUMENT)
    assert (told.status_code, told.headers["content-type"]) == (200, "application/json")
    assert told.headers["etag"] == f'"{revision(steady)}"'
    assert told.headers["vary"] == "Accept"
    assert told.text == write_json(document)
    assert accepted(told.text) == document
    yaml = steady.get(DOCUMENT, headers={"Accept": "application/yaml"})
    assert yaml.headers["content-type"] == "application/yaml"
    assert (yaml.text, yaml.headers["etag"]) == (write_yaml(document), told.headers["etag"])


def test_who_has_the_revision_is_not_told_it_again(api: Api) -> None:
    """304 without a body while nothing has changed, and all of it after a change."""
    tag = api.get(DOCUMENT).headers["etag"]
    for known in (tag, f"W/{tag}", f'"0", {tag}', "*"):
        told = api.get(DOCUMENT, headers={"If-None-Match": known})
        assert (told.status_code, told.content, told.headers["etag"]) == (304, b"", tag)
    assert api.get(DOCUMENT, headers={"If-None-Match": '"other"'}).status_code == 200
    assert api.post("/v1/orgs/acme/groups", json={"id": "new"}).status_code == 201
    told = api.get(DOCUMENT, headers={"If-None-Match": tag})
    assert (told.status_code, told.json()["groups"]) == (200, [{"id": "new"}])


def test_a_condition_that_cannot_be_read_is_refused(steady: Api) -> None:
    """As for changes; nobody is told that what they have is current for a slip of the pen."""
    told = problem(steady.get(DOCUMENT, headers={"If-None-Match": "7"}), 400, "invalid")
    assert fields_at_fault(told) == ["if-none-match"]
    twice = [("If-None-Match", '"1"'), ("If-None-Match", '"2"')]
    problem(steady.get(DOCUMENT, headers=twice), 400, "invalid")


def test_it_takes_review_scope(stranger: Api) -> None:
    """It tells everything that exists."""
    problem(stranger.get(DOCUMENT), 403, "insufficient_scope")
    assert Scope.REVIEW in problem(stranger.get(DOCUMENT), 403, "insufficient_scope")["detail"]


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("application/yaml", True),
        ("text/yaml; charset=utf-8", True),
        ("Application/YAML", True),
        ("application/yaml, */*", False),
        ("application/yaml, */*;q=0.8", True),
        ("application/json;q=0.5, application/yaml;q=0.4", False),
        ("application/yaml;q=0", False),
        ("application/yaml;q=nan", False),
        ("application/yaml;q=2", False),
        ("application/yaml;q=x", False),
        ("text/html", False),
        (", ;;,", False),
    ],
)
def test_yaml_is_for_those_who_would_rather_have_it(accept: str, *, expected: bool) -> None:
    """JSON in any other case, also where neither is asked for."""
    assert wants_yaml(accept) is expected
