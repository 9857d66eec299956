"""Objects of the Kubernetes RBAC API as values, read from manifests.

Source: Kubernetes, `rbac.authorization.k8s.io/v1` (kubernetes.io/docs/reference/access-authn-authz
/rbac/). A stream of documents, `kind: List` and lists of one kind are read alike.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from grantproof.policyfile.importers.reading import Part, shown

GROUP: Final = "rbac.authorization.k8s.io"
VERSIONS: Final = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
ACCOUNT_VERSION: Final = "v1"

IRRELEVANT_METADATA: Final = (
    "annotations",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
)
"""Fields of `metadata` that say nothing about access."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a role may do: verbs on resources of groups, on names of them, or on URLs."""

    at: Part
    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...]
    urls: tuple[str, ...]

    @property
    def said(self) -> tuple[tuple[str, ...], ...]:
        """What the rule says, wherever it stands."""
        return (self.verbs, self.groups, self.resources, self.names, self.urls)


@dataclass(frozen=True, slots=True)
class Requirement:
    """A condition on one label: `In`, `NotIn`, `Exists` or `DoesNotExist`."""

    key: str
    operator: str
    values: frozenset[str]

    def met(self, labels: Mapping[str, str]) -> bool:
        """Return whether the labels meet it; `NotIn` holds where the label is missing."""
        match self.operator:
            case "In":
                return self.key in labels and labels[self.key] in self.values
            case "NotIn":
                return self.key not in labels or labels[self.key] not in self.values
            case "Exists":
                return self.key in labels
            case _:
                return self.key not in labels


@dataclass(frozen=True, slots=True)
class Selector:
    """A label selector: every requirement must be met, so that an empty one selects all."""

    at: Part
    requirements: tuple[Requirement, ...]

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Return whether it selects what has the labels."""
        return all(requirement.met(labels) for requirement in self.requirements)


@dataclass(frozen=True, slots=True)
class Role:
    """A `Role` of a namespace, or a `ClusterRole`; `selectors` is nothing without aggregation."""

    at: Part
    name: str
    namespace: str | None
    labels: Mapping[str, str]
    rules: tuple[Rule, ...]
    selectors: tuple[Selector, ...] | None


@dataclass(frozen=True, slots=True)
class Subject:
    """To whom a role is bound: `User`, `Group`, or `ServiceAccount` of a namespace."""

    at: Part
    kind: str
    name: str
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class Binding:
    """A `RoleBinding` of a namespace, or a `ClusterRoleBinding`."""

    at: Part
    namespace: str | None
    role_kind: str
    role_name: str
    subjects: tuple[Subject, ...]


@dataclass(slots=True)
class Objects:
    """Everything that was read; roles by namespace (nothing: of the cluster) and name."""

    roles: dict[tuple[str | None, str], Role] = field(default_factory=dict)
    bindings: list[Binding] = field(default_factory=list)
    accounts: list[Subject] = field(default_factory=list)


def read_objects(documents: Iterable[Part]) -> Objects:
    """Return the objects of the documents; what is wrong or not read is reported there."""
    found = Objects()
    for document in documents:
        for part, kind in _unlisted(document, None):
            _read(part, kind, found)
    return found


def _unlisted(document: Part, kind: str | None) -> Iterator[tuple[Part, str | None]]:
    """Yield the object, or those of a list; a list of one kind says the kind of its items."""
    data = document.data if isinstance(document.data, dict) else {}
    stated = data.get("kind")
    if not isinstance(stated, str) or not stated.endswith("List") or "items" not in data:
        yield document, kind
        return
    # The `metadata` of a list says where it was cut, nothing about its items.
    with document.fields("apiVersion", "kind", "metadata") as fields:
        for item in fields.items("items"):
            yield from _unlisted(item, stated.removesuffix("List") or None)


def _read(part: Part, kind: str | None, found: Objects) -> None:
    data = part.data if isinstance(part.data, dict) else {}
    stated, version = data.get("kind", kind), data.get("apiVersion", VERSIONS[0])
    match stated:
        case "Role" | "ClusterRole" if version in VERSIONS:
            _read_role(part, stated, found)
        case "RoleBinding" | "ClusterRoleBinding" if version in VERSIONS:
            _read_binding(part, stated, found)
        case "ServiceAccount" if data.get("apiVersion") in (ACCOUNT_VERSION, None):
            _read_account(part, found)
        case str():
            what = f"{stated} of `{version}`"
            part.note("it is no role, binding or service account that is read here", what)
        case _:
            part.refuse("must be a Kubernetes object with `apiVersion` and `kind`")


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the `metadata` of an object says of it."""

    name: str
    namespace: str | None
    labels: Mapping[str, str]


