"""Requests made of the OpenAPI document, aimed at an organization in which there is much to hit.

Schemathesis draws what the document allows and what it forbids. Ids that mean nothing are mostly
replaced by ids that exist, and half of the bodies are one that is accepted, more or less damaged.
"""

import copy
import itertools
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import jsonschema_rs
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core import NOT_SET
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from grantproof.adapters.clock import SystemClock
from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import ChangeSet
from grantproof.core.identifiers import OrganizationId, PrincipalId, RoleId, SessionId
from grantproof.core.invariants import valid
from grantproof.core.organization import Organization
from grantproof.core.sessions import Session
from grantproof.policyfile.commands_text import read_commands
from grantproof.service.authors import Author
from grantproof.service.callers import WITHIN_ORGANIZATION
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.service.session_store import Writing
from tests.api.furnished import AUTHZEN, BODIES, EXPORTS, FACTS, NAMES, PLACES, SESSIONS
from tests.api.service import ADDRESS, Api, furnish, running

CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
IN_AUTHZEN: Final = "/access/v1/"
"""In the addresses that speak the language of AuthZEN."""
BOUND: Final = ("POST /principals/{principal}/roles", f"POST {IN_AUTHZEN}")
"""What takes the organization from the credential."""
CHANGES_MAX: Final = 3
REQUESTS_MAX: Final = 6
"""After so many accepted changes, or requests since one, the next meets a new organization."""
TERMS: Final = frozenset({"If-Match", "Idempotency-Key"})
SENDABLE: Final = re.compile(r"[!-~\xa1-\xff][ -~\xa1-\xff]*")
"""What a client lets a header be."""
UNROUTED: Final = frozenset({"no_such_route", "method_not_allowed"})
"""What an address is told that is not the operation's, such as one with an empty id."""
SAID_IN_WORDS: Final = re.compile(
    "|".join(
        [
            *["a whole number", "a list of strings for", "between the years", "in whole seconds"],
            *["before `end`", "before `until`", "in the future", "number of different roles"],
            *["IANA name", "printable", "reserved", "must not start with", "registered resource"],
            *["as in the address", "come together", "`next` of the page", "needs `org_id`"],
            *["or `group` is required", "is required, or `claim`", "for a key of one"],
            "must exist in its organization",
            "where `session_id` names",
        ]
    )
)
"""The rules that the document gives in words only: no schema tells 1.0 from 1."""

ODD: Final = st.sampled_from(
    [
        *[
            None,
            True,
            -1,
            0,
            7,
            2**63,
            -(2**70),
            1.5,
            1e300,
            "",
            "x" * 129,
            "a b",
            "é",
            "\x00",
            "*",
        ],
        *[[], {}, [[]], ["a", "a"], {"a": None}, {"path": "principal.id"}],
    ]
)
REQUEST_IDS: Final = st.one_of(
    st.from_regex(r"[A-Za-z0-9._:-]{1,128}", fullmatch=True),
    st.from_regex(r"[aé\x7f!][a \té\x7f]{0,140}", fullmatch=True),
)
NEW_NAMES: Final = st.one_of(
    st.just("new"), st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]{0,30}", fullmatch=True)
)


@dataclass(slots=True)
class Target:
    """The service, and the organization that requests are aimed at."""

    api: Api
    store: MemoryStore
    numbers: Iterator[int] = field(default_factory=itertools.count)
    organization: str = ""
    prefixes: list[str] = field(default_factory=list)
    bound: dict[str, bytes] = field(default_factory=dict)
    """The header of a caller that is bound to the organization."""
    changes: int = 0
    since: int = 0
    """How many requests were made since the first change."""

    def renew(self) -> None:
        """Aim at a new organization."""
        self.organization = f"org-{next(self.numbers)}"
        self.changes = self.since = 0
        self._furnish()
        counted = self.api.post("/evaluate/consume", json={"org_id": self.organization, **EXPORTS})
        assert counted.json()["decision"] == "Allow", counted.text
        for name, whose, role in zip(SESSIONS, ("ann", "ben"), ("head", "clerk"), strict=True):
            self._open_session(name, whose, role)
        self.bound = {"Authorization": b"Bearer " + self._key().encode()}
        self.prefixes = [self._key()[3:15] for _ in range(2)]

    def _furnish(self) -> None:
        """Make it, with all that is in it."""
        furnish(self.store, OrganizationId(self.organization), _facts(), by=Author("fuzz"))

    def _open_session(self, name: str, whose: str, role: str) -> None:
        here, now = OrganizationId(self.organization), SystemClock().now()
        roles = frozenset({RoleId(role)})
        session = Session(SessionId(name), PrincipalId(whose), roles, now, now + 3_600, "fuzz")
        opened = self.store.sessions.open(here, session, revision=1, most=1)
        assert opened is Writing.DONE

    def _key(self) -> str:
        wanted = KeyRequest(OrganizationId(self.organization), None, WITHIN_ORGANIZATION)
        made = running(self.api).services.keyring.create(wanted, by=Author("fuzz"))
        assert isinstance(made, NewKey), made
        return made.text

    def changed(self, method: str, *, accepted: bool) -> None:
        """Aim at a new organization when enough of this one was changed, or part of it is gone."""
        self.changes += accepted and method != "get"
        self.since += self.changes > 0
        if self.changes >= (1 if method == "delete" else CHANGES_MAX) or self.since > REQUESTS_MAX:
            self.check()
            self.renew()

    def state(self) -> Organization | None:
        """The organization, if it is still there."""
        return self.store.load(OrganizationId(self.organization))

    def check(self) -> None:
        """The organization, if it is still there, is valid."""
        state = self.state()
        assert state is None or valid(state) == ()


