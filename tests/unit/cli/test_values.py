"""What people type for values is understood, or refused in one line."""

import pytest

from grantproof.cli.exits import Stop
from grantproof.cli.values import (
    condition,
    constraint,
    hour_range,
    max_usage,
    time_window,
    typed_attributes,
    validity,
    weekday,
    weekday_set,
)
from grantproof.core.attributes import (
    Attributes,
    ClockYear,
    Literal,
    Operand,
    Operator,
    Path,
    PrincipalIdentity,
    Root,
    Value,
)
from grantproof.core.constraints import (
    EVERY_DAY,
    Attribute,
    Constraint,
    GeoFence,
    MaxUsage,
    TimeWindow,
)
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import AttributeName, Region
from grantproof.core.model import ALWAYS, Validity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("7", 7),
        ("-7", -7),
        ('"7"', "7"),
        ("seven", "seven"),
        ("seven of nine", "seven of nine"),
        ("", ""),
        ("a=b", "a=b"),
        ('["a","b"]', frozenset({"a", "b"})),
        ("[]", frozenset()),
        ("NaN", "NaN"),
        ("2026-01-01", "2026-01-01"),
        ("[" * 1_000, "[" * 1_000),
    ],
)
def test_a_typed_value_is_json_or_a_string(text: str, value: Value) -> None:
    """Bools, whole numbers and lists are told by their form, everything else is a string."""
    assert typed_attributes([f"x={text}"]) == Attributes({AttributeName("x"): value})


@pytest.mark.parametrize(
    "pair", ["x", "x=1.5", "x=null", "x={}", "x=[1]", 'x=["a","a"]', "x=99999999999999999999"]
)
def test_an_attribute_that_cannot_be_is_refused(pair: str) -> None:
    """Nothing is coerced: a fraction, null, an object or a number over 64 bits is refused."""
    with pytest.raises(Stop, match=r"--attribute `x"):
        typed_attributes([pair])


def test_an_attribute_given_twice_is_refused() -> None:
    """Which of the two is meant cannot be known."""
    with pytest.raises(Stop, match="--attribute `x` is given twice"):
        typed_attributes(["x=1", "x=2"])


@pytest.mark.parametrize("name", ["", "id", "a b", "1x"])
def test_an_attribute_name_follows_the_rules_of_the_core(name: str) -> None:
    """Names are judged by the core."""
    with pytest.raises(Illegal):
        typed_attributes([f"{name}=1"])


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon", {0}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        ("MON,wed", {0, 2}),
        ("sat-mon", {5, 6, 0}),
        ("mon-mon", {0}),
        ("tue,thu-fri", {1, 3, 4}),
    ],
)
def test_weekdays_are_names_and_ranges(text: str, days: set[int]) -> None:
    """Ranges may go over the end of the week."""
    assert weekday_set(text) == days


@pytest.mark.parametrize("text", ["", "monday", "mon-", "-mon", "0-4", "mon,,tue", "mon tue"])
def test_weekdays_that_cannot_be_read_are_refused(text: str) -> None:
    """The line shows how they are written."""
    with pytest.raises(Stop, match="must be written as mon-fri"):
        weekday_set(text)


def test_a_weekday_is_a_name_or_a_number() -> None:
    """Numbers are judged by the core, which knows the range."""
    assert [weekday("mon"), weekday("Sun"), weekday("6"), weekday("7")] == [0, 6, 6, 7]
    with pytest.raises(Stop, match="must be one of mon, tue"):
        weekday("someday")


@pytest.mark.parametrize("text", ["", "9", "9-", "9to5", "-1-5", "9-17-18", "9 - 17"])
def test_hours_that_cannot_be_read_are_refused(text: str) -> None:
    """The line shows how they are written."""
    with pytest.raises(Stop, match="must be written as 9-17"):
        hour_range(text)


@pytest.mark.parametrize("text", ["17-9", "9-9", "9-25"])
def test_hours_that_cannot_be_are_refused_by_the_core(text: str) -> None:
    """The rules of a window stand in one place."""
    with pytest.raises(Illegal):
        time_window(text, None)


