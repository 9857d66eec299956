"""A value like another is the one that `dataclasses.replace` makes."""

import dataclasses
from dataclasses import FrozenInstanceError, fields

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.evolving import each_like, replace
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.core.model import Principal
from grantproof.core.organization import Organization
from tests.organizations import EVE, library, made_of, people


def test_is_what_the_standard_library_makes() -> None:
    """Whichever field is given, it is taken; every other one is kept, and so is the value."""
    state = made_of(*library(), *people(EVE), revision=3)
    other = Organization(OrganizationId("other"), 7, "Europe/Berlin")
    before = dict(vars(state))
    for field in fields(Organization):
        given = {field.name: getattr(other, field.name)}
        made = replace(state, **given)
        assert made == dataclasses.replace(state, **given)
        assert all(getattr(made, name) is kept for name, kept in (before | given).items())
    assert vars(state) == before


def test_what_is_made_cannot_be_changed() -> None:
    """It is of the same class, as frozen, with several fields given or with none."""
    state = made_of(*library())
    for made in (replace(state), replace(state, revision=9, time_zone="Europe/Berlin")):
        assert type(made) is Organization
        assert made is not state
        with pytest.raises(FrozenInstanceError):
            setattr(made, "revision", 3)  # noqa: B010 - a checker knows that it must fail


@pytest.mark.parametrize(
    "pattern",
    [Principal(EVE), Principal(EVE, active=False, attributes=attributes({"staff": True}))],
)
def test_each_is_like_the_pattern_but_for_one_field(pattern: Principal) -> None:
    """What the standard library makes, with the pattern's own values, and as frozen."""
    ids = [PrincipalId(name) for name in ("x", "y", "z")]
    made = each_like(pattern, "id", ids)
    assert made == [dataclasses.replace(pattern, id=one) for one in ids]
    assert [one.id for one in made] == ids
    for one in made:
        assert type(one) is Principal
        assert (one.attributes is pattern.attributes, one.booleans == pattern.booleans) == (
            True,
        ) * 2
        with pytest.raises(FrozenInstanceError):
            setattr(one, "active", True)  # noqa: B010 - a checker knows that it must fail


def test_none_is_like_the_pattern_where_there_are_no_values() -> None:
    """Nothing is made."""
    assert each_like(Principal(EVE), "id", []) == []
