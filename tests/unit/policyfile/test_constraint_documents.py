"""The written forms of constraints, and every form that is refused under the field at fault."""

import re
from typing import Any

import pytest
from pydantic import ValidationError

from grantproof.core import constraints
from grantproof.core.attributes import ClockYear, Literal, Operator, Path, PrincipalIdentity, Root
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import AttributeName, Region
from grantproof.core.limits import (
    ID_LENGTH_MAX,
    INTEGER_MAX,
    RADIUS_METRES_MAX,
    REGIONS_PER_FENCE_MAX,
    STRING_LENGTH_MAX,
    STRINGS_PER_VALUE_MAX,
)
from grantproof.policyfile import documents
from grantproof.policyfile.constraint_documents import of
from grantproof.policyfile.faults import faults
from grantproof.policyfile.fields import POSITION_SCHEMA, read_position

OWNER = Path(Root.RESOURCE, AttributeName("owner"))
LEVEL = Path(Root.PRINCIPAL, AttributeName("level"))
TYPES_OF_VALUE = "must be true, false, a whole number, a string or a list of strings"

FORMS: list[tuple[constraints.Constraint, dict[str, Any]]] = [
    (
        constraints.TimeWindow(8, 18, frozenset({4, 0})),
        {"type": "time_window", "start": 8, "end": 18, "weekdays": [0, 4]},
    ),
    (
        constraints.GeoFence(frozenset({Region("us"), Region("eu")})),
        {"type": "geo_fence", "regions": ["eu", "us"]},
    ),
    (
        constraints.GeoRadius(Position(48_856_600, -2_000_001), 5_000),
        {"type": "geo_radius", "centre": "48.8566,-2.000001", "metres": 5_000},
    ),
    (constraints.MaxUsage(5, "day"), {"type": "max_usage", "limit": 5, "period": "day"}),
    (constraints.RateLimit(60), {"type": "rate_limit", "per_minute": 60}),
    (
        constraints.Attribute(LEVEL, Operator.GE, Literal(3)),
        {"type": "attribute", "path": "principal.level", "op": "ge", "operand": 3},
    ),
    (
        constraints.Attribute(LEVEL, Operator.IN, Literal(frozenset({"b", "a"}))),
        {"type": "attribute", "path": "principal.level", "op": "in", "operand": ["a", "b"]},
    ),
    (
        constraints.Attribute(LEVEL, Operator.NE, Literal(True)),
        {"type": "attribute", "path": "principal.level", "op": "ne", "operand": True},
    ),
    (
        constraints.Attribute(OWNER, Operator.EQ, PrincipalIdentity()),
        {
            "type": "attribute",
            "path": "resource.owner",
            "op": "eq",
            "operand": {"path": "principal.id"},
        },
    ),
    (
        constraints.Attribute(LEVEL, Operator.LT, ClockYear()),
        {
            "type": "attribute",
            "path": "principal.level",
            "op": "lt",
            "operand": {"path": "clock.year"},
        },
    ),
    (
        constraints.Attribute(LEVEL, Operator.LT, OWNER),
        {
            "type": "attribute",
            "path": "principal.level",
            "op": "lt",
            "operand": {"path": "resource.owner"},
        },
    ),
]


def claim(*written: object) -> dict[str, object]:
    """A claim under the written constraints."""
    return {
        "id": "c",
        "role": "r",
        "action": "read",
        "resource": "docs",
        "constraints": list(written),
    }


def refused(*written: object) -> list[tuple[tuple[str | int, ...], str]]:
    """Where and why a claim under the written constraints is refused."""
    with pytest.raises(ValidationError) as caught:
        documents.Claim.model_validate(claim(*written))
    located = [tuple(error["loc"]) for error in caught.value.errors()]
    found = faults(caught.value)
    assert located == [fault.path for fault in found]
    assert all(path[0] == "constraints" for path in located)
    return [(fault.path[1:], fault.rule) for fault in found]


def window(**changed: object) -> dict[str, object]:
    """A legal window with some fields changed."""
    return {"type": "time_window", "start": 8, "end": 18} | changed


def compared(**changed: object) -> dict[str, object]:
    """A legal comparison with some fields changed."""
    return {"type": "attribute", "path": "principal.level", "op": "eq", "operand": 1} | changed


def around(centre: object, metres: object = 1) -> dict[str, Any]:
    """A written radius."""
    return {"type": "geo_radius", "centre": centre, "metres": metres}


