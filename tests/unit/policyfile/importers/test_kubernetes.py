"""What of Kubernetes manifests is translated, what is reported, and what is refused."""

import json
from typing import Any

import pytest

from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.importers.kubernetes import read_kubernetes
from grantproof.policyfile.importers.kubernetes_objects import IRRELEVANT_METADATA
from grantproof.policyfile.importers.reading import Imported, Text
from grantproof.policyfile.organization_document import OrganizationDocument
from tests.unit.policyfile.importers.surprises import silent

K8S = OrganizationId("k8s")
HEAD = "apiVersion: rbac.authorization.k8s.io/v1\n"
VIEW = f"{HEAD}kind: ClusterRole\nmetadata: {{name: view, labels: {{all: yes-please}}}}\nrules:\n"
PODS = '- {verbs: [get], apiGroups: [""], resources: [pods]}\n'
BOUND = f"""---
{HEAD}kind: RoleBinding
metadata: {{name: b, namespace: blue}}
roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}}
subjects:
- {{kind: User, name: ann@example.com}}
- {{kind: ServiceAccount, name: robot, namespace: blue}}
"""
LOCAL = f"{HEAD}kind: Role\nmetadata: {{name: r, namespace: n}}\nrules:\n"
ALL = f"""---
{HEAD}kind: ClusterRole
metadata: {{name: all}}
aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{all: yes-please}}}}]}}
"""


def read(*texts: str) -> Imported:
    """What manifests without problems are translated to."""
    named = [Text(f"f{i}.yaml", text) for i, text in enumerate(texts)]
    found = read_kubernetes(named, K8S)
    assert isinstance(found, Imported), found
    return found


def refused(text: str) -> list[str]:
    """The problems of manifests."""
    found = read_kubernetes([Text("f.yaml", text)], K8S)
    assert not isinstance(found, Imported)
    return [problem.message for problem in found]


def notes(text: str) -> list[str]:
    """What is told about manifests without problems."""
    return [note.message for note in read(text).untranslated]


def claims(document: OrganizationDocument, role: str) -> list[tuple[str, str]]:
    """What the claims of a role say, as they are written."""
    written = document.written()["claims"]
    return sorted((one["action"], one["resource"]) for one in written if one["role"] == role)


def test_a_binding_of_a_namespace_grants_only_there() -> None:
    """The role of the cluster stays whole; a second one holds what the namespace is granted."""
    document = read(VIEW + PODS + BOUND).document
    assert claims(document, "view") == [("get", "kind:pods")]
    assert claims(document, "view+blue") == [("get", "namespace/blue/_core/pods/**")]
    written = document.written()["assignments"]
    assert [(one["principal"], one["role"]) for one in written] == [
        ("ann@example.com", "view+blue"),
        ("system:serviceaccount:blue:robot", "view+blue"),
    ]


def test_the_files_are_read_as_one() -> None:
    """A binding may stand in another file than its role, and in another form."""
    binding = json.dumps(
        {
            "kind": "ClusterRoleBindingList",
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "metadata": {"resourceVersion": "1"},
            "items": [
                {
                    "metadata": {"name": "b"},
                    "roleRef": {"kind": "ClusterRole", "name": "view"},
                    "subjects": [{"kind": "Group", "name": "ops team"}],
                }
            ],
        }
    )
    found = read(binding, VIEW + PODS)
    assert [str(group.id) for group in found.document.groups] == ["ops=20team"]
    assert [note.what for note in found.untranslated] == ["group `ops team`"]


def test_an_aggregated_role_inherits_what_it_selects() -> None:
    """In the whole cluster, and as often as it is bound in a namespace."""
    document = read(VIEW + PODS + ALL + BOUND.replace("name: view", "name: all")).document
    parents = {str(role.id): sorted(role.parents) for role in document.roles}
    assert parents == {
        "all": ["view"],
        "all+blue": ["view+blue"],
        "view": [],
        "view+blue": [],
    }


def test_stored_rules_of_an_aggregated_role_are_the_controllers() -> None:
    """What it collected is silent; what it would throw away is told."""
    stored = f"rules:\n{PODS}{PODS.replace('get', 'delete')}"
    (note,) = notes(VIEW + PODS + ALL + stored)
    assert note.startswith("f0.yaml:13:3: rule of the aggregated `all`: the controller replaces it")


def test_aggregation_in_a_circle_is_refused_with_the_circle() -> None:
    """Two roles that select each other have no order in which they could be made."""
    both = "metadata: {name: all, labels: {a: b}}\n"
    first = ALL.replace("metadata: {name: all}\n", both).replace("all: yes-please", "a: b")
    second = first.replace("name: all", "name: other")
    assert refused(first + second) == [
        "f.yaml:2:1: the aggregation must not lead back to itself: all -> other -> all"
    ]


