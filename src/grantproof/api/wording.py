"""What the fields and parameters of the OpenAPI document mean, where their types do not say so.

One word means one thing everywhere, so a meaning belongs to a name; `Schema.field` stands for a
field that means something of its own. A test finds what lacks a meaning, and what is told in vain.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Json = dict[str, Any]

PARAMETERS: Final[Mapping[str, str]] = {
    "action": "Of what concerns this action only.",
    "cascade": "Delete what refers to it too, in the same change; else it is refused.",
    "claim": "The claim's id.",
    "container": "The group that contains the other.",
    "from_revision": "The earlier state.",
    "group": "The group's id.",
    "guardrail": "The guardrail's id.",
    "kind": "The kind of resources.",
    "org": "The organization's id.",
    "parent": "The id of the role that is inherited from.",
    "prefix": "What stands after `gp_` in the key.",
    "principal": "The principal's id.",
    "resource": "The resource's id.",
    "role": "The role's id.",
    "session": "The session's id.",
    "sod_set": "The id of the separation-of-duty set.",
}
"""By name, whether they stand in the address or in its query."""

FIELDS: Final[Mapping[str, str]] = {
    "action": "What the principal wants to do.",
    "active_roles": "The roles chosen for this request; all effective ones without. Not together"
    " with `session_id`.",
    "at_least_revision": "Answer from this state or a later one; 503 `revision_not_reached` where"
    " it is not known in time.",
    "attributes": "Attributes by name: booleans, integers, strings or arrays of strings.",
    "because": "Why there is no such right: the reason of the Deny.",
    "cascade": "Whether what refers to it is deleted too; else the command is refused.",
    "certificate": "The evidence of an Allow, where it was asked for.",
    "claim": "The claim, or its id.",
    "claim_id": "The claim that grants, or the nearest one that fails.",
    "code": "The cause, for programs: decide by it. The catalogue of errors lists every code.",
    "commands": "The changes to suppose, in order.",
    "context": "What is supposed of time and circumstances, in place of the present ones.",
    "count": "How many there are, also where fewer are listed.",
    "cycle": "The ids on the way round, the first one again at the end.",
    "decided_at": "The instant of the decision, in epoch seconds.",
    "decision": "`Allow` or `Deny`.",
    "detail": "What went wrong in one line, for people; it may be worded otherwise tomorrow.",
    "error": "The same line as `detail`, for those who look no further.",
    "errors": "Each field at fault, with the rule that it breaks.",
    "evaluations": "The requests; what one leaves out is as the whole says.",
    "evaluations_semantic": "Whether all are answered, or only until the first deny or permit.",
    "explain": "Whether an Allow comes with its certificate.",
    "failing": "The constraints that did not hold.",
    "field": "Where in the request: the path of the field, parameter or header.",
    "group": "The group's id.",
    "groups": "The groups on the way, from the principal's own; empty where there is none.",
    "guardrail": "The guardrail, or its id.",
    "guardrails": "The guardrails that name it.",
    "held": "How the principal would come to hold each of the roles.",
    "hour": "The local hour, 0 to 23; known to the server, supplied with `trusted-context` only.",
    "id": "Its id.",
    "ids": "The ids.",
    "instant": "When, in epoch seconds.",
    "items": "The requests of a batch, or their answers in the same order.",
    "kind": "The kind of resources.",
    "limit": "How many there may be on the page.",
    "maximum": "How many there may be.",
    "message": "What went wrong, in one line.",
    "meter_age": "How many seconds ago the counters were read; 0 where this answer was counted.",
    "n": "The smallest number of the roles that nobody may have together.",
    "name": "The name of the action.",
    "next_token": "What asks for the next page; empty on the last.",
    "noun": "What it is: a principal, a role, and so on.",
    "options": "How the requests are evaluated.",
    "org_id": "The organization.",
    "organization": "The organization.",
    "page": "Which page of the results.",
    "position": "Where the request comes from, in degrees: `48.8566,2.3522`.",
    "principal": "The principal's id.",
    "principal_id": "Who wants to do it.",
    "properties": "More of it; what of this counts is a setting.",
    "rate": "The requests of this minute so far; known to the server, supplied with"
    " `trusted-context` only.",
    "reason": "Why not, in words; null for an Allow.",
    "reason_code": "Why not, for programs; null for an Allow.",
    "references": "What refers to it, by kind; at most a hundred are listed.",
    "region": "Where the request comes from, by name.",
    "request_id": "The `X-Request-ID` of the answer; the log of the service has it too.",
    "requests": "Requests that would be allowed, each with its context.",
    "resource": "The resource, or its id.",
    "resource_id": "On which resource.",
    "resource_kind": "Its kind, where the resource need not be registered.",
    "revision": "The number of the state that the answer is about.",
    "role": "The role's id.",
    "roles": "The roles.",
    "rule": "What it has to be.",
    "session_id": "The stored session that it is asked in. Not together with `active_roles`.",
    "sod_set": "The separation-of-duty set, or its id.",
    "sod_sets": "The separation-of-duty sets that name it.",
    "status": "The status of the answer, as in its first line.",
    "subject": "Who wants to do it.",
    "title": "What the code is called.",
    "token": "The `next_token` of the page before; empty for the first.",
    "type": "What it is: the type of a subject or a kind of resources.",
    "usage": "The uses so far, of every claim; known to the server, supplied with"
    " `trusted-context` only.",
    "valid_until": "Until then, in epoch seconds, time alone does not change the answer; null where"
    " it never does, or where usage or rate counts.",
    "weekday": "The local weekday, 0 (Monday) to 6; known to the server, supplied with"
    " `trusted-context` only.",
    "witness": "The evidence against a refused change or session.",
    "AlreadySo.status": "What the principal is already.",
    "AuthzenAction.name": "What the subject wants to do.",
    "AuthzenDecision.decision": "Whether it is allowed.",
    "AuthzenDecision.context": "Why, and of which state.",
    "AuthzenUndecided.context": "What is wrong with the item.",
    "AuthzenFaultContext.error": "What is wrong with the item.",
    "AuthzenAccessEvaluation.context": "Circumstances of the request, such as `region`.",
    "AuthzenAccessEvaluations.context": "Circumstances of every request that has none of its own.",
    "AuthzenActionSearch.context": "Circumstances of the request, such as `region`.",
    "AuthzenItem.context": "Circumstances of the request, such as `region`.",
    "AuthzenResourceSearch.context": "Circumstances of the request, such as `region`.",
    "AuthzenSubjectSearch.context": "Circumstances of the request, such as `region`.",
    "AuthzenPageTold.count": "How many are on this page.",
    "AuthzenPageTold.properties": "Of which state the page is.",
    "BreaksGuardrail.guardrail": "The guardrail that would be broken.",
    "NotPermitted.action": "The administrative action that the right would be to.",
    "NotPermitted.principal": "Who would make the change.",
    "NotPermitted.reason": "Why there is no such right, in words.",
    "NotPermitted.resource": "The resource that the right would be on.",
    "OverLimit.limit": "The name of the limit that would be passed.",
    "ProblemBody.type": "`urn:grantproof:problem:` and the code.",
}
"""Of schemas, by name."""

SCHEMAS: Final[Mapping[str, str]] = {
    "Page_": "A page of a list, in its order: `next` is what asks for the next, null on the last.",
    "Listed_": "The first of several, and how many there are.",
}
"""What the schemas are whose names begin so."""


def described(document: Json) -> Json:
    """Add what parameters, fields and schemas mean to those that do not say so."""
    for parameter in _parameters(document):
        if not parameter.get("description") and parameter["name"] in PARAMETERS:
            parameter["description"] = PARAMETERS[parameter["name"]]
    for name, schema in document["components"]["schemas"].items():
        for start, told in SCHEMAS.items():
            if name.startswith(start):
                schema.setdefault("description", told)
        for field, member in schema.get("properties", {}).items():
            meaning = FIELDS.get(f"{name}.{field}") or FIELDS.get(field)
            if meaning is not None and "const" not in member and not member.get("description"):
                # A schema may be shared: it is not written into.
                schema["properties"][field] = {**member, "description": meaning}
    return document


def _parameters(document: Json) -> Iterator[Json]:
    for item in document["paths"].values():
        for operation in item.values():
            yield from operation.get("parameters", ())
