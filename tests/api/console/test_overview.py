"""The overview: what an organization holds, when it moved, and what wants a look."""

from tests.api.service import Api


def test_the_overview_counts_what_the_organization_holds(steady: Api) -> None:
    """As numbers, each with its word; the revision and who led to it stand there too."""
    answer = steady.get("/console/orgs/acme")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    for told in ("<dt>claims</dt><dd>3</dd>", "<dt>roles</dt><dd>4</dd>", "revision 1"):
        assert told in answer.text
    assert "<strong>demo</strong>" in answer.text
