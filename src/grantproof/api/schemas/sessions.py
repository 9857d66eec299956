"""Sessions as they are asked for and shown."""

from typing import Annotated

from pydantic import Field

from grantproof.api.schemas.answer import Answer
from grantproof.core.limits import (
    ROLES_PER_SESSION_MAX,
    SESSION_SECONDS_DEFAULT,
    SESSION_SECONDS_MAX,
)
from grantproof.core.sessions import Session
from grantproof.policyfile.document import Document
from grantproof.policyfile.fields import (
    Distinct,
    PrincipalField,
    RoleField,
    SessionField,
    described,
)
from grantproof.service.sessions import Wanted, session_document


class NewSession(Document):
    """A session to be opened."""

    principal: PrincipalField
    """Whose it is."""
    roles: Annotated[
        frozenset[RoleField], Distinct(), described(maxItems=ROLES_PER_SESSION_MAX)
    ] = frozenset()
    """The chosen roles, which the principal holds now; what they inherit is active with them."""
    seconds: Annotated[int, Field(ge=1, le=SESSION_SECONDS_MAX)] = SESSION_SECONDS_DEFAULT
    """How long it lasts."""

    def wanted(self) -> Wanted:
        """Return what is asked for."""
        return Wanted(self.principal, self.roles, self.seconds)


class SessionRole(Document):
    """A role to be added to a session."""

    role: RoleField
    """The role, which the principal holds now."""


class SessionAnswer(Answer):
    """A session."""

    id: SessionField
    """Its id, which nobody can guess; it is no credential."""
    principal: PrincipalField
    """Whose it is."""
    roles: list[RoleField]
    """The chosen roles; those that the principal does not hold any more do not count."""
    created_at: int
    """When it was opened, in epoch seconds."""
    expires_at: int
    """The first instant at which it has ended."""
    opened_by: str
    """Who opened it."""

    @classmethod
    def of(cls, session: Session) -> "SessionAnswer":
        """Return how a session is shown."""
        return cls.model_construct(**session_document(session))


class ActiveRoles(Answer):
    """The roles of a session."""

    chosen: list[RoleField]
    """Those that were chosen."""
    active: list[RoleField]
    """Of these those that are held now, and what they inherit."""
    revision: int
    """The state that it is true of."""
