"""The form that tries a decision: what was typed, read as `POST /explain` would read it.

Each field is read by the constructor that the core has for it, so that all that are at fault are
told at once; then the whole goes through the one reader of questions.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from grantproof.api.problems import Fault, Refused
from grantproof.api.questions import SingleQuestion, asked, read_single
from grantproof.core.constraints import DAYS_PER_WEEK, HOURS_PER_DAY
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import (
    Action,
    OrganizationId,
    PrincipalId,
    Region,
    ResourceId,
    RoleId,
    SessionId,
)
from grantproof.core.limits import ACTIVE_ROLES_MAX, INSTANT_MAX, INTEGER_MAX
from grantproof.core.matching import Request
from grantproof.policyfile.faults import fault
from grantproof.policyfile.fields import read_instant, read_kind, read_position
from grantproof.policyfile.value_fields import read_attributes
from grantproof.service.pip import Supplied

WANTED: Final = ("principal_id", "action", "resource_id")
"""Without these nothing is asked."""
PRIVATE: Final = frozenset({"attributes", "position", "session_id"})
"""What may tell more of somebody than an address should: addresses are kept, logged and sent on."""
NUMBER: Final = re.compile(r"\d{1,20}", re.ASCII)
MOMENT: Final = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?[Zz]?", re.ASCII)
BETWEEN: Final = re.compile(r"[\s,]+")

MOMENT_RULE: Final = "must be a moment (UTC) such as `2026-01-31 09:00`"
LINE_RULE: Final = "must have one `name=value` on each line"


@dataclass(frozen=True, slots=True)
class TypedQuestion:
    """A question, what it says to the core, and the instant (epoch seconds) that it supposes."""

    question: SingleQuestion
    said: tuple[Request, Supplied]
    instant: int | None


Faults = Mapping[str, str]
"""The rule that was broken, by the field of the form; one that is not of a field under `""`."""


def read(organization: OrganizationId, typed: Mapping[str, str]) -> TypedQuestion | Faults:
    """Return what is asked, or the fields at fault. What is left empty is not said."""
    found: dict[str, Any] = {}
    faults = {name: "must not be empty" for name in WANTED if typed[name] == ""}
    for name, reader in READERS.items():
        if typed[name] == "":
            continue
        try:
            found[name] = reader(typed[name])
        except Illegal as broken:
            faults[name] = broken.rule
        except ValidationError as error:
            faults[name] = "; ".join(_told(fault(one)) for one in error.errors(include_url=False))
        except PydanticCustomError as error:
            faults[name] = error.message()
    if faults:
        return faults
    instant = found.pop("instant", None)
    try:
        question = read_single(json.dumps({"org_id": organization, **found}).encode())
        return TypedQuestion(question, asked(question, trusted=True), instant)
    except Refused as refused:
        return by_field(refused.problem.faults) or {"": refused.problem.detail}


def by_field(faults: tuple[Fault, ...]) -> dict[str, str]:
    """Return the faults of a question, each under the field of the form that it is of."""
    told: dict[str, str] = {}
    for one in faults:
        name = re.split(r"[.\[]", one.field, maxsplit=1)[0]
        told.setdefault(name if name in FIELDS else "", one.rule)
    return told


def _told(found: Any) -> str:
    inside = ".".join(map(str, found.path))
    return f"`{inside}` {found.rule}" if inside else found.rule


def _number(most: int) -> Callable[[str], int]:
    def read_number(text: str) -> int:
        if NUMBER.fullmatch(text) is None or int(text) > most:
            raise Illegal("number", f"must be a whole number from 0 to {most}")
        return int(text)

    return read_number


def _position(text: str) -> str:
    read_position(text)
    return text


def _instant(text: str) -> int:
    found = MOMENT.fullmatch(text)
    written = text if found is None else f"{found[1]}T{found[2]}{found[3] or ':00'}Z"
    if NUMBER.fullmatch(written) is not None:
        instant: object = int(written)
    else:
        try:
            instant = read_instant(written)
        except PydanticCustomError:
            raise Illegal("instant", MOMENT_RULE) from None
    if not isinstance(instant, int) or not 0 <= instant <= INSTANT_MAX:
        raise Illegal("instant", "must be between the years 1970 and 9999")
    return instant


def _roles(text: str) -> list[str]:
    names = [name for name in BETWEEN.split(text) if name]
    if len(names) > ACTIVE_ROLES_MAX:
        raise Illegal("active_roles", f"must have at most {ACTIVE_ROLES_MAX} members")
    return [RoleId(name) for name in names]


def _attributes(text: str) -> dict[str, object]:
    """Return `name=value` lines, each value as JSON where it is that, or else as it stands."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    written: dict[str, object] = {}
    for line in lines:
        name, equals, value = line.partition("=")
        if not equals:
            raise Illegal("attributes", LINE_RULE)
        if name.strip() in written:
            raise Illegal("attributes", f"has `{name.strip()}` twice")
        written[name.strip()] = _value(value.strip())
    read_attributes(written)
    return written


def _value(text: str) -> object:
    try:
        found: object = json.loads(text)
    except ValueError:
        return text
    except RecursionError:
        raise Illegal("attributes", "has a value that is nested too deeply") from None
    # What JSON has beside our values is told as a fault; but nobody means these two words by it.
    return text if isinstance(found, float) and text.lstrip("-").isalpha() else found


READERS: Final[Mapping[str, Callable[[str], object]]] = {
    "principal_id": PrincipalId,
    "action": Action,
    "resource_id": ResourceId,
    "resource_kind": read_kind,
    "region": Region,
    "position": _position,
    "hour": _number(HOURS_PER_DAY - 1),
    "weekday": _number(DAYS_PER_WEEK - 1),
    "usage": _number(INTEGER_MAX),
    "rate": _number(INTEGER_MAX),
    "instant": _instant,
    "active_roles": _roles,
    "session_id": SessionId,
    "attributes": _attributes,
}
"""What reads each field; it raises `Illegal`, or as the readers of policy files do."""
FIELDS: Final = frozenset(READERS)


def empty() -> dict[str, str]:
    """Return the form as it is when nothing was typed."""
    return dict.fromkeys(READERS, "")
