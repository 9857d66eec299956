"""Which actions and which resources are meant: the patterns of claims and of guardrails."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from grantproof.core.identifiers import IMPLICIT_KINDS, Action, Kind, ResourceId

Named = TypeVar("Named", Action, ResourceId)


@dataclass(frozen=True, slots=True)
class Exactly(Generic[Named]):
    """Matches this one and no other."""

    value: Named


@dataclass(frozen=True, slots=True)
class Within:
    """Matches the resource and all its descendants; written `docs/**`."""

    value: ResourceId


@dataclass(frozen=True, slots=True)
class OfKind:
    """Matches every resource of the kind, registered or not; written `kind:document`.

    `kind` is a declared kind or the kind of an implicit resource (`role`, `group`, ...).
    """

    kind: str

    def __post_init__(self) -> None:
        if self.kind not in IMPLICIT_KINDS:
            Kind(self.kind)


@dataclass(frozen=True, slots=True)
class Any:
    """Matches everything; written `*`. As an action, everything that is not administrative."""


ActionPattern = Exactly[Action] | Any
ResourcePattern = Exactly[ResourceId] | Within | OfKind | Any
