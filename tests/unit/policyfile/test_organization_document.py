"""A whole organization as a document: its commands, and what keeps it from being one."""

from typing import Any

import pytest
from pydantic import ValidationError

from grantproof.core.commands import Accepted, Rejected, apply
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreatePrincipal,
    CreateResource,
    SuspendPrincipal,
)
from grantproof.core.errors import BreaksSod, RefusedAt
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.organization import facts
from grantproof.policyfile.faults import faults
from grantproof.policyfile.organization_document import (
    OrganizationDocument,
    steps,
    to_change_set,
)
from tests.documents import from_organization

HEAD = {"apiVersion": "grantproof/v1", "kind": "Organization", "id": "acme"}

WHOLE: dict[str, Any] = HEAD | {
    "time_zone": "Europe/Paris",
    "kinds": [{"id": "document"}],
    "principals": [{"id": "ann"}, {"id": "bob", "active": False}],
    "groups": [{"id": "team"}, {"id": "staff"}],
    "roles": [
        {"id": "editor", "parents": ["viewer"]},
        {"id": "viewer"},
        {"id": "auditor"},
        {"id": "admin"},
    ],
    "resources": [
        {"id": "docs/a/b", "kind": "document", "parent": "docs/a"},
        {"id": "docs/a", "kind": "document", "parent": "docs"},
        {"id": "docs", "kind": "document"},
    ],
    "claims": [
        {"id": "c1", "role": "viewer", "action": "read", "resource": "docs/**"},
        {"id": "c2", "role": "auditor", "action": "review", "resource": "sod-set:duties"},
        {"id": "c3", "role": "admin", "action": "administer", "resource": "organization:acme"},
    ],
    "sod_sets": [{"id": "duties", "roles": ["editor", "auditor"], "n": 2}],
    "memberships": [{"principal": "bob", "group": "team"}],
    "nestings": [{"group": "team", "container": "staff"}],
    "assignments": [
        {"principal": "ann", "role": "admin"},
        {"group": "staff", "role": "editor", "from": 5, "until": 9},
    ],
}


def refused(**changed: object) -> list[str]:
    """Why an organization with some fields changed is refused."""
    with pytest.raises(ValidationError) as caught:
        OrganizationDocument.model_validate(HEAD | changed)
    return [fault.message for fault in faults(caught.value)]


def imported(document: OrganizationDocument) -> Accepted:
    """What the commands of the document make of an empty organization."""
    outcome = apply(document.empty(), ChangeSet(to_change_set(document)), actor="ann", instant=0)
    assert isinstance(outcome, Accepted), outcome
    return outcome


def test_an_imported_organization_is_exported_as_it_was_written() -> None:
    """Suspensions, hierarchies, sets and validities survive; lists come back sorted."""
    state = imported(OrganizationDocument.model_validate(WHOLE)).state
    assert state.administered
    assert state.time_zone == "Europe/Paris"
    document = from_organization(state)
    assert [resource.id for resource in document.resources] == ["docs", "docs/a", "docs/a/b"]
    again = imported(OrganizationDocument.model_validate(document.written())).state
    assert set(facts(again)) == set(facts(state))


def test_commands_come_in_an_order_that_can_be_applied_one_by_one() -> None:
    """Each command is accepted by itself, parents before children."""
    document = OrganizationDocument.model_validate(WHOLE)
    state = document.empty()
    for command in to_change_set(document):
        outcome = apply(state, command, actor="ann", instant=0)
        assert isinstance(outcome, Accepted), outcome
        state = outcome.state
    created = [step for step in to_change_set(document) if isinstance(step, CreateResource)]
    assert [step.resource.id for step in created] == ["docs", "docs/a", "docs/a/b"]


def test_a_suspended_principal_is_created_and_then_suspended() -> None:
    """The language has no command that creates a suspended principal."""
    written = HEAD | {"principals": [{"id": "bob", "active": False}]}
    bob = PrincipalId("bob")
    commands = to_change_set(OrganizationDocument.model_validate(written))
    assert commands == (CreatePrincipal(bob), SuspendPrincipal(bob))


def test_a_breach_of_duty_is_refused_at_the_assignment_that_makes_it() -> None:
    """The step refused leads to the line of the assignment."""
    breach = {"principal": "bob", "role": "auditor"}
    document = OrganizationDocument.model_validate(
        WHOLE | {"assignments": [*WHOLE["assignments"], breach]}
    )
    planned = list(steps(document))
    outcome = apply(
        document.empty(),
        ChangeSet(tuple(command for _, command in planned)),
        actor="ann",
        instant=0,
    )
    assert isinstance(outcome, Rejected)
    assert isinstance(outcome.refusal, RefusedAt)
    assert isinstance(outcome.refusal.refusal, BreaksSod)
    assert planned[outcome.refusal.position] == (
        ("assignments", 2),
        AssignRole(PrincipalId("bob"), RoleId("auditor")),
    )


