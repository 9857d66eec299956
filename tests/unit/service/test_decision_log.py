"""The lines of the decision log: what is written of a request, redacted, and sampled."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grantproof.api.questions import Question
from grantproof.core.errors import Illegal
from grantproof.service.decision_log import REDACTED, Asked, Entry, Record, Redaction, sampled

ENTRY = Entry(
    asked={
        "principal_id": "alice",
        "action": "read",
        "resource_id": "docs",
        "region": "eu",
        "attributes": {"email": "a@b", "level": 3},
    },
    decision="Deny",
    reason="no_role",
)
RECORD = Record(
    instant=10,
    request_id="r-1",
    actor="key:abc",
    organization="acme",
    revision=7,
    decisions=[ENTRY],
)


@pytest.mark.parametrize(
    "field", ["decision", "revision", "princpal", "attributes", "decisions", ""]
)
def test_a_redaction_that_covers_nothing_is_refused(field: str) -> None:
    """A typing error must not let through what somebody believes covered."""
    with pytest.raises(Illegal, match="redact"):
        Redaction(frozenset({field}))


def test_sampling_takes_its_share_and_never_changes_its_mind() -> None:
    """By the request's id alone."""
    ids = [f"request-{number}" for number in range(10_000)]
    assert not any(sampled(each, 0) for each in ids)
    assert all(sampled(each, 1) for each in ids)
    taken = [each for each in ids if sampled(each, 0.1)]
    assert 800 < len(taken) < 1_200
    assert set(taken) <= {each for each in ids if sampled(each, 0.2)}


SAID = st.fixed_dictionaries(
    {"principal_id": st.text(), "action": st.text(), "resource_id": st.text()},
    optional={
        "resource_kind": st.text(),
        "region": st.text(),
        "position": st.text(),
        "attributes": st.dictionaries(
            st.sampled_from(["email", "level", "a.b"]),
            st.text() | st.integers(-9, 9) | st.dictionaries(st.just("email"), st.text()),
        ),
        "hour": st.integers(0, 23),
        "weekday": st.integers(0, 6),
        "usage": st.integers(0, 2**53),
        "rate": st.integers(0, 2**53),
        "active_roles": st.lists(st.text(), max_size=2),
        "session_id": st.text(),
        "explain": st.just(True),
    },
)
COVERED = st.frozensets(
    st.sampled_from(
        [
            "actor",
            "claim",
            "asked",
            *(f"asked.{name}" for name in Question.__struct_fields__),
            "asked.attributes.email",
            "asked.attributes.email.email",
            "asked.attributes.a.b",
            "asked.subject_type",
            "asked.get",
            "asked.__doc__",
        ]
    ),
    max_size=3,
)
WORDS = st.text() | st.sampled_from(['"', "\\", "\n", "\x7f", "\u2028", "é", "\U0001f600", "a{b}c"])
QUESTIONS = st.builds(lambda said: Question(**said), SAID)
MAPPINGS = st.dictionaries(WORDS, WORDS, max_size=2) | SAID
ENTRIES = st.builds(
    Entry,
    QUESTIONS | MAPPINGS,
    st.sampled_from(["Allow", "Deny"]),
    st.none() | WORDS,
    st.none() | WORDS,
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A record of any request, of some questions that were malformed too."""
    decisions = draw(st.lists(st.none() | ENTRIES, max_size=3))
    whole = draw(st.integers(0, 2**40)), draw(WORDS), draw(WORDS), draw(WORDS)
    return Record(*whole, draw(st.integers(0, 2**53)), decisions, decisions.count(None))


@given(st.lists(SAID, max_size=4), COVERED)
def test_questions_are_written_and_redacted_as_any_mapping(
    said: list[dict[str, Any]], fields: frozenset[str]
) -> None:
    """Byte for byte, whether they are looked through at once or part by part."""
    redaction = Redaction(fields)
    told = redaction.lines([asking(Question(**one)) for one in said])
    by_name = [asking(in_order(one)) for one in said]
    assert told == redaction.lines(by_name)
    assert told == b"".join(redaction.lines([record]) for record in by_name)
    assert told == b"".join(written(record, fields) for record in by_name)


def test_only_what_may_be_there_is_looked_for() -> None:
    """Of records of which all names are known; of others everything that is redacted is."""
    redaction = Redaction(frozenset({"asked.region", "asked.attributes.email"}))
    record = asking({"region": "eu", "attributes": {"email": "a@b"}})
    open_line, covered_line = Redaction().lines([record]), redaction.lines([record])
    assert REDACTED.encode() in covered_line
    for names, line in (
        (None, covered_line),
        (frozenset({"region"}), covered_line),
        (frozenset({"action", "attributes"}), covered_line),
        (frozenset({"action"}), open_line),
        (frozenset[str](), open_line),
    ):
        assert redaction.lines([record], names=names) == line
    everything = Redaction(frozenset({"asked"}))
    assert everything.lines([record], names=frozenset()) == everything.lines([record])


def asking(asked: Asked) -> Record:
    """A record of one decision on what was asked."""
    return replace(RECORD, decisions=[replace(ENTRY, asked=asked)])


def in_order(said: dict[str, Any]) -> dict[str, Any]:
    """What is asked, in the order in which it is written."""
    return {name: said[name] for name in Question.__struct_fields__ if name in said}


def written(record: Record, fields: frozenset[str]) -> bytes:
    """The line of a record."""
    told = msgspec.to_builtins(record)
    marked = covered(told, fields)
    marked["decisions"] = [covered(one, fields) for one in told["decisions"]]
    return msgspec.json.encode(marked) + b"\n"


def covered(value: Any, fields: frozenset[str], path: str = "") -> Any:
    """The value with a mark in the place of every field, looked up by its whole path."""
    if path in fields:
        return REDACTED
    if not isinstance(value, dict):
        return value
    inside = f"{path}." if path else ""
    return {name: covered(one, fields, f"{inside}{name}") for name, one in value.items()}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, b""),
        ({"active_roles": [], "attributes": {}}, b',"attributes":{},"active_roles":[]'),
        (
            {"rate": 0, "usage": 1, "weekday": 2, "hour": 3, "region": "eu"},
            b',"region":"eu","hour":3,"weekday":2,"usage":1,"rate":0',
        ),
    ],
)
def test_only_what_was_said_is_written_in_a_fixed_order(more: dict[str, Any], told: bytes) -> None:
    """Zero and nothing at all were said too."""
    assert Redaction().lines([asking(Question("alice", "read", "docs", **more))]) == (
        b'{"instant":10,"request_id":"r-1","actor":"key:abc","organization":"acme","revision":7,'
        b'"decisions":[{"asked":{"principal_id":"alice","action":"read","resource_id":"docs"'
        + told
        + b'},"decision":"Deny","reason":"no_role"}]}\n'
    )
