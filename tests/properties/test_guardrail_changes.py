"""P-ANALYSIS of guardrails after a change: looking at what it touches is looking at everything."""

from collections.abc import Iterator
from random import Random
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.analysis import changes
from grantproof.analysis.changes import judge_change, skips
from grantproof.analysis.guardrails import judge
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Holds, Violated
from grantproof.core.commands import Accepted, apply
from grantproof.core.guardrails import Guardrail
from grantproof.core.model import Delta
from grantproof.core.organization import Organization
from tests.properties.tally import Tally
from tests.strategies.walled import drawn_guardrail, drawn_organization, drawn_palette
from tests.strategies.walled_changes import drawn_change

NOW = 15


def changed(
    chance: Random, solver: Solver
) -> Iterator[tuple[Organization, Organization, Delta, list[Guardrail]]]:
    """What changes make of an organization, each with the guardrails that held before it."""
    palette = drawn_palette(chance)
    before = drawn_organization(chance, palette)
    drawn = [drawn_guardrail(chance, palette) for _ in range(12)]
    holding = [one for one in drawn if judge(before, one, solver, now=NOW) == Holds()]
    for _ in range(4):
        result = apply(before, drawn_change(chance, before, palette), actor="eve", instant=0)
        if isinstance(result, Accepted):
            yield before, result.state, result.event.delta, holding


def test_p_analysis_a_change_is_judged_as_the_whole_after_it() -> None:
    """P-ANALYSIS: of guardrails that held, what a change touches decides; so does it unskipped."""
    tally = Tally("P-ANALYSIS, guardrails after changes")
    solver = Solver()

    @settings(max_examples=100)
    @given(st.integers(0, 2**32))
    def agrees(seed: int) -> None:
        for before, after, delta, guardrails in changed(Random(seed), solver):
            verdicts = judge_change(
                before, after, delta, guardrails=guardrails, solver=solver, now=NOW
            )
            with patch.object(changes, "skips", lambda *_: False):
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
    tally.expect(skipped=500, held=500, violated=20, violated_by_removal=5)
