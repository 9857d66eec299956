"""Completion in a real bash, with the script that the program prints; its cost; zsh and fish."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from grantproof.bootstrap import compose
from grantproof.settings import Settings
from tests.processes import bare

PROCESSOR_SECONDS_MAX = 0.6
"""Of one question of a shell, on any machine that tests run on; it is about 0.2."""
# The script asks through `env`, which knows no functions: so the program is a file on the path.
ASK = r"""
set -u
PATH="$PWD/bin:$PATH"
eval "$(grantproof --show-completion)"
complete -p grantproof
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_grantproof_completion grantproof
printf '%s\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program on the path and the demo's database."""
    folder = tmp_path_factory.mktemp("shell")
    compose(Settings(database_url=str(folder / "grantproof.db"), demo=True)).close()
    (folder / "bin").mkdir()
    program = folder / "bin" / "grantproof"
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m grantproof "$@"\n')
    program.chmod(0o755)
    (folder / "policy.yaml").write_text("")
    return folder


def completed(folder: Path, *words: str) -> tuple[str, list[str]]:
    """How the shell completes the program, and what it offers for the last word."""
    done = subprocess.run(
        ["bash", "--norc", "--noprofile", "-c", ASK, "bash", *words],
        cwd=folder,
        env=bare(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    how, *offered = done.stdout.splitlines()
    return how, [one for one in offered if one]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["grantproof", "pol"], ["policy"]),
        (["grantproof", "policy", "ap"], ["apply"]),
        (["grantproof", "policy", "apply", "--dr"], ["--dry-run"]),
        (["grantproof", "policy", "export", "--format", ""], ["yaml", "json"]),
        (["grantproof", "--org", "acme", "assign", "a"], ["alice"]),
        (["grantproof", "assign", "--org", "acme", "alice", "e"], ["editor"]),
        (["grantproof", "--org", ""], ["acme"]),
    ],
    ids=" ".join,
)
def test_bash_completes(folder: Path, typed: list[str], expected: list[str]) -> None:
    """A command, a command within a group, an option, its values, ids and organizations."""
    how, offered = completed(folder, *typed)
    assert how == "complete -o default -F _grantproof_completion grantproof"
    assert offered == expected


def test_bash_completes_files_itself(folder: Path) -> None:
    """Where nothing of ours is offered, `-o default` lets the shell offer its files."""
    how, offered = completed(folder, "grantproof", "policy", "check", "pol")
    assert "-o default" in how
    assert offered == []


def asked(folder: Path, shell: str, line: str, **more: str) -> str:
    """What the program answers to that shell."""
    name, value = "_GRANTPROOF_COMPLETE", f"complete_{shell}"
    done = subprocess.run(
        [folder / "bin" / "grantproof"],
        cwd=folder,
        env=bare(**{name: value, "_TYPER_COMPLETE_ARGS": line, **more}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_zsh_and_fish_are_answered(folder: Path) -> None:
    """In the language of each; where nothing is offered, zsh is told to offer files."""
    assert '"editor"' in asked(folder, "zsh", "grantproof --org acme role show e")
    assert asked(folder, "zsh", "grantproof policy check ").strip() == "_files"
    getting = {"_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    assert asked(folder, "fish", "grantproof --org acme role show e", **getting).split() == [
        "editor"
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_each_shell(folder: Path, shell: str) -> None:
    """The one that the page on completion tells to install."""
    script = "import sys; from grantproof.cli.main import main; main(['--show-completion'])"
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script.replace("']", f"', '{shell}']")],
        cwd=folder,
        env=bare(**named),
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"complete_{shell}" in done.stdout


def test_completion_costs_little(folder: Path) -> None:
    """Processor time, the child's own: whoever waits for a shell waits for this."""
    script = (
        "import os, subprocess, sys\n"
        "subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)\n"
        "took = os.times(); print(took.children_user + took.children_system)\n"
    )
    words = "grantproof --org acme assign alice "
    told = bare(
        _GRANTPROOF_COMPLETE="complete_bash", COMP_WORDS=words, COMP_CWORD=str(len(words.split()))
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder / "bin" / "grantproof")],
        cwd=folder,
        env=told,
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout) < PROCESSOR_SECONDS_MAX