def test_an_empty_organization_needs_no_commands() -> None:
    """The shortest document is a legal one."""
    assert to_change_set(OrganizationDocument.model_validate(HEAD)) == ()


ROLE, GROUP = {"id": "r"}, {"id": "g"}
CLAIM = {"id": "c", "role": "r", "action": "read", "resource": "*"}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"apiVersion": "v2"}, "apiVersion: must be `grantproof/v1`"),
        ({"kind": "Org"}, "kind: must be `Organization`"),
        ({"time_zone": ""}, "time_zone: must have 1 to 64 characters"),
        ({"time_zone": "Z" * 65}, "time_zone: must have 1 to 64 characters"),
        ({"time_zone": None}, "time_zone: must be a string"),
        ({"users": []}, "users: is not a known field"),
        ({"roles": {"id": "r"}}, "roles: must be a list"),
        ({"roles": ["r"]}, "roles[0]: must be an object"),
        ({"roles": [ROLE, ROLE]}, "roles[1]: must not be given twice: see roles[0]"),
        ({"roles": [{"id": "r", "parents": ["x", "x"]}]}, "roles[0].parents: must not hold `x`"),
        (
            {"roles": [{"id": "r", "parents": ["x"]}]},
            "roles[0].parents: must name a declared role: `x` is none",
        ),
        ({"roles": [{"id": "r", "parents": ["r"]}]}, "roles[0].parents: must not lead back to its"),
        ({"claims": [CLAIM]}, "claims[0].role: must name a declared role: `r` is none"),
        (
            {"roles": [ROLE], "claims": [CLAIM | {"resource": "docs/**"}]},
            "claims[0].resource: must name a declared resource: `docs` is none",
        ),
        (
            {"roles": [ROLE], "claims": [CLAIM | {"resource": "kind:page"}]},
            "claims[0].resource: must name a declared kind: `page` is none",
        ),
        (
            {"roles": [ROLE], "claims": [CLAIM | {"resource": "organization:other"}]},
            "claims[0].resource: must name a declared resource: `organization:other` is none",
        ),
        (
            {"resources": [{"id": "a", "kind": "k"}]},
            "resources[0].kind: must name a declared kind: `k` is none",
        ),
        (
            {"kinds": [{"id": "k"}], "resources": [{"id": "a", "kind": "k", "parent": "b"}]},
            "resources[0].parent: must name a declared resource: `b` is none",
        ),
        (
            {"kinds": [{"id": "k"}], "resources": [{"id": "a", "kind": "k", "parent": "a"}]},
            "resources[0].parent: must not lead back to itself",
        ),
        (
            {"groups": [GROUP], "nestings": [{"group": "g", "container": "g"}]},
            "nestings[0].container: must not lead back to itself",
        ),
        (
            {"roles": [ROLE], "sod_sets": [{"id": "s", "roles": ["r", "x"], "n": 2}]},
            "sod_sets[0].roles: must name a declared role: `x` is none",
        ),
        (
            {"groups": [GROUP], "memberships": [{"principal": "p", "group": "g"}]},
            "memberships[0].principal: must name a declared principal: `p` is none",
        ),
        (
            {"roles": [ROLE], "assignments": [{"group": "g", "role": "r"}]},
            "assignments[0].group: must name a declared group: `g` is none",
        ),
        (
            {"assignments": [{"group": "g", "principal": "p", "role": "r"}]},
            "assignments[0].principal: is not a known field",
        ),
        ({"assignments": ["g"]}, "assignments[0]: must be an object"),
        ({"assignments": {}}, "assignments: must be a list"),
        (
            {"assignments": [{"principal": "p", "role": "r", "from": 9, "until": 9}]},
            "assignments[0].from: must be before `until`",
        ),
    ],
)
def test_an_inconsistent_organization_is_refused_at_its_field(
    changed: dict[str, object], message: str
) -> None:
    """Repetitions, unknown names and cycles are refused where they are written."""
    (found,) = refused(**changed)
    assert found.startswith(message)


def test_the_links_of_a_cycle_are_told_and_no_others() -> None:
    """What only leads into a cycle, or out of one, is not at fault."""
    parents = {"in": ["a"], "a": ["b"], "b": ["c"], "c": ["a", "out"], "out": []}
    found = refused(roles=[{"id": role, "parents": above} for role, above in parents.items()])
    assert found == [f"roles[{i}].parents: must not lead back to itself" for i in (1, 2, 3)]


def test_the_same_pair_may_be_assigned_to_a_principal_and_to_a_group() -> None:
    """A principal and a group of one name are two holders."""
    both = [{"principal": "x", "role": "r"}, {"group": "x", "role": "r"}]
    document = HEAD | {
        "principals": [{"id": "x"}],
        "groups": [{"id": "x"}],
        "roles": [ROLE],
        "assignments": both,
    }
    assert len(OrganizationDocument.model_validate(document).assignments) == 2
    assert refused(**(document | {"assignments": [*both, both[1]]})) == [
        "assignments[2]: must not be given twice: see assignments[1]"
    ]
