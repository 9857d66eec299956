"""Policies of Keycloak's authorization services: the ways in which each lets somebody through.

A way is a role and windows of the day. Roles, groups, users, hours and policies put together of
such have one; whatever else decides, by code, by what a token says or by the negative of another,
has none, and says so. Source: Keycloak, Authorization Services Guide ("Managing policies").
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from grantproof.core.constraints import TimeWindow
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.policyfile.importers.drafting import Draft, escaped
from grantproof.policyfile.importers.reading import Part, shown

WAYS_MAX: Final = 100
DEPTH_MAX: Final = 20
DAY: Final = range(24)
POSITIVE, UNANIMOUS, AFFIRMATIVE, CONSENSUS = "POSITIVE", "UNANIMOUS", "AFFIRMATIVE", "CONSENSUS"
STRATEGIES: Final = (UNANIMOUS, AFFIRMATIVE, CONSENSUS)

POLICY_FIELDS: Final = ("description", "id", "owner", "resourceType")
"""Fields of a policy that say nothing about what it decides."""

DATES: Final = (
    *("nbf", "noa", "dayMonth", "dayMonthEnd", "month", "monthEnd"),
    *("year", "yearEnd", "minute", "minuteEnd"),
)
"""What a policy of time may say beside the hour."""
TIME_FIELDS: Final = ("hour", "hourEnd", *DATES)

CONFIGURED: Final[Mapping[str, tuple[str, ...]]] = {
    "role": ("roles", "fetchRoles"),
    "group": ("groups", "groupsClaim"),
    "user": ("users",),
    "time": TIME_FIELDS,
    "aggregate": ("applyPolicies",),
    "resource": ("applyPolicies", "resources", "defaultResourceType", "resourceType"),
    "scope": ("applyPolicies", "resources", "scopes", "defaultResourceType", "resourceType"),
}
"""What is read of the configuration of each type; of others nothing is."""


class NoEquivalent(Exception):
    """There is nothing here that decides as the policy does; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Way:
    """Who holds the role is let through while all windows are open; without a role, everybody."""

    role: str | None = None
    windows: tuple[TimeWindow, ...] = ()


