"""Guardrails kept: no change is committed that breaks one, or of which that is not known.

What only takes access away is let through without a solver, so that an emergency revocation works
when there is none that answers. Everything else is judged apart, within limits.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from grantproof.core.commands import Accepted
from grantproof.core.identifiers import GuardrailId
from grantproof.core.organization import Organization
from grantproof.service.solving import Undetermined

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Broken:
    """The change would break the guardrail, of several the first by its id; nothing was changed.

    `message` says in a line who could do what; `witness` is the counterexample as a document.
    """

    guardrail: GuardrailId
    message: str
    witness: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Whether the change would break the guardrail is not known; nothing was changed."""

    guardrail: GuardrailId
    why: str

    @property
    def message(self) -> str:
        """What is not known and why, in a line."""
        return f"whether guardrail `{self.guardrail}` would hold is not known: {self.why}"


class Asked(Protocol):
    """Does work, apart or not: see `service.solving.Solver`."""

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns, or why nothing came of it."""
        ...


class InProcess:
    """Does the work where it is asked for: for programs that serve nobody."""

    def ask(self, work: Callable[[], Answer]) -> Answer | Undetermined:
        """Return what the work returns."""
        return work()


IN_PROCESS: Final = InProcess()


class Guard:
    """Judges changes. INVARIANT: every guardrail of an organization holds of it."""

    def __init__(self, solver: Asked = IN_PROCESS) -> None:
        self._solver = solver

    def refusal(self, before: Organization, change: Accepted) -> Broken | Unjudged | None:
        """Return why the change must not be made, or nothing when it keeps every guardrail."""
        if len(change.state.guardrails) == 0:
            return None
        from grantproof.service import judging  # noqa: PLC0415 - it loads the solver

        doubtful = judging.doubtful(before, change)
        if len(doubtful) == 0:
            return None
        found = self._solver.ask(partial(judging.first_refusal, before, change, doubtful))
        return Unjudged(doubtful[0].id, found.why) if isinstance(found, Undetermined) else found