Operation = APIOperation[Any, Any, Any, Any]
Request = Case[Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A request: what it does to which operation, and the headers that it has of its own."""

    case: Request
    body: bytes | None
    as_allowed: bool
    """Whether the address and the query are such as the document allows."""
    headers: dict[str, bytes]


@cache
def _facts() -> ChangeSet:
    """All that is in the organization: read once, as reading takes longer than making it."""
    return ChangeSet(read_commands(json.dumps(FACTS)).commands)


def drawn(operation: Operation, target: Target) -> st.SearchStrategy[Drawn]:
    """Requests to the operation."""
    modes = [
        operation.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    if len(operation.body) == len(operation.path_parameters) == len(operation.query) == 0:
        modes = modes[:1]

    @st.composite
    def one(draw: Draw) -> Drawn:
        mode = draw(st.integers(0, len(modes) - 1))
        case = draw(modes[mode])
        _aim(draw, case, target)
        body = None
        if len(operation.body) > 0:
            case.body = _reached(_body(draw, case, target))
            body = _written(case.body)
        case.headers = _terms(draw, case)
        return Drawn(case, body, mode < 2, {"X-Request-ID": draw(REQUEST_IDS).encode("latin-1")})

    return one()


def _written(body: Any) -> bytes | None:
    """The body as it is sent; what the document forbids may be no JSON at all."""
    if body is NOT_SET:
        return None
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def _likely(draw: Draw, tenths: int = 7) -> bool:
    return bool(draw(st.integers(0, 9)) < tenths)


def _aim(draw: Draw, case: Request, target: Target) -> None:
    """Let the address and the query name what exists, mostly."""
    known = {**NAMES, "org": [target.organization], "prefix": target.prefixes}
    path = dict(case.path_parameters or {})
    for name in path:
        if _likely(draw, 9 if name == "org" else 7):
            path[name] = draw(st.sampled_from(known[name]))
    query = dict(case.query or {})
    places = PLACES.get(case.operation.label)
    if places is not None and _likely(draw):
        place = draw(st.sampled_from(places))
        path = {name: place.get(name, value) for name, value in path.items()}
        query = {name: value for name, value in place.items() if name not in path}
    else:
        for name in query:
            if name in known and _likely(draw):
                query[name] = draw(st.sampled_from(known[name]))
    # Nobody waits here for what does not come.
    case.path_parameters = path
    case.query = {name: 0 if name == "wait" else value for name, value in query.items()}


def _terms(draw: Draw, case: Request) -> dict[str, str]:
    """On what terms a change is asked for: mostly none, sometimes such as hold."""
    terms: dict[str, str] = {}
    for name in TERMS & set(case.headers or {}):
        text = str(case.headers[name])
        if name == "If-Match" and _likely(draw, 5):
            text = draw(st.sampled_from(['"0"', '"1"', '"2"']))
        if _likely(draw, 3) and SENDABLE.fullmatch(text) is not None:
            terms[name] = text
    return terms


def _reached(body: Any) -> Any:
    """The body, asking for no revision that is still to come: that is 503 by design."""
    if isinstance(body, dict) and isinstance(body.get("at_least_revision"), int):
        return {**body, "at_least_revision": min(body["at_least_revision"], 1)}
    return body


def _body(draw: Draw, case: Request, target: Target) -> Any:
    """A body that is accepted, more or less damaged; or what the document makes, well aimed."""
    if _likely(draw, 3):
        return _pointed(draw, case.body, target)
    label = case.operation.label
    bodies = AUTHZEN[label.rpartition("/v1/")[2]] if IN_AUTHZEN in label else BODIES[label]
    body = copy.deepcopy(draw(st.sampled_from(bodies)))
    if case.path.startswith(("/evaluate", "/explain", "/what-if")) or label == "POST /v1/keys":
        body["org_id"] = target.organization
    body = _renamed(body, draw(NEW_NAMES))
    if label.startswith("PUT"):
        case.path_parameters["sod_set"] = body["id"]
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 2]))):
        body = _damaged(draw, body)
    return body


def _pointed(draw: Draw, part: Any, target: Target, names: tuple[str, ...] = ()) -> Any:
    """The part, with ids that exist in most places of ids; `names` are those that fit it."""
    if isinstance(part, dict):
        return {
            key: target.organization
            if key == "org_id" and _likely(draw, 9)
            else _pointed(draw, member, target, tuple(NAMES.get(key, ())))
            for key, member in part.items()
        }
    if isinstance(part, list):
        return [_pointed(draw, member, target, names) for member in part]
    if isinstance(part, str) and names and _likely(draw):
        return draw(st.sampled_from(names))
    return part


def _renamed(part: Any, name: str) -> Any:
    """The part, in which `new` has another name."""
    if isinstance(part, dict):
        return {key: _renamed(member, name) for key, member in part.items()}
    if isinstance(part, list):
        return [_renamed(member, name) for member in part]
    return name if part == "new" else part


def _damaged(draw: Draw, part: Any) -> Any:
    """The part, wrong in one place: something missing, added, twice, or of another sort."""
    if isinstance(part, list) and part and _likely(draw, 9):
        position = draw(st.integers(0, len(part) - 1))
        rest = [_damaged(draw, part[position])] if _likely(draw) else [part[position]] * 2
        return [*part[:position], *rest, *part[position + 1 :]]
    if isinstance(part, dict) and part and _likely(draw, 9):
        key = draw(st.sampled_from(sorted(part)))
        how = draw(st.sampled_from(["inside", "inside", "inside", "missing", "added"]))
        if how == "missing":
            return {name: member for name, member in part.items() if name != key}
        if how == "added":
            return {**part, draw(st.sampled_from(["x", "id", "org_id", key + "_"])): draw(ODD)}
        return {**part, key: _damaged(draw, part[key])}
    return draw(ODD)


def drawing(count: int) -> settings:
    """How so many requests are drawn: each on its own, for an organization changes between them."""
    return settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


@dataclass(slots=True)
class Judge:
    """Sends requests to one operation, and holds the answers against what is said of them."""

    operation: Operation
    target: Target
    wanted: jsonschema_rs.Validator | None
    """What the document says of the body."""
    changing: bool = True
    """Whether changes are expected, and a new organization after them."""
    statuses: Counter[int] = field(default_factory=Counter)

    def ask(self, count: int) -> None:
        """Send so many requests."""
        self._each(count, self.send)

    def draw(self, count: int) -> list[Drawn]:
        """So many requests, to be sent by whomever: they do not hang on what is answered."""
        found: list[Drawn] = []
        self._each(count, found.append)
        return found

    def _each(self, count: int, take: Callable[[Drawn], None]) -> None:
        @seed(zlib.crc32(self.operation.label.encode()))
        @drawing(count)
        @given(drawn(self.operation, self.target))
        def each(one: Drawn) -> None:
            take(one)

        each()

    def send(self, one: Drawn) -> None:
        """Send it; the answer is as documented."""
        case, target = one.case, self.target
        sent = case.as_transport_kwargs(base_url=ADDRESS)
        headers = {name: text.encode("latin-1") for name, text in case.headers.items()}
        headers.update(one.headers)
        if one.body is not None:
            headers["Content-Type"] = b"application/json"
        if self.operation.label.startswith(BOUND):
            headers.update(target.bound)
        response = target.api.request(
            sent["method"],
            sent["url"],
            params=sent["params"],
            headers=headers,
            content=one.body,
        )
        self.statuses[response.status_code] += 1
        try:
            self._check(one, response)
        except Exception as error:
            told = f"{response.request.method} {response.request.url} {one.body!r}"
            error.add_note(f"{told}\n{response.status_code} {response.text}")
            raise
        if self.changing:
            target.changed(self.operation.method, accepted=response.is_success)

    def _check(self, one: Drawn, response: Response) -> None:
        assert response.headers["x-request-id"] != ""
        is_plain = IN_AUTHZEN in self.operation.label
        if is_plain and response.status_code >= 400:
            assert response.headers["content-type"] == "text/plain; charset=utf-8"
            assert response.text.isprintable()
            assert response.text != ""
        told = response.json() if response.status_code >= 400 and not is_plain else {}
        if response.status_code >= 400 and not is_plain:
            assert response.headers["content-type"] == "application/problem+json"
            assert (told["status"], told["error"]) == (response.status_code, told["detail"])
        if told.get("code") in UNROUTED:
            return
        one.case.validate_response(response, checks=CHECKS)
        if response.is_success and self.wanted is not None:
            assert one.body is not None
            self.wanted.validate(json.loads(one.body))
        if told.get("code") == "invalid" and one.as_allowed and self._allows(one.body):
            rules = [fault["rule"] for fault in told["errors"]]
            assert [rule for rule in rules if SAID_IN_WORDS.search(rule) is None] == []

    def _allows(self, body: bytes | None) -> bool:
        return self.wanted is None or (body is not None and self.wanted.is_valid(json.loads(body)))
