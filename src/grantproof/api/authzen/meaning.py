"""What a request of AuthZEN asks here: who, what, on which, and what of its properties counts.

A name that nothing here can have, such as one with a space, is unknown, and no error. A property
that counts and cannot be read is an error: what is stored must not stand in for it.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from grantproof.api.authzen.shapes import Action, Properties, Resource, Subject
from grantproof.api.problems import Fault, Problem, Refused, illegal, invalid
from grantproof.api.questions import REMEMBERED_MAX, Count, Hour, Weekday
from grantproof.api.validation import malformed, unreadable
from grantproof.core import identifiers
from grantproof.core.attributes import NO_ATTRIBUTES, Attributes, Root
from grantproof.core.errors import Illegal
from grantproof.core.identifiers import IMPLICIT_KINDS, Identifier, Kind, Region
from grantproof.core.index import UNKNOWN_PRINCIPAL, UNKNOWN_RESOURCE, Index
from grantproof.core.matching import Request
from grantproof.core.policy import Reason
from grantproof.core.ways import NO_MATCHING_CLAIM
from grantproof.policyfile.fields import read_position
from grantproof.policyfile.value_fields import read_attributes, write_attributes
from grantproof.service.authzen import ROOTS, SubjectTypes, Trusted
from grantproof.service.pdp import Answer, DecisionPoint
from grantproof.service.pip import NOTHING_SUPPLIED, Supplied

UNTRUSTED: Final = Problem(
    "untrusted_context",
    "properties of subjects and resources, and `hour`, `weekday`, `usage` and `rate`, count here:"
    " leave them out, or use a credential with the scope `trusted-context`",
)
WORDS: Final = {root: word for word, root in ROOTS.items()}

Name = TypeVar("Name", bound=Identifier)
Written = dict[str, Any]


class AuthzenQuestion(NamedTuple):
    """A question as it was put, and as it is asked here: a request, or why there is none.

    `context` is what of the question counts, for the log and for the token of a page.
    """

    subject: Subject
    action: str
    resource: Resource
    request: Request | Reason
    supplied: Supplied
    context: Written


class Meaning:
    """Reads questions as the settings say, and decides them."""

    def __init__(self, types: SubjectTypes, trusted: Trusted) -> None:
        self.types = types
        self._trusted = trusted

    def asked(
        self,
        subject: Subject,
        action: Action,
        resource: Resource,
        *,
        context: Properties | UnsetType,
        may_override: bool,
    ) -> AuthzenQuestion:
        """Return what is asked; raises `Refused`.

        It says what overrides what is known here only where the credential may.
        """
        supplied, counting = self._supplied(
            {
                Root.PRINCIPAL: subject.properties,
                Root.RESOURCE: resource.properties,
                Root.ACTION: action.properties,
                Root.CONTEXT: context,
            }
        )
        if supplied.needs_trust and not may_override:
            raise Refused(UNTRUSTED)
        request = request_of(subject.id, action.name, resource.id, kind=resource.type)
        return AuthzenQuestion(subject, action.name, resource, request, supplied, counting)

    def answer(
        self, point: DecisionPoint, index: Index, asked: AuthzenQuestion, *, instant: int
    ) -> Answer:
        """Return the decision on a question; raises `MeterUnread`."""
        if not self.types.has(asked.subject.type, asked.subject.id, state=index.state):
            return point.unknown(index, UNKNOWN_PRINCIPAL, instant)
        if not isinstance(asked.request, Request):
            return point.unknown(index, asked.request, instant)
        return point.decide(index, asked.request, asked.supplied, instant=instant)

    def _supplied(self, said: dict[Root, Properties | UnsetType]) -> tuple[Supplied, Written]:
        """Return what of the properties counts, and how it is written; raises `Refused`."""
        if all(properties is UNSET for properties in said.values()):
            return NOTHING_SUPPLIED, {}
        held = {root: self._read(root, properties) for root, properties in said.items()}
        here, situation = self._situated(said[Root.CONTEXT])
        counting = {
            _LOGGED[root]: write_attributes(values)
            for root, values in held.items()
            if len(values) > 0
        }
        if len(counting) > 0:
            here = replace(
                here,
                attributes=held[Root.CONTEXT],
                principal_properties=held[Root.PRINCIPAL],
                resource_properties=held[Root.RESOURCE],
                action_properties=held[Root.ACTION],
            )
        return here, {**situation, **counting}

    def _read(self, root: Root, properties: Properties | UnsetType) -> Attributes:
        """Return the properties that count; raises `Refused` for one that cannot be read."""
        named = self._trusted.properties.get(root, ())
        if properties is UNSET or len(named) == 0:
            return NO_ATTRIBUTES
        written = _said(properties, named)
        inside = (WORDS[root],) if root is Root.CONTEXT else (WORDS[root], "properties")
        try:
            return read_attributes(written)
        except ValidationError as error:
            raise Refused(malformed(error, inside=inside)) from None
        except PydanticCustomError as error:
            raise Refused(invalid([Fault(".".join(inside), error.message())])) from None

    def _situated(self, context: Properties | UnsetType) -> tuple[Supplied, Written]:
        """Return where and when the request says that it is; raises `Refused`."""
        said = {} if context is UNSET else _said(context, self._trusted.situation)
        if len(said) == 0:
            return NOTHING_SUPPLIED, {}
        try:
            here = msgspec.convert(said, Situation)
            region = None if here.region is None else Region(here.region)
            position = None if here.position is None else read_position(here.position)
        except msgspec.ValidationError as error:
            raise Refused(_inside_context(unreadable(error))) from None
        except Illegal as broken:
            raise Refused(_inside_context(illegal(broken))) from None
        when = {name: getattr(here, name) for name in ("hour", "weekday", "usage", "rate")}
        return Supplied(region, position=position, **when), said


class Situation(msgspec.Struct, frozen=True, gc=False):
    """Where and when a request says that it is."""

    region: str | None = None
    position: str | None = None
    hour: Hour | None = None
    weekday: Weekday | None = None
    usage: Count | None = None
    rate: Count | None = None


_LOGGED: Final = {
    Root.PRINCIPAL: "subject_properties",
    Root.RESOURCE: "resource_properties",
    Root.ACTION: "action_properties",
    Root.CONTEXT: "attributes",
}


def _said(properties: Properties, names: Iterable[str]) -> Written:
    return {
        str(name): msgspec.json.decode(properties[name]) for name in names if name in properties
    }


def _inside_context(problem: Problem) -> Problem:
    return invalid([Fault(f"context.{fault.field}", fault.rule) for fault in problem.faults])


@lru_cache(REMEMBERED_MAX)
def _name(kind: type[Name], text: str) -> Name | None:
    try:
        return kind(text)
    except Illegal:
        return None


def request_of(subject: str, action: str, resource: str, *, kind: str) -> Request | Reason:
    """Return the request, or the first reason to deny what no name here can be."""
    principal = _name(identifiers.PrincipalId, subject)
    if principal is None:
        return UNKNOWN_PRINCIPAL
    target = _name(identifiers.ResourceId, resource)
    known = kind if kind in IMPLICIT_KINDS else _name(Kind, kind)
    if target is None or known is None:
        return UNKNOWN_RESOURCE
    deed = _name(identifiers.Action, action)
    return NO_MATCHING_CLAIM if deed is None else Request(principal, deed, target, known)
