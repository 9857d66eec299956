"""The program: help, global options, and command lines that are not understood."""

import os
import subprocess
import sys
from pathlib import Path
from platform import python_version

import pytest
import typer

from grantproof import __version__
from grantproof.adapters.verification import core_digest
from grantproof.cli.late import LateCommands
from grantproof.cli.main import COMMANDS, FIRST, Program, main, program
from tests.unit.cli.conftest import Run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, run: Run) -> None:
    """Each is listed by the program's help and explains itself."""
    assert f"  {command} " in run("--help").out
    told = run(command, "--help")
    assert (told.code, told.err) == (0, "")
    assert f"Usage: grantproof {command}" in told.out


def test_the_list_of_commands_says_of_each_what_it_says_itself() -> None:
    """The list is told without making the commands; each is what is listed, under its name."""
    for name, command in program().commands.items():
        first = (command.help or "").partition("\n\n")[0]
        assert (command.name, " ".join(first.split())) == (name, COMMANDS[name].help)


def test_a_command_costs_the_others_nothing() -> None:
    """The help makes no command, a command line the one that it names, completion none."""
    script = (
        "import sys; from grantproof.cli.main import program\n"
        "def loaded(): print(*sorted(n for n in sys.modules if n.startswith('grantproof.')))\n"
        "for words in (['--help'], ['role', '--help']):\n"
        "    try: program().main(words, prog_name='grantproof')\n"
        "    except SystemExit: pass\n"
        "    loaded()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    help_, role = (
        set(line.split()) for line in done.stdout.splitlines() if line.startswith("grantproof.")
    )
    parts = {"command", "completing", "examples", "exits", "late", "main", "operator", "output"}
    parts |= {"version"}
    assert help_ == {"grantproof.cli", *(f"grantproof.cli.{part}" for part in parts)}
    assert role - help_ == {"grantproof.cli.options", "grantproof.cli.role"}


def test_completion_of_a_name_makes_no_command() -> None:
    """What is typed is compared with the names; options are those of the program."""
    made = Program(name="grantproof")
    context = typer.Context(made)
    assert [one.value for one in made.shell_complete(context, "ro")] == ["role"]
    assert [one.value for one in made.shell_complete(context, "--")] == ["--help"]
    assert made.commands.keys() == COMMANDS.keys()
    assert isinstance(made.commands, LateCommands)
    assert made.commands.made == {}


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    """Whoever types the bare name is told what there is, and what to type; nothing was done."""
    ended = run()
    assert (ended.code, ended.out) == (2, run("--help").out)
    assert ended.err == f"{FIRST}\n"


def test_the_version_is_told(run: Run) -> None:
    """In one line, with the digest of the rules and the Python; whatever else stands there."""
    line = f"grantproof {__version__} (rules {core_digest()[:12]}, Python {python_version()})\n"
    for arguments in (["--version"], ["--json", "--version", "role", "list"]):
        ended = run(*arguments)
        assert (ended.code, ended.out) == (0, line)


def test_a_mistyped_command_or_option_names_the_near_one(run: Run) -> None:
    """On one line, with where to look."""
    for typed, near in ((["evalute"], "evaluate"), (["policy", "aply"], "apply")):
        ended = run(*typed)
        assert ended.code == 2
        assert f"no such command `{typed[-1]}`, did you mean `{near}`: see `" in ended.line
    line = run("--vesion").line
    assert line.startswith("no such option `--vesion`, did you mean ")
    assert "--version: see `grantproof --help`" in line


def test_the_help_tells_the_exit_codes(run: Run) -> None:
    """What a script needs to know stands in the help."""
    told = " ".join(run("--help").out.split())
    assert "0 yes or done, 1 no or refused, 2 not understood, 3 undetermined" in told


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["nope"], "no such command `nope`: see `grantproof --help`"),
        (["role"], "missing command: see `grantproof role --help`"),
        (
            ["role", "creat"],
            "no such command `creat`, did you mean `create`: see `grantproof role --help`",
        ),
        (["role", "create"], "missing argument `ROLE`: see `grantproof role create --help`"),
        (
            ["role", "create", "a", "b"],
            "more than it takes: `b`: see `grantproof role create --help`",
        ),
        (
            ["role", "create", "a", "--xyz"],
            "no such option `--xyz`: see `grantproof role create --help`",
        ),
        (
            ["evaluate", "a", "b", "c", "--hour", "x"],
            "--hour: must be a whole number: see `grantproof evaluate --help`",
        ),
        (
            ["policy", "test", "p", "--coverage-min", "x"],
            "--coverage-min: must be a number: see `grantproof policy test --help`",
        ),
        (
            ["policy", "diff", "a", "b", "--limit", "0"],
            "--limit: must be at least 1: see `grantproof policy diff --help`",
        ),
        (
            ["assignments", "import", "a.csv", "--batch", "100001"],
            "--batch: must be at most 100000: see `grantproof assignments import --help`",
        ),
        (
            ["evaluate", "a", "b", "c", "--hour", "\udcff"],
            "--hour: must be UTF-8: see `grantproof evaluate --help`",
        ),
        (
            ["sod", "create", "s", "a", "b", "--mode", "x"],
            "--mode: `x` is not one of `static`, `dynamic`: see `grantproof sod create --help`",
        ),
    ],
)
def test_a_command_line_that_is_not_understood_is_one_line(
    arguments: list[str], line: str, run: Run
) -> None:
    """It ends with code 2, in our words, with where to look."""
    ended = run(*arguments)
    assert (ended.code, ended.line) == (2, line)


