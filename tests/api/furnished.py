"""An organization in which every request finds something to hit, and requests that hit it."""

from typing import Any, Final

Json = dict[str, Any]

PRINCIPALS: Final = ["ann", "ben", "cat", "dan"]
GROUPS: Final = ["staff", "board", "club"]
ROLES: Final = ["clerk", "head", "chief", "guest", "teller"]
KINDS: Final = ["file", "folder", "photo"]
RESOURCES: Final = ["docs", "docs/plan", "docs/draft", "pictures"]
CLAIMS: Final = ["clerk-read", "clerk-export", "head-write", "guest-look"]
SOD_SETS: Final = ["pair", "session"]
SESSIONS: Final = ["s-ann", "s-ben"]
GUARDRAILS: Final = ["nobody-burns"]

NAMES: Final[dict[str, list[str]]] = {
    "principal": PRINCIPALS,
    "principal_id": PRINCIPALS,
    "group": GROUPS,
    "container": GROUPS,
    "role": ROLES,
    "role_id": ROLES,
    "parent": ROLES,
    "parents": ROLES,
    "roles": ROLES,
    "active_roles": ROLES,
    "kind": KINDS,
    "resource_kind": KINDS,
    "resource": RESOURCES,
    "resource_id": [*RESOURCES, "principal:ann", "role:clerk"],
    "claim": CLAIMS,
    "sod_set": SOD_SETS,
    "guardrail": GUARDRAILS,
    "session": SESSIONS,
    "session_id": SESSIONS,
    "action": ["read", "write", "export", "look"],
    "region": ["eu", "us"],
    "position": ["48.8566,2.3522", "48.8655,2.3522"],
    "time_zone": ["Europe/Berlin", "UTC"],
}
"""What exists, by the name of the field or the parameter that may hold it."""

WINDOW: Final[Json] = {"type": "time_window", "start": 0, "end": 24}
FENCE: Final[Json] = {"type": "geo_fence", "regions": ["eu", "us"]}
NEAR: Final[Json] = {"type": "geo_radius", "centre": "48.8566,2.3522", "metres": 1_000}
DAILY: Final[Json] = {"type": "max_usage", "limit": 1_000, "period": "day"}
RATE: Final[Json] = {"type": "rate_limit", "per_minute": 1_000}
OWNER: Final[Json] = {
    "type": "attribute",
    "path": "resource.owner",
    "op": "eq",
    "operand": {"path": "principal.id"},
}
ALWAYS: Final[Json] = {"from": None, "until": None}


def _claim(name: str, resource: str, *constraints: Json) -> Json:
    role, action = name.split("-")
    return {
        "id": name,
        "role": role,
        "action": action,
        "resource": resource,
        "constraints": list(constraints),
    }


FACTS: Final[list[Json]] = [
    *({"type": "CreateKind", "kind": kind} for kind in KINDS),
    *(
        {"type": "CreatePrincipal", "principal": name, "attributes": {"team": "a", "level": 3}}
        for name in PRINCIPALS
    ),
    *({"type": "CreateGroup", "group": group} for group in GROUPS),
    *({"type": "CreateRole", "role": role} for role in ROLES),
    {"type": "AddParent", "role": "head", "parent": "clerk"},
    *(
        {
            "type": "CreateResource",
            "resource": {
                "id": name,
                "kind": "file" if "/" in name else "folder",
                "parent": "docs" if "/" in name else None,
                "attributes": {"owner": "ann"},
            },
        }
        for name in RESOURCES
    ),
    *(
        {"type": "CreateClaim", "claim": claim}
        for claim in (
            _claim("clerk-read", "docs/**", WINDOW),
            _claim("clerk-export", "docs", DAILY, RATE),
            _claim("head-write", "kind:file", FENCE, NEAR, OWNER),
            _claim("guest-look", "*"),
        )
    ),
    *(
        {"type": "CreateSodSet", "sod_set": {"id": name, "roles": roles, "n": 2, "mode": mode}}
        for name, roles, mode in (
            ("pair", ["chief", "teller"], "static"),
            ("session", ["guest", "teller"], "dynamic"),
        )
    ),
    *(
        {"type": "AssignRole", "principal": who, "role": role, "validity": ALWAYS}
        for who, role in (("ann", "head"), ("ben", "clerk"), ("cat", "teller"), ("ann", "guest"))
    ),
    {"type": "AddMember", "principal": "ben", "group": "staff"},
    {"type": "AddMember", "principal": "cat", "group": "board"},
    {"type": "NestGroup", "group": "board", "container": "staff"},
    {"type": "AssignGroupRole", "group": "staff", "role": "guest", "validity": ALWAYS},
    *(
        {
            "type": "CreateGuardrail",
            "guardrail": {
                "id": name,
                "type": "forbidden",
                "access": {"action": "burn", "resource": "*"},
            },
        }
        for name in GUARDRAILS
    ),
]
"""The commands that make it of an empty organization."""

