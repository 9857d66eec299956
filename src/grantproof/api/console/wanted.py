"""An assignment to be made or revoked, as it was typed, and the command that it means."""

from dataclasses import dataclass
from typing import Final, Literal, TypeVar, cast

from grantproof.api.console.forms import Fields
from grantproof.api.console.moments import Zone
from grantproof.core.commands.language import (
    AssignGroupRole,
    AssignRole,
    ChangeSet,
    Command,
    RevokeGroupRole,
    RevokeRole,
    SingleCommand,
)
from grantproof.core.errors import Illegal, Missing
from grantproof.core.identifiers import GroupId, PrincipalId, RoleId
from grantproof.core.model import Validity
from grantproof.core.organization import Organization

ASSIGN: Final = "assign"
REVOKE: Final = "revoke"
PRINCIPAL: Final = "principal"
GROUP: Final = "group"
YES: Final = "yes"

Id = TypeVar("Id", PrincipalId, GroupId, RoleId)

Deed = Literal["assign", "revoke"]
Kind = Literal["principal", "group"]


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed: who is to hold which role, from and until when; empty is not yet said.

    `replace` is `yes` where an assignment that is there already is to have this time instead.
    """

    do: str = ASSIGN
    kind: str = PRINCIPAL
    holder: str = ""
    role: str = ""
    start: str = ""
    end: str = ""
    replace: str = ""

    @classmethod
    def of(cls, fields: Fields) -> "Typed":
        """Return what a form has; raises `Refused` for a field that is given twice."""
        names = ("do", "kind", "holder", "role", "from", "until", "replace")
        return cls(*(fields.text(name) for name in names))

    @property
    def fields(self) -> dict[str, str]:
        """What was typed by the names of the fields, those that are not empty."""
        named = {
            "do": self.do,
            "kind": self.kind,
            "holder": self.holder,
            "role": self.role,
            "from": self.start,
            "until": self.end,
            "replace": self.replace,
        }
        return {name: text for name, text in named.items() if text}

    @property
    def is_begun(self) -> bool:
        """Whether anything of the assignment itself was typed yet."""
        return self.holder != "" or self.role != ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An assignment to be made or revoked; `validity` is of one that is made."""

    do: Deed
    kind: Kind
    holder: PrincipalId | GroupId
    role: RoleId
    validity: Validity
    replace: bool = False

    def command(self, state: Organization) -> Command:
        """Return the command; with `replace` it takes what the state has before."""
        if self.do == REVOKE:
            return self._revoke()
        if self.replace and self.role in self._held(state):
            return ChangeSet((self._revoke(), self._assign()))
        return self._assign()

    @property
    def subject(self) -> Missing | None:
        """The refusal that says that what is to be revoked is not there."""
        return Missing("assignment", (self.holder, self.role)) if self.do == REVOKE else None

    def _held(self, state: Organization) -> frozenset[RoleId]:
        if isinstance(self.holder, GroupId):
            return frozenset(state.group_assignments.of(self.holder))
        return frozenset(state.assignments.of(self.holder))

    def _assign(self) -> SingleCommand:
        if isinstance(self.holder, GroupId):
            return AssignGroupRole(self.holder, self.role, self.validity)
        return AssignRole(self.holder, self.role, self.validity)

    def _revoke(self) -> SingleCommand:
        if isinstance(self.holder, GroupId):
            return RevokeGroupRole(self.holder, self.role)
        return RevokeRole(self.holder, self.role)


def wanted(typed: Typed, zone: Zone) -> Wanted:
    """Return what was typed as an assignment; raises `Illegal` that names the field at fault."""
    if typed.do not in {ASSIGN, REVOKE}:
        raise Illegal("do", f"must be `{ASSIGN}` or `{REVOKE}`")
    if typed.kind not in {PRINCIPAL, GROUP}:
        raise Illegal("kind", f"must be `{PRINCIPAL}` or `{GROUP}`")
    if typed.replace not in {"", YES}:
        raise Illegal("replace", f"must be `{YES}` or left out")
    return Wanted(
        cast("Deed", typed.do),
        cast("Kind", typed.kind),
        _holder(typed.kind, typed.holder),
        _named("role", RoleId, typed.role),
        Validity(zone.typed("from", typed.start), zone.typed("until", typed.end)),
        typed.replace == YES,
    )


def _holder(kind: str, text: str) -> PrincipalId | GroupId:
    if kind == GROUP:
        return _named("holder", GroupId, text)
    return _named("holder", PrincipalId, text)


def _named(field: str, kind: type[Id], text: str) -> Id:
    try:
        return kind(text)
    except Illegal as broken:
        raise Illegal(field, broken.rule) from None
