"""The banking and expense scenarios of `saas-rbac` in our words: commands and checks.

A scope is a condition on `context.scope`, a constraint of the source is a conjunction of
comparisons on the context. What this reader does not understand it refuses, it never skips.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any as Json

from grantproof.core.attributes import (
    ClockYear,
    Literal,
    Operand,
    Operator,
    Path,
    Root,
    Value,
    attributes,
)
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    CreateClaim,
    CreateGroup,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    NestGroup,
    SingleCommand,
)
from grantproof.core.constraints import Attribute, Context
from grantproof.core.identifiers import (
    Action,
    AttributeName,
    ClaimId,
    GroupId,
    Kind,
    PrincipalId,
    ResourceId,
    RoleId,
)
from grantproof.core.matching import Request
from grantproof.core.model import Claim, Exactly, Resource

KIND = Kind("record")
YEAR = 2026
COMPARISON = re.compile(r'(\w+) (==|<) (?:"([^"]*)"|(\d+)|(current_year\(\)))')
OPERATORS = {"==": Operator.EQ, "<": Operator.LT}


@dataclass(frozen=True, slots=True)
class Check:
    """A question of a scenario, and the answers: by its stated policy, and as published."""

    request: Request
    context: Context
    allowed: bool
    published: bool
    flagged: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    """An organization to be built, and what is asked of it."""

    id: str
    commands: tuple[SingleCommand, ...]
    checks: tuple[Check, ...]


def read_scenarios(file: FilePath) -> tuple[Scenario, ...]:
    """The scenarios of the file."""
    found = json.loads(file.read_text(encoding="utf-8"))["scenarios"]
    return tuple(
        Scenario(
            scenario["id"],
            (*_entities(scenario), *_claims(scenario), *_links(scenario)),
            tuple(_check(check) for check in scenario["checks"]),
        )
        for scenario in found
    )


def constraints(text: str) -> tuple[Attribute, ...]:
    """The comparisons that the text joins by `&&`, in our words."""
    return tuple(_comparison(part) for part in text.split(" && "))


def _comparison(text: str) -> Attribute:
    found = COMPARISON.fullmatch(text)
    if found is None:
        message = f"not a comparison: {text}"
        raise ValueError(message)
    name, operator, string, number, _ = found.groups()
    operand: Operand = ClockYear()
    if string is not None:
        operand = Literal(string)
    elif number is not None:
        operand = Literal(int(number))
    return Attribute(_of_context(name), OPERATORS[operator], operand)


def _of_context(name: str) -> Path:
    return Path(Root.CONTEXT, AttributeName(name))


def _entities(scenario: dict[str, Json]) -> Iterator[SingleCommand]:
    yield CreateKind(KIND)
    # The checks ask about resources that no claim names, and about nobody who is not listed.
    named = {claim["resource"] for claim in scenario["claims"]}
    for resource in sorted(named | {check["r"] for check in scenario["checks"]}):
        yield CreateResource(Resource(ResourceId(resource), KIND))
    yield from (CreateRole(RoleId(role)) for role in scenario["roles"])
    yield from (CreateGroup(GroupId(group)) for group in scenario.get("groups", {}))
    people = scenario.get("principals") or scenario["group_members"]
    yield from (CreatePrincipal(PrincipalId(person)) for person in people)


def _claims(scenario: dict[str, Json]) -> Iterator[SingleCommand]:
    for claim in scenario["claims"]:
        scope = Attribute(_of_context("scope"), Operator.EQ, Literal(claim["scope"]))
        for action in claim["actions"]:
            yield CreateClaim(
                Claim(
                    ClaimId(f"{claim['role']}-{action}-{claim['resource']}"),
                    RoleId(claim["role"]),
                    Exactly(Action(action)),
                    Exactly(ResourceId(claim["resource"])),
                    (scope, *constraints(claim["constraint"])),
                )
            )


def _links(scenario: dict[str, Json]) -> Iterator[SingleCommand]:
    for role, parent in _pairs(scenario, "roles"):
        yield AddParent(RoleId(role), RoleId(parent))
    for group, container in _pairs(scenario, "groups"):
        yield NestGroup(GroupId(group), GroupId(container))
    for person, group in _pairs(scenario, "group_members"):
        yield AddMember(PrincipalId(person), GroupId(group))
    for group, role in _pairs(scenario, "group_roles"):
        yield AssignGroupRole(GroupId(group), RoleId(role))
    for person, role in _pairs(scenario, "principals"):
        yield AssignRole(PrincipalId(person), RoleId(role))


def _pairs(scenario: dict[str, Json], table: str) -> Iterator[tuple[str, str]]:
    return ((one, other) for one, others in scenario.get(table, {}).items() for other in others)


def _check(check: dict[str, Json]) -> Check:
    given: dict[str, Value] = {
        name: YEAR if value == "CURRENT_YEAR" else value for name, value in check["ctx"].items()
    }
    return Check(
        Request(PrincipalId(check["p"]), Action(check["a"]), ResourceId(check["r"])),
        Context(
            instant=1_780_000_000,
            hour=12,
            weekday=2,
            year=YEAR,
            attributes=attributes({**given, "scope": check["scope"]}),
        ),
        allowed=check["by_stated_policy"] == "allow",
        published=check["published"] == "allow",
        flagged=check.get("contradiction", False),
    )