def test_names_and_wildcards_have_their_own_patterns() -> None:
    """Of a group, of everything, of one object, of URLs with and without a star."""
    rules = """
- {verbs: ['*'], apiGroups: ['*'], resources: ['*']}
- {verbs: [list], apiGroups: [apps], resources: ['*']}
- {verbs: [use], apiGroups: [apps], resources: [x/scale], resourceNames: [one/two]}
- {verbs: [get], nonResourceURLs: [/healthz, '/api/*', '*']}
"""
    document = read(VIEW + rules.lstrip()).document
    assert claims(document, "view") == [
        ("*", "cluster/**"),
        ("get", "url:/healthz"),
        ("get", "urls:/**"),
        ("get", "urls:/api//**"),
        ("list", "kind:apigroup_apps"),
        ("list", "kind:x.apps:scale"),
        ("use", "cluster/apps/x:scale/one=2Ftwo"),
    ]
    parents = {str(one.id): one.parent for one in document.resources if one.kind == "url"}
    assert parents == {"urls:": None, "urls:/api/": "urls:", "url:/healthz": "urls:"}


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{verbs: ['*'], apiGroups: [''], resources: [x]}", "verb `*`: it grants every verb but"),
        ("{verbs: [bind], apiGroups: [''], resources: [x]}", "verb `bind`: in Kubernetes it lets"),
        ("{verbs: [review], apiGroups: [''], resources: [x]}", "`review` is an action on Grantp"),
        ("{verbs: [get], resources: [x]}", "without verbs, or without groups and resources"),
        ("{apiGroups: [''], resources: [x]}", "without verbs, or without groups and resources"),
        ("{verbs: [get], apiGroups: ['*'], resources: [x]}", "`x` of API group `*`: it stands for"),
        ("{verbs: [get], apiGroups: [a], resources: ['*/x']}", "`*/x` of API group `a`: it stand"),
    ],
)
def test_what_a_rule_says_beyond_its_claims_is_told(rule: str, told: str) -> None:
    """One note, in the place of the rule."""
    (note,) = notes(f"{VIEW}- {rule}\n")
    assert note.startswith("f0.yaml:5:3: ")
    assert told in note


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (BOUND, "binding to ClusterRole `view`: the role is not in these files"),
        (ALL, "it selects no cluster role of these files"),
        ("kind: Deployment\napiVersion: apps/v1\n", "Deployment of `apps/v1`: it is no role"),
        (VIEW + BOUND + "- {kind: Robot, name: r}\n", "subject `r`: there are no subjects of"),
        (VIEW + BOUND + "- {kind: Group, name: ops}\n", "group `ops`: who is in it is not in"),
        (LOCAL + "- {nonResourceURLs: [/x], verbs: [get]}\n", "a role of a namespace grants no U"),
    ],
)  # fmt: skip
def test_what_grants_nothing_is_told(text: str, told: str) -> None:
    """It is left out, and named."""
    assert any(told in note for note in notes(text)), notes(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [", "f.yaml:1:5: not YAML"),
        ("- 1\n", "must be a Kubernetes object"),
        (VIEW + PODS + "---\n" + VIEW, "ClusterRole `view` must not be given twice"),
        (VIEW.replace("name: view, ", ""), "metadata.name: is required"),
        (HEAD + "kind: ClusterRole\n", "must have `metadata` with a `name`"),
        (HEAD + "kind: Role\nmetadata: {name: r}\n", "metadata.namespace: is required"),
        (VIEW + "- {verbs: get}\n", "rules[0].verbs: must be a list"),
        (VIEW + "- {verbs: [1]}\n", "rules[0].verbs[0]: must be a string: put it in quotes"),
        (BOUND.replace("kind: ClusterRole", "kind: User"), "roleRef: must have the kind `Role`"),
        (BOUND.replace("apiGroup: rbac", "apiGroup: x"), "roleRef.apiGroup: must be `rbac"),
        (BOUND.replace(", namespace: blue}\n", "}\n", 2), "namespace: is required"),
        (ALL.replace("matchLabels: {all: yes-please}", "matchExpressions: [{key: a, operator: Gt}]"
                     ), "must have the operator `In`"),
        (ALL.replace("matchLabels: {all: yes-please}", "matchExpressions: [{key: a, operator: In}]"
                     ), "must have values for `In`"),
        (VIEW.replace("name: view", f"name: {'v' * 129}"), "cannot be a role_id: must have at"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_its_place(text: str, problem: str) -> None:
    """Nothing is translated then."""
    assert any(problem in each for each in refused(text)), refused(text)


def test_service_accounts_are_in_their_groups() -> None:
    """Those of their namespace, and everybody's, as far as any is bound."""
    account = (
        "---\napiVersion: v1\nkind: ServiceAccount\nmetadata: {name: other, namespace: blue}\n"
    )
    groups = "- {kind: Group, name: 'system:serviceaccounts:blue'}\n"
    written = read(VIEW + BOUND + groups + account).document.written()["memberships"]
    assert [one["principal"] for one in written] == [
        "system:serviceaccount:blue:other",
        "system:serviceaccount:blue:robot",
    ]


SAMPLE: Any = {
    "kind": "List",
    "apiVersion": "v1",
    "items": [
        {
            "kind": "ClusterRole",
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "metadata": {"name": "a", "annotations": {"x": "y"}, "managedFields": [{"m": {}}]},
            "rules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}],
            "aggregationRule": {
                "clusterRoleSelectors": [
                    {"matchExpressions": [{"key": "k", "operator": "In", "values": ["v"]}]}
                ]
            },
        },
        {
            "kind": "RoleBinding",
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "metadata": {"name": "b", "namespace": "n"},
            "roleRef": {"kind": "ClusterRole", "name": "a"},
            "subjects": [{"kind": "User", "name": "u"}],
        },
        {
            "kind": "ServiceAccount",
            "apiVersion": "v1",
            "metadata": {"name": "s", "namespace": "n"},
        },
    ],
}


def test_no_field_is_dropped_silently() -> None:
    """A field that nobody knows is told wherever it stands, but below what is irrelevant."""
    irrelevant = frozenset({*IRRELEVANT_METADATA})
    assert silent(read_kubernetes, SAMPLE, irrelevant) == []


def test_a_bomb_of_aliases_is_refused() -> None:
    """The limits of our own documents hold for others' too, over all documents of a stream."""
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 8)]
    assert "aliases" in refused("---\n" + "\n".join(rows))[0]


def test_a_wildcard_before_a_subresource_is_that_subresource_only() -> None:
    """`*/scale` is neither the resource itself nor another of its subresources."""
    named = "- {verbs: [get], apiGroups: [apps], resources: [x, x/scale, x/log, y/scale]}\n"
    wild = "- {verbs: [patch], apiGroups: [apps], resources: ['*/scale']}\n"
    held = claims(read(VIEW + named + wild).document, "view")
    assert [resource for verb, resource in held if verb == "patch"] == [
        "kind:x.apps:scale",
        "kind:y.apps:scale",
    ]


@pytest.mark.parametrize(
    ("requirement", "selected"),
    [
        ("{key: a, operator: In, values: ['1', '3']}", ["one"]),
        ("{key: a, operator: NotIn, values: ['1']}", ["none", "two"]),
        ("{key: a, operator: Exists}", ["one", "two"]),
        ("{key: a, operator: DoesNotExist}", ["none"]),
    ],
)
def test_expressions_select_as_labels_are(requirement: str, selected: list[str]) -> None:
    """`NotIn` selects what has no such label too, as Kubernetes has it."""
    labels = {"one": "{a: '1'}", "two": "{a: '2'}", "none": "{}"}
    plain = "".join(
        f"---\n{HEAD}kind: ClusterRole\nmetadata: {{name: {name}, labels: {held}}}\n"
        for name, held in labels.items()
    )
    all_of = ALL.replace("matchLabels: {all: yes-please}", f"matchExpressions: [{requirement}]")
    parents = {str(role.id): sorted(role.parents) for role in read(plain + all_of).document.roles}
    assert parents["all"] == selected


def test_who_is_anonymous_is_not_authenticated() -> None:
    """One of the two groups has everybody else."""
    bound = BOUND.replace("ann@example.com", "'system:anonymous'")
    groups = "".join(
        f"- {{kind: Group, name: 'system:{name}'}}\n"
        for name in ("authenticated", "unauthenticated")
    )
    written = read(VIEW + bound + groups).document.written()["memberships"]
    assert [(one["principal"], one["group"]) for one in written] == [
        ("system:anonymous", "system:unauthenticated"),
        ("system:serviceaccount:blue:robot", "system:authenticated"),
    ]


def test_a_url_lies_in_the_longest_prefix_that_covers_it() -> None:
    """So that asking the longest registered prefix finds every rule that covers it."""
    rules = "- {verbs: [get], nonResourceURLs: ['*', '/a/*', '/a/b*', /a/b/c, /a]}\n"
    parents = {str(one.id): one.parent for one in read(VIEW + rules).document.resources}
    assert {name: parent for name, parent in parents.items() if name.startswith("url")} == {
        "urls:": None,
        "urls:/a/": "urls:",
        "urls:/a/b": "urls:/a/",
        "url:/a/b/c": "urls:/a/b",
        "url:/a": "urls:",
    }
