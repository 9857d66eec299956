"""Our server beside the floor's: one process each, loopback, the same client, runs in turn.

On a machine of few cores the client takes its share, so beside requests a second stands what the
server itself used of the processor: that ratio does not depend on the client.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from time import perf_counter
from typing import Final

import msgspec

from bench.floor_app import SIZE_VARIABLE
from bench.http_client import Exchange, post_all
from bench.measure import Latency, Rates, ratio, summed_up
from bench.servers import Server, serving
from bench.workload import ORGANIZATION, Size, Workload, organization, workload
from grantproof.bootstrap import compose
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import (
    AddParent,
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    SingleCommand,
)
from grantproof.core.model import (
    Assignment,
    Claim,
    Fact,
    Inheritance,
    KindDeclaration,
    Principal,
    Resource,
    Role,
)
from grantproof.core.organization import facts
from grantproof.service.authors import Author
from grantproof.service.callers import Scope
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.settings import Settings

FLOOR: Final = "floor"
OURS: Final = "grantproof"
MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Route:
    """How questions are asked: `items` a request, over so many connections at a time.

    A run asks them all `repeats` times: long enough for the clock that counts processor time.
    """

    path: str
    items: int
    connections: int
    repeats: int


ROUTES: Final = (
    Route("/evaluate", 1, connections=32, repeats=1),
    Route("/evaluate/batch", 1_000, connections=2, repeats=5),
)


@dataclass(frozen=True, slots=True)
class Served:
    """One server on one route: decisions a second, processor time a decision, latency a request.

    `ratio` and `cpu_ratio` are to the floor in the same run: more is better in both.
    """

    rates: Rates
    ratio: float
    cpu_microseconds: float | None
    cpu_ratio: float | None
    latency: Latency


@dataclass(frozen=True, slots=True)
class HttpComparison:
    """What the servers did on one workload and route; and how long our import took."""

    size: str
    route: Route
    import_seconds: float
    servers: dict[str, Served]


@dataclass(slots=True)
class _Series:
    rates: list[float] = field(default_factory=list)
    cpu_microseconds: list[float] = field(default_factory=list)
    nanoseconds: list[int] = field(default_factory=list)


class WrongAnswer(Exception):
    """A server answers otherwise than expected: its speed means nothing."""


class _Decision(msgspec.Struct):
    decision: str


class _Decisions(msgspec.Struct):
    items: list[_Decision]


def compare_http(size: Size, *, count: int, runs: int) -> list[HttpComparison]:
    """Measure every route with `count` questions a run, with constraints."""
    load = workload(size, constrained=True, count=count)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        import_seconds = _import(load, url)
        with _both(size, url, credential=new_key(url)) as servers:
            return [
                HttpComparison(size.name, route, import_seconds, served)
                for route in ROUTES
                for served in (_measure(servers, route, load, runs=runs),)
            ]


@contextmanager
def _both(size: Size, url: str, *, credential: str) -> Iterator[dict[str, Server]]:
    settings = {"GRANTPROOF_DATABASE_URL": url}
    with (
        serving("bench.floor_app:create_app", {SIZE_VARIABLE: size.name}) as floor,
        serving("grantproof.api.app:create_app", settings, credential=credential) as ours,
    ):
        yield {FLOOR: floor, OURS: ours}


def _measure(
    servers: dict[str, Server], route: Route, load: Workload, *, runs: int
) -> dict[str, Served]:
    bodies = bodies_of(load, route)
    for name, server in servers.items():
        answers = _posted(server, route, bodies)
        _check(name, load, answers.bodies)
    repeated = bodies * route.repeats
    taken = {name: _Series() for name in servers}
    names = list(servers)
    for run in range(runs):
        first = run % len(names)
        for name in names[first:] + names[:first]:
            _run(servers[name], route, repeated, into=taken[name])
    return {name: _served(taken, name) for name in servers}


def _posted(server: Server, route: Route, bodies: list[bytes]) -> Exchange:
    return post_all(
        server.port,
        route.path,
        bodies,
        connections=route.connections,
        credential=server.credential,
    )


def _run(server: Server, route: Route, bodies: list[bytes], *, into: _Series) -> None:
    used_before = server.cpu_seconds()
    exchange = _posted(server, route, bodies)
    used_after = server.cpu_seconds()
    decisions = len(bodies) * route.items
    into.rates.append(decisions / exchange.seconds)
    into.nanoseconds.extend(exchange.nanoseconds)
    if used_before is not None and used_after is not None:
        into.cpu_microseconds.append((used_after - used_before) * MICROSECONDS / decisions)


def _served(taken: dict[str, _Series], name: str) -> Served:
    mine, floor = taken[name], taken[FLOOR]
    rates = {each: Rates(tuple(series.rates)) for each, series in taken.items()}
    used, used_by_floor = mine.cpu_microseconds, floor.cpu_microseconds
    return Served(
        rates[name],
        ratio(rates, name, over=FLOOR).median,
        mean(used) if used else None,
        sum(used_by_floor) / sum(used) if sum(used) > 0 else None,
        summed_up(mine.nanoseconds),
    )


def bodies_of(load: Workload, route: Route) -> list[bytes]:
    """Return the requests that ask the questions of the workload there."""
    organization_field = {"org_id": str(ORGANIZATION)}
    items = [
        {
            "principal_id": question.principal,
            "action": question.action,
            "resource_id": question.resource,
            "hour": question.hour,
            "region": question.region,
            "usage": question.usage,
        }
        for question in load.questions
    ]
    if route.items == 1:
        return [msgspec.json.encode({**organization_field, **item}) for item in items]
    return [
        msgspec.json.encode({**organization_field, "items": items[at : at + route.items]})
        for at in range(0, len(items), route.items)
    ]


def _check(name: str, load: Workload, bodies: list[bytes]) -> None:
    answers = [decision.decision == "Allow" for body in bodies for decision in _decisions_in(body)]
    for question, answer, expected in zip(load.questions, answers, load.expected, strict=True):
        if answer != expected:
            message = f"{name} answers {answer} to {question}"
            raise WrongAnswer(message)


def _decisions_in(body: bytes) -> list[_Decision]:
    if b'"items"' in body:
        return msgspec.json.decode(body, type=_Decisions).items
    return [msgspec.json.decode(body, type=_Decision)]


def _import(load: Workload, url: str) -> float:
    """Import the organization as one change set, and return the seconds that it took."""
    change = ChangeSet(tuple(command_of(fact) for fact in facts(organization(load.tables))))
    services = compose(Settings(database_url=url))
    started = perf_counter()
    services.administration.found(ORGANIZATION, time_zone="UTC", by=Author("bench"))
    outcome = services.administration.propose(ORGANIZATION, change, by=Author("bench"))
    seconds = perf_counter() - started
    services.close()
    if not isinstance(outcome, Accepted):
        raise TypeError(outcome)
    return seconds


def new_key(url: str) -> str:
    """Return a new key to the database, of an enforcement point of all its organizations."""
    wanted = KeyRequest(None, None, frozenset({Scope.EVALUATE, Scope.TRUSTED_CONTEXT}))
    with closing(compose(Settings(database_url=url))) as services:
        made = services.keyring.create(wanted, by=Author("bench"))
    if not isinstance(made, NewKey):
        raise TypeError(made)
    return made.text


def command_of(fact: Fact) -> SingleCommand:
    """Return the command that makes the fact; raises TypeError for one that no workload has."""
    match fact:
        case KindDeclaration(kind):
            return CreateKind(kind)
        case Resource():
            return CreateResource(fact)
        case Role(role):
            return CreateRole(role)
        case Inheritance(role, parent):
            return AddParent(role, parent)
        case Claim():
            return CreateClaim(fact)
        case Principal(principal):
            return CreatePrincipal(principal)
        case Assignment(principal, role, validity):
            return AssignRole(principal, role, validity)
        case _:
            message = f"the workload has no {type(fact).__name__}"
            raise TypeError(message)
