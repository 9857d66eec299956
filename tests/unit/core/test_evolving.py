"""A value like another is the one that `dataclasses.replace` makes."""

import dataclasses
from dataclasses import FrozenInstanceError, fields

import pytest

from grantproof.core.evolving import replace
from grantproof.core.identifiers import OrganizationId
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
