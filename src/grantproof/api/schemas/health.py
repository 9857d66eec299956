"""How the service is."""

from grantproof.api.schemas.answer import Answer


class Health(Answer):
    """A word."""

    status: str
    """`live` or `ready`."""
