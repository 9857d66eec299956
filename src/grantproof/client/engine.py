"""The embedded engine: decisions in the process of the application, of a policy in files.

The same index and the same `DecisionPoint` that answer over HTTP, without a server, a database or
credentials. What is decided is what the files say; nothing is followed, recorded or counted.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self, Unpack, cast

from grantproof.client.deciding import (
    Decisions,
    Here,
    Row,
    answer_to,
    decide_closely,
    here_at,
    said_of,
)
from grantproof.client.machine import THIS_MACHINE
from grantproof.client.policy_paths import gather
from grantproof.client.questions import More, Question, Said
from grantproof.client.results import Allow, Deny, Document
from grantproof.core.constraints import GeoFence
from grantproof.core.index import Index
from grantproof.core.organization import Organization
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.service.policy_checks import check_policy, state_of


class PolicyError(ValueError):
    """The policy cannot be read, or no organization would take it.

    `problems` are those of `grantproof policy check --json`: file, line, column and rule of each.
    """

    def __init__(self, lines: Sequence[str], problems: Sequence[Document]) -> None:
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


class Engine:
    """Decides by a policy in memory. Safe from any thread, on an event loop too: it never waits.

    Counts nothing: a claim with a quota or a rate grants only when the caller says how often it was
    used (`usage`, `rate`), and otherwise the constraint fails, as whatever is not known does. It
    keeps no sessions either: say `active_roles`. Guardrails of the policy are not proved here, that
    is the work of `grantproof verify`.
    """

    waits = False
    """Whether `decide` holds up the thread that calls it."""

    def __init__(
        self, read: Callable[[], Organization], *, wall: Callable[[], float] = THIS_MACHINE.wall
    ) -> None:
        """Load the organization that `read` returns, now and at each reload.

        `wall` tells seconds since the epoch. `from_file` and `from_text` read policies.
        """
        self._read = read
        self._wall = wall
        self._lock = threading.Lock()
        self._here = _loaded(read(), revision=1, instant=0)

    @classmethod
    def from_file(cls, *paths: str | Path, wall: Callable[[], float] = THIS_MACHINE.wall) -> Self:
        """Load the policy of the files and folders, read as `grantproof policy check` reads them.

        Raises `PolicyError` with every problem, each with its file, line and column.
        """
        names = [str(path) for path in paths]
        return cls(lambda: _state(_texts(names)), wall=wall)

    @classmethod
    def from_text(cls, text: str, *, wall: Callable[[], float] = THIS_MACHINE.wall) -> Self:
        """Load the policy of a text, YAML or JSON; raises `PolicyError`."""
        return cls(lambda: _state({"policy": text}), wall=wall)

    @property
    def organization(self) -> str:
        """The id of the organization that the policy describes."""
        return self._here.index.state.id

    @property
    def revision(self) -> int:
        """How often the policy was loaded, which decisions and certificates name."""
        return self._here.revision

    def reload(self) -> int:
        """Read the policy again and decide by it from now on; return its revision.

        At once, and as a whole. Raises `PolicyError`, and then goes on with the one it has.
        """
        with self._lock:
            before = self._here
            here = _loaded(self._read(), revision=before.revision + 1, instant=before.instant)
            self._here = here
        return here.revision

    def decide(
        self,
        principal: str,
        action: str,
        resource: str,
        *,
        region: str | None = None,
        hour: int | None = None,
        usage: int | None = None,
        rate: int | None = None,
        **more: Unpack[More],
    ) -> Allow | Deny:
        """Return whether the principal may do the action on the resource.

        Takes what `Said` has. Raises `CallerError` when the question is illegal.
        """
        here = self._here
        now = self._wall()
        if now >= here.ends:
            here = self._later(int(now))
        if not more:
            found = here.glance(principal, action, resource, region, hour, usage, rate)
            if found is not None:
                return found
        said = cast("Said", {**said_of(region, hour, usage, rate=rate), **more})
        return decide_closely(here, (principal, action, resource), said)

    def decide_many(self, questions: Sequence[Question]) -> tuple[Allow | Deny, ...]:
        """Return decisions by one policy at one instant, in the order of the questions.

        Raises `CallerError` when one of them is illegal.
        """
        here = self._now()
        return tuple([answer_to(here, one) for one in questions])

    def decide_rows(self, rows: Sequence[Row]) -> Decisions:
        """Return decisions as `decide_many` does, on rows and told later: for very many.

        `allowed` says of all whether they are.
        """
        return Decisions(self._now(), rows)

    def _now(self) -> Here:
        """Return the policy at this instant."""
        here, now = self._here, self._wall()
        return here if now < here.ends else self._later(int(now))

    def _later(self, instant: int) -> Here:
        """Return the policy at the instant, or at a later one that another thread came with."""
        with self._lock:
            if instant >= self._here.ends:
                self._here = self._here.later(instant)
            return self._here


def _loaded(organization: Organization, *, revision: int, instant: int) -> Here:
    state = replace(organization, revision=revision)
    regions = frozenset(
        str(region)
        for claim in state.claims.values()
        for constraint in claim.constraints
        if isinstance(constraint, GeoFence)
        for region in constraint.regions
    )
    return here_at(Index(state), regions, instant)


def _texts(names: Sequence[str]) -> Mapping[str, str]:
    found = gather(names)
    if found.unreadable:
        raise PolicyError(
            [one.message for one in found.unreadable], [one.written() for one in found.unreadable]
        )
    return found.texts


def _state(texts: Mapping[str, str]) -> Organization:
    """Return what the texts describe, by the names of their files; raises `PolicyError`."""
    found = check_policy(texts)
    if isinstance(found, OrganizationDocument):
        return state_of(found)
    raise PolicyError([one.message for one in found], [one.written() for one in found])
