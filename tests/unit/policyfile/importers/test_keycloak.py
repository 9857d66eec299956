"""What of a Keycloak realm is translated, what is reported, and what is refused.

The exports are written after the RealmRepresentation of Keycloak's Admin REST API, as
`kc.sh export --realm` writes them.
"""

import json
from copy import deepcopy
from typing import Any

import pytest

from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.policyfile.importers.keycloak import read_keycloak
from grantproof.policyfile.importers.keycloak_fields import (
    CLIENT_FIELDS,
    GROUP_FIELDS,
    NOT_ACCESS,
    NOT_TRANSLATED,
    ROLE_FIELDS,
    USER_FIELDS,
)
from grantproof.policyfile.importers.reading import Imported, Text
from tests.differential.kubernetes_rbac import INSTANT, organization
from tests.unit.policyfile.importers.surprises import silent

SHOP = OrganizationId("shop")
REALM: Any = {
    "id": "7c0ee7a5-9b1c-4c61-a5f5-0d1c1ab2a001",
    "realm": "shop",
    "enabled": True,
    "sslRequired": "external",
    "roles": {
        "realm": [
            {
                "id": "r1",
                "name": "default-roles-shop",
                "description": "${role_default-roles}",
                "composite": True,
                "composites": {
                    "realm": ["offline_access"],
                    "client": {"account": ["view-profile"]},
                },
                "clientRole": False,
                "containerId": "7c0ee7a5",
                "attributes": {},
            },
            {"name": "offline_access", "composite": False, "clientRole": False},
            {
                "name": "manager",
                "composite": True,
                "composites": {"realm": ["seller"], "client": {"orders": ["refund"]}},
            },
            {"name": "seller", "composite": False},
        ],
        "client": {
            "account": [{"name": "view-profile", "clientRole": True}],
            "orders": [{"name": "refund", "clientRole": True}, {"name": "a:b"}],
        },
    },
    "groups": [
        {
            "id": "g1",
            "name": "sales",
            "path": "/sales",
            "attributes": {},
            "realmRoles": ["seller"],
            "clientRoles": {},
            "subGroups": [
                {
                    "name": "emea",
                    "path": "/sales/emea",
                    "realmRoles": [],
                    "clientRoles": {"orders": ["refund"]},
                    "subGroups": [],
                }
            ],
        }
    ],
    "users": [
        {
            "username": "ann",
            "enabled": True,
            "emailVerified": True,
            "email": "ann@example.com",
            "attributes": {"locale": ["en"], "cost-centre": ["1", "2"]},
            "credentials": [{"type": "password", "value": "..."}],
            "realmRoles": ["default-roles-shop"],
            "clientRoles": {"orders": ["a:b"]},
            "groups": ["/sales/emea"],
        },
        {"username": "bob", "enabled": False, "realmRoles": ["manager"], "groups": ["/sales"]},
        {
            "username": "service-account-batch",
            "enabled": True,
            "serviceAccountClientId": "batch",
            "realmRoles": ["seller"],
        },
    ],
    "clients": [{"clientId": "batch", "enabled": True, "serviceAccountsEnabled": True}],
}


def changed(**fields: Any) -> Any:
    """The realm with some fields given, or others."""
    return {**deepcopy(REALM), **fields}


def read(*realms: Any) -> Imported:
    """What exports without problems are translated to."""
    texts = [Text(f"f{i}.json", json.dumps(realm, indent=1)) for i, realm in enumerate(realms)]
    found = read_keycloak(texts, SHOP)
    assert isinstance(found, Imported), found
    return found


def refused(realm: Any) -> list[str]:
    """The problems of an export."""
    found = read_keycloak([Text("f.json", json.dumps(realm))], SHOP)
    assert not isinstance(found, Imported)
    return [problem.message for problem in found]


def notes(realm: Any) -> list[str]:
    """What is told about an export without problems."""
    return [f"{note.what}: {note.why}" for note in read(realm).untranslated]


def test_everybody_holds_the_roles_that_keycloak_gives_them() -> None:
    """Composites are parents; a member of a subgroup holds what the groups around it are given."""
    state = organization(read(REALM).document)
    held = {str(one): effective_roles(state, one, INSTANT) for one in state.principals}
    assert held == {
        "ann": {
            "default-roles-shop",
            "offline_access",
            "account:view-profile",
            "orders:a=3Ab",
            "seller",
            "orders:refund",
        },
        "bob": {"manager", "seller", "orders:refund"},
        "service-account-batch": {"seller"},
    }
    assert notes(REALM) == []


