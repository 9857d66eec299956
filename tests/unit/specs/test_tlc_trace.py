"""A counterexample reads as a story about administrators, not as a dump of variables."""

from collections.abc import Mapping

import pytest

from specs.tlc.output import Behaviour, Step
from specs.tlc.trace import command_words, describe, tell
from specs.tlc.values import Value

SUBMITTER = {"type": "AssignRole", "principal": "carol", "role": "Submitter"}
APPROVER = SUBMITTER | {"role": "Approver"}
EMPTY: Mapping[str, Value] = {"carol": ()}
HELD: Mapping[str, Value] = {"carol": ("Submitter",)}


def state(
    organization: Mapping[str, Value], revision: int, **entries: tuple[str, Value, Value]
) -> Step:
    """A state: for each administrator its phase, its command and its snapshot."""
    names = ("phase", "command", "snapshot")
    columns = {
        name: {who: entry[position] for who, entry in entries.items()}
        for position, name in enumerate(names)
    }
    return Step("Some", {"organization": organization, "revision": revision, **columns})


def read(revision: int, organization: Mapping[str, Value] = EMPTY) -> Value:
    """A snapshot."""
    return {"revision": revision, "organization": organization}


IDLE = ("idle", "Nothing", "Nothing")
BEGUN = state(EMPTY, 0, a1=IDLE)
DECIDING = state(EMPTY, 0, a1=("deciding", SUBMITTER, read(0)))
MOVED = state(HELD, 1, a1=("deciding", SUBMITTER, read(0)))
RETRYING = state(HELD, 1, a1=("retrying", SUBMITTER, "Nothing"))
RETRYING_FOR_NOTHING = state(EMPTY, 0, a1=("retrying", SUBMITTER, "Nothing"))
RETRYING_AS_BEFORE = state(HELD, 1, a1=("retrying", SUBMITTER, read(0)))
CAUGHT_UP = state(HELD, 1, a1=("deciding", SUBMITTER, read(1, HELD)))
REVISION_ONLY = state(HELD, 1, a1=("deciding", SUBMITTER, read(1)))
CHECKED = state(EMPTY, 0, a1=("checked", SUBMITTER, read(0)))
ACCEPTED = state(HELD, 1, a1=("accepted", "Nothing", "Nothing"))
CONTENDED = state(HELD, 1, a1=("contended", "Nothing", "Nothing"))
CONTENDED_FOR_NOTHING = state(EMPTY, 0, a1=("contended", "Nothing", "Nothing"))
REFUSED = state(HELD, 1, a1=("BreaksSod", "Nothing", "Nothing"))

STEPS = [
    (BEGUN, DECIDING, "a1 reads revision 0 and proposes: assign Submitter to carol"),
    (
        DECIDING,
        ACCEPTED,
        "a1 commits: assign Submitter to carol, decided on revision 0 -> revision 1",
    ),
    (MOVED, RETRYING, "a1 loses the race: decided on revision 0, but it is 1"),
    (
        MOVED,
        CONTENDED,
        "a1 loses the race and gives up, contended: decided on revision 0, but it is 1",
    ),
    (
        DECIDING,
        RETRYING_FOR_NOTHING,
        "a1 loses the race: decided on revision 0, and it still is 0",
    ),
    (
        DECIDING,
        CONTENDED_FOR_NOTHING,
        "a1 loses the race and gives up, contended: decided on revision 0, and it still is 0",
    ),
    (RETRYING, CAUGHT_UP, "a1 catches up to revision 1, to assign Submitter to carol"),
    (RETRYING_AS_BEFORE, MOVED, "a1 tries again on revision 0, without reading anew"),
    (
        MOVED,
        REVISION_ONLY,
        (
            "a1 reads only the revision again, now 1, and keeps its decision to "
            "assign Submitter to carol"
        ),
    ),
    (DECIDING, CHECKED, "a1 sees that the revision is still 0"),
    (
        CHECKED,
        ACCEPTED,
        "a1 commits: assign Submitter to carol, decided on revision 0 -> revision 1",
    ),
    (
        CAUGHT_UP,
        REFUSED,
        (
            "a1 is refused: assign Submitter to carol, decided on revision 1: "
            "it would break separation of duty"
        ),
    ),
    (ACCEPTED, CAUGHT_UP, "a1 reads revision 1 and proposes: assign Submitter to carol"),
    (BEGUN, BEGUN, "nothing changes"),
]


@pytest.mark.parametrize(("before", "after", "words"), STEPS)
def test_a_step_is_told_by_what_it_does(before: Step, after: Step, words: str) -> None:
    """Every step of the protocol, and of the faulty ones, has its sentence."""
    assert tell(Behaviour((before, after), None))[1] == f"2. {words}"


def test_a_story_begins_and_ends_with_the_organization() -> None:
    """The first line says how it was, the last how it is."""
    told = tell(Behaviour((BEGUN, DECIDING, ACCEPTED), None))
    assert told[0] == "1. at first carol is assigned nothing"
    assert told[-1] == "4. now carol is assigned Submitter"


def test_only_who_moved_is_told() -> None:
    """The other administrator, whose state did not change, is not mentioned."""
    before = state(EMPTY, 0, a1=IDLE, a2=("deciding", APPROVER, read(0)))
    after = state(EMPTY, 0, a1=("deciding", SUBMITTER, read(0)), a2=("deciding", APPROVER, read(0)))
    assert "a2" not in tell(Behaviour((before, after), None))[1]


