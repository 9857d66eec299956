"""P-ANALYSIS of guardrails after a change: looking at what it touches is looking at everything."""

from collections.abc import Callable, Iterator
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.analysis import guarding
from grantproof.analysis import guardrails as judging
from grantproof.analysis.guarding import judge_change, skips
from grantproof.analysis.guardrails import judge
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Holds, Violated
from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.delta import compose
from grantproof.core.guardrails import Guardrail
from grantproof.core.identifiers import PrincipalId
from grantproof.core.model import Delta
from grantproof.core.organization import Organization
from grantproof.service.past import undone
from tests.properties.tally import Tally
from tests.strategies.walled import drawn_guardrail, drawn_organization, drawn_palette
from tests.strategies.walled_changes import drawn_change

NOW = 15
SEEDS_TRIED = 300


def changed(
    chance: Random, solver: Solver
) -> Iterator[tuple[Organization, Organization, Delta, list[Guardrail]]]:
    """What changes make of an organization, each with the guardrails that held before it."""
    palette = drawn_palette(chance)
    before = drawn_organization(chance, palette)
    drawn = [drawn_guardrail(chance, palette) for _ in range(12)]
    holding = [one for one in drawn if judge(before, one, solver, now=NOW) == Holds()]
    made = list[Accepted]()
    for _ in range(4):
        result = apply(before, drawn_change(chance, before, palette), actor="eve", instant=0)
        if isinstance(result, Accepted):
            made.append(result)
            yield before, result.state, result.event.delta, holding
    if len(made) > 1:
        yield from overtaken(made[0], made[-1], drawn, solver)


def overtaken(
    judged: Accepted, won: Accepted, drawn: list[Guardrail], solver: Solver
) -> Iterator[tuple[Organization, Organization, Delta, list[Guardrail]]]:
    """The way from a change that was judged to the same one after another that was faster."""
    again = apply(won.state, judged.event.command, actor="eve", instant=0)
    if isinstance(again, Accepted):
        holding = [one for one in drawn if judge(judged.state, one, solver, now=NOW) == Holds()]
        way = compose((undone(judged.event.delta), won.event.delta, again.event.delta))
        yield judged.state, again.state, way, holding


def test_p_analysis_a_change_is_judged_as_the_whole_after_it() -> None:
    """P-ANALYSIS: of guardrails that held, what a change touches decides; so does it unskipped."""
    tally = Tally("P-ANALYSIS, guardrails after changes")
    solver = Solver()

    @settings(max_examples=70)
    @given(st.randoms(use_true_random=True))
    def agrees(chance: Random) -> None:
        for before, after, delta, guardrails in changed(chance, solver):
            verdicts = judge_change(
                before, after, delta, guardrails=guardrails, solver=solver, now=NOW
            )
            # As if nothing were skipped and there were too many people to look at one by one.
            with (
                patch.multiple(guarding, skips=lambda *_: False, MANY=0),
                patch.object(judging, "FEW", 0),
            ):
                unskipped = judge_change(
                    before, after, delta, guardrails=guardrails, solver=solver, now=NOW
                )
            for one in guardrails:
                whole = judge(after, one, solver, now=NOW)
                skipped = skips(delta, one, before)
                violated = isinstance(whole, Violated)
                assert type(verdicts[one.id]) is type(whole), (one, delta)
                assert type(unskipped[one.id]) is type(whole), (one, delta)
                assert not (skipped and violated), (one, delta)
                tally.saw("skipped", skipped)
                tally.saw("held", not violated and not skipped)
                tally.saw("violated", violated)
                tally.saw("violated_by_removal", violated and delta.added == ())

    agrees()
    tally.expect(skipped=400, held=400, violated=8, violated_by_removal=3)


def without(field: str) -> Callable[[Organization, Organization, Delta], guarding.Affected]:
    """What a change touches, less one part of it."""
    nothing = {"principals": frozenset[PrincipalId](), "claims": (), "resources": frozenset[str]()}

    def less(before: Organization, after: Organization, delta: Delta) -> guarding.Affected:
        kept = {name: getattr(RIGHT(before, after, delta), name) for name in nothing}
        return guarding.Affected(**{**kept, field: nothing[field]})

    return less


RIGHT = guarding.affected
WRONG: dict[str, tuple[str, Callable[..., object]]] = {
    "skips whatever it is": ("skips", lambda *_: True),
    "takes no notice of dynamic sets": ("dynamic_sets", lambda _: ()),
    "takes no notice of principals": ("affected", without("principals")),
    "takes no notice of claims": ("affected", without("claims")),
    "takes no notice of resources": ("affected", without("resources")),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_p_analysis_a_look_that_misses_something_is_noticed(wrong: str) -> None:
    """P-ANALYSIS: the changes above tell a look that is wrong from one that is right."""
    solver = Solver()
    name, replacement = WRONG[wrong]

    def is_wrong(
        before: Organization, after: Organization, delta: Delta, guardrails: list[Guardrail]
    ) -> bool:
        with patch.object(guarding, name, replacement):
            found = judge_change(
                before, after, delta, guardrails=guardrails, solver=solver, now=NOW
            )
        whole = {one.id: judge(after, one, solver, now=NOW) for one in guardrails}
        return any(type(found[one]) is not type(whole[one]) for one in whole)

    drawn = (one for seed in range(SEEDS_TRIED) for one in changed(Random(seed), solver))
    assert any(is_wrong(*one) for one in drawn)
