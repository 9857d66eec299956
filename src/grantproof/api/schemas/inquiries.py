"""Questions about what is possible: their bodies, and the shapes of what is answered."""

from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, model_validator

from grantproof.api.schemas.answer import Answer
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.constraints import DAYS_PER_WEEK, HOURS_PER_DAY
from grantproof.core.guardrails import Forbidden
from grantproof.core.limits import ACTIVE_ROLES_MAX, INTEGER_MAX
from grantproof.core.matching import Request
from grantproof.policyfile import documents
from grantproof.policyfile.answers import CODES, Certificate, Observation
from grantproof.policyfile.document import Document, legal
from grantproof.policyfile.fields import (
    ActionNameField,
    AnyKindField,
    PositionField,
    PrincipalField,
    RegionField,
    ResourceField,
    RoleField,
    SodSetField,
)
from grantproof.policyfile.guardrail_documents import Access, WhoField
from grantproof.policyfile.value_fields import AttributesField
from grantproof.service.pip import Supplied

Item = TypeVar("Item")


Hour = Annotated[int, Field(ge=0, le=HOURS_PER_DAY - 1)]
Weekday = Annotated[int, Field(ge=0, le=DAYS_PER_WEEK - 1)]
Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]


class Circumstances(Document):
    """A context that is supposed: nothing is decided in it for anybody, so no trust is asked for.

    Hour and weekday that are left out are those of now.
    """

    region: RegionField | None = None
    """Where the request would come from."""
    position: PositionField | None = None
    """Its latitude and longitude in decimal degrees."""
    attributes: AttributesField | None = None
    """The attributes of the request."""
    hour: Hour | None = None
    """The local hour."""
    weekday: Weekday | None = None
    """The local weekday; 0 is Monday."""
    usage: Count | None = None
    """The usage so far, of every claim."""
    rate: Count | None = None
    """The requests of this minute so far."""

    def supplied(self) -> Supplied:
        """Return what is said of the context."""
        return Supplied(
            self.region,
            self.position,
            NO_ATTRIBUTES if self.attributes is None else self.attributes,
            self.hour,
            self.weekday,
            self.usage,
            self.rate,
        )


class WhoCan(Document):
    """Who can do this?"""

    action: ActionNameField
    """The action."""
    resource_id: ResourceField
    """On which resource."""
    resource_kind: AnyKindField | None = None
    """Its kind, which makes a resource known that is not registered."""
    context: Circumstances | None = None
    """In which context; without one, in any. Usage and rate that are left out are then 0."""


class WhyNot(Circumstances):
    """Why may this principal not do this? What is left out of the context is as it is now."""

    principal_id: PrincipalField
    """Who."""
    action: ActionNameField
    """Would do what."""
    resource_id: ResourceField
    """On which resource."""
    resource_kind: AnyKindField | None = None
    """Its kind, which makes a resource known that is not registered."""
    active_roles: Annotated[list[RoleField], Field(max_length=ACTIVE_ROLES_MAX)] | None = None
    """The roles of a session; left out means all that the principal has."""

    def request(self) -> Request:
        """Return what is asked."""
        roles = None if self.active_roles is None else frozenset(self.active_roles)
        return Request(self.principal_id, self.action, self.resource_id, self.resource_kind, roles)


