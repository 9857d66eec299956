"""An application to test: its services over a store in memory, and a client that speaks JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final

from httpx2 import Response
from starlette.testclient import TestClient

from grantproof.adapters.clock import JitteredBackoff, SystemClock
from grantproof.adapters.memory import MemoryStore
from grantproof.adapters.workers import Worker
from grantproof.api.app import Application
from grantproof.api.running import Running
from grantproof.bootstrap import Services, assemble, contracts_of, for_serving
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import Command
from grantproof.core.identifiers import OrganizationId
from grantproof.service.authors import Author
from grantproof.service.callers import EVERY_SCOPE
from grantproof.service.demo import install
from grantproof.service.keyring import KeyRequest, NewKey
from grantproof.service.pap import AdministrationPoint
from grantproof.service.ports import Store
from grantproof.service.snapshots import Owner, Snapshots, here
from grantproof.service.tokens import Tokens
from grantproof.settings import Settings
from tests.one_step import OneStep
from tests.shelves import shelf_in

Json = dict[str, Any]
Api = TestClient

ADDRESS: Final = "http://localhost"
"""The demo answers under a name of this machine only."""

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


OPERATORS: Final = KeyRequest(None, None, EVERY_SCOPE)
"""The key of an operator who may do everything."""


@contextmanager
def serving(
    store: Store,
    wanted: KeyRequest | None = None,
    *,
    tokens: Tokens | None = None,
    worker: Worker | None = None,
    **settings: Any,
) -> Iterator[Api]:
    """The application over `store`, which holds `acme`; it hears of changes, and looks for none.

    Not for a minute: a machine that is busy with other things makes no answer too old to be given.
    The client presents a new key as it is wanted, or none; `worker` is one of several.
    """
    chosen = settings_of(**settings)
    app = application_over(store, chosen, tokens=tokens, worker=worker)
    with OneStep(app, ADDRESS) as client:
        if wanted is not None:
            client.headers.update(bearer(new_key(store, wanted)))
        yield client


def settings_of(**settings: Any) -> Settings:
    """Settings by which a service looks for changes each minute, where nothing else is said."""
    # Where other work takes the processor looks come late, and what is old then would be refused.
    return Settings(**{"follow_seconds": 60, "max_staleness": 300, **settings})


def application_over(
    store: Store, settings: Settings, *, tokens: Tokens | None = None, worker: Worker | None = None
) -> Application:
    """The application by the settings over a store, with the demo's key if it is the demo."""

    def composing(_: Settings, on_owner: Owner) -> Services:
        services = services_over(store, on_owner, demo=settings.demo, settings=settings)
        install(services.administration)
        if settings.demo:
            services.keyring.install_demo()
        return replace(for_serving(services, settings), tokens=tokens)

    return Application(settings, composing=composing, worker=worker)


def services_over(
    store: Store, on_owner: Owner = here, *, demo: bool = False, settings: Settings | None = None
) -> Services:
    """The use cases over a store, as another process on the same data would have them."""
    contracts = None if settings is None else contracts_of(settings)
    folder = None if settings is None else settings.snapshots
    shelf = None if folder is None else shelf_in(folder)
    return assemble(store, on_owner=on_owner, demo=demo, contracts=contracts, shelf=shelf)


def demo_in_memory(_: Settings, on_owner: Owner) -> Services:
    """The services of the demo, without a database."""
    services = assemble(MemoryStore(), on_owner=on_owner, demo=True)
    install(services.administration)
    services.keyring.install_demo()
    return services


def furnish(store: Store, organization: OrganizationId, change: Command, *, by: Author) -> None:
    """Found an organization and make the change, as another process on the same data would.

    One that judges guardrails where it is: to judge them apart takes a fork of this process, which
    is large, and organizations are furnished hundreds of times.
    """
    clock, backoff = SystemClock(), JitteredBackoff()
    point = AdministrationPoint(store, Snapshots(store), clock=clock, backoff=backoff)
    assert point.found(organization, time_zone="UTC", by=by)
    made = point.propose(organization, change, by=by)
    assert isinstance(made, Accepted), made


def running(api: Api) -> Running:
    """What runs behind the client."""
    app = api.app
    assert isinstance(app, Application)
    found = app.administration.state.running
    assert isinstance(found, Running)
    return found


def new_key(store: Store, wanted: KeyRequest) -> str:
    """The text of a new key, made as another process on the same data would make it."""
    made = services_over(store).keyring.create(wanted, by=Author("other"))
    assert isinstance(made, NewKey), made
    return made.text


def bearer(credential: str) -> dict[str, str]:
    """The header that presents a credential."""
    return {"Authorization": f"Bearer {credential}"}


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


def refusal(response: Response, status: int, code: str, *, is_plain: bool) -> None:
    """Assert that the response is the problem, or its status in plain words."""
    if not is_plain:
        problem(response, status, code)
        return
    kind = response.headers["content-type"]
    assert (response.status_code, kind) == (status, "text/plain; charset=utf-8"), response.text


def fields_at_fault(told: Json) -> list[str]:
    """The fields that a problem names."""
    return [fault["field"] for fault in told["errors"]]


def told_by(api: Api, path: str, body: Json) -> Json:
    """The answer to what is posted below `acme`, whose tag is the revision that it tells."""
    response = api.post(f"/v1/orgs/acme/{path}", json=body)
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    assert response.headers["etag"] == f'"{answer["revision"]}"'
    return answer


def revision(api: Api) -> int:
    """The revision of `acme`."""
    number: int = api.get("/v1/orgs/acme").json()["revision"]
    return number
