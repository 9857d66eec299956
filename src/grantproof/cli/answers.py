"""Decisions in print: the answer first, then the evidence.

For programs they are the documents of `POST /evaluate` and `POST /explain`.
"""

from typing import Any

import msgspec

from grantproof.cli import shown
from grantproof.cli.output import Tree, listed, tell, tell_fields, tell_json, tell_tree
from grantproof.core.certificate import Certificate
from grantproof.core.messages import reason_message
from grantproof.core.model import Claim
from grantproof.core.policy import Allow, Reason
from grantproof.core.sessions import NoSession
from grantproof.core.withheld import Withheld
from grantproof.policyfile import answers
from grantproof.service.pdp import Answer
from grantproof.service.review import Explanation, Weighed

ALLOW = "Allow"
DENY = "Deny"


def tell_answer(answer: Answer, certificate: Certificate | None, *, json: bool) -> None:
    """Print the answer and its evidence."""
    if json:
        tell_json(answer_document(answer, certificate))
        return
    evidence = () if certificate is None else certificate_lines(certificate)
    until = (
        "" if answer.valid_until is None else f", valid until {shown.moment(answer.valid_until)}"
    )
    tell_tree(Tree(verdict(answer.outcome), tuple(map(Tree, evidence))))
    tell(f"revision {answer.revision}, decided at {shown.moment(answer.decided_at)}{until}")


def tell_explanation(
    explanation: Explanation,
    *,
    revision: int,
    decided_at: int,
    json: bool,
    instead: NoSession | None = None,
) -> None:
    """Print the decision, the roles behind it, and every claim that speaks of the request.

    `instead` is said where there is no such session, and the decision knows of none.
    """
    if json:
        tell_json(
            explanation_document(
                explanation, revision=revision, decided_at=decided_at, instead=instead
            )
        )
        return
    decision = explanation.decision
    if isinstance(decision, Allow):
        evidence = certificate_lines(decision.certificate)
        tell_tree(Tree(ALLOW, tuple(map(Tree, evidence))))
    else:
        tell(verdict(decision.reason if instead is None else instead))
    tell_fields(
        [
            ("effective roles", listed(explanation.effective_roles)),
            ("active roles", listed(explanation.active_roles)),
        ]
    )
    for weighed in explanation.weighed:
        tell_tree(weighed_tree(weighed))
    if not explanation.weighed:
        tell("no claim speaks of this action on this resource")
    tell(f"revision {revision}, decided at {shown.moment(decided_at)}")


def verdict(outcome: Claim | Reason | Withheld | NoSession) -> str:
    """Return the answer in one line."""
    return ALLOW if isinstance(outcome, Claim) else f"{DENY}: {reason_message(outcome)}"


def certificate_lines(certificate: Certificate) -> tuple[str, ...]:
    """Return the evidence of an allow, one step a line."""
    groups = "".join(f" -> group {group}" for group in certificate.groups)
    roles = " -> ".join(certificate.roles)
    claim, resources = certificate.claim, certificate.resources
    inside = (f"resource {' < '.join(resources)}",) if len(resources) > 1 else ()
    return (
        f"principal {certificate.principal}{groups} -> role {roles}",
        f"claim {claim.id}: {shown.claim_text(claim)}",
        *inside,
        *map(shown.observation_text, certificate.observations),
    )


def weighed_tree(weighed: Weighed) -> Tree:
    """Return a claim on the request, whether its role is active, and what it saw."""
    claim = weighed.claim
    active = "active" if weighed.active else "not active"
    label = f"claim {claim.id} of role {claim.role} ({active}): {shown.claim_head(claim)}"
    return Tree(label, tuple(Tree(shown.observation_text(seen)) for seen in weighed.observations))


def answer_document(answer: Answer, certificate: Certificate | None) -> Any:
    """Return an answer for programs."""
    written = answers.evaluation(
        answer.outcome,
        revision=answer.revision,
        decided_at=answer.decided_at,
        valid_until=answer.valid_until,
        certificate=certificate,
        meter_age=msgspec.UNSET if answer.metered is None else answer.metered.age,
    )
    return msgspec.json.decode(msgspec.json.encode(written))


def explanation_document(
    explanation: Explanation,
    *,
    revision: int,
    decided_at: int,
    instead: NoSession | None = None,
) -> dict[str, Any]:
    """Return an explanation for programs."""
    return answers.Explanation.of(
        explanation.decision,
        effective_roles=explanation.effective_roles,
        active_roles=explanation.active_roles,
        claims=[
            answers.WeighedClaim.of(one.claim, one.observations, active=one.active)
            for one in explanation.weighed
        ],
        revision=revision,
        decided_at=decided_at,
        instead=instead,
    ).written()
