"""The command line as a client of a server: what it says and does is what it does locally."""

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from structlog.testing import capture_logs

from grantproof.bootstrap import compose
from grantproof.cli.local import LocalOperator
from grantproof.cli.main import program
from grantproof.cli.remote import RemoteOperator
from grantproof.core.commands.language import CreateRole
from grantproof.core.identifiers import RoleId
from grantproof.settings import Settings
from tests.databases import copied
from tests.differential.over_http import Pair, new_key, served
from tests.processes import without_settings
from tests.unit.cli.conftest import Ended

NEEDS_DATABASE: Final = frozenset(
    {
        "serve",
        "audit verify",
        "audit checkpoint",
        "audit erase",
        "db check",
        "db replay",
        "db backup",
        "db restore",
    }
)
FILES_ALONE: Final = frozenset(
    {"policy check", "policy test", "policy fmt", "policy schema", "policy convert", "verify"}
)
"""What reads files and asks nobody, but where a side of a comparison is an organization."""
WITH_CASES: Final = frozenset({"case replay"})


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo organization in it, to be copied."""
    path = tmp_path_factory.mktemp("acme") / "acme.db"
    compose(Settings(database_url=str(path), demo=True)).close()
    return path


@pytest.fixture
def pair(
    acme: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Pair]:
    """The demo in a database, and a copy of it behind a server."""
    without_settings(monkeypatch)
    monkeypatch.setenv("GRANTPROOF_ORG", "acme")
    here, there = copied(acme, tmp_path / "here.db"), copied(acme, tmp_path / "there.db")
    with served(there, monkeypatch) as api:
        yield Pair(here, capsys, new_key(api))


DECIDING: Final = [
    "evaluate bob write docs --region us-east-1",
    "evaluate bob write docs --region eu-west-1 --json",
    "evaluate alice read docs --hour 10 --json",
    "evaluate alice read docs --hour 22",
    "evaluate nobody read docs",
    "evaluate alice read nothing --kind document --active-role viewer",
    "evaluate alice read docs --hour 24",
    "evaluate alice read docs --org nowhere",
    "claim create c viewer export docs --constraint usage<1/total --constraint rate<5",
    "consume alice export docs --json",
    "consume alice export docs",
    "evaluate alice export docs --usage 0 --rate 0 --attribute a=7 --position 48.8,2.35",
    "explain alice export docs",
    "explain alice export docs --json",
    "explain bob write docs --region us-east-1",
    "why alice write docs",
    "what-if alice read docs --hour 22",
    "what-if alice read docs --at 2026-01-01T10:00:00Z --json",
    "what-if alice read docs --at 999999999999",
    "what-if alice export docs --usage 0 --rate 0",
    "usage show",
    "usage show --json",
    "usage show --principal nobody",
    "usage reset --principal alice --claim c",
    "usage reset",
]
CHANGING: Final = [
    "assign carol submitter",
    "assign carol finance",
    "assign carol finance --json",
    "assign nobody viewer",
    "assign alice editor --from 2030-01-01T00:00:00Z",
    "revoke alice editor",
    "revoke alice editor",
    "principal create ann -a team=red",
    "principal list",
    "principal show ann --json",
    "principal suspend ann",
    "principal suspend ann --json",
    "principal resume ann",
    "principal attributes ann team=blue",
    "group create staff",
    "group create all",
    "group add ann staff",
    "group nest staff all",
    "group nest all staff --json",
    "group list --json",
    "group show staff",
    "group unnest staff all",
    "group remove ann staff",
    "group delete all",
    "role create boss --parent editor",
    "role list",
    "role show boss",
    "role add-parent viewer boss",
    "role remove-parent boss editor",
    "role delete editor",
    "role delete editor --json",
    "role delete finance --cascade",
    "kind create photo",
    "kind list",
    "kind delete photo",
    "resource create pics document -a secret=true",
    "resource list --json",
    "resource show pics",
    "resource attributes pics secret=false",
    "resource delete pics",
    "claim list",
    "claim show viewer-read-docs --json",
    "claim delete viewer-read-docs",
    "sod list",
    "sod create apart boss viewer -n 2",
    "sod show apart --json",
    "sod change apart boss editor -n 2 --mode dynamic",
    "sod delete apart",
    "principal delete ann --cascade",
    "principal show ann",
    "principal join dora --role viewer --yes",
    "principal join dora --yes",
    "principal join eve --role finance --role submitter --yes",
    "principal move dora --from-role viewer --to-role boss --dry-run",
    "principal move dora --from-all --to-role boss --yes --json",
    "principal leave dora --yes",
    "principal leave nobody --yes",
]
ASKING: Final = [
    "who-can read docs",
    "who-can read docs --now --json",
    "what-can bob",
    "what-can nobody",
    "why-not dave write docs",
    "not-granted burn *",
    "not-granted write docs --json",
    "dead --json",
    "conflicts",
    "reach --by alice --role editor",
    "reach --by nobody --role editor",
    "review assigned-users viewer",
    "review authorized-users viewer --json",
    "review assigned-roles bob",
    "review authorized-roles bob",
    "review role-permissions editor --json",
    "review user-permissions bob",
    "review session-roles bob --active-role viewer",
    "review session-permissions bob",
    "review role-operations editor docs",
    "review user-operations bob docs",
    "review access",
    "review access --principal alice --json",
    "review access --principal nobody",
    "review export --rows claims",
    "review export --no-history",
    "review expiring --within 30d",
    "sod report",
    "sod report --json",
]
OPERATING: Final = [
    "org create other --time-zone Europe/Berlin",
    "org create other",
    "org create bad --time-zone Nowhere",
    "org create third --administrator root",
    "org list",
    "org list --json",
    "org show acme",
    "org show third --json",
    "org delete other",
    "org delete other --yes",
    "org create other --json",
    "key create --principal alice --scope evaluate --label x",
    "key create --principal nobody --scope evaluate",
    "key create --principal alice --scope evaluate --org nowhere",
    "key create --operator --expires-in 90d --json",
    "key create --operator --scope burn",
    "key revoke 000000000000",
    "export acme",
    "export acme --json",
    "policy export acme --format json",
    "audit tail -n 3",
]
SCENARIOS: Final = {"decide": DECIDING, "change": CHANGING, "ask": ASKING, "operate": OPERATING}


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_is_the_same_over_http(pair: Pair, name: str) -> None:
    """Line by line, with the same exit codes, and the same organization in the end."""
    for line in SCENARIOS[name]:
        pair.both(*line.split())
    pair.both("export", "acme")


def leaves(command: Any, *path: str) -> Iterator[str]:
    """Every command there is."""
    if not hasattr(command, "commands"):
        yield " ".join(path)
        return
    for name, inner in command.commands.items():
        yield from leaves(inner, *path, name)


OWN_TESTS: Final = frozenset(
    {
        "import",
        "policy import",
        "policy apply",
        "policy diff",
        "guardrail create",
        "guardrail list",
        "guardrail show",
        "guardrail delete",
        "assignments import",
        "audit export",
        "key list",
        "review apply",
        "session create",
        "session list",
        "session show",
        "session add-role",
        "session drop-role",
        "session delete",
    }
)
"""What takes files, and is tried below."""


def test_every_command_works_over_http_or_says_that_it_does_not() -> None:
    """None is left out of the tables."""
    tried = {
        name
        for name in leaves(program())
        for lines in SCENARIOS.values()
        if any(line == name or line.startswith(f"{name} ") for line in lines)
    }
    known = tried | OWN_TESTS | NEEDS_DATABASE | FILES_ALONE | WITH_CASES
    assert set(leaves(program())) == known
    assert not tried & (NEEDS_DATABASE | FILES_ALONE)


@pytest.mark.parametrize("name", sorted(NEEDS_DATABASE))
def test_what_needs_the_database_says_so(pair: Pair, name: str, tmp_path: Path) -> None:
    """In one line, with code 2, whatever else it takes."""
    more = {
        "audit erase": ["--actor", "demo", "--yes"],
        "db replay": ["--check"],
        "db backup": [str(tmp_path / "copy")],
        "db restore": [str(tmp_path / "copy")],
    }
    ended = pair.remote(*name.split(), *more.get(name, []))
    assert ended.code == 2
    assert ended.line.startswith("this takes the database itself")


def test_files_are_checked_without_asking_anybody(pair: Pair, tmp_path: Path) -> None:
    """A server that is named and not there hinders nobody."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(pair.local("export", "acme").out)
    assert pair.remote("policy", "check", str(policy)).code == 0
    assert pair.remote("policy", "schema").code == 0


