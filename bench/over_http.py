"""Our server beside the floor's: one process each, loopback, the same client, runs in turn.

On a machine of few cores the client takes its share, so beside requests a second stands what the
server itself used of the processor: that ratio does not depend on the client.
"""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, cycle, islice
from pathlib import Path
from statistics import mean, median
from time import perf_counter
from typing import Final

import msgspec

from bench.floor_app import PLAIN_VARIABLE, SIZE_VARIABLE
from bench.http_client import Exchange, Unexpected, post_all
from bench.measure import Latency, Rates, Ratio, ratio, summed_up
from bench.mined import workload_named
from bench.open_loop import post_on_schedule
from bench.peers.libraries import DISAGREES, About
from bench.peers.running import RunningPeer, peer_servers
from bench.peers.served.shape import Asking
from bench.servers import Server, serving, serving_ours
from bench.workload import ORGANIZATION, Workload, organization
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
LOGGED: Final = "grantproof, log"
"""With the decision log, which has an entry for every decision."""
ENFORCING: Final = frozenset({Scope.EVALUATE, Scope.TRUSTED_CONTEXT})
"""The scopes of an enforcement point."""
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


RUN_SECONDS_MAX: Final = 3.0
"""So long may one run take: a slower server gets fewer of the questions, the first ones."""

PROBE_REQUESTS: Final = 100
REASON_MAX: Final = 300
HALF_LOAD: Final = 0.5


@dataclass(frozen=True, slots=True)
class Steady:
    """Latency from when each request was due, at half of the throughput: of all, and by run."""

    per_second: float
    latency: Latency
    runs: tuple[Latency, ...]


@dataclass(frozen=True, slots=True)
class Served:
    """One server on one route: decisions a second, processor time a decision, latency a request.

    `ratio` and `cpu_ratio` are to the floor in the same run, more is better in both. `behind` and
    `cpu_behind` say how many times better ours is.
    """

    rates: Rates
    ratio: Ratio
    behind: Ratio
    cpu_microseconds: float | None
    cpu_ratio: float | None
    cpu_behind: float | None
    latency: Latency
    steady: Steady | None
    questions: int


@dataclass(frozen=True, slots=True)
class HttpComparison:
    """What the servers did on one workload and route; and how long our import took.

    Peers that were not compared are absent, with the reason.
    """

    size: str
    constrained: bool
    route: Route
    import_seconds: float
    servers: dict[str, Served]
    peers: dict[str, About]
    absent: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Party:
    """A server, the requests that it is asked in one run, and how its answers are read."""

    server: Server
    asking: Asking
    read: Callable[[bytes], list[bool]]
    repeats: int
    connections: int
    bodies: list[bytes] = field(default_factory=list)
    """Those of the requests that one run asks; what is left of them is asked of nobody."""

    def post(self, bodies: list[bytes]) -> Exchange:
        """Ask as a client does that waits for its answers."""
        return post_all(
            self.server.port,
            self.asking.path,
            bodies,
            connections=min(self.connections, len(bodies)),
            credential=self.server.credential,
        )


@dataclass(slots=True)
class _Series:
    rates: list[float] = field(default_factory=list)
    cpu_microseconds: list[float] = field(default_factory=list)
    nanoseconds: list[int] = field(default_factory=list)
    steady: list[list[int]] = field(default_factory=list)


class WrongAnswer(Exception):
    """A server answers otherwise than expected: its speed means nothing."""


class _Decision(msgspec.Struct):
    decision: str


class _Decisions(msgspec.Struct):
    items: list[_Decision]


@dataclass(frozen=True, slots=True)
class HttpEffort:
    """How many questions a run asks, how many runs there are, and seconds of steady load a run."""

    questions: int
    runs: int
    steady_seconds: float


def compare_http(
    name: str, effort: HttpEffort, *, constrained: bool, peers: bool = False
) -> list[HttpComparison]:
    """Measure every route on one workload, once all servers answer as expected."""
    load = workload_named(name, constrained=constrained, count=effort.questions)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        import_seconds = _import(load, url)
        folder_of_log = Path(folder) / "decisions"
        servers = running.enter_context(_all(load, url, folder_of_log))
        others: dict[str, RunningPeer] = {}
        absent: dict[str, str] = {}
        if peers:
            others, absent = running.enter_context(peer_servers(load))
        about = {each: peer.about for each, peer in others.items()}
        return [
            HttpComparison(
                name, constrained, route, import_seconds, served, about, absent | left_out
            )
            for route in ROUTES
            for parties, left_out in (_agreeing(servers, others, load=load, route=route),)
            for served in (_measure(parties, effort, steady=route.items == 1),)
        ]


@contextmanager
def _all(load: Workload, url: str, folder: Path) -> Iterator[dict[str, Server]]:
    """Serve the floor, and ourselves twice on the same database: without a decision log and with.

    The log is kept in the folder.
    """
    settings = {"GRANTPROOF_DATABASE_URL": url}
    logged, credential = {"GRANTPROOF_DECISION_LOG": str(folder)}, new_key(url)
    asked = {SIZE_VARIABLE: load.tables.size.name}
    if not load.constrained:
        asked[PLAIN_VARIABLE] = "1"
    with (
        serving("bench.floor_app:create_app", asked) as floor,
        serving_ours(settings, credential=credential) as ours,
        serving_ours({**settings, **logged}, credential=credential) as ours_logged,
    ):
        yield {FLOOR: floor, OURS: ours, LOGGED: ours_logged}


