"""P-ANALYSIS of guardrails: the verdict is that of trying everything, and each violation replays."""

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.analysis.guardrails import judge
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Holds, Violated
from tests.properties.everything import Everything
from tests.properties.tally import Tally
from tests.strategies.walled import drawn_guardrail, drawn_organization, drawn_palette

NOW = 15


def test_p_analysis_a_guardrail_is_judged_as_by_trying_everything() -> None:
    """P-ANALYSIS: of small organizations the verdict is what all requests in all contexts say."""
    tally = Tally("P-ANALYSIS, guardrails")
    solver = Solver()

    @settings(max_examples=150)
    @given(st.integers(0, 2**32))
    def agrees(seed: int) -> None:
        chance = Random(seed)
        palette = drawn_palette(chance)
        state = drawn_organization(chance, palette)
        everything = Everything(state, palette)
        for _ in range(6):
            guardrail = drawn_guardrail(chance, palette)
            verdict = judge(state, guardrail, solver, now=NOW)
            kind = type(guardrail.rule).__name__.lower()
            violated = everything.violated(guardrail)
            assert isinstance(verdict, Violated if violated else Holds), (guardrail, verdict)
            tally.saw(f"{kind}_violated" if violated else f"{kind}_holds")

    agrees()
    tally.expect()
