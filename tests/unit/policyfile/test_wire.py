"""Deltas and commands as stored text: canonical, and nothing but what was written is read."""

import json
from typing import get_args

import pytest

from grantproof.core.attributes import attributes
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    Command,
    CreatePrincipal,
    CreateResource,
    DeleteRole,
    SingleCommand,
)
from grantproof.core.identifiers import GroupId, Kind, PrincipalId, ResourceId, RoleId
from grantproof.core.limits import INSTANT_MAX
from grantproof.core.model import (
    ALWAYS,
    Assignment,
    Delta,
    Group,
    Membership,
    Principal,
    Resource,
    Validity,
)
from grantproof.policyfile import command_documents, documents
from grantproof.policyfile.command_documents import DOCUMENTS
from grantproof.policyfile.wire import (
    Unreadable,
    decode_command,
    decode_delta,
    encode_command,
    encode_delta,
    fact_text,
    step_text,
)

ANN, STAFF, EDITOR = PrincipalId("ann"), GroupId("staff"), RoleId("editor")

COMMANDS: list[tuple[Command, str]] = [
    (
        AssignRole(ANN, EDITOR, Validity(5, 9)),
        '{"principal":"ann","role":"editor","type":"AssignRole","validity":{"from":5,"until":9}}',
    ),
    (DeleteRole(EDITOR, cascade=True), '{"cascade":true,"role":"editor","type":"DeleteRole"}'),
    (
        CreateResource(Resource(ResourceId("docs"), Kind("folder"))),
        (
            '{"resource":{"attributes":{},"id":"docs","kind":"folder","parent":null},'
            '"type":"CreateResource"}'
        ),
    ),
    (
        ChangeSet((CreatePrincipal(ANN),)),
        (
            '{"commands":[{"attributes":{},"principal":"ann","type":"CreatePrincipal"}],'
            '"type":"ChangeSet"}'
        ),
    ),
]


@pytest.mark.parametrize(("command", "text"), COMMANDS)
def test_a_command_has_one_text(command: Command, text: str) -> None:
    """A command is its name and its fields, keys sorted and without blanks."""
    assert encode_command(command) == text
    assert decode_command(text) == command


def test_every_command_has_a_document() -> None:
    """A command added to the language is written without further ado."""
    assert set(DOCUMENTS) == {command.__name__ for command in get_args(SingleCommand)}


def test_a_delta_keeps_the_order_of_its_facts() -> None:
    """The order says in which order facts leave and arrive."""
    delta = Delta((Membership(ANN, STAFF), Group(STAFF)), (Group(GroupId("b")), Group(STAFF)))
    text = encode_delta(delta)
    assert text == (
        '{"added":[{"id":"b","type":"Group"},{"id":"staff","type":"Group"}],'
        '"removed":[{"group":"staff","principal":"ann","type":"Membership"},'
        '{"id":"staff","type":"Group"}]}'
    )
    assert decode_delta(text) == delta


@pytest.mark.parametrize("start", [None, 0, 5])
@pytest.mark.parametrize("end", [None, 9, INSTANT_MAX])
def test_an_assignment_is_written_as_its_document_says(start: int | None, end: int | None) -> None:
    """The text that is put together at once is the canonical JSON of the document, to the letter.

    With ids of every character that one may have: none of them needs an escape.
    """
    who, role = PrincipalId("_.:@+=~$-Az09"), RoleId("0_.:@+=~$-zA")
    lasting = Validity(start, end)
    held, command = Assignment(who, role, lasting), AssignRole(who, role, lasting)
    fact = {**documents.of(held).written(), "type": "Assignment"}
    step = {**command_documents.of(command).written(), "type": "AssignRole"}
    assert fact_text(held) == canonical(fact)
    assert step_text(command) == canonical(step)
    assert encode_delta(Delta((held,), (held, Group(STAFF)))) == canonical(
        {"added": [fact, {"id": "staff", "type": "Group"}], "removed": [fact]}
    )
    both = ChangeSet((command, DeleteRole(role)))
    deleted = {"cascade": False, "role": role, "type": "DeleteRole"}
    assert encode_command(both) == canonical({"commands": [step, deleted], "type": "ChangeSet"})


def canonical(value: object) -> str:
    """JSON in the one form in which events hold it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def test_equal_values_have_equal_texts() -> None:
    """Sets and attributes are written sorted, however they were built."""
    there = attributes({"a": frozenset({"x", "y", "z"}), "b": 1, "c": True})
    back = attributes({"c": True, "b": 1, "a": frozenset({"z", "y", "x"})})
    texts = {encode_delta(Delta(added=(Principal(ANN, True, held),))) for held in (there, back)}
    assert len(texts) == 1


def test_an_unbounded_validity_is_read_as_always() -> None:
    """The usual validity is one shared value."""
    read = decode_command(encode_command(AssignRole(ANN, EDITOR)))
    assert isinstance(read, AssignRole)
    assert read.validity is ALWAYS


def test_true_and_one_are_two_values() -> None:
    """Python holds them equal; what is written and read back does not confuse them."""
    facts = [Principal(ANN, True, attributes({"x": value})) for value in (True, 1)]
    texts = [encode_delta(Delta(added=(fact,))) for fact in facts]
    assert texts[0] != texts[1]
    read = [decode_delta(text).added[0] for text in texts]
    assert read == facts
    assert read[0] != read[1]


GARBAGE = [
    "",
    "null",
    "[]",
    "{",
    "{}",
    "nonsense",
    '"\ud800"',
    '"\\ud800"',
    "NaN",
    "9" * 5_000,
    "[" * 100_000,
    '{"type":"AssignRole"}',
    '{"type":"AssignRole","principal":"ann","role":"editor"}',
    '{"type":"AssignRole","principal":"ann","role":"editor","validity":null}',
    '{"type":"AssignRole","principal":"ann","role":"editor","validity":{"from":9,"until":5}}',
    '{"type":"Membership","principal":"ann","group":"staff"}',
    '{"type":["AssignRole"]}',
    '{"type":"DeleteRole","role":"editor","cascade":1}',
    '{"type":"DeleteRole","role":"a b","cascade":true}',
    '{"type":"DeleteRole","role":"a","cascade":true,"more":1}',
    '{"type":"ChangeSet","commands":[]}',
    '{"type":"ChangeSet","commands":{}}',
    '{"type":"ChangeSet"}',
    '{"type":"ChangeSet","commands":[{"type":"ChangeSet","commands":[]}]}',
    '{"type":"ChangeSet","commands":["DeleteRole"]}',
    '{"added":[],"removed":[],"more":[]}',
    '{"added":[]}',
    '{"added":{},"removed":[]}',
    '{"added":[5],"removed":[]}',
    '{"added":[{"type":"Group"}],"removed":[]}',
    '{"added":[{"type":"DeleteRole","role":"a","cascade":true}],"removed":[]}',
    '{"added":[{"type":"Resource","id":"role:a","kind":"x"}],"removed":[]}',
]


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_unreadable_with_one_line(text: str) -> None:
    """Whatever was not written here raises the one documented error, in either function."""
    for decode in (decode_command, decode_delta):
        with pytest.raises(Unreadable) as caught:
            decode(text)
        assert str(caught.value)
        assert "\n" not in str(caught.value)


def test_an_unreadable_fact_is_named() -> None:
    """The message says of which fact which field breaks which rule."""
    text = json.dumps({"added": [{"type": "Group", "id": "a b"}], "removed": []})
    with pytest.raises(Unreadable, match=r"^`Group`: id: must match "):
        decode_delta(text)
