"""The page that assigns and revokes, as its tests use it: what is typed, the form, what comes."""

import re
from html import unescape

from httpx2 import Response

from tests.api.console.browsing import look, post, words
from tests.api.service import Api

ORG = "/v1/orgs/acme"
HERE = "/console/orgs/acme/assignments/change"
EVIL = "<script>alert(1)</script>\"'&"


def asked(api: Api, **typed: str) -> Response:
    """The answer to what was typed, which changes nothing."""
    return look(api, HERE, params={"kind": "principal", **typed})


def form(answer: Response) -> dict[str, str]:
    """The fields of the form that makes the change, with what they hold."""
    found = re.search(r'<form method="post" action="[^"]*change".*?</form>', answer.text, re.DOTALL)
    assert found is not None, words(answer)
    inputs = re.findall(r"<input [^>]*>", found[0])
    named = ((_of(one, "name"), _of(one, "value")) for one in inputs)
    return {name: value for name, value in named if name}


def _of(tag: str, attribute: str) -> str:
    found = re.search(rf'{attribute}="([^"]*)"', tag)
    return "" if found is None else unescape(found[1])


def made(api: Api, fields: dict[str, str]) -> Response:
    """The answer to the form."""
    return post(api, HERE, fields)


def held(api: Api, principal: str) -> dict[str, object]:
    """The roles of a principal, each from and until when."""
    items = api.get(f"{ORG}/assignments?principal={principal}").json()["items"]
    return {one["role"]: (one["from"], one["until"]) for one in items}
