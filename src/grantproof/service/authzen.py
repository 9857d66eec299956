"""What requests in the words of OpenID AuthZEN mean here, as an operator has set it.

A type of subjects stands for principals: all of them, or those of a group. A property counts only
where the operator has named it: whatever else a request says of itself is not read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from grantproof.core.attributes import Root
from grantproof.core.errors import Illegal
from grantproof.core.hierarchy import groups_of
from grantproof.core.identifiers import AttributeName, GroupId, PrincipalId
from grantproof.core.organization import Organization

ROOTS: Final[Mapping[str, Root]] = {
    "subject": Root.PRINCIPAL,
    "resource": Root.RESOURCE,
    "action": Root.ACTION,
    "context": Root.CONTEXT,
}
"""Where the properties of each part of a request are found by a claim's constraints."""

SITUATION: Final = ("region", "position", "hour", "weekday", "usage", "rate")
"""Members of `context` that say where and when, not an attribute."""


@dataclass(frozen=True, slots=True)
class SubjectTypes:
    """The types of subjects that are principals, and the group that they then have to be in."""

    groups: Mapping[str, GroupId | None]

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `user employee=staff` says; raises `Illegal`."""
        groups: dict[str, GroupId | None] = {}
        for entry in text.split():
            name, equals, group = entry.partition("=")
            if name == "" or name in groups:
                raise Illegal("type", f"must be named once, and before `=`: `{entry}` is not")
            groups[name] = GroupId(group) if equals else None
        return cls(groups)

    def has(self, name: str, principal: str, *, state: Organization) -> bool:
        """Return whether the principal, if there is one, is a subject of the type."""
        if name not in self.groups:
            return False
        group = self.groups[name]
        return group is None or (
            principal in state.principals and group in groups_of(state, PrincipalId(principal))
        )


@dataclass(frozen=True, slots=True)
class Trusted:
    """The properties of requests that count, by the part that has them; `situation` apart."""

    properties: Mapping[Root, tuple[AttributeName, ...]]
    situation: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `subject.role context.region` says; raises `Illegal`."""
        named: dict[Root, list[AttributeName]] = {}
        situation: list[str] = []
        for entry in text.split():
            part, _, name = entry.partition(".")
            if part not in ROOTS:
                raise Illegal(entry, f"must begin with one of {', '.join(ROOTS)} and a dot")
            if part == "context" and name in SITUATION:
                situation.append(name)
            else:
                named.setdefault(ROOTS[part], []).append(AttributeName(name))
        return cls({root: tuple(names) for root, names in named.items()}, tuple(situation))
