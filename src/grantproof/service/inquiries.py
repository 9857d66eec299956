"""Questions about what is possible, answered as documents: who can, why not, what is dead.

Importing this loads the solver. Each function is work for `service.solving.Solver.ask`: what it
returns is plain, and so short that it can be sent back whatever the size of the organization.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from grantproof.analysis import abilities, verdicts
from grantproof.analysis import dead as deadness
from grantproof.analysis.abilities import OURS, Able, Unclear, Usable, Useless
from grantproof.analysis.choosing import granted, unbound
from grantproof.analysis.difference import difference
from grantproof.analysis.findings import Verdict as Comparison
from grantproof.analysis.guardrails import judge
from grantproof.analysis.remedies import Remedy, remedies
from grantproof.analysis.solving import Solver, Span, Undetermined
from grantproof.analysis.verdicts import Counterexample
from grantproof.core import metering
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import ChangeSet
from grantproof.core.constraints import Context, MaxUsage, RateLimit
from grantproof.core.guardrails import Forbidden, Guardrail
from grantproof.core.identifiers import Action, GuardrailId, PrincipalId, ResourceId
from grantproof.core.limits import INSTANT_MAX, PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX
from grantproof.core.matching import Request, resolve, situate
from grantproof.core.messages import failure_message, reason_message, refusal_message
from grantproof.core.metering import UNUSED, Readings
from grantproof.core.model import Assignment, Claim, GroupAssignment
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow
from grantproof.policyfile import documents
from grantproof.policyfile.answers import CODES, Certificate, Observation
from grantproof.policyfile.contexts import Written, write_context
from grantproof.policyfile.witnesses import kind_of, single, witness_of
from grantproof.service import judging
from grantproof.service.counterexamples import deed_message, write_counterexample, write_evidence
from grantproof.service.difference_documents import difference_document
from grantproof.service.guarding import Broken
from grantproof.service.pip import calendar
from grantproof.service.plan_documents import command_document
from grantproof.service.standard_review import target_of

LISTED_MAX: Final = PAGE_ITEMS_DEFAULT
"""So many items are told of each list, with the count of all."""
NAMED_MAX: Final = PAGE_ITEMS_MAX
"""So many principals are named in an answer, and at least one of each class that is told."""
REMEDIES_MAX: Final = 10
AD_HOC: Final = GuardrailId("not-granted")

CHANGES_MAX: Final = 50
"""So many gains and so many losses are told, with the count of all."""

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Finding:
    """A document, and the answer in a word: yes, no, or nothing, and why, where it is not known."""

    document: Written
    yes: bool | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Deed:
    """An action on a resource; its `kind` where it is not registered."""

    action: Action
    resource: ResourceId
    kind: str | None = None


def who_can(state: Organization, deed: Deed, context: Context | None, *, now: int) -> Finding:
    """Return who is allowed the deed in the context, or without one in any, at whatever time.

    Yes where somebody is. An unknown resource is one that nobody is allowed anything on.
    """
    target = target_of(state, deed.resource, deed.kind)
    found: Sequence[Able | Unclear] = ()
    if target is not None:
        question = abilities.Question(deed.action, target, deed.kind)
        if context is None:
            found = abilities.who_can(state, question, _solver(state), now=now)
        else:
            found = abilities.who_can_in(state, question, context)
    able = [one for one in found if isinstance(one, Able)]
    unclear = [one for one in found if isinstance(one, Unclear)]
    names = _Names()
    document = {
        "principals": sum(len(one.principals) for one in able),
        "resource_known": target is not None,
        "able": _listed(
            able, lambda one: {**names.write(one.principals), **_evidence(one, one.span)}
        ),
        "undetermined": _listed(unclear, lambda one: _unclear(one, names)),
        "context": None if context is None else write_context(context),
        "asked_at": now,
        "revision": state.revision,
    }
    return _found(document, some=len(able) > 0, unclear=[one.why for one in unclear])


def what_can(state: Organization, principal: PrincipalId, *, now: int) -> Finding:
    """Return what the claims that the principal ever holds are good for; it must exist.

    Yes where it can use one.
    """
    found = abilities.what_can(state, principal, _solver(state), now=now)
    usable = [one for one in found if isinstance(one, Usable)]
    unclear = [one for one in found if isinstance(one, Unclear)]
    names = _Names()
    document = {
        "principal_id": str(principal),
        "usable": _listed(usable, lambda one: _evidence(one, one.span)),
        "useless": _listed(
            [one for one in found if isinstance(one, Useless)], lambda one: _claim(one.claim)
        ),
        "undetermined": _listed(unclear, lambda one: _unclear(one, names)),
        "asked_at": now,
        "revision": state.revision,
    }
    return _found(document, some=len(usable) > 0, unclear=[one.why for one in unclear])


def why_not(
    state: Organization, request: Request, context: Context, *, readings: Readings = UNUSED
) -> Finding:
    """Return why the request is denied in the context, and what would make it be allowed.

    Counters stand at `readings`. Yes where it is allowed as it is; not known where nothing is found
    that would help and it is not known of every claim.
    """
    decision = metering.evaluate(state, request, context, readings=readings)
    reason = None if isinstance(decision, Allow) else decision.reason
    found: Sequence[Remedy | Unclear] = ()
    if reason is not None:
        found = remedies(state, request, context, solver=_solver(state))
    helping = [one for one in found if isinstance(one, Remedy)]
    unclear = [one for one in found if isinstance(one, Unclear)]
    names = _Names()
    told = [
        _remedy(state, one, request=request, context=context, readings=readings)
        for one in helping[:REMEDIES_MAX]
    ]
    # What a guardrail forbids is known only now, and comes last like all that is refused.
    told.sort(key=lambda one: one["refusal"] is not None)
    document = {
        "decision": "Allow" if reason is None else "Deny",
        "reason": None if reason is None else reason_message(reason),
        "reason_code": None if reason is None else CODES[type(reason)],
        "certificate": (
            Certificate.of(decision.certificate).written() if isinstance(decision, Allow) else None
        ),
        "context": write_context(context),
        "remedies": {"count": len(helping), "items": told},
        "undetermined": _listed(unclear, lambda one: _unclear(one, names)),
        "revision": state.revision,
    }
    if len(unclear) > 0 and len(helping) == 0:
        return Finding(document, None, unclear[0].why)
    return Finding(document, yes=reason is None)


def not_granted(state: Organization, rule: Forbidden, *, now: int) -> Finding:
    """Return whether nobody of those meant is ever allowed the access, in a session or without.

    It is judged like a guardrail, of the state in which nobody has to choose among roles.
    """
    verdict = judge(unbound(state), Guardrail(AD_HOC, rule), _solver(state), now=now)
    document: Written = {"holds": True, "message": None, "counterexample": None}
    if isinstance(verdict, verdicts.Violated):
        verdict = _replayed(state, verdict.counterexample)
    if isinstance(verdict, verdicts.Violated):
        found = verdict.counterexample
        shown = {**write_counterexample(found), "kind": "counterexample"}
        del shown["guardrail"]
        document = {"holds": False, "message": deed_message(found), "counterexample": shown}
    document["revision"] = state.revision
    if isinstance(verdict, verdicts.Holds | verdicts.Violated):
        return Finding(document, yes=isinstance(verdict, verdicts.Holds))
    return Finding(document, None, verdict.why)


def _replayed(state: Organization, found: Counterexample) -> verdicts.Violated | Undetermined:
    """Return the counterexample as the state allows it: in a session, where that is needed."""
    (shown,) = found.evidence
    allowed = granted(state, shown.request, shown.context, claims=[shown.certificate.claim])
    if allowed is None:
        return Undetermined(OURS)
    request, allow = allowed
    proof = verdicts.Evidence(request, shown.context, allow.certificate)
    return verdicts.Violated(replace(found, evidence=(proof,)))


def dead(state: Organization, *, now: int) -> Finding:
    """Return what is without effect: yes where there is nothing."""
    found = list(deadness.dead(state, _solver(state), now=now))
    unsure = [one for one in found if isinstance(one, deadness.Unsure)]
    document = {
        "unused_roles": _listed(_of(deadness.Unused, found), lambda one: str(one.role)),
        "unreachable_claims": _listed(
            _of(deadness.Unreachable, found), lambda one: _claim(one.claim)
        ),
        "unsatisfiable_claims": _listed(
            _of(deadness.Unsatisfiable, found), lambda one: _claim(one.claim)
        ),
        "redundant_claims": _listed(
            _of(deadness.RedundantClaim, found),
            lambda one: {"claim": _claim(one.claim), "because_of": _claim(one.other)},
        ),
        "redundant_assignments": _listed(
            _of(deadness.RedundantAssignment, found),
            lambda one: {"assignment": _held(one.assignment), "because_of": _held(one.other)},
        ),
        "undetermined": _listed(unsure, lambda one: {"claim": _claim(one.claim), "why": one.why}),
        "asked_at": now,
        "revision": state.revision,
    }
    if len(found) > len(unsure):
        return Finding(document, yes=False)
    return Finding(document, None, unsure[0].why) if unsure else Finding(document, yes=True)


def compared(before: Organization, after: Organization, *, now: int) -> Finding:
    """Return who gains and who loses what between the two states; yes where they allow the same."""
    found = difference(before, after, _solver(after), now=now, limit=CHANGES_MAX)
    document = {
        "from_revision": before.revision,
        "revision": after.revision,
        "asked_at": now,
        **difference_document(found, everything=False),
    }
    return Finding(document, found.verdict is Comparison.EQUAL)


def conflicts(state: Organization) -> Finding:
    """Return the roles that a separation-of-duty set keeps everybody from: yes where none is."""
    found = deadness.conflicts(state)

    def written(conflict: deadness.Conflict) -> Written:
        return {"role": str(conflict.role), "sod_set": str(conflict.sod_set)}

    document = {
        "unholdable": _listed(_of(deadness.Unholdable, found), written),
        "unactivatable": _listed(_of(deadness.Unactivatable, found), written),
        "revision": state.revision,
    }
    return Finding(document, yes=len(found) == 0)


class _Names:
    """Names principals, each class with its count, until there are too many to be named."""

    def __init__(self) -> None:
        self._left = NAMED_MAX

    def write(self, principals: Sequence[PrincipalId]) -> Written:
        """Return as many as may be named, and at least one."""
        named = principals[: max(1, self._left)]
        self._left -= len(named)
        return {"count": len(principals), "principals": [str(one) for one in named]}


def _solver(state: Organization) -> Solver:
    return Solver(calendar=calendar(state.time_zone))


def _found(document: Written, *, some: bool, unclear: Sequence[str]) -> Finding:
    """Return yes where something was found, and no only where everything is known."""
    if some or len(unclear) == 0:
        return Finding(document, yes=some)
    return Finding(document, None, unclear[0])


def _listed(found: Sequence[Item], write: Callable[[Item], object]) -> Written:
    return {"count": len(found), "items": [write(one) for one in found[:LISTED_MAX]]}


def _of(kind: type[Item], found: Iterable[object]) -> list[Item]:
    return [one for one in found if isinstance(one, kind)]


def _evidence(shown: Able | Usable, span: Span) -> Written:
    proof = verdicts.Evidence(shown.request, shown.context, shown.allow.certificate)
    return {
        "conditional": shown.conditional,
        "from": span.first,
        "until": None if span.end is None or span.end > INSTANT_MAX else span.end,
        **write_evidence(proof),
    }


def _unclear(unclear: Unclear, names: _Names) -> Written:
    of = unclear.of
    told = {"claim": _claim(of)} if isinstance(of, Claim) else names.write(of)
    return {**told, "why": unclear.why}


def _claim(claim: Claim) -> Written:
    return documents.Claim.of(claim).written()


def _held(assignment: Assignment | GroupAssignment) -> Written:
    if isinstance(assignment, Assignment):
        return documents.Assignment.of(assignment).written()
    return documents.GroupAssignment.of(assignment).written()


def _remedy(
    state: Organization,
    remedy: Remedy,
    *,
    request: Request,
    context: Context,
    readings: Readings,
) -> Written:
    target = resolve(state, request)
    failures = remedy.failures
    if target is not None:
        # What is counted was looked at as if nothing were known of it.
        situation = situate(state, request, context, target=target)
        seen = (
            metering.observe(one.constraint, situation, claim=remedy.claim.id, readings=readings)
            for one in failures
        )
        failures = tuple(one for one in seen if not one.held)
    wanted = {type(one.constraint) for one in failures}
    fitting = replace(
        remedy.context,
        usage=remedy.context.usage if MaxUsage in wanted else context.usage,
        rate=remedy.context.rate if RateLimit in wanted else context.rate,
    )
    chosen = remedy.request.active_roles
    return {
        "claim": _claim(remedy.claim),
        "commands": list(map(command_document, remedy.commands)),
        "active_roles": None if chosen is None else sorted(map(str, chosen)),
        "conditions": [
            {"message": failure_message(one), **Observation.of(one).written()} for one in failures
        ],
        "context": write_context(fitting),
        "refusal": _refusal(state, remedy, instant=context.instant),
    }


def _refusal(state: Organization, remedy: Remedy, *, instant: int) -> Written | None:
    """Return why the commands of the remedy would be refused, by a guardrail if by nothing else."""
    refusal = remedy.refusal
    if refusal is not None:
        alone = single(refusal) if len(remedy.commands) == 1 else refusal
        return {
            "code": kind_of(refusal),
            "message": refusal_message(alone),
            "witness": witness_of(alone),
        }
    if len(remedy.commands) == 0:
        return None
    outcome = apply(state, ChangeSet(remedy.commands), actor="why-not", instant=instant)
    if not isinstance(outcome, Accepted):
        return None
    doubtful = judging.doubtful(state, outcome)
    guarded = judging.first_refusal(state, outcome, doubtful) if doubtful else None
    if guarded is None:
        return None
    code, witness = "guardrail_undetermined", None
    if isinstance(guarded, Broken):
        code, witness = "breaks_guardrail", guarded.witness
    return {"code": code, "message": guarded.message, "witness": witness}
