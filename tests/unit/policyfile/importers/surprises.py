"""Texts with one field more than anybody knows, to see that none is dropped silently."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from grantproof.core.identifiers import OrganizationId
from grantproof.policyfile.importers.reading import Imported, Refused, Text

Json = Any
Outcome = Imported | tuple[Refused, ...]
SURPRISE = "surprise"
ORGANIZATION = OrganizationId("o")


def with_surprises(data: Json, irrelevant: frozenset[str]) -> Iterator[tuple[str, Json]]:
    """Yield for each object in the data its path, and the data with a field more in it.

    Nothing below an irrelevant field is changed.
    """
    for path in _objects(data, (), irrelevant):
        changed = deepcopy(data)
        place = changed
        for step in path:
            place = place[step]
        place[SURPRISE] = {"new": 1}
        yield "/".join(map(str, path)), changed


def silent(
    read: Callable[[list[Text], OrganizationId], Outcome], data: Json, irrelevant: frozenset[str]
) -> list[str]:
    """The objects whose surprising field is neither noted nor refused."""
    return [
        path
        for path, changed in with_surprises(data, irrelevant)
        if SURPRISE not in told(read([Text("f.json", json.dumps(changed))], ORGANIZATION))
    ]


def told(outcome: Outcome) -> str:
    """Everything that is said about what was read."""
    said = outcome.untranslated if isinstance(outcome, Imported) else outcome
    return "\n".join(each.message for each in said)


def _objects(
    data: Json, path: tuple[str | int, ...], irrelevant: frozenset[str]
) -> Iterator[tuple[str | int, ...]]:
    if isinstance(data, list):
        for i, each in enumerate(data):
            yield from _objects(each, (*path, i), irrelevant)
    elif isinstance(data, dict):
        yield path
        for name, each in data.items():
            if name not in irrelevant:
                yield from _objects(each, (*path, name), irrelevant)
