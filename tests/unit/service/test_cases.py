"""Cases as text: what is written is read back, and nothing else is."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.commands.language import AssignRole, ChangeSet
from grantproof.core.constraints import MaxUsage, RateLimit
from grantproof.core.geodesy import Position
from grantproof.core.identifiers import OrganizationId
from grantproof.core.invariants import Violation
from grantproof.core.matching import Request
from grantproof.core.metering import Counter
from grantproof.core.model import ALWAYS, Assignment, Delta
from grantproof.core.organization import Organization
from grantproof.policyfile.wire import Unreadable
from grantproof.service import case_text, cases
from grantproof.service.case_text import read_case, write_case
from grantproof.service.cases import Asked, Case, Proposal, indexed, reference, replayed
from tests.organizations import (
    ANN,
    C1,
    CLERK,
    DOCS,
    EU,
    HEAD,
    NOON,
    READ,
    claim,
    library,
    made_of,
    people,
    roles,
)

METERED = made_of(
    *people(ANN),
    *roles(CLERK, HEAD),
    *library(),
    claim(MaxUsage(2), RateLimit(5)),
    Assignment(ANN, CLERK),
    revision=7,
)
CONTEXT = replace(
    NOON,
    region=EU,
    position=Position(48_856_600, 2_352_200),
    attributes=attributes({"a": True, "tags": frozenset({"x"})}),
)
QUESTION = Request(ANN, READ, DOCS, None, frozenset({CLERK}))
TIMES = {Counter(ANN, C1, "day", 0): 1, Counter(ANN, C1, "minute", 960): 1}
ASKED = Asked(METERED, QUESTION, CONTEXT, TIMES)
DECIDED = Case("shadow", METERED, 1_000, "Deny", "Allow", asked=ASKED)
CHANGED = Case(
    "change",
    METERED,
    1_000,
    "a valid state",
    "another",
    proposal=Proposal(
        ChangeSet((AssignRole(ANN, HEAD, ALWAYS),)), Delta(added=(Assignment(ANN, HEAD),))
    ),
)
WHOLE = Case("state", METERED, None, "a valid state", "another")


def written(case: Case, bytes_max: int = 1_000_000) -> bytes:
    """The case as text."""
    return write_case(case, version="1", source="s", bytes_max=bytes_max)


def nowhere(organization: OrganizationId, revision: int) -> Organization:
    """There is no database."""
    raise Unreadable(f"no {organization} at {revision}")


@pytest.mark.parametrize(
    "case", [DECIDED, CHANGED, WHOLE, replace(DECIDED, contract="certificate")]
)
def test_a_case_is_read_back_as_it_was(case: Case) -> None:
    """With state, question, counters, command and delta."""
    assert read_case(written(case), nowhere) == case


def test_a_case_without_a_position_says_none() -> None:
    """As those do that were written before there were positions."""
    case = replace(DECIDED, asked=replace(ASKED, context=NOON))
    assert b'"position"' not in written(case)
    assert read_case(written(case), nowhere) == case


def test_a_state_that_is_too_large_is_taken_from_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By bytes or by facts; the rest of the case is there."""
    small = written(DECIDED, 10)
    assert json.loads(small)["facts"] is None
    assert read_case(small, lambda *_: METERED) == DECIDED
    with pytest.raises(Unreadable, match="no acme at 7"):
        read_case(small, nowhere)
    monkeypatch.setattr(case_text, "FACTS_MAX", 1)
    assert json.loads(written(DECIDED))["facts"] is None


def without(*names: str) -> Callable[[bytes], bytes]:
    """Leave parts out of the document."""

    def spoil(text: bytes) -> bytes:
        read = json.loads(text)
        return json.dumps({name: part for name, part in read.items() if name not in names}).encode()

    return spoil


def saying(**parts: object) -> Callable[[bytes], bytes]:
    """Change parts of the document."""
    return lambda text: json.dumps({**json.loads(text), **parts}).encode()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-5],
        lambda _: b"[]",
        lambda _: b"\xff",
        without("facts"),
        saying(case="grantproof/case/v2"),
        saying(more=1),
        saying(contract="change"),
        saying(request=None),
        saying(organization="no id!"),
        saying(revision=-1),
        saying(facts={"removed": [], "added": [{"type": "Ghost"}]}),
        saying(
            facts={
                "removed": [],
                "added": [{"type": "Inheritance", "role": "clerk", "parent": "ghost"}],
            }
        ),
    ],
)
def test_what_is_no_case_is_refused_in_a_line(spoil: Callable[[bytes], bytes]) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(Unreadable) as refused:
        read_case(spoil(written(DECIDED)), nowhere)
    assert "\n" not in str(refused.value)


def test_the_index_and_the_reference_agree_on_counters() -> None:
    """Below the limits and at one of them, so the case is well."""
    for used in (0, 1, 2):
        asked = replace(ASKED, readings={Counter(ANN, C1, "day", 0): used})
        assert reference(asked) == indexed(asked)
        assert replayed(replace(DECIDED, asked=asked)) is None
        assert replayed(replace(DECIDED, contract="certificate", asked=asked)) is None


def test_a_check_that_fails_in_a_replay_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A traceback is no answer."""

    def fails(*_: object, **__: object) -> None:
        raise KeyError("ghost")

    monkeypatch.setattr(cases, "evaluate", fails)
    assert replayed(DECIDED) == "the check fails: KeyError 'ghost'"


def test_many_violations_are_one_line() -> None:
    """The first are named, the rest counted."""
    many = [Violation("refers", (str(number),)) for number in range(12)]
    line = cases.told(many) or ""
    assert line.startswith("refers at 0; refers at 1")
    assert line.endswith("; and 2 more")
    assert cases.told([]) is None
