"""What the embedded engine answers in one second: at a glance where it can, else closely.

A glance is one look into the tables of the index, with every name and number checked, and the
decision. A closer look takes the path of the service: request, context, and what explains.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, cast, overload

from pydantic import ValidationError
from typing_extensions import override

from grantproof.client.questions import FIELDS, More, Question, Said
from grantproof.client.results import Allow, CallerError, Deny, Document
from grantproof.client.saying import read_said
from grantproof.core import policy
from grantproof.core.certificate import Certificate
from grantproof.core.constraints import HOURS_PER_DAY
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import Action, PrincipalId, Region, ResourceId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.messages import reason_message
from grantproof.core.model import Claim
from grantproof.core.policy import ConstraintFailed, Reason
from grantproof.core.sessions import NoSession
from grantproof.core.ways import NO_MATCHING_CLAIM, UNMET, Ready, Table, Verdict, decide
from grantproof.core.withheld import Withheld
from grantproof.policyfile import answers
from grantproof.policyfile.answers import CODES
from grantproof.policyfile.faults import faults, written_path
from grantproof.service.pdp import Contest, DecisionPoint
from grantproof.service.pip import NOTHING_SUPPLIED, Supplied, local_time

REMEMBERED_MAX: Final = 16_384

Row = tuple[str, str, str, str | None, int | None, int | None, int | None]
"""Principal, action, resource, region, hour, usage, rate: what is not said is None."""

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

    def look(self, rows: Sequence[Row]) -> list[Verdict | Allow | Deny]:
        """Return what the tables have on each row, and the decision where they have nothing.

        Raises `CallerError` when a row is illegal.
        """
        ready, table, regions, midnight = self.ready, self.table, self.regions, self.midnight
        found: list[Verdict | Allow | Deny] = []
        for principal, action, resource, region, hour, usage, rate in rows:
            verdict = None
            try:
                # As in `glance`: here a call of anything costs a tenth of what the floor takes.
                if (
                    (hour is None or (type(hour) is int and 0 <= hour < HOURS_PER_DAY))
                    and (usage is None or (type(usage) is int and 0 <= usage < GLANCED_COUNTS))
                    and (rate is None or (type(rate) is int and 0 <= rate < GLANCED_COUNTS))
                    and (region is None or region in regions)
                ):
                    at = self.at if hour is None else midnight + hour
                    verdict = decide(
                        ready, table, principal, action, resource, None, at, region, usage, rate
                    )
            except TypeError:  # what cannot be looked up is no name
                verdict = None
            if verdict is None:
                said = said_of(region, hour, usage, rate=rate)
                found.append(decide_closely(self, (principal, action, resource), said))
            else:
                found.append(verdict)
        return found

    def later(self, instant: int) -> "Here":
        """Return the same policy at another instant."""
        return here_at(self.index, self.regions, instant)


def here_at(index: Index, regions: frozenset[str], instant: int) -> Here:
    """Return the policy of the index, which names the regions, at the instant."""
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


class Decisions(Sequence[Allow | Deny]):
    """The decisions on rows, in their order: each is put in words when it is looked at.

    All were made at once, by one policy at one instant, which is also that of their words.
    """

    __slots__ = ("_found", "_here", "_rows")

    def __init__(self, here: Here, rows: Sequence[Row]) -> None:
        """Decide; raises `CallerError` when a row is illegal."""
        self._here = here
        self._rows = tuple(rows)
        self._found = here.look(self._rows)

    @property
    def allowed(self) -> list[bool]:
        """Whether each is allowed."""
        return [one.allowed for one in self._found]

    @override
    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Allow | Deny: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Allow | Deny, ...]: ...

    @override
    def __getitem__(self, index: int | slice) -> Allow | Deny | tuple[Allow | Deny, ...]:
        if isinstance(index, slice):
            return tuple([self[at] for at in range(len(self))[index]])
        principal, action, resource, region, hour, usage, rate = self._rows[index]
        said = said_of(region, hour, usage, rate=rate)
        return answer_to(self._here, Question(principal, action, resource, said))


def answer_to(here: Here, question: Question) -> Allow | Deny:
    """Return the decision on one question of many; raises `CallerError`."""
    said = question.said
    principal, action, resource = question.principal, question.action, question.resource
    if said.keys() <= OFTEN_SAID:
        told = said.get("region"), said.get("hour"), said.get("usage"), said.get("rate")
        found = here.glance(principal, action, resource, *told)
        if found is not None:
            return found
    return decide_closely(here, (principal, action, resource), said)


def decide_closely(here: Here, named: tuple[str, str, str], said: Said) -> Allow | Deny:
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
        said = said_of(region, hour, usage, rate=rate)
        found = decide_closely(here, (principal, action, resource), said)
        if not isinstance(found, Deny):
            message = "denied at a glance is denied looked at closely"
            raise TypeError(message)
        return found.reason, found.claim


def said_of(region: str | None, hour: int | None, usage: int | None, *, rate: int | None) -> Said:
    """Return what is said, without what is not."""
    told = {"region": region, "hour": hour, "usage": usage, "rate": rate}
    return cast("Said", {name: value for name, value in told.items() if value is not None})


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
