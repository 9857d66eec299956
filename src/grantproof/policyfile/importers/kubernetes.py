"""Kubernetes RBAC: roles, aggregation, bindings and subjects as an organization.

A ClusterRole becomes a role with what it grants in the whole cluster, and one more for each
namespace in which a RoleBinding grants it. Kubernetes has no deny rules either, so what is granted
is granted by some claim. Source: pkg/registry/rbac/validation and plugin/pkg/auth/authorizer/rbac.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from grantproof.core.identifiers import Action, GroupId, OrganizationId, PrincipalId, RoleId
from grantproof.core.model import ADMINISTRATIVE_ACTIONS
from grantproof.policyfile.importers.drafting import (
    Draft,
    cycle_of,
    escaped,
    noted_if_administrative,
)
from grantproof.policyfile.importers.kubernetes_objects import (
    Binding,
    Objects,
    Role,
    Rule,
    Subject,
    read_objects,
)
from grantproof.policyfile.importers.kubernetes_places import ALL, Places, noted_wildcards
from grantproof.policyfile.importers.reading import (
    Imported,
    Part,
    Refused,
    Report,
    Text,
    documents,
    shown,
)

SPECIAL_VERBS: Final = {
    "bind": "in Kubernetes it lets its holder bind roles with rights that they lack",
    "escalate": "in Kubernetes it lets its holder write roles with rights that they lack",
    "impersonate": "in Kubernetes it lets its holder act as another subject",
    "use": "in Kubernetes admission asks for it, not whoever wants the object",
}
"""Verbs that mean more to Kubernetes than an action on the resource; here they are only that."""

ACCOUNTS: Final = "system:serviceaccounts"
AUTHENTICATED: Final = "system:authenticated"
UNAUTHENTICATED: Final = "system:unauthenticated"
ANONYMOUS: Final = "system:anonymous"


def read_kubernetes(
    texts: Sequence[Text], organization: OrganizationId
) -> Imported | tuple[Refused, ...]:
    """Return the organization that the manifests describe together, or every problem of them."""
    draft = Draft(Report())
    read = [part for text in texts for part in documents(text, draft.report)]
    objects = read_objects(read)
    found = draft.report.problems()
    if found:
        return found
    if read:
        Translation(draft, objects, read[0]).run()
    return draft.finished(organization)


@dataclass(slots=True)
class Translation:
    """The objects on their way into a draft; `start` is where what all of them make is placed."""

    draft: Draft
    objects: Objects
    start: Part
    places: Places = field(init=False)
    selected: dict[str, list[str]] = field(default_factory=dict)
    """The cluster roles that an aggregated one gets its rules from."""
    bound: set[tuple[str, str]] = field(default_factory=set)
    """The cluster roles that are granted within a namespace, each with the namespace."""

    def run(self) -> None:
        """Translate everything."""
        self.places = Places(self.draft)
        self.places.know(rule for role in self.objects.roles.values() for rule in role.rules)
        self.places.namespaces = set(self._namespaces())
        self._aggregate()
        if self.draft.report.refused:
            return
        self.places.register(self.start)
        for (namespace, name), role in self.objects.roles.items():
            for rule in role.rules:
                self._note(rule, role)
            self._role(role, namespace)
            if namespace is None and role.selectors is not None:
                self._note_stored(name, role)
        for binding in self.objects.bindings:
            self._bind(binding)
        for account in self.objects.accounts:
            self._principal(account)
        self._group_members()

    def _namespaces(self) -> Iterator[str]:
        for role in self.objects.roles.values():
            if role.namespace is not None:
                yield role.namespace
        for binding in self.objects.bindings:
            if binding.namespace is not None:
                yield binding.namespace

    def _aggregate(self) -> None:
        """Find what the controller would: any selector of a cluster role, but never itself."""
        cluster = {name: role for (space, name), role in self.objects.roles.items() if not space}
        for name, role in cluster.items():
            if role.selectors is None:
                continue
            self.selected[name] = [
                other
                for other, candidate in cluster.items()
                if other != name and any(each.selects(candidate.labels) for each in role.selectors)
            ]
            for selector in role.selectors:
                if not any(selector.selects(cluster[one].labels) for one in self.selected[name]):
                    selector.at.note("it selects no cluster role of these files")
        cycle = cycle_of(self.selected)
        if cycle:
            rule = f"the aggregation must not lead back to itself: {' -> '.join(cycle)}"
            cluster[cycle[0]].at.refuse(rule)

    def _role(self, role: Role, namespace: str | None) -> RoleId | None:
        """Make the role, with what it grants in the namespace or, for nothing, everywhere."""
        made = self._role_id(role, namespace)
        if made is None or made in self.draft.roles:
            return made
        self.draft.roles[made] = set()
        if role.selectors is not None:
            for name in self.selected[role.name]:
                parent = self._role(self.objects.roles[None, name], namespace)
                if parent is not None:
                    self.draft.roles[made].add(parent)
            return made
        for rule in role.rules:
            patterns = list(self.places.patterns(rule, namespace))
            for verb in dict.fromkeys(rule.verbs):
                action = self._action(verb, rule.at)
                for pattern in patterns if action is not None else ():
                    self.draft.claim(made, str(action), pattern)
        return made

    def _role_id(self, role: Role, namespace: str | None) -> RoleId | None:
        name = escaped(role.name, apart="@+")
        if namespace is None:
            return self.draft.named(RoleId, name, role.at, of=("ClusterRole", role.name))
        mark, kind = ("+", "ClusterRole in") if role.namespace is None else ("@", "Role in")
        written = f"{name}{mark}{escaped(namespace, apart='@+')}"
        return self.draft.named(RoleId, written, role.at, of=(kind, namespace, role.name))

    def _action(self, verb: str, at: Part) -> str | None:
        if verb == ALL:
            return ALL
        return self.draft.named(Action, escaped(verb), at, of=(verb,))

    def _bind(self, binding: Binding) -> None:
        home = binding.namespace if binding.role_kind == "Role" else None
        role = self.objects.roles.get((home, binding.role_name))
        if role is None:
            what = f"binding to {binding.role_kind} {shown(binding.role_name)}"
            binding.at.note("the role is not in these files, so nothing is granted", what)
        held = None if role is None else self._role(role, binding.namespace)
        for subject in binding.subjects:
            if subject.kind == "Group":
                group = self._group(subject)
                if held is not None and group is not None:
                    self.draft.group_assignments.add((group, held))
            else:
                principal = self._principal(subject)
                if held is not None and principal is not None:
                    self.draft.assignments.add((principal, held))

    def _principal(self, subject: Subject) -> PrincipalId | None:
        name = subject.name
        if subject.kind == "ServiceAccount":
            # How Kubernetes itself calls it; a `User` of this name is the same subject.
            name = f"system:serviceaccount:{subject.namespace}:{subject.name}"
        made = self.draft.named(PrincipalId, escaped(name), subject.at, of=(name,))
        if made is not None:
            self.draft.principals.setdefault(made, (True, None))
        return made

    def _group(self, subject: Subject) -> GroupId | None:
        made = self.draft.named(GroupId, escaped(subject.name), subject.at, of=(subject.name,))
        if made is None or made in self.draft.groups:
            return made
        self.draft.groups[made] = set()
        derived = (ACCOUNTS, AUTHENTICATED, UNAUTHENTICATED)
        of_accounts = subject.name.startswith(f"{ACCOUNTS}:")
        why = (
            "its members here are those that these files name"
            if subject.name in derived or of_accounts
            else "who is in it is not in these files: Kubernetes learns it when somebody signs in"
        )
        subject.at.note(why, f"group {shown(subject.name)}")
        return made

    def _group_members(self) -> None:
        """Put everybody into the groups that follow from a name alone."""
        for principal in self.draft.principals:
            for group in groups_by_name(principal):
                if group in self.draft.groups:
                    self.draft.memberships.add((principal, GroupId(group)))

    def _note(self, rule: Rule, role: Role) -> None:
        """Report what a rule means to Kubernetes beyond, or short of, the claims made of it."""
        if ALL in rule.verbs:
            kept = ", ".join(sorted(ADMINISTRATIVE_ACTIONS))
            rule.at.note(f"it grants every verb but those called {kept}", "verb `*`")
        for verb in rule.verbs:
            noted_if_administrative(verb, rule.at)
            if verb in SPECIAL_VERBS:
                why = f"{SPECIAL_VERBS[verb]}; here it is an action like any other"
                rule.at.note(why, f"verb `{verb}`")
        if not rule.verbs or not (rule.urls or (rule.groups and rule.resources)):
            rule.at.note(
                "without verbs, or without groups and resources or URLs, it grants nothing"
            )
        if role.namespace is not None and rule.urls:
            rule.at.note("a role of a namespace grants no URLs", "nonResourceURLs")
        noted_wildcards(self.places, rule)

    def _note_stored(self, name: str, role: Role) -> None:
        """Report stored rules of an aggregated role that what it selects does not have."""
        collected = {rule.said for rule in self._collected(name)}
        for rule in role.rules:
            if rule.said not in collected:
                why = "the controller replaces it: no cluster role that is selected here has it"
                rule.at.note(why, f"rule of the aggregated {shown(name)}")

    def _collected(self, name: str) -> Iterator[Rule]:
        for other in self.selected[name]:
            if other in self.selected:
                yield from self._collected(other)
            else:
                yield from self.objects.roles[None, other].rules


def groups_by_name(principal: str) -> tuple[str, ...]:
    """Return the groups that Kubernetes puts a subject into because of its name alone."""
    if principal == ANONYMOUS:
        return (UNAUTHENTICATED,)
    _, account, rest = principal.partition("system:serviceaccount:")
    if account and principal.startswith(account):
        return (ACCOUNTS, f"{ACCOUNTS}:{rest.partition(':')[0]}", AUTHENTICATED)
    return (AUTHENTICATED,)
