"""The token of a page: where it ended, and of which search it was.

It is no secret, and nothing rests on where it came from: whoever makes one up is shown no more than
by asking from there. What it must be is whole, and of the same search with the same limit.
"""

import base64
import hashlib
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from grantproof.api.authzen.shapes import Page
from grantproof.api.problems import Fault, Problem, Refused, invalid
from grantproof.core.limits import PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX

DIGEST_LENGTH: Final = 32
TOKEN: Final = invalid(
    [Fault("page.token", "must be `next_token` of a page of the same search, as it was told")]
)


class Written(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a token says: the limit, the last that was decided on, and a digest of it all."""

    digest: str
    limit: Annotated[int, Meta(ge=1)]
    after: str


class Place(NamedTuple):
    """From where a page goes on, and how many results were asked for."""

    limit: int
    after: str | None

    @property
    def results_max(self) -> int:
        """How many results the page may have."""
        return min(self.limit, PAGE_ITEMS_MAX)


_read: Final = msgspec.json.Decoder(Written)


def place_of(page: Page | UnsetType, search: Any) -> Place:
    """Return where the page of the search begins; raises `Refused` for a token that is not its own.

    `search` is all that the answer depends on, as JSON may hold it.
    """
    wanted = UNSET if page is UNSET else page.limit
    if page is UNSET or page.token is UNSET:
        return Place(PAGE_ITEMS_DEFAULT if wanted is UNSET else wanted, None)
    try:
        told = _read.decode(base64.b64decode(page.token, altchars=b"-_", validate=True))
    except (ValueError, msgspec.DecodeError, RecursionError):
        raise Refused(TOKEN) from None
    if told.digest != _digest(search, told.limit, told.after):
        raise Refused(TOKEN)
    if wanted is not UNSET and wanted != told.limit:
        raise Refused(_other(told.limit))
    return Place(told.limit, told.after)


def token_of(search: Any, place: Place) -> str:
    """Return what asks for the page that begins there."""
    after = place.after or ""
    written = Written(_digest(search, place.limit, after), place.limit, after)
    return base64.urlsafe_b64encode(msgspec.json.encode(written)).decode("ascii")


def _digest(search: Any, limit: int, after: str) -> str:
    whole = msgspec.json.encode([search, limit, after], order="deterministic")
    return hashlib.sha256(whole).hexdigest()[:DIGEST_LENGTH]


def _other(limit: int) -> Problem:
    return invalid([Fault("page.limit", f"must be as in the page before, {limit}, or left out")])
