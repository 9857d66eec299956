"""Which of the locked packages are needed: `python deploy/release/locked.py serve > requirements`.

There is one lock, and it holds the tools of development too. Which package wants which stands in
its comments, and what it all begins with in `pyproject.toml`; so what a service needs can be cut
out of it, hashes and all. It is run before anything is installed: it needs Python alone.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
EXTRAS: Final = ("postgres", "otel")
"""Of the optional dependencies those that a service may have."""
ITSELF: Final = "grantproof"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VIA: Final = re.compile(r"^ +#(?: via)? +(?P<parent>[A-Za-z0-9._-]+)(?: \(pyproject\.toml\))?$")


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of the lock: its lines as they stand there, and who wants it."""

    name: str
    lines: tuple[str, ...]
    parents: frozenset[str]

    @property
    def pin(self) -> str:
        """The requirement without its hashes: name, version and marker."""
        return self.lines[0].removesuffix("\\").strip()


def wanted(purpose: str, project: Mapping[str, Any]) -> frozenset[str]:
    """Return the packages that a purpose begins with: `serve`, or `build` for the packages.

    Raises KeyError for another purpose.
    """
    table = project["project"]
    extras = [one for extra in EXTRAS for one in table["optional-dependencies"][extra]]
    begins = {
        "build": project["build-system"]["requires"],
        "serve": [*table["dependencies"], *extras],
    }
    return frozenset(map(_name, begins[purpose]))


def needed(lock: str, roots: Iterable[str]) -> list[Locked]:
    """Return the locked packages that the roots need, in the order of the lock."""
    packages = packages_of(lock)
    found = frozenset(roots)
    while True:
        more = found | {one.name for one in packages if one.parents & found}
        if more == found:
            break
        found = more
    missing = found - {one.name for one in packages}
    if missing:
        message = f"not in the lock: {', '.join(sorted(missing))}: run `make lock`"
        raise ValueError(message)
    return [one for one in packages if one.name in found]


def packages_of(lock: str) -> list[Locked]:
    """Return every package of a lock that uv has written; several lines may be of one name."""
    blocks: list[list[str]] = []
    for line in lock.splitlines():
        if line.startswith("#"):
            continue
        if line and not line[0].isspace():
            blocks.append([])
        if line:
            blocks[-1].append(line)
    return [_package(block) for block in blocks]


def _package(block: list[str]) -> Locked:
    lines = [line for line in block if not line.lstrip().startswith("#")]
    parents = {match["parent"] for line in block if (match := VIA.match(line)) is not None}
    return Locked(_name(block[0]), tuple(lines), frozenset(map(_name, parents - {ITSELF})))


def _name(requirement: str) -> str:
    """Return the name of a requirement in the one form of it."""
    found = NAME.match(requirement)
    if found is None:
        message = f"`{requirement}` names no package"
        raise ValueError(message)
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def of_checkout(purpose: str) -> list[Locked]:
    """Return what the purpose needs of the lock of this checkout."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    return needed(lock, wanted(purpose, project))


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for one in of_checkout(sys.argv[1]) for line in one.lines)
