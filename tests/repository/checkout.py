"""Which files the repository tests look at: all that git tracks, or would on the next `git add`."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE_SUFFIXES = {".py", ".sh", ".toml", ".yaml", ".yml"}


@cache
def listed_files() -> tuple[Path, ...]:
    """The checkout's files relative to its top, sorted; ignored and deleted ones left out."""
    paths = tracked() if (ROOT / ".git").exists() else unpacked()
    return tuple(sorted(path for path in paths if (ROOT / path).is_file()))


def tracked() -> set[Path]:
    """The files that git tracks or does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return {Path(name) for name in done.stdout.split("\0") if name}


def unpacked() -> set[Path]:
    """The same in an archive unpacked without git, read off the simple patterns of .gitignore."""
    return {
        path for path in (path.relative_to(ROOT) for path in ROOT.rglob("*")) if not ignored(path)
    }


def ignored(path: Path) -> bool:
    """Whether a pattern of .gitignore, all of which are simple ones, takes the path."""
    return any(fnmatch(part, pattern) for part in path.parts for pattern in _patterns())


@cache
def _patterns() -> tuple[str, ...]:
    lines = (ROOT / ".gitignore").read_text().splitlines()
    return tuple(line.rstrip("/") for line in lines if line and not line.startswith("#"))


def python_files(folder: str = ".") -> list[Path]:
    """The listed Python files under `folder`."""
    return [path for path in listed_files() if path.suffix == ".py" and path.is_relative_to(folder)]


def code_files() -> list[Path]:
    """The listed files that people read as code: Python, shell, configuration, the Makefile."""
    return [
        path
        for path in listed_files()
        if path.suffix in CODE_SUFFIXES or path.name == "Makefile" or path.parts[0] == ".ci"
    ]


def read(path: Path) -> str:
    """The text of a listed file; undecodable bytes are replaced, so that binary files pass by."""
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


@dataclass(frozen=True)
class Function:
    """A function: its name, its length from `def` to its last line, and whether it says a word."""

    name: str
    lines: int
    described: bool


@cache
def functions_in(path: Path) -> tuple[Function, ...]:
    """The functions of a listed file, whose text is parsed once for all who ask."""
    return tuple(functions(read(path)))


def functions(source: str) -> Iterator[Function]:
    """The functions of a source, nested and asynchronous ones and methods too."""
    # Only statements can hold one: to walk the expressions too takes as long as to parse them.
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            yield Function(node.name, lines, bool(ast.get_docstring(node)))
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, part, ())
