"""A whole organization as text, piece by piece: what `policy_text` writes, however large it is.

Joined, the pieces are to the letter what is written of its document at once. Each is made when it
is asked for, so that a service that tells a large organization goes on with everything else.
"""

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from grantproof.core.organization import Organization
from grantproof.policyfile.document import Document
from grantproof.policyfile.organization_document import (
    OrganizationDocument,
    OrganizationEntries,
    entries_of,
    heading_of,
)
from grantproof.policyfile.policy_text import dump_yaml

JSON_ENTRIES: Final = 256
YAML_ENTRIES: Final = 16
"""So many entries are one piece: a few milliseconds of work."""


def json_pieces(state: Organization) -> Iterator[str]:
    """Yield the organization as JSON with every field, ended by a line break."""
    heading = _heading(state).written()
    lists = OrganizationEntries.lists()
    scalars = {name: value for name, value in heading.items() if name not in lists}
    yield json.dumps(scalars, indent=2, ensure_ascii=False).removesuffix("\n}")
    for name, entries in entries_of(state).items():
        yield f',\n  "{name}": ['
        between, ended = "", "]"
        for piece in _pieces(entries, JSON_ENTRIES):
            text = json.dumps([one.written() for one in piece], indent=2, ensure_ascii=False)
            # No string holds a line break: JSON writes it as an escape.
            yield between + text[1:].removesuffix("\n]").replace("\n", "\n  ")
            between, ended = ",", "\n  ]"
        yield ended
    yield "\n}\n"


def yaml_pieces(state: Organization) -> Iterator[str]:
    """Yield the organization as YAML; what goes without saying is left out."""
    yield dump_yaml(_plain(_heading(state)))
    for name, entries in entries_of(state).items():
        named = False
        for piece in _pieces(entries, YAML_ENTRIES):
            text = dump_yaml({name: [_plain(one) for one in piece]})
            yield text.partition("\n")[2] if named else text
            named = True


def _heading(state: Organization) -> OrganizationDocument:
    """Return the document of the organization before anything is in it."""
    nothing = dict.fromkeys(OrganizationEntries.lists(), ())
    return OrganizationDocument.holding(**heading_of(state), **nothing)


def _pieces(entries: Iterator[Document], size: int) -> Iterator[list[Document]]:
    return iter(lambda: list(islice(entries, size)), [])


def _plain(document: Document) -> dict[str, Any]:
    return document.model_dump(mode="json", exclude_defaults=True)
