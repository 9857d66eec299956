"""What of a client's authorization settings becomes claims, and what is told instead.

The export is written after the ResourceServerRepresentation of Keycloak's Admin REST API: lists in
the configuration of a policy are JSON in a string.
"""

import json
from copy import deepcopy
from itertools import product
from typing import Any

import pytest

from grantproof.core.constraints import Context
from grantproof.core.identifiers import Action, PrincipalId, ResourceId
from grantproof.core.matching import Request
from grantproof.core.policy import Allow, evaluate
from grantproof.policyfile.importers.keycloak import read_keycloak
from grantproof.policyfile.importers.keycloak_authorization import (
    CONTESTED,
    RESOURCE_FIELDS,
    SCOPE_FIELDS,
    SETTINGS_FIELDS,
)
from grantproof.policyfile.importers.keycloak_policies import POLICY_FIELDS
from grantproof.policyfile.importers.reading import Imported, Text
from tests.differential.kubernetes_rbac import organization
from tests.unit.policyfile.importers.surprises import ORGANIZATION, silent

NOON, NIGHT = Context(0, 12, 2, 2026), Context(0, 3, 2, 2026)


def policy(name: str, kind: str, strategy: str = "UNANIMOUS", **config: Any) -> Any:
    """A policy or a permission as Keycloak exports it."""
    written = {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    return {
        "id": f"id-{name}",
        "name": name,
        "description": "",
        "type": kind,
        "logic": "POSITIVE",
        "decisionStrategy": strategy,
        "config": written,
    }


def thing(name: str, of_type: str, *scopes: str) -> Any:
    """A resource as Keycloak exports it."""
    return {
        "_id": f"id-{name}",
        "name": name,
        "type": of_type,
        "ownerManagedAccess": False,
        "displayName": name.title(),
        "attributes": {},
        "uris": [f"/{name}/*"],
        "icon_uri": "",
        "scopes": [{"name": scope} for scope in scopes],
    }


SETTINGS: Any = {
    "allowRemoteResourceManagement": True,
    "policyEnforcementMode": "ENFORCING",
    "decisionStrategy": "UNANIMOUS",
    "scopes": [{"id": "s1", "name": "read", "iconUri": ""}, {"name": "pay"}],
    "resources": [
        thing("invoice", "bill", "read", "pay"),
        thing("memo", "paper", "read"),
        thing("note", "paper", "read"),
        thing("safe", "box"),
    ],
    "policies": [
        policy("managers", "role", roles=[{"id": "manager", "required": True}], fetchRoles="true"),
        policy("cashiers", "role", roles=[{"id": "orders/cashier"}, {"id": "manager"}]),
        policy("sales", "group", groups=[{"path": "/sales", "extendChildren": True}]),
        policy("ann", "user", users=["ann"]),
        policy("office", "time", hour="9", hourEnd="16"),
        policy("cashiers-by-day", "aggregate", applyPolicies=["cashiers", "office"]),
        policy("invoices", "scope", resources=["invoice"], scopes=["read"], applyPolicies=["ann"]),
        policy("paying", "scope", scopes=["pay"], applyPolicies=["cashiers-by-day"]),
        policy("papers", "resource", defaultResourceType="paper", applyPolicies=["sales"]),
        policy("boxes", "resource", "AFFIRMATIVE", resources=["safe"],
               applyPolicies=["managers", "ann"]),
    ],
}  # fmt: skip
REALM: Any = {
    "realm": "shop",
    "roles": {"realm": [{"name": "manager"}], "client": {"orders": [{"name": "cashier"}]}},
    "groups": [{"name": "sales", "path": "/sales", "subGroups": [{"name": "emea"}]}],
    "users": [
        {"username": "ann", "enabled": True},
        {"username": "bob", "enabled": True, "groups": ["/sales/emea"]},
        {"username": "cat", "enabled": True, "clientRoles": {"orders": ["cashier"]}},
        {"username": "max", "enabled": True, "realmRoles": ["manager"]},
    ],
    "clients": [{"clientId": "orders", "authorizationSettings": SETTINGS}],
}
ALLOWED = {
    *(("ann", "read", "invoice"), ("ann", "open", "safe"), ("bob", "read", "memo")),
    *(("bob", "read", "note"), ("cat", "pay", "invoice"), ("max", "pay", "invoice")),
    ("max", "open", "safe"),
}
"""What Keycloak would grant at noon, by its guide."""


def realm(*more: Any, settings: Any = None, without: tuple[str, ...] = ()) -> Any:
    """The realm with more policies, other settings, or without some policies."""
    made = deepcopy(REALM)
    own = made["clients"][0]["authorizationSettings"]
    own["policies"] = [one for one in own["policies"] if one["name"] not in without] + list(more)
    own.update(settings or {})
    return made


def read(given: Any) -> Imported:
    """What an export without problems is translated to."""
    found = read_keycloak([Text("f.json", json.dumps(given))], ORGANIZATION)
    assert isinstance(found, Imported), found
    return found


def notes(given: Any) -> list[str]:
    """What is told about an export, but for the clock of its hours."""
    told = [f"{note.what}: {note.why}" for note in read(given).untranslated]
    return [one for one in told if not one.startswith("time zone of policy `office`")]


def allowed(given: Any, context: Context = NOON) -> set[tuple[str, str, str]]:
    """Who may do what, of the scopes, another action, and what is registered."""
    state = organization(read(given).document)
    return {
        (who, what, where)
        for who, what, where in product(
            ("ann", "bob", "cat", "max"),
            ("read", "pay", "open"),
            ("invoice", "memo", "note", "safe"),
        )
        if isinstance(
            evaluate(
                state,
                Request(PrincipalId(who), Action(what), ResourceId(f"orders/{where}")),
                context,
            ),
            Allow,
        )
    }


def opens(*applied: str, strategy: str = "UNANIMOUS") -> Any:
    """A permission on the safe by which these policies decide."""
    return policy("opening", "resource", strategy, resources=["safe"], applyPolicies=list(applied))


def opened(*more: Any, **given: Any) -> set[str]:
    """Who may open the safe by a permission of ours only."""
    made = realm(*more, without=("boxes",), **given)
    return {who for who, what, _ in allowed(made) if what == "open"}


def test_what_keycloak_grants_is_granted_here_and_nothing_more() -> None:
    """By roles, groups and what is in them, users, hours, and policies put together of those."""
    anything = {(who, what, "safe") for who in ("ann", "max") for what in ("read", "pay")}
    assert allowed(REALM) == ALLOWED | anything
    assert allowed(REALM, NIGHT) == {one for one in allowed(REALM) if one[1:] != ("pay", "invoice")}
    assert notes(REALM) == []


def test_its_hours_are_told_to_be_of_another_clock() -> None:
    """The last hour is one of them; the zone is not in the export."""
    (note,) = read(REALM).untranslated
    assert (note.what, note.why) == (
        "time zone of policy `office`",
        "its hours are those of Keycloak's own clock: give the organization that time zone",
    )
    for hour, is_open in ((8, False), (9, True), (16, True), (17, False)):
        paid = ("cat", "pay", "invoice") in allowed(REALM, Context(0, hour, 2, 2026))
        assert paid is is_open


def test_a_permission_of_a_type_is_one_on_the_kind() -> None:
    """What comes to be of the type is spoken of too; not where its resources are not alike."""
    written = read(REALM).document.written()
    claims: Any = written["claims"]
    assert [one["resource"] for one in claims if one["action"] == "read"] == [
        "orders/invoice",
        "kind:orders:paper",
    ]
    unlike = [*SETTINGS["resources"], thing("card", "paper", "read", "pay")]
    made = realm(settings={"resources": unlike}, without=("paying",))
    claims = read(made).document.written()["claims"]
    assert {one["resource"] for one in claims if "sales" in one["role"]} == {
        "orders/card",
        "orders/memo",
        "orders/note",
    }


@pytest.mark.parametrize(("strategy", "granted"), [("UNANIMOUS", False), ("AFFIRMATIVE", True)])
def test_of_several_permissions_all_must_grant_unless_one_suffices(
    strategy: str, *, granted: bool
) -> None:
    """Where all must, none is translated for what they share, and that is told."""
    second = policy("more", "resource", resources=["memo"], applyPolicies=["managers"])
    made = realm(second, settings={"decisionStrategy": strategy})
    assert (("max", "read", "memo") in allowed(made)) is granted
    assert (("bob", "read", "memo") in allowed(made)) is granted
    assert ("bob", "read", "note") in allowed(made)
    told = [f"permission `{name}` on `memo#read` of client `orders`: {CONTESTED}"
            for name in ("papers", "more")]  # fmt: skip
    assert sorted(notes(made)) == ([] if granted else sorted(told))


def test_all_policies_of_a_permission_must_grant_unless_one_suffices() -> None:
    """Two roles at once are no role; the same one twice is."""
    either = opens("managers", "cashiers", strategy="AFFIRMATIVE")
    assert opened(either) == {"max", "cat"}
    assert opened(opens("managers", "managers")) == {"max"}
    assert opened(opens("managers", "office")) == {"max"}
    for applied in (("managers", "cashiers"), ("managers", "ann")):
        assert opened(opens(*applied)) == set()
        made = realm(opens(*applied), without=("boxes",))
        (note,) = notes(made)
        assert note == (
            "permission `opening` of client `orders`: "
            "it asks for several roles, groups or users at once"
        )


WRONG: dict[str, tuple[Any, str]] = {
    "js": (policy("p", "js", code="$evaluation.grant();"), "a policy of type `js` decides by"),
    "client": (policy("p", "client", clients=["c"]), "a policy of type `client` decides by"),
    "negative": ({**policy("p", "user", users=["ann"]), "logic": "NEGATIVE"}, "logic is negative"),
    "two roles": (
        policy("p", "role", roles=[{"id": one, "required": True} for one in ("manager", "x")]),
        "it asks for several roles at once",
    ),
    "unknown role": (policy("p", "role", roles=[{"id": "x"}]), "role `x` is not in this export"),
    "unknown group": (policy("p", "group", groups=[{"path": "/x"}]), "group `/x` is not in this"),
    "direct members": (
        policy("p", "group", groups=[{"path": "/sales", "extendChildren": False}]),
        "members of groups in `/sales` hold here what it holds",
    ),
    "a claim": (
        policy("p", "group", groups=[{"path": "/sales"}], groupsClaim="groups"),
        "it looks for groups in a claim of the token",
    ),
    "dates": (policy("p", "time", nbf="2026-01-01 00:00:00", hour="9"), "it says dates or minutes"),
    "minutes": (policy("p", "time", hour="9", minute="30"), "it says dates or minutes"),
    "no hour": (policy("p", "time", hour="24"), "it says no hour of a day"),
    "backwards": (policy("p", "time", hour="22", hourEnd="5"), "no hour is between its hours"),
    "itself": (policy("p", "aggregate", applyPolicies=["p"]), "lead too deep"),
    "nothing": (policy("p", "aggregate"), "it applies no policy"),
    "most": (
        policy("p", "aggregate", "CONSENSUS", applyPolicies=["ann", "sales"]),
        "more policies that grant than deny have no equivalent",
    ),
    "nameless": (policy("p", "role", roles=[{"name": "manager"}]), "something without its id"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_policy_without_an_equivalent_grants_nothing_and_is_told(name: str) -> None:
    """So is each permission that applies it: by its name, with why."""
    wrong, why = WRONG[name]
    assert opened(wrong, opens("p")) == set()
    told = notes(realm(wrong, opens("p"), without=("boxes",)))
    assert [one.partition(": ")[0] for one in told] == [
        "policy `p` of client `orders`",
        "permission `opening` of client `orders`",
    ]
    assert all(why in one for one in told), told


@pytest.mark.parametrize(
    ("more", "settings", "told"),
    [
        ([opens("office")], {}, "permission `opening` of client `orders`: it grants everybody"),
        ([opens("gone")], {}, "policy `gone` is not in this export"),
        ([{**opens("ann"), "logic": "NEGATIVE"}], {}, "its logic is negative: it grants whoever"),
        ([policy("p", "user", users=["zed"])], {}, "user `zed` of policy `p`: the user is not in"),
        ([policy("p", "scope", scopes=["x"], applyPolicies=["ann"])], {},
         "permission `p` of client `orders`: it speaks of nothing in this export"),
        ([policy("p", "resource", resources=["x"], applyPolicies=["ann"])], {},
         "resource `x` of permission `p` of client `orders`: it is not in this export"),
        ([policy("p", "uma", applyPolicies=["ann"])], {}, "a policy of type `uma` decides by"),
        ([policy("p", "user", users=["ann"], odd="1")], {}, "this field is not read"),
        ([], {"policyEnforcementMode": "PERMISSIVE"}, "enforcement mode `PERMISSIVE` of client"),
        ([], {"resources": [{**thing("a", "b"), "ownerManagedAccess": True}]},
         "owner of resource `a` of client `orders`: what owners of resources share"),
        ([], {"resources": [{**thing("a", "b"), "attributes": {"x": ["1"]}}]},
         "attributes of resource `a` of client `orders`: they are not read"),
        ([], {"scopes": [{"name": "assign"}]}, "`assign` is an action on Grantproof itself here"),
    ],
)  # fmt: skip
def test_whatever_else_is_not_translated_is_told(more: Any, settings: Any, told: str) -> None:
    """By its name, and why."""
    given = realm(*more, settings=settings, without=("boxes",))
    assert any(told in note for note in notes(given)), notes(given)


@pytest.mark.parametrize(
    ("more", "settings", "problem"),
    [
        ([policy("p", "user", users="ann")], {}, "must be a list, as JSON writes it"),
        ([policy("p", "user", users=[1])], {}, "must be a list of strings, as JSON writes it"),
        ([policy("p", "user", "MOST", users=[])], {}, "decisionStrategy must be one of UNANIMOUS"),
        ([], {"decisionStrategy": "MOST"}, "decisionStrategy must be one of UNANIMOUS"),
        ([], {"resources": [thing("a", "b"), thing("a", "b")]}, "resource `a` must not be given"),
        ([], {"policies": [{"type": "user"}]}, "policies[0].name: is required"),
    ],
)
def test_what_cannot_be_read_is_refused(more: Any, settings: Any, problem: str) -> None:
    """Nothing is translated then."""
    given = realm(*more, settings=settings)
    found = read_keycloak([Text("f.json", json.dumps(given))], ORGANIZATION)
    assert not isinstance(found, Imported)
    assert any(problem in one.message for one in found), found


def test_ways_are_not_multiplied_without_end() -> None:
    """Two lists of eleven roles are 121 ways, of which none is tried."""
    roles = [{"name": f"r{number}"} for number in range(11)]
    listed = [policy(name, "role", roles=[{"id": one["name"]} for one in roles]) for name in "ab"]
    given = realm(*listed, opens("a", "b"), without=("boxes",))
    given["roles"]["realm"] += roles
    (note,) = notes(given)
    assert "there are more than 100 ways through it" in note


def test_no_field_is_dropped_silently() -> None:
    """A field that nobody knows is told wherever it stands, but below what is irrelevant."""
    tables = (SETTINGS_FIELDS, RESOURCE_FIELDS, SCOPE_FIELDS, POLICY_FIELDS)
    irrelevant = frozenset(name for table in tables for name in table) | {"attributes", "roles"}
    # `resources` is both: of a scope it says nothing, of the settings everything.
    kept = irrelevant - {"resources", "policies"}
    assert silent(read_keycloak, REALM, kept) == []
