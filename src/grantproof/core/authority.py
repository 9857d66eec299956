"""Whether an author may make a change: the engine guards itself, by the same `evaluate`.

A right to administer is a claim like any other, on an implicit resource. Nobody may grant what they
may not: see `rights` for what a command takes. P-ESCALATE.
"""

from collections.abc import Iterator
from typing import Final, assert_never

from grantproof.core.commands.delta import delta
from grantproof.core.commands.language import ChangeSet, Command, SingleCommand
from grantproof.core.commands.refusal import refusal
from grantproof.core.constraints import Context
from grantproof.core.containment import administrative, claim_contains
from grantproof.core.duty import dynamic_clash
from grantproof.core.errors import NotPermitted, RefusedAt
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import PrincipalId, ResourceId
from grantproof.core.matching import Request
from grantproof.core.messages import reason_message
from grantproof.core.model import (
    ActionPattern,
    Any,
    Claim,
    Exactly,
    OfKind,
    ResourcePattern,
    Within,
)
from grantproof.core.organization import Organization, changed
from grantproof.core.policy import Allow, NoMatchingClaim, NoRole, Reason, UnknownResource, evaluate
from grantproof.core.rights import ASSIGN, DELEGATE, Grant, Right, claims_of, required

ABSENT: Final = (NoRole, NoMatchingClaim, UnknownResource)
"""Reasons that all read the same: what is not there and what is not the author's."""


def unauthorized(
    state: Organization, command: Command, author: PrincipalId, *, context: Context
) -> NotPermitted | RefusedAt | None:
    """Return what the author lacks to make the change on the state, or nothing when all is there.

    Of a change set each command is judged on the state that those before it leave; what comes after
    a command that is refused anyway is not judged.
    """
    if not isinstance(command, ChangeSet):
        return _against(state, command, author, context=context)
    for position, single in enumerate(command.commands):
        lacking = _against(state, single, author, context=context)
        if lacking is not None:
            return RefusedAt(position, lacking)
        if refusal(state, single) is not None:
            return None
        state = changed(state, delta(state, single))
    return None


def _against(
    state: Organization, command: SingleCommand, author: PrincipalId, *, context: Context
) -> NotPermitted | None:
    for need in required(state, command):
        match need:
            case Right():
                lacking = _lacking(state, need, author, context=context)
            case Grant():
                lacking = _beyond(state, need, author, context=context)
            case _:
                assert_never(need)
        if lacking is not None:
            return lacking
    return None


def _lacking(
    state: Organization, right: Right, author: PrincipalId, *, context: Context
) -> NotPermitted | None:
    reason: Reason | None = None
    for resource in (right.resource, *right.instead):
        decision = evaluate(state, Request(author, right.action, resource, right.kind), context)
        if isinstance(decision, Allow):
            return None
        # Why another resource would not do either may tell what the author is not to know.
        reason = decision.reason if reason is None else reason
    wanted = f"needs the claim `{right.action}` on `{right.resource}`"
    told = wanted if reason is None or isinstance(reason, ABSENT) else reason_message(reason)
    return NotPermitted(author, right.action, right.resource, right.because, told)


def _beyond(
    state: Organization, grant: Grant, author: PrincipalId, *, context: Context
) -> NotPermitted | None:
    claim, role = grant.claim, ResourceId(f"role:{grant.claim.role}")
    if any(claim_contains(state, own, claim) for own in _own(state, author, context.instant)):
        return None
    ordinary = not administrative(claim.action)
    ways = [*([DELEGATE] if ordinary else []), *([ASSIGN] if grant.held else [])]
    for action in ways:
        if isinstance(evaluate(state, Request(author, action, role), context), Allow):
            return None
    told = "".join(f", or the claim `{action}` on `{role}`" for action in ways)
    return NotPermitted(
        author,
        _action(claim.action),
        _resource(claim.resource),
        "granted",
        f"needs a claim that contains it{told}",
    )


def _own(state: Organization, author: PrincipalId, instant: int) -> Iterator[Claim]:
    """Yield the claims that the author may use at the instant, their constraints apart."""
    stored = state.principals.get(author)
    if stored is None or not stored.active:
        return
    roles = effective_roles(state, author, instant)
    if dynamic_clash(state, roles) is None:
        for role in sorted(roles):
            yield from claims_of(state, role)


def _action(pattern: ActionPattern) -> str:
    return str(pattern.value) if isinstance(pattern, Exactly) else "*"


def _resource(pattern: ResourcePattern) -> str:
    match pattern:
        case Exactly(resource):
            return str(resource)
        case Within(resource):
            return f"{resource}/**"
        case OfKind(kind):
            return f"kind:{kind}"
        case Any():
            return "*"
        case _:
            assert_never(pattern)
