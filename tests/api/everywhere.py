"""The application over every kind of store at once, all telling the same time.

What is made is made in each, by the same requests; what is asked is asked of each.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

import pytest
from httpx2 import Response
from hypothesis import strategies as st

from grantproof.adapters.memory import MemoryStore
from grantproof.core.commands.language import ChangeSet, CreateGuardrail
from grantproof.core.geodesy import degrees
from grantproof.core.identifiers import OrganizationId
from grantproof.core.limits import INSTANT_MIN
from grantproof.core.organization import Organization
from grantproof.policyfile.organization_document import to_change_set
from grantproof.policyfile.value_fields import write_attributes
from grantproof.policyfile.wire import encode_command
from grantproof.service.ports import Store
from tests.api.service import OPERATORS, Api, Json, raw, serving
from tests.databases import Databases, PostgresqlDatabases, SqliteDatabases, opened
from tests.documents import from_organization
from tests.postgresql import Server
from tests.strategies.names import FEW
from tests.strategies.questions import Question

_numbers = count()
OWN: Final = replace(
    FEW,
    organizations=st.shared(
        st.builds(lambda: OrganizationId(f"law-{next(_numbers)}")), key="organization"
    ),
)
"""Few names, but of an organization that no other example has: its id is used once."""


class Still:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.instant = INSTANT_MIN

    def now(self) -> int:
        """The instant it was set to."""
        return self.instant


class Everywhere:
    """The application, over each kind of store, by its name."""

    def __init__(self, clock: Still, apis: dict[str, Api]) -> None:
        self.clock = clock
        self.apis = apis

    def make(self, state: Organization) -> Organization:
        """Make the organization in all of them, without its guardrails: they decide nothing.

        Return it at the revision that it then has.
        """
        steps = to_change_set(from_organization(state))
        wanted = tuple(step for step in steps if not isinstance(step, CreateGuardrail))
        commands = json.loads(encode_command(ChangeSet(wanted)))["commands"]
        for api in self.apis.values():
            made = api.post("/v1/orgs", json={"id": state.id, "time_zone": state.time_zone})
            assert made.status_code == 201, made.text
        if commands:
            self.post(f"/v1/orgs/{state.id}/changes", {"commands": commands})
        return replace(state, revision=1 if commands else 0)

    def get(self, path: str) -> Json:
        """What all of them show there: the same."""
        return self._same([api.get(path) for api in self.apis.values()])

    def post(self, path: str, body: Json) -> Json:
        """What all of them answer: the same."""
        text = json.dumps(body).encode()
        return self._same([raw(api, path, text) for api in self.apis.values()])

    def _same(self, responses: Sequence[Response]) -> Json:
        told = {name: each.text for name, each in zip(self.apis, responses, strict=True)}
        assert len(set(told.values())) == 1, told
        assert {each.status_code for each in responses} == {200}, told
        answer: Json = responses[0].json()
        return answer


@contextmanager
def everywhere(folder: Path, server: Server) -> Iterator[Everywhere]:
    """The application over a store in memory, one in a file, and one of the server."""
    clock = Still()
    kinds: list[Databases] = [SqliteDatabases(folder), PostgresqlDatabases(server)]
    with ExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr("grantproof.bootstrap.SystemClock", lambda: clock)
        stores: list[Store] = [MemoryStore()]
        for databases in kinds:
            made = databases.fresh()
            stack.callback(databases.drop, made)
            stores.append(opened(made.address))
        apis = {
            type(store).__name__ + str(place): stack.enter_context(serving(store, OPERATORS))
            for place, store in enumerate(stores)
        }
        yield Everywhere(clock, apis)


def asked(question: Question) -> Json:
    """A question as it is put over HTTP, by a caller that is trusted with the context."""
    request, context = question.request, question.context
    body = {
        "principal_id": request.principal,
        "action": request.action,
        "resource_id": request.resource,
        "resource_kind": request.kind,
        "region": context.region,
        "position": None if context.position is None else degrees(context.position),
        "attributes": write_attributes(context.attributes),
        "hour": context.hour,
        "weekday": context.weekday,
        "usage": context.usage,
        "rate": context.rate,
        "active_roles": None if request.active_roles is None else sorted(request.active_roles),
        "explain": True,
    }
    return {field: value for field, value in body.items() if value is not None}
