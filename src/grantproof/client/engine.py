"""The embedded engine: decisions in the process of the application, of a policy in files.

The same index and the same `DecisionPoint` that answer over HTTP, without a server, a database or
credentials. What is decided is what the files say; nothing is followed, recorded or counted.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final, Self, Unpack

from pydantic import ValidationError

from grantproof.client.machine import THIS_MACHINE
from grantproof.client.policy_paths import gather
from grantproof.client.questions import Question, Said
from grantproof.client.results import Allow, CallerError, Deny, Document
from grantproof.client.saying import read_said
from grantproof.core import policy
from grantproof.core.certificate import Certificate
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import Action, PrincipalId, Region, ResourceId
from grantproof.core.index import Index
from grantproof.core.matching import Request
from grantproof.core.messages import reason_message
from grantproof.core.model import Claim
from grantproof.core.organization import Organization
from grantproof.core.policy import ConstraintFailed, Reason
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.policyfile import answers
from grantproof.policyfile.answers import CODES
from grantproof.policyfile.faults import faults, written_path
from grantproof.policyfile.organization_document import OrganizationDocument
from grantproof.service.pdp import Contest, DecisionPoint
from grantproof.service.pip import NOTHING_SUPPLIED, Supplied
from grantproof.service.policy_checks import check_policy, state_of

REMEMBERED_MAX: Final = 16_384

_principal = lru_cache(REMEMBERED_MAX)(PrincipalId)
_action = lru_cache(REMEMBERED_MAX)(Action)
_resource = lru_cache(REMEMBERED_MAX)(ResourceId)


@lru_cache(REMEMBERED_MAX)
def _plain(principal: str, action: str, resource: str) -> Request:
    return Request(_principal(principal), _action(action), _resource(resource))


@lru_cache(REMEMBERED_MAX)
def _at(region: str) -> Supplied:
    """Return the same for the same region: the moment of the last question is used again."""
    return Supplied(Region(region))


class PolicyError(ValueError):
    """The policy cannot be read, or no organization would take it.

    `problems` are those of `grantproof policy check --json`: file, line, column and rule of each.
    """

    def __init__(self, lines: Sequence[str], problems: Sequence[Document]) -> None:
        super().__init__("\n".join(lines))
        self.problems = tuple(problems)


class _Clock:
    """Tells epoch seconds that never move back, to any thread."""

    def __init__(self, read: Callable[[], float]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._latest = 0

    def now(self) -> int:
        """Return the instant; never less than an earlier answer."""
        now = int(self._read())
        if now == self._latest:
            return now
        with self._lock:
            self._latest = max(self._latest, now)
            return self._latest


class Engine:
    """Decides by a policy in memory. Safe from any thread, on an event loop too: it never waits.

    Counts nothing: a claim with a quota or a rate grants only when the caller says how often it was
    used (`usage`, `rate`), and otherwise the constraint fails, as whatever is not known does. It
    keeps no sessions either: say `active_roles`. Guardrails of the policy are not proved here, that
    is the work of `grantproof verify`.
    """

    waits = False
    """Whether `decide` holds up the thread that calls it."""

    def __init__(self, read: Callable[[], Mapping[str, str]], *, wall: Callable[[], float]) -> None:
        """Load the policy whose texts `read` returns, by the names of their files.

        `wall` tells seconds since the epoch. Use `from_file` or `from_text`. Raises `PolicyError`.
        """
        self._read = read
        self._point = DecisionPoint(_Clock(wall), None)
        self._lock = threading.Lock()
        self._index = Index(replace(_state(read()), revision=1))

    @classmethod
    def from_file(cls, *paths: str | Path, wall: Callable[[], float] = THIS_MACHINE.wall) -> Self:
        """Load the policy of the files and folders, read as `grantproof policy check` reads them.

        Raises `PolicyError` with every problem, each with its file, line and column.
        """
        names = [str(path) for path in paths]
        return cls(lambda: _texts(names), wall=wall)

    @classmethod
    def from_text(cls, text: str, *, wall: Callable[[], float] = THIS_MACHINE.wall) -> Self:
        """Load the policy of a text, YAML or JSON; raises `PolicyError`."""
        return cls(lambda: {"policy": text}, wall=wall)

    @property
    def organization(self) -> str:
        """The id of the organization that the policy describes."""
        return self._index.state.id

    @property
    def revision(self) -> int:
        """How often the policy was loaded, which decisions and certificates name."""
        return self._index.state.revision

    def reload(self) -> int:
        """Read the policy again and decide by it from now on; return its revision.

        At once, and as a whole. Raises `PolicyError`, and then goes on with the one it has.
        """
        with self._lock:
            index = Index(replace(_state(self._read()), revision=self.revision + 1))
            self._index = index
        return index.state.revision

    def decide(
        self, principal: str, action: str, resource: str, **said: Unpack[Said]
    ) -> Allow | Deny:
        """Return whether the principal may do the action on the resource.

        Raises `CallerError` when the question is illegal.
        """
        asked = _asked(principal, action, resource, said=said)
        explained = bool(said and said.get("explain"))
        instant = self._point.instant()
        return self._decided(self._index, asked, instant=instant, explained=explained)

    def decide_many(self, questions: Sequence[Question]) -> tuple[Allow | Deny, ...]:
        """Return decisions by one policy at one instant, in the order of the questions.

        Raises `CallerError` when one of them is illegal.
        """
        index, instant = self._index, self._point.instant()
        return tuple(
            self._decided(
                index,
                _asked(one.principal, one.action, one.resource, said=one.said),
                instant=instant,
                explained=one.explained,
            )
            for one in questions
        )

    def _decided(
        self, index: Index, asked: tuple[Request, Supplied], *, instant: int, explained: bool
    ) -> Allow | Deny:
        request, supplied = asked
        answer = self._point.open(index, request, supplied, instant=instant)
        if isinstance(answer, Contest):
            return _uncounted(index, answer, explained=explained)
        outcome, revision, until = answer.outcome, answer.revision, answer.valid_until
        if not isinstance(outcome, Claim):
            return _denied(outcome, revision, instant, until=until)
        proof = None
        if explained:
            proof = self._point.certify(index.state, request, supplied, answer=answer)
        return Allow(outcome.id, revision, instant, until, certificate=_written(proof))


def _asked(principal: str, action: str, resource: str, *, said: Said) -> tuple[Request, Supplied]:
    """Return what the core is asked, and in which context; raises `CallerError`."""
    try:
        if not said:
            return _plain(principal, action, resource), NOTHING_SUPPLIED
        if len(said) == 1 and "region" in said:
            return _plain(principal, action, resource), _at(said["region"])
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
    found = check_policy(texts)
    if isinstance(found, OrganizationDocument):
        return state_of(found)
    raise PolicyError([one.message for one in found], [one.written() for one in found])
