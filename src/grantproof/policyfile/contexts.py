"""Contexts as answers show them: what a context says, under the names that a request uses."""

from typing import Any

from grantproof.core.attributes import Attributes
from grantproof.core.constraints import Context
from grantproof.core.geodesy import degrees
from grantproof.policyfile.value_fields import write_value

Written = dict[str, Any]


def write_context(context: Context) -> Written:
    """Return what the context says; what it does not say is left out."""
    said = {
        "region": None if context.region is None else str(context.region),
        "position": None if context.position is None else degrees(context.position),
        "usage": context.usage,
        "rate": context.rate,
        "attributes": _written(context.attributes),
        "principal_properties": _written(context.principal_properties),
        "resource_properties": _written(context.resource_properties),
        "action_properties": _written(context.action_properties),
    }
    return {
        "instant": context.instant,
        "hour": context.hour,
        "weekday": context.weekday,
        "year": context.year,
        **{name: value for name, value in said.items() if value is not None},
    }


def _written(values: Attributes) -> Written | None:
    if len(values) == 0:
        return None
    return {str(name): write_value(values[name]) for name in sorted(values)}
