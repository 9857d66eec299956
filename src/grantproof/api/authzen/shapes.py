"""What AuthZEN sends and is answered: the entities of the standard, read once.

Fields that are not known are ignored, as the standard says. A property is kept as it was written:
only those that count are ever read.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from grantproof.core.limits import BATCH_ITEMS_MAX, INTEGER_MAX, PAGE_TOKEN_LENGTH_MAX

Properties = dict[str, Raw]


class Subject(msgspec.Struct, frozen=True, gc=False):
    """Who: a principal, if its type is one of those that are."""

    type: str
    id: str
    properties: Properties | UnsetType = UNSET


class Action(msgspec.Struct, frozen=True, gc=False):
    """What is to be done."""

    name: str
    properties: Properties | UnsetType = UNSET


class Resource(msgspec.Struct, frozen=True, gc=False):
    """On what: its type is the kind of the resource."""

    type: str
    id: str
    properties: Properties | UnsetType = UNSET


class AccessEvaluation(msgspec.Struct, frozen=True, gc=False):
    """May the subject do the action on the resource, here and now?"""

    subject: Subject
    action: Action
    resource: Resource
    context: Properties | UnsetType = UNSET


class Item(msgspec.Struct, frozen=True, gc=False):
    """One question of several; what it leaves out is asked as the whole says."""

    subject: Subject | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    resource: Resource | UnsetType = UNSET
    context: Properties | UnsetType = UNSET


class Semantic(StrEnum):
    """Which of several questions are answered."""

    EXECUTE_ALL = "execute_all"
    DENY_ON_FIRST_DENY = "deny_on_first_deny"
    PERMIT_ON_FIRST_PERMIT = "permit_on_first_permit"

    def ends_with(self, decision: bool) -> bool:
        """Return whether nothing is answered after such a decision."""
        if self is Semantic.EXECUTE_ALL:
            return False
        return decision is (self is Semantic.PERMIT_ON_FIRST_PERMIT)


SemanticText = Annotated[str, Meta(extra_json_schema={"enum": [one.value for one in Semantic]})]


class Options(msgspec.Struct, frozen=True, gc=False):
    """How several questions are answered."""

    evaluations_semantic: SemanticText = Semantic.EXECUTE_ALL.value


class AccessEvaluations(Item, frozen=True, gc=False):
    """Several questions, answered in their order at one revision and one instant.

    Without any it is one question itself. An item that is no question is denied.
    """

    evaluations: Annotated[list[Raw], Meta(max_length=BATCH_ITEMS_MAX)] | UnsetType = UNSET
    options: Options | UnsetType = UNSET


class Page(msgspec.Struct, frozen=True, gc=False):
    """At most `limit` results; `token` is the `next_token` of the page before."""

    token: Annotated[str, Meta(max_length=PAGE_TOKEN_LENGTH_MAX)] | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=INTEGER_MAX)] | UnsetType = UNSET


class SubjectSought(msgspec.Struct, frozen=True, gc=False):
    """The type of the subjects that are sought; an id is ignored."""

    type: str
    properties: Properties | UnsetType = UNSET


class ResourceSought(msgspec.Struct, frozen=True, gc=False):
    """The type of the resources that are sought; an id is ignored."""

    type: str
    properties: Properties | UnsetType = UNSET


class SubjectSearch(msgspec.Struct, frozen=True, gc=False):
    """Which subjects may do the action on the resource?"""

    subject: SubjectSought
    action: Action
    resource: Resource
    context: Properties | UnsetType = UNSET
    page: Page | UnsetType = UNSET


class ResourceSearch(msgspec.Struct, frozen=True, gc=False):
    """On which resources may the subject do the action?"""

    subject: Subject
    action: Action
    resource: ResourceSought
    context: Properties | UnsetType = UNSET
    page: Page | UnsetType = UNSET


class ActionSearch(msgspec.Struct, frozen=True, gc=False):
    """What may the subject do on the resource?"""

    subject: Subject
    resource: Resource
    context: Properties | UnsetType = UNSET
    page: Page | UnsetType = UNSET


class ItemFault(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with one question of several."""

    status: int
    code: str
    message: str


class DecisionContext(msgspec.Struct, frozen=True, gc=False):
    """What stands behind a decision, in the words of `POST /evaluate`."""

    reason: str | None
    reason_code: str | None
    revision: int
    decided_at: int
    valid_until: int | None
    claim_id: str | UnsetType = UNSET
    meter_age: int | UnsetType = UNSET


class FaultContext(msgspec.Struct, frozen=True, gc=False):
    """Why there is no decision."""

    error: ItemFault


class Decision(msgspec.Struct, frozen=True, gc=False):
    """Whether it is allowed."""

    decision: bool
    context: DecisionContext


class Undecided(msgspec.Struct, frozen=True, gc=False):
    """An item that is no question: denied."""

    context: FaultContext
    decision: bool = False


class Decisions(msgspec.Struct, frozen=True, gc=False):
    """The answers to several questions, in their order."""

    evaluations: list[Decision | Undecided]


class Entity(msgspec.Struct, frozen=True, gc=False):
    """A subject or a resource that was found."""

    type: str
    id: str


class ActionFound(msgspec.Struct, frozen=True, gc=False):
    """An action that was found."""

    name: str


class PageProperties(msgspec.Struct, frozen=True, gc=False):
    """The state that a page was decided on, and when, in epoch seconds."""

    revision: int
    decided_at: int


class PageTold(msgspec.Struct, frozen=True, gc=False):
    """How to ask for what follows, empty where nothing does, and how many results these are."""

    next_token: str
    count: int
    properties: PageProperties


class Results(msgspec.Struct, frozen=True, gc=False):
    """A page of a search, in the order of the ids."""

    results: list[Entity | ActionFound]
    page: PageTold


encode: Final = msgspec.json.Encoder().encode
