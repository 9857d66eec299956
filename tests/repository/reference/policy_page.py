"""The page of policy files: every key of the published JSON Schemas, in words."""

import json
from typing import Any, Final

from tests.repository.reference import json_types
from tests.repository.reference.markdown import DOCS, fenced, page

INTRODUCTION: Final = """
Every key of a policy file and of a policy test, from the schemas that [editors check
by](../policy.md#let-the-editor-help): [organization](../schema/organization.schema.json) and
[test](../schema/policy-test.schema.json). Keys that are not here are refused. How policies are
written, checked and applied is told in [policies as files](../policy.md),
[testing](../policy-tests.md) and [applying](../policy-apply.md).
"""
EXAMPLES: Final = {
    "Assignment": "assignments:\n- {principal: ann, role: manager, until: 2027-01-01T00:00:00Z}",
    "Attribute": "constraints:\n- {type: attribute, path: context.amount, op: lt, operand: 1000}\n"
    "- {type: attribute, path: resource.owner, op: eq, operand: {path: principal.id}}",
    "Claim": "claims:\n- {id: clerks-see-orders, role: clerk, action: read, resource: orders/**}",
    "GeoFence": "constraints:\n- {type: geo_fence, regions: [eu-west-1, eu-central-1]}",
    "GeoRadius": 'constraints:\n- {type: geo_radius, centre: "48.8566,2.3522", metres: 10000}',
    "Group": "groups:\n- {id: staff}",
    "GroupAssignment": "assignments:\n- {group: staff, role: clerk}",
    "Guardrail": "guardrails:\n- id: nobody-erases-books\n  type: forbidden\n"
    "  access: {action: erase, resource: books/**}",
    "KindDeclaration": "kinds:\n- {id: order}",
    "MaxUsage": "constraints:\n- {type: max_usage, limit: 100, period: day}",
    "Membership": "memberships:\n- {principal: ann, group: staff}",
    "Nesting": "nestings:\n- {group: staff, container: company}",
    "Principal": "principals:\n- {id: ann, attributes: {department: sales}}",
    "RateLimit": "constraints:\n- {type: rate_limit, per_minute: 60}",
    "Resource": "resources:\n- {id: orders, kind: order}\n"
    "- {id: orders/7, kind: order, parent: orders}",
    "RoleEntry": "roles:\n- {id: clerk}\n- {id: manager, parents: [clerk]}",
    "SodSet": "sod_sets:\n- {id: books, roles: [manager, auditor], n: 2}",
    "TimeWindow": "constraints:\n"
    "- {type: time_window, start: 8, end: 18, weekdays: [0, 1, 2, 3, 4]}",
}
"""Of what can stand in a policy file, by the name in the schema; a test reads each of them."""

Json = dict[str, Any]


def schema(name: str) -> Json:
    """A published schema."""
    found: Json = json.loads((DOCS / "schema" / f"{name}.schema.json").read_text("utf-8"))
    return found


def written() -> str:
    """The page."""
    policy, test = schema("organization"), schema("policy-test")
    parts = [INTRODUCTION, "## A policy file", policy.get("description", "")]
    parts += [json_types.fields(policy, json_types.link_to())]
    parts += _defined(policy, set())
    parts += ["## A policy test", test.get("description", "")]
    parts += [json_types.fields(test, json_types.link_to())]
    parts += _defined(test, set(policy["$defs"]))
    return page("Policy files", *parts)


def _defined(whole: Json, told: set[str]) -> list[str]:
    parts = []
    for name, one in sorted(whole.get("$defs", {}).items()):
        if name not in told:
            linking = json_types.link_to()
            fields = json_types.fields(one, linking) or json_types.told(one, linking)
            parts += [f"### {name}", one.get("description", ""), fields]
            parts += [fenced("yaml", EXAMPLES[name])] if name in EXAMPLES else []
    return parts
