"""What all documents have in common: strict, closed, frozen, and written in one way.

A document is the written form of a core value: `core()` gives the value, `of` the document. An
illegal value is refused while the document is validated, under the field that is at fault.
"""

from typing import Any, Protocol, Self, TypeVar

from pydantic import ConfigDict

from grantproof.core.errors import Illegal
from grantproof.policyfile.described import Described
from grantproof.policyfile.faults import refusing


class Document(Described):
    """A written form. Nothing is coerced, no unknown field is accepted."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, serialize_by_alias=True)

    @classmethod
    def holding(cls, **values: object) -> Self:
        """Return a document that holds legal values for all its fields, without validation.

        What `model_construct` does, in half the time: stored changes are made of many documents.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", set(values))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made

    def written(self) -> dict[str, Any]:
        """Return the document in plain objects and lists, ready for JSON."""
        written: dict[str, Any] = self.__pydantic_serializer__.to_python(
            self, mode="json", by_alias=True
        )
        return written


class WritesCore(Protocol):
    """What every document can do, with a more telling type."""

    def core(self) -> object:
        """Return the core value that is written here."""
        ...


Ruled = TypeVar("Ruled", bound=WritesCore)


def legal(document: Ruled) -> Ruled:
    """Validate that the fields also suit each other, by the rules of the core value."""
    try:
        document.core()
    except Illegal as broken:
        raise refusing(broken, document) from None
    return document
