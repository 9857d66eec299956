"""What the answer to a question of reachability can be: yes, no, or not known. Never a guess.

A yes carries a sequence that has been replayed; a no says what it rests on.
"""

from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

Act = TypeVar("Act")
Evidence = TypeVar("Evidence")


@dataclass(frozen=True, slots=True)
class Reachable(Generic[Act]):
    """These steps lead there, in this order; they have been replayed. None means: it is so now.

    `shortest` is whether there is no shorter sequence; without it, none that is shorter is known.
    """

    steps: tuple[Act, ...]
    shortest: bool


@dataclass(frozen=True, slots=True)
class Unreachable(Generic[Evidence]):
    """No sequence leads there.

    By `over-approximation`: an invariant holds now, every step keeps it, and it excludes the goal;
    the evidence is that invariant. By an `exhaustive` search: of every state that matters.
    """

    how: Literal["over-approximation", "exhaustive"]
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Exhausted:
    """A search that came to its end: how many states it saw, up to those that are alike."""

    states: int


@dataclass(frozen=True, slots=True)
class Undetermined:
    """Neither a sequence nor a proof was found, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is tried before the answer is `Undetermined`.

    For rules, `role_sets` and `conditions` bound the over-approximations, forward and backward,
    and `states` the search. For an organization, `revisions` bounds the states that are kept and
    `attempts` the commands that are tried.
    """

    role_sets: int = 1_000
    conditions: int = 50_000
    states: int = 20_000
    revisions: int = 20_000
    attempts: int = 200_000


USUAL: Final = Limits()