def test_a_loop_says_where_it_begins_again() -> None:
    """The step that closes the loop is told too."""
    told = tell(Behaviour((BEGUN, MOVED, RETRYING_AS_BEFORE), 2))
    assert told[-1] == (
        "4. a1 tries again on revision 0, without reading anew; all is as after 2, "
        "and so on for ever"
    )


def test_a_stop_says_that_nothing_more_happens() -> None:
    """A behaviour that ends too early ends in so many words."""
    assert tell(Behaviour((BEGUN, DECIDING), 2))[-1] == "3. nothing more happens"


def test_a_policy_is_described_with_its_roles_edges_and_sets() -> None:
    """Everything that a decision may rest on is said."""
    policy: Value = {
        "roles": ("Submitter", "Approver", "Viewer"),
        "assignments": {"carol": ("Viewer",)},
        "parents": {"Submitter": (), "Approver": (), "Viewer": ("Approver",)},
        "sod_sets": ({"roles": ("Submitter", "Approver"), "n": 2},),
    }
    assert describe(policy) == (
        "the roles are Submitter, Approver, Viewer; carol is assigned Viewer; "
        "Viewer inherits from Approver; a set: 2 of Submitter, Approver forbidden"
    )


COMMANDS: list[tuple[Mapping[str, Value], str]] = [
    ({"type": "RevokeRole", "principal": "carol", "role": "Viewer"}, "revoke Viewer from carol"),
    ({"type": "AddParent", "role": "A", "parent": "B"}, "let A inherit from B"),
    ({"type": "RemoveParent", "role": "A", "parent": "B"}, "let A no longer inherit from B"),
    ({"type": "DeleteRole", "role": "A"}, "delete A"),
    (
        {"type": "CreateSodSet", "sod_set": {"roles": ("A", "B"), "n": 2}},
        "create a set: 2 of A, B forbidden",
    ),
]


@pytest.mark.parametrize(("command", "words"), COMMANDS)
def test_a_command_is_told_in_words(command: Mapping[str, Value], words: str) -> None:
    """No record syntax reaches the reader."""
    assert command_words(command) == words


def test_a_behaviour_of_another_model_is_told_variable_by_variable() -> None:
    """What has no words yet is still shown: the action and what it changed."""
    steps = (Step("Init", {"used": 0, "limit": 2}), Step("Consume", {"used": 1, "limit": 2}))
    assert tell(Behaviour(steps, None)) == (
        "1. at first used = 0, limit = 2",
        "2. Consume: used = 1",
    )


def test_no_behaviour_is_no_story() -> None:
    """When TLC prints none, nothing is made up."""
    assert tell(Behaviour((), None)) == ()


NOTHING_USED: Value = ({"usage": 0, "rate": 0},)
ONE_USED: Value = ({"usage": 1, "rate": 1},)
READ_NOTHING: Value = {"revision": 0, "used": NOTHING_USED, "limits": ({"usage": 1, "rate": 2},)}


def consuming(
    used: Value,
    phase: str,
    snapshot: Value = "Nothing",
    *,
    granted: Value = "Nothing",
    rev: int = 0,
) -> Step:
    """A state of one consumer of one claim."""
    return Step(
        "Some",
        {
            "revision": rev,
            "limits": ({"usage": 1, "rate": 2},),
            "used": used,
            "phase": {"c1": phase},
            "snapshot": {"c1": snapshot},
            "granted": {"c1": granted},
        },
    )


WAITING = consuming(NOTHING_USED, "idle")
READING = consuming(NOTHING_USED, "deciding", READ_NOTHING)
BEATEN = consuming(ONE_USED, "deciding", READ_NOTHING)
EMPTY_CLAIM = "claim 1: usage 0 of 1, rate 0 of 2"
FULL_CLAIM = "claim 1: usage 1 of 1, rate 1 of 2"


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (WAITING, READING, f"c1 reads the counters at revision 0 ({EMPTY_CLAIM})"),
        (
            READING,
            consuming(ONE_USED, "allowed", granted=1),
            f"c1 is allowed by claim 1, having read {EMPTY_CLAIM} ({FULL_CLAIM})",
        ),
        (
            BEATEN,
            consuming(ONE_USED, "looking"),
            f"c1 loses the race and looks again ({FULL_CLAIM})",
        ),
        (
            BEATEN,
            consuming(ONE_USED, "denied"),
            f"c1 is denied, having read {EMPTY_CLAIM} ({FULL_CLAIM})",
        ),
        (
            READING,
            consuming(NOTHING_USED, "half", READ_NOTHING),
            f"c1 has charged the quota, and not yet the rate ({EMPTY_CLAIM})",
        ),
        (
            READING,
            consuming(NOTHING_USED, "deciding", READ_NOTHING, rev=1),
            f"the limits change, revision 1 ({EMPTY_CLAIM})",
        ),
        (consuming(ONE_USED, "idle"), WAITING, f"usage is reset ({EMPTY_CLAIM})"),
        (WAITING, WAITING, f"nothing changes ({EMPTY_CLAIM})"),
    ],
)
def test_steps_of_consumers_are_told_in_words(before: Step, after: Step, line: str) -> None:
    """Who reads, is allowed, loses and is denied, and what the counters are after it."""
    assert tell(Behaviour((before, after), None)) == (
        f"1. at first {EMPTY_CLAIM if before.state['used'] == NOTHING_USED else FULL_CLAIM}",
        f"2. {line}",
    )
