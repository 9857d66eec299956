"""Written answers read back: the core values of the evidence that somebody else sent.

`answers` writes it. Reading checks the form, not the evidence: that takes the state.
"""

from typing import Any, NamedTuple

from grantproof.core import certificate as core
from grantproof.core import constraints, model
from grantproof.policyfile import answers
from grantproof.policyfile.value_fields import read_value


class WeighedCore(NamedTuple):
    """A claim on a request, whether it is active, and what each of its constraints saw."""

    claim: model.Claim
    active: bool
    observations: tuple[constraints.Observation, ...]


def certificate_of(written: dict[str, Any]) -> core.Certificate:
    """Return the certificate that is written there; raises `ValidationError`."""
    read = answers.Certificate.model_validate(written)
    return core.Certificate(
        organization=read.organization,
        revision=read.revision,
        instant=read.instant,
        principal=read.principal,
        groups=tuple(read.groups),
        validity=model.Validity(read.start, read.end),
        roles=tuple(read.roles),
        claim=read.claim.core(),
        resources=tuple(read.resources),
        observations=tuple(map(_observation, read.observations)),
    )


def weighed_of(written: dict[str, Any]) -> WeighedCore:
    """Return the claim that is weighed there; raises `ValidationError`."""
    read = answers.WeighedClaim.model_validate(written)
    return WeighedCore(read.claim.core(), read.active, tuple(map(_observation, read.observations)))


def _observation(read: answers.Observation) -> constraints.Observation:
    saw = tuple(None if value is None else read_value(value) for value in read.saw)
    return constraints.Observation(read.constraint.core(), saw, read.held)
