"""The authorizer of Kubernetes in a page, and how its requests are asked of an imported policy.

Written from `RuleAllows` and the aggregation controller of Kubernetes, and sharing no code with the
importer: it reads the manifests with another reader and never makes a tree of resources.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import ChangeSet, SingleCommand
from grantproof.core.constraints import Context
from grantproof.core.identifiers import Action, PrincipalId, ResourceId
from grantproof.core.matching import Request
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate
from grantproof.policyfile.organization_document import OrganizationDocument, to_change_set

Json = Any
INSTANT = 1_780_000_000
NOON = Context(instant=INSTANT, hour=12, weekday=2, year=2026)


@dataclass(frozen=True)
class Asked:
    """A request as the authorizer of Kubernetes gets it; with a URL it is about nothing else."""

    user: str
    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    url: str = ""


class Cluster:
    """Manifests, and what they let whom do."""

    def __init__(self, objects: Iterable[Json]) -> None:
        self.objects = list(objects)
        self.roles = {
            (each["metadata"].get("namespace", ""), each["metadata"]["name"]): each
            for each in self.objects
            if each["kind"] in ("Role", "ClusterRole")
        }

    def rules(self, namespace: str, name: str) -> list[Json]:
        """The rules of a role; of an aggregated one those that the controller collects."""
        role = self.roles.get((namespace, name))
        if role is None:
            return []
        if role.get("aggregationRule") is None:
            return role.get("rules") or []
        selectors = role["aggregationRule"].get("clusterRoleSelectors") or []
        return [
            rule
            for (space, other), candidate in self.roles.items()
            if not space and other != name and any(selects(each, candidate) for each in selectors)
            for rule in self.rules("", other)
        ]

    def allows(self, asked: Asked, groups: Iterable[str]) -> bool:
        """Whether any rule of any role that is bound to the subject allows the request."""
        return any(
            allowed(rule, asked)
            for binding in self.objects
            if binding["kind"].endswith("Binding")
            and self.applies(binding, asked)
            and any(is_subject(each, asked.user, groups) for each in binding["subjects"] or ())
            for rule in self.rules(
                binding["metadata"].get("namespace", "")
                if binding["roleRef"]["kind"] == "Role"
                else "",
                binding["roleRef"]["name"],
            )
        )

    def applies(self, binding: Json, asked: Asked) -> bool:
        """Whether the binding is of the cluster, or of the namespace that is asked about."""
        if binding["kind"] == "ClusterRoleBinding":
            return True
        return not asked.url and binding["metadata"]["namespace"] == asked.namespace


def selects(selector: Json, role: Json) -> bool:
    """Whether the label selector selects the role."""
    labels = role["metadata"].get("labels") or {}
    exact = (selector.get("matchLabels") or {}).items() <= labels.items()
    return exact and all(
        {
            "In": lambda one: labels.get(one["key"]) in one["values"],
            "NotIn": lambda one: labels.get(one["key"]) not in one["values"],
            "Exists": lambda one: one["key"] in labels,
            "DoesNotExist": lambda one: one["key"] not in labels,
        }[one["operator"]](one)
        for one in selector.get("matchExpressions") or ()
    )


def is_subject(subject: Json, user: str, groups: Iterable[str]) -> bool:
    """Whether the subject is the user, or a group that they are in."""
    match subject["kind"]:
        case "User":
            return bool(subject["name"] == user)
        case "Group":
            return subject["name"] in groups
        case _:
            return user == f"system:serviceaccount:{subject['namespace']}:{subject['name']}"


def allowed(rule: Json, asked: Asked) -> bool:
    """Whether the one rule allows the request."""
    if not {"*", asked.verb} & set(rule.get("verbs") or ()):
        return False
    if asked.url:
        return any(
            url in ("*", asked.url) or (url.endswith("*") and asked.url.startswith(url.rstrip("*")))
            for url in rule.get("nonResourceURLs") or ()
        )
    subresource = asked.resource.partition("/")[2]
    wanted = {"*", asked.resource} | ({f"*/{subresource}"} if subresource else set())
    names = rule.get("resourceNames") or ()
    return bool(
        {"*", asked.group} & set(rule.get("apiGroups") or ())
        and wanted & set(rule.get("resources") or ())
        and (not names or asked.name in names)
    )


def objects_of(text: str) -> Iterator[Json]:
    """The objects of manifests, lists taken apart."""
    for document in YAML(typ="safe", pure=True).load_all(text):
        yield from document["items"] if document["kind"] == "List" else [document]


def organization(document: OrganizationDocument, *more: SingleCommand) -> Organization:
    """The organization that the document describes, changed by some commands more."""
    commands = (*to_change_set(document), *more)
    if not commands:
        return document.empty()
    built = apply(document.empty(), ChangeSet(commands), actor="importer", instant=INSTANT)
    assert isinstance(built, Accepted), built
    return built.state


def resource_for(state: Organization, asked: Asked) -> str:
    """What is asked about: the deepest registered resource on the way, as the guide says."""
    if asked.url:
        exact = f"url:{asked.url}"
        stems = (f"urls:{asked.url[:length]}" for length in range(len(asked.url), -1, -1))
        return next((one for one in (exact, *stems) if one in state.resources), exact)
    scope = f"namespace/{asked.namespace}" if asked.namespace else "cluster"
    scope = scope if scope in state.resources else "cluster"
    found = scope
    name = asked.name.replace("/", "=2F")
    for step in (asked.group or "_core", asked.resource.replace("/", ":"), name):
        if not step or f"{found}/{step}" not in state.resources:
            break
        found = f"{found}/{step}"
    return found


def request_for(state: Organization, asked: Asked) -> Request:
    """The request as it is asked here."""
    resource = ResourceId(resource_for(state, asked))
    return Request(PrincipalId(asked.user), Action(asked.verb), resource)


def granted(state: Organization, asked: Asked) -> bool:
    """Whether the imported policy allows the request."""
    return isinstance(evaluate(state, request_for(state, asked), NOON), Allow)


def by_name(user: str) -> tuple[str, ...]:
    """The groups that Kubernetes puts everybody of the name into."""
    if user.startswith("system:serviceaccount:"):
        space = user.split(":")[2]
        accounts = ("system:serviceaccounts", f"system:serviceaccounts:{space}")
        return (*accounts, "system:authenticated")
    return ("system:unauthenticated" if user == "system:anonymous" else "system:authenticated",)
