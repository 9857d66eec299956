"""What a comparison of two states finds: who may do what that they could not before, or no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from grantproof.analysis.populations import Population
from grantproof.core.certificate import Certificate
from grantproof.core.constraints import Context
from grantproof.core.identifiers import Action, ResourceId
from grantproof.core.matching import Request
from grantproof.core.policy import Reason


class Verdict(StrEnum):
    """What the new state allows, compared with the old one."""

    EQUAL = "equal"
    MORE = "more"
    LESS = "less"
    INCOMPARABLE = "incomparable"
    UNDETERMINED = "undetermined"


class Direction(StrEnum):
    """Whether something is allowed by the new state only, or by the old one only."""

    GAIN = "gain"
    LOSS = "loss"


@dataclass(frozen=True, slots=True)
class Actions:
    """Actions by name; with `other` also every ordinary one that no claim of either state names.

    `other` is the action that stands for those.
    """

    named: tuple[Action, ...]
    other: Action | None = None

    def __iter__(self) -> Iterator[Action]:
        yield from self.named
        if self.other is not None:
            yield self.other


@dataclass(frozen=True, slots=True)
class Subject:
    """A resource that is asked about, named with a kind where `kind` is not nothing.

    If it is not `registered` it stands for every resource of its kind that neither state knows.
    """

    resource: ResourceId
    kind: str | None = None
    registered: bool = True


@dataclass(frozen=True, slots=True)
class Scope:
    """Requests that change alike: each of the principals, each action, each resource."""

    principals: Population
    actions: Actions
    subjects: tuple[Subject, ...]

    @property
    def example(self) -> Request:
        """The request that stands for the others."""
        action, subject = next(iter(self.actions)), self.subjects[0]
        return Request(self.principals.least, action, subject.resource, subject.kind)

    @property
    def count(self) -> int:
        """How many requests these are; of actions and resources without number one counts."""
        return len(self.principals) * len(tuple(self.actions)) * len(self.subjects)

    def requests(self) -> Iterator[Request]:
        """Yield every request; of actions and resources without number the one for them."""
        for principal, action, subject in product(self.principals, self.actions, self.subjects):
            yield Request(principal, action, subject.resource, subject.kind)


@dataclass(frozen=True, slots=True)
class Change:
    """Requests that one of the states allows in a context in which the other denies them.

    The example was decided by both states in the context: the certificate is of the state that
    allows it, the reason of the one that does not.
    """

    direction: Direction
    scope: Scope
    context: Context
    certificate: Certificate
    reason: Reason


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Requests of which it is not known whether they changed in this direction, and why not."""

    direction: Direction
    scope: Scope
    why: str


@dataclass(frozen=True, slots=True)
class Difference:
    """How two states differ. `gains` and `losses` are those that were asked for, at most a limit.

    `gained` and `lost` say how many there are in all, and of how many requests.
    """

    verdict: Verdict
    gains: tuple[Change, ...]
    losses: tuple[Change, ...]
    gained: "Count"
    lost: "Count"
    undetermined: tuple[Unsettled, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """So many classes of requests, and so many requests in them."""

    classes: int = 0
    requests: int = 0
