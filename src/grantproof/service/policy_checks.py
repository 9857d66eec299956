"""Policy files held to everything that an import would hold them to, without a store.

One path for `policy check`, `policy convert` and `import`: what the others call right it takes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import ChangeSet
from grantproof.core.errors import AlreadyExists, Illegal, Missing, SingleRefusal, WouldCycle
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import COMMANDS_PER_CHANGE_SET_MAX, INSTANT_MIN
from grantproof.core.messages import refusal_message
from grantproof.core.organization import Organization
from grantproof.policyfile.faults import Location, written_path
from grantproof.policyfile.organization_document import (
    OrganizationDocument,
    steps,
    to_change_set,
)
from grantproof.policyfile.policy_folder import PolicyReading, read_files
from grantproof.policyfile.policy_problems import FiledProblem, Finding
from grantproof.policyfile.policy_trial import refused_steps
from grantproof.service.pip import check_time_zone

TOLD_ALREADY: Final = (AlreadyExists, Missing, WouldCycle)
"""Refusals that repeat, in an organization whose parts do not fit, what is told of these parts."""

STEPS_AT_ONCE: Final = 10_000

Told = Callable[[int, int], None]
"""Is given how many steps more have been tried, of how many."""


def check_policy(
    texts: Mapping[str, str],
    *,
    name: OrganizationId | None = None,
    told: Told = lambda _more, _all: None,
) -> OrganizationDocument | tuple[FiledProblem, ...]:
    """Return the organization that the texts describe, or every problem that keeps it from being.

    Problems are of the form of the texts, of what they hold together, and of what an organization
    would refuse: breaches of separation of duty, bounds. `name` renames it.
    """
    return check_reading(read_files(texts), name=name, told=told)


def state_of(document: OrganizationDocument) -> Organization:
    """Return the organization that a document without problems makes."""
    state, commands = document.empty(), to_change_set(document)
    for start in range(0, len(commands), STEPS_AT_ONCE):
        some = ChangeSet(commands[start : start + STEPS_AT_ONCE])
        made = apply(state, some, actor="policy", instant=INSTANT_MIN)
        if not isinstance(made, Accepted):
            message = "a policy that was checked is refused"
            raise TypeError(message)
        state = made.state
    return state


def check_reading(
    reading: PolicyReading,
    *,
    name: OrganizationId | None = None,
    told: Told = lambda _more, _all: None,
) -> OrganizationDocument | tuple[FiledProblem, ...]:
    """Return what `check_policy` does, of texts that were read; the problems are added to them."""
    document = reading.document
    if name is not None:
        document = document.model_copy(update={"id": name})
    sound = reading.sound
    for broken in broken_rules(document, told=told):
        if sound or not isinstance(broken.refusal, TOLD_ALREADY):
            spot = reading.spot(broken.path)
            reading.findings.append(Finding(spot, broken.rule, refusal=broken.refusal))
    return reading.problems or document


@dataclass(frozen=True, slots=True)
class BrokenRule:
    """A part of a document that no organization can have, and the refusal where there is one."""

    path: Location
    rule: str
    refusal: SingleRefusal | None = None

    @property
    def message(self) -> str:
        """Return the rule after the path of the part."""
        where = written_path(self.path)
        return f"{where}: {self.rule}" if where else self.rule


def broken_rules(
    document: OrganizationDocument, *, told: Told = lambda _more, _all: None
) -> Iterator[BrokenRule]:
    """Yield what keeps the document from being an organization, though its form is right.

    A time zone that nobody knows, too much to be changed at once, and all that is refused: breaches
    of separation of duty, bounds.
    """
    wanted = list(steps(document))
    told(0, len(wanted))
    try:
        check_time_zone(document.time_zone)
    except Illegal as broken:
        yield BrokenRule(("time_zone",), broken.rule)
    if len(wanted) > COMMANDS_PER_CHANGE_SET_MAX:
        rule = f"must take at most {COMMANDS_PER_CHANGE_SET_MAX} changes: takes {len(wanted)}"
        yield BrokenRule((), rule)
    for refused in refused_steps(
        document.empty(), wanted, told=lambda more: told(more, len(wanted))
    ):
        yield BrokenRule(refused.path, refusal_message(refused.refusal), refused.refusal)
