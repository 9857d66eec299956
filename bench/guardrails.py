"""Guardrails on a large organization: what judging them all costs, and what one change does.

The workload's organization, half of its claims under constraints, with what guardrails speak of:
groups, departments, a kind of resources that is in production, a few temporary assignments.
"""

import random
import resource
import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import process_time
from typing import Final

from bench.workload import (
    ACTIONS,
    INSTANT,
    KIND,
    REGIONS,
    SEED,
    Size,
    Tables,
    make_tables,
    organization,
)
from grantproof.analysis.guarding import judge_change
from grantproof.analysis.guardrails import Inquiry
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Holds, Violated
from grantproof.core import guardrails as g
from grantproof.core.attributes import attributes
from grantproof.core.constraints import GeoFence, MaxUsage, TimeWindow
from grantproof.core.identifiers import (
    Action,
    GroupId,
    GuardrailId,
    PrincipalId,
    Region,
    ResourceId,
)
from grantproof.core.model import (
    ALWAYS,
    Any,
    Assignment,
    Delta,
    Exactly,
    Membership,
    OfKind,
    Principal,
    Resource,
    Validity,
)
from grantproof.core.organization import Organization, advance
from grantproof.core.relation import Graph

EVERYONE, CONTRACTORS = GroupId("everyone"), GroupId("contractors")
CONTRACTORS_SHARE: Final = 50
PRODUCTION_SHARE: Final = 20
TIMED_SHARE: Final = 10
BROAD_CAP: Final = GuardrailId("not-all-delete")
"""Counts nearly everybody: what touches it is judged beside the others."""

CONDITION_KEPT: Final = 1 / 3
DAY: Final = 86_400
PRODUCTION: Final = attributes({"env": "production"})
BYTES_PER_RU_MAXRSS: Final = 1_024
WINDOW: Final = TimeWindow(6, 20)
FENCE: Final = GeoFence(frozenset(map(Region, REGIONS)))


@dataclass(frozen=True, slots=True)
class GuardrailFigures:
    """Processor seconds to judge all guardrails and the slowest; a change's median and slowest.

    `changes` are by name; `peak_bytes` is the most memory that the process ever had.
    """

    size: str
    guardrails: int
    violated: int
    undetermined: int
    seconds: float
    slowest: str
    slowest_seconds: float
    solver_asked: int
    changes: dict[str, tuple[float, float]]
    peak_bytes: int


def measure_guardrails(size: Size, *, runs: int = 11) -> GuardrailFigures:
    """Judge the guardrails of the workload in full, then after each of some changes."""
    draw = random.Random(f"{SEED}/{size.name}/guardrails")
    tables = half_constrained(make_tables(size, constrained=True, draw=draw), draw)
    state = furnished(organization(tables), draw)
    every = guardrails(tables, state)
    solver, taken, verdicts = Solver(), {}, {}
    started = process_time()
    inquiry = Inquiry(state, solver, now=INSTANT)
    for one in every:
        before = process_time()
        verdicts[one.id] = inquiry.judge(one)
        taken[str(one.id)] = process_time() - before
    seconds = process_time() - started
    slowest = max(taken, key=lambda name: taken[name])
    held = [one for one in every if verdicts[one.id] == Holds()]
    narrow = [one for one in held if one.id != BROAD_CAP]
    return GuardrailFigures(
        size=size.name,
        guardrails=len(every),
        violated=sum(isinstance(verdict, Violated) for verdict in verdicts.values()),
        undetermined=sum(
            not isinstance(verdict, Violated | Holds) for verdict in verdicts.values()
        ),
        seconds=seconds,
        slowest=slowest,
        slowest_seconds=taken[slowest],
        solver_asked=solver.asked,
        changes={
            **{name: timed(state, make, narrow, runs=runs) for name, make in CHANGES.items()},
            "assignment, broad cap": timed(state, one_assignment, held, runs=runs),
        },
        peak_bytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * BYTES_PER_RU_MAXRSS,
    )


def timed(
    state: Organization,
    make: Callable[[Organization, random.Random], Delta],
    held: list[g.Guardrail],
    *,
    runs: int,
) -> tuple[float, float]:
    """Return the median and the longest of the seconds to judge such a change."""
    draw = random.Random(SEED)
    taken = []
    for _ in range(runs):
        delta = make(state, draw)
        after = advance(state, delta)
        started = process_time()
        judge_change(state, after, delta, guardrails=held, solver=Solver(), now=INSTANT)
        taken.append(process_time() - started)
    return statistics.median(taken), max(taken)


def half_constrained(tables: Tables, draw: random.Random) -> Tables:
    """Return the tables, about half of the grants without their condition; to share all have it."""
    grants = tuple(
        grant
        if grant.action == ACTIONS[-1] or draw.random() < CONDITION_KEPT
        else grant._replace(condition=None)
        for grant in tables.grants
    )
    return replace(tables, grants=grants)


