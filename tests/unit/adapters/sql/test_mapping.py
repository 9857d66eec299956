"""Facts and rows say the same, both ways, and no fact is left out."""

from typing import get_args

import pytest

from grantproof.adapters.sql.mapping import (
    MAPPINGS,
    Reading,
    read_flag,
    read_pattern,
    write_pattern,
)
from grantproof.core.commands import Accepted, apply
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import OrganizationId, ResourceId
from grantproof.core.model import Administered, Any, Exactly, Fact, OfKind, SodSet, Within
from grantproof.core.organization import Organization, facts
from tests.contracts.histories import HISTORY


def state() -> Organization:
    """An organization with every kind of fact."""
    reached = Organization(OrganizationId("acme"))
    for command in HISTORY:
        outcome = apply(reached, command, actor="me", instant=1)
        assert isinstance(outcome, Accepted)
        reached = outcome.state
    return reached


def test_every_kind_of_fact_has_a_table() -> None:
    """Only having been administered is a column of the organization instead."""
    assert {mapping.fact for mapping in MAPPINGS} == set(get_args(Fact)) - {Administered}


def test_a_row_is_read_as_the_fact_that_wrote_it() -> None:
    """Each fact comes back equal from the values of its row."""
    for mapping in MAPPINGS:
        if mapping.read is None or mapping.fact is SodSet:
            continue
        examples = [fact for fact in facts(state()) if type(fact) is mapping.fact]
        assert len(examples) > 0
        for fact in examples:
            (values,) = mapping.write(fact)
            row = [values[name] for name in mapping.columns]
            assert mapping.read(row, Reading()) == fact


def test_a_separation_of_duty_set_is_read_with_its_roles() -> None:
    """A set is one row, and one for each of its roles."""
    whole, parts = (mapping for mapping in MAPPINGS if mapping.fact is SodSet)
    for sod_set in state().sod_sets.values():
        (values,) = whole.write(sod_set)
        roles = [row["role_id"] for row in parts.write(sod_set)]
        assert whole.read is not None
        row = [*(values[name] for name in whole.columns), roles]
        assert whole.read(row, Reading()) == sod_set


def test_every_table_comes_after_those_it_refers_to() -> None:
    """The order in which rows are written lets no reference be early, but among one table's."""
    written = {"organization"}
    for mapping in MAPPINGS:
        referred = {key.referred_table.name for key in mapping.table.foreign_key_constraints}
        assert referred - {mapping.table.name} <= written
        written.add(mapping.table.name)


@pytest.mark.parametrize(
    ("pattern", "stored"),
    [
        (Exactly(ResourceId("docs")), ("exactly", "docs")),
        (Within(ResourceId("docs")), ("within", "docs")),
        (OfKind("document"), ("kind", "document")),
        (Any(), ("any", None)),
    ],
)
def test_resource_patterns_are_told_apart(
    pattern: Exactly[ResourceId] | Within | OfKind | Any, stored: tuple[str, str | None]
) -> None:
    """Each sort of pattern has its own name in the table."""
    assert write_pattern(pattern) == stored
    assert read_pattern(*stored, Reading()) == pattern


@pytest.mark.parametrize(
    ("sort", "name"), [("any", "docs"), ("exactly", None), ("kind", None), ("", "docs")]
)
def test_half_a_pattern_is_illegal(sort: str, name: str | None) -> None:
    """A sort without its name, a name without its sort and an unknown sort are refused."""
    with pytest.raises(Illegal):
        read_pattern(sort, name, Reading())


@pytest.mark.parametrize("stored", [2, -1, None, "1", "x"])
def test_only_0_and_1_are_flags(stored: object) -> None:
    """Nothing is taken for true because it is not false."""
    assert (read_flag("active", 0), read_flag("active", 1)) == (False, True)
    with pytest.raises(Illegal, match="`active` must be 0 or 1"):
        read_flag("active", stored)
