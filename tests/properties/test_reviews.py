"""Reviews hold what they say: who comes near a breach, what ends soon, what decisions revoke."""

import csv
import io
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import AssignRole, ChangeSet
from grantproof.core.hierarchy import closure, effective_roles, validities
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.core.model import Assignment, Delta, Fact, GroupAssignment, SodSet
from grantproof.core.organization import Organization
from grantproof.policyfile.wire import encode_delta
from grantproof.service.access_csv import Rows, csv_pieces
from grantproof.service.authors import Author
from grantproof.service.duty_report import counts, standings, unusable_roles
from grantproof.service.expiring import timed
from grantproof.service.history import entry
from grantproof.service.people import Place, joining, leaving, moving, place_of
from grantproof.service.provenance import Occasion, Provenance, retold
from grantproof.service.review import Holding, holdings
from grantproof.service.review_decisions import read_review, revocation
from tests.organizations import ANN, CLERK, after, made_of, people, roles
from tests.properties.tally import Tally
from tests.strategies.crowded import crowds
from tests.strategies.names import FEW
from tests.strategies.organizations import histories, organizations

MARKED = 0.3
ONE_SHARED = 0.6
ROWS: tuple[Rows, ...] = ("assignments", "claims")


def most_together(
    state: Organization, sod_set: SodSet, principal: PrincipalId, instant: int
) -> int:
    """How many roles of the set the principal holds at the most, by looking at every bound."""
    bounds = (end for one in validities(state, principal) for end in (one.start, one.end))
    later = (bound for bound in bounds if bound is not None and bound > instant)
    return max(
        len(sod_set.roles & effective_roles(state, principal, at)) for at in {instant, *later}
    )


def test_p_sod_safe_a_report_counts_what_is_held_together() -> None:
    """P-SOD-SAFE: of a static set nobody is over; who is near or over is so at the instant told."""
    tally = Tally("separation of duty")

    @settings(max_examples=50)
    @given(state=organizations(), instant=FEW.instants)
    def check(state: Organization, instant: int) -> None:
        for told in standings(state, state.sod_sets.values(), instant):
            sod_set = told.sod_set
            found = {one.principal: one for one in counts(state, sod_set, instant)}
            for principal in state.principals:
                most = most_together(state, sod_set, principal, instant)
                assert most == len(found[principal].roles if principal in found else ())
                assert (principal in {one.principal for one in told.over.first}) == (
                    most >= sod_set.n
                )
                near = {one.principal for one in told.near.first}
                assert (principal in near) == (most == sod_set.n - 1)
                tally.saw(f"{sod_set.mode} near", principal in near)
            for one in found.values():
                at = instant if one.start is None else one.start
                then = effective_roles(state, one.principal, at)
                assert one.start is None or one.start > instant
                assert set(one.roles) == sod_set.roles & then
            assert told.holders == Counter(len(one.roles) for one in found.values())
            assert sod_set.mode == "dynamic" or told.over.count == 0
            tally.saw("over", told.over.count > 0)
            unusable = unusable_roles(state, sod_set)
            held = {role for one in found for role in effective_roles(state, one, instant)}
            assert sod_set.mode == "dynamic" or held.isdisjoint(unusable)

    check()
    tally.expect(over=2, **{"static near": 2, "dynamic near": 2})


@settings(max_examples=25)
@given(state=organizations(), instant=FEW.instants, within=st.integers(0, 5))
def test_what_ends_soon_is_what_is_valid_now_and_not_then(
    state: Organization, instant: int, within: int
) -> None:
    """Each assignment has one stage, told by its validity alone; no other one is told."""
    found = {one.key[1:]: one for one in timed(state, instant=instant, within=within)}
    stored = [
        *(("group", *one) for one in state.group_assignments.triples()),
        *(("principal", *one) for one in state.assignments.triples()),
    ]
    for kind, holder, role, validity in stored:
        one = found.pop((kind, holder, role), None)
        now = validity.contains(instant)
        if now:
            ends = within > 0 and not validity.contains(instant + within - 1)
            ends = ends or validity.end == instant + within - 1
            assert ends == (one is not None)
            assert one is None or (one.stage, one.instant) == ("expiring", validity.end)
        else:
            assert one is not None
            assert one.stage in {"expired", "not_begun"}
            assert (one.stage == "expired") == (one.instant <= instant)
    assert found == {}


def held_by(state: Organization) -> set[tuple[str, str, str]]:
    """Every assignment as it reaches a principal."""
    return {
        (principal, one.groups[-1] if one.groups else "", one.role)
        for principal in state.principals
        for one in holdings(state, principal)
    }


