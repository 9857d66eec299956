"""The user-permission matrices of `hp-role-mining` and their decompositions into roles.

A decomposition becomes an organization: a role is a role, a permission a resource on which each of
its roles has the claim `use`, a user a principal.
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from grantproof.core.commands.language import (
    AssignRole,
    ChangeSet,
    CreateClaim,
    CreateKind,
    CreatePrincipal,
    CreateResource,
    CreateRole,
    SingleCommand,
)
from grantproof.core.constraints import Context
from grantproof.core.identifiers import Action, ClaimId, Kind, PrincipalId, ResourceId, RoleId
from grantproof.core.model import Claim, Exactly, Resource

NAMES: Final = ("hc", "domino", "americas_small")
METHODS: Final = ("optimal_cover", "obmd")
SHAPES: Final = {
    "hc": (46, 46, 1_486),
    "domino": (79, 231, 730),
    "americas_small": (3_477, 1_587, 105_205),
}
"""Users, permissions and allowed pairs of each matrix, as its publishers count them."""

KIND: Final = Kind("permission")
USE: Final = Action("use")
NOON: Final = Context(instant=1_780_000_000, hour=12, weekday=2, year=2026)

BLOCK: Final = re.compile(r"role:\s*(\d+)\s+permissions:([\d,\s]*)users:([\d,\s]*)")
NUMBER: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Matrix:
    """Who may use what, as (user, permission)."""

    users: tuple[PrincipalId, ...]
    permissions: tuple[ResourceId, ...]
    allowed: frozenset[tuple[PrincipalId, ResourceId]]


@dataclass(frozen=True, slots=True)
class MinedRole:
    """A role as a decomposition lists it."""

    id: RoleId
    permissions: tuple[ResourceId, ...]
    users: tuple[PrincipalId, ...]


def read_matrix(folder: Path, name: str) -> Matrix:
    """Read the matrix of the name, plain or compressed."""
    plain, packed = folder / f"{name}.upa.txt", folder / f"{name}.upa.txt.gz"
    content = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
    numbers = [int(number) for number in NUMBER.findall(content.decode("ascii"))]
    users, permissions = numbers[::2], numbers[1::2]
    return Matrix(
        tuple(_user(number) for number in sorted(set(users))),
        tuple(_permission(number) for number in sorted(set(permissions))),
        frozenset(
            (_user(user), _permission(permission))
            for user, permission in zip(users, permissions, strict=True)
        ),
    )


def read_decomposition(folder: Path, name: str, method: str) -> tuple[MinedRole, ...]:
    """Read the roles that a method found in the matrix of the name."""
    return parse_decomposition((folder / f"{name}.{method}.txt").read_text("ascii"))


def parse_decomposition(text: str) -> tuple[MinedRole, ...]:
    """Read blocks of role, permissions and users; lists may go over several lines."""
    if BLOCK.sub("", text).strip() != "":
        message = f"not a block of role, permissions and users: {BLOCK.sub('', text).strip()[:80]}"
        raise ValueError(message)
    return tuple(
        MinedRole(
            RoleId(f"r{block[1]}"),
            tuple(_permission(int(number)) for number in NUMBER.findall(block[2])),
            tuple(_user(int(number)) for number in NUMBER.findall(block[3])),
        )
        for block in BLOCK.finditer(text)
    )


def import_of(matrix: Matrix, roles: tuple[MinedRole, ...]) -> ChangeSet:
    """Return the one change that makes an organization of the decomposition."""
    return ChangeSet(tuple(_commands(matrix, roles)))


def _commands(matrix: Matrix, roles: tuple[MinedRole, ...]) -> Iterator[SingleCommand]:
    yield CreateKind(KIND)
    yield from (CreateResource(Resource(resource, KIND)) for resource in matrix.permissions)
    yield from (CreatePrincipal(user) for user in matrix.users)
    for role in roles:
        yield CreateRole(role.id)
        yield from (CreateClaim(_claim(role.id, resource)) for resource in role.permissions)
        yield from (AssignRole(user, role.id) for user in role.users)


def _claim(role: RoleId, resource: ResourceId) -> Claim:
    return Claim(ClaimId(f"{role}-{resource}"), role, Exactly(USE), Exactly(resource))


def _user(number: int) -> PrincipalId:
    return PrincipalId(f"u{number}")


def _permission(number: int) -> ResourceId:
    return ResourceId(f"p{number}")
