"""P-ANALYSIS of guardrails: the verdict is that of trying everything, and violations replay."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.analysis import cases, counting, formulas, lawful, solving
from grantproof.analysis import guardrails as judging
from grantproof.analysis.guardrails import judge
from grantproof.analysis.principals import Phase, Profile, phases
from grantproof.analysis.selection import Selection
from grantproof.analysis.solving import Solver
from grantproof.analysis.verdicts import Holds, Verdict, Violated
from grantproof.core.certificate import check
from grantproof.core.guardrails import Guardrail, MemberOf, Who
from grantproof.core.model import ALWAYS
from grantproof.core.organization import Organization
from grantproof.core.policy import Allow, evaluate
from tests.properties.everything import Everything
from tests.properties.tally import Tally
from tests.strategies.walled import drawn_guardrail, drawn_organization, drawn_palette

NOW = 15
SEEDS_TRIED = 400
CONTEXTS_MAX = 60
"""Organizations of which more contexts would have to be tried are passed over."""


def test_p_analysis_a_guardrail_is_judged_as_by_trying_everything() -> None:
    """P-ANALYSIS: of small organizations the verdict is what all requests in all contexts say."""
    tally = Tally("P-ANALYSIS, guardrails")
    solver = Solver()

    @settings(max_examples=90)
    @given(st.randoms(use_true_random=True))
    def agrees(chance: Random) -> None:
        palette = drawn_palette(chance)
        state = drawn_organization(chance, palette)
        everything = Everything(state, palette)
        if len(everything.contexts) > CONTEXTS_MAX:
            return
        for _ in range(8):
            guardrail = drawn_guardrail(chance, palette)
            # Every other time without what saves the solver work, which is then asked instead.
            with unaided() if chance.random() < 1 / 2 else nullcontext():
                verdict = judge(state, guardrail, solver, now=NOW)
            kind = type(guardrail.rule).__name__.lower()
            violated = everything.violated(guardrail)
            assert isinstance(verdict, Violated if violated else Holds), (guardrail, verdict)
            assert replays(state, verdict)
            tally.saw(f"{kind}_violated" if violated else f"{kind}_holds")

    agrees()
    tally.counts["asked"] = solver.asked
    tally.expect(
        asked=10,
        forbidden_holds=40,
        forbidden_violated=8,
        reserved_holds=40,
        reserved_violated=5,
        confined_holds=40,
        confined_violated=8,
        exclusive_holds=40,
        exclusive_violated=3,
        capped_holds=40,
        capped_violated=3,
    )


@contextmanager
def unaided() -> Iterator[None]:
    """Nothing is guessed or known of two conditions, and no few principals are looked at alone."""
    with (
        patch.object(cases, "guess", lambda _: None),
        patch.object(counting, "guess", lambda _: None),
        patch.object(cases, "entails", lambda *_: False),
        patch.object(judging, "FEW", 0),
        # A solver that guesses before it asks Z3 is to ask.
        patch.object(solving, "guess", lambda _: None, create=True),
    ):
        yield


def replays(state: Organization, verdict: Verdict) -> bool:
    """Whether each request of a counterexample is allowed, by the certificate that it shows."""
    if not isinstance(verdict, Violated):
        return True
    return all(
        evaluate(state, one.request, one.context) == Allow(one.certificate)
        and check(state, one.request, one.context, certificate=one.certificate)
        for one in verdict.counterexample.evidence
    )


def groupless(self: Selection, state: Organization, who: Who) -> None:
    """A selection that takes no notice of groups."""
    RIGHT_INIT(self, state, frozenset(one for one in who if not isinstance(one, MemberOf)))


RIGHT_INIT = Selection.__init__


def timeless(profile: Profile, *, now: int) -> tuple[Phase, ...]:
    """Phases of a principal as if every assignment lasted for ever."""
    held = frozenset((roles, ALWAYS) for roles, _ in profile.held)
    return phases(replace(profile, held=held), now=now)


def unclashing(*_: object) -> bool:
    """No dynamic set is ever in the way."""
    return False


def anybody(self: Selection, *_: object) -> bool:
    """Everybody is one of those named."""
    del self
    return True


WRONG: dict[str, tuple[object, str, Callable[..., object]]] = {
    "ignores groups": (Selection, "__init__", groupless),
    "ignores validity": (lawful, "phases", timeless),
    "ignores dynamic sets": (lawful, "clashes", unclashing),
    "ignores who": (Selection, "selects", anybody),
    "ignores what is limited": (judging, "granting", lambda *_, **__: formulas.ALWAYS),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_p_analysis_a_judge_that_ignores_something_is_noticed(wrong: str) -> None:
    """P-ANALYSIS: what is drawn above tells a judge that is wrong from one that is right."""
    with patch.object(*WRONG[wrong]):
        assert any(is_wrong(Random(seed)) for seed in range(SEEDS_TRIED))


def is_wrong(chance: Random) -> bool:
    """Whether the judge says of some guardrail what trying everything does not."""
    palette = drawn_palette(chance)
    state = drawn_organization(chance, palette)
    everything = Everything(state, palette)
    if len(everything.contexts) > CONTEXTS_MAX:
        return False
    drawn = [drawn_guardrail(chance, palette) for _ in range(4)]
    return any(disagrees(state, one, everything) for one in drawn)


def disagrees(state: Organization, guardrail: Guardrail, everything: Everything) -> bool:
    """Whether the two do not agree on the guardrail."""
    found = judge(state, guardrail, Solver(), now=NOW)
    return not isinstance(found, Violated if everything.violated(guardrail) else Holds)
