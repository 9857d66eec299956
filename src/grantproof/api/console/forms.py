"""What a form of a page posts: its fields, and that it was a page of ours that posted it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qs

from fastapi import Depends, Request

from grantproof.api import bodies
from grantproof.api.access import SAFE_METHODS
from grantproof.api.problems import Fault, Problem, Refused, invalid

FORM: Final = "application/x-www-form-urlencoded"
BYTES_MAX: Final = 1_048_576
FIELDS_MAX: Final = 1_000
NO_FORM: Final = Problem("unsupported_media_type", f"a page of ours posts `{FORM}`: use its form")
CROSS_SITE: Final = Problem(
    "cross_site", "the form was not sent by a page of this console: open the page here, try again"
)

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a form; one that was left empty is there, and empty."""

    values: Mapping[str, tuple[str, ...]]

    def text(self, name: str) -> str:
        """Return the text of a field without white space around it; empty when it is not there."""
        given = self.values.get(name, ())
        if len(given) > 1:
            raise Refused(invalid([Fault(name, "must be given once")]))
        return given[0].strip() if given else ""

    def all(self, name: str) -> tuple[str, ...]:
        """Return every text of a field that may be given more than once."""
        return self.values.get(name, ())


async def posted(request: Request) -> Fields:
    """Return what the form has; raises `Refused` for what is no form, or too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise Refused(NO_FORM)
    body = await bodies.read(request.receive, bytes_max=BYTES_MAX)
    try:
        found = parse_qs(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=FIELDS_MAX,
        )
    except ValueError:
        raise Refused(invalid([Fault("form", "must be fields of text in UTF-8")])) from None
    return Fields({name: tuple(values) for name, values in found.items()})


Posted = Annotated[Fields, Depends(posted)]


def check_origin(method: str, headers: RawHeaders, *, public_url: str | None) -> None:
    """Raise `Refused` for a request that changes something and is not from a page of ours.

    Browsers say where a request comes from, and no page can make them say otherwise: in
    `Sec-Fetch-Site` (Fetch Metadata), or, where they do not, in `Origin` (RFC 6454). Without either
    it is refused.
    """
    if method in SAFE_METHODS:
        return
    said = _only(headers, b"sec-fetch-site")
    if said is not None:
        if said != b"same-origin":
            raise Refused(CROSS_SITE)
        return
    origin, host = _only(headers, b"origin"), _only(headers, b"host")
    if origin is None or host is None:
        raise Refused(CROSS_SITE)
    # Compared as it is written, not taken apart: anybody may write what is no address at all.
    ours = {b"http://" + host, b"https://" + host}
    if origin not in ours and origin.decode("latin-1") != public_url:
        raise Refused(CROSS_SITE)


def _only(headers: RawHeaders, name: bytes) -> bytes | None:
    """Return the header if it is there, once; raises `Refused` for one that is there twice."""
    found = [value for each, value in headers if each == name]
    if len(found) > 1:
        raise Refused(CROSS_SITE)
    return found[0] if found else None
