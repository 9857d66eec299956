"""P-SOD-SYM, P-SOD-SAFE, P-SOD-EXACT and P-DSD: separation of duty at every instant."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.commands import Accepted, Rejected, apply
from grantproof.core.commands.delta import delta
from grantproof.core.commands.language import (
    AddMember,
    AddParent,
    AssignGroupRole,
    AssignRole,
    ChangeSodSet,
    CreateSodSet,
    NestGroup,
    SingleCommand,
)
from grantproof.core.constraints import Context
from grantproof.core.duty import static_clash
from grantproof.core.errors import BreaksSod, HeldRole
from grantproof.core.invariants import valid
from grantproof.core.model import Assignment, GroupAssignment, Membership, SodSet, Validity
from grantproof.core.organization import Organization, changed, facts
from grantproof.core.policy import Allow, Deny, SessionClash, evaluate
from tests.organizations import (
    ANN,
    BOARD,
    CLERK,
    HEAD,
    STAFF,
    groups,
    made_of,
    pair,
    people,
    roles,
)
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.strategies.crowded import GROUPS, PRINCIPALS, ROLES, crowds
from tests.strategies.entities import sod_sets
from tests.strategies.names import FEW
from tests.strategies.questions import contexts
from tests.strategies.surveys import survey
from tests.strategies.values import validities


def gains(state: Organization, draw: st.DataObject) -> list[SingleCommand]:
    """Commands of every type by which somebody may come to hold more, all that fit the names."""
    term = draw.draw(validities(FEW))
    made = draw.draw(sod_sets(FEW))
    of_set = ChangeSodSet if made.id in state.sod_sets else CreateSodSet
    return [
        *(AssignRole(one, role, term) for one in PRINCIPALS for role in ROLES),
        *(AssignGroupRole(one, role, term) for one in GROUPS for role in ROLES),
        *(AddMember(one, group) for one in PRINCIPALS for group in GROUPS),
        *(NestGroup(one, group) for one in GROUPS for group in GROUPS),
        *(AddParent(one, role) for one in ROLES for role in ROLES),
        of_set(made),
    ]


def check_witness(state: Organization, breach: BreaksSod) -> None:
    """The witness names a set that is broken, and a way to each role that can be followed."""
    of = oracle.world(state)
    instant = 0 if breach.instant is None else breach.instant
    live = oracle.live(of, breach.principal, instant)
    ways = {HeldRole(chain.groups, chain.roles) for chain in live}
    assert set(breach.held) <= ways
    named = next(sod_set for sod_set in of.sets if sod_set.id == breach.sod_set)
    ends = [way.roles[-1] for way in breach.held]
    assert set(ends) <= named.roles
    assert len(set(ends)) == len(ends) >= breach.n == named.n


SPLIT = made_of(
    *people(ANN),
    *roles(CLERK, HEAD),
    *groups(STAFF, BOARD),
    pair(),
    Membership(ANN, STAFF),
    GroupAssignment(STAFF, CLERK),
    GroupAssignment(BOARD, HEAD),
)
"""Clerks and heads are kept apart, until the staff are part of the board."""


def test_p_sod_exact_the_incremental_check_equals_the_full_check() -> None:
    """P-SOD-EXACT: refused iff `valid` and every chain say that the changed state is broken."""
    tally = Tally("P-SOD-EXACT")

    def exact(state: Organization, command: SingleCommand) -> None:
        result = apply(state, command, actor="eve", instant=0)
        if isinstance(result, Rejected) and not isinstance(result.refusal, BreaksSod):
            return
        forced = changed(state, delta(state, command))
        broken = [one for one in valid(forced) if one.invariant == "static-duty-holds"]
        assert isinstance(result, Rejected) == (broken != [])
        assert (oracle.breaches(oracle.world(forced)) != set()) == (broken != [])
        tally.saw(f"{type(command).__name__}_accepted", isinstance(result, Accepted))
        if isinstance(result, Rejected) and isinstance(result.refusal, BreaksSod):
            tally.saw(f"{type(command).__name__}_refused")
            tally.saw("later", result.refusal.instant is not None)
            check_witness(forced, result.refusal)

    @settings(max_examples=60)
    @given(crowds(), st.data())
    def holds(state: Organization, draw: st.DataObject) -> None:
        for command in gains(state, draw):
            exact(state, command)

    # What is drawn seldom has links that break a set: here each does.
    for link in (NestGroup(STAFF, BOARD), AddMember(ANN, BOARD), AddParent(CLERK, HEAD)):
        exact(SPLIT, link)
    for start in range(1, 6):
        exact(SPLIT, AssignRole(ANN, HEAD, Validity(start)))
    holds()
    tally.expect(
        AssignRole_accepted=200,
        AssignRole_refused=20,
        AssignGroupRole_accepted=200,
        AssignGroupRole_refused=8,
        AddMember_accepted=100,
        AddMember_refused=1,
        NestGroup_accepted=50,
        NestGroup_refused=1,
        AddParent_accepted=100,
        AddParent_refused=1,
        CreateSodSet_accepted=10,
        CreateSodSet_refused=2,
        later=10,
    )


def test_p_sod_safe_no_instant_breaks_a_static_set() -> None:
    """P-SOD-SAFE: on and beside every boundary, nobody holds n roles of a static set."""
    tally = Tally("P-SOD-SAFE")

    @settings(max_examples=100)
    @given(crowds())
    def holds(state: Organization) -> None:
        of = oracle.world(state)
        static = [sod_set for sod_set in of.sets if sod_set.mode == "static"]
        for principal in state.principals:
            assert static_clash(state, principal) is None
            for instant in sorted(oracle.boundaries(of)):
                held = oracle.effective(of, principal, instant)
                counts = [(len(sod_set.roles & held), sod_set.n) for sod_set in static]
                assert all(count < n for count, n in counts)
                tally.saw("probed", counts != [])
                tally.saw("one_below", any(count == n - 1 for count, n in counts))

    holds()
    tally.expect(probed=300, one_below=80)


def test_p_sod_sym_the_order_of_pairs_and_edits_plays_no_part() -> None:
    """P-SOD-SYM: in whichever order roles are listed and assigned, all end the same."""
    tally = Tally("P-SOD-SYM")

    @settings(max_examples=60)
    @given(crowds(), sod_sets(FEW))
    def holds(state: Organization, drawn: SodSet) -> None:
        bare = [fact for fact in facts(state) if not isinstance(fact, Assignment | SodSet)]
        pair = sorted(drawn.roles)[:2]
        outcomes = set()
        for order in permutations(pair):
            bound = SodSet(drawn.id, frozenset(order), 2)
            for edits in permutations(
                list[SingleCommand](
                    [CreateSodSet(bound), *(AssignRole(PRINCIPALS[0], role) for role in order)]
                )
            ):
                now, refused = made_of(*bare), 0
                for command in edits:
                    result = apply(now, command, actor="eve", instant=0)
                    now = result.state if isinstance(result, Accepted) else now
                    refused += isinstance(result, Rejected)
                outcomes.add(refused > 0)
                assert oracle.breaches(oracle.world(now)) == set()
        assert len(outcomes) == 1
        tally.saw("refused", True in outcomes)

    holds()
    tally.expect(refused=20)


def test_p_dsd_no_allow_while_a_dynamic_set_is_broken() -> None:
    """P-DSD: an Allow has fewer than n roles of every dynamic set active; a clash has n or more."""
    tally = Tally("P-DSD")

    @settings(max_examples=100)
    @given(crowds(), contexts())
    def holds(state: Organization, context: Context) -> None:
        of = oracle.world(state)
        dynamic = [sod_set for sod_set in of.sets if sod_set.mode == "dynamic"]
        for request, moment in survey(state, context):
            decision = evaluate(state, request, moment)
            active = oracle.active(of, request, moment.instant)
            broken = [s for s in dynamic if len(s.roles & active) >= s.n]
            if isinstance(decision, Allow):
                assert broken == []
                tally.saw("allowed_beside_a_set", dynamic != [])
            if isinstance(decision, Deny) and isinstance(decision.reason, SessionClash):
                clash = decision.reason
                assert clash.sod_set in {one.id for one in broken}
                assert len(clash.roles) >= clash.n
                assert set(clash.roles) <= active
                tally.saw("clash")
                tally.saw("clash_in_session", request.active_roles is not None)

    holds()
    tally.expect(allowed_beside_a_set=20, clash=80, clash_in_session=3)
