"""Tests of a policy as text: read, asked one by one, and every problem in its place."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from grantproof.core.constraints import Constraint
from grantproof.core.identifiers import (
    IMPLICIT_KINDS,
    ClaimId,
    GroupId,
    Identifier,
    RoleId,
)
from grantproof.core.matching import Request
from grantproof.core.organization import Organization, implicit_kind
from grantproof.policyfile.faults import Fault, Location, faults
from grantproof.policyfile.policy_test_document import (
    CaseEntry,
    ChangeEntry,
    ContextEntry,
    PolicyTestDocument,
    TableEntry,
    Verdict,
)
from grantproof.policyfile.policy_text import problems, read_source
from grantproof.policyfile.source import Problem, Source


@dataclass(frozen=True, slots=True)
class Expected:
    """What is to become of a request; nothing where the test does not care.

    `claim` grants, or of a deny comes nearest; `failed` are constraints, or types of constraints.
    """

    verdict: Verdict
    reason: str | None = None
    claim: ClaimId | None = None
    roles: tuple[RoleId, ...] | None = None
    groups: tuple[GroupId, ...] | None = None
    failed: tuple[str | Constraint, ...] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A request to test, written at `path`: a case, or a cell of a table."""

    name: str
    path: Location
    request: Request
    context: ContextEntry
    expected: Expected


@dataclass(frozen=True, slots=True)
class Suite:
    """What a file of tests holds, and where each part of it stands."""

    document: PolicyTestDocument
    source: Source


def read_tests(text: str) -> Suite | tuple[Problem, ...]:
    """Return the tests that the text describes, or every problem, in the text's order."""
    source = read_source(text)
    if not isinstance(source, Source):
        return source
    try:
        return Suite(PolicyTestDocument.model_validate(source.data), source)
    except ValidationError as error:
        return problems(source, faults(error))


def questions(document: PolicyTestDocument) -> Iterator[Question]:
    """Yield every request of the document: its cases, then its tables cell by cell."""
    for i, case in enumerate(document.cases):
        expected = Expected(
            case.expect, case.reason, case.claim, case.role_path, case.group_path, case.failed
        )
        context = case.context.over(document.context)
        yield Question(case.name, ("cases", i), case.request.core(), context, expected)
    for i, table in enumerate(document.tables):
        yield from _cells(table, ("tables", i), table.context.over(document.context))


def _cells(table: TableEntry, path: Location, context: ContextEntry) -> Iterator[Question]:
    for i, row in enumerate(table.rows):
        for principal in row.principals:
            for action in row.actions:
                for k, resource in enumerate(table.resources):
                    listed = isinstance(row.expect, tuple)
                    at = (*path, "rows", i, "expect", *((k,) if listed else ()))
                    verdict = row.expect[k] if isinstance(row.expect, tuple) else row.expect
                    name = f"{table.name}: {principal} {action} {resource}"
                    request = Request(
                        principal, action, resource, table.resource_kind, table.active_roles
                    )
                    yield Question(name, at, request, context, Expected(verdict))


def misnamed(tests: Suite, state: Organization) -> tuple[Problem, ...]:
    """Return every name that the tests use and the policy does not have, with its place.

    A test that expects something to be unknown names what is not there, and may.
    """
    return problems(tests.source, tuple(_misnamed(tests.document, state)))


def _misnamed(document: PolicyTestDocument, state: Organization) -> Iterator[Fault]:
    if document.organization not in {None, state.id}:
        rule = f"is not the organization of the policy, which is `{state.id}`"
        yield Fault(("organization",), rule)
    for i, case in enumerate(document.cases):
        yield from _of_case(case, ("cases", i), state)
    for i, table in enumerate(document.tables):
        yield from _of_table(table, ("tables", i), state)
    for i, change in enumerate(document.changes):
        yield from _of_change(change, ("changes", i), state)


def _of_case(case: CaseEntry, path: Location, state: Organization) -> Iterator[Fault]:
    asked, at = case.request, (*path, "request")
    if case.reason != "unknown_principal":
        yield from _among("principal", asked.principal, state, path=(*at, "principal"))
    if case.reason != "unknown_resource":
        kind = asked.resource_kind
        yield from _kind(kind, state, path=(*at, "resource_kind"))
        yield from _resource(asked.resource, kind, state, path=(*at, "resource"))
    yield from _each("role", sorted(asked.active_roles or ()), state, path=(*at, "active_roles"))
    if case.claim is not None:
        yield from _among("claim", case.claim, state, path=(*path, "claim"))
    yield from _each("role", case.role_path or (), state, path=(*path, "role_path"))
    yield from _each("group", case.group_path or (), state, path=(*path, "group_path"))


def _of_table(table: TableEntry, path: Location, state: Organization) -> Iterator[Fault]:
    yield from _kind(table.resource_kind, state, path=(*path, "resource_kind"))
    for i, resource in enumerate(table.resources):
        yield from _resource(resource, table.resource_kind, state, path=(*path, "resources", i))
    chosen = sorted(table.active_roles or ())
    yield from _each("role", chosen, state, path=(*path, "active_roles"))
    for i, row in enumerate(table.rows):
        yield from _each("principal", row.principals, state, path=(*path, "rows", i, "principals"))


def _of_change(change: ChangeEntry, path: Location, state: Organization) -> Iterator[Fault]:
    if change.by is not None:
        yield from _among("principal", change.by, state, path=(*path, "by"))


def _each(
    noun: str, names: Sequence[Identifier], state: Organization, *, path: Location
) -> Iterator[Fault]:
    for i, name in enumerate(names):
        yield from _among(noun, name, state, path=(*path, i))


def _among(noun: str, name: str, state: Organization, *, path: Location) -> Iterator[Fault]:
    known: Mapping[str, Container[str]] = {
        "principal": state.principals,
        "role": state.roles,
        "group": state.groups,
        "claim": state.claims,
    }
    if name not in known[noun]:
        yield Fault(path, f"must name a {noun} of the policy: `{name}` is none")


def _kind(kind: str | None, state: Organization, *, path: Location) -> Iterator[Fault]:
    if kind is not None and kind not in state.resources_of_kind and kind not in IMPLICIT_KINDS:
        yield Fault(path, f"must name a kind of the policy: `{kind}` is none")


def _resource(
    resource: str, kind: str | None, state: Organization, *, path: Location
) -> Iterator[Fault]:
    registered = resource in state.resources or implicit_kind(state, resource) is not None
    if kind is None and not registered:
        rule = "must name a resource of the policy, or have a `resource_kind`"
        yield Fault(path, f"{rule}: `{resource}` is none")
