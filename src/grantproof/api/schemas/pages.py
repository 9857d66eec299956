"""A page of a collection."""

from typing import Generic, TypeVar

from pydantic import ConfigDict, Field

from grantproof.api.schemas.answer import Answer

Item = TypeVar("Item")


class Page(Answer, Generic[Item]):
    """Some items in order; ask for those after `next` until it is null."""

    # pydantic would seek the docstrings again for each kind of page, long and in vain.
    model_config = ConfigDict(use_attribute_docstrings=False)

    items: list[Item] = Field(description="At most as many as were asked for.")
    next: str | None = Field(
        description="What to give as `after` for the next page; null on the last."
    )
    revision: int = Field(description="The state of the organization that the page shows.")
