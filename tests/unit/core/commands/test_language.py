"""Commands are values: what they assume when nothing is said, and what they refuse to be."""

import pytest

from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.commands import language
from grantproof.core.commands.language import (
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    CreatePrincipal,
    CreateRole,
    DeleteGroup,
    DeleteKind,
    DeletePrincipal,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    as_one,
)
from grantproof.core.errors import Illegal
from grantproof.core.model import ALWAYS
from tests.organizations import ANN, CLERK, FILE, PAIR, PLAN, STAFF


def test_several_commands_are_one_change_and_one_is_itself() -> None:
    """In their order; a change set of one would be told otherwise in the history."""
    first, second = CreateRole(CLERK), CreatePrincipal(ANN)
    assert as_one([first]) == first
    assert as_one([second, first]) == ChangeSet((second, first))


def test_no_deletion_cascades_unless_asked() -> None:
    """The safe form is the default of every deletion."""
    deletions = (
        DeletePrincipal(ANN),
        DeleteGroup(STAFF),
        DeleteRole(CLERK),
        DeleteKind(FILE),
        DeleteResource(PLAN),
        DeleteSodSet(PAIR),
    )
    assert [deletion.cascade for deletion in deletions] == [False] * 6


def test_an_assignment_is_unlimited_unless_limited() -> None:
    """Without a validity it holds always; a principal has no attributes."""
    assert AssignRole(ANN, CLERK).validity == AssignGroupRole(STAFF, CLERK).validity == ALWAYS
    assert CreatePrincipal(ANN).attributes == NO_ATTRIBUTES


def test_a_change_set_is_not_empty() -> None:
    """It has at least one command."""
    with pytest.raises(Illegal, match="`commands` must not be empty"):
        ChangeSet(())
    assert len(ChangeSet((CreateRole(CLERK),)).commands) == 1


def test_a_change_set_stops_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a limit of 3, sets of 2 and 3 are legal and one of 4 is not."""
    monkeypatch.setattr(language, "COMMANDS_PER_CHANGE_SET_MAX", 3)
    one = CreateRole(CLERK)
    assert [len(ChangeSet((one,) * n).commands) for n in (2, 3)] == [2, 3]
    with pytest.raises(Illegal, match="`commands` must have at most 3 members"):
        ChangeSet((one,) * 4)
