"""Imported Kubernetes policies answer as the authorizer of Kubernetes does."""

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.commands.language import (
    AddMember,
    AssignRole,
    CreatePrincipal,
    SingleCommand,
)
from grantproof.core.identifiers import Action, GroupId, OrganizationId, PrincipalId, RoleId
from grantproof.core.index import Index
from grantproof.core.invariants import valid
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow
from grantproof.policyfile.importers.kubernetes import read_kubernetes
from grantproof.policyfile.importers.reading import Imported, Text
from tests.differential.kubernetes_rbac import (
    NOON,
    Asked,
    Cluster,
    Json,
    by_name,
    granted,
    objects_of,
    organization,
    request_for,
)

DEFAULTS = ("cluster-roles", "cluster-role-bindings", "namespace-roles", "namespace-role-bindings")
ROLES = ("admin", "edit", "view")


@cache
def default_texts(folder: Path) -> tuple[Text, ...]:
    """The manifests of the default roles and bindings."""
    return tuple(Text(name, (folder / f"{name}.yaml").read_text()) for name in DEFAULTS)


@pytest.fixture(scope="module")
def cluster(real_data: Path) -> Cluster:
    """The default roles and bindings, as the oracle reads them."""
    texts = default_texts(real_data / "kubernetes-rbac")
    return Cluster(one for text in texts for one in objects_of(text.content))


@pytest.fixture(scope="module")
def imported(real_data: Path) -> Imported:
    """The default roles and bindings, imported."""
    found = read_kubernetes(default_texts(real_data / "kubernetes-rbac"), OrganizationId("k8s"))
    assert isinstance(found, Imported), found
    return found


@pytest.fixture(scope="module")
def state(imported: Imported) -> Organization:
    """The organization, with somebody in each group and somebody who only holds each role."""
    extra: list[SingleCommand] = [
        command
        for group in imported.document.groups
        for command in (
            CreatePrincipal(PrincipalId(f"in:{group.id}")),
            AddMember(PrincipalId(f"in:{group.id}"), group.id),
        )
    ]
    for role in ROLES:
        extra += [CreatePrincipal(PrincipalId(role)), AssignRole(PrincipalId(role), RoleId(role))]
    return organization(imported.document, *extra)


def vocabulary(cluster: Cluster, field: str) -> list[str]:
    """Everything that the rules name in the field, but for wildcards."""
    rules = [rule for role in cluster.roles.values() for rule in role.get("rules") or ()]
    named = {word for rule in rules for word in rule.get(field) or ()}
    return sorted(word for word in named if "*" not in word)


def test_all_of_the_default_roles_are_there(imported: Imported, state: Organization) -> None:
    """31 cluster roles and 7 of namespaces; what is reported is known, and nothing else is."""
    assert len(imported.document.roles) == 38
    assert valid(state) == ()
    notes = Counter(note.what for note in imported.untranslated)
    assert notes == {
        "verb `*`": 3,
        "verb `impersonate`": 1,
        "group `system:masters`": 1,
        "group `system:authenticated`": 1,
        "group `system:unauthenticated`": 1,
        "group `system:nodes`": 1,
    }


def test_admin_may_more_than_edit_and_edit_more_than_view(
    cluster: Cluster, state: Organization
) -> None:
    """Over every resource of the tree and every verb, the rights of each contain the next's."""
    index = Index(state)
    verbs = [Action(verb) for verb in vocabulary(cluster, "verbs")]
    admin, edit, view = (
        {
            (verb, resource)
            for verb, resource in product(verbs, state.resources)
            if isinstance(index.decide(Request(PrincipalId(role), verb, resource), NOON), Allow)
        }
        for role in ROLES
    )
    assert admin > edit > view != set()


def test_everybody_may_what_the_authorizer_lets_them(
    cluster: Cluster, imported: Imported, state: Organization
) -> None:
    """Every rule of every role, asked for each subject, in and out of the bound namespaces."""
    index = Index(state)
    people = {str(one.id): by_name(one.id) for one in imported.document.principals}
    people |= {f"in:{one.id}": (one.id,) for one in imported.document.groups}
    asked = [replace(each, user=user) for user in people for each in questions(cluster)]
    answers = [isinstance(index.decide(request_for(state, each), NOON), Allow) for each in asked]
    assert answers == [cluster.allows(each, people[each.user]) for each in asked]
    assert (len(people), sum(answers)) == (13, 736)


def questions(cluster: Cluster) -> list[Asked]:
    """What the rules are about, and a little beside it."""
    urls = [Asked("", verb="get", url=url) for url in ("/healthz", "/api/v1", "/livez/x", "/nope")]
    asked = [
        Asked("", verb, group, resource, namespace, name)
        for role in cluster.roles.values()
        for rule in role.get("rules") or ()
        for verb in (rule["verbs"][0], "other")
        for group in (rule.get("apiGroups") or ["none"])[-1:]
        for resource in (rule.get("resources") or ["none"])[-1:]
        for namespace in ("", "kube-system", "elsewhere")
        for name in ("", *(rule.get("resourceNames") or ())[:1])
        if "*" not in (verb, group, resource)
    ]
    return [*dict.fromkeys((*urls, *asked))]


GROUPS = ("", "apps", "example.com")
RESOURCES = ("pods", "pods/log", "deployments", "deployments/scale")
VERBS = ("get", "list", "bind")
NAMES = ("one", "two/parts")
SPACES = ("blue", "green")
LABELS: tuple[dict[str, str], ...] = ({}, {"a": "1"}, {"a": "2", "b": ""})
CLUSTER_ROLES = ("reader", "writer", "all-of-a", "all-of-b")


