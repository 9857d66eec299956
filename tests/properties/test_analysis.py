"""P-ANALYSIS: what is answered for every context is what asking in many contexts finds."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.analysis.abilities import (
    Able,
    Question,
    Unclear,
    Usable,
    what_can,
    who_can,
    who_can_in,
)
from grantproof.analysis.choosing import granted, unbound
from grantproof.analysis.dead import (
    RedundantAssignment,
    RedundantClaim,
    Unreachable,
    Unsatisfiable,
    Unsure,
    Unused,
    dead,
)
from grantproof.analysis.remedies import Remedy, remedies
from grantproof.analysis.solving import Solver
from grantproof.core.attributes import NO_ATTRIBUTES
from grantproof.core.certificate import check
from grantproof.core.commands import Rejected, apply
from grantproof.core.commands.language import ChangeSet
from grantproof.core.constraints import Context
from grantproof.core.hierarchy import effective_roles
from grantproof.core.identifiers import PrincipalId, SodSetId
from grantproof.core.matching import Request, resolve
from grantproof.core.model import SodSet
from grantproof.core.organization import Organization, with_fact, without_fact
from grantproof.core.policy import Allow, Decision, SessionClash, evaluate
from tests.strategies.crowded import ROLES, crowds
from tests.strategies.questions import contexts
from tests.strategies.surveys import ACTIONS, favoured, instants, sessions, targets

NOW = 3
EXAMPLES = 30
"""Each asks hundreds of questions in dozens of contexts."""


def plain(context: Context) -> Context:
    """Return the context without what only a trusted caller supplies of stored properties."""
    return replace(context, principal_properties=NO_ATTRIBUTES, resource_properties=NO_ATTRIBUTES)


def questions(state: Organization) -> Iterator[Question]:
    """Yield questions about everything that is known."""
    for resource, kind in targets(state):
        target = resolve(state, Request(PrincipalId("x"), ACTIONS[0], resource, kind))
        if target is not None:
            yield from (Question(action, target, kind) for action in ACTIONS)


@st.composite
def divided(draw: st.DrawFn) -> Organization:
    """Crowded organizations; in most of them two roles are kept apart in sessions."""
    state = draw(crowds())
    apart = draw(st.sampled_from([None, *combinations(ROLES, 2)]))
    if apart is None:
        return state
    return with_fact(state, SodSet(SodSetId("hats"), frozenset(apart), 2, "dynamic"))


def decided(state: Organization, request: Request, now: Context) -> Iterator[Decision]:
    """Yield the decision; where too many roles are active, those in all sessions of a few."""
    decision = evaluate(state, request, now)
    if isinstance(decision, Allow) or not isinstance(decision.reason, SessionClash):
        yield decision
        return
    for chosen in {one for one in sessions(state) if one is not None}:
        yield evaluate(state, replace(request, active_roles=chosen), now)


def may(state: Organization, request: Request, now: Context) -> bool:
    """Whether it is allowed, in a session where that is needed."""
    return any(isinstance(one, Allow) for one in decided(state, request, now))


def moments(state: Organization, context: Context) -> list[Context]:
    """Return contexts that favour what there is, at every instant that makes a difference."""
    return [
        replace(plain(one), instant=instant)
        for one in favoured(state, context)
        for instant in instants(state)
    ]


@settings(max_examples=EXAMPLES)
@given(divided(), contexts())
def test_what_some_session_allows_is_allowed_where_nobody_has_to_choose(
    state: Organization, context: Context
) -> None:
    """And nothing else is; the claim that grants names the session."""
    free = unbound(state)
    for question, now in product(questions(state), moments(state, context)):
        for principal in state.principals:
            request = question.asked_by(principal)
            decision = evaluate(free, request, now)
            assert isinstance(decision, Allow) == may(state, request, now)
            if isinstance(decision, Allow):
                found = granted(state, request, now, claims=[decision.certificate.claim])
                assert found is not None
                assert found[1].certificate == decision.certificate


@settings(max_examples=EXAMPLES)
@given(divided(), contexts())
def test_whoever_can_is_named(state: Organization, context: Context) -> None:
    """Nobody is allowed what the answer does not say; whoever is shown is allowed what is shown."""
    solver, grid = Solver(), moments(state, context)
    for question in questions(state):
        able = set[PrincipalId]()
        for answer in who_can(state, question, solver, now=NOW):
            assert isinstance(answer, Able), answer
            assert evaluate(state, answer.request, answer.context) == answer.allow
            assert check(
                state, answer.request, answer.context, certificate=answer.allow.certificate
            )
            assert able.isdisjoint(answer.principals)
            able |= set(answer.principals)
        for principal in set(state.principals) - able:
            asked = question.asked_by(principal)
            assert not any(may(state, asked, now) for now in grid)


@settings(max_examples=EXAMPLES)
@given(divided(), contexts())
def test_who_can_in_a_context_is_who_is_allowed(state: Organization, context: Context) -> None:
    """Exactly those, each once."""
    for now in [plain(one) for one in favoured(state, context)]:
        for question in questions(state):
            named = [
                principal
                for able in who_can_in(state, question, now)
                for principal in able.principals
            ]
            allowed = [
                principal
                for principal in state.principals
                if may(state, question.asked_by(principal), now)
            ]
            assert sorted(named) == sorted(allowed)


@settings(max_examples=EXAMPLES)
@given(divided(), contexts())
def test_what_somebody_can_is_listed(state: Organization, context: Context) -> None:
    """A claim that grants anything is usable as shown; one that is useless never grants."""
    solver, grid = Solver(), moments(state, context)
    for principal in state.principals:
        answers = what_can(state, principal, solver, now=NOW)
        usable = {one.claim.id for one in answers if isinstance(one, Usable)}
        assert [one for one in answers if isinstance(one, Unclear)] == []
        for one in answers:
            if isinstance(one, Usable):
                assert evaluate(state, one.request, one.context) == one.allow
                assert one.request.principal == principal
        for question in questions(state):
            for now in grid:
                for decision in decided(state, question.asked_by(principal), now):
                    if isinstance(decision, Allow):
                        assert decision.certificate.claim.id in usable


@settings(max_examples=EXAMPLES)
@given(crowds(), contexts())
def test_remedies_help(state: Organization, context: Context) -> None:
    """Each makes the request allowed, or its commands are refused for the reason that it says."""
    solver, now = Solver(), plain(context)
    for question in questions(state):
        for principal in state.principals:
            request = question.asked_by(principal)
            for remedy in remedies(state, request, now, solver=solver):
                assert isinstance(remedy, Remedy)
                after = state
                if len(remedy.commands) > 0:
                    outcome = apply(state, ChangeSet(remedy.commands), actor="t", instant=1)
                    if isinstance(outcome, Rejected):
                        assert outcome.refusal == remedy.refusal
                        continue
                    after = outcome.state
                assert remedy.refusal is None
                assert isinstance(evaluate(after, remedy.request, remedy.context), Allow)
                asked = replace(remedy.request, active_roles=None)
                assert asked == request


@settings(max_examples=EXAMPLES)
@given(divided(), contexts())
def test_what_is_dead_grants_nothing(state: Organization, context: Context) -> None:
    """Dead claims never grant, and what is redundant changes nothing when it goes."""
    grid = moments(state, context)
    for found in dead(state, Solver(), now=NOW):
        match found:
            case Unused(role):
                assert not any(
                    role in effective_roles(state, principal, instant)
                    for principal in state.principals
                    for instant in instants(state)
                )
            case Unreachable(claim) | Unsatisfiable(claim):
                without = without_fact(state, claim)
                assert_same(state, without, grid)
            case RedundantClaim(claim):
                assert_same(state, without_fact(state, claim), grid)
            case RedundantAssignment(assignment):
                assert_same(state, without_fact(state, assignment), grid)
            case Unsure():
                raise AssertionError(found)


def assert_same(state: Organization, without: Organization, grid: list[Context]) -> None:
    """Fail when a decision is another one without what was removed, in a session or without."""
    for question in questions(state):
        for principal, now in product(state.principals, grid):
            request = question.asked_by(principal)
            before = isinstance(evaluate(state, request, now), Allow)
            assert isinstance(evaluate(without, request, now), Allow) == before
            assert may(without, request, now) == may(state, request, now)


def test_every_answer_is_drawn() -> None:
    """The organizations above have something of everything."""
    seen = Counter[str]()

    @given(divided(), contexts())
    def count(state: Organization, context: Context) -> None:
        solver = Solver()
        seen.update(type(found).__name__ for found in dead(state, solver, now=NOW))
        for question in questions(state):
            for answer in who_can(state, question, solver, now=NOW):
                assert isinstance(answer, Able)
                seen[f"able {answer.conditional}"] += 1
                seen[f"session {answer.request.active_roles is not None}"] += 1
            for remedy in remedies(
                state, question.asked_by(PrincipalId("ann")), plain(context), solver=solver
            ):
                assert isinstance(remedy, Remedy)
                seen["refused" if remedy.refusal is not None else "remedy"] += 1
                seen[f"{len(remedy.failures) > 0} {remedy.request.active_roles is None}"] += 1

    count()
    assert min(seen.values()) >= 5, seen
    assert {"Unreachable", "session False", "session True"} <= seen.keys()
