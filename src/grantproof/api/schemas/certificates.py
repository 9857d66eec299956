"""The written forms of the evidence: certificates, and what constraints saw."""

from pydantic import Field

from grantproof.api.schemas.answer import Answer
from grantproof.core import certificate as core
from grantproof.core import constraints
from grantproof.policyfile import constraint_documents, documents
from grantproof.policyfile.fields import (
    GroupField,
    OrganizationField,
    PrincipalField,
    ResourceField,
    RoleField,
)
from grantproof.policyfile.value_fields import write_value

Seen = bool | int | str | list[str] | None


class Observation(Answer):
    """A constraint, what it looked at, and whether it held."""

    constraint: constraint_documents.Constraint
    """The condition."""
    saw: list[Seen]
    """One value, or two: hour and weekday of a time window, both sides of an attribute."""
    held: bool
    """Whether it held."""

    @classmethod
    def of(cls, seen: constraints.Observation) -> "Observation":
        """Return the written form of the core value."""
        return cls.model_construct(
            constraint=constraint_documents.of(seen.constraint),
            saw=[None if value is None else write_value(value) for value in seen.saw],
            held=seen.held,
        )


class Certificate(Answer):
    """Why a request was allowed: everything that the decision rests on."""

    organization: OrganizationField
    """The organization."""
    revision: int
    """Its state."""
    instant: int
    """When, in epoch seconds."""
    principal: PrincipalField
    """Who asked."""
    groups: list[GroupField]
    """From a group of the principal outward to the one that holds the assignment; often empty."""
    start: int | None = Field(alias="from")
    """The first instant at which the assignment is valid; null means since always."""
    end: int | None = Field(alias="until")
    """The first instant at which it is not any more; null means never."""
    roles: list[RoleField]
    """From the assigned role up to the one that holds the claim."""
    claim: documents.Claim
    """The claim that grants."""
    resources: list[ResourceField]
    """From the requested resource up to the one that the claim names."""
    observations: list[Observation]
    """What each constraint of the claim saw."""

    @classmethod
    def of(cls, certificate: core.Certificate) -> "Certificate":
        """Return the written form of the core value."""
        return cls.model_construct(
            organization=certificate.organization,
            revision=certificate.revision,
            instant=certificate.instant,
            principal=certificate.principal,
            groups=list(certificate.groups),
            start=certificate.validity.start,
            end=certificate.validity.end,
            roles=list(certificate.roles),
            claim=documents.Claim.of(certificate.claim),
            resources=list(certificate.resources),
            observations=[Observation.of(seen) for seen in certificate.observations],
        )
