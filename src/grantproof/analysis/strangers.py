"""Names for what nobody has named: other strings and actions, resources that are not registered."""

from collections.abc import Container
from typing import Final

from grantproof.core.identifiers import Kind, PrincipalId, ResourceId
from grantproof.core.matching import Request, Target, resolve
from grantproof.core.model import ADMINISTER
from grantproof.core.organization import Organization

STRANGER: Final = "other"
"""How the names of all strings begin that stand for those that no constraint names."""

SOMEBODY: Final = PrincipalId("x")
"""Fills a request of which only the resource is looked at."""


def fresh(stem: str, *taken: Container[str]) -> str:
    """Return the stem, or the stem with the least number that makes it new."""
    name, number = stem, 1
    while any(name in some for some in taken):
        number += 1
        name = f"{stem}-{number}"
    return name


def unregistered(kind: Kind, *states: Organization) -> ResourceId:
    """Return the id of a resource of the kind that none of the states has registered."""
    return ResourceId(fresh(f"any-{kind}", *(state.resources for state in states)))


def target_of(state: Organization, resource: ResourceId, kind: str | None = None) -> Target | None:
    """Return what a request about the resource is about, whoever asks; nothing when unknown."""
    return resolve(state, Request(SOMEBODY, ADMINISTER, resource, kind))