EXPORTS: Final[Json] = {"principal_id": "ben", "action": "export", "resource_id": "docs"}
"""What is allowed, and counted."""
READS: Final[Json] = {"principal_id": "ben", "action": "read", "resource_id": "docs/plan"}
WRITES: Final[Json] = {
    "principal_id": "ann",
    "action": "write",
    "resource_id": "docs/plan",
    "region": "eu",
    "position": "48.8655,2.3522",
    "explain": True,
}
LOOKS: Final[Json] = {
    "principal_id": "cat",
    "action": "look",
    "resource_id": "nowhere",
    "resource_kind": "file",
    "active_roles": ["guest"],
    "hour": 3,
    "weekday": 6,
    "attributes": {"amount": 5, "tags": ["a", "b"]},
}
IN_SESSION: Final[Json] = {**READS, "session_id": "s-ben"}
QUESTIONS: Final = [EXPORTS, READS, WRITES, LOOKS, IN_SESSION]

ORG: Final = "/v1/orgs/{org}"

BODIES: Final[dict[str, list[Any]]] = {
    "POST /evaluate": QUESTIONS,
    "POST /evaluate/batch": [{"items": QUESTIONS}, {"items": [EXPORTS], "at_least_revision": 1}],
    "POST /evaluate/consume": [EXPORTS, READS, WRITES],
    "POST /explain": QUESTIONS,
    "POST /what-if": [
        {**EXPORTS, "context": {"usage": 1_000, "instant": 4_000_000_000}},
        {**WRITES, "context": {"region": "us", "position": "48.8566,2.3522", "hour": 3}},
        {**READS, "commands": [{"type": "SuspendPrincipal", "principal": "ben"}]},
        {
            **LOOKS,
            "context": {"weekday": 1, "rate": 2, "attributes": {"amount": 1}},
            "commands": [
                {"type": "CreateGroup", "group": "new"},
                {"type": "AddMember", "principal": "cat", "group": "new"},
            ],
        },
    ],
    "POST /principals/{principal}/roles": [{"role_id": role} for role in ROLES],
    "POST /v1/keys": [
        {"principal_id": "ann", "scopes": ["evaluate", "review"], "label": "Ann's"},
        {"scopes": ["administer"], "expires_at": 4_000_000_000},
    ],
    "POST /v1/orgs": [{"id": "new", "time_zone": "Europe/Berlin"}, {"id": "new"}],
    f"POST {ORG}/assignments": [
        {"principal": "dan", "role": "clerk"},
        {"principal": "dan", "role": "chief", "from": "2030-01-01T00:00:00Z", "until": 2**31},
        {"group": "club", "role": "head", "from": None, "until": "2031-05-06T07:08:09+02:00"},
    ],
    f"POST {ORG}/changes": [
        {"commands": [{"type": "CreateGroup", "group": "new"}]},
        {
            "commands": [
                {"type": "RevokeRole", "principal": "ben", "role": "clerk"},
                {"type": "DeleteRole", "role": "guest", "cascade": False},
                {"type": "DeleteSodSet", "sod_set": "session", "cascade": False},
            ]
        },
        {
            "commands": [
                {"type": "SuspendPrincipal", "principal": "cat"},
                {"type": "SetPrincipalAttributes", "principal": "ann", "attributes": {"x": 1}},
                {"type": "DeleteClaim", "claim": "clerk-read"},
                {"type": "SetResourceAttributes", "resource": "docs", "attributes": {"x": ["a"]}},
                {"type": "UnnestGroup", "group": "board", "container": "staff"},
                {"type": "RemoveMember", "principal": "ben", "group": "staff"},
                {"type": "RevokeGroupRole", "group": "staff", "role": "guest"},
                {"type": "RemoveParent", "role": "head", "parent": "clerk"},
                {"type": "CreateClaim", "claim": _claim("chief-approve", "*", WINDOW)},
            ]
        },
    ],
    f"POST {ORG}/reach": [
        {"by": ["ann"], "principal": "ann", "role": "chief"},
        {
            "by": ["ann", "ben"],
            "principal": "dan",
            "action": "read",
            "resource_id": "docs/plan",
            "context": {"region": "eu", "position": "48.8566,2.3522", "attributes": {"x": 1}},
        },
        {
            "by": ["cat"],
            "principal": "cat",
            "action": "look",
            "resource_id": "new",
            "resource_kind": "photo",
            "context": {"hour": 9, "weekday": 0},
        },
    ],
    f"POST {ORG}/claims": [
        _claim("guest-read", "docs", WINDOW, FENCE, DAILY, RATE, OWNER),
        _claim("chief-approve", "kind:photo"),
        {**_claim("chief-do", "docs/**"), "action": "*"},
    ],
    f"POST {ORG}/groups": [{"id": "new"}],
    f"POST {ORG}/guardrails": [
        {"id": "new", "type": "forbidden", "access": {"action": "sell", "resource": "kind:file"}},
        {"id": "new", "type": "capped", "access": {"action": "look", "resource": "*"}, "most": 4},
    ],
    f"POST {ORG}/joins": [
        {"principal": "new", "groups": ["club"], "roles": ["clerk"], "until": 4_000_000_000},
        {"principal": "new", "attributes": {"team": "b"}, "roles": ["teller"], "dry_run": True},
    ],
    f"POST {ORG}/moves": [
        {"principal": "ben", "from_roles": ["clerk"], "to_roles": ["head"], "to_groups": ["club"]},
        {"principal": "ann", "from_all": True, "to_roles": ["guest"], "dry_run": True},
    ],
    f"POST {ORG}/leaves": [
        {"principal": "ann"},
        {"principal": "cat", "delete": True},
        {"principal": "ben", "dry_run": True},
    ],
    f"POST {ORG}/kinds": [{"id": "new"}],
    f"POST {ORG}/memberships": [{"principal": "dan", "group": "club"}],
    f"POST {ORG}/nestings": [{"group": "staff", "container": "club"}],
    f"POST {ORG}/principals": [
        {"id": "new", "active": False, "attributes": {"team": "b", "level": -1, "on": True}}
    ],
    f"PATCH {ORG}/principals/{{principal}}": [{"active": False}, {"attributes": {"a": ["x"]}}],
    f"POST {ORG}/resources": [{"id": "docs/new", "kind": "file", "parent": "docs"}],
    f"PATCH {ORG}/resources/{{resource}}": [{"attributes": {"owner": "ben"}}],
    f"POST {ORG}/roles": [{"id": "new", "parents": ["clerk", "guest"]}],
    f"POST {ORG}/roles/{{role}}/parents": [{"parent": "guest"}, {"parent": "chief"}],
    f"POST {ORG}/not-granted": [
        {"access": {"action": "read", "resource": "docs/**"}, "who": [{"group": "staff"}]},
        {"access": {"action": "*", "resource": "kind:file", "attributes": {"owner": "ann"}}},
    ],
    f"POST {ORG}/who-can": [
        {"action": "read", "resource_id": "docs/plan"},
        {"action": "look", "resource_id": "nowhere", "resource_kind": "file"},
        {"action": "write", "resource_id": "docs/plan", "context": {"region": "eu", "hour": 7}},
    ],
    f"POST {ORG}/why-not": [
        {"principal_id": "dan", "action": "read", "resource_id": "docs/plan"},
        {name: said for name, said in WRITES.items() if name != "explain"},
        {**LOOKS, "usage": 1, "rate": 2},
    ],
    f"POST {ORG}/sessions": [
        {"principal": "ann", "roles": ["clerk", "guest"], "seconds": 60},
        {"principal": "ben"},
    ],
    f"POST {ORG}/sessions/{{session}}/roles": [{"role": "guest"}, {"role": "clerk"}],
    f"POST {ORG}/sod-sets": [
        {"id": "new", "roles": ["clerk", "chief", "teller"], "n": 3, "mode": "static"}
    ],
    f"PUT {ORG}/sod-sets/{{sod_set}}": [
        {"id": name, "roles": ["chief", "teller", "guest"], "n": 3} for name in SOD_SETS
    ],
}
"""Bodies that are accepted, by the operation; `org_id` is added where a body takes it."""

