"""What is secret is told once, to whoever made it: it is in no other answer, and in no log."""

import pytest
from structlog.testing import capture_logs

from grantproof.adapters.memory import MemoryStore
from tests.api.routes import GUARDED, Route, named
from tests.api.service import OPERATORS, bearer, new_key, serving

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2VjcmV0LXNpZ25hdHVyZQ"  # noqa: S105 - no secret


@pytest.mark.parametrize("route", GUARDED, ids=named)
def test_no_answer_and_no_log_holds_a_credential(
    route: Route, capfd: pytest.CaptureFixture[str]
) -> None:
    """Presented rightly, spoilt, or where it does not belong; refused, answered or failed."""
    store = MemoryStore()
    with serving(store) as api, capture_logs() as logs:
        key = new_key(store, OPERATORS)
        told = ""
        for headers in (bearer(key), bearer(key[:-1] + "0"), bearer(TOKEN), {"X-API-Key": key}):
            for body in ({}, {"scopes": [key]}, [TOKEN]):
                json = None if route.method == "GET" else body
                address = route.address("acme")
                answer = api.request(route.method, address, json=json, headers=headers)
                told += answer.text + str(answer.headers)
        told += api.request(route.method, route.address("acme"), headers={"Cookie": key}).text
    secret = key.partition("_")[2].partition("_")[2]
    shown = told + str(logs) + "".join(capfd.readouterr())
    assert secret[:20] not in shown
    assert TOKEN.rpartition(".")[2] not in shown


def test_a_secret_that_is_told_would_be_found() -> None:
    """Making a key tells it: the test above looks for what can be seen."""
    store = MemoryStore()
    with serving(store, OPERATORS) as api:
        made = api.post("/v1/keys", json={"scopes": ["evaluate"]}).json()
        assert made["key"].partition("_")[2].partition("_")[2] in str(made)
        assert made["key"] not in api.get("/v1/keys").text
