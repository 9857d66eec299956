"""`grantproof key`: made and shown once, listed without secrets, revoked."""

import json
import re

import pytest

from grantproof.service.credentials import DEMO_TEXT, well_formed
from tests.unit.cli.conftest import Run

TEXT = re.compile(r"gp_[0-9a-f]{12}_[A-Za-z0-9_-]{43}[0-9a-f]{8}\n")


def test_the_first_operator_key_is_all_that_is_printed(run: Run) -> None:
    """A script can take it; what is told to people stands on the standard error."""
    ended = run("key", "create", "--operator")
    assert ended.code == 0
    assert TEXT.fullmatch(ended.out)
    assert well_formed(ended.out.strip().encode())
    assert ended.err == f"made key `{ended.out[3:15]}`: keep it now, it is not shown again\n"


def test_a_key_is_described_to_programs_with_its_text(run: Run) -> None:
    """Once; lists never have it."""
    made = run(
        *("key", "create", "--principal", "alice", "--scope", "review", "--scope", "evaluate"),
        *("--label", "the web shop", "--expires-in", "90d", "--json"),
    ).json
    text = made.pop("key")
    assert text.startswith(f"gp_{made['prefix']}_")
    assert made["expires_at"] - made["created_at"] == 90 * 86_400
    assert (made["org_id"], made["principal_id"]) == ("acme", "alice")
    assert made["scopes"] == ["evaluate", "review"]
    assert made["created_by"].startswith("os:")
    listed = run("key", "list", "--json")
    assert made in listed.json
    assert text[16:] not in listed.out


@pytest.mark.parametrize(
    ("options", "organization", "scopes"),
    [
        ([], None, "administer, evaluate, operate, review, sessions, trusted-context"),
        (["--org", "acme"], "acme", "administer, evaluate, review, sessions, trusted-context"),
        (["--scope", "operate"], None, "operate"),
        (["--org", "acme", "--scope", "evaluate"], "acme", "evaluate"),
    ],
)
def test_an_operators_key_has_all_scopes_that_it_may_have_unless_told_otherwise(
    options: list[str], organization: str | None, scopes: str, *, run: Run
) -> None:
    """Of the organization that the command line names, whatever the environment says."""
    made = run("key", "create", "--operator", *options, "--json").json
    assert (made["org_id"], ", ".join(made["scopes"])) == (organization, scopes)


def test_keys_are_listed_with_what_became_of_them(run: Run) -> None:
    """The demo's key, one that ends, and one that was revoked."""
    ending = run("key", "create", "--operator", "--expires-in", "1h", "--json").json["prefix"]
    revoked = run("key", "create", "--operator", "--label", "old", "--json").json["prefix"]
    assert run("key", "revoke", revoked).out == f"revoked key `{revoked}`\n"
    header, *lines = run("key", "list").out.splitlines()
    assert header.split() == ["KEY", "ORGANIZATION", "PRINCIPAL", "SCOPES", "STATUS", "LABEL"]
    shown = {line.split()[0]: line for line in lines}
    assert set(shown) == {DEMO_TEXT[3:15], ending, revoked}
    assert "  counts  " in shown[DEMO_TEXT[3:15]]
    assert "  until 20" in shown[ending]
    assert re.search(r"  revoked 20\S+Z  old$", shown[revoked])


def test_a_key_is_revoked_once(run: Run) -> None:
    """The second time there is nothing to do, as for a key that never was."""
    prefix = run("key", "create", "--operator", "--json").json["prefix"]
    assert run("key", "revoke", prefix, "--json").json == {"outcome": "revoked", "prefix": prefix}
    for name in (prefix, "nothing"):
        ended = run("key", "revoke", name)
        line = f"key `{name}` does not exist, or is revoked already"
        assert (ended.code, ended.line) == (1, line)


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        ([], 2, "whose key: name a principal with --principal, or add --operator"),
        (["--principal", "alice"], 2, "what for: name at least one scope with --scope"),
        (["--operator", "--principal", "alice"], 2, "a key is an operator's or a principal's"),
        (["--operator", "--scope", "all"], 2, "there is no scope `all`: use evaluate, "),
        (["--operator", "--expires-in", "soon"], 2, "`soon` is no time: write a number and"),
        (["--operator", "--expires-in", "0d"], 2, "`0d` is no time"),
        (["--operator", "--expires-in", "99999999d"], 2, "`expires_at` must be"),
        (["--operator", "--org", "acme", "--scope", "operate"], 2, "`scopes` must not include"),
        (["--operator", "--label", "x" * 201], 2, "`label` must have at most 200"),
        (["--operator", "--org", "nobody"], 1, "organization `nobody` does not exist"),
        (["--principal", "dave", "--scope", "review"], 1, "principal `dave` does not exist"),
        (["--principal", "a b", "--scope", "review"], 2, "`principal_id` must match"),
    ],
)
def test_a_key_that_cannot_be_is_one_line(
    arguments: list[str], code: int, line: str, *, run: Run
) -> None:
    """And nothing is made."""
    before = run("key", "list", "--json").out
    ended = run("key", "create", *arguments)
    assert (ended.code, ended.line[: len(line)]) == (code, line)
    assert run("key", "list", "--json").out == before


def test_the_first_key_may_be_the_first_thing_in_a_database(
    run: Run, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """As an organization may; looking at keys creates nothing."""
    path = tmp_path_factory.mktemp("first") / "new.db"
    assert run("key", "list", "--database", str(path)).code == 3
    assert not path.exists()
    assert run("key", "create", "--operator", "--database", str(path)).code == 0
    assert len(json.loads(run("key", "list", "--json", "--database", str(path)).out)) == 1
