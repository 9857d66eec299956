"""A small organization as a picture: named things and the arrows between them, without places.

Plain data: it goes from the process that found a counterexample to the page that draws it.
"""

from typing import Literal

import msgspec

Mark = Literal["", "added", "removed", "missing", "asked"]
"""What an act does to a thing or an arrow: it adds it, removes it, wants it, asks about it."""


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A principal, a group, a role, a claim, a set or a resource; `key` is its own alone."""

    key: str
    kind: str
    name: str
    notes: tuple[str, ...] = ()
    mark: Mark = ""


class Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An arrow between two nodes, by their keys, and the word on it."""

    source: str
    target: str
    word: str
    mark: Mark = ""


class Picture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Nodes and links, in the order in which they are told."""

    nodes: tuple[Node, ...] = ()
    links: tuple[Link, ...] = ()
