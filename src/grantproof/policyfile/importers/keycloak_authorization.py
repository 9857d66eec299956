"""Keycloak's authorization services: permissions of a client on its resources, as claims.

A permission is translated where a claim decides as it does; every other one is told with why. Where
all permissions on something must grant, as Keycloak has it unless told otherwise, only what one of
them speaks of alone is translated: others would take away, and nothing here does. Source: Keycloak,
Authorization Services Guide, and the `ResourceServerRepresentation` of its Admin REST API.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from grantproof.core.identifiers import Action, Kind, ResourceId
from grantproof.policyfile.importers.drafting import escaped, noted_if_administrative
from grantproof.policyfile.importers.keycloak_policies import (
    AFFIRMATIVE,
    POSITIVE,
    STRATEGIES,
    UNANIMOUS,
    NoEquivalent,
    Policies,
    Policy,
    Realm,
    Ways,
    read_policy,
)
from grantproof.policyfile.importers.reading import Fields, Part, shown

PERMISSIONS: Final = ("resource", "scope")
ENFORCING: Final = "ENFORCING"

SETTINGS_FIELDS: Final = ("allowRemoteResourceManagement", "clientId", "id", "name")
"""Fields of the settings that say nothing about who may do what."""

RESOURCE_FIELDS: Final = ("_id", "displayName", "icon_uri", "uri", "uris")
"""Fields of a resource that say how it is shown, and where an application has it."""

SCOPE_FIELDS: Final = ("displayName", "iconUri", "id", "policies", "resources")
"""Fields of a scope that say nothing more."""

Pair = tuple[str, str | None]
"""A resource and a scope, by their names; no scope where the resource has none."""


@dataclass(slots=True)
class Resource:
    """A resource of the client: its id here, its type in Keycloak and its scopes."""

    made: ResourceId
    type: str | None
    kind: Kind
    scopes: set[str] = field(default_factory=set)

    @property
    def actions(self) -> tuple[str | None, ...]:
        """Its scopes in order; nothing stands for whatever is done to one without scopes."""
        return tuple(sorted(self.scopes)) or (None,)


@dataclass(slots=True)
class Permission:
    """A permission: what it speaks of, and the ways through it, or why there are none."""

    policy: Policy
    pairs: tuple[Pair, ...]
    of_type: str | None
    ways: Ways
    why: str | None = None


class Authorization:
    """The authorization settings of one client, on their way into a draft."""

    def __init__(self, realm: Realm, settings: Part) -> None:
        self._realm = realm
        self._settings = settings
        self._resources: dict[str, Resource] = {}

    def translate(self) -> None:
        """Make resources, roles and claims of the settings, and tell what is none."""
        with self._settings.fields(*SETTINGS_FIELDS) as fields:
            strategy = fields.text("decisionStrategy") or UNANIMOUS
            if strategy not in STRATEGIES:
                self._settings.refuse(f"decisionStrategy must be one of {', '.join(STRATEGIES)}")
            mode = fields.text("policyEnforcementMode") or ENFORCING
            if mode != ENFORCING:
                self._note(self._settings, f"enforcement mode {shown(mode)}", LENIENT)
            for scope in fields.items("scopes"):
                with scope.fields(*SCOPE_FIELDS) as its:
                    self._action(its.required("name"), scope)
            for resource in fields.items("resources"):
                self._resource(resource)
            read = [read_policy(one) for one in fields.items("policies")]
        policies = {one.name: one for one in read if one.kind not in PERMISSIONS}
        known = Policies(self._realm, policies)
        for name, policy in policies.items():
            try:
                known.ways(name)
            except NoEquivalent as missing:
                self._note(policy.part, f"policy {shown(name)}", str(missing))
        permissions = [one for one in read if one.kind in PERMISSIONS]
        for one in permissions:
            self._widen(one)
        found = [self._permission(one, known) for one in permissions]
        self._grant(found, known, any_suffices=strategy == AFFIRMATIVE)

    def _note(self, part: Part, what: str, why: str) -> None:
        part.note(why, f"{what} of client {shown(self._realm.client)}")

    def _action(self, scope: str, at: Part) -> str:
        client = self._realm.client
        made = self._realm.draft.named(Action, escaped(scope), at, of=(client, "scope", scope))
        if made is not None:
            noted_if_administrative(made, at)
        return "" if made is None else str(made)

    def _resource(self, part: Part) -> None:
        client, draft = self._realm.client, self._realm.draft
        with part.fields(*RESOURCE_FIELDS) as fields:
            name = fields.required("name")
            of_type = fields.text("type")
            scopes = {scope for each in fields.items("scopes") if (scope := self._scope(each))}
            self._owned(fields, name)
        own = escaped(client, apart=":")
        kind = own if of_type is None else f"{own}:{escaped(of_type)}"
        made_kind = draft.named(Kind, kind, part, of=(client, "type", of_type or ""))
        written = f"{escaped(client)}/{escaped(name)}"
        made = draft.named(ResourceId, written, part, of=(client, "resource", name))
        if name in self._resources:
            part.refuse(f"resource {shown(name)} must not be given twice")
        elif made is not None and made_kind is not None:
            draft.kinds.add(made_kind)
            draft.resources[made] = (made_kind, None)
            self._resources[name] = Resource(made, of_type, made_kind, scopes)

    def _scope(self, part: Part) -> str:
        with part.fields(*SCOPE_FIELDS) as fields:
            return fields.required("name")

    def _owned(self, fields: Fields, name: str) -> None:
        """Tell what the owner of a resource may do with it, which is not in the export."""
        fields.take("owner")
        shared, held = fields.take("ownerManagedAccess"), fields.take("attributes")
        if shared is not None and shared.flag():
            self._note(shared, f"owner of resource {shown(name)}", OWNED)
        if held is not None and held.entries():
            self._note(held, f"attributes of resource {shown(name)}", "they are not read")

    def _widen(self, policy: Policy) -> None:
        """Give a resource the scopes that a permission grants on it, whether it lists them or not.

        Before anything else: what a permission on all of a resource grants are its scopes.
        """
        if policy.kind == "scope":
            for name in policy.texts("resources"):
                if name in self._resources:
                    self._resources[name].scopes.update(policy.texts("scopes"))

    def _permission(self, policy: Policy, known: Policies) -> Permission:
        of_type = policy.config.get("defaultResourceType") or policy.config.get("resourceType")
        named = None if of_type is None or of_type.data == "" else of_type.text()
        pairs = tuple(dict.fromkeys(self._pairs(policy, named)))
        made = Permission(policy, pairs, named, ())
        try:
            if policy.logic != POSITIVE:
                raise NoEquivalent("its logic is negative: it grants whoever its policies deny")
            made.ways = known.together(policy)
            if any(way.role is None for way in made.ways):
                raise NoEquivalent("it grants everybody, and a claim is of a role")
        except NoEquivalent as missing:
            made.why = str(missing)
        return made

    def _pairs(self, policy: Policy, of_type: str | None) -> Iterator[Pair]:
        """Yield the resources and scopes that a permission speaks of; tell what is not there."""
        scopes = policy.texts("scopes")
        listed = policy.texts("resources")
        named = [one for one in listed if one in self._resources]
        for missing in sorted({*listed} - {*named}):
            what = f"resource {shown(missing)} of permission {shown(policy.name)}"
            self._note(policy.part, what, "it is not in this export")
        if of_type is not None:
            named += [name for name, one in self._resources.items() if one.type == of_type]
        for name in named:
            own = self._resources[name]
            spoken_of = own.actions if policy.kind == "resource" else scopes
            yield from ((name, scope) for scope in spoken_of)
        if policy.kind == "scope" and not listed and of_type is None:
            for name, own in self._resources.items():
                yield from ((name, scope) for scope in scopes if scope in own.scopes)

    def _grant(self, found: list[Permission], known: Policies, *, any_suffices: bool) -> None:
        spoken_of = Counter(pair for one in found for pair in one.pairs)
        for one in found:
            what = f"permission {shown(one.policy.name)}"
            if one.why is not None:
                self._note(one.policy.part, what, one.why)
                continue
            if len(one.pairs) == 0:
                self._note(one.policy.part, what, "it speaks of nothing in this export")
            mine = [pair for pair in one.pairs if any_suffices or spoken_of[pair] == 1]
            for name, scope in (pair for pair in one.pairs if pair not in mine):
                said = shown(name if scope is None else f"{name}#{scope}")
                self._note(one.policy.part, f"{what} on {said}", CONTESTED)
            whole = len(mine) == len(one.pairs)
            for action, pattern in self._patterns(one, mine, whole=whole):
                self._claim(one, known, action=action, pattern=pattern)

    def _claim(self, one: Permission, known: Policies, *, action: str, pattern: str) -> None:
        for role, windows in ((way.role, way.windows) for way in one.ways):
            if role is not None:
                self._realm.draft.claim(known.settle(role), action, pattern, constraints=windows)

    def _patterns(
        self, one: Permission, pairs: list[Pair], *, whole: bool
    ) -> Iterator[tuple[str, str]]:
        """Yield actions and patterns: the kind where the permission is of a type, all alike."""
        alike = {self._resources[name].actions for name, _ in pairs}
        of_kind = one.policy.kind == "resource" and one.of_type is not None
        of_kind = of_kind and not one.policy.texts("resources")
        for name, scope in pairs:
            resource = self._resources[name]
            action = "*" if scope is None else self._action(scope, one.policy.part)
            together = of_kind and whole and len(alike) == 1
            yield action, f"kind:{resource.kind}" if together else str(resource.made)


LENIENT: Final = "what no permission speaks of is allowed there, and denied here"
OWNED: Final = "what owners of resources share with others is not in the export"
CONTESTED: Final = (
    "other permissions speak of it too and all must grant: write the claims for it by hand"
)
