"""Where Kubernetes keeps things, as a tree of resources in which every rule is a subtree or a kind.

`cluster` holds everything; below it are the API groups of the cluster itself, and one
`namespace/NAME` for each namespace that is named; in each of these are the same API groups and
resource types, and the objects that rules name. A request is about the deepest resource on its way
that is registered, and about the cluster where its namespace is not: bindings of a namespace that
is not named there are none.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from grantproof.core.identifiers import Kind, ResourceId
from grantproof.policyfile.importers.drafting import Draft, escaped
from grantproof.policyfile.importers.kubernetes_objects import Rule
from grantproof.policyfile.importers.reading import Part, shown

CORE: Final = "_core"
"""How the API group without a name is called; names of groups begin with no `_`."""

CLUSTER: Final = "cluster"
NAMESPACE: Final = "namespace"
URL: Final = "url"
ALL: Final = "*"


@dataclass(frozen=True, slots=True, order=True)
class Type:
    """A resource type of an API group, such as `deployments` or `deployments/scale` of `apps`."""

    group: str
    resource: str

    @property
    def subresource(self) -> str:
        """What follows the slash, or nothing."""
        return self.resource.partition("/")[2]

    @property
    def kind(self) -> str:
        """The kind of its resources: `pods`, `pods:log`, `deployments.apps`."""
        name, _, subresource = self.resource.partition("/")
        of_group = f".{escaped(self.group)}" if self.group else ""
        below = f":{_segment(subresource)}" if subresource else ""
        return f"{_segment(name)}{of_group}{below}"

    @property
    def segment(self) -> str:
        """Its part of an id: `pods`, `pods:log`."""
        return ":".join(_segment(name) for name in self.resource.split("/", 1))


@dataclass(slots=True)
class Places:
    """The types that any rule names, the namespaces, and the resources made of them."""

    draft: Draft
    types: set[Type] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    namespaces: set[str] = field(default_factory=set)
    urls: set[str] = field(default_factory=set)

    def know(self, rules: Iterable[Rule]) -> None:
        """Learn the API groups, types and URLs that the rules name."""
        for rule in rules:
            self.groups.update(group for group in rule.groups if group != ALL)
            self.urls.update(map(_stem, rule.urls))
            self.types.update(
                Type(group, resource)
                for group in rule.groups
                for resource in rule.resources
                if ALL not in (group, resource) and not resource.startswith("*/")
            )

    def register(self, at: Part) -> None:
        """Register the cluster, the namespaces and, in each, every group and every type."""
        self._add(CLUSTER, CLUSTER, None, at=at)
        for namespace in (None, *sorted(self.namespaces)):
            scope = scope_id(namespace)
            if namespace is not None:
                self._add(scope, NAMESPACE, CLUSTER, at=at)
            for group in sorted(self.groups):
                self._add(group_id(scope, group), group_kind(group), scope, at=at)
            for each in sorted(self.types):
                self._add(type_id(scope, each), each.kind, group_id(scope, each.group), at=at)
        for url in sorted(self.urls):
            above = max((one for one in self.urls if _covers(one, url)), key=len, default=None)
            self._add(url_id(url), URL, None if above is None else url_id(above), at=at)

    def patterns(self, rule: Rule, namespace: str | None) -> Iterator[str]:
        """Yield the patterns, as they are written, of what the rule speaks about.

        Within a namespace, or for nothing in the whole cluster, its namespaces included.
        """
        for group in dict.fromkeys(rule.groups):
            for resource in dict.fromkeys(rule.resources):
                if rule.names:
                    yield from self._of_names(rule, self.matching(group, resource), namespace)
                elif resource != ALL:
                    for each in self.matching(group, resource):
                        yield _of_type(each, namespace)
                elif group == ALL:
                    yield f"{scope_id(namespace)}/**"
                elif namespace is not None:
                    yield f"{group_id(scope_id(namespace), group)}/**"
                else:
                    yield f"kind:{group_kind(group)}"
                    for each in self.matching(group, ALL):
                        yield _of_type(each, namespace)
        if namespace is None:
            yield from (_of_url(url) for url in rule.urls)

    def matching(self, group: str, resource: str) -> list[Type]:
        """Return the known types that a group and a resource of a rule mean.

        As `ResourceMatches` of Kubernetes has it: `*` is every resource and subresource, `*/scale`
        that subresource of every resource, and anything else itself.
        """
        subresource = resource[2:] if resource.startswith("*/") else None
        return [
            each
            for each in sorted(self.types)
            if group in (ALL, each.group)
            and (
                resource in (ALL, each.resource)
                or (subresource is not None and subresource == each.subresource)
            )
        ]

    def _of_names(self, rule: Rule, types: Iterable[Type], namespace: str | None) -> Iterator[str]:
        scopes = [namespace] if namespace is not None else [None, *sorted(self.namespaces)]
        for each in types:
            for name in dict.fromkeys(rule.names):
                for scope in scopes:
                    above = type_id(scope_id(scope), each)
                    named = f"{above}/{_segment(name)}"
                    if self._add(named, each.kind, above, at=rule.at):
                        yield named

    def _add(self, name: str, kind: str, parent: str | None, *, at: Part) -> bool:
        resource = self.draft.named(ResourceId, name, at, of=(name,))
        of_kind = self.draft.named(Kind, kind, at, of=(kind,))
        if resource is None or of_kind is None:
            return False
        above = None if parent is None else self.draft.named(ResourceId, parent, at, of=(parent,))
        self.draft.kinds.add(of_kind)
        self.draft.resources[resource] = (of_kind, above)
        return True


def scope_id(namespace: str | None) -> str:
    """Return the id of the namespace, or for nothing that of the cluster."""
    return CLUSTER if namespace is None else f"{NAMESPACE}/{_segment(namespace)}"


def group_id(scope: str, group: str) -> str:
    """Return the id of all that an API group has in a scope."""
    return f"{scope}/{_segment(group) if group else CORE}"


def type_id(scope: str, of_type: Type) -> str:
    """Return the id of all objects of a type in a scope."""
    return f"{group_id(scope, of_type.group)}/{of_type.segment}"


def group_kind(group: str) -> str:
    """Return the kind of what an API group has beside the types that are known."""
    return f"apigroup_{_segment(group) if group else CORE}"


def url_id(url: str) -> str:
    """Return the id of a URL, or of all URLs that begin with what is before a final `*`."""
    stem = escaped(url.removesuffix(ALL), also="/")
    return f"urls:{stem}" if url.endswith(ALL) else f"url:{stem}"


def noted_wildcards(places: Places, rule: Rule) -> None:
    """Report wildcards that stand for the types that are known, as they cannot for more."""
    for group in dict.fromkeys(rule.groups):
        for resource in dict.fromkeys(rule.resources):
            open_ended = group == ALL or resource.startswith("*/") or resource == ALL
            if not open_ended or (resource == ALL and not rule.names):
                continue
            known = ", ".join(each.kind for each in places.matching(group, resource)) or "none"
            rule.at.note(
                f"it stands for the types that these files name: {shown(known)}",
                f"{shown(resource)} of API group {shown(group)}",
            )


def _of_type(of_type: Type, namespace: str | None) -> str:
    if namespace is None:
        return f"kind:{of_type.kind}"
    return f"{type_id(scope_id(namespace), of_type)}/**"


def _of_url(url: str) -> str:
    stem = _stem(url)
    return f"{url_id(stem)}/**" if stem.endswith(ALL) else url_id(stem)


def _stem(url: str) -> str:
    """Return the URL with at most one final `*`: Kubernetes takes off as many as there are."""
    return f"{url.rstrip(ALL)}{ALL}" if url.endswith(ALL) else url


def _covers(outer: str, inner: str) -> bool:
    return (
        outer != inner
        and outer.endswith(ALL)
        and inner.removesuffix(ALL).startswith(outer.removesuffix(ALL))
    )


def _segment(name: str) -> str:
    """Return a name as a part of an id, of which slashes and colons keep it apart."""
    return escaped(name, apart=":_" if name.startswith("_") else ":")
