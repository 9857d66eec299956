"""What came of verifying a policy: one value, which every form of the report is written from.

A finding is a thing that was looked at, whatever came of it; a stage is what was looked at for the
same reason. Of several outcomes the worst counts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from grantproof.analysis.findings import Difference
from grantproof.policyfile.source import Place


class Level(StrEnum):
    """What a finding means for whoever waits for the result."""

    UNREADABLE = "unreadable"
    """It could not be read, so nothing is known."""
    ERROR = "error"
    """It has to be put right."""
    UNDETERMINED = "undetermined"
    """It is not known whether it has to be."""
    WARNING = "warning"
    """It is likely a mistake, and grants nothing that should not be granted."""
    NOTE = "note"
    """It is good to know."""
    OK = "ok"
    """It is as it should be."""


class Outcome(StrEnum):
    """What came of a stage, or of all of them."""

    UNREADABLE = "unreadable"
    FAILED = "failed"
    UNDETERMINED = "undetermined"
    PASSED = "passed"
    NOT_RUN = "not run"


WORST_FIRST: Final = tuple(Outcome)
OUTCOMES: Final[Mapping[Level, Outcome]] = {
    Level.UNREADABLE: Outcome.UNREADABLE,
    Level.ERROR: Outcome.FAILED,
    Level.UNDETERMINED: Outcome.UNDETERMINED,
}
"""What a finding makes of its stage; any other leaves it passed."""


class Rule(StrEnum):
    """What is looked at; the values are the ids that programs know the rules by."""

    FILE = "unreadable-file"
    POLICY = "policy"
    TEST_FILE = "policy-test-file"
    TEST = "policy-test"
    GUARDRAIL = "guardrail"
    BASE = "unreadable-base"
    GAIN = "new-access"
    LOSS = "lost-access"
    CHANGE = "changed-access"
    UNUSED_ROLE = "unused-role"
    UNHOLDABLE_ROLE = "unholdable-role"
    DEAD_CLAIM = "dead-claim"
    REDUNDANT_CLAIM = "redundant-claim"
    REDUNDANT_ASSIGNMENT = "redundant-assignment"


MEANINGS: Final[Mapping[Rule, str]] = {
    Rule.FILE: "every file can be read",
    Rule.POLICY: "the policy is one that an organization can have",
    Rule.TEST_FILE: "the tests name only what the policy has",
    Rule.TEST: "the policy decides as its test expects",
    Rule.GUARDRAIL: "the guardrail holds of every request, instant and context",
    Rule.BASE: "the base to compare with can be read",
    Rule.GAIN: "the policy allows what the base denies",
    Rule.LOSS: "the policy denies what the base allows",
    Rule.CHANGE: "it is known what changes from the base",
    Rule.UNUSED_ROLE: "somebody holds the role",
    Rule.UNHOLDABLE_ROLE: "separation of duty lets somebody use the role",
    Rule.DEAD_CLAIM: "somebody can use the claim in some context",
    Rule.REDUNDANT_CLAIM: "no other claim makes this one needless",
    Rule.REDUNDANT_ASSIGNMENT: "no other assignment makes this one needless",
}
"""What each rule says, in one line."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A file, and a line and a column in it, both from 1."""

    file: str
    place: Place = (1, 1)

    def __str__(self) -> str:
        """Return the spot as editors understand it."""
        return f"{self.file}:{self.place[0]}:{self.place[1]}"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at: what it is called, what came of it, and where it stands.

    `details` are further lines for people, `document` is what programs get besides.
    """

    rule: Rule
    level: Level
    name: str
    message: str
    spot: Spot | None = None
    details: tuple[str, ...] = ()
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """What was looked at for one reason; `summary` says it in a line."""

    name: str
    summary: str
    findings: tuple[Finding, ...] = ()
    run: bool = True

    @property
    def outcome(self) -> Outcome:
        """What came of it."""
        if not self.run:
            return Outcome.NOT_RUN
        found = (OUTCOMES.get(one.level, Outcome.PASSED) for one in self.findings)
        return worst((Outcome.PASSED, *found))


@dataclass(frozen=True, slots=True)
class Access:
    """What changes for whom from a base, which is called `base`."""

    base: str
    difference: Difference


@dataclass(frozen=True, slots=True)
class Report:
    """The stages in their order; `access` when there was a base to compare with."""

    organization: str | None
    stages: tuple[Stage, ...]
    access: Access | None = None

    @property
    def outcome(self) -> Outcome:
        """The worst outcome of a stage."""
        return worst((Outcome.PASSED, *(stage.outcome for stage in self.stages)))


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the outcome that counts: unreadable, then failed, then undetermined, then passed."""
    return min(outcomes, key=WORST_FIRST.index)