def _parties(
    servers: dict[str, Server], others: dict[str, RunningPeer], *, load: Workload, route: Route
) -> tuple[dict[str, _Party], dict[str, str]]:
    """Return who takes part on the route, and who has nothing like it."""
    asking = Asking(route.path, route.items, bodies_of(load, route))
    read = _allowed_in
    parties = {
        name: _Party(server, asking, read, route.repeats, route.connections)
        for name, server in servers.items()
    }
    left_out: dict[str, str] = {}
    for name, peer in others.items():
        theirs = peer.served.asking(load) if route.items == 1 else peer.served.batches(load)
        if theirs is None:
            left_out[name] = "it takes no batch of questions of several principals"
            continue
        parties[name] = _Party(
            peer.server, theirs, peer.served.answers, route.repeats, route.connections
        )
    return parties, left_out


def _agreeing(
    servers: dict[str, Server], others: dict[str, RunningPeer], *, load: Workload, route: Route
) -> tuple[dict[str, _Party], dict[str, str]]:
    """Return who takes part and answers as expected, and why others do not.

    Raises `WrongAnswer` if it is one of our own servers that answers otherwise.
    """
    parties, left_out = _parties(servers, others, load=load, route=route)
    agreeing: dict[str, _Party] = {}
    for name, party in parties.items():
        try:
            asked = replace(party, bodies=_requests_for(party))
            _check(name, load, asked)
        except (WrongAnswer, Unexpected, msgspec.DecodeError) as why:
            if name in servers:
                raise
            left_out[name] = f"{DISAGREES}{why}"[:REASON_MAX]
        else:
            agreeing[name] = asked
    return agreeing, left_out


def _measure(parties: dict[str, _Party], effort: HttpEffort, *, steady: bool) -> dict[str, Served]:
    taken = {name: _Series() for name in parties}
    names = list(parties)
    orders = [names[first:] + names[:first] for first in range(len(names))]
    for run in range(effort.runs):
        for name in orders[run % len(names)]:
            _run(parties[name], into=taken[name])
    if steady:
        for run in range(effort.runs):
            for name in orders[run % len(names)]:
                _run_steadily(parties[name], effort, into=taken[name])
    return {
        name: _served(taken, name, len(party.bodies) * party.asking.items)
        for name, party in parties.items()
    }


def _requests_for(party: _Party) -> list[bytes]:
    """Return as many of the requests, the first ones, as the server answers within a run."""
    bodies = party.asking.bodies
    few = bodies[:PROBE_REQUESTS]
    party.post(few)
    seconds = party.post(few).seconds
    return bodies[: max(len(few), int(len(few) / seconds * RUN_SECONDS_MAX / party.repeats))]


def _run(party: _Party, *, into: _Series) -> None:
    bodies = party.bodies * party.repeats
    used_before = party.server.cpu_seconds()
    exchange = party.post(bodies)
    used_after = party.server.cpu_seconds()
    decisions = len(bodies) * party.asking.items
    into.rates.append(decisions / exchange.seconds)
    into.nanoseconds.extend(exchange.nanoseconds)
    if used_before is not None and used_after is not None:
        into.cpu_microseconds.append((used_after - used_before) * MICROSECONDS / decisions)


def _run_steadily(party: _Party, effort: HttpEffort, *, into: _Series) -> None:
    per_second = HALF_LOAD * median(into.rates)
    wanted = max(1, int(per_second * effort.steady_seconds))
    asked = list(islice(cycle(party.bodies), wanted))
    into.steady.append(
        post_on_schedule(
            party.server.port,
            party.asking.path,
            asked,
            per_second=per_second,
            credential=party.server.credential,
        )
    )


def _served(taken: dict[str, _Series], name: str, questions: int) -> Served:
    mine = taken[name]
    rates = {each: Rates(tuple(series.rates)) for each, series in taken.items()}
    used = mine.cpu_microseconds
    return Served(
        rates[name],
        ratio(rates, name, over=FLOOR),
        ratio(rates, OURS, over=name),
        mean(used) if used else None,
        _quotient(taken[FLOOR].cpu_microseconds, used),
        _quotient(used, taken[OURS].cpu_microseconds),
        summed_up(mine.nanoseconds),
        _steady(mine) if mine.steady else None,
        questions,
    )


def _steady(series: _Series) -> Steady:
    return Steady(
        HALF_LOAD * median(series.rates),
        summed_up(chain.from_iterable(series.steady)),
        tuple(map(summed_up, series.steady)),
    )


def _quotient(one: list[float], other: list[float]) -> float | None:
    return mean(one) / mean(other) if one and sum(other) > 0 else None


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


def _check(name: str, load: Workload, party: _Party) -> None:
    bodies = party.post(party.bodies).bodies
    answers = [answer for body in bodies for answer in party.read(body)]
    if len(answers) != min(len(bodies) * party.asking.items, len(load.questions)):
        message = f"{name} gives {len(answers)} answers to {len(bodies)} requests"
        raise WrongAnswer(message)
    for question, answer, expected in zip(load.questions, answers, load.expected, strict=False):
        if answer != expected:
            message = f"{name} answers {answer} to {question}"
            raise WrongAnswer(message)


def _allowed_in(body: bytes) -> list[bool]:
    if b'"items"' in body:
        told = msgspec.json.decode(body, type=_Decisions).items
    else:
        told = [msgspec.json.decode(body, type=_Decision)]
    return [decision.decision == "Allow" for decision in told]


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


def new_key(url: str, *, scopes: frozenset[Scope] = ENFORCING) -> str:
    """Return a new key to the database, for all its organizations."""
    wanted = KeyRequest(None, None, scopes)
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