def test_a_window_is_made_of_hours_and_weekdays() -> None:
    """Each may be left out: all day, every day."""
    assert time_window(None, None) is None
    assert time_window("9-17", None) == TimeWindow(9, 17, EVERY_DAY)
    assert time_window(None, "sat") == TimeWindow(0, 24, frozenset({5}))


@pytest.mark.parametrize(
    ("text", "maximum"), [("3", MaxUsage(3)), ("100/day", MaxUsage(100, "day"))]
)
def test_usage_has_a_limit_and_perhaps_a_period(text: str, maximum: MaxUsage) -> None:
    """Without a period it counts in total."""
    assert max_usage(text) == maximum


@pytest.mark.parametrize("text", ["", "x", "3/", "3/year", "1.5/day"])
def test_usage_that_cannot_be_read_is_refused(text: str) -> None:
    """The line names the periods."""
    with pytest.raises(Stop, match="hour, day, month, total"):
        max_usage(text)


@pytest.mark.parametrize(
    ("text", "operand"),
    [
        ("context.x eq 7", Literal(7)),
        ("context.x eq finance", Literal("finance")),
        ("context.x eq two words", Literal("two words")),
        ('context.x eq "principal.id"', Literal("principal.id")),
        ("context.x eq principal.id", PrincipalIdentity()),
        ("context.x eq clock.year", ClockYear()),
        ("context.x eq resource.owner", Path(Root.RESOURCE, AttributeName("owner"))),
    ],
)
def test_a_condition_compares_with_a_value_or_a_path(text: str, operand: Operand) -> None:
    """A string that looks like a path is written in quotes."""
    path = Path(Root.CONTEXT, AttributeName("x"))
    assert condition(text) == Attribute(path, Operator.EQ, operand)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "context.x",
        "context.x eq",
        "context.x like 7",
        "x eq 7",
        "nobody.x eq 7",
        "context.x lt seven",
        "context.x in seven",
        "context.x eq 1.5",
        "context.x eq clock.month",
    ],
)
def test_a_condition_that_cannot_be_is_refused(text: str) -> None:
    """The line repeats what was typed."""
    with pytest.raises(Stop, match="--where `"):
        condition(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ('{"type":"time_window","start":9,"end":17}', TimeWindow(9, 17)),
        ('{"type":"geo_fence","regions":["eu"]}', GeoFence(frozenset({Region("eu")}))),
    ],
)
def test_a_constraint_may_be_a_document(text: str, meant: Constraint) -> None:
    """The form is that of files and HTTP."""
    assert constraint(text) == meant


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{", "must be a JSON object"),
        ("[" * 100_000, "must be a JSON object"),
        ("7", "must be an object"),
        ("{}", "type: is required"),
        ('{"type":"x"}', "type: must be one of `time_window`"),
        ('{"type":"time_window","start":9}', "end: is required"),
        ('{"type":"time_window","start":9,"end":5}', "start: must be before `end`"),
        ('{"type":"rate_limit","per_minute":"5"}', "per_minute: must be a whole number"),
        ('{"type":"rate_limit","per_minute":5,"x":1}', "x: is not a known field"),
    ],
)
def test_a_constraint_document_that_cannot_be_names_the_field(text: str, rule: str) -> None:
    """One line: what was typed, the field and the rule."""
    with pytest.raises(Stop) as stopped:
        constraint(text)
    assert rule in stopped.value.lines[0]
    assert len(stopped.value.lines) == 1


def test_moments_are_rfc_3339_or_epoch_seconds() -> None:
    """Both bounds may be left out."""
    assert validity(None, None) == ALWAYS
    assert validity("1970-01-01T01:00:00+01:00", "60") == Validity(0, 60)


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-01-01", "2026-01-01T00:00:00"])
def test_a_moment_without_its_offset_is_refused(text: str) -> None:
    """Whose midnight is meant cannot be known."""
    with pytest.raises(Stop, match="--from `"):
        validity(text, None)


def test_a_time_that_ends_before_it_begins_is_refused() -> None:
    """The core judges the two together."""
    with pytest.raises(Illegal):
        validity("60", "0")
