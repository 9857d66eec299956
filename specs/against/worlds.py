"""What is asked of both revisions: what a witness of the solver leads to, small worlds, chance.

The chance is seeded: two runs ask the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, Final, get_args

from hypothesis import HealthCheck, Phase, given, settings

from grantproof.core import constraints as c
from grantproof.core import model as m
from grantproof.core.attributes import Literal, Operator, Path, Root, attributes
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import AttributeName, ClaimId, Region, RoleId, SodSetId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.matching import Request
from grantproof.core.organization import facts as facts_of
from specs.against.asking import World
from specs.faults.small.acts import questions
from specs.faults.small.worlds import (
    ANN,
    CABINET,
    DOCS,
    FOLDER,
    NOW,
    OFFICE,
    READ,
    VIEWER,
    Facts,
)
from tests.strategies.questions import Question as Drawn
from tests.strategies.questions import questions as drawn_questions

EXAMPLES: Final = 300
CONTEXT: Final = frozenset(field.name for field in fields(c.Context))
ASKED: Final = AttributeName("asked")
REGIONS: Final = frozenset({Region("eu"), Region("us")})


def other_worlds(
    witnesses: Sequence[Mapping[str, Any]], examples: int = EXAMPLES
) -> Iterator[World]:
    """Yield what the solver's witnesses lead to, then what chance draws."""
    yield from (world for witness in witnesses for world in led_to(witness))
    if examples > 0:
        yield from by_chance(examples)


def small_worlds() -> Iterator[World]:
    """Yield organizations that are asked on each side of every boundary."""
    yield from ((facts, tuple(questions(facts))) for facts in (OFFICE, CABINET))
    yield from boundaries()
    yield (None, ((Request(ANN, READ.value, DOCS), NOW),))


def boundaries() -> Iterator[World]:
    """Yield one constraint, or one validity, at a time, asked on every side of its boundaries."""
    counts = range(5)
    for start, end in ((0, 1), (8, 9), (9, 17), (17, 24), (23, 24), (0, 24)):
        window = c.TimeWindow(start, end, frozenset({0, 6}))
        asked = [replace(NOW, hour=hour, weekday=day) for hour in range(24) for day in range(7)]
        yield one_claim((window,), asked)
    for regions in (frozenset({Region("eu")}), REGIONS):
        places = [replace(NOW, region=one) for one in (None, *sorted(REGIONS), Region("asia"))]
        yield one_claim((c.GeoFence(regions),), places)
    for limit in (1, 2, 3):
        uses = [replace(NOW, usage=used) for used in (None, *counts)]
        yield one_claim((c.MaxUsage(limit),), uses)
        yield one_claim((c.RateLimit(limit),), [replace(NOW, rate=one) for one in (None, *counts)])
    for begin, until in ((None, None), (500, None), (None, 700), (500, 700), (0, INSTANT_MAX)):
        moments = [replace(NOW, instant=at) for at in (0, 499, 500, 501, 699, 700, INSTANT_MAX)]
        yield one_claim((), moments, m.Validity(begin, until))
    values = (True, False, 0, 1, 2, "1", "a", frozenset({"a"}))
    for operator in Operator:
        for value in values:
            constraint = comparison(operator, value)
            if constraint is not None:
                given_ = [replace(NOW, attributes=attributes({"asked": one})) for one in values]
                yield one_claim((constraint,), [*given_, NOW])
    yield from divisions()


def divisions() -> Iterator[World]:
    """Yield roles of which some number may not be active together, with every number active."""
    roles = [RoleId(f"role-{number}") for number in range(4)]
    for held in range(5):
        for forbidden in (2, 3):
            division = m.SodSet(SodSetId("set"), frozenset(roles[:3]), forbidden, "dynamic")
            more: Facts = (
                *(m.Role(role) for role in roles),
                *(m.Assignment(ANN, role) for role in roles[:held]),
                division,
            )
            facts, asked = one_claim((), [NOW])
            yield (*(facts or ()), *more), asked


def comparison(operator: Operator, value: Any) -> c.Attribute | None:
    """Return the constraint on the attribute that is asked for, if it is a legal one."""
    try:
        return c.Attribute(Path(Root.CONTEXT, ASKED), operator, Literal(value))
    except Illegal:
        return None


def one_claim(
    constraints: tuple[c.Constraint, ...],
    contexts: list[c.Context],
    validity: m.Validity = m.ALWAYS,
) -> World:
    """Return an organization of one claim, and its holder asking in each context."""
    facts: Facts = (
        m.Principal(ANN),
        m.Role(VIEWER),
        m.KindDeclaration(FOLDER),
        m.Resource(DOCS, FOLDER),
        m.Claim(ClaimId("viewer-read"), VIEWER, READ, m.Exactly(DOCS), constraints),
        m.Assignment(ANN, VIEWER, validity),
    )
    return facts, tuple((Request(ANN, READ.value, DOCS), context) for context in contexts)


def led_to(witness: Mapping[str, Any]) -> Iterator[World]:
    """Yield the organization and the request in which a function gets these arguments."""
    context = NOW
    constraints: list[c.Constraint] = []
    validity = m.ALWAYS
    for name, value in witness.items():
        match value:
            case c.Context():
                context = value
            case c.Situation():
                context = value.context
            case m.Validity():
                validity = value
            case m.Claim():
                constraints += value.constraints
            case _ if isinstance(value, get_args(c.Constraint)):
                constraints.append(value)
            case _ if name in CONTEXT:
                context = replace(context, **{name: value})
            case _:
                continue
    if isinstance(witness.get("operator"), Operator):
        constraint = comparison(witness["operator"], witness.get("right"))
        constraints += [] if constraint is None else [constraint]
        context = replace(context, attributes=attributes({"asked": witness.get("left", 0)}))
    yield one_claim(tuple(constraints), [context], validity)


def by_chance(examples: int) -> Iterator[World]:
    """Yield questions on small organizations as the property tests draw them."""
    found: list[Drawn] = []

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn_questions())
    def keep(question: Drawn) -> None:
        found.append(question)

    keep()
    for one in found:
        facts = None if one.state is None else tuple(facts_of(one.state))
        yield facts, ((one.request, one.context),)
