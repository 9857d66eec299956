"""A page of a collection."""

from typing import Generic, TypeVar

from grantproof.api.schemas.answer import Answer

Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """Some items in order; ask for those after `next` until it is null."""

    items: list[Item]
    """At most as many as were asked for."""
    next: str | None
    """What to give as `after` for the next page; null on the last."""
    revision: int
    """The state of the organization that the page shows."""
