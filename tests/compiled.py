"""One compiled claim, asked alone: what the index makes of constraints, without an organization."""

from collections.abc import Iterable

from grantproof.core.attributes import NO_ATTRIBUTES, Attributes
from grantproof.core.candidates import compile_claim
from grantproof.core.constraints import Constraint, Context, Situation, all_hold
from grantproof.core.identifiers import RoleId
from grantproof.core.matching import Target
from grantproof.core.model import Claim
from grantproof.core.ways import Grants, Verdict, decide, grants_of
from tests.organizations import ANN, CLERK, FILE, PLAN, READ, claim

TARGET = Target(PLAN, FILE, (PLAN,), NO_ATTRIBUTES)


def grants(*claims: Claim, target: Target = TARGET) -> Grants:
    """The ways that the claims make, each held by its own role alone."""
    return grants_of(target, [(compile_claim(one), frozenset({one.role})) for one in claims])


def verdict(
    some: Grants, roles: tuple[RoleId, ...], context: Context, *, own: Attributes = NO_ATTRIBUTES
) -> Verdict:
    """What somebody with the roles, and with attributes of their own, gets in the context."""
    situation = Situation(context, ANN, own, some.target.attributes)
    found = decide(
        {ANN: roles},
        {str(READ): {str(PLAN): some}},
        ANN,
        READ,
        PLAN,
        None,
        24 * context.weekday + context.hour,
        context.region,
        context.usage,
        context.rate,
        lambda closer: all_hold(closer, situation),
    )
    assert found is not None
    return found


def is_open(constraints: Iterable[Constraint], context: Context) -> bool:
    """Whether a claim with the constraints grants in the context."""
    return isinstance(verdict(grants(claim(*constraints)), (CLERK,), context).answer, Claim)