def test_global_options_stand_before_or_after_the_command(run: Run) -> None:
    """Both places mean the same, and after the command wins."""
    before = run("--org", "acme", "--json", "role", "list")
    assert before.json == run("role", "list", "--org", "acme", "--json").json
    assert run("--org", "nope", "role", "list", "--org", "acme").code == 0


def test_an_empty_option_is_not_one_that_was_left_out(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that a script forgot to set must not mean the organization of the environment."""
    monkeypatch.setenv("GRANTPROOF_ORG", "acme")
    for arguments in (
        ("role", "delete", "viewer", "--org", ""),
        ("--org", "acme", "role", "delete", "viewer", "--org", ""),
        ("policy", "convert", "--from", "casbin", "--org", "", "policy.csv"),
    ):
        ended = run(*arguments)
        assert (ended.code, ended.line) == (2, "`org_id` must not be empty")
    assert "no address" in run("--server", "http://127.0.0.1:1", "role", "list", "--server", "").err


def test_the_command_line_goes_before_the_environment(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An organization that is named is meant, whatever the environment says."""
    monkeypatch.setenv("GRANTPROOF_ORG", "nope")
    assert run("role", "list").code == 1
    assert run("role", "list", "--org", "acme").code == 0


def test_no_organization_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --org and GRANTPROOF_ORG the line names both."""
    monkeypatch.delenv("GRANTPROOF_ORG")
    ended = run("role", "list")
    line = "no organization: name one with --org or GRANTPROOF_ORG"
    assert (ended.code, ended.line) == (2, line)


def test_an_absent_organization_is_one_line(run: Run) -> None:
    """It does not exist, so the answer is no."""
    ended = run("role", "list", "--org", "nope")
    assert (ended.code, ended.line) == (1, "organization `nope` does not exist")


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("PORT", "x", "must be a valid integer"),
        ("PORT", "0", "must be greater than or equal to 1"),
        ("DEMO", "maybe", "must be `true` or `false`"),
        ("LOG_LEVEL", "loud", "must be `debug`, `info`, `warning` or `error`"),
        ("LOG_FORMAT", "xml", "must be `auto`, `json` or `console`"),
    ],
)
def test_a_wrong_setting_is_one_line(
    name: str, value: str, rule: str, *, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It names the setting and the rule, and nothing is opened."""
    monkeypatch.setenv(f"GRANTPROOF_{name}", value)
    ended = run("role", "list")
    assert (ended.code, ended.line) == (2, f"the setting GRANTPROOF_{name} {rule}")


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("missing/x.db", "there is no folder `missing`"),
        ("text.txt", "the file `text.txt` is no database"),
        ("other://x/y", "databases of type `other` are not supported"),
    ],
)
def test_a_database_that_cannot_be_used_is_one_line(
    place: str, line: str, *, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is undetermined: code 3, and the line says what is wrong."""
    monkeypatch.chdir(tmp_path)
    text = tmp_path / "text.txt"
    text.write_text("no database")
    ended = run("role", "list", "--database", place)
    assert (ended.code, ended.line.partition(":")[0]) == (3, line)
    assert text.read_text() == "no database"


READING = ("role list", "org list", "evaluate a b c", "export acme", "org delete acme --yes")


@pytest.mark.parametrize("command", READING)
def test_a_mistyped_database_is_not_created(command: str, *, run: Run, tmp_path: Path) -> None:
    """Only what makes something makes a database; to all else a missing one is code 3."""
    path = tmp_path / "typo.db"
    ended = run(*command.split(), "--database", str(path))
    advice = "create an organization first, or name another with --database"
    assert (ended.code, ended.line) == (3, f"there is no database at `{path}`: {advice}")
    assert not path.exists()


def test_an_organization_is_created_with_its_database(run: Run, tmp_path: Path) -> None:
    """Whoever begins has no database yet; an empty file is none either."""
    path = tmp_path / "new.db"
    path.touch()
    assert run("org", "list", "--database", str(path)).code == 3
    assert path.read_bytes() == b""
    assert run("org", "create", "first", "--database", str(path)).code == 0
    assert "first" in run("org", "list", "--database", str(path)).out


def test_main_reads_the_arguments_of_the_process(
    database: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The entry point takes what the shell gave it."""
    assert os.environ["GRANTPROOF_DATABASE_URL"] == str(database)
    monkeypatch.setattr("sys.argv", ["grantproof", "org", "list"])
    with pytest.raises(SystemExit):
        main()
    assert "acme" in capsys.readouterr().out
