"""Hostile requests without end, out of a corpus: requests made of the document, and by hand.

Drawing from the OpenAPI document is slow. So a corpus is drawn once, by the tests of the document,
and then damaged at random: bodies, addresses, methods, headers. Where a request ends stays clear.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Final

from tests.api.furnished import BODIES, READS
from tests.api.test_hostile import BODIES_AT_FAULT, HEADERS_AT_FAULT, LOOK_ALIKES, quoted
from tests.survival.pipelined import Request

AIM: Final = "org-0"
"""How the organization is called that the requests of a corpus are aimed at."""
DRAWN: Final = re.compile(rb"\borg-[0-9]+\b")
"""How those are called that they were drawn for."""

WAVE: Final = 400
"""So many requests are aimed at one organization, of which less and less is left."""

UNSEEN: Final = b'\x00\x7f\xff{}[]",:\\u0e+-'
JSON_TYPE: Final = (b"Content-Type", b"application/json")
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND")

SEGMENTS: Final = (
    *(quoted(alike) for alike in LOOK_ALIKES.values()),
    *("", ".", "..", "*", "%00", "%ff", "%", "%2F", "%252e", "~", "a/b", "principal:ann"),
)
"""What stands in an address in the place of a name."""

QUERIES: Final = (
    *("x%00=1", "%ff=%fe", "limit=%D9%A3", "limit=" + "9" * 5_000, "limit=1&limit=2", "limit=0"),
    *("after=%00", "after=" + "z" * 2_000, "principal=ann&role=%", "&&==", "?", "action=*"),
)

HEADERS: Final[tuple[tuple[bytes, bytes], ...]] = (
    *((name.encode(), value) for one in HEADERS_AT_FAULT.values() for name, value in one.items()),
    (b"Authorization", b"Bearer gp_\x80\x81\x82" + b"a" * 60),
    (b"Authorization", b"Bearer a.b.c"),
    (b"Authorization", b"Basic \xff\xfe"),
    (b"Authorization", b"Bearer " + b"x" * 20_000),
    (b"If-Match", b'"1"'),
    (b"If-Match", b'W/"\xff", *'),
    (b"If-Match", b'"' + b"9" * 5_000 + b'"'),
    (b"Idempotency-Key", b"again"),
    (b"Idempotency-Key", b"\x80" * 300),
    (b"X-Request-ID", b"no id\xff"),
    (b"X-Request-ID", b"x" * 10_000),
    (b"X-Forwarded-For", b"10.0.0.1, \xff"),
    (b"Content-Encoding", b"gzip"),
    (b"Expect", b"100-continue"),
    (b"Expect", b"nothing"),
    (b"Range", b"bytes=0-,0-,0-"),
    (b"Accept-Encoding", b"*;q=" + b"9" * 1_000),
    (b"Host", b"elsewhere"),
    (b"X-" + b"a" * 8_000, b"b" * 8_000),
)

REVISION_WANTED: Final = re.compile(rb'"at_least_revision"\s*:\s*[^,}]*')
WAIT_WANTED: Final = re.compile(r"\bwait=[^&]*")


def spoilt(text: bytes, draw: random.Random) -> bytes:
    """A body that was right, a few bytes of it turned over, left out or written again."""
    found = bytearray(text)
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(found) + 1)
        match draw.randrange(3):
            case 0:
                found[place:place] = bytes([draw.choice(UNSEEN)])
            case 1:
                del found[place : place + draw.randint(1, 8)]
            case _:
                found[place:place] = found[place : place + draw.randint(1, 8)] * draw.randint(1, 3)
    return bytes(found)


def by_hand(draw: random.Random) -> Iterator[Request]:
    """Bombs, look-alikes in every place, bodies that were right."""
    here = f"/v1/orgs/{AIM}"
    posts = [label.replace("{org}", AIM).split() for label in BODIES]
    names = {
        "principal": "ann",
        "resource": "docs",
        "role": "clerk",
        "session": "s-ann",
        "sod_set": "pair",
    }
    addressed = [
        (method, re.sub(r"{(\w+)}", lambda found: names[found[1]], path)) for method, path in posts
    ]
    bodies = list(BODIES.values())
    kinds = ("principals", "groups", "roles", "kinds")
    for number in count():
        which = number % len(addressed)
        method, path = addressed[which]
        if number % 10 == 0:
            yield _posted(method, path, draw.choice(list(BODIES_AT_FAULT.values())))
        elif number % 10 < 4:
            alike = draw.choice(list(LOOK_ALIKES.values()))
            place = f"{here}/{draw.choice(kinds)}"
            yield _posted("POST", place, json.dumps({"id": alike}).encode())
            yield Request(draw.choice(("GET", "DELETE")), f"{place}/{quoted(alike)}")
            question = {**READS, "org_id": AIM, "principal_id": alike}
            yield _posted("POST", "/evaluate", json.dumps(question).encode())
        else:
            body = draw.choice(bodies[which])
            written = json.dumps({**body, "org_id": AIM}).encode()
            yield _posted(method, path, spoilt(written, draw))


def _posted(method: str, path: str, body: bytes) -> Request:
    return Request(method, path, (JSON_TYPE,), body)


@dataclass(frozen=True, slots=True)
class Attack:
    """Damaged requests of a corpus, and by hand, in turn; `key` is that of the attacker."""

    name: str
    """No other attack has it: the names of the organizations and of the requests begin with it."""
    corpus: Sequence[Request]
    key: str

    def waves(self) -> Iterator[tuple[str, Iterator[Request]]]:
        """An organization that must be made, and the requests at it; then another, without end."""
        draw = random.Random(self.name)
        hands = by_hand(draw)
        for wave in count():
            organization = f"attacked-{self.name}-{wave}"
            yield organization, self._requests(organization, hands, draw)

    def _requests(
        self, organization: str, hands: Iterator[Request], draw: random.Random
    ) -> Iterator[Request]:
        for number in range(WAVE):
            one = next(hands) if number % 2 == 0 else self._damaged(draw.choice(self.corpus), draw)
            yield self._aimed(one, organization, f"{organization}-{number}".encode())

    def _damaged(self, one: Request, draw: random.Random) -> Request:
        found = one
        for _ in range(draw.choice((0, 1, 1, 1, 2, 3))):
            match draw.randrange(8):
                case 0:
                    found = replace(found, method=draw.choice(METHODS))
                case 1:
                    found = replace(found, path=_readdressed(found.path, draw))
                case 2:
                    more = "&" if "?" in found.path else "?"
                    found = replace(found, path=f"{found.path}{more}{draw.choice(QUERIES)}")
                case 3:
                    # In front: of a header given twice the first counts.
                    found = replace(found, headers=(draw.choice(HEADERS), *found.headers))
                case 4:
                    found = replace(found, body=draw.choice(self.corpus).body)
                case 5:
                    found = replace(found, is_chunked=not found.is_chunked)
                case _:
                    found = replace(found, body=spoilt(found.body or b"{}", draw))
        return found

    def _aimed(self, one: Request, organization: str, request_id: bytes) -> Request:
        """The request, at the organization, waiting for nothing that is to come."""
        path = WAIT_WANTED.sub("wait=0", one.path.replace(AIM, organization))
        body = one.body
        if body is not None:
            body = body.replace(AIM.encode(), organization.encode())
            body = REVISION_WANTED.sub(b'"at_least_revision":1', body)
        headers = one.headers
        named = {name for name, _ in headers}
        if b"Authorization" not in named:
            headers = (*headers, (b"Authorization", b"Bearer " + self.key.encode()))
        if b"X-Request-ID" not in named:
            headers = (*headers, (b"X-Request-ID", request_id))
        return replace(one, path=path, body=body, headers=headers)


def _readdressed(path: str, draw: random.Random) -> str:
    """The address, one part of it in another way."""
    before, _, query = path.partition("?")
    parts = before.split("/")
    parts[draw.randrange(1, len(parts))] = draw.choice(SEGMENTS)
    return "/".join(parts) + (f"?{query}" if query else "")


def recorded(method: str, path: bytes, headers: Mapping[str, bytes], body: bytes) -> Request:
    """A request of the corpus, with the terms and the type that it had."""
    kept = ("Content-Type", "If-Match", "Idempotency-Key")
    return Request(
        method,
        DRAWN.sub(AIM.encode(), path).decode("ascii"),
        tuple((name.encode(), headers[name]) for name in kept if name in headers),
        DRAWN.sub(AIM.encode(), body) if body else None,
    )
