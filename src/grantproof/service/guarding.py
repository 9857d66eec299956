"""Guardrails kept: no change is committed that breaks one, or of which that is not known.

What only takes access away is let through without a solver, so that an emergency revocation works
when there is none that answers. Everything else is judged apart, within limits. What was judged and
lost a race is not judged again: only what others have changed since is, see `Judgement`.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from grantproof.core.commands import Accepted
from grantproof.core.commands.delta import compose
from grantproof.core.guardrails import Guardrail
from grantproof.core.identifiers import GuardrailId
from grantproof.core.organization import Organization
from grantproof.service.past import between, undone
from grantproof.service.ports import Store
from grantproof.service.solving import IN_PROCESS, Answering, Undetermined
from grantproof.service.versions import Versioned


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


@dataclass(frozen=True, slots=True)
class Doubt:
    """What takes a solver: `step` leads from `before`, of which every guardrail holds.

    It leads to where `change` leads, which was tried on the state `seen`. The guardrails are those
    that the step could break.
    """

    seen: Versioned
    change: Accepted
    before: Organization
    step: Accepted
    guardrails: tuple[Guardrail, ...]


class Guard:
    """Judges changes. INVARIANT: every guardrail of an organization holds of it."""

    def __init__(self, solver: Answering = IN_PROCESS) -> None:
        self._solver = solver

    def refusal(self, before: Organization, change: Accepted) -> Broken | Unjudged | None:
        """Return why the change must not be made, or nothing when it keeps every guardrail."""
        return self.judged(before, change, self.doubtful(before, change))

    def doubtful(self, before: Organization, change: Accepted) -> tuple[Guardrail, ...]:
        """Return the guardrails that the change could break; takes no solver, and no time."""
        if len(change.state.guardrails) == 0:
            return ()
        from grantproof.service import judging  # noqa: PLC0415 - it loads the solver

        return judging.doubtful(before, change)

    def judged(
        self, before: Organization, change: Accepted, doubtful: tuple[Guardrail, ...]
    ) -> Broken | Unjudged | None:
        """Return what `refusal` does, with the guardrails that are doubtful."""
        if len(doubtful) == 0:
            return None
        from grantproof.service import judging  # noqa: PLC0415 - it loads the solver

        found = self._solver.ask(partial(judging.first_refusal, before, change, doubtful))
        return Unjudged(doubtful[0].id, found.why) if isinstance(found, Undetermined) else found


class Judgement:
    """Judges one change on every state that it is tried on, until it has won the race.

    Others may have moved on when a judgement is there. The change is then judged as a step from the
    state that was judged, to that state with what others did: what they did is all that is looked
    at, however long the first look took. Where it only took access away there is no doubt at all,
    so whoever revokes never starves whoever grants.
    """

    def __init__(self, guard: Guard, store: Store) -> None:
        self._guard = guard
        self._store = store
        self._kept: tuple[Versioned, Accepted] | None = None

    def doubt(self, seen: Versioned, change: Accepted) -> Doubt | None:
        """Return what is to be judged, or nothing when the change keeps every guardrail."""
        doubt = self._doubt(seen, change, before=seen.state, step=change)
        if doubt is None or self._kept is None:
            return doubt
        tried, judged = self._kept
        others = between(self._store, tried, seen)
        if others is None:
            return doubt
        way = compose((undone(judged.event.delta), *others, change.event.delta))
        step = replace(change, event=replace(change.event, delta=way))
        doubt = self._doubt(seen, change, before=judged.state, step=step)
        if doubt is None:
            self._kept = seen, change
        return doubt

    def refusal(self, doubt: Doubt) -> Broken | Unjudged | None:
        """Return why the change must not be made; may take as long as a solver may."""
        refusal = self._guard.judged(doubt.before, doubt.step, doubt.guardrails)
        # INVARIANT: every guardrail holds of the state to which the change that is kept leads.
        if refusal is None:
            self._kept = doubt.seen, doubt.change
        return refusal

    def _doubt(
        self, seen: Versioned, change: Accepted, *, before: Organization, step: Accepted
    ) -> Doubt | None:
        doubtful = self._guard.doubtful(before, step)
        return None if len(doubtful) == 0 else Doubt(seen, change, before, step, doubtful)
