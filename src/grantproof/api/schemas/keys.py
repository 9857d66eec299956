"""API keys as operators ask for them and are shown them."""

from typing import Annotated

from pydantic import Field

from grantproof.api.schemas.answer import Answer
from grantproof.core.limits import INSTANT_MAX, KEY_LABEL_LENGTH_MAX
from grantproof.policyfile.document import Document
from grantproof.policyfile.fields import Distinct, OrganizationField, PrincipalField, described
from grantproof.service.callers import Scope
from grantproof.service.credentials import Key, key_document
from grantproof.service.keyring import KeyRequest, MadeBefore, NewKey


class NewKeyBody(Document):
    """A key to be made: for a principal of an organization, or for an operator."""

    org_id: OrganizationField | None = None
    """The organization that it is bound to; left out, it is an operator's of all of them."""
    principal_id: PrincipalField | None = None
    """Whose key it is; left out, it is an operator's."""
    scopes: Annotated[
        frozenset[Annotated[Scope, Field(strict=False)]], Distinct(), described(minItems=1)
    ]
    """What it may be used for; `operate` only when it is bound to no organization."""
    label: Annotated[str, Field(max_length=KEY_LABEL_LENGTH_MAX)] = ""
    """What it is for."""
    expires_at: Annotated[int, Field(ge=0, le=INSTANT_MAX)] | None = None
    """Until before when it counts, in epoch seconds; left out, until it is revoked."""

    def wanted(self) -> KeyRequest:
        """Return what is asked for."""
        return KeyRequest(self.org_id, self.principal_id, self.scopes, self.label, self.expires_at)


class KeyAnswer(Answer):
    """A key, without its secret."""

    prefix: str
    """What stands after `gp_` in the key, to recognize it by."""
    org_id: OrganizationField | None
    """The organization that it is bound to; null for an operator of all of them."""
    principal_id: PrincipalField | None
    """Whose it is; null for an operator's."""
    scopes: list[Scope]
    """What it may be used for."""
    label: str
    """What it is for."""
    created_at: int
    """When it was made, in epoch seconds."""
    created_by: str
    """Who made it."""
    expires_at: int | None
    """Until before when it counts; null for until it is revoked."""
    revoked_at: int | None
    """When it was revoked; null if it was not."""
    revoked_by: str | None
    """Who revoked it."""

    @classmethod
    def of(cls, key: Key) -> "KeyAnswer":
        """Return how a key is shown."""
        return cls.model_construct(**key_document(key))


class NewKeyAnswer(KeyAnswer):
    """A key that was just made: the only time that it is shown."""

    key: str | None
    """The key itself. Keep it now: only a hash of it is stored. Null in an answer given again."""

    @classmethod
    def made(cls, new: NewKey) -> "NewKeyAnswer":
        """Return how a new key is shown."""
        return cls.model_construct(**key_document(new.key), key=new.text)

    @classmethod
    def made_before(cls, told: MadeBefore) -> "NewKeyAnswer":
        """Return how a key is shown to whoever asks again under the same idempotency key."""
        return cls.model_construct(**key_document(told.key), key=None)


class KeyPage(Answer):
    """Some keys in the order of their prefixes; ask for those after `next` until it is null."""

    items: list[KeyAnswer]
    """At most as many as were asked for."""
    next: str | None
    """What to give as `after` for the next page; null on the last."""
