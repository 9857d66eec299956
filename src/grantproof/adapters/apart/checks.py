"""A long check of a whole state in a process of its own, where it disturbs nobody."""

from functools import partial
from typing import Final

from grantproof.adapters.apart.forks import Forks, Limits
from grantproof.core.invariants import Violation
from grantproof.core.organization import Organization
from grantproof.service.contracts import Unfinished, WholeCheck, unchecked
from grantproof.service.solving import Undetermined

SECONDS_MAX: Final = 3_600.0
"""How long a check may take before it counts as hung."""

TOLD_MAX: Final = 100


class Apart:
    """Makes checks of whole states, each in a process of its own and at the lowest priority."""

    def __init__(self, check: WholeCheck, *, seconds_max: float = SECONDS_MAX) -> None:
        self._check = check
        # A state that is checked is all touched, and what is touched of it is copied: a limit of
        # memory beside that says nothing.
        self._limits = Limits(seconds_max)
        self._forks = Forks()

    def __call__(self, state: Organization) -> tuple[Violation, ...]:
        """Return what the check finds in the state, at most the first of many; waits for it.

        Raises `Unfinished` when the process ends without an answer, as when it is killed, and when
        it has none in time: then it is killed here.
        """
        found = self._forks.run(partial(_found, self._check, state), self._limits)
        if isinstance(found, Undetermined):
            raise Unfinished(found.why)
        return found

    def stop(self) -> None:
        """End the check that is under way, and begin none any more."""
        self._forks.stop()


def _found(check: WholeCheck, state: Organization) -> tuple[Violation, ...]:
    try:
        return check(state)[:TOLD_MAX]
    except Exception as error:  # noqa: BLE001 - a check that fails has not passed
        return (unchecked(error),)
