"""Every operation of the OpenAPI document, with requests that it allows and that it forbids."""

import copy
import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final

import jsonschema_rs
import pytest
import schemathesis
from schemathesis.core.result import Ok

from grantproof.adapters.memory import MemoryStore
from grantproof.api.administration import administration_app
from grantproof.service.callers import Scope
from grantproof.service.keyring import KeyRequest
from tests.api.fuzzing import Drawn, Judge, Operation, Target
from tests.api.service import OPERATORS, Json, serving

REQUESTS: Final = int(os.environ.get("GRANTPROOF_FUZZ_REQUESTS", "2480"))
"""How many are made altogether."""

DOCUMENT: Final[Json] = administration_app().openapi()
OPERATIONS: Final[dict[str, Operation]] = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
    if isinstance(found, Ok)
}
EACH: Final = -(-REQUESTS // len(OPERATIONS))


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """The service as an operator sees it."""
    store = MemoryStore()
    with serving(store, OPERATORS, public_url="https://pdp.example.com") as api:
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
    several = components["schemas"]["AuthzenAccessEvaluations"]["properties"]["evaluations"]
    several["items"] = True
    return jsonschema_rs.Draft202012Validator({**schema, "components": components})


@pytest.mark.parametrize("label", OPERATIONS)
def test_an_operation_does_what_the_document_says(
    target: Target, label: str, record_property: Callable[[str, object], None]
) -> None:
    """Some requests succeed, none is a failure of the server, and what is there stays valid."""
    operation = OPERATIONS[label]
    judge = Judge(operation, target, body_schema(operation))
    target.renew()

    judge.ask(EACH)
    told = ", ".join(f"{status}: {times}" for status, times in sorted(judge.statuses.items()))
    record_property("figure", f"{label}: {judge.statuses.total()} requests; {told}")
    assert judge.statuses.total() >= EACH
    assert any(200 <= status < 300 for status in judge.statuses), told


FEW: Final = 4
OTHERS: Final[dict[str, tuple[KeyRequest | None, bool, set[int]]]] = {
    # What they present, whether it is the demo, and what they are told.
    "nobody": (None, False, {401}),
    "a decider": (KeyRequest(None, None, frozenset({Scope.EVALUATE})), False, {400, 403}),
    "a reader": (KeyRequest(None, None, frozenset({Scope.TRUSTED_CONTEXT})), False, {403}),
    "the demo": (None, True, {400, 403, 404, 409, 412, 422}),
}


@pytest.fixture(scope="module")
def requests() -> dict[str, list[Drawn]]:
    """A few requests to each operation, drawn once for all who send them."""
    nothing = MemoryStore()
    with serving(nothing) as api:
        target = Target(api, nothing, organization="acme", prefixes=["abcdefghijkl"])
        return {
            label: Judge(operation, target, body_schema(operation)).draw(FEW)
            for label, operation in OPERATIONS.items()
        }


@pytest.mark.parametrize("who", OTHERS)
def test_others_are_told_no_more_than_the_document_says(
    who: str, requests: dict[str, list[Drawn]]
) -> None:
    """Without credential 401, without the scope 403, whatever is sent; in the demo its own."""
    wanted, demo, refusals = OTHERS[who]
    store = MemoryStore()
    with serving(store, wanted, demo=demo) as api:
        target = Target(api, store, organization="acme", prefixes=["abcdefghijkl"])
        met = Counter[int]()
        for label, operation in OPERATIONS.items():
            judge = Judge(operation, target, body_schema(operation), changing=False)
            for one in requests[label]:
                judge.send(one)
            met.update(judge.statuses)
        assert {status for status in met if status >= 400} <= {*refusals, 404}
        assert met[min(refusals - {400})] > 0
        assert who != "nobody" or met[401] > FEW * len(OPERATIONS) * 0.8
        target.check()
