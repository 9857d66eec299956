"""Executable property of who may give what: nobody comes to do what the author could not do.

In this organization nobody is entitled to give an access that is not theirs, so there is no other
way to come by one. P-ESCALATE.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from grantproof.core import model as m
from grantproof.core.attributes import attributes
from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands import language as do
from grantproof.core.commands.language import Command
from grantproof.core.constraints import Context
from grantproof.core.identifiers import Action, ClaimId, PrincipalId, ResourceId
from grantproof.core.matching import Request
from specs.faults.small import words
from specs.faults.small.property import Objection, Property, Small
from specs.faults.small.worlds import (
    ANN,
    AUDITOR,
    BOB,
    CLERK,
    DOCS,
    FILE,
    HEAD,
    NOW,
    OFFICE_HOURS,
    READ,
    STAFF,
    VIEWER,
    WRITE,
    Facts,
    claim,
)
from tests.properties import oracle

ITSELF: Final = ResourceId("organization:acme")
ADMINISTER, ASSIGN = m.Exactly(Action("administer")), m.Exactly(Action("assign"))
OFFICIAL: Final[Facts] = (
    *(m.Principal(name) for name in (ANN, BOB)),
    m.Group(STAFF),
    *(m.Role(name) for name in (VIEWER, CLERK, HEAD, AUDITOR)),
    m.Inheritance(CLERK, AUDITOR),
    m.KindDeclaration(FILE),
    m.Resource(DOCS, FILE),
    claim(HEAD, ADMINISTER, m.OfKind("role")),
    claim(HEAD, ASSIGN, m.Exactly(ResourceId("role:clerk"))),
    m.Claim(ClaimId("head-assign-staff"), HEAD, ASSIGN, m.Exactly(ResourceId("group:staff"))),
    claim(HEAD, READ, m.Exactly(DOCS), OFFICE_HOURS),
    claim(VIEWER, WRITE, m.Exactly(DOCS)),
    claim(AUDITOR, ADMINISTER, m.Exactly(ITSELF)),
    m.GroupAssignment(STAFF, VIEWER),
    m.Assignment(BOB, HEAD),
)
"""Bob may change roles, assign clerk and fill a group: each is a step away from what is not his."""

DAY: Final = replace(NOW, region=None, usage=None, rate=None, attributes=attributes({}))
NIGHT: Final = replace(DAY, hour=22)
ASKED: Final = (
    (READ, DOCS),
    (WRITE, DOCS),
    (ADMINISTER, ITSELF),
    (ADMINISTER, ResourceId("role:viewer")),
    (ASSIGN, ResourceId("role:clerk")),
)


@dataclass(frozen=True)
class Gift:
    """A change that somebody makes."""

    author: PrincipalId
    command: Command


def given_away(small: Small, gift: Gift) -> Objection | None:
    """Object to an access that somebody comes to, and that the author did not have."""
    if unauthorized(small.state, gift.command, gift.author, context=DAY) is not None:
        return None
    outcome = apply(small.state, gift.command, actor=gift.author, instant=DAY.instant)
    if not isinstance(outcome, Accepted):
        return None
    after = oracle.world(outcome.state)
    for who, (action, on), context in product(outcome.state.principals, ASKED, (DAY, NIGHT)):
        request = Request(who, action.value, on)
        own = replace(request, principal=gift.author)
        if _granted(after, request, context) and not (
            _granted(small.world, request, context) or _granted(small.world, own, context)
        ):
            what = f"{action.value} {on} at {context.hour} o'clock"
            return Objection(
                f"refused, as {gift.author} may not {what}", f"accepted, and now {who} may {what}"
            )
    return None


def _granted(of: oracle.World, request: Request, context: Context) -> bool:
    return oracle.ask(of, request, context).granted is not None


def gifts(facts: Facts) -> Iterator[Gift]:
    """Yield what bob may try to give: roles, a place, parents, claims; also second in a set."""
    people = [fact.id for fact in facts if isinstance(fact, m.Principal)]
    roles = [fact.id for fact in facts if isinstance(fact, m.Role)]
    given = ((READ, DOCS), (WRITE, DOCS), (ADMINISTER, ITSELF))
    singles: tuple[do.SingleCommand, ...] = (
        *(do.AssignRole(who, role) for who, role in product(people, roles)),
        *(do.AddMember(who, STAFF) for who in people),
        *(do.AddParent(role, parent) for role, parent in product(roles, roles)),
        *(
            do.CreateClaim(m.Claim(ClaimId("new"), role, action, m.Exactly(on)))
            for role, (action, on) in product(roles, given)
        ),
    )
    for command in singles:
        yield Gift(BOB, command)
        yield Gift(BOB, do.ChangeSet((do.DeleteClaim(ClaimId("head-read")), command)))


def told(gift: Gift) -> str:
    """Return a gift in words."""
    return f"{gift.author} does this: {words.command(gift.command)}"


PROPERTIES = {"P-ESCALATE": Property((OFFICIAL,), gifts, given_away, told)}
