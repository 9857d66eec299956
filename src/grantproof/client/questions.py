"""What is asked: the same words for every way to ask, and the body that says them over HTTP."""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast

from grantproof.client.results import CallerError

Value = bool | int | str | Sequence[str] | AbstractSet[str]


class More(TypedDict, total=False):
    """What is seldom said beside who, what and on which."""

    resource_kind: str
    position: str
    attributes: Mapping[str, Value]
    weekday: int
    active_roles: Sequence[str]
    session_id: str
    explain: bool


class Said(More, total=False):
    """What may be said beside who, what and on which; everything may be left out.

    `resource_kind` makes a resource known that is not registered. `region`, `position` (latitude
    and longitude, as in `48.8566,2.3522`) and `attributes` are the context. `hour` (0 to 23),
    `weekday` (0 is Monday), `usage` and `rate` only a caller that is trusted may say. A session is
    named by `session_id`, or given by its `active_roles`. `explain` asks for the certificate.
    """

    region: str
    hour: int
    usage: int
    rate: int


FIELDS = Said.__required_keys__ | Said.__optional_keys__
UNREMEMBERED = frozenset({"rate", "session_id", "usage"})
"""Of a session no revision tells that it has changed; counts change with each use."""


@dataclass(frozen=True, slots=True)
class Question:
    """May the principal do the action on the resource? `said` is what `Said` has."""

    principal: str
    action: str
    resource: str
    said: Said = field(default_factory=Said)

    def fields(self) -> dict[str, Any]:
        """Return the question as an item of a batch has it; raises `CallerError`."""
        unknown = sorted(self.said.keys() - FIELDS)
        if unknown:
            message = f"`{unknown[0]}` is nothing that can be said of a question"
            raise CallerError("invalid", message)
        told: dict[str, Any] = {
            "principal_id": self.principal,
            "action": self.action,
            "resource_id": self.resource,
        }
        told |= {name: value for name, value in self.said.items() if value is not None}
        roles = told.get("active_roles")
        if roles is not None:
            told["active_roles"] = list(roles)
        return told

    @property
    def explained(self) -> bool:
        """Whether the certificate is asked for."""
        return bool(self.said.get("explain", False))

    @property
    def memorable(self) -> bool:
        """Whether the answer may be remembered: it hangs on the state, the time and this alone."""
        return not self.explained and all(self.said.get(name) is None for name in UNREMEMBERED)


def written(document: Mapping[str, Any]) -> bytes:
    """Return the document as JSON, the same for the same document; raises `CallerError`."""
    try:
        return json.dumps(
            document, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_listed
        ).encode()
    except (TypeError, ValueError):
        message = "a question holds booleans, integers, strings and lists of strings only"
        raise CallerError("invalid", message) from None


def _listed(value: object) -> object:
    """Return a set of strings, or another mapping than a dictionary, as JSON has it."""
    if isinstance(value, AbstractSet):
        members = list(cast("AbstractSet[object]", value))
        texts = [one for one in members if isinstance(one, str)]
        if len(texts) == len(members):
            return sorted(texts)
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    raise TypeError
