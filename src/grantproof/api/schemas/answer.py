"""What all answers have in common: only the server writes them, and nobody changes them."""

from pydantic import BaseModel, ConfigDict


class Answer(BaseModel):
    """Something that only the server writes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", serialize_by_alias=True, use_attribute_docstrings=True
    )
