"""A line and what belongs to it: what terminals print and pages draw."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tree:
    """A line and what belongs to it."""

    label: str
    branches: "tuple[Tree, ...]" = field(default=())
