"""Guardrails decided by trying everything: each request, boundary and context that could matter.

It asks `evaluate` and nothing of the analysis. A small organization has few requests; of contexts
there are those in which each constraint in use is at, on one side and on the other side of what it
says, and the values of attributes are all that are ever compared with one another.
"""

from collections.abc import Iterable, Iterator
from itertools import product

from immutables import Map

from grantproof.core import constraints as c
from grantproof.core import guardrails as g
from grantproof.core.attributes import Attributes, ClockYear, Literal, Path, Root, Value
from grantproof.core.constraints import Constraint, Context
from grantproof.core.geodesy import Position
from grantproof.core.hierarchy import effective_roles, groups_of
from grantproof.core.identifiers import Action, PrincipalId, Region, ResourceId
from grantproof.core.matching import Request, resolve, situate
from grantproof.core.model import ADMINISTRATIVE_ACTIONS, Any, Exactly, OfKind, Within
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, ConstraintFailed, evaluate

YEARS = (1999, 2026)
STRANGER = PrincipalId("nobody-at-all")


class Everything:
    """All that can be asked of an organization, in the contexts that constraints tell apart."""

    def __init__(self, state: Organization, constraints: Iterable[Constraint]) -> None:
        self.state = state
        used = [*constraints, *(one for k in state.claims.values() for one in k.constraints)]
        self.contexts = list(grid(state, list(dict.fromkeys(used))))
        assigned = (*state.assignments.triples(), *state.group_assignments.triples())
        edges = (edge for *_, term in assigned for edge in (term.start, term.end))
        self.instants = sorted({0, *(edge for edge in edges if edge is not None)})
        self._granted: dict[tuple[Request, int], list[int]] = {}

    def violated(self, guardrail: g.Guardrail) -> bool:
        """Whether some request shows that the guardrail does not hold."""
        match guardrail.rule:
            case g.Forbidden(access, who):
                return any(
                    len(who) == 0 or named(self.state, who, request.principal, instant)
                    for request, instant, _ in self.allowed(access)
                )
            case g.Reserved(access, who):
                return any(
                    not named(self.state, who, request.principal, instant)
                    for request, instant, _ in self.allowed(access)
                )
            case g.Confined(access, constraints):
                return any(
                    not self.kept(constraints, request, self.contexts[number])
                    for request, _, number in self.allowed(access)
                )
            case g.Exclusive(first, second):
                one = {(request.principal, instant) for request, instant, _ in self.allowed(first)}
                return any(
                    (request.principal, instant) in one
                    for request, instant, _ in self.allowed(second)
                )
            case g.Capped(access, most):
                counts: dict[tuple[int, int], set[PrincipalId]] = {}
                for request, instant, number in self.allowed(access):
                    counts.setdefault((instant, number), set()).add(request.principal)
                return any(len(people) > most for people in counts.values())

    def allowed(self, access: g.Access) -> Iterator[tuple[Request, int, int]]:
        """Requests under the access that are allowed, when, and in the context of which number."""
        for request, instant in product(self.requests(access), self.instants):
            for number in self.granted(request, instant):
                yield request, instant, number

    def requests(self, access: g.Access) -> Iterator[Request]:
        """Every request that falls under the access."""
        state = self.state
        resources: list[tuple[ResourceId, str | None]] = [
            *((one, None) for one in state.resources),
            *((one, None) for one in state.implicit_resources()),
            *((ResourceId("not-registered"), kind) for kind in state.resources_of_kind),
        ]
        claimed = [k.action.value for k in state.claims.values() if isinstance(k.action, Exactly)]
        asked = [access.action.value] if isinstance(access.action, Exactly) else []
        actions = dict.fromkeys([*claimed, *asked, Action("something-else")])
        for action, (resource, kind) in product(actions, resources):
            if self.under(access, Request(STRANGER, action, resource, kind)):
                yield from (Request(one, action, resource, kind) for one in state.principals)

    def under(self, access: g.Access, request: Request) -> bool:
        """Whether a claim of the access's patterns would match, and what is asked for is stored."""
        target = resolve(self.state, request)
        if target is None:
            return False
        meant = request.action not in ADMINISTRATIVE_ACTIONS
        if isinstance(access.action, Exactly):
            meant = access.action.value == request.action
        match access.resource:
            case Exactly(resource):
                meant = meant and target.lineage[:1] == (resource,)
            case Within(resource):
                meant = meant and resource in target.lineage
            case OfKind(kind):
                meant = meant and target.kind == kind
            case Any():
                pass
        return meant and stored(target.attributes, access.attributes)

    def granted(self, request: Request, instant: int) -> list[int]:
        """The numbers of the contexts in which it is allowed at the instant."""
        key = (request, instant)
        if key not in self._granted:
            self._granted[key] = self._tried(request, instant)
        return self._granted[key]

    def _tried(self, request: Request, instant: int) -> list[int]:
        every = range(len(self.contexts))
        first = evaluate(self.state, request, moved(self.contexts[0], instant))
        if isinstance(first, Allow) and len(first.certificate.claim.constraints) == 0:
            return list(every)
        if not isinstance(first, Allow) and not isinstance(first.reason, ConstraintFailed):
            return []
        answers = (evaluate(self.state, request, moved(one, instant)) for one in self.contexts)
        return [number for number, answer in enumerate(answers) if isinstance(answer, Allow)]

    def kept(self, constraints: Iterable[Constraint], request: Request, context: Context) -> bool:
        """Whether all of the constraints hold."""
        target = resolve(self.state, request)
        assert target is not None
        situation = situate(self.state, request, context, target=target)
        return all(c.holds(one, situation) for one in constraints)


