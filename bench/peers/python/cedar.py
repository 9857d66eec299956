"""Cedar by cedarpy: the roles that are granted an action are attributes of the resource.

One policy an action, principals and roles as entities with their parents, everything parsed
before. One policy a claim, the other way, is a hundred times slower at a thousand roles.
"""

import json
from functools import partial
from typing import Any

from cedarpy import Decision, Entities, PolicySet, is_authorized

from bench.peers.python.line import Ready, Tables, serve


def load(tables: Tables) -> Ready:
    """Parse policies and entities once."""
    policies = PolicySet.from_str("\n".join(map(_policy, tables["actions"])))
    entities = Entities.from_json_str(json.dumps(_entities(tables)))
    rows = [
        (
            {
                "principal": {"type": "User", "id": principal},
                "action": {"type": "Action", "id": action},
                "resource": {"type": "Document", "id": resource},
                "context": {},
            },
        )
        for principal, action, resource, *_ in tables["questions"]
    ]
    call = partial(is_authorized, policies=policies, entities=entities)
    return Ready(call, rows, lambda result: result.decision is Decision.Allow)


def _policy(action: str) -> str:
    return (
        f'permit(principal, action == Action::"{action}", resource) '
        f"when {{ resource has {action} && principal in resource.{action} }};"
    )


def _entities(tables: Tables) -> list[dict[str, Any]]:
    granted: dict[str, dict[str, list[Any]]] = {resource: {} for resource in tables["resources"]}
    for role, action, resource, _ in tables["grants"]:
        granted[resource].setdefault(action, []).append({"__entity": _role(role)})
    return [
        *(_entity("User", name, roles) for name, roles in tables["principals"].items()),
        *(_entity("Role", name, parents) for name, parents in tables["roles"].items()),
        *(_entity("Action", name, ()) for name in tables["actions"]),
        *(
            {"uid": {"type": "Document", "id": name}, "attrs": roles, "parents": []}
            for name, roles in granted.items()
        ),
    ]


def _entity(kind: str, name: str, parents: list[str] | tuple[()]) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": name},
        "attrs": {},
        "parents": [_role(parent) for parent in parents],
    }


def _role(name: str) -> dict[str, str]:
    return {"type": "Role", "id": name}


if __name__ == "__main__":
    serve(load, "cedarpy")
