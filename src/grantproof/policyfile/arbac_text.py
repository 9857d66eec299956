"""Rules of administration in the `.arbac` format, and every problem of a text in its place.

Six sections, each ended by `;`: `Roles`, `Users`, `UA <user,role>`, `CR <admin,role>`,
`CA <admin,condition,role>`, `Goal role`. A condition is `TRUE`, or roles joined by `&`, those that
must not be held after `-`. `TRUE` as the admin means anybody.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeVar

from grantproof.core.errors import Illegal
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.policyfile.source import Place, Problem

SECTIONS: Final = ("Roles", "Users", "UA", "CR", "CA", "Goal")
TRUE: Final = "TRUE"
TOKEN: Final = re.compile(r"\s+|;|<[^<>;]*>|[^\s;<>]+|[<>]")
ENDS: Final = {"UA": 2, "CR": 2, "CA": 3}
FORMS: Final = {"UA": "<user,role>", "CR": "<admin,role>", "CA": "<admin,condition,role>"}

Name = TypeVar("Name", PrincipalId, RoleId)


@dataclass(frozen=True, slots=True)
class Assigning:
    """`admin` (nothing: anybody) may give `role` to holders of all `positive`, no `negative`."""

    admin: RoleId | None
    positive: frozenset[RoleId]
    negative: frozenset[RoleId]
    role: RoleId


@dataclass(frozen=True, slots=True)
class ArbacDocument:
    """What an `.arbac` text says, in the order in which it says it."""

    roles: tuple[RoleId, ...]
    users: tuple[PrincipalId, ...]
    assignments: tuple[tuple[PrincipalId, RoleId], ...]
    can_revoke: tuple[tuple[RoleId | None, RoleId], ...]
    can_assign: tuple[Assigning, ...]
    goal: RoleId


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of the text, and where it begins."""

    text: str
    place: Place


@dataclass(slots=True)
class Reading:
    """A text as it is read: its sections, and the problems so far."""

    problems: list[Problem] = field(default_factory=list)
    sections: dict[str, list[Token]] = field(default_factory=dict)
    roles: dict[RoleId, None] = field(default_factory=dict)
    users: dict[PrincipalId, None] = field(default_factory=dict)

    def against(self, place: Place, message: str) -> None:
        """Remember a problem."""
        self.problems.append(Problem((), *place, message))


def read_arbac(text: str) -> ArbacDocument | tuple[Problem, ...]:
    """Return the rules that the text states, or every problem, in the text's order."""
    reading = Reading()
    end = _split(reading, text)
    for name in SECTIONS:
        if name not in reading.sections:
            reading.against(end, f"section `{name}` is missing")
    reading.roles = _declared(reading, "Roles", RoleId)
    reading.users = _declared(reading, "Users", PrincipalId)
    assignments = tuple(_assignments(reading))
    can_revoke = tuple(_revoking(reading))
    can_assign = tuple(_assigning(reading))
    goal = _goal(reading, end)
    if reading.problems or goal is None:
        return tuple(sorted(reading.problems, key=lambda one: (one.line, one.column)))
    users = tuple(reading.users)
    return ArbacDocument(tuple(reading.roles), users, assignments, can_revoke, can_assign, goal)


def _tokens(text: str) -> Iterator[Token]:
    line, begins = 1, 0
    for found in TOKEN.finditer(text):
        piece = found[0]
        if not piece.isspace():
            yield Token(piece, (line, found.start() - begins + 1))
        breaks = piece.count("\n")
        if breaks:
            line += breaks
            begins = found.start() + piece.rindex("\n") + 1


def _split(reading: Reading, text: str) -> Place:
    """Sort the pieces of the text into its sections; return where the text ends."""
    current: str | None = None
    open_since: Place | None = None
    place: Place = (1, 1)
    for token in _tokens(text):
        place = token.place
        if open_since is not None:
            if token.text == ";":
                current, open_since = None, None
            elif current is not None:
                reading.sections[current].append(token)
        elif token.text in SECTIONS and token.text not in reading.sections:
            current, open_since = token.text, token.place
            reading.sections[current] = []
        else:
            twice = token.text in SECTIONS
            names = ", ".join(SECTIONS)
            rule = "is there twice" if twice else f"is not one of {names}"
            reading.against(token.place, f"section `{token.text}` {rule}")
            current, open_since = None, token.place
    if open_since is not None:
        reading.against(open_since, "the section is not ended by `;`")
    return place


def _declared(reading: Reading, section: str, kind: Callable[[str], Name]) -> dict[Name, None]:
    found: dict[Name, None] = {}
    for token in reading.sections.get(section, ()):
        try:
            name = kind(token.text)
        except Illegal as broken:
            reading.against(token.place, f"`{token.text}` {broken.rule}")
            continue
        if name == TRUE:
            reading.against(token.place, f"`{TRUE}` is taken: it means anybody")
        elif name in found:
            reading.against(token.place, f"`{name}` is declared twice")
        found[name] = None
    return found


def _assignments(reading: Reading) -> Iterator[tuple[PrincipalId, RoleId]]:
    for place, (user, role) in _parts(reading, "UA"):
        held = _role(reading, role, place)
        if user not in reading.users:
            reading.against(place, f"user `{user}` is not declared")
        elif held is not None:
            yield PrincipalId(user), held


def _revoking(reading: Reading) -> Iterator[tuple[RoleId | None, RoleId]]:
    for place, (admin, role) in _parts(reading, "CR"):
        actor = None if admin == TRUE else _role(reading, admin, place)
        target = _role(reading, role, place)
        if target is not None:
            yield actor, target


def _assigning(reading: Reading) -> Iterator[Assigning]:
    for place, (admin, condition, role) in _parts(reading, "CA"):
        actor = None if admin == TRUE else _role(reading, admin, place)
        terms = [] if condition == TRUE else [term.strip() for term in condition.split("&")]
        wanted = {_role(reading, term, place) for term in terms if not term.startswith("-")}
        unwanted = {
            _role(reading, term[1:].strip(), place) for term in terms if term.startswith("-")
        }
        target = _role(reading, role, place)
        if target is not None:
            positive, negative = wanted - {None}, unwanted - {None}
            yield Assigning(
                actor,
                frozenset(one for one in positive if one is not None),
                frozenset(one for one in negative if one is not None),
                target,
            )


def _goal(reading: Reading, end: Place) -> RoleId | None:
    tokens = reading.sections.get("Goal")
    if tokens is None:
        return None
    if len(tokens) != 1:
        place = tokens[1].place if tokens else end
        reading.against(place, "the goal must be one role")
        return None
    return _role(reading, tokens[0].text, tokens[0].place)


def _parts(reading: Reading, section: str) -> Iterator[tuple[Place, list[str]]]:
    """Yield the members of each tuple of the section."""
    for token in reading.sections.get(section, ()):
        members = [part.strip() for part in token.text[1:-1].split(",")]
        pointed = token.text.startswith("<") and token.text.endswith(">")
        if not pointed or len(members) != ENDS[section] or "" in members:
            reading.against(token.place, f"`{token.text}` must be written as {FORMS[section]}")
        else:
            yield token.place, members


def _role(reading: Reading, name: str, place: Place) -> RoleId | None:
    """Return the declared role of that name; without one, remember the problem."""
    if name in reading.roles:
        return RoleId(name)
    reading.against(place, f"role `{name}` is not declared")
    return None
