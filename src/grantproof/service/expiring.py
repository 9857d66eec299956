"""Assignments whose time matters: they end soon, have ended and are stored, or begin later."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from grantproof.core.model import Validity
from grantproof.core.organization import Organization

SECONDS_A_DAY: Final = 86_400
INSTANT_DIGITS: Final = 12
"""So many an instant has at most, so that instants as text stand in their order."""

Stage = Literal["expired", "expiring", "not_begun"]
Key = tuple[str, str, str, str]
"""The instant that matters as text, what the holder is, which one, and the role."""


@dataclass(frozen=True, slots=True)
class Timed:
    """An assignment to a principal or a group, and what is next, or was last, to happen to it.

    `instant` (epoch seconds) is its beginning if it has not begun, else its end.
    """

    kind: Literal["group", "principal"]
    holder: str
    role: str
    validity: Validity
    stage: Stage
    instant: int

    @property
    def key(self) -> Key:
        """What it is known by, and stands in the order of: the earliest instant first."""
        return (str(self.instant).zfill(INSTANT_DIGITS), self.kind, self.holder, self.role)


def timed(
    state: Organization, *, instant: int, within: int, stage: Stage | None = None
) -> Iterator[Timed]:
    """Yield the assignments of the stage, or of any, in no order.

    Of those that are valid at the instant, whose end comes less than `within` seconds later; those
    that have ended and those that have not begun, whenever.
    """
    for found in _all(state, instant, within):
        if stage in {None, found.stage}:
            yield found


def _all(state: Organization, instant: int, within: int) -> Iterator[Timed]:
    for group, role, validity in state.group_assignments.triples():
        placed = _placed(validity, instant, within)
        if placed is not None:
            yield Timed("group", group, role, validity, *placed)
    for principal, role, validity in state.assignments.triples():
        placed = _placed(validity, instant, within)
        if placed is not None:
            yield Timed("principal", principal, role, validity, *placed)


def _placed(validity: Validity, instant: int, within: int) -> tuple[Stage, int] | None:
    start, end = validity.start, validity.end
    if end is not None and end <= instant:
        return "expired", end
    if start is not None and start > instant:
        return "not_begun", start
    if end is not None and end - instant < within:
        return "expiring", end
    return None
