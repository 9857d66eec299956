"""Small organizations full of rights to assign and to revoke, and questions of collusion."""

from collections import deque
from collections.abc import Iterator
from itertools import product
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from grantproof.analysis.reachability.question import Holds, MayDo, Question, met
from grantproof.core.authority import unauthorized
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddMember,
    AssignGroupRole,
    AssignRole,
    RemoveMember,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
    UnnestGroup,
)
from grantproof.core.constraints import Constraint, TimeWindow
from grantproof.core.identifiers import Action, ClaimId, ResourceId, RoleId, SodSetId
from grantproof.core.invariants import valid
from grantproof.core.model import (
    ALWAYS,
    Any,
    Assignment,
    Claim,
    Exactly,
    Fact,
    GroupAssignment,
    Inheritance,
    Membership,
    Nesting,
    OfKind,
    ResourcePattern,
    SodSet,
    Validity,
)
from grantproof.core.organization import Organization, facts
from tests.organizations import (
    ANN,
    BOARD,
    BOB,
    CHIEF,
    CLERK,
    HEAD,
    ITSELF,
    NOON,
    PLAN,
    READ,
    STAFF,
    groups,
    library,
    made_of,
    people,
    roles,
)
from tests.strategies.entities import MODES

Given = tuple[RoleId, Action, ResourcePattern, tuple[Constraint, ...]]
PEOPLE: Final = (ANN, BOB)
ROLES: Final = (CHIEF, CLERK, HEAD)
ADMINISTRATIVE: Final = tuple(map(Action, ("assign", "revoke")))
POWERFUL: Final = tuple(map(Action, ("administer", "delegate", "review")))
NIGHT: Final = TimeWindow(0, 6)
NOW: Final = Validity(NOON.instant, NOON.instant + 1)
LATER: Final = Validity(NOON.instant + 5, None)
EARLIER: Final = Validity(None, NOON.instant)


def administrative_claims(*, structural: bool) -> SearchStrategy[Given]:
    """A role, an administrative action, on what, and when."""
    named: list[ResourcePattern] = [Exactly(ResourceId(f"role:{role}")) for role in ROLES]
    named += [Exactly(ResourceId(f"group:{group}")) for group in (STAFF, BOARD)]
    wide: list[ResourcePattern] = [OfKind("role"), OfKind("group"), Any()]
    actions = (*ADMINISTRATIVE, *ADMINISTRATIVE, *(POWERFUL if structural else ()))
    nothing: tuple[Constraint, ...] = ()
    return st.tuples(
        st.sampled_from(ROLES),
        st.sampled_from(actions),
        st.sampled_from([*named, *named, *wide]),
        st.sampled_from([nothing, nothing, nothing, (NIGHT,)]),
    )


def links() -> SearchStrategy[Fact]:
    """Who is in what, and who holds what."""
    person, role, group = map(st.sampled_from, (PEOPLE, ROLES, (STAFF, BOARD)))
    validity = st.sampled_from([ALWAYS, ALWAYS, ALWAYS, LATER, EARLIER])
    edge = st.sampled_from([(CLERK, CHIEF), (HEAD, CHIEF), (HEAD, CLERK)])
    return st.one_of(
        st.builds(Assignment, person, role, validity),
        st.builds(Assignment, person, role),
        st.builds(Membership, person, group),
        st.builds(GroupAssignment, group, role, validity),
        st.just(Nesting(STAFF, BOARD)),
        edge.map(lambda pair: Inheritance(*pair)),
    )


