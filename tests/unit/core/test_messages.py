"""Reasons and refusals in words: one line, lower case, no full stop, ids in backticks."""

from typing import Literal as OneOf
from typing import get_args

import pytest

from grantproof.core import errors, policy
from grantproof.core.attributes import ClockYear, Literal, Operator, Path, PrincipalIdentity, Root
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    GeoFence,
    GeoRadius,
    MaxUsage,
    Observation,
    RateLimit,
    TimeWindow,
)
from grantproof.core.errors import Refusal, SingleRefusal
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName
from grantproof.core.messages import failure_message, held_message, reason_message, refusal_message
from grantproof.core.policy import Reason
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from tests.organizations import ACME, C1, CLERK, EU, HEAD, PAIR

LEVEL = AttributeName("level")
WAYS = (errors.HeldRole((), (HEAD,)), errors.HeldRole(("staff",), (CLERK,)))
REFUSALS: list[SingleRefusal] = [
    errors.AlreadyExists("role", ("clerk",)),
    errors.Missing("assignment", ("ann", "clerk")),
    errors.AlreadySo("ann", "suspended"),
    errors.StillReferenced("role", "clerk", (errors.Reference("claim", ("c1",)),), 5),
    errors.NamedBySodSet("clerk", ("pair",)),
    errors.NamedByGuardrail("role", "clerk", ("calm", "quiet")),
    errors.WouldCycle("role", ("clerk", "head", "clerk")),
    errors.BreaksSod("pair", 2, "ann", 5, WAYS),
    errors.LastAdministrator(ACME),
    errors.OverLimit("roles", 3),
    errors.NotPermitted("ann", "assign", "role:head", "required", "needs the claim"),
]
REASONS: list[Reason] = [
    policy.UnknownOrganization(),
    policy.UnknownPrincipal(),
    policy.Suspended(),
    policy.UnknownResource(),
    policy.SessionClash(PAIR, (CLERK, HEAD), 2),
    policy.NoRole(),
    policy.NoMatchingClaim(),
    policy.ConstraintFailed(C1, (Observation(MaxUsage(1), (1,), False),)),
]
HOME = GeoRadius(Position(48_856_600, 2_352_200), 1_000)
FAILURES: list[tuple[Constraint, tuple[object, ...], list[str]]] = [
    (TimeWindow(9, 17, frozenset({0})), (8, 2), ["9-17", "Mon", "hour 8", "Wed"]),
    (GeoFence(frozenset({EU})), (None,), ["region missing", "eu"]),
    (HOME, (None,), ["position missing", "1000 m of 48.8566,2.3522"]),
    (HOME, (1_001,), ["position 1001 m away", "within 1000 m"]),
    (MaxUsage(5, "day"), (5,), ["usage 5", "below 5", "day"]),
    (RateLimit(5), (7,), ["rate 7", "below 5", "minute"]),
    (
        Attribute(Path(Root.CONTEXT, LEVEL), Operator.EQ, Literal(True)),
        (1, True),
        ["context.level eq true", "compares 1 with true"],
    ),
    (
        Attribute(Path(Root.RESOURCE, LEVEL), Operator.EQ, PrincipalIdentity()),
        (frozenset({"b", "a"}), "ann"),
        ["resource.level eq principal.id", "[`a`, `b`]", "`ann`"],
    ),
    (
        Attribute(Path(Root.ACTION, LEVEL), Operator.LT, ClockYear()),
        (None, 2026),
        ["action.level lt clock.year", "missing with 2026"],
    ),
    (
        Attribute(Path(Root.ACTION, LEVEL), Operator.NE, Path(Root.PRINCIPAL, LEVEL)),
        (None, None),
        ["action.level ne principal.level"],
    ),
]


def test_every_refusal_and_every_reason_is_said() -> None:
    """The lists of this file are complete."""
    assert [type(refusal) for refusal in REFUSALS] == list(get_args(SingleRefusal))
    assert [type(reason) for reason in REASONS] == list(get_args(Reason))


@pytest.mark.parametrize(
    "message",
    [
        *map(refusal_message, REFUSALS),
        *map(reason_message, [*REASONS, Withheld("shadow"), NoSession()]),
    ],
)
def test_a_message_is_one_line_without_full_stop(message: str) -> None:
    """Lower case at the start, no line break, no full stop."""
    assert message
    assert message == message.strip().rstrip(".")
    assert message[0] == message[0].lower()
    assert "\n" not in message


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: type(refusal).__name__)
def test_a_refusal_inside_a_change_set_says_where(refusal: SingleRefusal) -> None:
    """Its position comes before the message of the refusal itself."""
    wrapped: Refusal = errors.RefusedAt(3, refusal)
    assert refusal_message(wrapped) == f"command 3: {refusal_message(refusal)}"


@pytest.mark.parametrize(("constraint", "saw", "parts"), FAILURES)
def test_a_failure_says_what_was_wanted_and_what_was_seen(
    constraint: Constraint, saw: tuple[bool | int | str | None, ...], parts: list[str]
) -> None:
    """Both sides, with missing values said as such and a bool told from an int."""
    message = failure_message(Observation(constraint, saw, False))
    assert [part for part in parts if part not in message] == []


@pytest.mark.parametrize(
    ("because", "words"),
    [
        ("required", "`ann` may not delete `docs/**`: says who"),
        ("inherited", "the change would also give `docs/**`, which `ann` may not delete: says who"),
        (
            "granted",
            "the change would grant `delete` on `docs/**`, which `ann` may not do: says who",
        ),
    ],
)
def test_what_is_not_permitted_names_author_right_and_ground(
    because: OneOf["required", "inherited", "granted"], words: str
) -> None:
    """Whether the change itself takes the right, brings it along, or gives it away."""
    refusal = errors.NotPermitted("ann", "delete", "docs/**", because, "says who")
    assert refusal_message(refusal) == words


def test_a_breach_names_roles_principal_set_and_ways() -> None:
    """The role that would be gained comes first, with how each is held."""
    message = refusal_message(errors.BreaksSod("pair", 2, "ann", None, WAYS))
    assert message.startswith("separation of duty: head conflicts with clerk: `ann`")
    assert "group staff -> clerk" in message
    assert held_message(WAYS[0]) == "head"


@pytest.mark.parametrize(
    ("instant", "when"), [(None, ""), (0, " from instant 0"), (5, " from instant 5")]
)
def test_a_breach_says_from_when_on_where_it_is_not_now(instant: int | None, when: str) -> None:
    """After the number of roles, before how each is held."""
    message = refusal_message(errors.BreaksSod("pair", 2, "ann", instant, WAYS))
    assert f"would hold 2 roles of `pair`{when} (head; " in message


@pytest.mark.parametrize(
    ("count", "told"),
    [
        (1, "claim `c0`"),
        (2, "claim `c0`, claim `c1`"),
        (3, "claim `c0`, claim `c1`, claim `c2`"),
        (4, "claim `c0`, claim `c1`, claim `c2` and 1 more"),
        (9, "claim `c0`, claim `c1`, claim `c2` and 6 more"),
    ],
)
def test_what_still_refers_is_told_up_to_three_and_the_rest_counted(count: int, told: str) -> None:
    """However many of them the refusal itself shows."""
    shown = tuple(errors.Reference("claim", (f"c{n}",)) for n in range(count))
    message = refusal_message(errors.StillReferenced("role", "clerk", shown, count))
    assert message == (
        f"role `clerk` is still referred to by {told}: remove these first, or ask for a cascade"
    )
