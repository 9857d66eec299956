"""Events in words: every command has some, every fact too, and what is new has a name."""

import json
from string import Formatter

import pytest

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    Command,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateSodSet,
    DeleteRole,
    SingleCommand,
)
from grantproof.core.identifiers import Kind, PrincipalId, ResourceId
from grantproof.core.model import (
    Delta,
    Fact,
    Inheritance,
    KindDeclaration,
    Resource,
    Validity,
)
from grantproof.policyfile.command_documents import COMMANDS, DOCUMENTS
from grantproof.policyfile.wire import encode_command, encode_delta
from grantproof.service import event_text as module
from grantproof.service.authors import Author
from grantproof.service.event_text import (
    FACTS_TOLD,
    SENTENCES,
    command_text,
    event_text,
    fact_text,
    facts_of,
)
from grantproof.service.history import Entry, entry
from tests.contracts.histories import HISTORY, created
from tests.organizations import ACME, CHIEF, CLERK, DOCS, FOLDER, HEAD, pair

BY = Author("ann")
EPOCH = "1970-01-01T00:00:00Z"
FIRST = "declared kind k0; declared kind k1; declared kind k2"


def entry_of(command: Command, delta: Delta | None = None) -> Entry:
    """The entry of a change that did what it did."""
    written = encode_delta(Delta() if delta is None else delta)
    return entry(
        "acme", 1, "change", instant=7, by=BY, command=encode_command(command), delta=written
    )


def test_every_command_has_a_sentence() -> None:
    """With fields that its document has; so have the founding and the end."""
    assert SENTENCES.keys() == {*COMMANDS, "Found", "Dissolve"}
    for name, document in DOCUMENTS.items():
        fields = {field for _, field, _, _ in Formatter().parse(SENTENCES[name]) if field}
        assert {field.partition("[")[0] for field in fields} <= set(document.model_fields), name
        assert fields, name


def test_every_command_of_a_history_is_told() -> None:
    """Not by its name only: nothing in a real document is missing."""
    told = [event_text(entry_of(command)) for command in HISTORY]
    assert not set(told) & set(COMMANDS)
    singles = [one for command in HISTORY for one in _steps(command)]
    for one in singles:
        text = command_text(json.loads(encode_command(one)))
        assert text.split()[0].islower(), text


def _steps(command: Command) -> tuple[SingleCommand, ...]:
    return command.commands if isinstance(command, ChangeSet) else (command,)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (CreatePrincipal(PrincipalId("ann")), "added principal ann"),
        (
            AssignRole(PrincipalId("ann"), CLERK, Validity(0, 60)),
            f"assigned role clerk to principal ann from {EPOCH} until 1970-01-01T00:01:00Z",
        ),
        (
            AssignRole(PrincipalId("ann"), CLERK, Validity(None, 60)),
            "assigned role clerk to principal ann until 1970-01-01T00:01:00Z",
        ),
        (DeleteRole(CLERK), "deleted role clerk"),
        (DeleteRole(CLERK, cascade=True), "deleted role clerk and all that referred to it"),
        (CreateResource(Resource(DOCS, FOLDER)), "registered resource docs"),
        (CreateSodSet(pair()), "added separation-of-duty set pair"),
        (ChangeSet((CreateKind(FOLDER),)), "declared kind folder"),
        (
            ChangeSet(tuple(CreateKind(Kind(f"k{one}")) for one in range(1_004))),
            f"made 1,004 changes at once: {FIRST}; and 1,001 more",
        ),
        (
            ChangeSet((CreateKind(Kind("a")), CreateKind(Kind("b")), CreateKind(Kind("c")))),
            "made 3 changes at once: declared kind a; declared kind b; declared kind c",
        ),
    ],
)
def test_what_was_asked_is_a_sentence(command: Command, told: str) -> None:
    """Many commands are told by the first of them."""
    assert event_text(entry_of(command)) == told


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ({"type": "Teleport", "principal": "ann"}, "Teleport"),
        ({"type": "CreateRole"}, "CreateRole"),
        ({"type": "CreateClaim", "claim": "c1"}, "CreateClaim"),
        ({"type": "AssignRole", "role": "{role[0]}", "principal": "{x}"}, None),
    ],
)
def test_what_a_newer_version_wrote_has_its_name(told: dict[str, str], text: str | None) -> None:
    """And what is stored is text, never a template."""
    expected = "assigned role {role[0]} to principal {x}" if text is None else text
    assert command_text(told) == expected


def test_every_fact_of_a_history_is_told_alike_live_and_read() -> None:
    """In the words of the fact itself."""
    store = MemoryStore()
    state = created(store, ACME)
    events = store.events(state.id, limit=1_000)
    kinds = set[type[Fact]]()
    for event in events:
        removed, added = facts_of(entry_of(event.command, event.delta))
        assert removed.told == tuple(map(fact_text, event.delta.removed))[:FACTS_TOLD]
        assert added.told == tuple(map(fact_text, event.delta.added))[:FACTS_TOLD]
        kinds |= {type(fact) for fact in (*event.delta.removed, *event.delta.added)}
    # A history of few sorts would show little.
    assert len(kinds) >= 12


def test_facts_are_told_until_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the rest are counted."""
    monkeypatch.setattr(module, "FACTS_TOLD", 2)
    facts = tuple(KindDeclaration(Kind(f"k{one}")) for one in range(5))
    removed, added = facts_of(entry_of(CreateKind(FOLDER), Delta((), facts)))
    assert (removed.told, removed.more) == ((), 0)
    assert (added.told, added.more) == (("kind k0", "kind k1"), 3)


def test_a_fact_of_a_newer_version_is_shown_as_it_is() -> None:
    """Whatever it means."""
    written = '{"removed":[],"added":[{"type":"Aura","of":"ann"}]}'
    strange = entry("acme", 1, "change", instant=7, by=BY, command="{}", delta=written)
    assert facts_of(strange)[1].told == ('{"type": "Aura", "of": "ann"}',)


@pytest.mark.parametrize(
    ("fact", "told"),
    [
        (pair(2, CLERK, HEAD), "separation-of-duty set pair: static, forbids 2 of clerk, head"),
        (Inheritance(CHIEF, CLERK), "role chief inherits from clerk"),
        (Resource(ResourceId("a/b"), FOLDER, DOCS), "resource a/b of kind folder inside docs"),
    ],
)
def test_a_fact_is_told_with_what_matters_of_it(fact: Fact, told: str) -> None:
    """More than its name."""
    assert fact_text(fact) == told