ANN: Final[Json] = {"type": "user", "id": "ann", "properties": {"team": "b"}}
BEN: Final[Json] = {"type": "user", "id": "ben"}
PLAN: Final[Json] = {"type": "file", "id": "docs/plan", "properties": {"owner": "ann"}}
READ: Final[Json] = {"name": "read", "properties": {"soft": True}}
AUTHZEN: Final[dict[str, list[Any]]] = {
    "evaluation": [
        {"subject": BEN, "action": READ, "resource": PLAN, "context": {"time": "now", "x": 1.5}},
        {"subject": ANN, "action": {"name": "look"}, "resource": {"type": "photo", "id": "new"}},
    ],
    "evaluations": [
        {"subject": ANN, "action": READ, "resource": PLAN},
        {
            "subject": BEN,
            "action": READ,
            "options": {"evaluations_semantic": "deny_on_first_deny"},
            "evaluations": [{"resource": PLAN}, {"resource": {"type": "file", "id": "new"}}, {}],
        },
    ],
    "search/subject": [
        {"subject": {"type": "user"}, "action": READ, "resource": PLAN, "page": {"limit": 1}}
    ],
    "search/resource": [{"subject": BEN, "action": READ, "resource": {"type": "file"}}],
    "search/action": [{"subject": BEN, "resource": PLAN, "page": {"limit": 3}}],
}
"""Bodies that the routes of AuthZEN accept, by the end of their address."""