def test_decisions_take_what_is_marked_and_nothing_else() -> None:
    """Whatever is marked in a file that was just written: exactly that goes, or nothing."""
    tally = Tally("decisions")

    @settings(max_examples=50)
    @given(state=crowds(), data=st.data())
    def check(state: Organization, data: st.DataObject) -> None:
        rows = data.draw(st.sampled_from(ROWS))
        text = "".join(csv_pieces(state, None, instant=0, rows=rows))
        header, *lines = csv.reader(io.StringIO(text, newline=""))
        whole = sorted({(line[3], line[6], line[5]) for line in lines})
        assert set(whole) == held_by(state)
        chance = data.draw(st.randoms(use_true_random=True))
        shared = [one for one in whole if one[1]]
        marked = {one for one in whole if chance.random() < MARKED}
        if shared and chance.random() < ONE_SHARED:
            marked = {chance.choice(shared)}
        out = io.StringIO(newline="")
        writer = csv.writer(out)
        writer.writerow(header)
        for line in lines:
            key = (line[3], line[6], line[5])
            writer.writerow([*line[:-1], "revoke" if key in marked else "keep"])
        out.seek(0)
        found = revocation(state, read_review(out))
        assert found.gone == ()
        if found.faults:
            assert any("also take" in fault for fault in found.faults)
            assert found.commands == ()
            tally.saw("refused")
            return
        assert (len(found.commands) > 0) == (len(marked) > 0)
        if not found.commands:
            return
        outcome = apply(state, ChangeSet(found.commands), actor="test", instant=0)
        if isinstance(outcome, Accepted):
            assert held_by(state) - held_by(outcome.state) == marked
            assert held_by(outcome.state) <= held_by(state)
            tally.saw("revoked")

    check()
    tally.expect(revoked=5, refused=1)


@settings(max_examples=25)
@given(history=histories())
def test_where_a_holding_comes_from_is_the_event_that_made_it(
    history: tuple[Organization, tuple[Accepted, ...]],
) -> None:
    """The last that did; and it changed last when the state showed another, or made it anew."""
    state, steps = history
    origin = Provenance()
    for step in steps:
        event = step.event
        origin.take(Occasion(event.revision, event.instant, event.actor), event.delta)
    for principal in state.principals:
        for holding in holdings(state, principal):
            made: Fact = Assignment(principal, holding.role, holding.validity)
            if holding.groups:
                made = GroupAssignment(holding.groups[-1], holding.role, holding.validity)
            last = max(one.event.revision for one in steps if made in one.event.delta.added)
            mark = origin.assigned(principal, holding)
            assert mark is not None
            assert mark.revision == last
            roles = closure((holding.role,), state.roles.parents)
            changed = origin.changed(principal, holding, roles)
            assert changed is not None
            assert changed.revision >= last
            after = [one.state for one in steps if one.event.revision >= changed.revision]
            shown = {shows(one, principal, holding, roles) for one in after}
            assert len(shown) == 1
            before = [one.state for one in steps if one.event.revision < changed.revision]
            assert (
                not before
                or mark == changed
                or any(
                    one.principals.get(principal) != state.principals[principal]
                    or shows(one, principal, holding, roles) not in shown
                    for one in before
                )
            )


def shows(
    state: Organization, principal: PrincipalId, holding: Holding, roles: frozenset[RoleId]
) -> tuple[object, ...]:
    """What a row rests on in a state."""
    return (
        holding in holdings(state, principal),
        state.principals.get(principal),
        *(frozenset(state.roles.parents.get(role, ())) for role in sorted(roles)),
        *(frozenset(state.claims_by_role.get(role, ())) for role in sorted(roles)),
    )


def test_who_moves_or_leaves_is_where_it_was_said() -> None:
    """In the groups and roles that were named, and no other; what is refused changes nothing."""
    tally = Tally("people")
    places = st.builds(Place, st.frozensets(FEW.groups, max_size=2), st.frozensets(FEW.roles))

    @settings(max_examples=30)
    @given(state=organizations(), data=st.data())
    def check(state: Organization, data: st.DataObject) -> None:
        into = data.draw(places)
        new = PrincipalId("somebody-new")
        joined = apply(state, ChangeSet(joining(new, into)), actor="test", instant=0)
        if isinstance(joined, Accepted):
            assert place_of(joined.state, new) == into
            tally.saw("joined")
        for principal in state.principals:
            out_of = place_of(state, principal)
            commands = moving(state, principal, out_of=out_of, into=into)
            moved = apply(state, ChangeSet(commands), actor="test", instant=0) if commands else None
            if isinstance(moved, Accepted):
                assert place_of(moved.state, principal) == into
                held = moved.state.assignments.of(principal)
                assert all(held[role] == into.validity for role in into.roles)
                tally.saw("moved")
            left = leaving(state, principal)
            gone = apply(state, ChangeSet(left), actor="test", instant=0) if left else None
            if isinstance(gone, Accepted):
                assert not gone.state.principals[principal].active
                assert place_of(gone.state, principal) == Place()
                assert leaving(gone.state, principal) == ()
                tally.saw("left")

    check()
    tally.expect(joined=3, moved=3, left=10)


def test_what_came_after_the_revision_that_is_shown_is_not_told() -> None:
    """Others may go on while a review is written."""
    state = after(made_of(*people(ANN), *roles(CLERK)), AssignRole(ANN, CLERK))
    (holding,) = holdings(state, ANN)
    written = encode_delta(Delta(added=(Assignment(ANN, CLERK),)))
    entries = [
        entry(
            "acme", revision, "event", instant=revision, by=Author("x"), command="", delta=written
        )
        for revision in (1, 2)
    ]
    for until in (1, 2):
        mark = retold(entries, until=until).assigned(ANN, holding)
        assert mark == Occasion(until, until, "x")
