"""Somebody else's banking and expense policies, with the answers that they state themselves."""

from dataclasses import replace
from pathlib import Path

import pytest

from grantproof.core.attributes import ClockYear, Literal, Operator
from grantproof.core.certificate import check
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import ChangeSet
from grantproof.core.identifiers import AttributeName, OrganizationId
from grantproof.core.index import Index
from grantproof.core.invariants import valid
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, ConstraintFailed, Deny, evaluate
from tests.differential.saas_rbac import Scenario, constraints, read_scenarios

NAMES = ["banking", "expense-report-with-groups"]


@pytest.fixture(scope="module", params=NAMES)
def scenario(request: pytest.FixtureRequest, real_data: Path) -> Scenario:
    """One scenario of the file."""
    found = read_scenarios(real_data / "saas-rbac" / "scenarios.json")
    return next(each for each in found if each.id == request.param)


@pytest.fixture(scope="module")
def state(scenario: Scenario) -> Organization:
    """The organization of the scenario, built by one change set."""
    empty = Organization(OrganizationId(scenario.id))
    built = apply(empty, ChangeSet(scenario.commands), actor="importer", instant=1_780_000_000)
    assert isinstance(built, Accepted), built
    return built.state


def test_the_file_has_the_scenarios_that_are_asked(real_data: Path) -> None:
    """Nothing in the file is left out: its scenarios are these, with 11 and 3 checks."""
    found = read_scenarios(real_data / "saas-rbac" / "scenarios.json")
    assert [(each.id, len(each.checks)) for each in found] == [*zip(NAMES, (11, 3), strict=True)]


def test_the_organization_is_valid(state: Organization) -> None:
    """What the commands build violates no invariant."""
    assert valid(state) == ()


def test_every_check_is_answered_by_the_stated_policy(
    scenario: Scenario, state: Organization
) -> None:
    """Reference and index give each check the answer that follows from the stated policy."""
    index = Index(state)
    expected = [asked.allowed for asked in scenario.checks]
    by_reference = [evaluate(state, asked.request, asked.context) for asked in scenario.checks]
    by_index = [index.decide(asked.request, asked.context) for asked in scenario.checks]
    assert [isinstance(decision, Allow) for decision in by_reference] == expected
    assert by_index == by_reference


def test_every_allow_has_a_certificate_that_checks(scenario: Scenario, state: Organization) -> None:
    """The certificate of each Allow is accepted, and refused for the next revision."""
    later = replace(state, revision=state.revision + 1)
    verdicts = [
        (
            check(state, asked.request, asked.context, certificate=decision.certificate),
            check(later, asked.request, asked.context, certificate=decision.certificate),
        )
        for asked in scenario.checks
        if isinstance(decision := evaluate(state, asked.request, asked.context), Allow)
    ]
    assert verdicts == [(True, False)] * sum(asked.allowed for asked in scenario.checks)


def test_only_the_flagged_answer_differs_from_the_published_one(scenario: Scenario) -> None:
    """The published answers are the stated policy's, but for the one that the file flags."""
    differing = [asked for asked in scenario.checks if asked.allowed != asked.published]
    assert differing == [asked for asked in scenario.checks if asked.flagged]


def test_without_its_scope_every_check_is_denied(scenario: Scenario, state: Organization) -> None:
    """Every claim is bound to a scope: a request that names none is granted nothing."""
    unscoped = [
        replace(asked.context, attributes=asked.context.attributes.delete(AttributeName("scope")))
        for asked in scenario.checks
    ]
    decisions = [
        evaluate(state, asked.request, context)
        for asked, context in zip(scenario.checks, unscoped, strict=True)
    ]
    assert not any(isinstance(decision, Allow) for decision in decisions)
    granted = [
        decision
        for asked, decision in zip(scenario.checks, decisions, strict=True)
        if asked.allowed
    ]
    assert all(
        isinstance(decision, Deny) and isinstance(decision.reason, ConstraintFailed)
        for decision in granted
    )


def test_the_reader_understands_each_comparison_and_refuses_others() -> None:
    """Strings, numbers and the current year are read; an unknown operator is not skipped."""
    read = constraints('region == "Mid" && balance < 10 && year == current_year()')
    assert [(c.path.name, c.operator, c.operand) for c in read] == [
        ("region", Operator.EQ, Literal("Mid")),
        ("balance", Operator.LT, Literal(10)),
        ("year", Operator.EQ, ClockYear()),
    ]
    with pytest.raises(ValueError, match="not a comparison"):
        constraints("balance > 10")
