"""What may not go while a guardrail names it. P-REF, P-REJECT.

A cascade takes no guardrail along: whatever it would leave without what it names is refused.
"""

from collections.abc import Iterable, Iterator

from grantproof.core.commands.language import (
    DeleteGroup,
    DeleteKind,
    DeleteResource,
    DeleteRole,
    DeleteSodSet,
    SingleCommand,
)
from grantproof.core.errors import NamedByGuardrail, Noun
from grantproof.core.identifiers import ResourceId
from grantproof.core.matching import descendants
from grantproof.core.model import Exactly, OfKind, ResourcePattern
from grantproof.core.organization import Organization


def named_by_guardrail(state: Organization, command: SingleCommand) -> NamedByGuardrail | None:
    """Return the first that would go although guardrails name it, and these."""
    if len(state.guardrails_by_name) == 0:
        return None
    return next((named for named in _going(state, command) if named is not None), None)


def _going(state: Organization, command: SingleCommand) -> Iterator[NamedByGuardrail | None]:
    """Yield, for everything that the command lets go and a guardrail can name, who names it."""
    match command:
        case DeleteGroup(group):
            yield _named(state, "group", group, on=Exactly(ResourceId(f"group:{group}")))
        case DeleteRole(role):
            yield _named(state, "role", role, on=Exactly(ResourceId(f"role:{role}")))
        case DeleteKind(kind):
            yield _named(state, "kind", kind, on=OfKind(kind))
            yield from _resources(state, state.resources_of_kind[kind])
        case DeleteResource(resource):
            yield from _resources(state, [resource])
        case DeleteSodSet(sod_set):
            on = Exactly(ResourceId(f"sod-set:{sod_set}"))
            yield _named(state, "separation-of-duty set", sod_set, on=on)
        case _:
            return


def _resources(
    state: Organization, roots: Iterable[ResourceId]
) -> Iterator[NamedByGuardrail | None]:
    for resource in sorted(descendants(state, roots)):
        yield _named(state, "resource", resource, on=Exactly(resource))


def _named(
    state: Organization, noun: Noun, name: str, *, on: ResourcePattern
) -> NamedByGuardrail | None:
    if on not in state.guardrails_by_name:
        return None
    return NamedByGuardrail(noun, name, tuple(sorted(state.guardrails_by_name[on])))
