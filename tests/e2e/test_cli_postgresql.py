"""The command line on a PostgreSQL database, as an operator meets it: real processes."""

import json
import subprocess
from collections.abc import Callable, Iterator

import pytest

from tests import warm
from tests.databases import KEY_FILE, PostgresqlDatabase, PostgresqlDatabases, place
from tests.postgresql import GUEST, PASSWORD, Server
from tests.processes import bare

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def databases(postgresql_server: Server) -> PostgresqlDatabases:
    """Databases of the server."""
    return PostgresqlDatabases(postgresql_server)


@pytest.fixture
def address(fresh_database: PostgresqlDatabase) -> Iterator[str]:
    """The address of an empty database, for a role with a password that owns it."""
    fresh_database.execute(f"GRANT CREATE ON SCHEMA public TO {GUEST}")
    yield fresh_database.server.address(fresh_database.name, user=GUEST, password=PASSWORD)
    fresh_database.execute(f"DROP OWNED BY {GUEST} CASCADE")


def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the program as a shell would, the password never shown."""
    done = warm.run(*arguments, env=bare(**environment))
    assert PASSWORD not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def test_an_administrator_at_work(address: str) -> None:
    """Create, change, ask and check: the same commands, answers and exit codes as on a file."""
    key = {"GRANTPROOF_AUDIT_KEY_FILE": str(KEY_FILE)}
    here = {**place(address), "GRANTPROOF_ORG": "acme"}
    missing = run("db", "check", **here)
    assert missing.returncode == 3
    assert missing.stderr.startswith("there is no database at `postgresql://guest@/")
    for arguments in (
        ("org", "create", "acme"),
        ("principal", "create", "carol"),
        ("role", "create", "viewer"),
        ("kind", "create", "document"),
        ("resource", "create", "docs", "--kind", "document"),
        ("claim", "create", "read-docs", "viewer", "read", "docs"),
        ("assign", "carol", "viewer"),
    ):
        done = run(*arguments, **here)
        assert (done.returncode, done.stderr) == (0, ""), arguments
    assert run("evaluate", "carol", "read", "docs", **here).returncode == 0
    assert run("evaluate", "carol", "write", "docs", **here).returncode == 1
    checked = run("db", "check", "--database", address, "--json", **key)
    assert json.loads(checked.stdout) == {
        "outcome": "valid",
        "damage": [],
        "organizations": [{"id": "acme", "violations": []}],
        "audit": [],
    }
    assert "the chain is whole" in run("audit", "verify", **here).stdout
    assert run("db", "replay", "--check", **here).returncode == 0


def test_what_is_wrong_is_one_line(address: str) -> None:
    """A wrong password, a database that is not there, a server that is not: exit code 3."""
    for wrong, said in (
        (address.replace("open", "close"), "check its name and its password"),
        (address.replace("/test_", "/nowhere_"), "create it on its server, or name another"),
        (f"postgresql://ann:{GUEST}@127.0.0.1:1/grants", "check that its server runs"),
    ):
        done = run("org", "list", **place(wrong))
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
        assert said in done.stderr


def test_without_an_audit_key_nothing_is_opened(address: str) -> None:
    """A database of a server has no folder to put a key into: the line says what to set."""
    done = run("org", "create", "acme", GRANTPROOF_DATABASE_URL=address)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
    assert "name its file with GRANTPROOF_AUDIT_KEY_FILE" in done.stderr
