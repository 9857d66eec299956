"""Who changes an organization, on whose authority, and why."""

from dataclasses import dataclass

from grantproof.core.commands.origin import check_origin
from grantproof.core.identifiers import PrincipalId


@dataclass(frozen=True, slots=True)
class Author:
    """Whoever proposes a change.

    `actor` names them in the event. `principal` is who of the organization they are, whose right to
    make the change is then decided; nothing for an operator, who may make every change.
    `request_id` is of the request that brought the change, `reason` what they gave for it.
    """

    actor: str
    principal: PrincipalId | None = None
    request_id: str | None = None
    reason: str | None = None

    def __post_init__(self) -> None:
        check_origin(self.actor, self.request_id, self.reason)
