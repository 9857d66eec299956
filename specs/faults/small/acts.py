"""What is asked of a small organization, and what is done to it."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

from grantproof.core import constraints as c
from grantproof.core import model as m
from grantproof.core.attributes import Value, attributes
from grantproof.core.commands import language as do
from grantproof.core.guardrails import Access, Forbidden
from grantproof.core.identifiers import (
    Action,
    GuardrailId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SodSetId,
)
from grantproof.core.matching import Request
from specs.faults.small.worlds import (
    ANN,
    AUDITOR,
    BOB,
    CAROL,
    CLERK,
    DAN,
    DOCS,
    HEAD,
    HOME,
    NOW,
    PLAN,
    VIEWER,
    Facts,
    claim,
)

AT_EDGE, BEYOND = replace(HOME, latitude=48_865_600), replace(HOME, latitude=48_865_603)
"""1,000.76 m and 1,001.09 m north: 1,001 m and 1,002 m, rounded up."""
MIRRORED = replace(HOME, latitude=-HOME.latitude)
Question = tuple[Request, c.Context]


def questions(facts: Facts) -> Iterator[Question]:
    """Yield what is asked: everybody about everything now, and some at every boundary."""
    people = [fact.id for fact in facts if isinstance(fact, m.Principal)]
    actions = [Action(name) for name in ("read", "write", "sign", "spend", "assign")]
    places = [*(f.id for f in facts if isinstance(f, m.Resource)), ResourceId("role:viewer")]
    for who, what, where in product([*people, PrincipalId("nobody")], actions, places):
        yield Request(who, what, where), NOW
    for where in (ResourceId("secret"), ResourceId("organization:beta")):
        yield Request(CAROL, Action("read"), where), NOW
    yield Request(CAROL, Action("read"), ResourceId("memo"), "file"), NOW
    for chosen in ([VIEWER], [CLERK], [AUDITOR], [AUDITOR, HEAD], []):
        for who, what in product((ANN, DAN), (Action("read"), Action("write"))):
            yield Request(who, what, PLAN, None, frozenset(chosen)), NOW
    yield from product(pressing(), contexts())


def pressing() -> list[Request]:
    """Return the requests that depend on the context."""
    return [
        Request(ANN, Action("write"), PLAN),
        Request(DAN, Action("write"), PLAN, None, frozenset({HEAD})),
        Request(DAN, Action("spend"), DOCS, None, frozenset({HEAD})),
        Request(ANN, Action("sign"), PLAN),
        Request(ANN, Action("visit"), DOCS),
        Request(ANN, Action("read"), PLAN),
        Request(BOB, Action("spend"), DOCS),
    ]


def contexts() -> Iterator[c.Context]:
    """Yield what is now, and it changed in one respect, on and beside each boundary."""
    yield NOW
    yield from (_now(instant=instant) for instant in (499, 500, 999, 1_000))
    yield from (_now(hour=hour) for hour in (8, 9, 16, 17))
    yield from (_now(weekday=weekday) for weekday in (4, 5))
    yield from (_now(region=region) for region in (None, Region("us")))
    yield from (_now(position=position) for position in (None, AT_EDGE, BEYOND, MIRRORED))
    yield from (_now(usage=usage) for usage in (None, 2, 3))
    yield from (_now(rate=rate) for rate in (None, 4, 5))
    yield _now(attributes=attributes({}))
    amounts: tuple[Value, ...] = (100, 101, "50")
    yield from (_now(attributes=attributes({"amount": amount})) for amount in amounts)


def _now(**changed: Any) -> c.Context:
    return replace(NOW, **changed)


def commands(facts: Facts) -> Iterator[do.SingleCommand]:
    """Yield what may be done: every link, every deletion, some claims and some sets."""
    people = [fact.id for fact in facts if isinstance(fact, m.Principal)]
    groups = [fact.id for fact in facts if isinstance(fact, m.Group)]
    roles = [fact.id for fact in facts if isinstance(fact, m.Role)]
    yield from (do.AssignRole(who, role) for who, role in product(people, roles))
    yield from (do.AssignRole(who, role, m.Validity(900)) for who, role in product(people, roles))
    yield from (do.AssignGroupRole(one, role) for one, role in product(groups, roles))
    yield from (do.AddMember(who, group) for who, group in product(people, groups))
    yield from (do.NestGroup(one, other) for one, other in product(groups, groups))
    yield from (do.AddParent(one, other) for one, other in product(roles, roles))
    yield from (do.AssignRole(who, RoleId("ghost")) for who in people)
    yield from _removals(facts)
    yield from _creations(roles)


def _removals(facts: Facts) -> Iterator[do.SingleCommand]:
    for fact in facts:
        match fact:
            case m.Assignment(who, role):
                yield do.RevokeRole(who, role)
            case m.Membership(who, group):
                yield do.RemoveMember(who, group)
            case m.Inheritance(role, parent):
                yield do.RemoveParent(role, parent)
            case m.Claim():
                yield do.DeleteClaim(fact.id)
            case m.SodSet():
                yield do.DeleteSodSet(fact.id)
            case m.Guardrail():
                yield do.DeleteGuardrail(fact.id)
            case _:
                yield from (one for one in (_deletion(fact, False), _deletion(fact, True)) if one)


def _deletion(fact: m.Fact, cascade: bool) -> do.SingleCommand | None:
    match fact:
        case m.Principal():
            return do.DeletePrincipal(fact.id, cascade)
        case m.Group():
            return do.DeleteGroup(fact.id, cascade)
        case m.Role():
            return do.DeleteRole(fact.id, cascade)
        case m.KindDeclaration():
            return do.DeleteKind(fact.kind, cascade)
        case m.Resource():
            return do.DeleteResource(fact.id, cascade)
        case _:
            return None


def _creations(roles: list[RoleId]) -> Iterator[do.SingleCommand]:
    for name in ("secret", "organization:beta", "role:ghost"):
        for on in (m.Exactly(ResourceId(name)), m.Within(ResourceId(name))):
            yield do.CreateClaim(claim(roles[0], m.Exactly(Action("new")), on))
    for one, other in product(roles, roles):
        if one < other:
            yield do.CreateSodSet(m.SodSet(SodSetId("new"), frozenset({one, other}), 2))
    for name in (roles[0], "ghost"):
        access = Access(m.Any(), m.Exactly(ResourceId(f"role:{name}")))
        yield do.CreateGuardrail(m.Guardrail(GuardrailId("new"), Forbidden(access)))
