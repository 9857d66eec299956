"""A session of one process counts in every other, and none answers from it long after it ended."""

import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from tests.api.service import READ_DOCS
from tests.databases import Database
from tests.e2e.several import MAX_STALENESS, Service, serving

SESSIONS: Final = "/v1/orgs/acme/sessions"
WRITING: Final = {
    "org_id": "acme",
    "principal_id": "bob",
    "action": "write",
    "resource_id": "docs",
    "region": "us-east-1",
}


def test_a_session_is_the_same_in_every_process(database: Database, tmp_path: Path) -> None:
    """Opened by one it counts in the other at once; widened and ended, soon enough for certain."""
    with serving(tmp_path, database.address) as service, ExitStack() as open_now:
        first, second = (
            open_now.enter_context(closing(service.connection(worker))) for worker in (0, 1)
        )

        def asked(connection: HTTPConnection, session: str, **question: Any) -> Any:
            body = {**WRITING, **question, "session_id": session}
            status, told = service.ask(connection, "POST", "/evaluate", body)
            assert status == 200, told
            return told["reason_code"]

        name = opened(service, first)
        reading = {**READ_DOCS, "principal_id": "bob"}
        assert asked(second, name, **reading) is None
        assert asked(second, name) == asked(first, name) == "no_matching_claim"

        status, told = service.ask(second, "POST", f"{SESSIONS}/{name}/roles", {"role": "editor"})
        assert (status, told["roles"]) == (200, ["editor", "viewer"])
        assert asked(second, name) is None
        widened_at = time.monotonic()
        while (asked_at := time.monotonic()) and asked(first, name) is not None:
            assert asked_at - widened_at < MAX_STALENESS

        assert service.ask(first, "DELETE", f"{SESSIONS}/{name}")[0] == 204
        assert asked(first, name) == "no_session"
        ended_at = time.monotonic()
        while (asked_at := time.monotonic()) and asked(second, name) != "no_session":
            assert asked_at - ended_at < MAX_STALENESS


def opened(service: Service, connection: HTTPConnection) -> str:
    """The id of a new session of bob, who chose to be no more than a viewer."""
    wanted = {"principal": "bob", "roles": ["viewer"]}
    status, told = service.ask(connection, "POST", SESSIONS, wanted)
    assert status == 201, told
    return str(told["id"])
