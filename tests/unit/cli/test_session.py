"""`grantproof session`, and `--session` of what asks: exit codes, and what is printed."""

from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import Run

READ = ("bob", "read", "docs", "--hour", "10", "--weekday", "wed")
WRITE = ("bob", "write", "docs", "--region", "us-east-1")


def opened(run: Run, *roles: str, principal: str = "bob", lasting: str = "1h") -> str:
    """The id of a new session."""
    chosen = [word for role in roles for word in ("--role", role)]
    made = run("session", "create", principal, *chosen, "--expires-in", lasting)
    assert made.code == 0, made.err
    return made.out.strip()


def test_a_session_is_opened_shown_listed_and_ended(run: Run, revision: Callable[[], int]) -> None:
    """The id alone on the standard output; what is ended is gone. No revision moves."""
    before = revision()
    name = opened(run, "editor", "viewer")
    shown = run("session", "show", name, "--json").json
    assert (shown["principal"], shown["roles"]) == ("bob", ["editor", "viewer"])
    assert shown["active_roles"] == ["editor", "viewer"]
    assert shown["expires_at"] - shown["created_at"] == 3_600
    assert shown["opened_by"].startswith("os:")
    told = run("session", "show", name).out
    assert f"{name}\n" in told
    assert "active roles" in told
    alices = opened(run, principal="alice")
    header, *lines = run("session", "list").out.splitlines()
    assert header.split() == ["SESSION", "PRINCIPAL", "ROLES", "UNTIL"]
    assert sorted(line.split()[0] for line in lines) == sorted([name, alices])
    listed = run("session", "list", "--principal", "alice", "--json").json
    assert [one["id"] for one in listed] == [alices]
    assert run("session", "delete", name).out == f"ended session `{name}`\n"
    assert run("session", "delete", alices, "--json").json == {
        "outcome": "ended",
        "session": alices,
    }
    for command in ("show", "delete"):
        gone = run("session", command, name)
        assert (gone.code, gone.line) == (1, f"session `{name}` does not exist")
    assert run("session", "list", "--json").json == []
    assert revision() == before


def test_a_session_of_the_default_length(run: Run) -> None:
    """Twelve hours; for programs the session itself."""
    made = run("session", "create", "bob", "--json").json
    assert made["expires_at"] - made["created_at"] == 12 * 3_600
    assert made["roles"] == []


def test_roles_are_added_and_dropped(run: Run) -> None:
    """And said so; what cannot be is refused with its witness."""
    name = opened(run, "viewer")
    added = run("session", "add-role", name, "editor")
    assert (added.code, added.out) == (0, f"added `editor` to `{name}`\n")
    assert run("evaluate", *WRITE, "--session", name).code == 0
    dropped = run("session", "drop-role", name, "editor", "--json").json
    assert dropped["roles"] == ["viewer"]
    again = run("session", "drop-role", name, "editor")
    assert (again.code, again.line) == (1, f"active role `editor` of `{name}` does not exist")
    lacking = run("session", "add-role", name, "finance")
    assert lacking.line == "`bob` does not hold `finance` now: choose roles that it holds"
    told = run("session", "add-role", name, "finance", "--json").json
    assert (told["outcome"], told["code"]) == ("refused", "not_held")
    assert told["witness"]["roles"] == ["finance"]


def test_a_clash_is_refused(run: Run) -> None:
    """As a decision would deny it."""
    run("sod", "create", "apart", "viewer", "finance", "--mode", "dynamic")
    run("assign", "bob", "finance")
    ended = run("session", "create", "bob", "--role", "editor", "--role", "finance")
    assert (ended.code, ended.line) == (
        1,
        "session: finance, viewer may not be active together: choose fewer",
    )


def test_what_is_asked_in_a_session_has_its_roles(run: Run) -> None:
    """`evaluate`, `consume` and `explain`; one that is not the principal's is a deny."""
    viewer, alices = opened(run, "viewer"), opened(run, principal="alice")
    assert run("evaluate", *READ, "--session", viewer).code == 0
    assert run("evaluate", *WRITE).code == 0
    denied = run("evaluate", *WRITE, "--session", viewer)
    assert (denied.code, denied.out.splitlines()[0]) == (1, "Deny: no matching claim")
    for name in (alices, "never"):
        told = run("evaluate", *READ, "--session", name, "--json")
        assert (told.code, told.json["reason_code"]) == (1, "no_session")
        assert run("explain", *READ, "--session", name, "--json").json["reason_code"] == (
            "no_session"
        )
    assert run("explain", *READ, "--session", "never").out.startswith("Deny: session: ")
    assert run("explain", *READ, "--session", viewer).out.startswith("Allow")
    assert run("consume", *READ, "--session", viewer).code == 0
    assert run("consume", *WRITE, "--session", viewer).code == 1


def test_an_answer_in_a_session_says_until_when(run: Run) -> None:
    """The end of the session, where nothing else ends before."""
    name = opened(run, "editor")
    ends = run("session", "show", name, "--json").json["expires_at"]
    answer = run("evaluate", *WRITE, "--session", name, "--json").json
    assert answer["valid_until"] == ends


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            ("evaluate", *READ, "--session", "s", "--active-role", "viewer"),
            "a session has its roles: leave --session or --active-role out",
        ),
        (("session", "create", "bob", "--expires-in", "31d"), "`seconds` must be 1 to 2592000"),
        (("session", "create", "bob", "--expires-in", "soon"), "`soon` is no time"),
        (("evaluate", *READ, "--session", "no id"), "`session_id` must match"),
    ],
)
def test_what_cannot_be_meant_is_not_understood(
    run: Run, line: tuple[str, ...], message: str
) -> None:
    """Exit code 2, and one line."""
    ended = run(*line)
    assert ended.code == 2
    assert ended.line.startswith(message)


def test_a_session_of_nobody_is_refused(run: Run) -> None:
    """A principal or a role that is not there, one that is suspended, and no organization."""
    assert run("session", "create", "zoe").line == "principal `zoe` does not exist"
    missing = run("session", "create", "bob", "--role", "nothing")
    assert missing.line == "role `nothing` does not exist"
    run("principal", "suspend", "bob")
    assert run("session", "create", "bob").line == "principal is suspended"
    nowhere = run("session", "create", "bob", "--org", "nowhere")
    assert (nowhere.code, nowhere.line) == (1, "organization `nowhere` does not exist")
