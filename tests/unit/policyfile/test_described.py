"""What is said of a field below it stands in the schema, and costs nothing before one is made."""

from typing import Generic, TypeVar

from pydantic import Field

from grantproof.api.schemas.answer import Answer
from grantproof.policyfile.described import Described, field_docstrings
from grantproof.policyfile.document import Document

T = TypeVar("T")


class Inner(Described):
    """Has a field of its own."""

    depth: int
    """How deep,
    in metres."""


class Outer(Inner, Generic[T]):
    """Inherits one, and has one of each kind."""

    item: T
    """What is held."""
    inner: Inner = Field(alias="within")
    """Another."""
    told: int = Field(description="Told otherwise.")
    """Not told."""
    bare: int

    def method(self) -> None:
        """Not a field."""


def test_fields_are_described_where_they_stand_and_where_they_are_inherited() -> None:
    """By their aliases too; what a field says itself goes before its docstring."""
    made = Outer[str].model_json_schema(by_alias=True)["properties"]
    told = {name: field.get("description") for name, field in made.items()}
    assert told == {
        "depth": "How deep,\nin metres.",
        "item": "What is held.",
        "within": "Another.",
        "told": "Told otherwise.",
        "bare": None,
    }
    assert "description" in Outer[int].model_json_schema(by_alias=False)["properties"]["inner"]


def test_a_class_without_fields_has_none() -> None:
    """Of what pydantic and Python have themselves nothing is read."""
    assert field_docstrings(Described) == {}
    assert field_docstrings(int) == {}


def test_nothing_is_read_before_a_schema_is_made() -> None:
    """Pydantic would read each class while it is made, which nobody waits for gladly."""
    for base in (Document, Answer):
        assert not base.model_config.get("use_attribute_docstrings")
