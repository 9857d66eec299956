"""Tests of a policy as one document: requests and what is to become of them, tables, changes.

Fields have the names and types that they have in `POST /evaluate` and in the policy itself. A test
never looks at the clock: whatever it asks, it says when.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from grantproof.core.constraints import DAYS_PER_WEEK, HOURS_PER_DAY, Context
from grantproof.core.matching import Request
from grantproof.policyfile import fields
from grantproof.policyfile.document import Document, legal
from grantproof.policyfile.faults import Location, illegal, refused, written_path
from grantproof.policyfile.fields import (
    ActionNameField,
    ActiveRolesField,
    AnyKindField,
    CountField,
    described,
)
from grantproof.policyfile.proposed_commands import CommandsField
from grantproof.policyfile.reason_fields import FailedField, ReasonField
from grantproof.policyfile.value_fields import AttributesField
from grantproof.policyfile.witness_fields import WitnessField

NAME_LENGTH_MAX: Final = 200
TESTS_PER_FILE_MAX: Final = 100_000
"""Cells of tables are counted one by one."""

VERDICTS: Final = ("Allow", "Deny")
Verdict = Literal["Allow", "Deny"]

Entry = TypeVar("Entry")
Entries = Annotated[tuple[Entry, ...], Field(strict=False)]
Found = Iterator[tuple[Location, str]]


def _name(text: str) -> str:
    if not 0 < len(text) <= NAME_LENGTH_MAX or not text.isprintable():
        raise illegal(f"must be one line of 1 to {NAME_LENGTH_MAX} characters")
    return text


def _read_verdicts(value: object) -> Verdict | tuple[Verdict, ...]:
    """Return one verdict, or a list of them."""
    if value in VERDICTS:
        return value
    if not isinstance(value, list):
        raise illegal("must be `Allow`, `Deny`, or a list with one of them for each resource")
    wrong = [i for i, one in enumerate(value) if one not in VERDICTS]
    if wrong:
        raise refused([((i,), "must be `Allow` or `Deny`") for i in wrong], value)
    return tuple(value)


NameField = Annotated[str, AfterValidator(_name), described(minLength=1, maxLength=NAME_LENGTH_MAX)]
VerdictsField = Annotated[
    Verdict | tuple[Verdict, ...],
    PlainValidator(_read_verdicts),
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": list(VERDICTS)},
                {"type": "array", "items": {"enum": list(VERDICTS)}, "minItems": 1},
            ]
        }
    ),
]


class RequestEntry(Document):
    """Who wants to do what, on which resource."""

    principal: fields.PrincipalField
    """The principal who asks."""
    action: ActionNameField
    """What it wants to do."""
    resource: fields.ResourceField
    """On which resource."""
    resource_kind: AnyKindField | None = None
    """The kind of the resource; makes one known that is not registered."""
    active_roles: ActiveRolesField | None = None
    """The roles of a session; left out means all that the principal has."""

    def core(self) -> Request:
        """Return the core value that is written here."""
        return Request(
            self.principal, self.action, self.resource, self.resource_kind, self.active_roles
        )


class ContextEntry(Document):
    """Here and now. What is left out of a test is that of its file; null takes it away again."""

    instant: fields.InstantField | None = None
    """When; assignments are valid or not by it, and it gives the hour, the weekday and the year."""
    hour: Annotated[int, described(minimum=0, maximum=HOURS_PER_DAY - 1)] | None = None
    """The local hour, instead of that of the instant."""
    weekday: Annotated[int, described(minimum=0, maximum=DAYS_PER_WEEK - 1)] | None = None
    """0 is Monday; instead of that of the instant."""
    year: int | None = None
    """The local year, instead of that of the instant."""
    region: fields.RegionField | None = None
    """Where the request comes from."""
    position: fields.PositionField | None = None
    """Its latitude and longitude in decimal degrees, such as `48.8566,2.3522`."""
    usage: CountField | None = None
    """How often every claim was used in its period; left out means never."""
    rate: CountField | None = None
    """How often every claim was used in the minute; left out means never."""
    attributes: AttributesField | None = None
    """What `context.NAME` is."""
    principal_properties: AttributesField | None = None
    """What `principal.NAME` is, instead of what is stored."""
    resource_properties: AttributesField | None = None
    """What `resource.NAME` is, instead of what is stored."""
    action_properties: AttributesField | None = None
    """What `action.NAME` is."""

    _legal = model_validator(mode="after")(legal)

    def core(self) -> Context:
        """Return a context with what is given here and anything for the rest: legal or not."""
        return Context(
            self.instant or 0,
            self.hour or 0,
            self.weekday or 0,
            0,
            None,
            None,
            self.usage,
            self.rate,
        )

    def over(self, shared: "ContextEntry") -> "ContextEntry":
        """Return what holds where this one is given within the shared one."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return shared.model_copy(update=given)


