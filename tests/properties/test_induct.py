"""P-INDUCT, P-REJECT, P-REF and P-DAG: what one command does to a valid organization."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.administration import has_administrator
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import (
    AddParent,
    ChangeSet,
    Command,
    NestGroup,
    SingleCommand,
)
from grantproof.core.errors import (
    AlreadyExists,
    Missing,
    RefusedAt,
    StillReferenced,
    WouldCycle,
)
from grantproof.core.identifiers import ClaimId, PrincipalId, RoleId
from grantproof.core.invariants import valid
from grantproof.core.model import ADMINISTER, Any, Claim, Exactly
from grantproof.core.organization import Organization, advance, facts, with_fact
from tests.organizations import made_of, refusal_of
from tests.properties import oracle
from tests.properties.tally import Tally
from tests.strategies.commands import commands, single_commands
from tests.strategies.crowded import GROUPS, ROLES, crowds
from tests.strategies.names import FEW


def test_p_induct_every_accepted_command_keeps_an_organization_valid() -> None:
    """P-INDUCT, P-REF: accepted, a valid state stays valid; a change set does what its parts do."""
    tally = Tally("P-INDUCT")

    @settings(max_examples=80)
    @given(crowds(), st.lists(single_commands(FEW), min_size=5, max_size=12))
    def holds(first: Organization, proposed: list[SingleCommand]) -> None:
        state, done = first, list[SingleCommand]()
        assert valid(state) == ()
        for command in proposed:
            result = apply(state, command, actor="eve", instant=0)
            if not isinstance(result, Accepted):
                tally.saw("rejected")
                continue
            assert valid(result.state) == ()
            assert advance(state, result.event.delta) == result.state
            of = oracle.world(result.state)
            assert oracle.breaches(of) == set()
            assert oracle.acyclic(of.inherits)
            assert oracle.acyclic(of.nested)
            assert oracle.acyclic(of.inside)
            tally.saw("accepted")
            state = result.state
            done.append(command)
        if len(done) > 0:
            tally.saw("change_set", len(done) > 1)
            together = apply(first, ChangeSet(tuple(done)), actor="eve", instant=0)
            assert isinstance(together, Accepted)
            assert together.state == replace(state, revision=first.revision + 1)
            assert advance(first, together.event.delta) == together.state

    holds()
    tally.expect(accepted=100, rejected=100, change_set=20)


def test_p_reject_a_rejection_changes_nothing_and_its_witness_is_true() -> None:
    """P-REJECT: the state is what it was, and what the witness says can be seen in it."""
    tally = Tally("P-REJECT")

    @settings(max_examples=100)
    @given(crowds(), st.lists(commands(FEW), min_size=5, max_size=12))
    def holds(state: Organization, proposed: list[Command]) -> None:
        before = made_of(*facts(state), revision=state.revision)
        for command in proposed:
            refusal = refusal_of(state, command)
            assert state == before
            match refusal:
                case Missing():
                    assert not there(state, refusal.noun, refusal.ids)
                case AlreadyExists():
                    assert there(state, refusal.noun, refusal.ids)
                case StillReferenced():
                    assert len(refusal.references) == refusal.count > 0
                    for one in refusal.references:
                        assert there(state, one.noun, one.ids)
                case RefusedAt():
                    assert isinstance(command, ChangeSet)
                    assert 0 <= refusal.position < len(command.commands)
                case _:
                    pass
            tally.saw(type(refusal).__name__)

    holds()
    tally.expect(Missing=70, AlreadyExists=100, StillReferenced=8, RefusedAt=3)


def there(state: Organization, noun: str, ids: tuple[str, ...]) -> bool:
    """Whether the named thing is a fact of the organization."""
    of = oracle.world(state)
    pairs = {
        "membership": of.member,
        "nesting": of.nested,
        "parent": of.inherits,
        "assignment": {held[:2] for held in of.holds | of.group_holds},
    }
    if noun in pairs:
        return ids in pairs[noun]
    implicit = {f"{kind}:{name}" for kind, name in of.entities}
    singles: dict[str, set[str]] = {
        "principal": set(of.active),
        "kind": set(of.kinds),
        "resource": set(of.kind_of) | implicit,
        "claim": {claim.id for claim in of.claims},
        "separation-of-duty set": {sod_set.id for sod_set in of.sets},
        "role": {name for kind, name in of.entities if kind == "role"},
        "group": {name for kind, name in of.entities if kind == "group"},
        "guardrail": set(state.guardrails),
    }
    return ids[0] in singles[noun]


def test_p_dag_an_edge_is_refused_iff_it_would_close_a_cycle() -> None:
    """P-DAG: every possible edge of roles and groups, and each cycle named link by link."""
    tally = Tally("P-DAG")

    @settings(max_examples=80)
    @given(crowds())
    def holds(state: Organization) -> None:
        of = oracle.world(state)
        edges: list[tuple[AddParent | NestGroup, tuple[str, str], oracle.Pairs]] = [
            *((AddParent(a, b), (str(a), str(b)), of.inherits) for a in ROLES for b in ROLES),
            *((NestGroup(a, b), (str(a), str(b)), of.nested) for a in GROUPS for b in GROUPS),
        ]
        for command, edge, relation in edges:
            refusal = refusal_of(state, command)
            closes = not oracle.acyclic(relation | {edge})
            assert isinstance(refusal, WouldCycle) == closes
            tally.saw("acceptable", not closes)
            if isinstance(refusal, WouldCycle):
                tally.saw("refused")
                tally.saw("long", len(refusal.cycle) > 3)
                links = list(zip(refusal.cycle, refusal.cycle[1:], strict=False))
                assert links[0] == edge
                assert set(links[1:]) <= relation
                assert refusal.cycle[0] == refusal.cycle[-1]

    holds()
    tally.expect(acceptable=500, refused=400, long=5)


def test_p_induct_an_administrator_is_who_every_chain_says() -> None:
    """P-INDUCT: `has_administrator` iff somebody active holds such a claim for ever and always."""
    tally = Tally("last-administrator-kept")

    @settings(max_examples=200)
    @given(crowds(), st.sampled_from(ROLES))
    def holds(state: Organization, role: RoleId) -> None:
        ruling = Claim(ClaimId("ruling"), role, Exactly(ADMINISTER), Any())
        ruled = with_fact(state, ruling)
        found = oracle.administrators(oracle.world(ruled))
        assert has_administrator(ruled) == (found != set())
        for name in sorted(found):
            ruled = with_fact(ruled, replace(ruled.principals[PrincipalId(name)], active=False))
        assert not has_administrator(ruled)
        tally.saw("somebody", found != set())
        tally.saw("nobody", found == set())

    holds()
    tally.expect(somebody=15, nobody=50)
