"""Decisions in print: the answer first, then the evidence.

For programs they are the documents of `POST /evaluate`, `/explain` and `/what-if`; for people they
are printed from those, so that it does not matter who decided.
"""

from typing import TYPE_CHECKING

import msgspec

from grantproof.cli import shown
from grantproof.cli.output import listed, tell, tell_fields, tell_json, tell_tree
from grantproof.core.certificate import Certificate
from grantproof.policyfile import answers
from grantproof.policyfile.answer_cores import WeighedCore, certificate_of, weighed_of
from grantproof.service.pdp import Answer
from grantproof.service.review import Weighed
from grantproof.service.trees import Tree

if TYPE_CHECKING:
    from grantproof.policyfile.contexts import Written

ALLOW = "Allow"
DENY = "Deny"


def tell_answer(answer: "Written", *, json: bool) -> None:
    """Print the answer and its evidence, from the document that HTTP gives."""
    if json:
        tell_json(answer)
        return
    until = answer["valid_until"]
    told = "" if until is None else f", valid until {shown.moment(until)}"
    tell_tree(Tree(verdict(answer), tuple(map(Tree, _evidence(answer)))))
    tell(f"revision {answer['revision']}, decided at {shown.moment(answer['decided_at'])}{told}")


def tell_explanation(explanation: "Written", *, json: bool) -> None:
    """Print the decision, the roles behind it, and every claim that speaks of the request."""
    if json:
        tell_json(explanation)
        return
    tell_tree(Tree(verdict(explanation), tuple(map(Tree, _evidence(explanation)))))
    tell_fields(
        [
            ("effective roles", listed(explanation["effective_roles"])),
            ("active roles", listed(explanation["active_roles"])),
        ]
    )
    for weighed in explanation["claims"]:
        tell_tree(weighed_tree(weighed_of(weighed)))
    if not explanation["claims"]:
        tell("no claim speaks of this action on this resource")
    decided_at = shown.moment(explanation["decided_at"])
    tell(f"revision {explanation['revision']}, decided at {decided_at}")


def tell_what_if(answer: "Written", *, json: bool) -> None:
    """Print the decision as it is, and as it would be."""
    if json:
        tell_json(answer)
        return
    for name, side in (("now", answer["before"]), ("then", answer["after"])):
        label = f"{name}, {shown.moment(side['decided_at'])}: {verdict(side)}"
        tell_tree(Tree(label, tuple(map(Tree, _evidence(side)))))
    tell(f"revision {answer['revision']}, nothing was changed or counted")


def verdict(answer: "Written") -> str:
    """Return the answer in one line."""
    return ALLOW if answer["decision"] == ALLOW else f"{DENY}: {answer['reason']}"


def _evidence(answer: "Written") -> tuple[str, ...]:
    proof = answer["certificate"]
    return () if proof is None else certificate_lines(certificate_of(proof))


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


def weighed_tree(weighed: Weighed | WeighedCore) -> Tree:
    """Return a claim on the request, whether its role is active, and what it saw."""
    claim = weighed.claim
    active = "active" if weighed.active else "not active"
    label = f"claim {claim.id} of role {claim.role} ({active}): {shown.claim_head(claim)}"
    return Tree(label, tuple(Tree(shown.observation_text(seen)) for seen in weighed.observations))


def answer_document(answer: Answer, certificate: Certificate | None) -> "Written":
    """Return an answer for programs."""
    written = answers.evaluation(
        answer.outcome,
        revision=answer.revision,
        decided_at=answer.decided_at,
        valid_until=answer.valid_until,
        certificate=certificate,
        meter_age=msgspec.UNSET if answer.metered is None else answer.metered.age,
    )
    told: Written = msgspec.json.decode(msgspec.json.encode(written))
    return told
