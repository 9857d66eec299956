"""Counterexamples for people and for programs: who could do what, how, and when."""

from grantproof.analysis.verdicts import Counterexample, Evidence
from grantproof.core.guardrails import Capped, Confined, Exclusive, Forbidden, Guardrail, Reserved
from grantproof.core.matching import Request
from grantproof.policyfile import constraint_documents
from grantproof.policyfile.answers import Certificate
from grantproof.policyfile.contexts import Written, write_context
from grantproof.policyfile.guardrail_documents import Guardrail as GuardrailDocument


def counterexample_message(found: Counterexample) -> str:
    """Return in one line what the guardrail says is never so, and would be."""
    name, (first, *others) = f"guardrail `{found.guardrail.id}`", found.evidence
    who = f"`{first.request.principal}`"
    match found.guardrail.rule:
        case Forbidden():
            return f"{name} forbids that {who} may {_deed(first)}"
        case Reserved():
            return f"{name} reserves it for others that {who} may {_deed(first)}"
        case Confined():
            return f"{name} confines it more that {who} may {_deed(first)}"
        case Exclusive():
            also = " and ".join(_deed(one) for one in (first, *others))
            return f"{name} excludes that {who} may both {also}"
        case Capped(most=most):
            return f"{name} allows {most}, and {found.count} could {_deed(first)}, {who} among them"


def deed_message(found: Counterexample) -> str:
    """Return in one line who may do what, of the first request alone."""
    first = found.evidence[0]
    return f"`{first.request.principal}` may {_deed(first)}"


def _deed(shown: Evidence) -> str:
    request, claim = shown.request, shown.certificate.claim.id
    return f"{request.action} `{request.resource}` by claim `{claim}`"


def write_counterexample(found: Counterexample) -> Written:
    """Return the counterexample as a document.

    It has each request, the context in which it would be allowed, and the certificate of that;
    `count` is of how many principals, `failing` the constraints that would not hold.
    """
    return {
        "kind": "breaks_guardrail",
        "guardrail": _written_guardrail(found.guardrail),
        "count": found.count,
        "failing": [constraint_documents.of(one).written() for one in found.failing],
        "requests": [write_evidence(one) for one in found.evidence],
    }


def _written_guardrail(guardrail: Guardrail) -> Written:
    return GuardrailDocument.of(guardrail).written()


def write_evidence(shown: Evidence) -> Written:
    """Return the request, the context in which it is allowed, and the certificate of that."""
    return {
        "request": _written_request(shown.request),
        "context": write_context(shown.context),
        "certificate": Certificate.of(shown.certificate).written(),
    }


def _written_request(request: Request) -> Written:
    kind = {} if request.kind is None else {"resource_kind": str(request.kind)}
    chosen = request.active_roles
    session = {} if chosen is None else {"active_roles": sorted(map(str, chosen))}
    return {
        "principal_id": str(request.principal),
        "action": str(request.action),
        "resource_id": str(request.resource),
        **kind,
        **session,
    }
