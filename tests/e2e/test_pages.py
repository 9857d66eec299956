"""Every page of the documentation is carried out: its files written, its commands run in a shell.

One shell runs a page from its top to its end, in an empty folder, as a reader would. What a command
prints has to be what stands below it, where `...` is anything. A block that shows no output at all
is a list of commands, each of which has to succeed. `tests/repository/test_documentation.py` says
which commands are left out, and why.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import pytest

from grantproof.bootstrap import compose
from grantproof.settings import Settings
from tests.databases import copied
from tests.e2e.test_late_database import until
from tests.pages import Block, agrees, blocks, pages, steps
from tests.processes import PROGRAM, bare, free_port
from tests.repository.documentation import CARRIED_OUT, Page, left_out
from tests.warm import ROOT, Warm, programs

PATIENCE_SECONDS = 300
INSTANT = 1_795_275_000
"""2026-11-21T15:30:00Z, a Saturday: the time at which the examples of the pages were found, and at
which the clock of commands stands still."""
END = "\x1e"
"""A character that no command prints stands between what one prints and how it ended."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command printed, on both outputs in turn, and its exit code."""

    printed: str
    code: int


class Shell:
    """A shell that runs one command after the other; what one sets, the next has."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._watchdog = threading.Timer(PATIENCE_SECONDS, self._kill)
        self._watchdog.start()

    def run(self, command: str) -> Ended:
        """Run one command, which has no standard input."""
        told, heard = self._process.stdin, self._process.stdout
        assert told is not None
        assert heard is not None
        told.write(f"{{ {command}\n}} </dev/null\nprintf '{END}%s\\n' $?\n")
        told.flush()
        printed = ""
        while END not in printed:
            line = heard.readline()
            assert line, f"the shell ended at `{command}`: {printed}"
            printed += line
        before, _, code = printed.partition(END)
        return Ended(before, int(code))

    def close(self) -> None:
        """Let go of the shell, and of what runs in it."""
        self._watchdog.cancel()
        self._kill()
        self._process.communicate()

    def _kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the demo organization in it, to be copied."""
    path = tmp_path_factory.mktemp("acme") / "acme.db"
    compose(Settings(database_url=str(path), demo=True)).close()
    return path


@contextmanager
def shell_for(page: Page, folder: Path, *, acme: Path) -> Iterator[Shell]:
    """A shell in the folder, where the page says that its reader is."""
    database, port = folder.parent / "grantproof.db", free_port()
    (folder.parent / ".curlrc").write_text(f'connect-to = "localhost:9090:127.0.0.1:{port}"\n')
    prepared = {"GRANTPROOF_DATABASE_URL": str(database), "GRANTPROOF_ORG": "acme"}
    environment = {
        **bare(HOME=str(folder)),
        **({} if page.alone else prepared),
        "PATH": f"{programs(INSTANT)}:{PROGRAM.parent}:{os.environ['PATH']}",
        "CURL_HOME": str(folder.parent),
        "GRANTPROOF_PORT": str(port),
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
    }
    with ExitStack() as stack:
        if page.demo:
            copied(acme, database)
        if page.served:
            stack.enter_context(service(environment))
            until(port, 200)
        shell = Shell(folder, environment)
        stack.callback(shell.close)
        for line in page.before.strip().splitlines():
            ended = shell.run(line)
            assert ended.code == 0, (line, ended)
        yield shell


@contextmanager
def service(environment: dict[str, str]) -> Iterator[None]:
    """The demo's service, as long as it is needed."""
    quiet = subprocess.DEVNULL
    server = Warm(["serve", "--demo"], env=environment, stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        server.kill()
        server.wait()


def carry_out(block: Block, shell: Shell, folder: Path) -> list[str]:
    """Do what a block asks for; returns what is not as it says."""
    if block.name:
        file = folder / block.name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text)
        return []
    if block.language != "console":
        return []
    wrong = []
    listed = all(step.shown == "" for step in steps(block.text))
    for step in steps(block.text):
        if left_out(step.command):
            continue
        ended = shell.run(step.command)
        right = succeeded(step.command, ended) if listed else agrees(step.shown, ended.printed)
        if not right:
            wrong.append(f"line {block.line}: $ {step.command}\n{ended.printed}({ended.code})")
    return wrong


def succeeded(command: str, ended: Ended) -> bool:
    """Whether a command did what it is for; one that only searches may find nothing."""
    return ended.code == 0 or (ended.code == 1 and " | grep " in command and ended.printed == "")


@pytest.mark.parametrize("page", CARRIED_OUT, ids=lambda page: str(page.path))
def test_a_page_shows_what_happens(
    page: Page,
    tmp_path: Path,
    *,
    acme: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """From its first command to its last."""
    folder = tmp_path / "reader"
    folder.mkdir()
    begun = perf_counter()
    with shell_for(page, folder, acme=acme) as shell:
        wrong = [
            fault
            for block in blocks(pages()[page.path])
            for fault in carry_out(block, shell, folder)
        ]
    assert not wrong, "\n\n".join(wrong)
    record_property("figure", f"{page.path}: {perf_counter() - begun:.1f} s")


def test_a_page_that_lies_is_found_out(tmp_path: Path) -> None:
    """By what a command prints, by how it ends, and by a file that is not what it was."""
    shell = Shell(tmp_path, dict(os.environ))
    try:
        page = (
            "`a/b.txt`:\n\n```text\nred\n```\n\n```console\n$ cat a/b.txt\n{}\n$ exit_with=3\n```\n"
        )
        told = {text: [*page_of(page.format(text), shell, tmp_path)] for text in ("red", "blue")}
        listed = "```console\n$ false\n$ echo $exit_with\n```\n"
        assert [*page_of(listed, shell, tmp_path)] == ["line 1: $ false\n(1)"]
    finally:
        shell.close()
    assert told == {"red": [], "blue": ["line 7: $ cat a/b.txt\nred\n(0)"]}


def page_of(text: str, shell: Shell, folder: Path) -> Iterator[str]:
    """What is wrong with a page."""
    for block in blocks(text):
        yield from carry_out(block, shell, folder)
