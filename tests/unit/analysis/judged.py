"""An office to judge guardrails of, and the shortest way to a verdict on a rule."""

from grantproof.analysis.guardrails import judge
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Counterexample, Verdict, Violated
from grantproof.core.attributes import (
    Literal,
    Operator,
    Path,
    Root,
    attributes,
)
from grantproof.core.certificate import check
from grantproof.core.constraints import (
    Attribute,
    Constraint,
    TimeWindow,
)
from grantproof.core.guardrails import (
    Access,
    Guardrail,
    MemberOf,
    Rule,
)
from grantproof.core.identifiers import Action, AttributeName, GuardrailId
from grantproof.core.model import (
    Any,
    Assignment,
    Exactly,
    GroupAssignment,
    Membership,
    Nesting,
    OfKind,
)
from grantproof.core.organization import Organization
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    CLERK,
    CLUB,
    FILE,
    HEAD,
    READ,
    STAFF,
    WRITE,
    claim,
    groups,
    library,
    made_of,
    people,
    roles,
)

NOW = 1_800_000_000
PRODUCTION = attributes({"env": "production"})
READING = Access(Exactly(READ), Any())
WRITING = Access(Exactly(WRITE), Any())
DELETE = Action("delete")
DELETING = Access(Exactly(DELETE), OfKind(FILE), PRODUCTION)
CONTRACTORS = frozenset({MemberOf(STAFF)})
DAYTIME = TimeWindow(8, 18)


def verdict(state: Organization, rule: Rule, solver: Solver | None = None) -> Verdict:
    """What is said of the rule."""
    guardrail = Guardrail(GuardrailId("wall"), rule)
    return judge(state, guardrail, Solver() if solver is None else solver, now=NOW)


def shown(state: Organization, rule: Rule) -> Counterexample:
    """The counterexample of a rule that does not hold, each certificate of it checked."""
    found = verdict(state, rule)
    assert isinstance(found, Violated), found
    for one in found.counterexample.evidence:
        assert check(state, one.request, one.context, certificate=one.certificate)
    return found.counterexample


def named(path: Root, name: str) -> Path:
    """A path to an attribute."""
    return Path(path, AttributeName(name))


def is_text(path: Path, text: str) -> Attribute:
    """The attribute equals the text."""
    return Attribute(path, Operator.EQ, Literal(text))


def office(*more: Constraint) -> Organization:
    """Ann, in the club within the board, is a clerk by that; bob is one; clerks read the plan."""
    return made_of(
        *people(ANN, BOB),
        *groups(CLUB, BOARD),
        *roles(CLERK, HEAD),
        *library(PRODUCTION),
        Membership(ANN, CLUB),
        Nesting(CLUB, BOARD),
        GroupAssignment(BOARD, CLERK),
        Assignment(BOB, CLERK),
        claim(*more),
    )
