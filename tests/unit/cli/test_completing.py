"""What the shell offers for an id: those of the local database, quickly, or nothing at all."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from grantproof.adapters.sql import names
from grantproof.bootstrap import compose
from grantproof.cli.command import GLOBAL
from grantproof.cli.completing import NOUNS, names_of
from grantproof.cli.main import program
from grantproof.core.commands.language import ChangeSet, CreatePrincipal
from grantproof.core.identifiers import OrganizationId, PrincipalId
from grantproof.service.authors import Author
from grantproof.settings import Settings
from tests.repository.reference.commands_page import own_parameters, walk

ACME = ["--org", "acme"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's database, which nobody has open."""
    file = tmp_path_factory.mktemp("demo") / "demo.db"
    compose(Settings(database_url=str(file), demo=True)).close()
    return file


def context(*typed: str) -> Any:
    """The command line as far as it was typed, as the shell's question is read."""
    return program().make_context("grantproof", list(typed), resilient_parsing=True)


def offered(noun: str, file: Path, *typed: str, beginning: str = "") -> list[str]:
    """What is offered, on that database."""
    return names_of(noun)(context("--database", str(file), *typed), beginning)


@pytest.mark.parametrize(
    ("noun", "beginning", "expected"),
    [
        ("organization", "", ["acme"]),
        ("principal", "", ["alice", "bob", "carol"]),
        ("principal", "b", ["bob"]),
        ("principal", "x", []),
        ("role", "", ["editor", "finance", "submitter", "viewer"]),
        ("resource", "doc", ["docs"]),
        ("kind", "", ["document"]),
        ("claim", "viewer-", ["viewer-read-docs", "viewer-read-reports"]),
        ("sod_set", "", ["finance-or-submitter"]),
        ("group", "", []),
        ("guardrail", "", []),
        ("session", "", []),
    ],
)
def test_the_names_that_begin_so_are_offered(
    noun: str, beginning: str, expected: list[str], file: Path
) -> None:
    """In order, of the organization that is named."""
    assert offered(noun, file, *ACME, beginning=beginning) == expected


def test_every_noun_can_be_asked_for(file: Path) -> None:
    """None of the queries is wrong: nothing is offered because there is nothing."""
    for noun in {*NOUNS.values()}:
        names.names_in(file, noun, organization="acme", beginning="")


def test_the_organization_and_the_file_come_from_the_environment(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for the command itself; without an organization only those are offered."""
    monkeypatch.setenv("GRANTPROOF_DATABASE_URL", f"sqlite:///{file}")
    assert names_of("role")(context(), "v") == []
    assert names_of("organization")(context(), "") == ["acme"]
    monkeypatch.setenv("GRANTPROOF_ORG", "acme")
    assert names_of("role")(context(), "v") == ["viewer"]
    monkeypatch.setenv("GRANTPROOF_ORG", "globex")
    assert names_of("role")(context(), "v") == []
    assert names_of("role")(context(*ACME), "v") == ["viewer"]


def test_another_place_is_not_asked(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a server nor PostgreSQL: a shell does not wait for them."""
    monkeypatch.setenv("GRANTPROOF_DATABASE_URL", str(file))
    assert names_of("role")(context(*ACME), "v") == ["viewer"]
    assert names_of("role")(context(*ACME, "--server", "http://localhost:1"), "v") == []
    monkeypatch.setenv("GRANTPROOF_SERVER", "http://localhost:1")
    assert names_of("role")(context(*ACME), "v") == []
    assert offered("role", file, *ACME, beginning="v") == ["viewer"]
    for place in ("postgresql://localhost/x", "mysql:///x"):
        assert names_of("role")(context(*ACME, "--database", place), "v") == []


def test_what_is_in_the_way_is_not_told(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No file, a folder, a file that is no database, one without tables: nothing, and no error."""
    (tmp_path / "text.db").write_text("no database" * 1_000)
    sqlite3.connect(tmp_path / "empty.db").close()
    for name in ("absent.db", ".", "text.db", "empty.db"):
        assert offered("role", tmp_path / name, *ACME) == [], name
    assert not (tmp_path / "absent.db").exists()
    assert capsys.readouterr() == ("", "")
    assert offered("role", file, *ACME) != []


def test_nothing_is_written_beside_the_file(file: Path) -> None:
    """To read what nobody has open makes no other file; what somebody has open is read as it is."""
    before = sorted(file.parent.iterdir())
    assert offered("role", file, *ACME) != []
    assert sorted(file.parent.iterdir()) == before
    services = compose(Settings(database_url=str(file)))
    try:
        made = CreatePrincipal(PrincipalId("dana"))
        author = Author("test")
        services.administration.propose(OrganizationId("acme"), ChangeSet((made,)), by=author)
        assert offered("principal", file, *ACME, beginning="d") == ["dana"]
    finally:
        services.close()


def test_what_is_offered_is_bounded(tmp_path: Path) -> None:
    """A hundred at most, found through the key, of however many there are."""
    file = tmp_path / "large.db"
    opened = sqlite3.connect(file)
    opened.execute("CREATE TABLE role (organization_id, id, PRIMARY KEY (organization_id, id))")
    rows = [("acme", f"role-{number:06}") for number in range(20_000)]
    opened.executemany("INSERT INTO role VALUES (?, ?)", rows)
    opened.commit()
    query = names.QUERIES["role"]
    (plan,) = opened.execute(f"EXPLAIN QUERY PLAN {query}", ("r", "s", "acme"))
    opened.close()
    assert "USING" in plan[-1]
    assert "INDEX" in plan[-1]
    assert len(offered("role", file, *ACME)) == names.NAMES_MAX
    assert offered("role", file, *ACME, beginning="role-0199") == [
        f"role-0199{number:02}" for number in range(100)
    ]


def test_every_place_of_an_id_is_completed() -> None:
    """Each argument and option that the help calls by a noun, and no other."""
    seen = set[str]()
    for _, found in walk(program(), ()):
        for one in (*own_parameters(found), *found.params):
            offers = one._custom_shell_complete is not None  # noqa: SLF001 - typer tells it nowhere
            assert offers == (one.metavar in NOUNS), (found.name, one.name)
            seen |= {str(one.metavar)} & set(NOUNS)
    assert seen == set(NOUNS)
    assert "org" in {one.name for one in GLOBAL}
