"""Running the tests of a policy: each request through the reference, the checker and the index.

A test passes when the decision and all that it expects of it are so, the certificate of an allow is
accepted by the checker, and the compiled index answers the same. Nothing looks at a clock or a
meter: where a test says nothing of usage and rate, nothing was used yet.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from immutables import Map

from grantproof.core import metering
from grantproof.core.authority import unauthorized
from grantproof.core.certificate import Certificate
from grantproof.core.commands import Rejected, apply
from grantproof.core.commands.language import as_one
from grantproof.core.constraints import Context
from grantproof.core.duty import active_roles
from grantproof.core.errors import Refusal
from grantproof.core.hierarchy import closure
from grantproof.core.identifiers import ClaimId, RoleId
from grantproof.core.index import Index
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.matching import resolve
from grantproof.core.messages import reason_message, refusal_message
from grantproof.core.metering import UNUSED
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, ConstraintFailed, Decision, Deny, matching_claims
from grantproof.policyfile.answers import CODES
from grantproof.policyfile.faults import Location
from grantproof.policyfile.policy_test_document import ChangeEntry, ContextEntry, PolicyTestDocument
from grantproof.policyfile.policy_test_text import Expected, Question, questions
from grantproof.policyfile.reason_fields import missing, told
from grantproof.policyfile.witnesses import witness_of
from grantproof.service import review
from grantproof.service.cases import Asked, answered, named
from grantproof.service.pip import Supplied, situate
from grantproof.service.review import Explanation

AUTHOR: Final = "test"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a test, which is written at `path`.

    `wrong` has a line for each expectation that is not met. `why` shows what a failing test rests
    on: of a request all that bears on it, of a change the refusal, if it is one.
    """

    name: str
    path: Location
    expected: str
    actual: str
    wrong: tuple[str, ...]
    why: Explanation | Refusal | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return len(self.wrong) == 0


@dataclass(frozen=True, slots=True)
class Share:
    """How much of some ids the tests reach.

    `exercised` are those by which a passing test is allowed something, `touched` those that bore on
    a request at all; what is exercised is touched.
    """

    all: frozenset[str]
    exercised: frozenset[str]
    touched: frozenset[str]

    @property
    def percent(self) -> float:
        """How many are exercised, of a hundred; of none, all."""
        return 100.0 if len(self.all) == 0 else 100 * len(self.exercised) / len(self.all)


class Trial:
    """Runs tests on one state, and keeps in mind what they reached of it."""

    def __init__(self, state: Organization) -> None:
        self._state = state
        self._index = Index(state)
        self._claims: dict[ClaimId, bool] = {}
        self._roles: dict[RoleId, bool] = {}

    def run(self, document: PolicyTestDocument, wanted: Callable[[str], bool]) -> Iterator[Result]:
        """Yield what becomes of each test of the document whose name is wanted, in its order."""
        for question in questions(document):
            if wanted(question.name):
                yield self._ask(question)
        for i, change in enumerate(document.changes):
            if wanted(change.name):
                yield self._propose(change, ("changes", i), document.context)

    def _ask(self, question: Question) -> Result:
        """Return what becomes of a request."""
        context = context_of(question.context, self._state.time_zone)
        asked = Asked(self._state, question.request, context, UNUSED)
        decision = metering.evaluate(self._state, question.request, context, readings=UNUSED)
        wrong = (*_wrong(question.expected, decision), *self._unsound(asked, decision))
        self._note(asked, decision, passed=len(wrong) == 0)
        why = None
        if len(wrong) > 0:
            why = review.explain(self._state, question.request, context, readings=UNUSED)
        expected = _told_expected(question.expected)
        return Result(question.name, question.path, expected, _told(decision), wrong, why)

    def _propose(self, entry: ChangeEntry, path: Location, shared: ContextEntry) -> Result:
        refusal = self._refusal(entry, entry.context.over(shared))
        actual = "accepted" if refusal is None else f"refused: {refusal_message(refusal)}"
        wrong = tuple(_against(entry, refusal))
        return Result(entry.name, path, _told_change(entry), actual, wrong, refusal)

    def _refusal(self, entry: ChangeEntry, context: ContextEntry) -> Refusal | None:
        """Return why the change is refused: the right of its author first, as a service does."""
        command = as_one(entry.change)
        if entry.by is not None:
            # A change says nothing of its context but when it is made.
            moment = ContextEntry(instant=context.instant)
            there = context_of(moment, self._state.time_zone)
            lacking = unauthorized(self._state, command, entry.by, context=there)
            if lacking is not None:
                return lacking
        outcome = apply(self._state, command, actor=AUTHOR, instant=INSTANT_MIN)
        return outcome.refusal if isinstance(outcome, Rejected) else None

    def _unsound(self, asked: Asked, decision: Decision) -> Iterator[str]:
        """Yield where our own accounts of the decision part: that is a fault of the program."""
        outcome = decision.certificate.claim if isinstance(decision, Allow) else decision.reason
        compiled = answered(self._index, asked)
        if compiled != outcome:
            yield f"the index answers {named(compiled)}: report it, the program is at fault"
        if isinstance(decision, Allow) and not metering.check(
            asked.state,
            asked.request,
            asked.context,
            readings=UNUSED,
            certificate=decision.certificate,
        ):
            yield "the checker refuses the certificate: report it, the program is at fault"

    def _note(self, asked: Asked, decision: Decision, *, passed: bool) -> None:
        """Keep in mind what bore on the decision: roles that were active, claims that matched."""
        target = resolve(asked.state, asked.request)
        principal = asked.state.principals.get(asked.request.principal)
        if target is None or principal is None or not principal.active:
            return
        active = active_roles(asked.state, asked.request, asked.context.instant)
        for role in active:
            self._roles.setdefault(role, False)
        for claim in matching_claims(asked.state, active, asked.request.action, target=target):
            self._claims.setdefault(claim.id, False)
        if passed and isinstance(decision, Allow):
            self._claims[decision.certificate.claim.id] = True
            self._roles.update(dict.fromkeys(decision.certificate.roles, True))

    def claims(self) -> Share:
        """Return how much of the claims the tests reached."""
        return _share(frozenset(self._state.claims), self._claims)

    def roles(self) -> Share:
        """Return how much of the roles; those by which nobody could do anything do not count."""
        state = self._state
        holders = frozenset(role for role in state.claims_by_role if role in state.roles)
        useful = closure(holders, state.roles.children)
        return _share(useful, self._roles)


