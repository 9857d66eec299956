"""An application to test: its services over a store in memory, and a client that speaks JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

from grantproof.api.app import Application
from grantproof.api.callers import Caller, caller_under
from grantproof.bootstrap import Services, assemble
from grantproof.service.demo import install
from grantproof.service.ports import Store
from grantproof.service.snapshots import Owner, here
from grantproof.settings import Settings

Json = dict[str, Any]
Api = TestClient

READ_DOCS: Json = {
    "org_id": "acme",
    "principal_id": "alice",
    "action": "read",
    "resource_id": "docs",
    "hour": 10,
    "region": "us-east-1",
    "usage": 0,
}
"""The first check of the demo."""


@contextmanager
def serving(store: Store, caller: Caller | None = None, **settings: Any) -> Iterator[Api]:
    """The application over `store`, which holds `acme`; nothing is looked for behind its back."""
    wanted = Settings(**{"follow_seconds": 60, **settings})
    who = caller_under(wanted) if caller is None else caller

    def composing(_: Settings, on_owner: Owner) -> Services:
        services = services_over(store, on_owner)
        install(services.administration)
        return services

    app = Application(wanted, caller=who, composing=composing)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def services_over(store: Store, on_owner: Owner = here) -> Services:
    """The use cases over a store, as another process on the same data would have them."""
    return assemble(store, on_owner=on_owner)


def evaluate(api: Api, **changed: Any) -> Json:
    """The answer to the first check of the demo, with some fields changed."""
    answer: Json = ask(api, **changed).json()
    return answer


def ask(api: Api, **changed: Any) -> Response:
    """The response to the first check of the demo, with some fields changed."""
    return api.post("/evaluate", json={**READ_DOCS, **changed})


def raw(api: Api, path: str, body: bytes, method: str = "POST") -> Response:
    """The response to a body as it stands, said to be JSON."""
    return api.request(method, path, content=body, headers={"Content-Type": "application/json"})


def problem(response: Response, status: int, code: str) -> Json:
    """The problem that the response must be."""
    assert (response.status_code, response.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), response.text
    told: Json = response.json()
    assert (told["status"], told["code"], told["error"]) == (status, code, told["detail"])
    assert told["request_id"] == response.headers["x-request-id"]
    return told


def fields_at_fault(told: Json) -> list[str]:
    """The fields that a problem names."""
    return [fault["field"] for fault in told["errors"]]


def revision(api: Api) -> int:
    """The revision of `acme`."""
    number: int = api.get("/v1/orgs/acme").json()["revision"]
    return number
