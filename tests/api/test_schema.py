"""Every operation of the OpenAPI document, with requests that it allows and that it forbids."""

import copy
import os
from collections.abc import Callable, Iterator
from typing import Final

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from grantproof.adapters.memory import MemoryStore
from grantproof.api.administration import administration_app
from tests.api.fuzzing import Drawn, Judge, Operation, Target, drawn
from tests.api.service import OPERATORS, Json, serving

REQUESTS: Final = int(os.environ.get("GRANTPROOF_FUZZ_REQUESTS", "2480"))
"""How many are made altogether."""

DOCUMENT: Final[Json] = administration_app().openapi()
OPERATIONS: Final[dict[str, Operation]] = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
}
EACH: Final = -(-REQUESTS // len(OPERATIONS))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """The service as an operator sees it."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        yield Target(api, store)


def body_schema(operation: Operation) -> jsonschema_rs.Validator | None:
    """What the document says of the body."""
    described = DOCUMENT["paths"][operation.path][operation.method].get("requestBody")
    if described is None:
        return None
    schema = described["content"]["application/json"]["schema"]
    components = copy.deepcopy(DOCUMENT["components"])
    # A malformed item is that item's error, the others are answered.
    components["schemas"]["BatchQuestion"]["properties"]["items"]["items"] = True
    return jsonschema_rs.Draft202012Validator({**schema, "components": components})


def drawing(count: int) -> settings:
    """How so many requests are drawn: each on its own, for an organization changes between them."""
    return settings(
        max_examples=count,
        phases=[Phase.generate],
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_does_what_the_document_says(
    target: Target, label: str, record_property: Callable[[str, object], None]
) -> None:
    """Some requests succeed, none is a failure of the server, and what is there stays valid."""
    operation = OPERATIONS[label]
    judge = Judge(operation, target, body_schema(operation))
    target.renew()

    @drawing(EACH)
    @given(drawn(operation, target))
    def check(one: Drawn) -> None:
        judge.send(one)

    check()
    told = ", ".join(f"{status}: {times}" for status, times in sorted(judge.statuses.items()))
    record_property("figure", f"{label}: {judge.statuses.total()} requests; {told}")
    assert judge.statuses.total() >= EACH
    assert any(200 <= status < 300 for status in judge.statuses), told
