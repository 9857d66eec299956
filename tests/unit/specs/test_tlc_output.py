"""What TLC prints is read right: values, counts, verdicts and behaviours."""

import pytest

from specs.tlc.output import read_behaviour, read_output
from specs.tlc.values import Unreadable, Value, read_value

VALUES: list[tuple[str, Value]] = [
    ("0", 0),
    ("-3", -3),
    ("TRUE", True),
    ("FALSE", False),
    ('"deciding"', "deciding"),
    ("Nothing", "Nothing"),
    ("{}", ()),
    ("<<>>", ()),
    ("{Submitter, Approver}", ("Submitter", "Approver")),
    ("<<1, <<2>>>>", (1, (2,))),
    ('[a |-> 1, b |-> "x"]', {"a": 1, "b": "x"}),
    ("(a1 :> 0 @@ a2 :> {carol})", {"a1": 0, "a2": ("carol",)}),
    ("( a1 :> [n |-> 2] @@\n  a2 :> Nothing )", {"a1": {"n": 2}, "a2": "Nothing"}),
]
UNREADABLE = ["", "{1", "[a 1]", "1 2", "@@", "?", "(a1 :> )"]

REFUTED = r"""Error: Invariant StaticDutyHolds is violated.
Error: The behavior up to this point is:
State 1: <Initial predicate>
/\ phase = (a1 :> "idle" @@
  a2 :> "idle")
/\ revision = 0

State 2: <Commit line 31, col 8 to line 33, col 31 of module OptimisticLocking>
/\ phase = (a1 :> "accepted" @@ a2 :> "idle")
/\ revision = 1

692 states generated, 1,441 distinct states found, 82 states left on queue.
"""
LASSO = r"""Error: Temporal properties were violated.

Error: The following behavior constitutes a counter-example:

State 1: <Initial predicate>
/\ revision = 0

State 2: <LoseRace line 131, col 5 to line 134, col 43 of module OptimisticLocking>
/\ revision = 1

Back to state 1: <ReadNothing line 54, col 5 to line 56, col 72 of module BrokenLocking>

546 states generated, 329 distinct states found, 0 states left on queue.
"""
HOLDS = """Progress(3) at 2026: 16 states generated, 8,620 distinct states found (8,620 ds/min)
Model checking completed. No error has been found.
265506 states generated, 108122 distinct states found, 0 states left on queue.
"""


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_a_value_is_read(text: str, value: Value) -> None:
    """Everything that TLC prints of our models, over several lines too."""
    assert read_value(text) == value


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_value_is_refused(text: str) -> None:
    """Half a value, two values and unknown signs are refused, never guessed at."""
    with pytest.raises(Unreadable):
        read_value(text)


def test_the_last_count_and_the_completion_are_read() -> None:
    """Progress reports do not count, thousands separators do not matter."""
    output = read_output(HOLDS)
    assert (output.completed, output.states, output.violated) == (True, 108122, None)


def test_a_violated_invariant_is_named() -> None:
    """The first error names the invariant, and the run is not complete."""
    output = read_output(REFUTED)
    assert (output.violated, output.temporal, output.states) == ("StaticDutyHolds", False, 1441)
    assert not output.completed


def test_a_violated_action_property_is_named() -> None:
    """An action property is named as an invariant is."""
    assert read_output("Error: Action property NoBump is violated.").violated == "NoBump"


def test_a_violated_temporal_property_is_not_named() -> None:
    """TLC only says that there is one."""
    output = read_output(LASSO)
    assert (output.violated, output.temporal) == (None, True)


def test_a_behaviour_is_read_state_by_state() -> None:
    """Each step has its action and every variable, those that span lines included."""
    behaviour = read_behaviour(REFUTED)
    assert [step.action for step in behaviour.steps] == ["Init", "Commit"]
    assert behaviour.steps[0].state == {"phase": {"a1": "idle", "a2": "idle"}, "revision": 0}
    assert behaviour.steps[1].state["revision"] == 1
    assert behaviour.back_to is None


def test_a_lasso_says_where_it_goes_back_to() -> None:
    """A counterexample to a liveness property ends in a loop."""
    assert read_behaviour(LASSO).back_to == 1


def test_a_behaviour_that_stops_goes_back_to_its_end() -> None:
    """Stuttering is a loop of its own."""
    stopped = LASSO.partition("Back to")[0] + "State 3: Stuttering\n"
    behaviour = read_behaviour(stopped)
    assert (len(behaviour.steps), behaviour.back_to) == (2, 2)