def furnished(state: Organization, draw: random.Random) -> Organization:
    """Return the organization with groups, attributes and temporary assignments."""
    empty: Graph[GroupId] = Graph()
    nodes = empty.with_node(EVERYONE).with_node(CONTRACTORS)
    memberships, assignments = state.memberships, state.assignments
    principals, resources = state.principals, state.resources
    for number, principal in enumerate(state.principals):
        memberships = memberships.with_pair(principal, EVERYONE, None)
        if number % CONTRACTORS_SHARE == 0:
            memberships = memberships.with_pair(principal, CONTRACTORS, None)
            kept = attributes({"department": "outside"})
            principals = principals.set(principal, Principal(principal, attributes=kept))
        if number % TIMED_SHARE == 0:
            role = draw.choice(sorted(assignments.of(principal)))
            term = Validity(end=INSTANT + DAY * draw.randrange(1, 365))
            assignments = assignments.with_pair(principal, role, term)
    for number, name in enumerate(state.resources):
        if number % PRODUCTION_SHARE == 0:
            resources = resources.set(name, Resource(name, KIND, attributes=PRODUCTION))
    return replace(
        state,
        groups=nodes,
        memberships=memberships,
        assignments=assignments,
        principals=principals,
        resources=resources,
    )


def guardrails(tables: Tables, state: Organization) -> list[g.Guardrail]:
    """Return twenty guardrails: broad and narrow, most of which hold."""
    roles = sorted(state.roles)
    least = sorted(roles, key=lambda role: (len(state.assignments.to(role)), role))
    documents = OfKind(KIND)
    read, write, delete, share = (Exactly(Action(name)) for name in ACTIONS)
    outside = frozenset({g.MemberOf(CONTRACTORS)})
    everyone = frozenset({g.MemberOf(EVERYONE)})
    one, other = (Exactly(ResourceId(tables.resources[number])) for number in (0, 1))
    rules: dict[str, g.Rule] = {
        "nobody-purges": g.Forbidden(g.Access(Exactly(Action("purge")), Any())),
        "nobody-administers": g.Forbidden(g.Access(Exactly(Action("administer")), Any())),
        "contractors-never-delete-production": g.Forbidden(
            g.Access(delete, documents, PRODUCTION), outside
        ),
        "contractors-never-purge": g.Forbidden(g.Access(Exactly(Action("purge")), Any()), outside),
        "outside-never-shares-this": g.Forbidden(
            g.Access(share, one), frozenset({g.Having(attributes({"department": "elsewhere"}))})
        ),
        "only-staff-reads": g.Reserved(g.Access(read, documents), everyone),
        "only-staff-writes": g.Reserved(g.Access(write, documents), everyone),
        "only-staff-deletes": g.Reserved(g.Access(delete, Any()), everyone),
        "only-staff-shares": g.Reserved(g.Access(share, documents, PRODUCTION), everyone),
        "only-a-role-reads-this": g.Reserved(
            g.Access(read, one), frozenset(g.HolderOf(role) for role in roles[:100])
        ),
        "deletes-by-day": g.Confined(g.Access(delete, documents), (WINDOW,)),
        "writes-in-a-region": g.Confined(g.Access(write, documents), (FENCE,)),
        "shares-by-day-and-region": g.Confined(g.Access(share, Any()), (WINDOW, FENCE)),
        "reads-are-counted": g.Confined(g.Access(read, other), (MaxUsage(100),)),
        "not-both-of-these": g.Exclusive(g.Access(delete, one), g.Access(delete, other)),
        "not-purge-and-delete": g.Exclusive(
            g.Access(delete, documents), g.Access(Exactly(Action("purge")), documents)
        ),
        "few-read-this": g.Capped(g.Access(read, one), 20_000),
        "few-write-that": g.Capped(g.Access(write, other), 20_000),
        BROAD_CAP: g.Capped(g.Access(delete, documents), len(state.principals) - 1),
        "few-use-a-role": g.Capped(g.Access(Any(), Exactly(ResourceId(f"role:{least[0]}"))), 5),
    }
    return [g.Guardrail(GuardrailId(name), rule) for name, rule in rules.items()]


def one_assignment(state: Organization, draw: random.Random) -> Delta:
    """Return that somebody gets one more role."""
    principal = PrincipalId(f"user-{draw.randrange(len(state.principals))}")
    roles = sorted(set(state.roles) - set(state.assignments.of(principal)))
    return Delta(added=(Assignment(principal, draw.choice(roles), ALWAYS),))


def one_revocation(state: Organization, draw: random.Random) -> Delta:
    """Return that somebody loses a role."""
    principal = PrincipalId(f"user-{draw.randrange(len(state.principals))}")
    role = draw.choice(sorted(state.assignments.of(principal)))
    return Delta(removed=(Assignment(principal, role, state.assignments.of(principal)[role]),))


def one_departure(state: Organization, draw: random.Random) -> Delta:
    """Return that somebody leaves the group that everything is reserved to."""
    principal = PrincipalId(f"user-{draw.randrange(len(state.principals))}")
    return Delta(removed=(Membership(principal, EVERYONE),))


def one_claim(state: Organization, draw: random.Random) -> Delta:
    """Return that a role may do one thing without the constraints that it had."""
    claim = state.claims[draw.choice(sorted(state.claims))]
    return Delta(removed=(claim,), added=(replace(claim, constraints=()),))


def one_resource(state: Organization, draw: random.Random) -> Delta:
    """Return that a resource comes to be in production."""
    there = state.resources[ResourceId(f"doc-{draw.randrange(len(state.resources))}")]
    moved = replace(there, attributes=attributes({"env": "production", "by": "bench"}))
    return Delta(removed=(there,), added=(moved,))


CHANGES: Final[dict[str, Callable[[Organization, random.Random], Delta]]] = {
    "assignment": one_assignment,
    "revocation": one_revocation,
    "departure": one_departure,
    "claim": one_claim,
    "resource": one_resource,
}
