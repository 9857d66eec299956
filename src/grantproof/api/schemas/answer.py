"""What all answers have in common: only the server writes them, and nobody changes them."""

from pydantic import ConfigDict

from grantproof.policyfile.described import Described


class Answer(Described):
    """Something that only the server writes."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True)