@pytest.mark.parametrize(("constraint", "written"), FORMS)
def test_a_constraint_has_one_written_form(
    constraint: constraints.Constraint, written: dict[str, Any]
) -> None:
    """Each constraint is written as its form, sets sorted, and read back from it."""
    assert of(constraint).written() == written
    assert documents.Claim.model_validate(claim(written)).constraints == (constraint,)


def test_what_is_left_out_has_its_default() -> None:
    """A window without weekdays holds every day, a limit without period counts in total."""
    bare = claim(window(), {"type": "max_usage", "limit": 1})
    assert documents.Claim.model_validate(bare).constraints == (
        constraints.TimeWindow(8, 18),
        constraints.MaxUsage(1),
    )


OVER_MIDNIGHT = "must be before `end`: write a window over midnight as two claims"


ILLEGAL = [
    (window(start=18), ("start",), OVER_MIDNIGHT),
    (window(start=22, end=6), ("start",), OVER_MIDNIGHT),
    (window(end=25), ("end",), "must be at most 24"),
    (window(start=-1), ("start",), "must be at least 0"),
    (window(weekdays=[]), ("weekdays",), "must not be empty: leave it out to mean every day"),
    (window(weekdays=[7]), ("weekdays",), "must be numbers from 0 (Monday) to 6 (Sunday)"),
    (window(weekdays=[1, 2, 1]), ("weekdays",), "must not hold `1` twice"),
    (window(weekdays=[True]), ("weekdays", 0), "must be a whole number"),
    (window(weekdays=3), ("weekdays",), "must be a list"),
    (window(start=True), ("start",), "must be a whole number"),
    (window(start=8.0), ("start",), "must be a whole number"),
    (window(start="8"), ("start",), "must be a whole number"),
    (window(start=None), ("start",), "must be a whole number"),
    (window(zone="UTC"), ("zone",), "is not a known field"),
    ({"type": "geo_fence", "regions": []}, ("regions",), "must not be empty"),
    ({"type": "geo_fence", "regions": ["eu", "eu"]}, ("regions",), "must not hold `eu` twice"),
    ({"type": "geo_fence", "regions": ["eu", 1]}, ("regions", 1), "must be a string"),
    ({"type": "geo_fence"}, ("regions",), "is required"),
    (around("91,0"), ("centre",), "has a latitude that must be between -90 and 90 degrees"),
    (around("0,-181"), ("centre",), "has a longitude that must be between -180 and 180"),
    (around("48.8566"), ("centre",), "must be latitude and longitude in degrees"),
    (around("48.8566, 2.3522"), ("centre",), "must be latitude and longitude in degrees"),
    (around("48.8566001,2.3522"), ("centre",), "must be latitude and longitude in degrees"),
    (around("4e1,2"), ("centre",), "must be latitude and longitude in degrees"),
    (around("+48,2"), ("centre",), "must be latitude and longitude in degrees"),
    (around("48.,2"), ("centre",), "must be latitude and longitude in degrees"),
    (around("\u0664\u0668,2"), ("centre",), "must be latitude and longitude in degrees"),
    (around([48.8566, 2.3522]), ("centre",), "must be a string"),
    (around("0,0", 0), ("metres",), "must be between 1 and 20015115"),
    (around("0,0", 1.5), ("metres",), "must be a whole number"),
    (
        {"type": "max_usage", "limit": 0},
        ("limit",),
        "must be greater than 0 and fit in 64 bits",
    ),
    (
        {"type": "max_usage", "limit": 1, "period": "week"},
        ("period",),
        "must be `hour`, `day`, `month` or `total`",
    ),
    (
        {"type": "rate_limit", "per_minute": -1},
        ("per_minute",),
        "must be greater than 0 and fit in 64 bits",
    ),
    ({"type": "rate_limit", "per_minute": False}, ("per_minute",), "must be a whole number"),
    (compared(path="level"), ("path",), "must be one of `principal.NAME`, `resource.NAME`,"),
    (compared(path="clock.year"), ("path",), "must be one of `principal.NAME`,"),
    (compared(path="principal.id"), ("path",), "must not be `id`: reserved"),
    (compared(op="like"), ("op",), "must be `eq`, `ne`, `lt`, `le`, `gt`, `ge` or `in`"),
    (compared(op="lt", operand="x"), ("operand",), "must be a whole number for `lt`"),
    (compared(op="lt", operand=True), ("operand",), "must be a whole number for `lt`"),
    (compared(op="in", operand="x"), ("operand",), "must be a list of strings for `in`"),
    (compared(operand=1.5), ("operand",), TYPES_OF_VALUE),
    (compared(operand=None), ("operand",), TYPES_OF_VALUE),
    (compared(operand=["a", 1]), ("operand",), "must hold strings only"),
    (compared(operand=["a", "a"]), ("operand",), "must not hold `a` twice"),
    (compared(operand={"path": "x.y"}), ("operand", "path"), "must be one of `principal.NAME`,"),
    (compared(operand={"path": 1}), ("operand",), "must be a value, or an object whose only"),
    (compared(operand={}), ("operand",), "must be a value, or an object whose only"),
    ({"type": "weather"}, ("type",), "must be one of `time_window`, `geo_fence`,"),
    ({"start": 1}, ("type",), "is required"),
    ({"type": ["time_window"]}, ("type",), "must be one of `time_window`,"),
    (5, (), "must be an object"),
]