Ways = tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy or a permission as it was read."""

    part: Part
    name: str
    kind: str
    logic: str
    strategy: str
    config: Mapping[str, Part]

    def listed(self, name: str) -> list[object]:
        """Return the members of a list in the configuration, which Keycloak writes as a text."""
        part = self.config.get(name)
        if part is None or part.data == "":
            return []
        found: object = part.data
        if isinstance(found, str):
            try:
                found = json.loads(found)
            except (ValueError, RecursionError):
                found = None
        if isinstance(found, list):
            return found
        part.refuse("must be a list, as JSON writes it")
        return []

    def texts(self, name: str) -> list[str]:
        """Return the strings of such a list."""
        found = self.listed(name)
        if not all(isinstance(one, str) for one in found):
            self.config[name].refuse("must be a list of strings, as JSON writes it")
        return [one for one in found if isinstance(one, str)]


@dataclass(slots=True)
class Holders:
    """Who holds a role that is made for a policy, because no role of the realm says it."""

    role: RoleId
    groups: set[GroupId] = field(default_factory=set)
    people: set[PrincipalId] = field(default_factory=set)


@dataclass(slots=True)
class Realm:
    """What the policies of a client name: by the names that Keycloak gives them."""

    client: str
    draft: Draft
    roles: Mapping[tuple[str | None, str], RoleId]
    groups: Mapping[str, GroupId]


class Policies:
    """The policies of one client, each translated once."""

    def __init__(self, realm: Realm, policies: Mapping[str, Policy]) -> None:
        self._realm = realm
        self._policies = policies
        self._known: dict[str, Ways | NoEquivalent] = {}
        self._holders: dict[str, Holders] = {}

    def ways(self, name: str, depth: int = 0) -> Ways:
        """Return the ways through a policy; raises `NoEquivalent`."""
        if name not in self._policies:
            raise NoEquivalent(f"policy {shown(name)} is not in this export")
        if depth > DEPTH_MAX:
            raise NoEquivalent("policies within policies lead too deep, or back to themselves")
        if name not in self._known:
            try:
                self._known[name] = self._translated(self._policies[name], depth)
            except NoEquivalent as missing:
                self._known[name] = missing
        known = self._known[name]
        if isinstance(known, NoEquivalent):
            raise known
        return known

    def together(self, policy: Policy, depth: int = 0) -> Ways:
        """Return the ways through all policies that the policy applies, by its strategy."""
        applied = policy.texts("applyPolicies")
        if len(applied) == 0:
            raise NoEquivalent("it applies no policy")
        try:
            each = [self.ways(name, depth + 1) for name in applied]
        except NoEquivalent as missing:
            raise NoEquivalent(f"it applies a policy without an equivalent: {missing}") from None
        if policy.strategy == AFFIRMATIVE or len(each) == 1:
            found = tuple(way for ways in each for way in ways)
        elif policy.strategy == UNANIMOUS:
            found = tuple(_crossed(each))
        else:
            raise NoEquivalent("more policies that grant than deny have no equivalent")
        if len(found) > WAYS_MAX:
            raise NoEquivalent(f"there are more than {WAYS_MAX} ways through it")
        return tuple(dict.fromkeys(found))

    def settle(self, role: str) -> RoleId:
        """Return the role of a way, made with those who hold it where it is made for a policy."""
        made = self._holders.get(role)
        if made is None:
            return RoleId(role)
        draft = self._realm.draft
        draft.roles.setdefault(made.role, set())
        draft.group_assignments |= {(group, made.role) for group in made.groups}
        draft.assignments |= {(person, made.role) for person in made.people}
        return made.role

    def _translated(self, policy: Policy, depth: int) -> Ways:
        if policy.logic != POSITIVE:
            raise NoEquivalent(
                "its logic is negative: nothing here is granted for lacking something"
            )
        if policy.kind == "aggregate":
            return self.together(policy, depth)
        translate: Mapping[str, Callable[[Policy], Ways]] = {
            "role": self._of_roles,
            "group": self._of_groups,
            "user": self._of_users,
            "time": _of_time,
        }
        if policy.kind not in translate:
            raise NoEquivalent(f"a policy of type {shown(policy.kind)} decides by logic of its own")
        return translate[policy.kind](policy)

    def _of_roles(self, policy: Policy) -> Ways:
        """Whoever holds one of the roles; where some are required, whoever holds all of those."""
        named = [_member(one, "id") for one in policy.listed("roles")]
        required = [one for one in named if one[1].get("required") is True]
        if len(required) > 1:
            raise NoEquivalent("it asks for several roles at once")
        return tuple(Way(self._role(name)) for name, _ in required or named)

    def _role(self, name: str) -> str:
        client, _, own = name.partition("/")
        found = self._realm.roles.get((None, name)) or self._realm.roles.get((client, own))
        if found is None:
            raise NoEquivalent(f"role {shown(name)} is not in this export")
        return str(found)

    def _of_groups(self, policy: Policy) -> Ways:
        claim = policy.config.get("groupsClaim")
        if claim is not None and claim.data not in ("", None):
            raise NoEquivalent("it looks for groups in a claim of the token")
        found = set[GroupId]()
        for path, more in (_member(one, "path") for one in policy.listed("groups")):
            if path not in self._realm.groups:
                raise NoEquivalent(f"group {shown(path)} is not in this export")
            has_inner = any(one.startswith(f"{path}/") for one in self._realm.groups)
            if has_inner and more.get("extendChildren") is not True:
                raise NoEquivalent(f"members of groups in {shown(path)} hold here what it holds")
            found.add(self._realm.groups[path])
        made = self._made(policy)
        made.groups |= found
        return (Way(str(made.role)),)

    def _of_users(self, policy: Policy) -> Ways:
        made = self._made(policy)
        for name in policy.texts("users"):
            person = PrincipalId(escaped(name))
            if person in self._realm.draft.principals:
                made.people.add(person)
            else:
                policy.part.note(
                    "the user is not in this export",
                    f"user {shown(name)} of policy {shown(policy.name)}",
                )
        return (Way(str(made.role)),)

    def _made(self, policy: Policy) -> Holders:
        client = self._realm.client
        written = f"{escaped(client, apart=':')}:policy:{escaped(policy.name, apart=':')}"
        of = (client, "policy", policy.name)
        role = self._realm.draft.named(RoleId, written, policy.part, of=of)
        if role is None:
            raise NoEquivalent("it cannot be a role")
        return self._holders.setdefault(str(role), Holders(role))


def read_policy(part: Part) -> Policy:
    """Return a policy or a permission as it is written; what it lacks is as Keycloak has it."""
    with part.fields(*POLICY_FIELDS) as fields:
        name = fields.required("name")
        kind = fields.required("type")
        logic = fields.text("logic") or POSITIVE
        strategy = fields.text("decisionStrategy") or UNANIMOUS
        config = fields.take("config")
    settings = {} if config is None else config.entries()
    for other in sorted({*settings} - {*CONFIGURED.get(kind, settings)}):
        if settings[other].data not in (None, "", [], {}):
            settings[other].note("this field is not read")
    if strategy not in STRATEGIES:
        part.refuse(f"decisionStrategy must be one of {', '.join(STRATEGIES)}")
    return Policy(part, name, kind, logic, strategy, settings)


def _of_time(policy: Policy) -> Ways:
    """The hours of a day, the last one included, as Keycloak reads them."""
    said = {name: part.data for name, part in policy.config.items() if part.data not in ("", None)}
    if any(name in said for name in DATES):
        raise NoEquivalent("it says dates or minutes, and windows here are hours of a day")
    hours = [str(said[name]) for name in ("hour", "hourEnd") if name in said]
    if "hour" not in said or not all(one.isdecimal() and int(one) in DAY for one in hours):
        raise NoEquivalent("it says no hour of a day")
    first, last = int(hours[0]), int(hours[-1])
    if first > last:
        raise NoEquivalent("no hour is between its hours")
    policy.part.note(
        "its hours are those of Keycloak's own clock: give the organization that time zone",
        f"time zone of policy {shown(policy.name)}",
    )
    return (Way(None, (TimeWindow(first, last + 1),)),)


def _crossed(each: list[Ways]) -> Iterator[Way]:
    """Yield the ways through all of them; raises `NoEquivalent` for two roles at once."""
    count = 1
    for ways in each:
        count *= len(ways)
    if count > WAYS_MAX:
        raise NoEquivalent(f"there are more than {WAYS_MAX} ways through it")
    for some in product(*each):
        roles = {way.role for way in some if way.role is not None}
        if len(roles) > 1:
            raise NoEquivalent("it asks for several roles, groups or users at once")
        windows = dict.fromkeys(window for way in some for window in way.windows)
        yield Way(next(iter(roles), None), tuple(windows))


def _member(one: object, name: str) -> tuple[str, Mapping[str, object]]:
    """Return what a role or a group of a policy is called, and what else is said of it."""
    if isinstance(one, dict) and isinstance(one.get(name), str):
        return one[name], one
    raise NoEquivalent(f"it names something without its {name}")