def some(*words: str) -> st.SearchStrategy[list[str]]:
    """One or two of the words."""
    return st.lists(st.sampled_from(words), min_size=1, max_size=2, unique=True)


RULES = st.fixed_dictionaries(
    {"verbs": some("*", *VERBS)},
    optional={
        "apiGroups": some("*", *GROUPS[:2]),
        "resources": some("*", "*/scale", *RESOURCES),
        "resourceNames": some(*NAMES),
        "nonResourceURLs": some("*", "/api", "/api/*", "/api/v1*", "/healthz"),
    },
)
SELECTORS = st.one_of(
    st.sampled_from([{"matchLabels": labels} for labels in LABELS[1:]]),
    st.builds(
        lambda key, operator: {"matchExpressions": [{"key": key, **operator}]},
        st.sampled_from(["a", "b"]),
        st.sampled_from(
            [
                {"operator": "In", "values": ["1"]},
                {"operator": "NotIn", "values": ["1"]},
                {"operator": "Exists"},
                {"operator": "DoesNotExist"},
            ]
        ),
    ),
)
SUBJECTS = st.sampled_from(
    [
        {"kind": "User", "name": "ann@example.com"},
        {"kind": "User", "name": "system:anonymous"},
        {"kind": "Group", "name": "staff"},
        {"kind": "Group", "name": "system:authenticated"},
        {"kind": "Group", "name": "system:serviceaccounts:blue"},
        {"kind": "ServiceAccount", "name": "robot", "namespace": "blue"},
    ]
)


@st.composite
def manifests(draw: st.DrawFn) -> list[Json]:
    """Two plain cluster roles, two that may aggregate, a role a namespace, and bindings."""
    version = {"apiVersion": "rbac.authorization.k8s.io/v1"}
    objects: list[Json] = []
    for name in CLUSTER_ROLES:
        aggregated = name.startswith("all") and draw(st.booleans())
        objects.append(
            {
                **version,
                "kind": "ClusterRole",
                # What aggregates has no label, or two of them could select each other.
                "metadata": {"name": name, "labels": {"role": "aggregate"}}
                if aggregated
                else {"name": name, "labels": draw(st.sampled_from(LABELS))},
                "rules": draw(st.lists(RULES, max_size=2)),
            }
        )
        if aggregated:
            selector = draw(SELECTORS)
            plain = {"key": "role", "operator": "DoesNotExist"}
            expressions = [*selector.get("matchExpressions", ()), plain]
            chosen = {**selector, "matchExpressions": expressions}
            objects[-1]["aggregationRule"] = {"clusterRoleSelectors": [chosen]}
    for space in SPACES:
        place = {"name": "local", "namespace": space}
        rules = draw(st.lists(RULES, max_size=2))
        objects.append({**version, "kind": "Role", "metadata": place, "rules": rules})
    for number in range(draw(st.integers(1, 4))):
        home = draw(st.sampled_from([None, *SPACES]))
        local = home is not None and draw(st.booleans())
        name = "local" if local else draw(st.sampled_from([*CLUSTER_ROLES, "absent"]))
        objects.append(
            {
                **version,
                "kind": "ClusterRoleBinding" if home is None else "RoleBinding",
                "metadata": {"name": f"binding-{number}"}
                | ({} if home is None else {"namespace": home}),
                "roleRef": {"kind": "Role" if local else "ClusterRole", "name": name},
                "subjects": draw(st.lists(SUBJECTS, min_size=1, max_size=3)),
            }
        )
    return objects


ASKED = st.one_of(
    st.builds(
        Asked,
        user=st.just(""),
        verb=st.sampled_from((*VERBS, "other")),
        group=st.sampled_from(GROUPS),
        resource=st.sampled_from((*RESOURCES, "secrets")),
        namespace=st.sampled_from(("", "elsewhere", *SPACES)),
        name=st.sampled_from(("", "three", *NAMES)),
    ),
    st.builds(
        Asked,
        user=st.just(""),
        verb=st.sampled_from(VERBS),
        url=st.sampled_from(["/api", "/api/", "/api/v1", "/api/v1/x", "/apis", "/healthz"]),
    ),
)


@settings(max_examples=60)
@given(objects=manifests(), asked=st.lists(ASKED, min_size=20, max_size=20))
def test_generated_policies_answer_as_the_authorizer_does(
    objects: list[Json], asked: list[Asked]
) -> None:
    """Never more is allowed, and less only where it is reported that a wildcard reaches farther."""
    text = json.dumps({"kind": "List", "apiVersion": "v1", "items": objects})
    imported = read_kubernetes([Text("all.json", text)], OrganizationId("k8s"))
    assert isinstance(imported, Imported), imported
    names = {str(one.id) for one in imported.document.principals}
    joining = [
        AddMember(PrincipalId(name), GroupId("staff"))
        for name in names
        if any(group.id == "staff" for group in imported.document.groups)
    ]
    state, cluster = organization(imported.document, *joining), Cluster(objects)
    reaching = any("it stands for the types" in note.why for note in imported.untranslated)
    for user in sorted(names):
        for question in asked:
            each = replace(question, user=user)
            mine, theirs = granted(state, each), cluster.allows(each, (*by_name(user), "staff"))
            narrower = reaching and theirs and not mine and unknown(state, each)
            assert narrower or mine == theirs, each


def unknown(state: Organization, asked: Asked) -> bool:
    """Whether no rule names the type that is asked about."""
    group = asked.group or "_core"
    return f"cluster/{group}/{asked.resource.replace('/', ':')}" not in state.resources
