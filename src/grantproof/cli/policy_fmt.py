"""`grantproof policy fmt`: policy files in one layout, so that a difference is always a change."""

import difflib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from grantproof.cli.exits import ExitCode, Stop, unusable
from grantproof.cli.operator import Operator
from grantproof.cli.output import complain, tell_json, tell_text
from grantproof.cli.policy_files import read_paths
from grantproof.client.policy_paths import STANDARD_INPUT

Formatted = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="PATHS",
        help=(
            "YAML or JSON files, or folders of them, to be written anew."
            " Without any, or with -, the standard input goes to the standard output."
        ),
    ),
]
Check = Annotated[bool, typer.Option("--check", help="Write nothing, and tell by the exit code.")]
Diff = Annotated[bool, typer.Option("--diff", help="Write nothing, and show what would change.")]


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is not in its canonical form."""

    name: str
    text: str
    formatted: str

    def difference(self) -> Iterator[str]:
        """Yield the lines of a unified diff, which `patch` understands."""
        before, after = (StringIO(text, newline="\n") for text in (self.text, self.formatted))
        for line in difflib.unified_diff(
            list(before), list(after), fromfile=self.name, tofile=f"{self.name} (formatted)"
        ):
            yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"


def fmt(
    operator: Operator, paths: Formatted = None, *, check: Check = False, diff: Diff = False
) -> None:
    """Put policy files into their canonical form; comments and the order of entries stay.

    With --check or --diff nothing is written, and the exit code is 1 if something would change.
    A file that cannot be read ends with code 2, and then no file is written.
    """
    texts = read_paths(paths or [STANDARD_INPUT])
    changes = _changes(texts)
    if operator.json:
        tell_json({"changed": [change.name for change in changes]})
    if not (check or diff):
        _write(changes, texts, quiet=operator.json)
        return
    if diff and not operator.json:
        tell_text("".join(line for change in changes for line in change.difference()))
    if changes:
        raise Stop(ExitCode.NO, *(f"would be formatted: {change.name}" for change in changes))


def _changes(texts: dict[str, str]) -> list[Change]:
    """Return the files that are to be changed; raises `Stop` with what keeps any from it."""
    from grantproof.policyfile.policy_format import format_policy

    changes: list[Change] = []
    faults: list[str] = []
    for name, text in texts.items():
        formatted = format_policy(text)
        if not isinstance(formatted, str):
            faults.extend(problem.in_file(name) for problem in formatted)
        elif formatted != text:
            changes.append(Change(name, text, formatted))
    if faults:
        raise Stop(ExitCode.USAGE, *faults)
    return changes


def _write(changes: list[Change], texts: dict[str, str], *, quiet: bool) -> None:
    formatted = {change.name: change.formatted for change in changes}
    if STANDARD_INPUT in texts and not quiet:
        tell_text(formatted.get(STANDARD_INPUT, texts[STANDARD_INPUT]))
    for name in formatted.keys() - {STANDARD_INPUT}:
        _replace(Path(name), formatted[name])
    for change in changes:
        if change.name != STANDARD_INPUT and not quiet:
            complain(f"formatted: {change.name}")


def _replace(path: Path, text: str) -> None:
    """Put the text in the place of the file, all of it or nothing; a link stays a link."""
    target = path.resolve()
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".grantproof-") as folder:
            made = Path(folder) / target.name
            made.write_bytes(text.encode())
            shutil.copymode(target, made)
            made.replace(target)
    except OSError as error:
        raise unusable(path, "written", error) from None
