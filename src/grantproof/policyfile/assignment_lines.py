"""Assignments as lines, one each: CSV under a header, or JSON Lines. Read one line at a time.

Every line stands for itself, a quoted cell included, so a line that is not understood spoils no
other, and a file of any length is read in the memory of one line.
"""

import csv
import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Final

from pydantic_core import PydanticCustomError

from grantproof.core.commands.language import AssignGroupRole, AssignRole
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.model import ALWAYS, Validity
from grantproof.policyfile.fields import INSTANT_RULE, read_instant

INSTANTS: Final = ("from", "until")
FIELDS: Final = ("principal", "group", "role", *INSTANTS)
EPOCH_SECONDS: Final = re.compile(r"-?\d{1,20}", re.ASCII)

BEYOND_COMMAS: Final = re.compile(r'["\r\n\0]')
"""What in a line takes more than to part it at its commas."""

ROLES_REMEMBERED_MAX: Final = 65_536
_role = lru_cache(ROLES_REMEMBERED_MAX)(RoleId)
"""The id of a role, which thousands of lines name: one value for all of them."""

Assign = AssignRole | AssignGroupRole
ReadLine = Callable[[str], Assign]
"""Reads the assignment of one line; raises `ValueError` that says why it is none."""


def csv_lines(header: str) -> ReadLine:
    """Return the reader of lines under the header; raises `ValueError` if it is not one of ours."""
    columns = tuple(_cells(header))
    unknown = [name for name in columns if name not in FIELDS]
    if unknown:
        raise ValueError(f"no column `{unknown[0]}`: there are {', '.join(FIELDS)}")
    if len(set(columns)) < len(columns):
        raise ValueError("a column is there twice")
    if "role" not in columns or not {"principal", "group"} & set(columns):
        raise ValueError("the header must name `role`, and `principal` or `group`")
    return partial(_csv_line, columns)


def json_line(line: str) -> Assign:
    """Return the assignment that is one JSON object; raises `ValueError` if it is none."""
    try:
        found = json.loads(line, object_pairs_hook=_distinct)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg.lower()}") from None
    except RecursionError:
        raise ValueError("must not be nested so deep") from None
    if not isinstance(found, dict):
        raise ValueError("must be an object")
    unknown = [name for name in found if name not in FIELDS]
    if unknown:
        raise ValueError(f"no field `{unknown[0]}`: there are {', '.join(FIELDS)}")
    return _assign(found)


def _csv_line(columns: tuple[str, ...], line: str) -> Assign:
    cells = _cells(line)
    if len(cells) != len(columns):
        raise ValueError(f"has {len(cells)} cells, the header {len(columns)}")
    # An empty cell is no value: there is no other way to leave one out.
    found: dict[str, object] = {
        name: cell for name, cell in zip(columns, cells, strict=True) if cell != ""
    }
    for name in INSTANTS:
        if name in found and EPOCH_SECONDS.fullmatch(cell := str(found[name])):
            found[name] = int(cell)
    return _assign(found)


def _cells(line: str) -> list[str]:
    # Most lines, in a third of the time.
    if line and BEYOND_COMMAS.search(line) is None:
        return line.split(",")
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as error:
        raise ValueError(f"not CSV: {error}") from None


def _distinct(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a field is there twice")
    return found


def _assign(found: Mapping[str, object]) -> Assign:
    principal, group = _text(found, "principal"), _text(found, "group")
    role = _text(found, "role")
    if (principal is None) == (group is None):
        raise ValueError("must name either a principal or a group")
    if role is None:
        raise ValueError("must name a role")
    lasting = ALWAYS if found.keys().isdisjoint(INSTANTS) else _lasting(found)
    if principal is not None:
        return AssignRole(PrincipalId(principal), _role(role), lasting)
    return AssignGroupRole(GroupId(group or ""), _role(role), lasting)


def _lasting(found: Mapping[str, object]) -> Validity:
    start, end = (_moment(found, name) for name in INSTANTS)
    return ALWAYS if start is None and end is None else Validity(start, end)


def _text(found: Mapping[str, object], name: str) -> str | None:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise Illegal(name, "must be a string")
    return value


def _moment(found: Mapping[str, object], name: str) -> int | None:
    value = found.get(name)
    if value is None:
        return None
    try:
        moment = read_instant(value)
    except PydanticCustomError as error:
        raise Illegal(name, error.message()) from None
    if not isinstance(moment, int) or isinstance(moment, bool):
        raise Illegal(name, INSTANT_RULE)
    return moment
