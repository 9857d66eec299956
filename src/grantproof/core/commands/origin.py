"""Where a change comes from: who made it, by which request, for which reason."""

from grantproof.core.attributes import check_text
from grantproof.core.errors import Illegal
from grantproof.core.limits import ACTOR_LENGTH_MAX, REASON_LENGTH_MAX, REQUEST_ID_LENGTH_MAX


def check_origin(actor: str, request_id: str | None, reason: str | None) -> None:
    """Raise `Illegal` that names the part which is empty, too long or no Unicode text."""
    _check("actor", actor, ACTOR_LENGTH_MAX)
    if request_id is not None:
        _check("request_id", request_id, REQUEST_ID_LENGTH_MAX)
    if reason is not None:
        _check("reason", reason, REASON_LENGTH_MAX)


def _check(field: str, text: str, length_max: int) -> None:
    if not 0 < len(text) <= length_max:
        raise Illegal(field, f"must have 1 to {length_max} characters")
    check_text(field, text)
