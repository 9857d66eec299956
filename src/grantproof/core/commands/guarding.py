"""What may not go while a guardrail names it. P-REF, P-REJECT.

A cascade takes no guardrail along: whatever it would leave without what it names is refused.
"""

from collections.abc import Iterable

from grantproof.core.commands.language import (
    DeleteGroup,
    DeleteKind,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    SingleCommand,
)
from grantproof.core.errors import NamedByGuardrail, Noun
from grantproof.core.guardrails import Named
from grantproof.core.identifiers import ResourceId
from grantproof.core.matching import descendants
from grantproof.core.model import Exactly, OfKind
from grantproof.core.organization import Organization


def named_by_guardrail(state: Organization, command: SingleCommand) -> NamedByGuardrail | None:
    """Return the first that would go although guardrails name it, and these."""
    if len(state.guardrails_by_name) == 0:
        return None
    itself = _itself(state, command)
    return _inside(state, command) if itself is None else itself


def _itself(state: Organization, command: SingleCommand) -> NamedByGuardrail | None:
    """Return who names the entity that the command deletes; of a resource, `_inside` does."""
    match command:
        case DeleteGroup(group):
            return _named(state, "group", group, on=Exactly(ResourceId(f"group:{group}")))
        case DeleteRole(role):
            return _named(state, "role", role, on=Exactly(ResourceId(f"role:{role}")))
        case DeleteKind(kind):
            return _named(state, "kind", kind, on=OfKind(kind))
        case DeleteSodSet(sod_set):
            on = Exactly(ResourceId(f"sod-set:{sod_set}"))
            return _named(state, "separation-of-duty set", sod_set, on=on)
        case _:
            return None


def _inside(state: Organization, command: SingleCommand) -> NamedByGuardrail | None:
    """Return who names a registered resource that goes, at whatever depth."""
    match command:
        case DeleteResource(resource):
            return _first(state, [resource])
        case DeleteKind(kind):
            return _first(state, state.resources_of_kind[kind])
        case _:
            return None


def _first(state: Organization, roots: Iterable[ResourceId]) -> NamedByGuardrail | None:
    names = (
        _named(state, "resource", resource, on=Exactly(resource))
        for resource in sorted(descendants(state, roots))
    )
    return next((named for named in names if named is not None), None)


def _named(state: Organization, noun: Noun, name: str, *, on: Named) -> NamedByGuardrail | None:
    guardrails = tuple(sorted(state.guardrails_by_name.get(on, ())))
    return None if len(guardrails) == 0 else NamedByGuardrail(noun, name, guardrails)
