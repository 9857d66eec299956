"""The steps of a policy tried on paper: which of them an organization would refuse, and why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    ChangeSet,
    CreateGroup,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
)
from grantproof.core.errors import Missing, RefusedAt, SingleRefusal
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.organization import Organization
from grantproof.policyfile.faults import Location
from grantproof.policyfile.organization_document import Step
from grantproof.policyfile.witnesses import single

STEPS_AT_ONCE: Final = 1_000
"""So many are tried between two looks at how far it is."""

NODES: Final = (CreateGroup, CreateKind, CreatePrincipal, CreateResource, CreateRole)

Told = Callable[[int], None]
"""Is told how many steps have been tried since the last time."""


@dataclass(frozen=True, slots=True)
class RefusedStep:
    """A part of a document whose step is refused."""

    path: Location
    refusal: SingleRefusal


def refused_steps(state: Organization, steps: Sequence[Step], *, told: Told) -> list[RefusedStep]:
    """Return every step that is refused when the others are taken.

    A refused step is passed over. What is missing only because it was refused is not told. The
    instant of the trial decides nothing: separation of duty is held at every instant.
    """
    found: list[RefusedStep] = []
    orphans = False
    for start in range(0, len(steps), STEPS_AT_ONCE):
        waiting = steps[start : start + STEPS_AT_ONCE]
        while waiting:
            state, taken, refusal = _taken(state, waiting)
            if refusal is not None:
                path, command = waiting[taken]
                if not (orphans and isinstance(refusal, Missing)):
                    found.append(RefusedStep(path, refusal))
                orphans = orphans or isinstance(command, NODES)
                taken += 1
            told(taken)
            waiting = waiting[taken:]
    return found


def _taken(
    state: Organization, steps: Sequence[Step]
) -> tuple[Organization, int, SingleRefusal | None]:
    """Return the state after the longest beginning that is accepted, its length, and what stops it.

    Each step is tried at most twice, so that many refusals cost no more than many steps.
    """
    commands = tuple(command for _, command in steps)
    outcome = apply(state, ChangeSet(commands), actor="trial", instant=INSTANT_MIN)
    if isinstance(outcome, Accepted):
        return outcome.state, len(commands), None
    refusal = outcome.refusal
    position = refusal.position if isinstance(refusal, RefusedAt) else 0
    if position > 0:
        beginning = ChangeSet(commands[:position])
        outcome = apply(state, beginning, actor="trial", instant=INSTANT_MIN)
    return (
        outcome.state if isinstance(outcome, Accepted) else state,
        position,
        single(refusal),
    )