PLACES: Final[dict[str, list[Json]]] = {
    f"DELETE {ORG}/assignments": [
        {"principal": "ben", "role": "clerk"},
        {"group": "staff", "role": "guest"},
    ],
    f"DELETE {ORG}/memberships": [{"principal": "ben", "group": "staff"}],
    f"DELETE {ORG}/nestings": [{"group": "board", "container": "staff"}],
    f"DELETE {ORG}/roles/{{role}}/parents/{{parent}}": [{"role": "head", "parent": "clerk"}],
    f"DELETE {ORG}/principals/{{principal}}": [{"principal": "ben", "cascade": True}],
    f"DELETE {ORG}/groups/{{group}}": [{"group": "staff", "cascade": True}],
    f"DELETE {ORG}/kinds/{{kind}}": [{"kind": "photo"}],
    f"DELETE {ORG}/roles/{{role}}": [{"role": "clerk", "cascade": True}],
    f"DELETE {ORG}/resources/{{resource}}": [{"resource": "docs", "cascade": True}],
    f"GET {ORG}/roles/{{role}}/operations": [
        {"role": "head", "resource": "docs/plan"},
        {"role": "guest", "resource": "nowhere", "kind": "file"},
    ],
    f"GET {ORG}/principals/{{principal}}/operations": [{"principal": "ann", "resource": "docs"}],
    f"GET {ORG}/review/access": [{"principal": "ann"}, {"resource": "docs", "action": "read"}],
    f"DELETE {ORG}/sessions/{{session}}/roles/{{role}}": [{"session": "s-ben", "role": "clerk"}],
    f"DELETE {ORG}/usage": [{"principal": "ben"}, {"claim": "clerk-export"}],
}
"""What several parameters name together, and exists."""
