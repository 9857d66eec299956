"""The steps of a policy tried on paper: every refusal, and nothing that only follows from one."""

from collections.abc import Iterable

import pytest

from grantproof.core.commands.language import (
    AddMember,
    AssignRole,
    CreateGroup,
    CreatePrincipal,
    CreateRole,
    CreateSodSet,
    SingleCommand,
)
from grantproof.core.errors import AlreadyExists, BreaksSod, Missing, OverLimit
from grantproof.core.identifiers import GroupId, OrganizationId, PrincipalId, RoleId, SodSetId
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization
from grantproof.policyfile import policy_trial
from grantproof.policyfile.organization_document import Step
from grantproof.policyfile.policy_trial import RefusedStep, refused_steps

EMPTY = Organization(OrganizationId("acme"))
NAMES = ("a", "b", "c")
PEOPLE = [CreatePrincipal(PrincipalId(name)) for name in NAMES]
ROLES = [CreateRole(RoleId(name)) for name in NAMES]
APART = CreateSodSet(SodSet(SodSetId("s"), frozenset(map(RoleId, NAMES)), 2))


def held(person: str, role: str) -> AssignRole:
    """The assignment of a role."""
    return AssignRole(PrincipalId(person), RoleId(role))


def tried(*commands: SingleCommand) -> list[RefusedStep]:
    """What becomes of the commands, each at the path of its position."""
    steps: Iterable[Step] = [((i,), command) for i, command in enumerate(commands)]
    return refused_steps(EMPTY, list(steps), told=lambda _: None)


@pytest.mark.parametrize("at_once", [1, 2, 3, 1_000])
def test_every_refused_step_is_told(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are tried at once, a refused step is passed over and the next ones are tried."""
    monkeypatch.setattr(policy_trial, "STEPS_AT_ONCE", at_once)
    grants = [held(*pair) for pair in ("aa", "ab", "ba", "bb", "cc")]
    found = tried(*PEOPLE, *ROLES, APART, *grants, CreateRole(RoleId("a")))
    assert [(one.path, type(one.refusal)) for one in found] == [
        ((8,), BreaksSod),
        ((10,), BreaksSod),
        ((12,), AlreadyExists),
    ]


def test_what_is_missing_because_of_a_refusal_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A role too many is one problem; what names it is none, unlike what names nothing at all."""
    assert [type(one.refusal) for one in tried(held("a", "a"))] == [Missing]
    monkeypatch.setattr("grantproof.core.commands.bounds.ROLES_MAX", 2)
    found = tried(*PEOPLE, *ROLES, held("a", "c"), held("a", "a"))
    assert [(one.path, type(one.refusal)) for one in found] == [((5,), OverLimit)]


def test_every_step_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a bar reaches its end, refusals included."""
    monkeypatch.setattr(policy_trial, "STEPS_AT_ONCE", 3)
    told: list[int] = []
    member = AddMember(PrincipalId("a"), GroupId("g"))
    commands: list[SingleCommand] = [*PEOPLE, member, CreateGroup(GroupId("g")), member]
    steps: list[Step] = [((), command) for command in commands]
    assert len(refused_steps(EMPTY, steps, told=told.append)) == 1
    assert sum(told) == len(steps)