class CaseEntry(Document):
    """A request, and what the policy is to answer."""

    name: NameField
    """What the case shows; no two tests of a file have the same."""
    request: RequestEntry
    """What is asked."""
    context: ContextEntry = Field(default_factory=ContextEntry)
    """In which context."""
    expect: Verdict
    """The decision."""
    reason: ReasonField | None = None
    """Why not: the reason code of the deny."""
    claim: fields.ClaimField | None = None
    """The claim that grants; of a deny the one that comes nearest to it."""
    role_path: Entries[fields.RoleField] | None = None
    """From the assigned role up to the one that holds the claim."""
    group_path: Entries[fields.GroupField] | None = None
    """From a group of the principal outward to the one that holds the assignment; may be empty."""
    failed: FailedField | None = None
    """All constraints of that claim that do not hold: whole, or by their types."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        found = list(self._incoherent())
        if found:
            raise refused(found, self.name)
        return self

    def _incoherent(self) -> Found:
        senseless = ("reason", "failed") if self.expect == "Allow" else ("role_path", "group_path")
        for name in senseless:
            if getattr(self, name) is not None:
                yield (name,), f"says nothing of `{self.expect}`"
        if self.expect == "Deny" and self.reason not in {None, "constraint_failed"}:
            for name in ("claim", "failed"):
                if getattr(self, name) is not None:
                    yield (name,), f"says nothing of `{self.reason}`"


class RowEntry(Document):
    """What each of the principals may do, by each of the actions."""

    principals: Annotated[Entries[fields.PrincipalField], described(minItems=1)]
    """Who asks."""
    actions: Annotated[Entries[ActionNameField], described(minItems=1)]
    """What they want to do."""
    expect: VerdictsField
    """The decisions, one for each resource of the table; or the one for all."""


class TableEntry(Document):
    """Many requests at once: its rows, by its resources."""

    name: NameField
    """What the table shows; no two tests of a file have the same."""
    context: ContextEntry = Field(default_factory=ContextEntry)
    """In which context all of it is asked."""
    resources: Annotated[Entries[fields.ResourceField], described(minItems=1)]
    """The columns."""
    resource_kind: AnyKindField | None = None
    """The kind of all of them; makes those known that are not registered."""
    active_roles: ActiveRolesField | None = None
    """The roles of a session of everybody; left out means all that they have."""
    rows: Annotated[Entries[RowEntry], described(minItems=1)]
    """No principal, action and resource may come twice."""

    @model_validator(mode="after")
    def _square(self) -> Self:
        found = list(self._crooked())
        if found:
            raise refused(found, self.name)
        return self

    def _crooked(self) -> Found:
        width = len(self.resources)
        if len(set(self.resources)) < width:
            yield ("resources",), "must not hold a resource twice"
        for name in ("resources", "rows"):
            if len(getattr(self, name)) == 0:
                yield (name,), "must not be empty"
        seen: dict[tuple[str, str], int] = {}
        for i, row in enumerate(self.rows):
            if isinstance(row.expect, tuple) and len(row.expect) != width:
                rule = f"must have {width} members, one for each resource"
                yield ("rows", i, "expect"), rule
            for name in ("principals", "actions"):
                if len(getattr(row, name)) == 0:
                    yield ("rows", i, name), "must not be empty"
            for pair in ((who, what) for who in row.principals for what in row.actions):
                if pair in seen:
                    told = f"must not say again what `{pair[0]}` may `{pair[1]}`"
                    yield ("rows", i), f"{told}: see {written_path(('rows', seen[pair]))}"
                seen.setdefault(pair, i)


class ChangeEntry(Document):
    """A change of the policy, and whether it is refused."""

    name: NameField
    """What the case shows; no two tests of a file have the same."""
    by: fields.PrincipalField | None = None
    """A principal as the author, who needs the right to make the change; left out, an operator."""
    context: ContextEntry = Field(default_factory=ContextEntry)
    """When the change is made; of the rest of a context a change knows nothing."""
    change: CommandsField
    """A command, or several that are made as one."""
    expect: Literal["accepted", "refused"]
    """What becomes of it."""
    witness: WitnessField | None = None
    """Why it is refused: the kind, and as many fields of the witness as matter."""

    @model_validator(mode="after")
    def _witnessed(self) -> Self:
        if (self.expect == "refused") != (self.witness is not None):
            # A change that is refused because of a slip in its names would pass for well tested.
            rule = "is required" if self.witness is None else "says nothing of `accepted`"
            raise refused([(("witness",), rule)], self.name)
        return self


class PolicyTestDocument(Document):
    """Tests of a policy. Lists left out are empty; at least one is not."""

    api_version: Literal["grantproof/v1"] = Field(alias="apiVersion")
    """The version of this form."""
    kind: Literal["PolicyTest"]
    """What the document is."""
    name: NameField | None = None
    """What the tests are about; left out, the name of the file."""
    organization: fields.OrganizationField | None = None
    """The organization that they are about; left out, whichever the policy is of."""
    context: ContextEntry = Field(default_factory=ContextEntry)
    """The context of every test that does not say otherwise."""
    cases: Entries[CaseEntry] = ()
    """Single requests."""
    tables: Entries[TableEntry] = ()
    """Many requests at once."""
    changes: Entries[ChangeEntry] = ()
    """Changes that are refused, or not."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        found = [*self._sized(), *self._renamed(), *self._timeless()]
        if found:
            raise refused(found, self.kind)
        return self

    def _sized(self) -> Found:
        cells = sum(
            len(table.resources) * len(row.principals) * len(row.actions)
            for table in self.tables
            for row in table.rows
        )
        count = len(self.cases) + cells + len(self.changes)
        if count == 0:
            yield (), "must hold a test: `cases`, `tables` or `changes`"
        if count > TESTS_PER_FILE_MAX:
            yield (), f"must hold at most {TESTS_PER_FILE_MAX} tests: make several files of it"

    def _renamed(self) -> Found:
        first: dict[str, Location] = {}
        for path, entry in entries(self):
            at = first.setdefault(entry.name, path)
            if at != path:
                yield (*path, "name"), f"must not be given twice: see {written_path(at)}"

    def _timeless(self) -> Found:
        for path, entry in entries(self):
            asks = not isinstance(entry, ChangeEntry) or entry.by is not None
            if asks and entry.context.over(self.context).instant is None:
                rule = "is required, here or in the `context` of the file: no test asks the clock"
                yield (*path, "context", "instant"), rule


def entries(
    document: PolicyTestDocument,
) -> Iterator[tuple[Location, CaseEntry | TableEntry | ChangeEntry]]:
    """Yield every test of the document, each with its path."""
    for i, case in enumerate(document.cases):
        yield ("cases", i), case
    for i, table in enumerate(document.tables):
        yield ("tables", i), table
    for i, change in enumerate(document.changes):
        yield ("changes", i), change


def write_test_schema() -> str:
    """Return the JSON Schema of the form as text, ended by a line break."""
    described_form = PolicyTestDocument.model_json_schema(by_alias=True, mode="validation")
    shown = {"$schema": "https://json-schema.org/draft/2020-12/schema", **described_form}
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"