GUARDRAIL: Final = {
    "id": "nobody-burns",
    "type": "forbidden",
    "access": {"action": "burn", "resource": "*"},
}


def test_guardrails_refuse_alike(pair: Pair, tmp_path: Path) -> None:
    """With the same counterexample, also of what is only supposed."""
    file = tmp_path / "guardrail.json"
    file.write_text(json.dumps(GUARDRAIL))
    pair.both("guardrail", "create", "--file", str(file))
    pair.both("guardrail", "list")
    pair.both("guardrail", "show", "nobody-burns", "--json")
    refused = pair.both("claim", "create", "burn", "viewer", "burn", "docs", "--json")
    assert (refused.code, refused.json["code"]) == (1, "breaks_guardrail")
    claim = {"id": "burn", "role": "viewer", "action": "burn", "resource": "docs"}
    change = json.dumps({"type": "CreateClaim", "claim": {**claim, "constraints": []}})
    refused = pair.both("what-if", "alice", "burn", "docs", "--change", change)
    assert (refused.code, "nobody-burns" in refused.err) == (1, True)
    pair.both("guardrail", "delete", "nobody-burns")
    allowed = pair.both("what-if", "alice", "burn", "docs", "--change", change)
    assert allowed.code == 0


def test_a_change_is_supposed_from_files(pair: Pair, tmp_path: Path) -> None:
    """YAML or JSON, one command or several, in order; what cannot be read is told in its place."""
    file = tmp_path / "change.yaml"
    file.write_text(
        "- {type: CreateGroup, group: g}\n"
        "- {type: AddMember, principal: alice, group: g}\n"
        "- {type: AssignGroupRole, group: g, role: editor}\n"
    )
    asked = ["what-if", "alice", "write", "docs", "--region", "us-east-1", "--change", str(file)]
    assert pair.both(*asked).code == 0
    assert (
        pair.both(*asked, "--change", '{"type":"SuspendPrincipal","principal":"alice"}').code == 1
    )
    refused = pair.both(*asked, "--change", str(file), "--json")
    assert (refused.code, refused.json["code"]) == (1, "already_exists")
    file.write_text("{type: Burn}\n")
    assert pair.both(*asked).code == 2


