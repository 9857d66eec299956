"""An answer as the page shows it: decided, weighed and checked, with what would make it an allow.

The decision is that of `POST /evaluate`; the reference weighs it as `POST /explain` does, and the
checker of certificates has the last word: an allow is shown only where all three agree. What a deny
lacks is found by the same work as that of `POST /v1/orgs/{org}/why-not`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from grantproof.api.console import around, evidence
from grantproof.api.console.drawing import Picture
from grantproof.api.console.places import address
from grantproof.api.console.role_graph import graph_address
from grantproof.api.console.trial_form import PRIVATE
from grantproof.api.explain import Prepared
from grantproof.core import metering
from grantproof.core.certificate import Certificate
from grantproof.core.duty import sets_naming
from grantproof.core.messages import DAYS, reason_message
from grantproof.core.metering import UNUSED
from grantproof.core.model import Claim
from grantproof.core.policy import Allow, ConstraintFailed
from grantproof.policyfile.answers import CODES
from grantproof.policyfile.contexts import write_context
from grantproof.policyfile.faults import TAG
from grantproof.service.claim_text import claim_head, moment
from grantproof.service.pdp import Answer, DecisionPoint
from grantproof.service.review import Explanation, Weighed, explain
from grantproof.service.solving import Solver, Undetermined

if TYPE_CHECKING:
    from grantproof.policyfile.contexts import Written
    from grantproof.service.inquiries import Finding

HELP_SHOWN: Final = 5
WEIGHED_SHOWN: Final = 50
STEPS_AROUND: Final = 1
"""How far around the roles of the certificate the graph is drawn."""
DISAGREE: Final = (
    "the decision, its reference and its checker do not agree:"
    " nothing is allowed, tell the operator"
)
COMMANDS: Final[Mapping[str, str]] = {
    "AssignRole": "assign the role {role} to {principal}",
    "RevokeRole": "revoke the role {role} from {principal}, who has it for another time",
    "ResumePrincipal": "resume {principal}",
}
"""What remedies consist of, in words."""
ASKED_AGAIN: Final = ("region", "hour", "weekday", "usage", "rate", "instant", "active_roles")
"""What another address can ask about, under the names of both."""


@dataclass(frozen=True, slots=True)
class Help:
    """What would make it an allow: `steps` in words, and why that is refused if it is.

    `failures` are the constraints of the claim that do not hold as it was asked. `again` asks the
    same where another context is all that it takes.
    """

    claim: str
    role: str
    steps: tuple[str, ...]
    failures: tuple[str, ...]
    refusal: str | None
    again: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """What the page shows. `unknown` is why it is not known what would make it an allow."""

    allowed: bool
    reason: str | None
    code: str | None
    answer: Answer
    explanation: Explanation
    claim: Claim | None
    seen: list[evidence.Seen]
    way: Picture
    graph: Picture | None = None
    graph_href: str | None = None
    help: tuple[Help, ...] = ()
    more_help: int = 0
    unknown: str | None = None

    @property
    def weighed(self) -> list[tuple[Weighed, str, list[evidence.Seen]]]:
        """The first claims on what was asked for, each with what it is on and what it saw."""
        first = self.explanation.weighed[:WEIGHED_SHOWN]
        return [(one, claim_head(one.claim), evidence.seen(one.observations)) for one in first]


def told(
    point: DecisionPoint,
    solver: Solver,
    prepared: Prepared,
    *,
    answer: Answer,
    typed: Mapping[str, str],
) -> Told:
    """Return what is shown of the answer: for a thread, as it looks at all claims and waits.

    `typed` is the form as it was asked.
    """
    state, request = prepared.index.state, prepared.inside.request
    explanation = explain(state, request, prepared.context, readings=prepared.readings)
    by_reference = isinstance(explanation.decision, Allow)
    certificate = point.certify(state, request, prepared.supplied, answer=answer)
    if by_reference and certificate is not None and is_proof(prepared, answer, certificate):
        return _allow(prepared, answer, explanation, certificate=certificate)
    outcome = answer.outcome
    if by_reference or isinstance(outcome, Claim):
        return _deny(prepared, answer, explanation, reason=(DISAGREE, None))
    reason = (reason_message(outcome), CODES[type(outcome)])
    found = solver.ask(_why_not(prepared))
    if isinstance(found, Undetermined):
        return _deny(prepared, answer, explanation, reason=reason, unknown=found.why)
    remedies = found.document["remedies"]["items"]
    helping = tuple(_help(prepared, one, typed) for one in remedies[:HELP_SHOWN])
    unclear = found.document["undetermined"]["items"]
    return _deny(
        prepared,
        answer,
        explanation,
        reason=reason,
        help=helping,
        more_help=found.document["remedies"]["count"] - len(helping),
        unknown=unclear[0]["why"] if unclear else None,
    )


def is_proof(prepared: Prepared, answer: Answer, certificate: Certificate) -> bool:
    """Return whether the independent checker accepts the certificate."""
    return metering.check(
        prepared.index.state,
        prepared.inside.request,
        prepared.context,
        readings=UNUSED if answer.metered is None else answer.metered.readings,
        certificate=certificate,
    )


def _allow(
    prepared: Prepared, answer: Answer, explanation: Explanation, *, certificate: Certificate
) -> Told:
    state, path = prepared.index.state, certificate.roles
    part = around.around(state, path[-1], STEPS_AROUND, first=path)
    return Told(
        allowed=True,
        reason=None,
        code=None,
        answer=answer,
        explanation=explanation,
        claim=certificate.claim,
        seen=evidence.seen(certificate.observations),
        way=evidence.of_certificate(certificate),
        graph=around.picture(state, part, path=path, sets=sets_naming(state, part.roles)),
        graph_href=graph_address(state, path),
    )


def _deny(
    prepared: Prepared,
    answer: Answer,
    explanation: Explanation,
    *,
    reason: tuple[str, str | None],
    **found: Any,
) -> Told:
    """Return the deny, drawn by the claim that comes nearest."""
    helping: tuple[Help, ...] = found.get("help", ())
    outcome = answer.outcome
    wanted: str | None = helping[0].claim if helping else None
    if isinstance(outcome, ConstraintFailed):
        wanted = outcome.claim
    # The one that is wanted first, or else any: the first of them.
    ordered = sorted(explanation.weighed, key=lambda one: one.claim.id != wanted)
    nearest = ordered[0] if ordered else None
    observations = () if nearest is None else nearest.observations
    return Told(
        allowed=False,
        reason=reason[0],
        code=reason[1],
        answer=answer,
        explanation=explanation,
        claim=None if nearest is None else nearest.claim,
        seen=evidence.seen(observations),
        way=evidence.of_deny(
            prepared.index.state,
            prepared.inside.request,
            instant=prepared.context.instant,
            claim=None if nearest is None else nearest.claim,
            active=nearest is not None and nearest.active,
            failures=[one for one in observations if not one.held],
        ),
        **found,
    )


def _why_not(prepared: Prepared) -> "Callable[[], Finding]":
    from grantproof.service import inquiries  # noqa: PLC0415 - it loads the solver

    return partial(
        inquiries.why_not,
        prepared.index.state,
        prepared.inside.request,
        prepared.context,
        readings=prepared.readings,
    )


def _help(prepared: Prepared, remedy: "Written", typed: Mapping[str, str]) -> Help:
    """Return a remedy in words, and the form that asks again where that is all it takes."""
    changed = _changed(prepared, remedy["context"]) if remedy["conditions"] else {}
    chosen, refusal = remedy["active_roles"], remedy["refusal"]
    if chosen is not None and frozenset(chosen) != prepared.inside.request.active_roles:
        changed["active_roles"] = ", ".join(chosen)
    steps = [COMMANDS[one[TAG]].format_map(one) for one in remedy["commands"]]
    if changed:
        said = ", ".join(
            f"{name.replace('_', ' ')} {_said(name, changed[name])}" for name in changed
        )
        steps.append(f"ask with {said}")
    again = None
    asks_again = len(remedy["commands"]) == 0 and set(changed) <= set(ASKED_AGAIN)
    if asks_again and all(typed[name] == "" for name in PRIVATE):
        given = {name: text for name, text in typed.items() if text}
        again = address("orgs", prepared.index.state.id, "try", **{**given, **changed})
    return Help(
        claim=remedy["claim"]["id"],
        role=remedy["claim"]["role"],
        steps=tuple(steps),
        failures=tuple(one["message"] for one in remedy["conditions"]),
        refusal=None if refusal is None else refusal["message"],
        again=again,
    )


def _said(name: str, value: object) -> str:
    match name, value:
        case "weekday", int(day):
            return DAYS[day]
        case "instant", int(instant):
            return moment(instant)
        case _:
            return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _changed(prepared: Prepared, fitting: "Written") -> dict[str, object]:
    """Return what is otherwise in a context in which the constraints hold."""
    asked = write_context(prepared.context)
    return {
        name: value
        for name, value in fitting.items()
        if name != "year" and value != asked.get(name)
    }