@pytest.mark.parametrize(("written", "path", "rule"), ILLEGAL)
def test_an_illegal_constraint_is_refused_at_its_field(
    written: object, path: tuple[str | int, ...], rule: str
) -> None:
    """The error names the position, the field and the rule of the core, and no tag between."""
    ((at, why),) = refused(written)
    assert at == (0, *path)
    assert why.startswith(rule)


def test_every_illegal_constraint_of_a_claim_is_told() -> None:
    """One validation finds the faults of all constraints."""
    found = refused(window(start=18), window(), {"type": "rate_limit", "per_minute": 0}, 5)
    assert [path for path, _ in found] == [(0, "start"), (2, "per_minute"), (3,)]


def test_constraints_must_be_a_list() -> None:
    """An object in place of the list is refused at the field of the claim."""
    with pytest.raises(ValidationError) as caught:
        documents.Claim.model_validate(claim() | {"constraints": {"type": "rate_limit"}})
    ((path, rule),) = [(fault.path, fault.rule) for fault in faults(caught.value)]
    assert (path, rule) == (("constraints",), "must be a list")


AT_THE_LIMIT = [
    ({"type": "max_usage", "limit": INTEGER_MAX}, {"type": "max_usage", "limit": INTEGER_MAX + 1}),
    (around("0,0", RADIUS_METRES_MAX), around("0,0", RADIUS_METRES_MAX + 1)),
    (around("-90,-180"), around("-90.000001,-180")),
    (
        {"type": "geo_fence", "regions": ["r" * ID_LENGTH_MAX]},
        {"type": "geo_fence", "regions": ["r" * (ID_LENGTH_MAX + 1)]},
    ),
    (
        {"type": "geo_fence", "regions": [f"r{i}" for i in range(REGIONS_PER_FENCE_MAX)]},
        {"type": "geo_fence", "regions": [f"r{i}" for i in range(REGIONS_PER_FENCE_MAX + 1)]},
    ),
    (
        compared(operand="x" * STRING_LENGTH_MAX),
        compared(operand="x" * (STRING_LENGTH_MAX + 1)),
    ),
    (
        compared(operand=[f"x{i}" for i in range(STRINGS_PER_VALUE_MAX)]),
        compared(operand=[f"x{i}" for i in range(STRINGS_PER_VALUE_MAX + 1)]),
    ),
    (compared(operand=INTEGER_MAX), compared(operand=INTEGER_MAX + 1)),
    (window(start=0, end=24), window(start=0, end=25)),
]


@pytest.mark.parametrize(("largest", "beyond"), AT_THE_LIMIT)
def test_a_limit_is_kept_exactly(largest: object, beyond: object) -> None:
    """The largest legal value is accepted, the next one refused."""
    assert len(documents.Claim.model_validate(claim(largest)).constraints) == 1
    assert len(refused(beyond)) == 1


LATITUDES = ("0", "-0.000001", "89.999999", "90", "-90.000000", "90.000001", "91", "-90.1", "00.4")
LONGITUDES = ("0", "068", "180", "-180.000000", "179.999999", "180.1", "-181", "190", "999", "9.")


@pytest.mark.parametrize("latitude", LATITUDES)
@pytest.mark.parametrize("longitude", LONGITUDES)
def test_the_schema_of_a_position_allows_just_what_is_read(latitude: str, longitude: str) -> None:
    """On both sides of every bound, and with zeros in front and behind."""
    written = f"{latitude},{longitude}"
    pattern = str(POSITION_SCHEMA["pattern"])
    try:
        read_position(written)
    except ValueError:
        assert re.search(pattern, written) is None
    else:
        assert re.search(pattern, written) is not None
