"""Attributes and constraints survive their JSON, and nothing else gets in."""

import pytest

from grantproof.adapters.sql.columns import (
    read_attributes,
    read_constraints,
    write_attributes,
    write_constraints,
)
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.errors import Illegal
from tests.contracts.histories import DIFFICULT, EVERY_CONSTRAINT


def test_attributes_come_back_with_their_types() -> None:
    """A bool stays a bool, an integer an integer, a set a set, any text itself."""
    read = read_attributes(write_attributes(DIFFICULT))
    assert read == DIFFICULT
    assert {name: type(value) for name, value in read.items()} == {
        name: type(value) for name, value in DIFFICULT.items()
    }


def test_no_attributes_are_an_empty_object() -> None:
    """The commonest value is shared, and written without a parser."""
    assert write_attributes(NO_ATTRIBUTES) == "{}"
    assert read_attributes("{}") is NO_ATTRIBUTES


def test_constraints_come_back_in_their_order() -> None:
    """Every kind of constraint is read as it was written."""
    assert read_constraints(write_constraints(EVERY_CONSTRAINT)) == EVERY_CONSTRAINT
    assert read_constraints(write_constraints(())) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "`attributes` "),
        ("[]", "`attributes` must be an object"),
        ('{"a": 1.5}', "`attributes.a` must be true, false, a whole number"),
        ('{"a": 9223372036854775808}', "`attributes.a` must fit in 64 bits"),
        ('{"a": null}', "`attributes.a` must be true, false, a whole number"),
        ('{"id": 1}', "`attributes.id` must not be `id`"),
    ],
)
def test_illegal_attributes_are_named(text: str, said: str) -> None:
    """What is wrong is told by name and rule, in one line."""
    with pytest.raises(Illegal) as caught:
        read_attributes(text)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "`constraints` must be a list"),
        ('[{"type": "never"}]', "`constraints[0].type` must be one of "),
        ('[{"type": "max_usage", "limit": 0}]', "`constraints[0].limit` must be greater than 0"),
    ],
)
def test_illegal_constraints_are_named(text: str, said: str) -> None:
    """What is wrong is told by position, name and rule."""
    with pytest.raises(Illegal) as caught:
        read_constraints(text)
    assert str(caught.value).startswith(said)