class NotGranted(Document):
    """Is nobody ever allowed this? In the words of a guardrail of type `forbidden`."""

    access: Access
    """What."""
    who: WhoField = frozenset()
    """Of whom it is asked; of everybody where it is left out."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> Forbidden:
        """Return the rule that is asked about."""
        return Forbidden(self.access.core(), self.who)


class Listed(Answer, Generic[Item]):
    """The first of some items, and how many there are."""

    count: int
    """How many there are."""
    items: list[Item]
    """The first of them, up to a hundred."""


class Shown(Answer):
    """A request that is allowed, in a context, and the proof of it."""

    request: dict[str, Any]
    """Who does what on which resource, as `POST /evaluate` takes it."""
    context: dict[str, Any]
    """What the context says, under the names that a request uses."""
    certificate: Certificate
    """The evidence."""


class Timed(Shown):
    """What is allowed in a time."""

    conditional: bool
    """Whether in other contexts of that time it is denied."""
    start: int = Field(alias="from")
    """The first instant of a time in which it is possible: now, where it is possible now."""
    end: int | None = Field(alias="until")
    """The first instant after it; null means never."""


class Named(Answer):
    """Principals whom nothing that matters tells apart."""

    count: int
    """How many they are."""
    principals: list[PrincipalField]
    """The first of them."""


class Able(Named, Timed):
    """Principals who can, and how the first of them can."""


class UnclearPrincipals(Named):
    """Principals of whom it is not known."""

    why: str
    """Why not."""


class UnclearClaim(Answer):
    """A claim of which it is not known."""

    claim: documents.Claim
    """The claim."""
    why: str
    """Why not."""


class Ability(Answer):
    """Who can do something; complete where `undetermined` is empty."""

    principals: int
    """How many can."""
    resource_known: bool
    """Whether there is such a resource, or such a kind."""
    able: Listed[Able]
    """They, class by class; up to a thousand are named."""
    undetermined: Listed[UnclearPrincipals]
    """Those of whom it is not known."""
    context: dict[str, Any] | None
    """The context that was asked about; null means any."""
    asked_at: int
    """When, in epoch seconds."""
    revision: int
    """The state that it is true of."""


class Abilities(Answer):
    """What a principal can do; complete where `undetermined` is empty."""

    principal_id: PrincipalField
    """Who."""
    usable: Listed[Timed]
    """Its claims that it can use, each with a request that one grants."""
    useless: Listed[documents.Claim]
    """Its claims that it can never use, as things are stored."""
    undetermined: Listed[UnclearClaim]
    """Its claims of which it is not known."""
    asked_at: int
    """When, in epoch seconds."""
    revision: int
    """The state that it is true of."""


class Condition(Observation):
    """A constraint that does not hold."""

    message: str
    """That in words."""


class Obstacle(Answer):
    """Why the commands of a remedy would be refused."""

    code: str
    """The code of the problem that the change would meet."""
    message: str
    """That in words."""
    witness: dict[str, Any] | None
    """The evidence."""


class Remedy(Answer):
    """What would make a request be allowed: all of it together."""

    claim: documents.Claim
    """The claim that would grant."""
    commands: list[dict[str, Any]]
    """What to change, as `POST /v1/orgs/{org}/changes` takes it; often nothing."""
    active_roles: list[RoleField] | None
    """The session to be chosen; null means none."""
    conditions: list[Condition]
    """What must hold beside and does not."""
    context: dict[str, Any]
    """A context in which it holds."""
    refusal: Obstacle | None
    """Why the commands would be refused, where they would."""


class Diagnosis(Answer):
    """Why a request is denied, and what would make it be allowed.

    The remedies are complete where `undetermined` is empty.
    """

    decision: Literal["Allow", "Deny"]
    """As `POST /evaluate` would decide."""
    reason: str | None
    """Why not, in words."""
    reason_code: Annotated[str | None, Field(json_schema_extra={"enum": [*CODES.values(), None]})]
    """Why not, for programs."""
    certificate: Certificate | None
    """The evidence of an allow."""
    context: dict[str, Any]
    """The context that was asked about."""
    remedies: Listed[Remedy]
    """What would help, the least first; up to ten."""
    undetermined: Listed[UnclearClaim]
    """Claims of which it is not known whether they would help."""
    revision: int
    """The state that it is true of."""


class Granted(Answer):
    """Requests that are allowed though they were asked not to be."""

    kind: Literal["counterexample"]
    """What it is."""
    count: int
    """How many principals it is about."""
    failing: list[dict[str, Any]]
    """Nothing here."""
    requests: list[Shown]
    """The request."""


class Verdict(Answer):
    """Whether nobody is ever allowed the access."""

    holds: bool
    """Whether nobody is."""
    message: str | None
    """Otherwise who is, in words."""
    counterexample: Granted | None
    """Otherwise who is, and how."""
    revision: int
    """The state that it is true of."""


class RedundantClaim(Answer):
    """A claim that could go, and nobody would be allowed less."""

    claim: documents.Claim
    """The claim."""
    because_of: documents.Claim
    """What says as much."""


class RedundantAssignment(Answer):
    """An assignment that could go, and nobody would be allowed less."""

    assignment: documents.Assignment | documents.GroupAssignment
    """The assignment."""
    because_of: documents.Assignment | documents.GroupAssignment
    """What gives as much, for as long."""


class Dead(Answer):
    """What is without effect; complete where `undetermined` is empty."""

    unused_roles: Listed[RoleField]
    """Nobody ever holds them."""
    unreachable_claims: Listed[documents.Claim]
    """Whoever holds the role is suspended, or nobody can have the role active."""
    unsatisfiable_claims: Listed[documents.Claim]
    """No context satisfies them, for anybody who holds them."""
    redundant_claims: Listed[RedundantClaim]
    """Another claim says as much."""
    redundant_assignments: Listed[RedundantAssignment]
    """Another assignment gives as much."""
    undetermined: Listed[UnclearClaim]
    """Claims of which it is not known."""
    asked_at: int
    """When, in epoch seconds."""
    revision: int
    """The state that it is true of."""


class Conflict(Answer):
    """A role that a separation-of-duty set keeps everybody from."""

    role: RoleField
    """The role."""
    sod_set: SodSetField
    """The set."""


class Conflicts(Answer):
    """Roles that separation of duty keeps everybody from."""

    unholdable: Listed[Conflict]
    """Nobody can hold them."""
    unactivatable: Listed[Conflict]
    """Nobody can have them active."""
    revision: int
    """The state that it is true of."""


class Counted(Answer):
    """How much of it there is."""

    classes: int
    """Of so many kinds."""
    requests: int
    """So many different requests: principal, action and resource."""


class Place(Answer):
    """A resource, or any other one of a kind that is not registered."""

    resource_id: ResourceField | None
    """The resource; null means one that is not registered."""
    resource_kind: str | None
    """Its kind."""


class ExampleRequest(Answer):
    """A request."""

    principal_id: PrincipalField
    """Who."""
    action: str
    """What."""
    resource_id: str
    """On what."""
    resource_kind: str | None
    """As which kind it was asked about."""


class Scope(Answer):
    """Requests that are told together: every principal, action and resource of the three lists."""

    principal_count: int
    """How many principals."""
    principals: list[PrincipalField]
    """The first of them."""
    actions: list[str]
    """The actions."""
    other_actions: bool
    """Whether every action that no claim names is among them too."""
    resource_count: int
    """How many resources."""
    resources: list[Place]
    """The first of them."""
    example: ExampleRequest
    """One of these requests."""


class ChangedAccess(Scope):
    """Access that is gained or lost, with an example that both states decided."""

    context: dict[str, Any]
    """In which the example is allowed by the one state and denied by the other."""
    certificate: Certificate
    """Why the one allows it."""
    reason: str
    """Why the other denies it."""
    reason_code: str
    """That for programs."""


class Unsettled(Scope):
    """Access of which it is not known whether it is gained or lost."""

    direction: Literal["gain", "loss"]
    """Which of them it would be."""
    why: str
    """Why it is not known."""


class Difference(Answer):
    """Who gains and who loses what, over every context and every instant."""

    verdict: Literal["equal", "more", "less", "incomparable", "undetermined"]
    """What the later state allows, next to the earlier one."""
    gained: Counted
    """How much is gained."""
    lost: Counted
    """How much is lost."""
    gains: list[ChangedAccess]
    """The first gains."""
    losses: list[ChangedAccess]
    """The first losses."""
    undetermined: list[Unsettled]
    """What is not known."""
    from_revision: int
    """The earlier state."""
    revision: int
    """The later state: the present one."""
    asked_at: int
    """When, in epoch seconds."""
