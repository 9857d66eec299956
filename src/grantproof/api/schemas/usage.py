"""What resetting usage did."""

from grantproof.api.schemas.answer import Answer


class Reset(Answer):
    """Counters that were set to 0."""

    counters: int
    """How many."""