def test_policies_are_imported_compared_and_applied(pair: Pair, tmp_path: Path) -> None:
    """The plan is worked out here, and applied at the revision that it was worked out for."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(pair.local("export", "acme").out.replace("id: acme", "id: copy", 1))
    pair.both("import", str(policy))
    pair.both("import", str(policy))
    pair.both("policy", "diff", "org:acme", "org:copy")
    policy.write_text(policy.read_text() + "groups:\n- id: extra\n")
    pair.both("policy", "apply", str(policy), "--dry-run")
    pair.both("policy", "apply", str(policy), "--yes", "--json")
    pair.both("policy", "apply", str(policy), "--yes")
    pair.both("policy", "diff", "org:copy@1", "org:copy@2")
    pair.both("policy", "diff", "org:copy@1", "org:copy@9")
    pair.both("policy", "import", str(policy), "--org", "again")
    pair.both("export", "copy")


def test_many_assignments_are_imported_once(pair: Pair, tmp_path: Path) -> None:
    """Again, they are known by their keys; a refusal names its line; to skip takes the database."""
    file = tmp_path / "some.csv"
    file.write_text("principal,role\nalice,editor\nbob,submitter\n")
    assert pair.both("assignments", "import", str(file), "--batch", "1").code == 0
    assert "nothing to do" in pair.both("assignments", "import", str(file), "--batch", "1").out
    file.write_text("principal,role\nalice,editor\nbob,submitter\ncarol,submitter\ncarol,finance\n")
    refused = pair.both("assignments", "import", str(file), "--batch", "1")
    assert (refused.code, f"{file}:4: " in refused.err) == (1, True)
    file.write_text("principal,role\nbob,viewer\n")
    changed = pair.both("assignments", "import", str(file), "--batch", "1")
    assert (changed.code, "are not those that were imported before" in changed.err) == (1, True)
    skipped = pair.remote("assignments", "import", str(file), "--on-refusal", "skip")
    assert (skipped.code, "--on-refusal" in skipped.line) == (2, True)
    pair.both("assignments", "import", str(file), "--name", "x", "--org", "nowhere", same=_absent)
    pair.both("export", "acme")


def _absent(text: str) -> str:
    return text.replace(", or is not that of the key", "")


def test_events_are_told_without_their_seals(pair: Pair) -> None:
    """Page after page; who made them and how they are sealed is another matter."""
    pair.both("role", "create", "x")
    for form in ("jsonl", "csv"):
        here = pair.local("audit", "export", "--format", form).out
        there = pair.remote("audit", "export", "--format", form).out
        assert len(there.splitlines()) == len(here.splitlines())
    events = [json.loads(line) for line in pair.remote("audit", "export").out.splitlines()]
    assert [event["revision"] for event in events] == [0, 1, 2]
    made = {"type": "ChangeSet", "commands": [{"type": "CreateRole", "role": "x"}]}
    assert events[2]["command"] == made
    assert not {"mac", "erased_at"} & set(events[0])
    assert pair.remote("audit", "export", "--after", "1", "--actor", "nobody").out == ""
    assert pair.remote("audit", "tail", "-n", "1", "--json").json["revision"] == 2


def test_keys_are_listed_and_revoked(pair: Pair) -> None:
    """A key that is made over HTTP is one that counts, until it is revoked over HTTP."""
    made = pair.remote(
        "key", "create", "--principal", "alice", "--scope", "evaluate", "--json"
    ).json
    assert made["key"].startswith(f"gp_{made['prefix']}_")
    listed = pair.remote("key", "list").out
    assert re.search(rf"{made['prefix']} +acme +alice +evaluate +counts", listed)
    assert pair.remote("key", "revoke", made["prefix"]).code == 0
    assert pair.remote("key", "revoke", made["prefix"]).code == 1
    told = {one["prefix"]: one for one in pair.remote("key", "list", "--json").json}
    assert told[made["prefix"]]["revoked_at"] is not None
    assert "key" not in told[made["prefix"]]


def test_what_reviewers_marked_is_revoked_alike(pair: Pair, tmp_path: Path) -> None:
    """Of a file that either has written; what is gone is told again."""
    review = tmp_path / "review.csv"
    rows = list(csv.DictReader(pair.both("review", "export", "--no-history").out.splitlines()))
    (marked,) = [{**row, "decision": "revoke"} for row in rows if row["principal"] == "bob"]
    with review.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(marked))
        writer.writeheader()
        writer.writerow(marked)
    pair.both("review", "apply", str(review), "--dry-run")
    assert pair.both("review", "apply", str(review), "--yes").code == 0
    pair.both("review", "apply", str(review), "--yes")
    pair.both("export", "acme")


def test_sessions_are_opened_changed_and_ended_alike(pair: Pair) -> None:
    """Each in its own place, under an id of its own, told in the same words."""
    for run in (pair.local, pair.remote):
        # What the server logs would be told in between: it is in this process.
        with capture_logs():
            check_a_session(run)


def check_a_session(run: Callable[..., Ended]) -> None:
    """Its whole life."""
    asked = ["bob", "write", "docs", "--region", "us-east-1", "--session"]
    name = run("session", "create", "bob", "--role", "viewer").out.strip()
    assert run("session", "create", "nobody").code == 1
    refused = run("session", "create", "bob", "--role", "finance", "--json")
    assert (refused.code, refused.json["code"]) == (1, "not_held")
    for verb in ("evaluate", "explain", "consume"):
        assert run(verb, *asked, name).out.startswith("Deny: no matching claim")
    assert run("session", "add-role", name, "editor").out == f"added `editor` to `{name}`\n"
    assert run("evaluate", *asked, name).code == 0
    (shown,) = run("session", "list", "--principal", "bob", "--json").json
    assert (shown["id"], shown["roles"]) == (name, ["editor", "viewer"])
    assert run("session", "drop-role", name, "editor", "--json").json["roles"] == ["viewer"]
    assert run("session", "drop-role", name, "editor").code == 1
    told = run("session", "show", name, "--json").json
    assert (told["roles"], told["active_roles"]) == (["viewer"], ["viewer"])
    assert run("session", "delete", name).out == f"ended session `{name}`\n"
    assert run("session", "delete", name).code == run("session", "show", name).code == 1
    assert run("evaluate", *asked, name).code == 1
    assert run("evaluate", *asked, name, "--active-role", "viewer").code == 2


@pytest.mark.parametrize("is_late", [False, True])
def test_a_plan_is_made_of_the_revision_that_was_shown_only(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, is_late: bool
) -> None:
    """Whoever is overtaken, while it is tried or after, is told so and changes nothing."""
    for operator in (LocalOperator, RemoteOperator):
        monkeypatch.setattr(operator, "rehearse", overtaken(operator.rehearse, is_late=is_late))
    ended = pair.both("principal", "join", "dora", "--role", "viewer", "--yes")
    assert (ended.code, "has changed meanwhile" in ended.err) == (3, True)
    assert pair.both("principal", "show", "dora").code == 1


def overtaken(rehearse: Callable[..., Any], *, is_late: bool) -> Callable[..., Any]:
    """The same, but somebody else makes a role before it is tried, or after."""

    def tried(operator: Any, organization: Any, *commands: Any, at: int) -> Any:
        found = rehearse(operator, organization, *commands, at=at) if is_late else None
        operator.change(organization, CreateRole(RoleId("meanwhile")))
        return found if is_late else rehearse(operator, organization, *commands, at=at)

    return tried


def test_the_reason_goes_with_the_change(pair: Pair) -> None:
    """Whatever letters it has."""
    reason = "für Ünïcode: 100% sure"
    assert pair.remote("role", "create", "x", "--reason", reason).code == 0
    told = pair.remote("audit", "tail", "-n", "1", "--json").json
    assert told["reason"] == reason
    assert told["actor"].startswith("key:")
