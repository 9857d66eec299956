"""The written form of guardrails: told apart by their field `type`, which says what else there is.

One class for all, so that a fault is told at the field that is at fault; what each type has, and
nothing else, is what `FIELDS` says.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar, assert_never, cast

from pydantic import (
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, ValidationError

from grantproof.core import guardrails
from grantproof.core.errors import Illegal
from grantproof.core.guardrails import Having, HolderOf, MemberOf, Selector, Who
from grantproof.core.identifiers import GroupId, Identifier, RoleId
from grantproof.core.limits import (
    CONSTRAINTS_PER_CLAIM_MAX,
    PRINCIPALS_MAX,
    SELECTORS_PER_GUARDRAIL_MAX,
)
from grantproof.policyfile.constraint_documents import ConstraintsField
from grantproof.policyfile.document import Document, legal
from grantproof.policyfile.faults import Location, illegal, refused
from grantproof.policyfile.fields import (
    ActionField,
    GuardrailField,
    ResourcePatternField,
    described,
)
from grantproof.policyfile.value_fields import (
    ATTRIBUTES_SCHEMA,
    AttributesField,
    no_attributes,
    read_attributes,
    write_attributes,
)

Given = TypeVar("Given")
Type = Literal["forbidden", "reserved", "confined", "exclusive", "capped"]

FIELDS: Final[Mapping[Type, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "forbidden": (("access",), ("who",)),
    "reserved": (("access", "who"), ()),
    "confined": (("access", "constraints"), ()),
    "exclusive": (("first", "second"), ()),
    "capped": (("access", "most"), ()),
}
"""Of each type the fields that it must have, and those that it may have."""
OF_ALL: Final = ("id", "type")

SELECTORS: Final = ("group", "role", "attributes")
SELECTOR_RULE: Final = "must be an object whose only field is `group`, `role` or `attributes`"


class Access(Document):
    """An action on a resource, as a claim of these patterns would match it."""

    action: ActionField
    """The name of an action, or `*` for every one that is not administrative."""
    resource: ResourcePatternField
    """`docs`, `docs/**` (with all descendants), `kind:document`, or `*`."""
    attributes: AttributesField = Field(
        default_factory=no_attributes, json_schema_extra={"default": {}}
    )
    """Only resources that store every one of these are meant."""

    def core(self) -> guardrails.Access:
        """Return the core value that is written here."""
        return guardrails.Access(self.action, self.resource, self.attributes)

    @classmethod
    def of(cls, access: guardrails.Access) -> "Access":
        """Return the written form of the core value."""
        return cls.holding(
            action=access.action, resource=access.resource, attributes=access.attributes
        )


def read_who(value: object) -> Who:
    """Return written selectors; every one at fault is told."""
    if not isinstance(value, list):
        raise illegal("must be a list")
    read: dict[Selector, int] = {}
    found: list[tuple[Location, str]] = []
    for position, written in enumerate(value):
        try:
            selector = _read_selector(written)
            if read.setdefault(selector, position) != position:
                raise illegal("must not be given twice")
        except ValidationError as broken:
            found += [((position, *one["loc"]), one["msg"]) for one in broken.errors()]
        except PydanticCustomError as broken:
            found.append(((position,), broken.message()))
    if found:
        raise refused(found, value)
    return frozenset(read)


def write_who(who: Who) -> list[dict[str, Any]]:
    """Return how selectors are written: groups first, then roles, then attributes."""
    written = [_write_selector(selector) for selector in who]
    return sorted(written, key=lambda one: (SELECTORS.index(next(iter(one))), str(one)))


def _read_selector(written: object) -> Selector:
    if not isinstance(written, dict) or len(written) != 1:
        raise illegal(SELECTOR_RULE)
    (((name, value)),) = written.items()
    try:
        match name:
            case "group":
                return MemberOf(GroupId(_text(name, value)))
            case "role":
                return HolderOf(RoleId(_text(name, value)))
            case "attributes":
                return Having(read_attributes(value))
            case _:
                raise illegal(SELECTOR_RULE)
    except Illegal as broken:
        raise refused([((name,), broken.rule)], written) from None
    except ValidationError as broken:
        parts = [((name, *one["loc"]), one["msg"]) for one in broken.errors()]
        raise refused(parts, written) from None


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Illegal(name, "must be a string")
    return value


def _write_selector(selector: Selector) -> dict[str, Any]:
    match selector:
        case MemberOf():
            return {"group": str(selector.group)}
        case HolderOf():
            return {"role": str(selector.role)}
        case Having():
            return {"attributes": write_attributes(selector.attributes)}
        case _:
            assert_never(selector)


def _named(id_type: type[Identifier]) -> JsonDict:
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": id_type.length_max,
        "pattern": f"^{id_type.alphabet.pattern}$",
    }


def _only(name: str, schema: JsonDict) -> JsonDict:
    return {
        "type": "object",
        "properties": {name: schema},
        "required": [name],
        "additionalProperties": False,
    }


WHO_SCHEMA: Final[JsonDict] = {
    "type": "array",
    "items": {
        "anyOf": [
            _only("group", _named(GroupId)),
            _only("role", _named(RoleId)),
            _only("attributes", {**ATTRIBUTES_SCHEMA, "minProperties": 1}),
        ]
    },
    "maxItems": SELECTORS_PER_GUARDRAIL_MAX,
    "uniqueItems": True,
}

WhoField = Annotated[
    Who, PlainValidator(read_who), PlainSerializer(write_who), WithJsonSchema(WHO_SCHEMA)
]


class Guardrail(Document):
    """A property that every change keeps; its `type` says which fields it has."""

    id: GuardrailField
    """The guardrail's id."""
    type: Type
    """`forbidden`: to `who`, or to all; `reserved`: to `who` alone; `confined`: to where all
    `constraints` hold; `exclusive`: `first` and `second` to nobody; `capped`: to `most`."""
    access: Access | None = None
    """What it speaks of."""
    who: WhoField = frozenset()
    """Principals: of a group, that hold a role, or that store attributes."""
    constraints: Annotated[ConstraintsField, described(maxItems=CONSTRAINTS_PER_CLAIM_MAX)] = ()
    """All must hold; what is missing fails."""
    first: Access | None = None
    """What nobody may be allowed who is allowed `second`."""
    second: Access | None = None
    """What nobody may be allowed who is allowed `first`."""
    most: Annotated[int, described(minimum=1, maximum=PRINCIPALS_MAX)] | None = None
    """How many principals may be allowed it, at one instant and in one context."""

    @model_validator(mode="after")
    def _legal(self) -> "Guardrail":
        found = list(self._misfits())
        if found:
            raise refused(found, self.id)
        return legal(self)

    def _misfits(self) -> Iterator[tuple[Location, str]]:
        required, optional = FIELDS[self.type]
        given = {name for name in self.model_fields_set if getattr(self, name) is not None}
        for name in required:
            if name not in given:
                yield (name,), "is required"
        for name in sorted(self.model_fields_set.difference(OF_ALL, required, optional)):
            yield (name,), f"is not a field of type `{self.type}`"

    @model_serializer(mode="wrap")
    def _own_fields(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        written = handler(self)
        required, optional = FIELDS[self.type]
        own = (*OF_ALL, *required, *optional)
        return {name: written[name] for name in own if name in written}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Describe each type by itself."""
        made = super().__get_pydantic_json_schema__(_with_all_fields(schema), handler)
        whole = handler.resolve_ref_schema(made)
        described_fields = dict(whole["properties"])
        whole.update(oneOf=[_form(name, described_fields) for name in FIELDS])
        for key in ("properties", "required", "additionalProperties"):
            whole.pop(key, None)
        return whole

    def core(self) -> guardrails.Guardrail:
        """Return the core value that is written here."""
        return guardrails.Guardrail(self.id, self._rule())

    def _rule(self) -> guardrails.Rule:
        match self.type:
            case "forbidden":
                return guardrails.Forbidden(_given(self.access).core(), self.who)
            case "reserved":
                return guardrails.Reserved(_given(self.access).core(), self.who)
            case "confined":
                return guardrails.Confined(_given(self.access).core(), self.constraints)
            case "exclusive":
                return guardrails.Exclusive(_given(self.first).core(), _given(self.second).core())
            case "capped":
                return guardrails.Capped(_given(self.access).core(), _given(self.most))
            case _:
                assert_never(self.type)

    @classmethod
    def of(cls, guardrail: guardrails.Guardrail) -> "Guardrail":
        """Return the written form of the core value."""
        absent = dict.fromkeys(("access", "first", "second", "most"))
        parts = {**absent, "who": frozenset(), "constraints": (), **_parts(guardrail.rule)}
        return cls.holding(id=guardrail.id, **parts)


def _parts(rule: guardrails.Rule) -> dict[str, object]:
    match rule:
        case guardrails.Forbidden(access, who):
            return {"type": "forbidden", "access": Access.of(access), "who": who}
        case guardrails.Reserved(access, who):
            return {"type": "reserved", "access": Access.of(access), "who": who}
        case guardrails.Confined(access, constraints):
            return {"type": "confined", "access": Access.of(access), "constraints": constraints}
        case guardrails.Exclusive(first, second):
            return {"type": "exclusive", "first": Access.of(first), "second": Access.of(second)}
        case guardrails.Capped(access, most):
            return {"type": "capped", "access": Access.of(access), "most": most}
        case _:
            assert_never(rule)


def _given(part: Given | None) -> Given:
    """Return a part that validation has seen to be there."""
    if part is None:
        message = "a guardrail that was not validated"
        raise TypeError(message)
    return part


def _with_all_fields(schema: CoreSchema) -> CoreSchema:
    """Return the schema without what writes only some of the fields."""
    kept: Any = {name: part for name, part in schema.items() if name != "serialization"}
    if "schema" in kept:
        kept["schema"] = _with_all_fields(kept["schema"])
    return cast(CoreSchema, kept)


def _form(name: Type, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of one type of guardrail, of the schemas of all fields."""
    required, optional = FIELDS[name]
    own = {field: _present(fields[field]) for field in (*required, *optional)}
    if name == "reserved":
        own["who"] = {**own["who"], "minItems": 1}
    if name == "confined":
        own["constraints"] = {**own["constraints"], "minItems": 1}
    return {
        "type": "object",
        "title": name.capitalize(),
        "properties": {"id": fields["id"], "type": {"const": name, "type": "string"}, **own},
        "required": [*OF_ALL, *required],
        "additionalProperties": False,
    }


def _present(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a field that may not be null."""
    (given,) = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    told = {key: schema[key] for key in ("description", "title") if key in schema}
    return {**{key: value for key, value in given.items() if key != "default"}, **told}
