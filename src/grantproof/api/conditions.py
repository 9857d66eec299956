"""On what terms a change is asked for: `Idempotency-Key` and `If-Match`.

A key makes a POST be done once: the same request under the same key gets the same answer, another
one 422, and while the first is still at work 409. `If-Match` names the revisions, as answers show
them in their `ETag`, at which the change may be made; at any other it is 412. An entity's are those
that last changed it, a collection's the organization's.
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Header, Request

from grantproof.api.problems import Fault, Problem, Refused, invalid, later
from grantproof.core.model import (
    Claim,
    Group,
    Guardrail,
    KindDeclaration,
    Principal,
    Resource,
    Role,
    SodSet,
)
from grantproof.service.pap import Stale, Terms
from grantproof.service.receipts import InProgress, KeyReused, Once
from grantproof.service.versions import EntityFact

IDEMPOTENCY_KEY: Final = "Idempotency-Key"
IF_MATCH: Final = "If-Match"
IF_NONE_MATCH: Final = "If-None-Match"
ETAG: Final = "ETag"
ANY: Final = "*"
KEY_TOLD: Final = "on POST: of requests under one key, made within a day, one takes effect"
ONCE: Final = "must be given once"

KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")
TAGS: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e]*"(?:[ \t]*,[ \t]*(?:W/)?"[\x21\x23-\x7e]*")*')
REVISION: Final = re.compile(r'(?<!W/)"(0|[1-9][0-9]{0,17})"')
"""A tag of ours; a weak one never matches (RFC 9110, section 13.1.1)."""
ANY_REVISION: Final = re.compile(r'"(0|[1-9][0-9]{0,17})"')
"""A tag of ours, weak or not: to know whether something is new that is enough (section 13.1.2)."""


@dataclass(frozen=True, slots=True)
class Known:
    """The revisions that a caller has already, or `anything` at all."""

    revisions: frozenset[int] = frozenset()
    anything: bool = False

    def has(self, revision: int) -> bool:
        """Whether the caller has that revision."""
        return self.anything or revision in self.revisions


async def once_of(
    request: Request,
    key: Annotated[
        str | None,
        Header(
            alias=IDEMPOTENCY_KEY,
            description=KEY_TOLD,
            json_schema_extra={"pattern": f"^{KEY.pattern}$"},
        ),
    ] = None,
) -> Once | None:
    """Return what is to be done once, when the request says so; raises `Refused`."""
    if key is None:
        return None
    _check_single(request, IDEMPOTENCY_KEY)
    if request.method != "POST":
        raise _fault(IDEMPOTENCY_KEY, "is for POST: leave the header out, or use `If-Match`")
    parts = (request.url.path.encode(), request.url.query.encode(), await request.body())
    return _once(key, *parts)


def key_of(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Return the key among raw headers, if there is one; raises `Refused` when it is none."""
    keys = [value for name, value in headers if name == IDEMPOTENCY_KEY.lower().encode()]
    if len(keys) > 1:
        raise _fault(IDEMPOTENCY_KEY, ONCE)
    return _checked(keys[0].decode("latin-1")) if keys else None


def once_asked(key: str, *, path: str, query: bytes, body: bytes) -> Once:
    """Return what is to be done once: what was posted to the path, under a checked key."""
    return _once(key, path.encode(), query, body)


def _checked(key: str) -> str:
    if KEY.fullmatch(key) is None:
        raise _fault(IDEMPOTENCY_KEY, "must have 1 to 255 visible ASCII characters")
    return key


def _once(key: str, *parts: bytes) -> Once:
    """Return what is asked in all of the parts; raises `Refused` when the key is none."""
    asked = hashlib.sha256()
    for part in parts:
        asked.update(len(part).to_bytes(8))
        asked.update(part)
    return Once(_checked(key), asked.hexdigest())


async def revisions_of(
    request: Request,
    tags: Annotated[
        str | None,
        Header(
            alias=IF_MATCH,
            description="the `ETag` on which the change is based",
            json_schema_extra={"pattern": rf"^(\*|{TAGS.pattern})$"},
        ),
    ] = None,
) -> frozenset[int] | None:
    """Return the revisions at which the change may be made, nothing for any; raises `Refused`."""
    if tags is None:
        return None
    _check_single(request, IF_MATCH)
    if tags.strip() == ANY:
        return None
    if TAGS.fullmatch(tags.strip()) is None:
        raise _fault(IF_MATCH, 'must be an `ETag` such as "7", or several with commas, or `*`')
    return frozenset(int(revision) for revision in REVISION.findall(tags))


async def known_of(
    request: Request,
    tags: Annotated[
        str | None,
        Header(
            alias=IF_NONE_MATCH,
            description="the `ETag` of what the caller has already",
            json_schema_extra={"pattern": rf"^(\*|{TAGS.pattern})$"},
        ),
    ] = None,
) -> Known:
    """Return what the caller has already; raises `Refused`."""
    if tags is None:
        return Known()
    _check_single(request, IF_NONE_MATCH)
    if tags.strip() == ANY:
        return Known(anything=True)
    if TAGS.fullmatch(tags.strip()) is None:
        raise _fault(IF_NONE_MATCH, 'must be an `ETag` such as "7", or several with commas, or `*`')
    return Known(frozenset(map(int, ANY_REVISION.findall(tags))))


WantedUnlessKnown = Annotated[Known, Depends(known_of)]

NOUNS: Final[Mapping[type[EntityFact], str]] = {
    Principal: "principal",
    Group: "group",
    Role: "role",
    KindDeclaration: "kind",
    Resource: "resource",
    Claim: "claim",
    SodSet: "separation-of-duty set",
    Guardrail: "guardrail",
}

WantedOnce = Annotated[Once | None, Depends(once_of)]


async def terms_of(
    once: WantedOnce, at: Annotated[frozenset[int] | None, Depends(revisions_of)]
) -> Terms:
    """Return the terms of the request."""
    return Terms(once, at)


WantedTerms = Annotated[Terms, Depends(terms_of)]

HONOURED: Final = {IDEMPOTENCY_KEY.lower(): once_of, IF_MATCH.lower(): revisions_of}
"""The headers, and what a route depends on that honours one."""


def unmet(outcome: Stale | KeyReused | InProgress) -> Problem:
    """Return the problem of a change that its terms keep from being made."""
    match outcome:
        case Stale(revision, entity):
            tag = f'"{revision}"'
            now = f"the organization is at revision {revision}, tagged {tag}"
            if entity is not None:
                named = f"{NOUNS[entity.fact]} `{entity.id}`"
                now = f"{named} was last changed at revision {revision}, tagged {tag}"
            detail = f"{now}: read again what you mean to change"
            return Problem("stale", detail, headers=((ETAG, tag),))
        case KeyReused():
            return Problem(
                "idempotency_key_reused",
                "this `Idempotency-Key` was used for another request: choose another key",
            )
        case InProgress():
            return later(
                "idempotency_in_progress",
                "a request under this `Idempotency-Key` is still at work: ask again for its answer",
            )


def _check_single(request: Request, name: str) -> None:
    if len(request.headers.getlist(name)) > 1:
        raise _fault(name, ONCE)


def _fault(name: str, rule: str) -> Refused:
    return Refused(invalid([Fault(name.lower(), rule)]))
