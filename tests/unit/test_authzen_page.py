"""The page on AuthZEN shows what happens: its policy is imported, its requests are sent."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from grantproof.adapters.clock import SystemClock
from grantproof.adapters.memory import MemoryStore
from grantproof.api.front import AUTHZEN
from grantproof.core import limits
from grantproof.core.commands.language import ChangeSet
from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.organization_document import to_change_set
from grantproof.service.authors import Author
from grantproof.service.callers import Scope
from grantproof.service.keyring import KeyRequest
from tests.api.service import Api, bearer, new_key, running, serving
from tests.policies import accepted

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "authzen.md").read_text("utf-8")
BLOCK = re.compile(r"^```(yaml|json|text) ?([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTANT = 1_795_275_000
"""The time at which the examples were found."""
TODO = OrganizationId("todo")
SETTINGS = {
    "authzen_trusted": "resource.ownerID",
    "public_url": "https://pdp.example.com",
}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A service with the organization of the page, for an enforcement point of it."""
    monkeypatch.setattr(SystemClock, "now", lambda _clock: INSTANT)
    store = MemoryStore()
    policy = next(text for kind, _, text in BLOCK.findall(PAGE) if kind == "yaml")
    document = accepted(policy)
    with serving(store, **SETTINGS) as client:  # type: ignore[arg-type]  # settings are text
        administration = running(client).services.administration
        assert administration.found(TODO, time_zone="UTC", by=Author("page"))
        administration.propose(TODO, ChangeSet(to_change_set(document)), by=Author("page"))
        scopes = frozenset({Scope.EVALUATE, Scope.REVIEW, Scope.TRUSTED_CONTEXT})
        client.headers.update(bearer(new_key(store, KeyRequest(TODO, None, scopes))))
        yield client


def test_each_request_of_the_page_is_answered_as_it_shows(api: Api) -> None:
    """Word by word: the answer is the block that follows."""
    blocks = [block for block in BLOCK.findall(PAGE) if block[0] != "yaml"]
    asked = 0
    for (_, request, body), (kind, status, answer) in zip(blocks[::2], blocks[1::2], strict=True):
        method, address = request.split()
        sent = json.loads(body) if method == "POST" else None
        told = api.request(method, address, json=sent)
        assert told.status_code == int(status), told.text
        if kind == "json":
            assert told.json() == json.loads(answer), told.text
        else:
            assert told.text == answer.rstrip("\n")
        asked += 1
    assert asked == 5


def test_the_page_tells_every_route_setting_and_bound() -> None:
    """As the code has them."""
    for address in AUTHZEN:
        assert address in PAGE or address.replace("/access/v1/search", "...") in PAGE, address
    for words in (
        f"looks at {limits.SEARCHED_MAX:,} candidates",
        f"decided on it, {limits.SEARCH_SLICE_MAX} at a time",
        f"is {limits.PAGE_ITEMS_DEFAULT} unless given, and {limits.PAGE_ITEMS_MAX:,} at the most",
        f"more than {limits.BATCH_ITEMS_MAX:,} items",
        f"at most {limits.REQUEST_ID_LENGTH_MAX})",
        "after eight times it is 503",
        "`GRANTPROOF_AUTHZEN_SUBJECT_TYPES`",
        "`GRANTPROOF_AUTHZEN_TRUSTED`",
        "`GRANTPROOF_PUBLIC_URL`",
    ):
        assert words in PAGE, words
    assert limits.SEARCH_ATTEMPTS_MAX == 8
