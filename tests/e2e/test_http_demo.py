"""The demo organization over real HTTP, to the letter: a real process on each kind of database."""

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from grantproof.bootstrap import compose
from grantproof.core.commands import Accepted
from grantproof.core.commands.language import AssignRole, CreatePrincipal, DeletePrincipal
from grantproof.core.identifiers import PrincipalId, RoleId
from grantproof.service.authors import Author
from grantproof.service.demo import ACME
from grantproof.settings import Settings
from tests.databases import Databases, key_file, place
from tests.processes import bare, free_port
from tests.warm import STANDARD_ERROR, Warm

Json = dict[str, Any]

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
FOLLOW_SECONDS_MAX = 30
ALICE: Json = {
    "org_id": "acme",
    "principal_id": "alice",
    "action": "read",
    "resource_id": "docs",
    "hour": 10,
    "region": "us-east-1",
    "usage": 0,
}
BOB_WRITES: Json = {**ALICE, "principal_id": "bob", "action": "write", "hour": 12}


@pytest.fixture(scope="module")
def address(databases: Databases) -> Iterator[str]:
    """A database where nothing is yet."""
    database = databases.fresh()
    yield database.address
    databases.drop(database)


@pytest.fixture(scope="module")
def http(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx2.Client]:
    """A client of a server process that serves the demo."""
    port = free_port()
    server = Warm(
        ["serve", "--demo", "--port", str(port)],
        cwd=tmp_path_factory.mktemp("demo"),
        env=bare(**place(address)),
        stdout=subprocess.DEVNULL,
        stderr=STANDARD_ERROR,
    )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            wait_for(client, server)
            yield client
    finally:
        server.terminate()
        assert server.wait(STOP_SECONDS_MAX) == 0


def wait_for(client: httpx2.Client, server: Warm) -> None:
    """Return when the server is ready; fail when it ends or takes too long."""
    deadline = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    pytest.fail("the server did not get ready")


def evaluate(http: httpx2.Client, question: Json, **changed: Any) -> Json:
    """The answer to a question with some fields changed."""
    response = http.post("/evaluate", json={**question, **changed})
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def test_1_alice_reads_docs_in_office_hours(http: httpx2.Client) -> None:
    """viewer: read docs, 9 to 17."""
    assert evaluate(http, ALICE)["decision"] == "Allow"


@pytest.mark.parametrize("resource", ["docs", "reports"])
def test_2_alice_reads_nothing_at_night(http: httpx2.Client, resource: str) -> None:
    """The reason names the time window."""
    answer = evaluate(http, ALICE, hour=22, resource_id=resource)
    assert answer["decision"] == "Deny"
    assert "time window" in answer["reason"]


def test_3_bob_writes_docs_from_one_region_only(http: httpx2.Client) -> None:
    """editor: write docs from us-east-1; the reason for another names the region."""
    assert evaluate(http, BOB_WRITES)["decision"] == "Allow"
    answer = evaluate(http, BOB_WRITES, region="eu-west-1")
    assert answer["decision"] == "Deny"
    assert "region" in answer["reason"]
    assert "eu-west-1" in answer["reason"]


def test_4_carol_cannot_both_submit_and_be_finance(http: httpx2.Client) -> None:
    """409: separation of duty, the set, both roles and the paths; carol is unchanged."""
    before = http.get("/v1/orgs/acme/principals/carol/roles").json()
    response = http.post("/principals/carol/roles", json={"role_id": "submitter"})
    told = response.json()
    assert response.status_code == 409
    assert "separation of duty" in told["error"]
    assert "submitter conflicts with finance" in told["error"]
    witness = told["witness"]
    assert (witness["sod_set"], witness["n"]) == ("finance-or-submitter", 2)
    assert set(witness["roles"]) == {"finance", "submitter"}
    assert [way["roles"] for way in witness["held"]] == [["submitter"], ["finance"]]
    after = http.get("/v1/orgs/acme/principals/carol/roles").json()
    assert (after["assigned"], after["effective"]) == (before["assigned"], before["effective"])
    assert [held["role"] for held in after["assigned"]] == ["finance"]


def test_5_bob_reads_docs_through_inheritance(http: httpx2.Client) -> None:
    """The certificate shows editor, viewer, the claim."""
    answer = evaluate(http, ALICE, principal_id="bob", explain=True)
    assert answer["decision"] == "Allow"
    certificate = answer["certificate"]
    assert certificate["roles"] == ["editor", "viewer"]
    assert (certificate["claim"]["id"], certificate["claim"]["role"]) == (
        "viewer-read-docs",
        "viewer",
    )


def test_another_process_is_followed(http: httpx2.Client, address: str) -> None:
    """What another process writes to the same database shows within two seconds, and on demand."""
    dave = {**ALICE, "principal_id": "dave"}
    assert evaluate(http, dave)["reason_code"] == "unknown_principal"
    other = compose(Settings(database_url=address, audit_key_file=key_file(address)))
    try:
        for command in (
            CreatePrincipal(PrincipalId("dave")),
            AssignRole(PrincipalId("dave"), RoleId("viewer")),
        ):
            outcome = other.administration.propose(ACME, command, by=Author("other"))
            assert isinstance(outcome, Accepted)
        assert becomes(http, dave, "Allow")
        gone = other.administration.propose(
            ACME, DeletePrincipal(PrincipalId("dave"), cascade=True), by=Author("other")
        )
        assert isinstance(gone, Accepted)
        answer = evaluate(http, dave, at_least_revision=gone.event.revision)
        assert answer["reason_code"] == "unknown_principal"
    finally:
        other.close()


def becomes(http: httpx2.Client, question: Json, decision: str) -> bool:
    """Whether the answer becomes the decision in time."""
    deadline = time.monotonic() + FOLLOW_SECONDS_MAX
    while time.monotonic() < deadline:
        if evaluate(http, question)["decision"] == decision:
            return True
        time.sleep(0.02)
    return False