def _metadata(part: Part | None, of: Part, *, namespaced: bool) -> Metadata:
    if part is None:
        of.refuse("must have `metadata` with a `name`")
        return Metadata("", None, {})
    with part.fields(*IRRELEVANT_METADATA) as fields:
        name = fields.required("name")
        labels = fields.take("labels")
        held = {} if labels is None else {k: v.text() for k, v in labels.entries().items()}
        if namespaced:
            return Metadata(name, fields.required("namespace"), held)
        return Metadata(name, None, held)


def _read_role(part: Part, kind: str, found: Objects) -> None:
    with part.fields("apiVersion", "kind") as fields:
        of_the_cluster = kind == "ClusterRole"
        metadata = _metadata(fields.take("metadata"), part, namespaced=not of_the_cluster)
        rules = tuple(_rule(each) for each in fields.items("rules"))
        aggregation = fields.take("aggregationRule") if of_the_cluster else None
        selectors = None if aggregation is None else _selectors(aggregation)
    key = (metadata.namespace, metadata.name)
    if key in found.roles:
        part.refuse(f"{kind} {shown(metadata.name)} must not be given twice")
    found.roles[key] = Role(
        part, metadata.name, metadata.namespace, metadata.labels, rules, selectors
    )


def _rule(part: Part) -> Rule:
    with part.fields() as fields:
        return Rule(
            part,
            verbs=fields.texts("verbs"),
            groups=fields.texts("apiGroups"),
            resources=fields.texts("resources"),
            names=fields.texts("resourceNames"),
            urls=fields.texts("nonResourceURLs"),
        )


def _selectors(part: Part) -> tuple[Selector, ...]:
    with part.fields() as fields:
        return tuple(_selector(each) for each in fields.items("clusterRoleSelectors"))


def _selector(part: Part) -> Selector:
    with part.fields() as fields:
        labels = fields.take("matchLabels")
        exact = {} if labels is None else labels.entries()
        same = [Requirement(key, "In", frozenset({at.text()})) for key, at in exact.items()]
        more = [_requirement(each) for each in fields.items("matchExpressions")]
        return Selector(part, (*same, *more))


def _requirement(part: Part) -> Requirement:
    with part.fields() as fields:
        key, operator = fields.required("key"), fields.required("operator")
        values = frozenset(fields.texts("values"))
    listed = operator in ("In", "NotIn")
    if not listed and operator not in ("Exists", "DoesNotExist"):
        part.refuse("must have the operator `In`, `NotIn`, `Exists` or `DoesNotExist`")
    elif listed != bool(values):
        part.refuse(f"must have {'' if listed else 'no '}values for `{operator}`")
    return Requirement(key, operator, values)


def _read_binding(part: Part, kind: str, found: Objects) -> None:
    namespaced = kind == "RoleBinding"
    with part.fields("apiVersion", "kind") as fields:
        metadata = _metadata(fields.take("metadata"), part, namespaced=namespaced)
        role = fields.take("roleRef")
        subjects = tuple(_subjects(fields.items("subjects")))
        if role is None:
            part.refuse("must have a `roleRef`")
            return
        with role.fields() as reference:
            _check_group(reference.take("apiGroup"), GROUP)
            role_kind, name = reference.required("kind"), reference.required("name")
        allowed = ("Role", "ClusterRole") if namespaced else ("ClusterRole",)
        if role_kind not in allowed:
            role.refuse(f"must have the kind {' or '.join(f'`{each}`' for each in allowed)}")
        found.bindings.append(Binding(part, metadata.namespace, role_kind, name, subjects))


def _subjects(parts: Iterable[Part]) -> Iterator[Subject]:
    for part in parts:
        with part.fields() as fields:
            kind, name = fields.required("kind"), fields.required("name")
            group = fields.take("apiGroup")
            match kind:
                case "User" | "Group":
                    _check_group(group, GROUP)
                    yield Subject(part, kind, name)
                case "ServiceAccount":
                    _check_group(group, "")
                    yield Subject(part, kind, name, fields.required("namespace"))
                case _:
                    part.note(
                        f"there are no subjects of the kind {shown(kind)}",
                        f"subject {shown(name)}",
                    )


def _read_account(part: Part, found: Objects) -> None:
    secrets = ("secrets", "imagePullSecrets", "automountServiceAccountToken")
    with part.fields("apiVersion", "kind", *secrets) as fields:
        metadata = _metadata(fields.take("metadata"), part, namespaced=True)
    found.accounts.append(Subject(part, "ServiceAccount", metadata.name, metadata.namespace))


def _check_group(part: Part | None, expected: str) -> None:
    if part is not None and part.text() != expected:
        part.refuse(f"must be `{expected}`")
