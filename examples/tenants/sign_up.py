"""Makes the organization of a new tenant, and the key by which the application asks about it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from ruamel.yaml import YAML

TEMPLATE: Mapping[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("template.yaml"))


class Taken(Exception):
    """There is such an organization, or was: an id is used once."""


async def sign_up(operator: httpx2.AsyncClient, tenant: str, administrator: str) -> dict[str, Any]:
    """Return the key of a new organization, with its text, which is never told again.

    When this fails half-way, the name is used up, and what was made has no key: nobody gets in.
    """
    made = await operator.post("/v1/orgs", json={"id": tenant})
    if made.status_code == httpx2.codes.CONFLICT:
        raise Taken
    made.raise_for_status()
    body = {"commands": list(commands(administrator))}
    (await operator.post(f"/v1/orgs/{tenant}/changes", json=body)).raise_for_status()
    # Bound to this organization: about any other it is told nothing, whatever the application asks.
    wanted = {"org_id": tenant, "scopes": ["evaluate", "administer"], "label": "tenants"}
    key = (await operator.post("/v1/keys", json=wanted)).raise_for_status()
    return dict(key.json())


def commands(administrator: str) -> Iterator[dict[str, Any]]:
    """Tell the commands that make the template of an empty organization."""
    for kind in TEMPLATE["kinds"]:
        yield {"type": "CreateKind", "kind": kind["id"]}
    for role in TEMPLATE["roles"]:
        yield {"type": "CreateRole", "role": role["id"]}
        for parent in role.get("parents", ()):
            yield {"type": "AddParent", "role": role["id"], "parent": parent}
    for resource in TEMPLATE["resources"]:
        yield {"type": "CreateResource", "resource": resource}
    for claim in TEMPLATE["claims"]:
        yield {"type": "CreateClaim", "claim": claim}
    for guardrail in TEMPLATE["guardrails"]:
        yield {"type": "CreateGuardrail", "guardrail": guardrail}
    yield from joining(administrator, TEMPLATE["assignments"][0]["role"])


def joining(person: str, role: str) -> Iterator[dict[str, Any]]:
    """Tell the commands that make somebody known, with a role."""
    yield {"type": "CreatePrincipal", "principal": person, "attributes": {}}
    yield assignment(person, role)


def assignment(person: str, role: str) -> dict[str, Any]:
    """Return the command that gives somebody a role, for ever."""
    validity = {"from": None, "until": None}
    return {"type": "AssignRole", "principal": person, "role": role, "validity": validity}
