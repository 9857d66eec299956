"""The names of things: distinct types, validated once, that cost what a string costs.

ASCII only, so that no two ids look alike. Only resource ids may hold a slash. An id never holds
`*`, white space or a control character, so a pattern such as `docs/**` is never an id.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import ClassVar, Final, Self

from grantproof.core.errors import Illegal
from grantproof.core.limits import ATTRIBUTE_NAME_LENGTH_MAX, ID_LENGTH_MAX

_PLAIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+=~$-]*")
_WITH_SLASHES: Final = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_.:@+=~$/-]*")
_ATTRIBUTE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")

IMPLICIT_KINDS: Final = ("role", "group", "sod-set", "organization")
"""Kinds of the resources that exist because an entity exists: `role:<id>` and so on."""

KIND_PREFIX: Final = "kind:"
RESERVED_PREFIXES: Final = (*(f"{kind}:" for kind in IMPLICIT_KINDS), KIND_PREFIX)


class Identifier(str):
    """A validated id. Hashes and compares as the string it is; never compare ids of two types."""

    __slots__ = ()

    field: ClassVar[str]
    alphabet: ClassVar[re.Pattern[str]] = _PLAIN
    length_max: ClassVar[int] = ID_LENGTH_MAX

    def __new__(cls, text: str) -> Self:
        """Return `text` as this kind of id; raise `Illegal` with the rule that it breaks."""
        if text == "":
            raise Illegal(cls.field, "must not be empty")
        if len(text) > cls.length_max:
            raise Illegal(cls.field, f"must have at most {cls.length_max} characters")
        if cls.alphabet.fullmatch(text) is None:
            raise Illegal(cls.field, f"must match {cls.alphabet.pattern}")
        return super().__new__(cls, text)

    @classmethod
    def each(cls, texts: Sequence[str]) -> list[Self]:
        """Return every text as this kind of id, or raise `Illegal` for the first that is none.

        What the class itself returns and raises, in a third of the time where there are many.
        """
        if cls.__new__ is not Identifier.__new__ or not cls._are_legal(texts):
            return [cls(text) for text in texts]
        return [str.__new__(cls, text) for text in texts]

    @classmethod
    def _are_legal(cls, texts: Sequence[str]) -> bool:
        """Return whether all are, by one look at them line by line."""
        lines = "\n".join((*texts, ""))
        # A text with a line break of its own would be two.
        return (
            lines.count("\n") == len(texts)
            and _lines_of(cls.alphabet).fullmatch(lines) is not None
            and max(map(len, texts), default=0) <= cls.length_max
        )


@cache
def _lines_of(alphabet: re.Pattern[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:{alphabet.pattern}\n)*")


class OrganizationId(Identifier):
    """The id of a tenant."""

    __slots__ = ()
    field = "org_id"


class PrincipalId(Identifier):
    """The id of a person or a service account."""

    __slots__ = ()
    field = "principal_id"


class GroupId(Identifier):
    """The id of a group."""

    __slots__ = ()
    field = "group_id"


class RoleId(Identifier):
    """The id of a role."""

    __slots__ = ()
    field = "role_id"


class ClaimId(Identifier):
    """The id of a claim."""

    __slots__ = ()
    field = "claim_id"


class SodSetId(Identifier):
    """The id of a separation-of-duty set."""

    __slots__ = ()
    field = "sod_set_id"


class GuardrailId(Identifier):
    """The id of a guardrail."""

    __slots__ = ()
    field = "guardrail_id"


class SessionId(Identifier):
    """The id of a session: made by the service, and nobody can guess it."""

    __slots__ = ()
    field = "session_id"


class Action(Identifier):
    """The name of an action."""

    __slots__ = ()
    field = "action"


class Region(Identifier):
    """The name of a region, such as `us-east-1`."""

    __slots__ = ()
    field = "region"


class Kind(Identifier):
    """The kind of a resource. The kinds of implicit resources are taken."""

    __slots__ = ()
    field = "kind"

    def __new__(cls, text: str) -> Self:
        """Return `text` as a kind; raise `Illegal` with the rule that it breaks."""
        if text in IMPLICIT_KINDS:
            raise Illegal(cls.field, f"must not be one of {', '.join(IMPLICIT_KINDS)}: reserved")
        return super().__new__(cls, text)


class ResourceId(Identifier):
    """The id of a resource, registered or implicit (`role:<id>` and so on)."""

    __slots__ = ()
    field = "resource_id"
    alphabet = _WITH_SLASHES
    length_max = ID_LENGTH_MAX + len("organization:")

    def __new__(cls, text: str) -> Self:
        """Return `text` as a resource id; raise `Illegal` with the rule that it breaks."""
        if text.startswith(KIND_PREFIX):
            raise Illegal(cls.field, f"must not start with `{KIND_PREFIX}`: that is a pattern")
        return super().__new__(cls, text)


class AttributeName(Identifier):
    """The name of an attribute. `id` is taken: `principal.id` is the principal itself."""

    __slots__ = ()
    field = "attribute"
    alphabet = _ATTRIBUTE
    length_max = ATTRIBUTE_NAME_LENGTH_MAX

    def __new__(cls, text: str) -> Self:
        """Return `text` as an attribute name; raise `Illegal` with the rule that it breaks."""
        if text == "id":
            raise Illegal(cls.field, "must not be `id`: reserved")
        return super().__new__(cls, text)
