"""Deltas and commands as canonical JSON: what events store, and what they are read back from.

Keys are sorted and there are no blanks, so equal values have equal texts. Facts and commands are
the objects of `documents` and `command_documents`, each with its `type`: there is no second schema.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import from_json

from grantproof.core.commands.language import AssignRole, ChangeSet, Command, SingleCommand
from grantproof.core.errors import Illegal
from grantproof.core.model import Assignment, Delta, Fact, Guardrail
from grantproof.policyfile import command_documents, documents
from grantproof.policyfile.document import Document
from grantproof.policyfile.faults import TAG, faults

Form = TypeVar("Form", bound=Document)

FACT_DOCUMENTS: Final = {form.__name__: form for form in get_args(documents.Fact)}
CHANGE_SET: Final = ChangeSet.__name__
VALUE: Final = "value"
"""Holds a fact that has a `type` of its own, beside the `type` that says which fact it is."""


class Unreadable(ValueError):
    """Stored text that no version of this package wrote; the message is one line."""


def encode_delta(delta: Delta) -> str:
    """Return the delta as canonical JSON; the order of its facts is kept."""
    added, removed = map(fact_text, delta.added), map(fact_text, delta.removed)
    return f'{{"added":[{",".join(added)}],"removed":[{",".join(removed)}]}}'


def decode_delta(text: str) -> Delta:
    """Return the delta that `encode_delta` wrote; raise `Unreadable` for anything else."""
    lists = _fields(_parsed(text), {"removed", "added"})
    removed = tuple(_facts(lists["removed"]))
    return Delta(removed, tuple(_facts(lists["added"])))


def encode_command(command: Command) -> str:
    """Return the command, or the change set, as canonical JSON."""
    if isinstance(command, ChangeSet):
        steps = map(step_text, command.commands)
        return f'{{"commands":[{",".join(steps)}],"{TAG}":"{CHANGE_SET}"}}'
    return step_text(command)


def decode_command(text: str) -> Command:
    """Return the command that `encode_command` wrote; raise `Unreadable` for anything else."""
    parsed = _parsed(text)
    if not isinstance(parsed, dict) or parsed.get(TAG) != CHANGE_SET:
        return _command(parsed)
    steps = _listed(_fields(parsed, {TAG, "commands"})["commands"])
    try:
        return ChangeSet(tuple(_command(step) for step in steps))
    except Illegal as broken:
        raise Unreadable(str(broken)) from None


def fact_text(fact: Fact) -> str:
    """Return the canonical JSON of a fact's document with its `type`.

    Assignments come by the million, so theirs is put together at once: ids need no escapes.
    """
    if isinstance(fact, Assignment):
        start, end = _instant(fact.validity.start), _instant(fact.validity.end)
        who = f'"principal":"{fact.principal}","role":"{fact.role}"'
        return f'{{"from":{start},{who},"{TAG}":"Assignment","until":{end}}}'
    return _canonical(_tagged(documents.of(fact)))


def step_text(command: SingleCommand) -> str:
    """Return the canonical JSON of a command's document with its `type`; see `fact_text`."""
    if isinstance(command, AssignRole):
        start, end = _instant(command.validity.start), _instant(command.validity.end)
        who = f'"principal":"{command.principal}","role":"{command.role}"'
        return f'{{{who},"{TAG}":"AssignRole","validity":{{"from":{start},"until":{end}}}}}'
    return _canonical(_tagged(command_documents.of(command)))


def _instant(instant: int | None) -> str:
    return "null" if instant is None else str(instant)


def encode_guardrail(guardrail: Guardrail) -> str:
    """Return the guardrail, with its own `type`, as canonical JSON."""
    return _canonical(documents.Guardrail.of(guardrail).written())


def decode_guardrail(text: str) -> Guardrail:
    """Return the guardrail that `encode_guardrail` wrote; raise `Unreadable` for anything else."""
    try:
        return documents.Guardrail.model_validate(_parsed(text)).core()
    except ValidationError as error:
        raise Unreadable(faults(error)[0].message) from None


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _tagged(document: Document) -> dict[str, Any]:
    written = document.written()
    if TAG in written:
        written = {VALUE: written}
    written[TAG] = type(document).__name__
    return written


def _parsed(text: str) -> object:
    try:
        return from_json(text, allow_inf_nan=False)
    except (TypeError, ValueError) as error:
        raise Unreadable(f"not valid JSON: {error}") from None


def _fields(parsed: object, names: set[str]) -> dict[str, object]:
    if not isinstance(parsed, dict) or parsed.keys() != names:
        raise Unreadable(f"must be an object with the fields {', '.join(sorted(names))}")
    return parsed


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Unreadable("must hold a list")
    return value


def _facts(value: object) -> Iterator[Fact]:
    for item in _listed(value):
        yield _decoded(item, FACT_DOCUMENTS).core()


def _command(item: object) -> SingleCommand:
    return _decoded(item, command_documents.DOCUMENTS).core()


def _decoded(item: object, forms: Mapping[str, type[Form]]) -> Form:
    """Return the document that an object with a tag writes; the tag is taken out of the object."""
    tag = item.pop(TAG, None) if isinstance(item, dict) else None
    form = forms.get(tag) if isinstance(tag, str) else None
    if form is None:
        raise Unreadable(f"`{TAG}` must name a fact or a command of this version")
    if TAG in form.model_fields:
        item = _fields(item, {VALUE})[VALUE]
    try:
        return form.model_validate(item)
    except ValidationError as error:
        raise Unreadable(f"`{tag}`: {faults(error)[0].message}") from None
