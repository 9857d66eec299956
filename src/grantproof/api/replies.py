"""Answers that went well: documents, pages of them, and nothing.

Each names a revision as its `ETag`: an entity's is the one that last changed it, a collection's
the organization's.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar, cast
from urllib.parse import quote, urlencode

import msgspec
from fastapi import Depends, Query, Response
from pydantic import BaseModel

from grantproof.api.conditions import ETAG
from grantproof.api.problems import Fault, Refused, invalid
from grantproof.core.limits import PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX
from grantproof.service import review

JSON: Final = "application/json"
SEPARATOR: Final = ","
"""Between the ids of a cursor; no id holds one."""
CURSOR_LENGTH_MAX: Final = 1_024
CURSOR: Final = invalid([Fault("after", "must be `next` of the page before")])

Key = TypeVar("Key")
Name = TypeVar("Name", bound=str)
Pair = TypeVar("Pair", bound=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Paging:
    """At most `limit` items, after the one that the last page ended with."""

    limit: int
    after: str | None


async def paging(
    limit: Annotated[
        int, Query(ge=1, le=PAGE_ITEMS_MAX, description="at most so many items")
    ] = PAGE_ITEMS_DEFAULT,
    after: Annotated[
        str | None, Query(max_length=CURSOR_LENGTH_MAX, description="`next` of the page before")
    ] = None,
) -> Paging:
    """Return which page is wanted."""
    return Paging(limit, after)


WantedPage = Annotated[Paging, Depends(paging)]


def cursor(wanted: Paging, kind: Callable[[str], Key]) -> Key | None:
    """Return what the last page ended with, read by `kind`, which raises ValueError for no such.

    Raises `Refused` for that.
    """
    if not wanted.after:
        return None
    try:
        return kind(wanted.after)
    except ValueError:
        raise Refused(CURSOR) from None


def shown(document: BaseModel, revision: int) -> Response:
    """Return a document."""
    return _reply(200, document.model_dump_json(), revision)


def told(answer: dict[str, Any]) -> Response:
    """Return an answer that is written already, and names its `revision`."""
    return _reply(200, msgspec.json.encode(answer), answer["revision"])


def created(document: BaseModel, revision: int, *, location: str) -> Response:
    """Return a document that is new, at `location`."""
    reply = _reply(201, document.model_dump_json(), revision)
    reply.headers["Location"] = location
    return reply


def gone(revision: int) -> Response:
    """Return nothing, after a deletion."""
    return Response(status_code=204, headers={ETAG: etag(revision)})


def page(
    names: Iterable[Name], wanted: Paging, *, write: Callable[[Name], BaseModel], revision: int
) -> Response:
    """Return the wanted page of what `write` makes of the names, in the order of the names."""
    keys: Iterable[str] = names
    found = review.page(keys, after=wanted.after, limit=wanted.limit)
    items = [write(cast("Name", name)) for name in found.keys]
    return paged(items, revision, next_after=found.more_after)


def page_of_pairs(
    pairs: Iterable[Pair], wanted: Paging, *, write: Callable[[Pair], BaseModel], revision: int
) -> Response:
    """Return the wanted page of what several ids name together, in the order of the first."""
    after = None if wanted.after is None else tuple(wanted.after.split(SEPARATOR))
    keys: Iterable[tuple[str, ...]] = pairs
    found = review.page(keys, after=after, limit=wanted.limit)
    items = [write(cast("Pair", pair)) for pair in found.keys]
    end = None if found.more_after is None else SEPARATOR.join(found.more_after)
    return paged(items, revision, next_after=end)


def paged(items: list[BaseModel], revision: int, *, next_after: str | None) -> Response:
    """Return a page of documents; `next_after` asks for the next one."""
    written = [msgspec.Raw(item.model_dump_json().encode()) for item in items]
    return told_page(written, revision, next_after=next_after)


def told_page(items: Sequence[object], revision: int, *, next_after: str | None) -> Response:
    """Return a page of documents that are written already."""
    # An id is a subclass of `str`, which the encoder does not take for one.
    end = None if next_after is None else str(next_after)
    whole = {"items": items, "next": end, "revision": revision}
    return _reply(200, msgspec.json.encode(whole), revision)


def path(*segments: str, **query: str) -> str:
    """Return the address of an entity; a resource id keeps its slashes."""
    address = "/v1/orgs/" + "/".join(quote(segment, safe="/:@+=~$") for segment in segments)
    return f"{address}?{urlencode(query)}" if query else address


def _reply(status: int, body: str | bytes, revision: int) -> Response:
    return Response(body, status, headers={ETAG: etag(revision)}, media_type=JSON)


def etag(revision: int) -> str:
    """Return the tag of what was last changed at a revision."""
    return f'"{revision}"'
