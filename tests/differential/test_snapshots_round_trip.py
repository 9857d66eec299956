"""Random organizations through a snapshot file: what comes back is equal, and answers equally."""

from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.commands import Accepted
from grantproof.core.identifiers import Identifier
from grantproof.core.index import Index
from grantproof.core.model import Claim
from grantproof.core.organization import Organization, facts
from grantproof.core.policy import Allow, evaluate
from grantproof.service import snapshot_reading, snapshot_writing
from grantproof.service.versions import Versioned, Versions
from tests.strategies.organizations import histories
from tests.strategies.questions import questions_on

History = tuple[Organization, tuple[Accepted, ...]]


def through_parts(seen: Versioned) -> Versioned:
    """The state written and read."""
    return snapshot_reading.read(memoryview(b"".join(snapshot_writing.parts(seen))))


def named(state: Organization) -> set[tuple[type, str]]:
    """Every id that a fact says, with its type: equal ids may be of two types."""
    said = (getattr(fact, name) for fact in facts(state) for name in vars_of(fact))
    return {(type(one), one) for one in said if isinstance(one, Identifier)}


def vars_of(fact: object) -> tuple[str, ...]:
    """The names of the fields of a fact."""
    return tuple(type(fact).__dataclass_fields__)  # type: ignore[attr-defined]  # every fact is one


def test_random_organizations_come_back() -> None:
    """State, versions, types of ids; an index of it says what the reference says of the first."""
    reached = {"claims": 0, "allowed": 0}

    @settings(max_examples=50)
    @given(histories(), st.data())
    def check(history: History, data: st.DataObject) -> None:
        state, versions = history[0], Versions()
        for step in history[1]:
            state, versions = step.state, versions.after(step.event.delta)
        read = through_parts(Versioned(state, versions, "5ea1"))
        assert (read.state, read.versions, read.seal) == (state, versions, "5ea1")
        assert named(read.state) == named(state)
        question = data.draw(questions_on(state))
        expected = evaluate(state, question.request, question.context)
        assert Index(read.state).decide(question.request, question.context) == expected
        reached["claims"] += any(isinstance(fact, Claim) for fact in facts(state))
        reached["allowed"] += isinstance(expected, Allow)

    check()
    assert min(reached.values()) > 5, reached