def context_of(given: ContextEntry, time_zone: str) -> Context:
    """Return the context of a test: what it gives, and the rest by its instant."""
    supplied = Supplied(
        region=given.region,
        position=given.position,
        attributes=Map() if given.attributes is None else given.attributes,
        hour=given.hour,
        weekday=given.weekday,
        usage=given.usage,
        rate=given.rate,
    )
    there = _situated(given.instant or 0, time_zone, supplied)
    properties = {
        name: held
        for name in ("year", "principal_properties", "resource_properties", "action_properties")
        if (held := getattr(given, name)) is not None
    }
    return replace(there, **properties) if properties else there


@lru_cache(maxsize=256)
def _situated(instant: int, time_zone: str, supplied: Supplied) -> Context:
    return situate(instant, time_zone, supplied)


def _share(known: frozenset[str], reached: "dict[ClaimId, bool] | dict[RoleId, bool]") -> Share:
    exercised = frozenset(name for name, granted in reached.items() if granted)
    return Share(known, exercised & known, frozenset(reached) & known)


def _wrong(expected: Expected, decision: Decision) -> Iterator[str]:
    if isinstance(decision, Allow):
        yield from _wrong_allow(expected, decision.certificate)
    else:
        yield from _wrong_deny(expected, decision)


def _wrong_allow(expected: Expected, certificate: Certificate) -> Iterator[str]:
    if expected.verdict != "Allow":
        yield f"Allow, expected {expected.verdict}"
        return
    if expected.claim not in {None, certificate.claim.id}:
        yield f"claim: `{certificate.claim.id}` grants, expected `{expected.claim}`"
    for name, wanted, found in (
        ("role_path", expected.roles, certificate.roles),
        ("group_path", expected.groups, certificate.groups),
    ):
        if wanted is not None and wanted != found:
            yield f"{name}: {_path(found)}, expected {_path(wanted)}"


def _wrong_deny(expected: Expected, decision: Deny) -> Iterator[str]:
    if expected.verdict != "Deny":
        yield f"Deny, expected {expected.verdict}"
        return
    reason = decision.reason
    code = CODES[type(reason)]
    if expected.reason not in {None, code}:
        yield f"reason: {code}, expected {expected.reason}"
    if expected.claim is None and expected.failed is None:
        return
    if not isinstance(reason, ConstraintFailed):
        yield f"reason: {code}, expected that a constraint fails"
        return
    if expected.claim not in {None, reason.claim}:
        yield f"claim: `{reason.claim}` comes nearest, expected `{expected.claim}`"
    failures = [seen.constraint for seen in reason.failures]
    if expected.failed is not None and missing(expected.failed, failures):
        yield f"failed: {told(failures)}, expected {told(expected.failed)}"


def _against(entry: ChangeEntry, refusal: Refusal | None) -> Iterator[str]:
    if entry.witness is None:
        if refusal is not None:
            yield "refused, expected accepted"
        return
    if refusal is None:
        yield "accepted, expected refused"
        return
    # As a document has it: what is a tuple here is a list there.
    found = json.loads(json.dumps(witness_of(refusal)))
    for name, wanted in entry.witness.items():
        if found.get(name) != wanted:
            yield f"witness.{name}: {found.get(name)}, expected {wanted}"


def _told_expected(expected: Expected) -> str:
    parts = (
        expected.reason,
        None if expected.claim is None else f"claim `{expected.claim}`",
        None if expected.roles is None else f"role_path {_path(expected.roles)}",
        None if expected.groups is None else f"group_path {_path(expected.groups)}",
        None if expected.failed is None else f"failed {told(expected.failed)}",
    )
    return ", ".join((expected.verdict, *(part for part in parts if part is not None)))


def _told(decision: Decision) -> str:
    if isinstance(decision, Allow):
        return f"Allow, claim `{decision.certificate.claim.id}`"
    reason = decision.reason
    claim = f", claim `{reason.claim}`" if isinstance(reason, ConstraintFailed) else ""
    return f"Deny, {CODES[type(reason)]}{claim}: {reason_message(reason)}"


def _path(names: Sequence[str]) -> str:
    return " -> ".join(names) or "none"


def _told_change(entry: ChangeEntry) -> str:
    if entry.witness is None:
        return entry.expect
    return "refused: " + ", ".join(f"{name} {value}" for name, value in entry.witness.items())
