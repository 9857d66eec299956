"""The pages of the documentation as tests read them: their blocks, and the commands of a block.

A block names its language. `console` holds commands behind `$ ` with what they print, `text` is
only looked at, and a file is named behind the language or by the paragraph before it.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from tests.repository.checkout import listed_files, read

NOT_PAGES: Final = frozenset({Path("CHANGELOG.md")})
"""It tells what was: what it says is not true any more, and need not be."""

GENERATED: Final = Path("docs/reference")
"""`tests/repository/reference` makes these, and tests their examples."""

FENCE: Final = re.compile(
    r"(?:^`(?P<before>[\w./-]+)`:\n\n)?"
    r"^```(?P<language>[\w+-]*)(?: (?P<name>[^\n]+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
ANYTHING: Final = "..."


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences; `name` is that of the file which it is, if it is one."""

    language: str
    name: str
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Step:
    """A command as a reader types it, and what the page says that it prints."""

    command: str
    shown: str


@cache
def pages() -> dict[Path, str]:
    """The text of every page of the repository by its path."""
    return {
        path: read(path)
        for path in listed_files()
        if path.suffix == ".md" and path not in NOT_PAGES
    }


def written_by_people() -> dict[Path, str]:
    """The same without the pages that are made of the code, which have tests of their own."""
    return {path: page for path, page in pages().items() if GENERATED not in path.parents}


def blocks(page: str) -> list[Block]:
    """The blocks of a page, in order."""
    return [
        Block(
            found["language"],
            found["name"] or found["before"] or "",
            found["text"],
            page.count("\n", 0, found.start("language")) + 1,
        )
        for found in FENCE.finditer(page)
    ]


def steps(text: str) -> list[Step]:
    """The commands of a block; one goes on while a quotation or a backslash leaves it open."""
    made: list[Step] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            made.append(Step(whole(line[2:], lines), ""))
        elif made:
            made[-1] = Step(made[-1].command, f"{made[-1].shown}{line}\n")
        else:
            message = f"a block of commands begins with output: `{line}`"
            raise ValueError(message)
    return [Step(step.command, shown(step.shown)) for step in made]


def shown(output: str) -> str:
    """What is shown below a command, without the empty line before the next one."""
    return f"{output.rstrip()}\n" if output.strip() else ""


def whole(begun: str, lines: Iterator[str]) -> str:
    """A command with the lines that belong to it."""
    while is_open(begun):
        begun = f"{begun}\n{next(lines)}"
    return begun


def is_open(command: str) -> bool:
    """Whether a shell would wait for more."""
    if command.endswith(("\\", "|", "&&")):
        return True
    try:
        shlex.split(command, comments=True)
    except ValueError:
        return True
    return False


def agrees(shown: str, printed: str) -> bool:
    """Whether a command prints what is shown; `...` is anything in a line, alone any lines."""
    parts = [
        r"(?:.*\n)*" if line == ANYTHING else f"{'.*'.join(map(re.escape, line.split('...')))}\n"
        for line in shown.splitlines()
    ]
    ended = printed if printed.endswith("\n") or not printed else f"{printed}\n"
    return re.fullmatch("".join(parts), ended) is not None
