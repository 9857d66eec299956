"""A change and what it does to the facts, as documents: the same at every door."""

from typing import Any

from grantproof.core.commands.language import SingleCommand
from grantproof.core.model import Fact
from grantproof.policyfile import command_documents, documents
from grantproof.policyfile.differing import Difference
from grantproof.policyfile.faults import TAG


def plan_document(found: Difference) -> dict[str, Any]:
    """Return the difference for programs: facts as events write them."""
    return {
        "removed": list(map(_written, found.removed)),
        "edited": [
            {"before": _written(edit.before), "after": _written(edit.after)}
            for edit in found.edited
        ],
        "added": list(map(_written, found.added)),
    }


def command_document(command: SingleCommand) -> dict[str, Any]:
    """Return a command as requests write it."""
    return {TAG: type(command).__name__, **command_documents.of(command).written()}


def _written(fact: Fact) -> dict[str, Any]:
    document = documents.of(fact)
    return {TAG: type(document).__name__, **document.written()}