@st.composite
def organizations(draw: st.DrawFn, *, structural: bool = False) -> Organization:
    """A valid organization of two people, three roles and two groups."""
    made: list[Fact] = [*people(*PEOPLE), *roles(*ROLES), *groups(STAFF, BOARD), *library()]
    linked = draw(st.lists(links(), min_size=1, max_size=5, unique_by=_pair))
    rights = draw(st.lists(administrative_claims(structural=structural), min_size=1, max_size=5))
    # Somebody can do something: whoever can do nothing is soon asked about.
    rights[0] = (CLERK, ADMINISTRATIVE[0], *rights[0][2:])
    if structural and draw(st.booleans()):
        powerful = draw(st.sampled_from(POWERFUL[:2]))
        everywhere: list[ResourcePattern] = [Exactly(ITSELF), Any()]
        rights.append((CLERK, powerful, draw(st.sampled_from(everywhere)), ()))
    linked = [fact for fact in linked if _pair(fact) != _pair(Assignment(ANN, CLERK))]
    linked.append(Assignment(ANN, CLERK))
    claims: list[Fact] = [
        Claim(ClaimId(f"c{number}"), role, Exactly(action), pattern, constraints)
        for number, (role, action, pattern, constraints) in enumerate(rights)
    ]
    reading = Claim(ClaimId("read"), draw(st.sampled_from(ROLES)), Exactly(READ), Exactly(PLAN))
    state = made_of(*made, *linked, *claims, reading)
    pairs = ((CHIEF, CLERK), (CLERK, HEAD), (CHIEF, HEAD))
    modes = draw(st.lists(st.sampled_from((*MODES, MODES[0])), max_size=2))
    for number, mode in enumerate(modes):
        both = frozenset(draw(st.sampled_from(pairs)))
        more = SodSet(SodSetId(f"s{number}"), both, 2, mode)
        ruled = made_of(*facts(state), more)
        state = ruled if valid(ruled) == () else state
    return state


def questions() -> SearchStrategy[Question]:
    """Whether one or both can bring one of them to a role, or to read the plan."""
    goal = st.one_of(st.builds(Holds, st.sampled_from(ROLES)), st.just(MayDo(READ, PLAN, NOON)))
    colluding = st.sampled_from([frozenset({ANN}), frozenset(PEOPLE)])
    return st.builds(Question, colluding, st.sampled_from(PEOPLE), goal, st.just(NOON))


def fewest_changes(state: Organization, question: Question, *, most: int) -> int | None:
    """How few changes bring it about, of all assignments and revocations; nothing if none do.

    Raises OverflowError where there are more than `most` states.
    """
    known, queue = {_key(state)}, deque([(state, 0)])
    while queue:
        state, steps = queue.popleft()
        if met(state, question):
            return steps
        if len(known) > most:
            raise OverflowError
        for after in changes(state, question):
            key = _key(after)
            if key not in known:
                known.add(key)
                queue.append((after, steps + 1))
    return None


def changes(state: Organization, question: Question) -> Iterator[Organization]:
    """What each assignment, membership or revocation by one of the people makes of the state."""
    for command in every_command(state):
        outcome = apply(state, command, actor="ann", instant=NOON.instant)
        if isinstance(outcome, Accepted) and any(
            unauthorized(state, command, person, context=question.context) is None
            for person in question.people
        ):
            yield outcome.state


def every_command(state: Organization) -> Iterator[SingleCommand]:
    """Every command that neither makes nor ends anything but an assignment or a membership."""
    held = (*state.assignments.triples(), *state.group_assignments.triples())
    times = {ALWAYS} if all(validity == ALWAYS for _, _, validity in held) else {ALWAYS, NOW}
    yield UnnestGroup(STAFF, BOARD)
    for person, role in product(PEOPLE, ROLES):
        yield RevokeRole(person, role)
        yield from (AssignRole(person, role, validity) for validity in times)
    for group, role in product((STAFF, BOARD), ROLES):
        yield RevokeGroupRole(group, role)
        yield from (AssignGroupRole(group, role, validity) for validity in times)
    for person, group in product(PEOPLE, (STAFF, BOARD)):
        yield AddMember(person, group)
        yield RemoveMember(person, group)


def _pair(fact: Fact) -> object:
    """What no two facts of an organization may share."""
    match fact:
        case Assignment() | GroupAssignment():
            return (type(fact), next(iter(vars_of(fact))), fact.role)
        case _:
            return fact


def vars_of(fact: Assignment | GroupAssignment) -> tuple[str]:
    """Who is assigned."""
    return (fact.principal if isinstance(fact, Assignment) else fact.group,)


def _key(state: Organization) -> frozenset[Fact]:
    return frozenset(facts(state))
