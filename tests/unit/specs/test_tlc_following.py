"""A counterexample of `Freshness` reads as a story of replicas and who asks them."""

from collections.abc import Mapping

import pytest

from specs.tlc.output import Behaviour, Step
from specs.tlc.trace import tell
from specs.tlc.values import Value

ASKED: Mapping[str, Value] = {"replica": "r1", "at_least": 1, "exists": True, "looked": False}
LOOK: Mapping[str, Value] = {"revision": 1, "age": 0}
THEN = "(revision 1 is committed; r1 knows 1, looked at now)"
NOW = "(revision 1 is committed; r1 knows 0, looked at now)"


def at(action: str = "Some", /, **changed: Value) -> Step:
    """A state of one replica that is behind, and of one client; some of it changed."""
    found: dict[str, Value] = {
        "revision": 1,
        "past": (0, 0),
        "link": {"r1": "up"},
        "notified": {"r1": False},
        "known": {"r1": 0},
        "age": {"r1": 0},
        "look": {"r1": "Nothing", "c1": "Nothing"},
        "question": {"c1": "Nothing"},
        "outcome": {"c1": "none"},
        "seen": {"c1": 0},
    }
    return Step(action, found | changed)


WAITS: Mapping[str, Value] = {"c1": ASKED}
READS: Mapping[str, Value] = {"r1": "Nothing", "c1": LOOK}
TOLD = [
    (at(), at(question=WAITS), f"c1 asks r1 for revision 1 or newer {NOW}"),
    (at(question=WAITS), at(question=WAITS, look=READS), f"the look for c1 reads revision 1 {NOW}"),
    (
        at(question=WAITS, look=READS),
        at(question=WAITS, known={"r1": 1}),
        f"the look for c1 follows to revision 1, as it has read {THEN}",
    ),
    (
        at(question=WAITS),
        at(outcome={"c1": "answered"}, seen={"c1": 1}),
        f"r1 answers c1 at revision 1 {NOW}",
    ),
    (
        at(question=WAITS, look=READS),
        at(outcome={"c1": "unreached"}),
        f"r1 refuses c1: it does not know that revision {NOW}",
    ),
    (
        at(question=WAITS),
        at(outcome={"c1": "stale"}),
        f"r1 refuses c1: it has not looked for too long {NOW}",
    ),
    (at(revision=0), at(), f"a change is committed, revision 1, of which nobody is told {NOW}"),
    (
        at(revision=0),
        at(notified={"r1": True}),
        f"a change is committed, revision 1, of which r1 was told {NOW}",
    ),
    (
        at(),
        at("Tick", age={"r1": 1}),
        "time passes (revision 1 is committed; r1 knows 0, looked at 1 tick ago)",
    ),
    (
        at(age={"r1": 1}),
        at("Tick", age={"r1": 2}),
        "time passes (revision 1 is committed; r1 knows 0, looked at 2 ticks ago or more)",
    ),
    (at(), at(link={"r1": "cut"}), f"r1 loses the database {NOW}"),
    (at(link={"r1": "cut"}), at(link={"r1": "back"}), f"r1 reaches again the database {NOW}"),
    (at(), at(), f"nothing changes {NOW}"),
]


@pytest.mark.parametrize(("before", "after", "told"), TOLD)
def test_a_step_is_told_in_words(before: Step, after: Step, told: str) -> None:
    """Who asks, reads, follows, answers, refuses, is cut off; and what each replica then knows."""
    assert tell(Behaviour((before, after), None)) == (
        f"1. at first {tell(Behaviour((before,), None))[0].removeprefix('1. at first ')}",
        f"2. {told}",
    )
