"""Events in words: what was asked, as a sentence, and what it did, fact by fact.

Read from the stored documents, so that what a newer version wrote can still be shown: by its name
alone. An event of a million commands is told by its first few.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from grantproof.core.model import (
    Administered,
    Assignment,
    Claim,
    Fact,
    Group,
    GroupAssignment,
    Guardrail,
    Inheritance,
    KindDeclaration,
    Membership,
    Nesting,
    Principal,
    Resource,
    Role,
    SodSet,
    Validity,
)
from grantproof.policyfile.wire import CHANGE_SET, Unreadable, decode_delta
from grantproof.service.claim_text import claim_text, moment
from grantproof.service.history import Entry

STEPS_TOLD: Final = 3
"""So many commands of a change set are told, and the rest are counted."""
FACTS_TOLD: Final = 100
"""So many facts that were added, and so many that were removed, are told."""

SENTENCES: Final[Mapping[str, str]] = {
    "Found": "founded the organization",
    "Dissolve": "ended the organization",
    "CreatePrincipal": "added principal {principal}",
    "DeletePrincipal": "deleted principal {principal}",
    "SuspendPrincipal": "suspended principal {principal}",
    "ResumePrincipal": "resumed principal {principal}",
    "SetPrincipalAttributes": "changed the attributes of principal {principal}",
    "CreateGroup": "added group {group}",
    "DeleteGroup": "deleted group {group}",
    "AddMember": "put principal {principal} into group {group}",
    "RemoveMember": "took principal {principal} out of group {group}",
    "NestGroup": "put group {group} into group {container}",
    "UnnestGroup": "took group {group} out of group {container}",
    "CreateRole": "added role {role}",
    "DeleteRole": "deleted role {role}",
    "AddParent": "let role {role} inherit from {parent}",
    "RemoveParent": "let role {role} inherit from {parent} no more",
    "CreateKind": "declared kind {kind}",
    "DeleteKind": "withdrew kind {kind}",
    "CreateResource": "registered resource {resource[id]}",
    "DeleteResource": "deleted resource {resource}",
    "SetResourceAttributes": "changed the attributes of resource {resource}",
    "CreateClaim": "gave role {claim[role]} claim {claim[id]}",
    "DeleteClaim": "deleted claim {claim}",
    "CreateSodSet": "added separation-of-duty set {sod_set[id]}",
    "ChangeSodSet": "changed separation-of-duty set {sod_set[id]}",
    "DeleteSodSet": "deleted separation-of-duty set {sod_set}",
    "CreateGuardrail": "added guardrail {guardrail[id]}",
    "DeleteGuardrail": "deleted guardrail {guardrail}",
    "AssignRole": "assigned role {role} to principal {principal}",
    "RevokeRole": "revoked role {role} from principal {principal}",
    "AssignGroupRole": "assigned role {role} to group {group}",
    "RevokeGroupRole": "revoked role {role} from group {group}",
}
"""Each command by its type, with the fields of its document."""

CASCADING: Final = " and all that referred to it"


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts in words, the first of them, and how many more there are."""

    told: tuple[str, ...]
    more: int


def event_text(entry: Entry) -> str:
    """Return what was asked, as a sentence without its subject: `assigned role clerk to ...`."""
    told = json.loads(entry.command)
    if told["type"] != CHANGE_SET:
        return command_text(told)
    steps = told["commands"]
    if len(steps) == 1:
        return command_text(steps[0])
    first = "; ".join(map(command_text, steps[:STEPS_TOLD]))
    more = len(steps) - STEPS_TOLD
    rest = "" if more <= 0 else f"; and {more:,} more"
    return f"made {len(steps):,} changes at once: {first}{rest}"


def command_text(told: Mapping[str, Any]) -> str:
    """Return the document of one command as a sentence; only its name where there are no words."""
    try:
        sentence = SENTENCES[told["type"]].format(**told)
    except (KeyError, TypeError):
        return str(told["type"])
    if told.get("cascade") is True:
        sentence += CASCADING
    return sentence + _lasting(told.get("validity"))


def facts_of(entry: Entry) -> tuple[Facts, Facts]:
    """Return what the event removed and what it added, the first hundred of each in words."""
    delta = json.loads(entry.delta)
    return _told(delta, "removed"), _told(delta, "added")


def fact_text(fact: Fact) -> str:  # noqa: C901 - one branch a fact
    """Return a fact in words."""
    match fact:
        case Principal():
            return f"principal {fact.id}" + ("" if fact.active else ", suspended")
        case Group():
            return f"group {fact.id}"
        case Role():
            return f"role {fact.id}"
        case Guardrail():
            return f"guardrail {fact.id}"
        case SodSet():
            roles = ", ".join(sorted(fact.roles))
            return f"separation-of-duty set {fact.id}: {fact.mode}, forbids {fact.n} of {roles}"
        case KindDeclaration():
            return f"kind {fact.kind}"
        case Resource():
            inside = "" if fact.parent is None else f" inside {fact.parent}"
            return f"resource {fact.id} of kind {fact.kind}{inside}"
        case Claim():
            return f"claim {fact.id}: role {fact.role} may {claim_text(fact)}"
        case Membership():
            return f"principal {fact.principal} is in group {fact.group}"
        case Nesting():
            return f"group {fact.group} is in group {fact.container}"
        case Inheritance():
            return f"role {fact.role} inherits from {fact.parent}"
        case Assignment():
            return f"principal {fact.principal} holds role {fact.role}{lasting(fact.validity)}"
        case GroupAssignment():
            return f"group {fact.group} holds role {fact.role}{lasting(fact.validity)}"
        case Administered():
            return "the organization has had an administrator"


def lasting(validity: Validity) -> str:
    """Return from when and until when, in UTC; nothing where it is always."""
    start = "" if validity.start is None else f" from {moment(validity.start)}"
    return start if validity.end is None else f"{start} until {moment(validity.end)}"


def _lasting(written: object) -> str:
    if not isinstance(written, dict):
        return ""
    return lasting(Validity(written.get("from"), written.get("until")))


def _told(delta: Mapping[str, list[Any]], side: str) -> Facts:
    listed = delta[side]
    first = listed[:FACTS_TOLD]
    return Facts(tuple(_words(first)), len(listed) - len(first))


def _words(facts: Iterable[dict[str, Any]]) -> Iterator[str]:
    for written in facts:
        alone = json.dumps({"removed": [], "added": [written]})
        try:
            (fact,) = decode_delta(alone).added
        except Unreadable:
            yield json.dumps(written, ensure_ascii=False)
        else:
            yield fact_text(fact)
