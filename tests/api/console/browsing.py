"""A visitor of the console without a browser: signs in, follows links, posts forms of ours."""

import re
from collections.abc import Mapping
from html import unescape
from typing import Any, Final

from httpx2 import Response

from tests.api.service import Api

OURS: Final = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form that a page of ours posts."""


def look(api: Api, path: str, **more: Any) -> Response:
    """The answer to a page, without following where it leads."""
    return api.get(path, follow_redirects=False, **more)


def post(
    api: Api, path: str, fields: Mapping[str, Any], *, headers: Mapping[str, str] | None = None
) -> Response:
    """The answer to a form, posted by a page of ours unless the headers say otherwise."""
    given = OURS if headers is None else headers
    return api.post(path, data=dict(fields), headers=dict(given), follow_redirects=False)


def sign_in(api: Api, key: str, **fields: str) -> Response:
    """The answer to a key that is presented in the form."""
    return post(api, "/console/sign-in", {"key": key, **fields})


def kept(response: Response) -> str:
    """What the answer lets the browser keep."""
    header: str = response.headers["set-cookie"]
    return header.partition(";")[0].partition("=")[2]


def words(response: Response) -> str:
    """What a reader sees of the page."""
    text = re.sub(r"<(script|style)\b.*?</\1>|<[^>]*>", " ", response.text, flags=re.DOTALL)
    return " ".join(unescape(text).split())


def told(response: Response, status: int, code: str) -> str:
    """The words of the page, which must be that of the problem."""
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "text/html; charset=utf-8",
    ), response.text
    assert f"<code>{code}</code>" in response.text
    assert f"<code>{response.headers['x-request-id']}</code>" in response.text
    return words(response)


def to_sign_in(response: Response, *, then: str | None = None) -> None:
    """Assert that the answer leads to the sign-in page, and from there to where it should."""
    tail = "" if then is None else f"?next={then}"
    assert (response.status_code, response.headers.get("location")) == (
        303,
        f"/console/sign-in{tail}",
    ), response.text
