"""Imported Casbin policies answer as the matcher of their model does."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.identifiers import Action, OrganizationId, PrincipalId, ResourceId
from grantproof.core.matching import Request
from grantproof.core.policy import Allow, evaluate
from grantproof.policyfile.importers.casbin import read_casbin
from grantproof.policyfile.importers.reading import Imported, Text
from tests.differential.kubernetes_rbac import NOON, organization

ORGANIZATION = OrganizationId("o")
NAMES = ("ann", "bob", "staff", "lead")
OBJECTS = ("data1", "data2")
ACTIONS = ("read", "write")


def enforced(policy: str, asked: tuple[str, ...]) -> bool:
    """Whether some line of the policy is about the request, as `some(where allow)` has it."""
    rows = [[value.strip() for value in line.split(",")] for line in policy.splitlines() if line]
    subject, *rest = asked
    domain = rest[:1] if len(asked) == 4 else []
    reached, before = {subject}, set[str]()
    while reached != before:
        before = reached
        links = (row[1:] for row in rows if row[0] == "g")
        reached = reached | {link[1] for link in links if link[0] in reached and link[2:] == domain}
    return any(row[0] == "p" and row[1] in reached and row[2:] == rest for row in rows)


def answers(
    model: str, policy: str, *, domain: str | None = None
) -> list[tuple[tuple[str, ...], bool]]:
    """Every request about what the policy names, each with our answer."""
    texts = [Text("m.conf", model), Text("p.csv", policy)]
    imported = read_casbin(texts, ORGANIZATION, domain=domain)
    assert isinstance(imported, Imported), imported
    state = organization(imported.document)
    inside = () if domain is None else (domain,)
    return [
        (
            (principal, *inside, resource, action),
            isinstance(
                evaluate(state, Request(principal, Action(action), ResourceId(resource)), NOON),
                Allow,
            ),
        )
        for principal, resource, action in product(
            map(PrincipalId, state.principals), state.resources, ACTIONS
        )
    ]


@pytest.mark.parametrize(
    ("model", "policy", "domain", "allowed"),
    [
        ("rbac_model", "rbac_policy", None, 4),
        ("rbac_model", "rbac_with_hierarchy_policy", None, 5),
        ("rbac_with_domains_model", "rbac_with_domains_policy", "domain1", 2),
        ("rbac_with_domains_model", "rbac_with_domains_policy", "domain2", 2),
    ],
)
def test_casbins_own_policies_answer_alike(
    model: str, policy: str, *, domain: str | None, allowed: int, real_data: Path
) -> None:
    """Each principal, object and action of each file, and so many of them allowed."""
    folder = real_data / "casbin"
    text = (folder / f"{policy}.csv").read_text()
    found = answers((folder / f"{model}.conf").read_text(), text, domain=domain)
    assert found == [(asked, enforced(text, asked)) for asked, _ in found]
    assert sum(answer for _, answer in found) == allowed


def test_casbins_own_cycle_is_refused_with_the_cycle(real_data: Path) -> None:
    """The file exists to show that Casbin survives it; here it cannot be said."""
    folder = real_data / "casbin"
    names = ("rbac_model.conf", "rbac_with_cycle_policy.csv")
    refused = read_casbin([Text(n, (folder / n).read_text()) for n in names], ORGANIZATION)
    assert not isinstance(refused, Imported)
    (problem,) = refused
    assert (problem.file, problem.line) == ("rbac_with_cycle_policy.csv", 5)
    assert problem.rule.endswith("itself: alice -> data2_admin -> super_admin -> alice")


MODEL = """\
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = g(r.sub, p.sub) && r.obj == p.obj && r.act == p.act
"""
# Names are linked in one order only, so that there is no cycle.
LINKS = [f"g, {one}, {other}" for i, one in enumerate(NAMES) for other in NAMES[i + 1 :]]
GRANTS = [f"p, {', '.join(said)}" for said in product(NAMES, OBJECTS, ACTIONS)]


@settings(max_examples=60)
@given(st.lists(st.sampled_from(LINKS)), st.lists(st.sampled_from(GRANTS), max_size=6))
def test_generated_policies_answer_alike(links: list[str], grants: list[str]) -> None:
    """Whatever the hierarchy and the lines, in whatever order, some given twice."""
    policy = "\n".join([*links, *grants])
    found = answers(MODEL, policy)
    assert found == [(asked, enforced(policy, asked)) for asked, _ in found]
