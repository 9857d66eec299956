"""Policy files held to what an import would hold them to."""

import pytest

from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.service import policy_checks
from grantproof.service.policy_checks import check_policy

HEAD = "apiVersion: grantproof/v1\nkind: Organization\nid: acme\n"
SOD = "sod_sets: [{id: s, roles: [a, b], n: 2}]\n"
ROLES = "roles: [{id: a}, {id: b}]\nprincipals: [{id: p}]\n"
BOTH = "assignments:\n- {principal: p, role: a}\n- {principal: p, role: b}\n"


def problems(**texts: str) -> list[str]:
    """The problems of files, as a command line would show them."""
    found = check_policy(texts)
    assert not isinstance(found, OrganizationDocument)
    return [problem.message for problem in found]


BREACH = (
    "assignments[1]: separation of duty: b conflicts with a: `p` would hold 2 roles of `s` (b; a)"
)


def test_a_breach_over_several_files_is_told_at_the_step_that_makes_it() -> None:
    """The set, the roles and the assignments stand in three files."""
    kind = HEAD.replace("id: acme\n", "")
    assert problems(a=HEAD + SOD, b=kind + ROLES, c=kind + BOTH) == [f"c:5:3: {BREACH}"]


def test_a_breach_is_told_beside_every_other_problem() -> None:
    """What an unknown name or a repetition would be refused for is not told twice."""
    more = "- {principal: q, role: a}\n- {principal: p, role: a}\nroles: [{id: z, parents: [z]}]\n"
    found = problems(a=HEAD + SOD + ROLES, b=HEAD + BOTH + more)
    assert found == [
        f"b:6:3: {BREACH}",
        "b:7:15: assignments[2].principal: must name a declared principal: `q` is none",
        "b:8:3: assignments[3]: must not be given twice: see b:5:3",
        "b:9:17: roles[0].parents: must not lead back to itself",
    ]


def test_a_refusal_is_written_with_its_code_and_its_witness() -> None:
    """As HTTP writes it."""
    found = check_policy({"a": HEAD + SOD + ROLES + BOTH})
    assert isinstance(found, tuple)
    (written,) = [problem.written() for problem in found]
    assert (written["code"], written["witness"]["principal"]) == ("breaks_sod", "p")


def test_a_time_zone_that_nobody_knows_is_told_where_it_stands() -> None:
    """In whichever file that is."""
    assert problems(a=HEAD, b=HEAD + "time_zone: Mars/Base\n") == [
        "b:4:12: time_zone: must be an IANA name such as `Europe/Paris`"
    ]


def test_more_than_one_change_can_take_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the bound it is accepted, above it is not."""
    monkeypatch.setattr(policy_checks, "COMMANDS_PER_CHANGE_SET_MAX", 3)
    assert isinstance(check_policy({"a": HEAD + ROLES}), OrganizationDocument)
    monkeypatch.setattr(policy_checks, "COMMANDS_PER_CHANGE_SET_MAX", 2)
    assert problems(a=HEAD + ROLES) == ["a:1:1: must take at most 2 changes: takes 3"]


def test_a_policy_may_be_given_another_name() -> None:
    """What names the old one is then refused, as it would be in the new one."""
    renamed = check_policy({"a": HEAD + ROLES}, name=OrganizationId("other"))
    assert isinstance(renamed, OrganizationDocument)
    assert renamed.id == "other"
    claims = "claims: [{id: c, role: a, action: administer, resource: 'organization:acme'}]\n"
    found = check_policy({"a": HEAD + ROLES + claims}, name=OrganizationId("other"))
    assert isinstance(found, tuple)
    assert [problem.place for problem in found] == [("a", 6, 10)]


def test_how_far_the_trial_is_is_told() -> None:
    """First how many steps there are, then each of them."""
    told: list[tuple[int, int]] = []
    check_policy({"a": HEAD + ROLES}, told=lambda more, steps: told.append((more, steps)))
    assert told == [(0, 3), (3, 3)]
