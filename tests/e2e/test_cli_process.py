"""The command line as people and scripts meet it: real processes, pipes, a real terminal."""

import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from grantproof.bootstrap import compose
from grantproof.settings import Settings
from tests.databases import copied
from tests.processes import PROGRAM, bare

HEAVY = (
    "alembic",
    "fastapi",
    "httpx2",
    "pydantic",
    "rich",
    "ruamel",
    "sqlalchemy",
    "uvicorn",
    "z3",
)
SAMPLES = 5


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment that names a database and an organization and nothing else of ours."""
    database = str(tmp_path / "cli.db")
    return bare(GRANTPROOF_DATABASE_URL=database, GRANTPROOF_ORG="acme", TERM="xterm")


def run(
    *arguments: str, environment: Mapping[str, str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the program as a shell would."""
    return subprocess.run(
        [PROGRAM, *arguments],
        env=environment,
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def on_a_terminal(*arguments: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run the program on a terminal of its own: its exit code, and all that was shown."""
    ours, theirs = pty.openpty()
    shown: list[bytes] = []

    def watch() -> None:
        try:
            while block := os.read(ours, 4_096):
                shown.append(block)
        except OSError:  # the terminal is gone with the last process on it
            return

    watching = threading.Thread(target=watch)
    watching.start()
    done = subprocess.run(
        [PROGRAM, *arguments],
        env={**environment, "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        check=False,
        timeout=60,
    )
    os.close(theirs)
    watching.join()
    os.close(ours)
    return done.returncode, b"".join(shown).decode()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo organization in it, to be copied."""
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    compose(Settings(database_url=str(path), demo=True)).close()
    return path


@pytest.fixture
def acme(demo: Path, environment: dict[str, str]) -> dict[str, str]:
    """The environment, with the demo organization in its database."""
    copied(demo, Path(environment["GRANTPROOF_DATABASE_URL"]))
    return environment


def seconds(*command: str | Path) -> float:
    """The median time of a command."""
    times = []
    for _ in range(SAMPLES):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - begun)
    return sorted(times)[SAMPLES // 2]


def test_help_imports_nothing_heavy(record_property: Callable[[str, object], None]) -> None:
    """That is what keeps it quick; the time itself is reported, not judged."""
    script = (
        "import sys; from grantproof.cli.main import program\n"
        "try: program().main(['--help'], prog_name='grantproof')\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "typer" in loaded
    assert loaded & set(HEAVY) == set()
    help_seconds, floor = seconds(PROGRAM, "--help"), seconds(sys.executable, "-c", "pass")
    record_property("help_ms", round(help_seconds * 1_000))
    record_property("help_over_bare_python", round(help_seconds / floor, 1))
    sys.stdout.write(
        f"--help: {help_seconds * 1_000:.0f} ms, bare python: {floor * 1_000:.0f} ms\n"
    )


def test_an_administrator_at_work(acme: dict[str, str]) -> None:
    """Yes, no, refused and not understood: by exit codes, and one line each."""
    assert run("assign", "carol", "viewer", environment=acme).returncode == 0
    denied = run("evaluate", "carol", "read", "docs", "--hour", "22", environment=acme)
    assert (denied.returncode, denied.stderr) == (1, "")
    assert denied.stdout.startswith("Deny: time window 9-17 does not hold at hour 22")
    refused = run("assign", "carol", "submitter", environment=acme)
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (1, "", 1)
    assert "submitter conflicts with finance" in refused.stderr
    mistyped = run("assign", "carol", environment=acme)
    assert (mistyped.returncode, mistyped.stdout, mistyped.stderr.count("\n")) == (2, "", 1)


def test_an_organization_travels_through_a_pipe(acme: dict[str, str]) -> None:
    """What export writes, import reads, and both decide alike."""
    exported = run("export", "acme", environment=acme).stdout
    copied = run("import", "-", "--org", "copy", environment=acme, given=exported)
    assert (copied.returncode, copied.stderr) == (0, "")
    there = run("export", "copy", environment=acme).stdout
    assert there.replace("id: copy", "id: acme", 1) == exported


def test_a_pipe_gets_no_colours_and_no_rules(acme: dict[str, str]) -> None:
    """Plain ASCII text that lines up, even where colours are forced upon everybody."""
    told = run("claim", "list", environment={**acme, "FORCE_COLOR": "1"})
    assert told.stdout.isascii()
    assert "\x1b" not in told.stdout


def test_a_terminal_gets_tables_and_trees(acme: dict[str, str]) -> None:
    """Rules and branches; the witness of a refusal is a tree below its line."""
    _, table = on_a_terminal("claim", "list", environment=acme)
    assert "─────" in table
    code, refusal = on_a_terminal("assign", "carol", "submitter", environment=acme)
    assert code == 1
    assert "principal carol would hold" in refusal
    assert re.search(r"├── .*role submitter", refusal) is not None


def test_an_import_on_a_terminal_shows_a_bar(acme: dict[str, str], tmp_path: Path) -> None:
    """It is gone when the work is done."""
    file = tmp_path / "copy.yaml"
    file.write_text("apiVersion: grantproof/v1\nkind: Organization\nid: copy\nroles: [{id: r}]\n")
    code, shown = on_a_terminal("import", str(file), environment=acme)
    assert code == 0
    assert "\x1b[2K" in shown
    assert "imported organization `copy` (copy, revision 1)" in shown


def test_a_closed_pipe_is_no_traceback(acme: dict[str, str]) -> None:
    """As in `grantproof claim list --json | head -c 1`."""
    done = subprocess.run(
        ["sh", "-c", f"{PROGRAM} claim list --json | head -c 1"],
        env=acme,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "["
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [("claim", "list"), ("claim", "list", "--json"), ("export", "acme"), ("--version",)],
)
def test_an_answer_that_cannot_be_written_is_none(
    acme: dict[str, str], arguments: tuple[str, ...]
) -> None:
    """Neither a yes nor a no: one line, and nothing of Python."""
    with Path("/dev/full").open("w") as full:
        done = told_to(full.fileno(), *arguments, environment=acme)
    assert done.returncode == 3
    why = "the answer cannot be written: no space left on device"
    assert done.stderr == f"{why}: after a change, look before trying again\n"


def test_a_reader_that_left_ends_the_command_in_silence(acme: dict[str, str]) -> None:
    """Whether it was an allow, nobody was told."""
    reading, writing = os.pipe()
    os.close(reading)
    done = told_to(writing, "evaluate", "bob", "read", "docs", "--hour", "10", environment=acme)
    os.close(writing)
    assert (done.returncode, done.stderr) == (3, "")


def told_to(
    descriptor: int, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the program with that as its standard output."""
    return subprocess.run(
        [PROGRAM, *arguments],
        env=environment,
        stdout=descriptor,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("claim list >&-", 0, ""),
        ("claim show nothing 2>&-", 1, ""),
        ("claim show nothing 2>/dev/full", 1, ""),
        ("policy check - <&-", 1, "-:1:1: must be an object\n"),
        (
            "org delete acme <&-",
            2,
            "deleting organization `acme` is for good: confirm it with --yes\n",
        ),
    ],
)
def test_a_closed_standard_stream_is_no_traceback(
    acme: dict[str, str], line: str, code: int, told: str
) -> None:
    """As some schedulers start what they run: it reads as empty, and nobody can be asked."""
    done = subprocess.run(
        ["sh", "-c", f"{PROGRAM} {line}"], env=acme, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (code, told)


def test_a_poor_encoding_spoils_no_document(acme: dict[str, str]) -> None:
    """What it lacks is written out for people; documents are UTF-8, as they are read."""
    poor = {**acme, "PYTHONIOENCODING": "latin-1"}
    assert run("principal", "create", "zoe", "-a", "name=Zoë 日", environment=poor).returncode == 0
    shown = told_in_bytes("principal", "list", environment=poor)
    assert 'name="Zoë \\u65e5"'.encode("latin-1") in shown
    for arguments in (("export", "acme"), ("principal", "list", "--json")):
        assert "Zoë 日".encode() in told_in_bytes(*arguments, environment=poor)


def told_in_bytes(*arguments: str, environment: Mapping[str, str]) -> bytes:
    """Run the program, which has to go well, and return what it printed."""
    done = subprocess.run([PROGRAM, *arguments], env=environment, capture_output=True, check=True)
    return done.stdout


def test_completion_can_be_shown(environment: dict[str, str]) -> None:
    """For the shell that asks."""
    asked = {**environment, "_GRANTPROOF_COMPLETE": "complete_bash"}
    words = {"COMP_WORDS": "grantproof ro", "COMP_CWORD": "1"}
    assert run(environment={**asked, **words}).stdout.split() == ["role"]