def test_users_keep_their_state_and_attributes() -> None:
    """One value is a string, several a set; who may not sign in is suspended."""
    state = organization(read(REALM).document)
    ann = state.principals[PrincipalId("ann")]
    assert dict(ann.attributes) == {"locale": "en", "cost-centre": frozenset({"1", "2"})}
    assert [str(one.id) for one in state.principals.values() if not one.active] == ["bob"]


def test_users_may_be_in_files_of_their_own() -> None:
    """As `kc.sh export --users different_files` writes them; in any order."""
    people = changed()["users"]
    apart = {"realm": "shop", "users": people}
    assert read(apart, changed(users=[])).document == read(REALM).document


def test_a_circle_of_composites_is_refused_with_the_circle() -> None:
    """Keycloak lets roles contain each other; parents must not."""
    roles = changed()["roles"]
    roles["realm"][3]["composites"] = {"realm": ["manager"]}
    (problem,) = refused(changed(roles=roles))
    assert "must not lead back to itself: manager -> seller -> manager" in problem


@pytest.mark.parametrize("name", sorted(NOT_TRANSLATED))
def test_what_a_realm_says_more_about_access_is_told(name: str) -> None:
    """Each by name, and only when it says anything."""
    given = changed(**{name: [{"x": 1}]})
    assert notes(given) == [f"{name}: {NOT_TRANSLATED[name]}"]
    assert notes(changed(**{name: []})) == []


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"enabled": False}, "enabled: nobody can sign in to this realm"),
        ({"groups": [{"name": "g", "attributes": {"a": ["1"]}}], "users": []},
         "attributes of group `/g`: groups have no attributes"),
        ({"roles": {"realm": [{"name": "r", "attributes": {"a": ["1"]}}]}, "users": [],
          "groups": []}, "attributes of role `r`: roles have no attributes"),
        ({"users": [{"username": "u", "attributes": {"a b": ["1"]}}]},
         "attribute `a b`: it cannot be an attribute here"),
        ({"users": [{"username": "u", "federatedIdentities": [{"identityProvider": "x"}]}]},
         "identity of `u`: who signs in is not known here"),
        ({"clients": [{"clientId": "c", "fullScopeAllowed": False}]},
         "`fullScopeAllowed` of client `c`: its tokens hold some roles"),
    ],
)  # fmt: skip
def test_what_has_no_equivalent_is_told(fields: Any, told: str) -> None:
    """It is left out, and named."""
    assert any(told in note for note in notes(changed(**fields))), notes(changed(**fields))


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"users": [{"username": "u", "realmRoles": ["none"]}]}, "must name a role of this export"),
        ({"users": [{"username": "u", "groups": ["/none"]}]}, "must name a group of this export"),
        ({"users": [{"username": "u"}, {"username": "u"}]}, "user `u` must not be given twice"),
        ({"users": [{}]}, "users[0].username: is required"),
        ({"users": [{"username": "u", "enabled": "yes"}]}, "must be true or false"),
        ({"groups": [{"name": "g"}, {"name": "g"}], "users": []}, "group `/g` must not be given"),
        ({"roles": {"realm": [{"name": "r"}, {"name": "r"}]}}, "role `r` must not be given twice"),
        ({"roles": []}, "roles: must be an object"),
    ],
)
def test_what_cannot_be_read_is_refused(fields: Any, problem: str) -> None:
    """Nothing is translated then."""
    assert any(problem in each for each in refused(changed(**fields))), refused(changed(**fields))


def test_two_realms_are_two_organizations() -> None:
    """They are never mixed."""
    texts = [Text(name, json.dumps(REALM)) for name in ("a.json", "b.json")]
    found = read_keycloak(texts, SHOP)
    assert not isinstance(found, Imported)
    assert found[0].message.startswith("b.json:1:1: one realm makes one organization")


def test_no_field_is_dropped_silently() -> None:
    """A field that nobody knows is told wherever it stands, but below what is irrelevant."""
    tables = (NOT_ACCESS, NOT_TRANSLATED, ROLE_FIELDS, GROUP_FIELDS, USER_FIELDS, CLIENT_FIELDS)
    irrelevant = frozenset(name for table in tables for name in table) | {"attributes"}
    # Names of clients are keys there: a surprising one is a client without such a role.
    assert silent(read_keycloak, REALM, irrelevant) == []