def moved(context: Context, instant: int) -> Context:
    """The context at the instant."""
    return Context(
        instant,
        context.hour,
        context.weekday,
        context.year,
        context.region,
        context.position,
        context.usage,
        context.rate,
        context.attributes,
        action_properties=context.action_properties,
    )


def named(state: Organization, who: g.Who, principal: PrincipalId, instant: int) -> bool:
    """Whether a selector names the principal."""
    return (
        any(isinstance(s, g.MemberOf) and s.group in groups_of(state, principal) for s in who)
        or any(
            isinstance(s, g.HolderOf) and s.role in effective_roles(state, principal, instant)
            for s in who
        )
        or any(
            isinstance(s, g.Having) and stored(state.principals[principal].attributes, s.attributes)
            for s in who
        )
    )


def stored(there: Attributes, asked: Attributes) -> bool:
    """Whether each attribute asked for is there, of the same type."""
    return all(repr(there.get(name)) == repr(value) for name, value in asked.items())


def grid(state: Organization, used: list[Constraint]) -> Iterator[Context]:
    """The contexts that the constraints tell apart."""
    windows = [one for one in used if isinstance(one, c.TimeWindow)]
    hours = {
        12,
        *(h for w in windows for h in (w.start - 1, w.start, w.end - 1, w.end) if 0 <= h < 24),
    }
    days = {2, *({6} if any(len(w.weekdays) < 7 for w in windows) else set())}
    fences = [one for one in used if isinstance(one, c.GeoFence)]
    regions = {r for one in fences for r in one.regions} | ({Region("moon")} if fences else set())
    radii = [one for one in used if isinstance(one, c.GeoRadius)]
    places = [Position(0, 0), Position(13_000, 0), Position(50_000_000, 0)] if radii else []
    limits = [one.limit for one in used if isinstance(one, c.MaxUsage)]
    rates = [one.per_minute for one in used if isinstance(one, c.RateLimit)]
    paths = sorted({p for one in used for p in read(one)}, key=str)
    values = every_value(state, used) if paths else []
    years = (
        YEARS
        if any(isinstance(one, c.Attribute) and one.operand == ClockYear() for one in used)
        else YEARS[1:]
    )
    for hour, day, year, region, place, usage, rate, *said in product(
        sorted(hours),
        sorted(days),
        years,
        [None, *sorted(regions)],
        [None, *places],
        [None, *sorted({n for limit in limits for n in (0, limit - 1, limit)})],
        [None, *sorted({n for limit in rates for n in (0, limit - 1, limit)})],
        *([None, *values] for _ in paths),
    ):
        given = [
            (path, value) for path, value in zip(paths, said, strict=True) if value is not None
        ]
        yield Context(
            0,
            hour,
            day,
            year,
            region,
            place,
            usage,
            rate,
            Map({path.name: value for path, value in given if path.root is Root.CONTEXT}),
            action_properties=Map(
                {path.name: value for path, value in given if path.root is Root.ACTION}
            ),
        )


def read(constraint: Constraint) -> list[Path]:
    """The paths into contexts that a constraint reads."""
    if not isinstance(constraint, c.Attribute):
        return []
    sides = (constraint.path, constraint.operand)
    return [s for s in sides if isinstance(s, Path) and s.root in {Root.CONTEXT, Root.ACTION}]


def every_value(state: Organization, used: list[Constraint]) -> list[Value]:
    """All values that are compared in some constraint, and some beside them."""
    constants = [
        one.operand.value
        for one in used
        if isinstance(one, c.Attribute) and isinstance(one.operand, Literal)
    ]
    found: dict[str, Value] = {}
    things = [*state.principals.values(), *state.resources.values()]
    listed: list[Value] = [
        *constants,
        *(value for thing in things for value in thing.attributes.values()),
        *map(str, state.principals),
        "stranger",
        *YEARS,
    ]
    for value in listed:
        near: list[Value] = [value]
        if type(value) is int and value not in YEARS:
            near = [value - 1, value, value + 1]
        found.update({repr(one): one for one in near})
    return list(found.values())
