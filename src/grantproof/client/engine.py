"""The embedded engine: decisions in the process of the application, of a policy in files.

The same index and the same `DecisionPoint` that answer over HTTP, without a server, a database or
credentials. What is decided is what the files say; nothing is followed, recorded or counted.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, Unpack, cast

from pydantic import ValidationError

from grantproof.client.machine import THIS_MACHINE
from grantproof.client.policy_paths import gather
from grantproof.client.questions import FIELDS, More, Question, Said
from grantproof.client.results import Allow, CallerError, Deny, Document
from grantproof.client.saying import read_said
from grantproof.core import policy
from grantproof.core.certificate import Certificate
from grantproof.core.constraints import HOURS_PER_DAY, GeoFence
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import Action, PrincipalId, Region, ResourceId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.messages import reason_message
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import ConstraintFailed, Reason
from grantproof.core.sessions import NoSession
from grantproof.core.ways import NO_MATCHING_CLAIM, UNMET, Ready, Table, decide
from grantproof.core.withheld import Withheld
from grantproof.policyfile import answers
from grantproof.policyfile.answers import CODES
from grantproof.policyfile.faults import faults, written_path
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.service.pdp import Contest, DecisionPoint
from grantproof.service.pip import NOTHING_SUPPLIED, Supplied, local_time
from grantproof.service.policy_checks import check_policy, state_of

REMEMBERED_MAX: Final = 16_384

GLANCED_COUNTS: Final = 2**30
"""Counts below are compared fastest; of others, and of illegal ones, glances tell nothing."""

_principal = lru_cache(REMEMBERED_MAX)(PrincipalId)
_action = lru_cache(REMEMBERED_MAX)(Action)
_resource = lru_cache(REMEMBERED_MAX)(ResourceId)


@lru_cache(REMEMBERED_MAX)
def _at(region: str) -> Supplied:
    return Supplied(Region(region))


FAILED: Final = CODES[ConstraintFailed]
OFTEN_SAID: Final = FIELDS - More.__optional_keys__


class PolicyError(ValueError):
    """The policy cannot be read, or no organization would take it.

    `problems` are those of `grantproof policy check --json`: file, line, column and rule of each.
    """

    def __init__(self, lines: Sequence[str], problems: Sequence[Document]) -> None:
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


class _NoClock:
    """An engine says the instant of every decision itself."""

    def now(self) -> int:
        raise TypeError(self.__doc__)


POINT: Final = DecisionPoint(_NoClock(), None)


@dataclass(frozen=True, slots=True)
class Here:
    """A policy in one second: what a decision takes of the world.

    `ready` and `table` are the index's, `regions` those that the policy names. `ends` is the next
    second as clocks tell it, `hour_ends` the next instant with another hour; `at` is the hour of
    the week, `midnight` that with which the day began. `nothing` is said where no claim matches,
    and `nothing_yet` where the hour may change that.
    """

    index: Index
    ready: Ready
    table: Table
    regions: frozenset[str]
    revision: int
    instant: int
    ends: float
    hour_ends: int
    at: int
    midnight: int
    nothing: Deny
    nothing_yet: Deny

    def glance(  # noqa: PLR0917 - called once a decision: keywords would cost a tenth of it
        self,
        principal: str,
        action: str,
        resource: str,
        region: str | None,
        hour: int | None,
        usage: int | None,
        rate: int | None,
    ) -> Allow | Deny | None:
        """Return the decision that the tables have; nothing where they have none.

        That is so of every illegal question: what is in the tables has a legal name, and so has a
        region that the policy names.
        """
        try:
            if not (
                (hour is None or (type(hour) is int and 0 <= hour < HOURS_PER_DAY))
                and (usage is None or (type(usage) is int and 0 <= usage < GLANCED_COUNTS))
                and (rate is None or (type(rate) is int and 0 <= rate < GLANCED_COUNTS))
                and (region is None or region in self.regions)
            ):
                return None
            at = self.at if hour is None else self.midnight + hour
            ready, table = self.ready, self.table
            verdict = decide(
                ready, table, principal, action, resource, None, at, region, usage, rate
            )
        except TypeError:  # what cannot be looked up is no name
            return None
        if verdict is None:
            return None
        hourly = verdict.hourly
        until = self.hour_ends if hourly else None
        if (verdict.used and usage is None) or (verdict.rated and rate is None):
            until = None if verdict.hangs_on(usage, rate) else until
        answer = verdict.answer
        if type(answer) is Claim:  # that a reason is none `isinstance` tells slowly
            return Allow(answer.id, self.revision, self.instant, until)
        if answer is UNMET:
            asked = self, principal, action, resource, region, hour, usage, rate
            return Failed(FAILED, "", self.revision, self.instant, until, asked=asked)
        return self.nothing_yet if hourly else self.nothing

    def later(self, instant: int) -> "Here":
        """Return the same policy at another instant."""
        return _here(self.index, self.regions, instant)


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
        said = _said(region, hour, usage, rate=rate, more=more)
        return _decide(here, (principal, action, resource), said)

    def decide_many(self, questions: Sequence[Question]) -> tuple[Allow | Deny, ...]:
        """Return decisions by one policy at one instant, in the order of the questions.

        Raises `CallerError` when one of them is illegal.
        """
        here = self._here
        now = self._wall()
        if now >= here.ends:
            here = self._later(int(now))
        return tuple([_answer(here, one) for one in questions])

    def _later(self, instant: int) -> Here:
        """Return the policy at the instant, or at a later one that another thread came with."""
        with self._lock:
            if instant >= self._here.ends:
                self._here = self._here.later(instant)
            return self._here


def _here(index: Index, regions: frozenset[str], instant: int) -> Here:
    state = index.state
    local = local_time(instant, state.time_zone)
    midnight = HOURS_PER_DAY * local.weekday
    revision, hour_ends = state.revision, local.hour_ends
    return Here(
        index=index,
        ready=index.ready,
        table=index.table,
        regions=regions,
        revision=revision,
        instant=instant,
        ends=float(instant + 1),
        hour_ends=hour_ends,
        at=midnight + local.hour,
        midnight=midnight,
        nothing=_denied(NO_MATCHING_CLAIM, revision, instant, until=None),
        nothing_yet=_denied(NO_MATCHING_CLAIM, revision, instant, until=hour_ends),
    )


def _loaded(organization: Organization, *, revision: int, instant: int) -> Here:
    state = replace(organization, revision=revision)
    regions = frozenset(
        str(region)
        for claim in state.claims.values()
        for constraint in claim.constraints
        if isinstance(constraint, GeoFence)
        for region in constraint.regions
    )
    return _here(Index(state), regions, instant)


def _answer(here: Here, question: Question) -> Allow | Deny:
    """Return the decision on one question of many; raises `CallerError`."""
    said = question.said
    principal, action, resource = question.principal, question.action, question.resource
    if said.keys() <= OFTEN_SAID:
        told = said.get("region"), said.get("hour"), said.get("usage"), said.get("rate")
        found = here.glance(principal, action, resource, *told)
        if found is not None:
            return found
    return _decide(here, (principal, action, resource), said)


def _decide(here: Here, named: tuple[str, str, str], said: Said) -> Allow | Deny:
    """Return the decision on any question; raises `CallerError`."""
    request, supplied = _asked(*named, said=said)
    index, instant = here.index, here.instant
    answer = POINT.open(index, request, supplied, instant=instant)
    explained = bool(said.get("explain"))
    if isinstance(answer, Contest):
        return _uncounted(index, answer, explained=explained)
    outcome, revision, until = answer.outcome, answer.revision, answer.valid_until
    if not isinstance(outcome, Claim):
        return _denied(outcome, revision, instant, until=until)
    proof = None
    if explained:
        proof = POINT.certify(index.state, request, supplied, answer=answer)
    return Allow(outcome.id, revision, instant, until, certificate=_written(proof))


class Failed(Deny, frozen=True, gc=False, kw_only=True):
    """A deny of which nobody has asked yet what failed: that takes longer than the decision."""

    asked: tuple[Here, str, str, str, str | None, int | None, int | None, int | None]

    if not TYPE_CHECKING:  # for checkers these are the fields in whose place they stand

        @property
        def reason(self) -> str:
            """What failed, in words."""
            return self._told()[0]

        @property
        def claim(self) -> str | None:
            """The claim that came nearest."""
            return self._told()[1]

    def __eq__(self, other: object) -> bool:
        return other == self._whole()

    def __hash__(self) -> int:
        return hash(self._whole())

    def __repr__(self) -> str:
        return repr(self._whole())

    def __reduce__(self) -> Any:
        return self._whole().__reduce__()

    def _whole(self) -> Deny:
        return Deny(**{name: getattr(self, name) for name in Deny.__struct_fields__})

    def _told(self) -> tuple[str, str | None]:
        here, principal, action, resource, region, hour, usage, rate = self.asked
        said = _said(region, hour, usage, rate=rate, more={})
        found = _decide(here, (principal, action, resource), said)
        if not isinstance(found, Deny):
            message = "denied at a glance is denied looked at closely"
            raise TypeError(message)
        return found.reason, found.claim


def _said(
    region: str | None, hour: int | None, usage: int | None, *, rate: int | None, more: More
) -> Said:
    told = {"region": region, "hour": hour, "usage": usage, "rate": rate}
    return cast("Said", {**{k: v for k, v in told.items() if v is not None}, **more})


def _asked(principal: str, action: str, resource: str, *, said: Said) -> tuple[Request, Supplied]:
    """Return what the core is asked, and in which context; raises `CallerError`."""
    try:
        region = said.get("region")
        if len(said) == 0 or (len(said) == 1 and isinstance(region, str)):
            supplied = NOTHING_SUPPLIED if region is None else _at(region)
            return Request(_principal(principal), _action(action), _resource(resource)), supplied
        told = read_said(said)
        request = Request(
            _principal(principal),
            _action(action),
            _resource(resource),
            told.resource_kind,
            told.active_roles,
        )
        return request, told.supplied()
    except Illegal as broken:
        raise _wrong([(broken.field, broken.rule)]) from None
    except TypeError:
        raise _wrong([("principal", "must be a string, as the action and the resource")]) from None
    except ValidationError as error:
        found = [(written_path(fault.path), fault.rule) for fault in faults(error)]
        raise _wrong(found) from None


def _uncounted(index: Index, contest: Contest, *, explained: bool) -> Allow | Deny:
    """Return the answer where counters matter: what nobody has counted fails its constraint."""
    decision = index.decide(contest.request, contest.context)
    instant, revision = contest.context.instant, index.state.revision
    if isinstance(decision, policy.Deny):
        return _denied(decision.reason, revision, instant, until=None)
    proof = decision.certificate if explained else None
    return Allow(
        decision.certificate.claim.id, revision, instant, None, certificate=_written(proof)
    )


def _denied(
    reason: Reason | Withheld | NoSession, revision: int, instant: int, *, until: int | None
) -> Deny:
    near = reason.claim if isinstance(reason, ConstraintFailed) else None
    code, told = CODES[type(reason)], reason_message(reason)
    return Deny(code, told, revision, instant, until, near)


def _written(certificate: Certificate | None) -> Document | None:
    return None if certificate is None else answers.Certificate.of(certificate).written()


def _wrong(found: Sequence[tuple[str, str]]) -> CallerError:
    told = "; ".join(f"`{field}` {rule}" for field, rule in found)
    errors = tuple({"field": field, "rule": rule} for field, rule in found)
    return CallerError("invalid", told, errors=errors)


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
