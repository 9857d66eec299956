"""Policy files as they were at a revision of git: read from its objects, nothing is checked out.

Git is run without a shell, and never asks anything. A link is not followed: at another revision it
may lead elsewhere.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from grantproof.cli.exits import ExitCode, Stop, usage
from grantproof.client.policy_paths import ENDINGS, STANDARD_INPUT, TEST_ENDINGS

SECONDS_MAX: Final = 60
PLACES: Final = frozenset({"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"})
"""What a hook of git is given, and what would make paths mean something else."""

QUIET: Final = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """A file of a revision: its mode, its object and its path from the top of the repository."""

    mode: str
    name: str
    path: PurePosixPath


def texts_at(revision: str, paths: Sequence[str]) -> dict[str, str]:
    """Return the policy files at the paths as they were at the revision, by what they are called.

    None when the revision has nothing there. Raises `Stop` when git cannot tell.
    """
    if STANDARD_INPUT in paths:
        raise usage("the standard input was not at any revision of git: name files")
    if not revision or revision.startswith("-"):
        raise usage(f"`{revision}` is no revision of git")
    here = Path(paths[0])
    folder = here if here.is_dir() else here.parent
    top = Path(_line(folder, "rev-parse", "--show-toplevel"))
    inside = [_inside(top, path) for path in paths]
    commit = _commit(folder, revision)
    entries: dict[PurePosixPath, _Entry] = {}
    for path in inside:
        for entry in _listed(top, commit, path):
            entries.setdefault(entry.path, entry)
    linked = [str(one.path) for one in entries.values() if not one.mode.startswith("100")]
    if linked:
        line = f"at `{revision}` `{linked[0]}` is a link, which is not followed there"
        raise usage(line)
    contents = _contents(top, [one.name for one in entries.values()])
    return {
        called: _decoded(called, content)
        for called, content in zip(
            (f"git:{revision}:{path}" for path in entries), contents, strict=True
        )
    }


def _commit(folder: Path, revision: str) -> str:
    done = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if done.returncode != 0:
        line = (
            f"git does not know the revision `{revision}`: fetch it first, a shallow clone has"
            " only the last ones"
        )
        raise usage(line)
    return done.stdout.decode().strip()


def _inside(top: Path, path: str) -> PurePosixPath:
    """Return the path from the top of the repository; raises `Stop` when it is not in it."""
    given = Path(os.path.abspath(path))  # noqa: PTH100 - links are kept: git knows them as such
    for found in (given.parent.resolve() / given.name, given.resolve()):
        if found.is_relative_to(top):
            return PurePosixPath(found.relative_to(top).as_posix())
    raise usage(f"`{path}` is not in the git repository `{top}`")


def _listed(top: Path, commit: str, path: PurePosixPath) -> Iterator[_Entry]:
    """Yield the policy files at the path, as a folder is walked: names with a dot are left out."""
    told = _checked(top, "ls-tree", "-r", "-z", "--full-tree", commit, "--", str(path))
    for line in filter(None, told.split(b"\0")):
        facts, _, name = line.partition(b"\t")
        mode, _, blob = facts.decode().split(" ")
        found = PurePosixPath(os.fsdecode(name))
        below = found.relative_to(path).parts
        meant = found.name.endswith(ENDINGS) and not any(part.startswith(".") for part in below)
        # A file that is named itself is meant, whatever its name; so is a link in its place.
        if (meant or below == ()) and not found.name.endswith(TEST_ENDINGS):
            yield _Entry(mode, blob, found)


def _contents(top: Path, names: Iterable[str]) -> Iterator[bytes]:
    asked = "".join(f"{name}\n" for name in names).encode()
    rest = _checked(top, "cat-file", "--batch", given=asked)
    while rest:
        facts, _, rest = rest.partition(b"\n")
        size = int(facts.split(b" ")[2])
        yield rest[:size]
        rest = rest[size + 1 :]


def _decoded(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise usage(f"{name}:{line}:1: not UTF-8") from None


def _line(folder: Path, *arguments: str) -> str:
    return os.fsdecode(_checked(folder, *arguments)).removesuffix("\n")


def _checked(folder: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = _git(folder, *arguments, given=given)
    if done.returncode != 0:
        first = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise usage(f"git cannot read the base: {first.removeprefix('fatal: ')}")
    return done.stdout


def _git(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    program = shutil.which("git")
    if program is None:
        raise usage("a base of `git:` needs the program `git`, which is not installed")
    around = {name: value for name, value in os.environ.items() if name not in PLACES}
    try:
        return subprocess.run(  # noqa: S603 - no shell, and no argument can be taken for an option
            (program, *arguments),
            cwd=folder,
            input=given,
            capture_output=True,
            timeout=SECONDS_MAX,
            check=False,
            env=around | QUIET,
        )
    except subprocess.TimeoutExpired:
        line = f"git did not answer within {SECONDS_MAX} seconds"
        raise Stop(ExitCode.UNDETERMINED, line) from None
