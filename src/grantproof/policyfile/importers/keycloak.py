"""Keycloak realms: roles with their composites, groups within groups, and users.

A realm says who holds which role. What a role may do is left to applications, but for clients whose
authorization settings say it: see `keycloak_authorization`. Source: Keycloak, Server Administration
Guide ("Assigning permissions using roles and groups") and the `RealmRepresentation` of its Admin
REST API.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, Value, attributes
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import AttributeName, GroupId, OrganizationId, PrincipalId, RoleId
from grantproof.policyfile.importers.drafting import Draft, escaped
from grantproof.policyfile.importers.keycloak_authorization import Authorization
from grantproof.policyfile.importers.keycloak_fields import (
    CLIENT_FIELDS,
    GROUP_FIELDS,
    NOT_ACCESS,
    NOT_TRANSLATED,
    ROLE_FIELDS,
    USER_FIELDS,
)
from grantproof.policyfile.importers.keycloak_policies import Realm
from grantproof.policyfile.importers.reading import (
    Fields,
    Imported,
    Part,
    Refused,
    Report,
    Text,
    documents,
    shown,
)

Key = tuple[str | None, str]
"""A role: its client, or nothing for one of the realm, and its name."""


def read_keycloak(
    texts: Sequence[Text], organization: OrganizationId
) -> Imported | tuple[Refused, ...]:
    """Return the organization that the export of one realm describes, or every problem of it.

    Keycloak may write the users into files of their own, next to the realm's.
    """
    draft = Draft(Report())
    parts = [part for text in texts for part in documents(text, draft.report)]
    if parts:
        translation = Translation(draft)
        realms = [part for part in parts if not _only_users(part)]
        for other in realms[1:]:
            other.refuse("one realm makes one organization: convert each apart")
        for part in realms[:1]:
            translation.realm(part)
        for part in parts:
            if part not in realms:
                with part.fields("realm") as fields:
                    translation.people.extend(fields.items("users"))
        translation.users()
        translation.authorizations()
    return draft.finished(organization)


def _only_users(part: Part) -> bool:
    return isinstance(part.data, dict) and set(part.data) <= {"realm", "users"}


@dataclass(slots=True)
class Translation:
    """A realm on its way into a draft."""

    draft: Draft
    roles: dict[Key, RoleId] = field(default_factory=dict)
    groups: dict[str, GroupId] = field(default_factory=dict)
    """By their paths, as users name them."""
    people: list[Part] = field(default_factory=list)
    settings: list[tuple[str, Part]] = field(default_factory=list)
    """The authorization settings of clients, by the clients' names."""

    def realm(self, part: Part) -> None:
        """Translate everything of the realm but its users, which may stand elsewhere too."""
        with part.fields(*NOT_ACCESS) as fields:
            enabled = fields.take("enabled")
            if enabled is not None and not enabled.flag():
                enabled.note("nobody can sign in to this realm; here only principals are suspended")
            for name, why in NOT_TRANSLATED.items():
                found = fields.take(name)
                if found is not None and found.data not in ([], {}, ""):
                    found.note(why)
            for client in fields.items("clients"):
                self._client(client)
            self._roles(fields.take("roles"))
            for group in fields.items("groups"):
                self._group(group, "", None)
            self.people.extend(fields.items("users"))

    def _roles(self, part: Part | None) -> None:
        if part is None:
            return
        with part.fields() as fields:
            found: list[tuple[str | None, Part]] = [(None, one) for one in fields.items("realm")]
            clients = fields.take("client")
            for client, listed in ({} if clients is None else clients.entries()).items():
                found += [(client, one) for one in listed.items()]
        # All of them first: a role may be composed of one that stands after it.
        made = [self._role(client, each) for client, each in found]
        for role, contained in made:
            if role is not None and contained is not None:
                self.draft.roles[role] |= set(self._contained(contained))

    def _role(self, client: str | None, part: Part) -> tuple[RoleId | None, Part | None]:
        """Make a role; return it and what it is composed of."""
        with part.fields(*ROLE_FIELDS) as fields:
            name = fields.required("name")
            held = fields.take("attributes")
            contained = fields.take("composites")
        if held is not None and held.entries():
            held.note("roles have no attributes here", f"attributes of role {shown(name)}")
        if (client, name) in self.roles:
            part.refuse(f"role {shown(name)} must not be given twice")
        made = self.draft.named(RoleId, role_id(client, name), part, of=_names(client, name))
        if made is not None:
            self.roles[client, name] = made
            self.draft.roles[made] = set()
        return made, contained

    def _contained(self, part: Part) -> Iterator[RoleId]:
        """Yield the roles that a composite one contains: whoever holds it holds them."""
        with part.fields() as fields:
            yield from self._known(fields, "realm", "client")

    def _known(self, fields: Fields, of_realm: str, of_clients: str) -> Iterator[RoleId]:
        """Yield the roles that two fields name; one that does not exist is refused."""
        named: list[tuple[Key, Part]] = [
            ((None, one.text()), one) for one in fields.items(of_realm)
        ]
        clients = fields.take(of_clients)
        for client, listed in ({} if clients is None else clients.entries()).items():
            named += [((client, one.text()), one) for one in listed.items()]
        for key, part in named:
            if key in self.roles:
                yield self.roles[key]
            else:
                part.refuse(
                    f"must name a role of this export: {shown('/'.join(_names(*key)))} is none"
                )

    def _group(self, part: Part, above: str, container: GroupId | None) -> None:
        """Make a group inside its container: its members hold what the container is given too."""
        with part.fields(*GROUP_FIELDS) as fields:
            name = fields.required("name")
            path = fields.text("path") or f"{above}/{name.replace('/', '~/')}"
            held = list(self._known(fields, "realmRoles", "clientRoles"))
            given = fields.take("attributes")
            below = fields.items("subGroups")
        if given is not None and given.entries():
            given.note("groups have no attributes here", f"attributes of group {shown(path)}")
        if path in self.groups:
            part.refuse(f"group {shown(path)} must not be given twice")
        own = escaped(name, apart=":")
        written = own if container is None else f"{container}:{own}"
        made = self.draft.named(GroupId, written, part, of=(path,))
        if made is None:
            return
        self.groups[path] = made
        self.draft.groups[made] = set() if container is None else {container}
        self.draft.group_assignments |= {(made, role) for role in held}
        for each in below:
            self._group(each, path, made)

    def users(self) -> None:
        """Translate the users; service accounts are users of their clients."""
        for part in self.people:
            with part.fields(*USER_FIELDS) as fields:
                name = fields.required("username")
                made = self.draft.named(PrincipalId, escaped(name), part, of=(name,))
                active = fields.flag("enabled", default=False)
                held = _attributes(fields.take("attributes"))
                roles = list(self._known(fields, "realmRoles", "clientRoles"))
                groups = fields.items("groups")
                for found in fields.items("federatedIdentities"):
                    found.note("who signs in is not known here", f"identity of {shown(name)}")
            if made is None:
                continue
            if made in self.draft.principals:
                part.refuse(f"user {shown(name)} must not be given twice")
            self.draft.principals[made] = (active, held)
            self.draft.assignments |= {(made, role) for role in roles}
            for group in groups:
                joined = self.groups.get(group.text())
                if joined is None:
                    group.refuse(f"must name a group of this export: {shown(group.text())} is none")
                else:
                    self.draft.memberships.add((made, joined))

    def authorizations(self) -> None:
        """Translate what clients say about their resources: last, for it names all the others."""
        for client, settings in self.settings:
            realm = Realm(client, self.draft, self.roles, self.groups)
            Authorization(realm, settings).translate()

    def _client(self, part: Part) -> None:
        """Keep what a client says about its resources; report what it withholds."""
        with part.fields(*CLIENT_FIELDS) as fields:
            name = fields.required("clientId")
            authorization = fields.take("authorizationSettings")
            limited = not fields.flag("fullScopeAllowed", default=True)
        if authorization is not None:
            self.settings.append((name, authorization))
        if limited:
            why = (
                "its tokens hold some roles of a user only: choose `active_roles` in requests"
                " instead"
            )
            part.note(why, f"`fullScopeAllowed` of client {shown(name)}")


def role_id(client: str | None, name: str) -> str:
    """Return the id of a role: its name, after the client's and a colon where it is a client's."""
    own = escaped(name, apart=":")
    return own if client is None else f"{escaped(client, apart=':')}:{own}"


def _names(client: str | None, name: str) -> tuple[str, ...]:
    return (name,) if client is None else (client, name)


def _attributes(part: Part | None) -> Attributes:
    """Return the attributes of a user: one value is a string, several are a set of strings."""
    held: dict[str, Value] = {}
    for name, listed in ({} if part is None else part.entries()).items():
        values = [listed.text()] if isinstance(listed.data, str) else [*listed.texts()]
        try:
            AttributeName(name)
            value: Value = values[0] if len(values) == 1 else frozenset(values)
            attributes({name: value})
        except Illegal as broken:
            listed.note(f"it cannot be an attribute here: {broken}", f"attribute {shown(name)}")
            continue
        held[name] = value
    try:
        return attributes(held) if held else NO_ATTRIBUTES
    except Illegal as broken:
        if part is not None:
            part.refuse(broken.rule)
        return NO_ATTRIBUTES
