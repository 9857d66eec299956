"""Whatever the core can hold is written and read back the same; nothing else is ever read."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grantproof.core.commands import Accepted, apply
from grantproof.core.commands.language import ChangeSet, Command
from grantproof.core.model import Delta, Fact
from grantproof.core.organization import Organization, facts
from grantproof.policyfile import documents, policy_stream
from grantproof.policyfile.organization_document import (
    OrganizationDocument,
    to_change_set,
)
from grantproof.policyfile.policy_text import write_json, write_yaml
from grantproof.policyfile.wire import (
    Unreadable,
    decode_command,
    decode_delta,
    encode_command,
    encode_delta,
)
from tests.documents import from_organization
from tests.policies import accepted, problems
from tests.strategies.commands import commands
from tests.strategies.entities import deltas
from tests.strategies.entities import facts as any_fact
from tests.strategies.organizations import organizations

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=8,
)


def complaint(decode: Callable[[str], object], text: str) -> str:
    """What the decoder has against the text; nothing when it can read it."""
    try:
        decode(text)
    except Unreadable as error:
        return str(error)
    return ""


@given(any_fact())
def test_a_fact_survives_its_document(fact: Fact) -> None:
    """Objects, JSON and the core value are three views of one fact."""
    document = documents.of(fact)
    form = type(document)
    assert document.core() == fact
    assert form.model_validate(document.written()) == document
    assert form.model_validate_json(document.model_dump_json()).core() == fact


@given(deltas())
def test_a_delta_survives_its_text(delta: Delta) -> None:
    """Encoding and decoding deltas is a total round trip, and canonical."""
    text = encode_delta(delta)
    assert decode_delta(text) == delta
    assert text == json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


@given(commands())
def test_a_command_survives_its_text(command: Command) -> None:
    """Encoding and decoding commands is a total round trip, and canonical, of change sets too."""
    text = encode_command(command)
    assert decode_command(text) == command
    assert text == json.dumps(
        json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )


@given(st.text() | JSON_VALUES.map(json.dumps))
def test_garbage_raises_nothing_but_unreadable(text: str) -> None:
    """No text makes a decoder fail in another way than it documents."""
    assert "\n" not in complaint(decode_delta, text)
    assert "\n" not in complaint(decode_command, text)


@given(commands(), st.data())
def test_damaged_text_raises_nothing_but_unreadable(command: Command, data: st.DataObject) -> None:
    """A text of ours with a piece replaced is read, or refused as documented."""
    text = encode_command(command)
    at = data.draw(st.integers(0, len(text)))
    piece = data.draw(st.text(alphabet='{}[]":,0truefalsn\\u', max_size=4) | st.text(max_size=2))
    damaged = text[:at] + piece + text[at + data.draw(st.integers(0, 5)) :]
    assert "\n" not in complaint(decode_command, damaged)


@settings(max_examples=50)
@given(organizations())
def test_import_undoes_export(state: Organization) -> None:
    """The commands of an exported organization make the same one of an empty one."""
    document = from_organization(state)
    again = document.empty()
    if steps := to_change_set(document):
        outcome = apply(again, ChangeSet(steps), actor="importer", instant=0)
        assert isinstance(outcome, Accepted), outcome
        again = outcome.state
    assert set(facts(again)) == set(facts(state))
    assert from_organization(again) == document


@settings(max_examples=50)
@given(organizations())
def test_an_organization_survives_its_text(state: Organization) -> None:
    """What is exported as YAML or as JSON is read back without a problem."""
    document = from_organization(state)
    assert OrganizationDocument.model_validate(document.written()) == document
    assert accepted(write_yaml(document)) == document
    assert accepted(write_json(document)) == document


@settings(max_examples=30)
@given(organizations(), st.integers(1, 3))
def test_pieces_are_the_text_that_is_written_at_once(state: Organization, size: int) -> None:
    """Joined, they are the same to the letter, wherever a piece ends."""
    document = from_organization(state)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(policy_stream, "JSON_ENTRIES", size)
        patched.setattr(policy_stream, "YAML_ENTRIES", size)
        assert "".join(policy_stream.json_pieces(state)) == write_json(document)
        assert "".join(policy_stream.yaml_pieces(state)) == write_yaml(document)


@given(st.text(alphabet="{}[]:,-&*!|>'\"%@?# \n\tax01.~\\", max_size=40))
def test_no_text_makes_the_reader_fail(text: str) -> None:
    """Whatever is no organization is a list of problems, each in one line."""
    found = problems(text)
    assert found
    assert all("\n" not in problem for problem in found)
